//! The pipelines of a run, as words for `gst-launch-1.0`.

use std::path::{Path, PathBuf};

use super::clip::Clip;
use super::launch::CAMERA;

/// Names the built-in models on the command line.
const EMBEDDED: &str = gstgaze::engine::embedded::NAME;

/// The elements between the source and the lines, and their properties.
#[derive(clap::Args, Clone, Debug)]
pub struct ElementArgs {
    /// Gaze model of the run; `embedded` is the built-in one.
    #[arg(long, conflicts_with = "jsonl", value_name = "MODEL", default_value = EMBEDDED)]
    pub engine: PathBuf,
    /// Profile of the gaze model: a built-in name or a TOML file.
    #[arg(long, conflicts_with = "jsonl", value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Face detector of the run; `embedded` is the built-in one.
    #[arg(long, conflicts_with = "jsonl", value_name = "MODEL", default_value = EMBEDDED)]
    pub face_model: PathBuf,
    /// Rules of gazemonitor: a built-in name or a TOML file.
    #[arg(long, conflicts_with = "jsonl", value_name = "RULES", default_value = "euroncap-2026")]
    pub rules: String,
    /// Speed of the car in km/h; -1 is unknown, and gazemonitor takes the strictest rules.
    #[arg(long, conflicts_with = "jsonl", value_name = "KM/H", default_value_t = -1.0, allow_negative_numbers = true)]
    pub speed: f64,
    /// Further property of gazeface; may be repeated.
    #[arg(long, conflicts_with = "jsonl", value_name = "NAME=VALUE", value_parser = property)]
    pub gazeface: Vec<(String, String)>,
    /// Further property of gazeinfer, such as precision=int8; may be repeated.
    #[arg(long, conflicts_with = "jsonl", value_name = "NAME=VALUE", value_parser = property)]
    pub gazeinfer: Vec<(String, String)>,
    /// Further property of gazemonitor, such as forward=given; may be repeated.
    #[arg(long, conflicts_with = "jsonl", value_name = "NAME=VALUE", value_parser = property)]
    pub gazemonitor: Vec<(String, String)>,
}

/// Parses `NAME=VALUE` of an element.
fn property(text: &str) -> Result<(String, String), String> {
    let is_name = |name: &str| {
        let mut letters = name.chars();
        letters.next().is_some_and(|c| c.is_ascii_lowercase())
            && letters.all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    match text.split_once('=') {
        Some((name, value)) if is_name(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// A property as one word for `gst-launch-1.0`, whatever its value holds.
pub fn word(name: &str, value: &str) -> String {
    let mut word = format!("{name}=\"");
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            word.push('\\');
        }
        word.push(c);
    }
    word.push('"');
    word
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split_whitespace().map(str::to_owned)
}

/// An element with the words of its properties.
fn element(name: &str, properties: impl IntoIterator<Item = String>) -> Vec<String> {
    [name.to_owned()].into_iter().chain(properties).collect()
}

fn extra(properties: &[(String, String)]) -> impl Iterator<Item = String> + '_ {
    properties.iter().map(|(name, value)| word(name, value))
}

fn model(path: &Path, profile: Option<&str>) -> Vec<String> {
    let mut properties = Vec::new();
    if path.as_os_str() != EMBEDDED {
        properties.push(word("engine", &path.to_string_lossy()));
    }
    properties.extend(profile.map(|profile| word("profile", profile)));
    properties
}

fn chain(elements: impl IntoIterator<Item = Vec<String>>) -> Vec<String> {
    let mut words = Vec::new();
    for element in elements {
        if !words.is_empty() {
            words.push("!".to_owned());
        }
        words.extend(element);
    }
    words
}

/// The source of the frames.
#[derive(Clone, Copy, Debug)]
pub enum FrameSource<'a> {
    /// A video file, played at its own speed as a camera shows it.
    Video(Clip<'a>),
    /// Every frame of a video file, as fast as the elements go.
    EveryFrame(Clip<'a>),
    /// Elements of a live source.
    Live(&'a str),
}

/// The frames of a video as gaze models know them: upright and in colours of SDR. The conversion of HDR
/// takes time, so that only HDR gets it.
fn decoded(clip: Clip<'_>) -> Vec<Vec<String>> {
    let source = element("filesrc", [word("location", &clip.path.to_string_lossy())]);
    [source, element("decodebin", [])].into_iter().chain(upright(clip.hdr)).collect()
}

/// The elements that convert and turn frames. Cameras and phones tell in a tag which way is up.
fn upright(hdr: bool) -> Vec<Vec<String>> {
    let turn = element("videoflip", words("video-direction=auto"));
    if !hdr {
        return vec![element("videoconvert", []), turn];
    }
    let convert = element("videoconvert", words("gamma-mode=remap primaries-mode=fast"));
    vec![convert, element("video/x-raw,colorimetry=bt709", []), turn]
}

fn faces(args: &ElementArgs) -> Vec<String> {
    let properties = model(&args.face_model, None).into_iter().chain(extra(&args.gazeface));
    element("gazeface", words("qos=false").chain(properties))
}

fn gaze(args: &ElementArgs) -> Vec<String> {
    let model = model(&args.engine, args.profile.as_deref()).into_iter();
    element("gazeinfer", words("qos=false").chain(model).chain(extra(&args.gazeinfer)))
}

fn publish(socket: &Path) -> Vec<String> {
    let location = word("location", &format!("unix:{}", socket.display()));
    let settings = words("add-empty-results=true queue-size=65536 flush-timeout=10000000000");
    element("gazepublish", [location].into_iter().chain(settings))
}

fn sink() -> Vec<String> {
    element("fakesink", words("sync=false"))
}

/// The run to judge. `identity sync=true` makes a live source of a video: it passes each frame when it
/// is due. While the elements work on a frame, the queue keeps the newest and loses the others.
pub fn run(source: FrameSource<'_>, args: &ElementArgs, zones: &str, socket: &Path) -> Vec<String> {
    let unlimited = "max-size-bytes=0 max-size-time=0";
    let ahead = || words("max-size-buffers=8").chain(words(unlimited));
    let camera = |pace: &str| element("identity", words(&format!("name={CAMERA} {pace}")));
    let frames = match source {
        FrameSource::Video(clip) => {
            // The decoder works ahead, so that it makes no frame late.
            let queue = element("queue", ahead());
            decoded(clip).into_iter().chain([queue, camera("sync=true")]).collect()
        }
        FrameSource::EveryFrame(clip) => {
            decoded(clip).into_iter().chain([camera("sync=false")]).collect::<Vec<_>>()
        }
        FrameSource::Live(elements) => {
            // Some cameras give JPEG alone, which decodebin decodes; it passes raw frames on.
            let source = [words(elements).collect(), element("decodebin", [])];
            source.into_iter().chain(upright(false)).chain([camera("sync=false")]).collect()
        }
    };
    let newest = words("max-size-buffers=1 leaky=downstream").chain(words(unlimited));
    let queue = match source {
        FrameSource::EveryFrame(_) => element("queue", ahead()),
        _ => element("queue", newest),
    };
    let judge =
        [word("rules", &args.rules), word("zones", zones), word("speed", &args.speed.to_string())];
    let monitor = element("gazemonitor", judge.into_iter().chain(extra(&args.gazemonitor)));
    chain(frames.into_iter().chain([
        queue,
        faces(args),
        gaze(args),
        monitor,
        publish(socket),
        sink(),
    ]))
}

/// Properties of the number format and the provider: the reference model runs with its own.
const NUMERIC: [&str; 9] = [
    "allow-fallback",
    "batch-size",
    "device-id",
    "engine-cache",
    "execution-provider",
    "precision",
    "provider-options",
    "qnn-backend",
    "threads",
];

/// Both engines on the same faces of every frame of a video. The first socket takes the lines of the
/// deployed engine, the second those of the reference.
pub fn compare(
    clip: Clip<'_>,
    args: &ElementArgs,
    (reference, profile): (&Path, Option<&str>),
    [deployed_lines, reference_lines]: [&Path; 2],
) -> Vec<String> {
    let same = args.gazeinfer.iter().filter(|(name, _)| !NUMERIC.contains(&name.as_str()));
    let same = same.map(|(name, value)| word(name, value));
    let right =
        words("qos=false execution-provider=cpu").chain(model(reference, profile)).chain(same);
    let branch = |gaze: Vec<String>, lines: &Path| {
        let queue = element("queue", words("max-size-buffers=16 max-size-bytes=0 max-size-time=0"));
        chain([vec!["both.".to_owned()], queue, gaze, publish(lines), sink()])
    };
    let head = decoded(clip).into_iter().chain([faces(args), element("tee", words("name=both"))]);
    let mut words = chain(head);
    words.extend(branch(gaze(args), deployed_lines));
    words.extend(branch(element("gazeinfer", right), reference_lines));
    words
}

/// The words as a shell takes them.
pub fn shown(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,!".contains(c);
    let quoted = words.iter().map(|word| match word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word() {
        assert_eq!(word("location", r#"a b"c\d ! fakesink"#), r#"location="a b\"c\\d ! fakesink""#);
        assert_eq!(shown(&[word("a", "it's"), "!".into()]), r#"'a="it'\''s"' !"#);
        assert_eq!(property("precision=int8"), Ok(("precision".into(), "int8".into())));
        assert_eq!(property("a=b=c"), Ok(("a".into(), "b=c".into())));
        for bad in ["", "x", "=1", "! x=1", "A=1", "a b=1"] {
            assert!(property(bad).is_err(), "{bad}");
        }
    }
}
