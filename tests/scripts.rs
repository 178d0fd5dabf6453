//! The scripts of `pipelines` as users run them, on videos as phones and cameras make them. The debug
//! build stands for the release build.
#![cfg(feature = "plugin")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with programs that stand before those of the system, plugins, and files.
struct Desk {
    folder: TempDir,
}

impl Desk {
    /// `None` where a script would have to install something, or lacks an encoder.
    fn new(test: &str) -> Option<Self> {
        if !common::element::runtime(test) {
            return None;
        }
        let encoders = ["jpegenc", "qtmux", "avimux", "x264enc", "avenc_aac", "avdec_h264"];
        let missing = encoders.iter().find(|name| gst::ElementFactory::find(name).is_none());
        if std::env::var_os("GAZE_ORT_LIBRARY").is_none() || missing.is_some() {
            common::left_out(test, "no GAZE_ORT_LIBRARY, or an encoder is missing");
            return None;
        }
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "plugins"] {
            fs::create_dir(desk.path(folder)).unwrap();
        }
        // Links this build's plugin.
        common::built::offer(&mut Command::new("true"), &desk.path("plugins"));
        desk.program("cargo", "exit 0");
        Some(desk)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a shell program before that of the system.
    fn program(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("bash");
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        // What cargo built stays where it is: the scripts link it again.
        let target = common::built::folder().parent().unwrap().to_owned();
        command
            .arg(program)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("CARGO_TARGET_DIR", target)
            .env("GAZE_PROFILE", "debug")
            .env("GAZE_PLUGINS", self.path("plugins"))
            .env("GST_PLUGIN_PATH", self.path("plugins"))
            .env("GST_REGISTRY", self.path("plugins").join("registry.bin"))
            .env_remove("G_DEBUG");
        for name in ["FACE_MODEL", "GAZE_MODEL", "MODELS", "RULES", "ZONES", "SPEED", "FORWARD"] {
            command.env_remove(name);
        }
        command
    }

    fn script(&self, name: &str) -> Command {
        self.command(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name))
    }

    /// Runs a pipeline that makes a file.
    fn make(&self, description: &str) {
        let made = Command::new("gst-launch-1.0")
            .args(["-q", "-e"])
            .args(description.split_whitespace())
            .current_dir(self.folder.path())
            .status()
            .unwrap();
        assert!(made.success(), "{description}");
    }
}

fn succeeded(command: &mut Command) -> (String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, errors) = (text(stdout), text(stderr));
    assert!(status.success(), "{command:?}: {out}{errors}");
    (out, errors)
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// So many frames of the rendered person, who stands still.
fn person(frames: u32, rate: u32) -> String {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo.mp4");
    format!(
        "filesrc location={} ! decodebin ! videoconvert ! videoscale ! \
         video/x-raw,format=I420,width=640,height=360 ! imagefreeze num-buffers={frames} ! \
         video/x-raw,framerate={rate}/1",
        clip.display()
    )
}

/// Writes the matrix that turns the pictures of an MP4 by 90 degrees counter-clockwise, as a phone does.
fn turn(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let mut from = 0;
    while let Some(at) = bytes[from..].windows(4).position(|window| window == b"tkhd") {
        let version = bytes[from + at + 4];
        let matrix = from + at + 8 + if version == 0 { 20 } else { 32 } + 16;
        let width = &bytes[matrix + 36..matrix + 40];
        // Sound has no width.
        if width != [0; 4] {
            let turned = [0i32, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30];
            for (index, value) in turned.iter().enumerate() {
                let start = matrix + 4 * index;
                bytes[start..start + 4].copy_from_slice(&value.to_be_bytes());
            }
        }
        from = matrix;
    }
    fs::write(path, bytes).unwrap();
}

/// A phone's video: filmed upright, stored lying, with sound.
fn phone(desk: &Desk) -> PathBuf {
    desk.make(&format!(
        "{} ! videoflip video-direction=90l ! jpegenc ! queue ! mux. \
         audiotestsrc num-buffers=40 ! audio/x-raw,format=S16LE,rate=44100,channels=1 ! queue ! mux. \
         qtmux name=mux ! filesink location=phone.mp4",
        person(6, 5)
    ));
    turn(&desk.path("phone.mp4"));
    desk.path("phone.mp4")
}

/// What `decodebin` finds in a video: kinds of streams.
fn streams(desk: &Desk, file: &Path) -> String {
    let output = Command::new("gst-launch-1.0")
        .args(["-v", "filesrc"])
        .arg(format!("location={}", file.display()))
        .args(["!", "decodebin", "!", "identity", "eos-after=1", "!", "fakesink"])
        .current_dir(desk.folder.path())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_demo_takes_a_phones_video() {
    let Some(desk) = Desk::new("the_demo_takes_a_phones_video") else { return };
    phone(&desk);
    // Relative to the caller's folder, with spaces.
    succeeded(desk.script("demo.sh").args(["phone.mp4", "my results"]));
    let results = desk.path("my results");
    assert_eq!(names(&results), ["annotated.mp4", "demo.log", "frame.png", "gaze.jsonl"]);
    let lines = lines(&results.join("gaze.jsonl"));
    assert!((5..=6).contains(&lines.len()), "{}", lines.len());
    for line in &lines {
        assert_eq!((&line["width"], &line["height"]), (&640.into(), &360.into()), "upright");
        assert_eq!(line["faces"].as_array().unwrap().len(), 1, "{line}");
    }
    let found = streams(&desk, &results.join("annotated.mp4"));
    assert!(found.contains("caps = audio/x-raw"), "the sound is kept: {found}");
    // A run that fails leaves the results whole, and nothing aside.
    let before = fs::read(results.join("annotated.mp4")).unwrap();
    fs::write(desk.path("broken.mp4"), [0u8; 4000]).unwrap();
    let failed = desk.script("demo.sh").args(["broken.mp4", "my results"]).output().unwrap();
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    assert_eq!(fs::read(results.join("annotated.mp4")).unwrap(), before);
    assert_eq!(names(&results), ["annotated.mp4", "demo.log", "frame.png", "gaze.jsonl"]);
    // A file is no folder for results.
    let refused = desk.script("demo.sh").args(["phone.mp4", "phone.mp4"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

/// The mean of each colour of a PNG.
fn colours(path: &Path) -> [f64; 3] {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let channels = info.color_type.samples();
    let count = pixels.len() / channels;
    let mean = |channel: usize| {
        let values = pixels.chunks_exact(channels).map(|pixel| f64::from(pixel[channel]));
        values.sum::<f64>() / count as f64
    };
    [mean(0), mean(1), mean(2)]
}

#[test]
fn hdr_looks_like_sdr_in_the_demo() {
    let Some(desk) = Desk::new("hdr_looks_like_sdr_in_the_demo") else { return };
    let mut found = Vec::new();
    for (name, convert) in [
        ("sdr", "videoconvert ! video/x-raw,format=I420,colorimetry=bt709"),
        (
            "hlg",
            "videoconvert gamma-mode=remap primaries-mode=fast ! video/x-raw,format=I420_10LE,colorimetry=bt2100-hlg",
        ),
        (
            "pq",
            "videoconvert gamma-mode=remap primaries-mode=fast ! video/x-raw,format=I420_10LE,colorimetry=bt2100-pq",
        ),
    ] {
        desk.make(&format!(
            "videotestsrc num-buffers=5 pattern=smpte75 ! \
             video/x-raw,format=I420,width=160,height=96,framerate=25/1,colorimetry=bt709 ! {convert} ! \
             x264enc speed-preset=ultrafast ! h264parse ! mp4mux ! filesink location={name}.mp4"
        ));
        succeeded(desk.script("demo.sh").args([&format!("{name}.mp4"), name]));
        found.push(colours(&desk.path(name).join("frame.png")));
    }
    for hdr in &found[1..] {
        for (sdr, hdr) in found[0].iter().zip(hdr) {
            assert!((sdr - hdr).abs() < 4.0, "{found:?}");
        }
    }
}

#[test]
fn the_webcam_script_shows_a_camera_that_gives_jpeg_alone() {
    let test = "the_webcam_script_shows_a_camera_that_gives_jpeg_alone";
    let Some(desk) = Desk::new(test) else { return };
    // In place of the camera and the window; of the same kinds of caps.
    let real = Command::new("bash").args(["-c", "command -v gst-launch-1.0"]).output().unwrap();
    let real = String::from_utf8(real.stdout).unwrap();
    desk.program(
        "gst-launch-1.0",
        &format!(
            "words=(-e)\nfor word; do\n  case $word in\n  v4l2src) words+=(videotestsrc num-buffers=10 \
             ! video/x-raw,format=Y42B,width=160,height=96 ! jpegenc) ;;\n  device=*) ;;\n  autovideosink) \
             words+=(identity silent=false name=shown ! fakesink) ;;\n  *) words+=(\"$word\") ;;\n  esac\n\
             done\nexec {} -v \"${{words[@]}}\"",
            real.trim()
        ),
    );
    let (out, _) = succeeded(desk.script("webcam.sh").arg("/dev/null"));
    assert!(out.contains("GstIdentity:shown.GstPad:sink: caps = video/x-raw"), "{out}");
    assert!(out.contains("jpegdec") || out.contains("avdec_mjpeg"), "{out}");
}

#[test]
fn the_monitor_script_prints_a_line_for_each_alarm() {
    let Some(desk) = Desk::new("the_monitor_script_prints_a_line_for_each_alarm") else { return };
    desk.make(&format!("{} ! jpegenc ! avimux ! filesink location=drive.avi", person(25, 5)));
    // The road is far from where the person looks.
    let (out, _) = succeeded(desk.script("monitor.sh").arg("drive.avi").env("FORWARD", "0 80"));
    let alarms: Vec<_> = out.lines().filter(|line| line.contains("long-distraction")).collect();
    let [alarm] = alarms[..] else { panic!("{out}") };
    let words: Vec<_> = alarm.split_whitespace().collect();
    let at: f64 = words[0].parse().unwrap();
    assert!((3.0..5.0).contains(&at) && words[1] == "s" && words[2] == "warning", "{alarm}");
    assert!(alarm.contains(", since 0."), "{alarm}");
    assert!(!out.contains("(guint64)") && !out.contains("attention,"), "{out}");
    assert!(out.contains("frames distracted"), "{out}");
}

/// Where GStreamer is 1.24 or newer, the scripts build the plugin with GstAnalytics.
#[test]
fn builds_have_the_features_that_gstreamer_allows() {
    let Some(desk) = Desk::new("builds_have_the_features_that_gstreamer_allows") else { return };
    desk.program("cargo", "echo cargo \"$@\"");
    desk.program(
        "pkg-config",
        "case $1 in --atleast-version=*) [ \"$GST_IS_AT_LEAST\" = \"${1#*=}\" ] ;; *) exit 0 ;; esac",
    );
    let root = env!("CARGO_MANIFEST_DIR");
    fs::write(desk.path("build.sh"), format!(". {root}/pipelines/setup.sh\ngaze_build\n")).unwrap();
    for (version, words) in
        [("1.24", "cargo build --lib --features v1_24\n"), ("1.22", "cargo build --lib\n")]
    {
        let mut command = desk.command(&desk.path("build.sh"));
        let (out, _) = succeeded(command.env("GST_IS_AT_LEAST", version));
        assert_eq!(out, words, "GStreamer {version}");
    }
    // No script builds in another way.
    for entry in fs::read_dir(Path::new(root).join("pipelines")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sh") {
            let text = fs::read_to_string(&path).unwrap();
            let own = path.ends_with("setup.sh");
            assert!(own || !text.contains("cargo build"), "{}", path.display());
        }
    }
}
