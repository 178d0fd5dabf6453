//! The properties of `gazeinfer` for DeepStream, in nvinfer's names, and nvinfer's configuration
//! files.

use std::path::Path;
use std::sync::Arc;

use glib::prelude::*;
use gst::prelude::*;

use crate::plugin::enums::InferenceRegion;
use crate::plugin::property::{get, text};

/// nvinfer's default.
const UNIQUE_ID: u32 = 15;

/// Which of DeepStream's objects are faces, and what is added to them.
#[derive(Clone, Debug)]
pub(super) struct DeepStream {
    /// Written to the metadata.
    pub unique_id: u32,
    /// `gie-unique-id` of the detector; negative: of any.
    component: i32,
    /// Empty: all.
    classes: Arc<[i32]>,
    /// Whether `nvdsosd` gets arrows to draw.
    pub display_arrows: bool,
}

impl Default for DeepStream {
    fn default() -> Self {
        Self { unique_id: UNIQUE_ID, component: -1, classes: Arc::from([]), display_arrows: false }
    }
}

/// Descriptions of the properties.
pub(super) fn properties() -> [glib::ParamSpec; 4] {
    let d = DeepStream::default();
    [
        glib::ParamSpecUInt::builder("unique-id")
            .nick("Unique ID")
            .blurb("Says in DeepStream's metadata who estimated a gaze")
            .default_value(d.unique_id)
            .mutable_playing()
            .build(),
        glib::ParamSpecInt::builder("infer-on-gie-id")
            .nick("Infer on GIE ID")
            .blurb(
                "DeepStream: only objects that the detector with this unique-id found are faces \
                 (-1 = any detector)",
            )
            .minimum(-1)
            .default_value(d.component)
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("infer-on-class-ids")
            .nick("Infer on class IDs")
            .blurb("DeepStream: only objects of these classes are faces, e.g. 0:2 (unset = all)")
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("display-arrows")
            .nick("Display arrows")
            .blurb("DeepStream: add arrows that nvdsosd draws (NvDsDisplayMeta)")
            .default_value(d.display_arrows)
            .mutable_playing()
            .build(),
    ]
}

impl DeepStream {
    /// Whether an object is a face.
    pub fn wants(&self, component: i32, class: i32) -> bool {
        (self.component < 0 || self.component == component)
            && (self.classes.is_empty() || self.classes.contains(&class))
    }

    /// Sets one property; `false` for one that is not of these.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<bool, String> {
        match name {
            "unique-id" => self.unique_id = get(value)?,
            "infer-on-gie-id" => self.component = get(value)?,
            "infer-on-class-ids" => self.classes = class_ids(text(value).as_deref().unwrap_or(""))?,
            "display-arrows" => self.display_arrows = get(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The value of one property; `None` for one that is not of these.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "unique-id" => self.unique_id.to_value(),
            "infer-on-gie-id" => self.component.to_value(),
            "infer-on-class-ids" => {
                let ids: Vec<_> = self.classes.iter().map(ToString::to_string).collect();
                (!ids.is_empty()).then(|| ids.join(":")).to_value()
            }
            "display-arrows" => self.display_arrows.to_value(),
            _ => return None,
        })
    }
}

/// Numbers with a colon (nvinfer's property) or a semicolon (its file) between them.
fn class_ids(text: &str) -> Result<Arc<[i32]>, String> {
    text.split([':', ';'])
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(|id| {
            let number = id.parse::<i32>().ok().filter(|id| *id >= 0);
            number.ok_or_else(|| format!("'{id}' is no class id; give numbers such as 0:2"))
        })
        .collect()
}

/// What a configuration file says.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Properties and their values.
    pub values: Vec<(&'static str, glib::Value)>,
    /// Keys that mean nothing here.
    pub ignored: Vec<String>,
}

/// Reads nvinfer's kind of file: the group `[property]`.
pub(super) fn read_config(path: &str) -> Result<Config, String> {
    let bytes = std::fs::read(path)
        .map_err(|why| format!("Cannot read the configuration '{path}': {why}"))?;
    parse_config(&bytes, path)
}

/// Reads the contents of such a file. GLib hands out what is no UTF-8 as if it were: replaced first,
/// so that a comment in another encoding does no harm and a value says what is wrong with it.
pub(super) fn parse_config(bytes: &[u8], path: &str) -> Result<Config, String> {
    let text = String::from_utf8_lossy(bytes);
    // GLib's strings end there.
    if text.contains('\0') {
        return Err(format!("Cannot read the configuration '{path}': it is no text (a byte is 0)"));
    }
    let file = glib::KeyFile::new();
    file.load_from_data(&text, glib::KeyFileFlags::NONE).map_err(|why| {
        let yaml = [".yml", ".yaml"].iter().any(|end| path.ends_with(end));
        let hint = if yaml { "; YAML is not read, use the form with [property]" } else { "" };
        format!("Cannot read the configuration '{path}': {why}{hint}")
    })?;
    if !file.has_group(GROUP) {
        return Err(format!("The configuration '{path}' has no group [{GROUP}]"));
    }
    let keys = file.keys(GROUP).map_err(|why| format!("'{path}': {why}"))?;
    let mut config = Config::default();
    for key in keys.iter().map(|key| key.as_str()) {
        let value = file.value(GROUP, key).map_err(|why| format!("'{path}': {key}: {why}"))?;
        match property_of(key, value.trim(), Path::new(path)) {
            Ok(Some(found)) => config.values.push(found),
            Ok(None) => config.ignored.push(key.to_owned()),
            Err(why) => return Err(format!("'{path}': {key}={value}: {why}")),
        }
    }
    let groups = file.groups();
    let others = groups.iter().map(|group| group.as_str()).filter(|group| *group != GROUP);
    config.ignored.extend(others.map(|group| format!("[{group}]")));
    Ok(config)
}

/// The group that nvinfer reads.
const GROUP: &str = "property";

/// The property that a key of nvinfer's stands for, and its value; `None` for a key that means
/// nothing here.
fn property_of(
    key: &str,
    value: &str,
    file: &Path,
) -> Result<Option<(&'static str, glib::Value)>, String> {
    let number = || value.parse::<u32>().map_err(|_| "not a number from 0 on".to_owned());
    // Frames to leave out, there; every n-th frame, here.
    let every = |left_out: u32| left_out.saturating_add(1);
    Ok(Some(match key {
        "gie-unique-id" => ("unique-id", number()?.to_value()),
        "batch-size" => ("batch-size", number()?.to_value()),
        "interval" => ("inference-interval", every(number()?).to_value()),
        // Its default, the largest number, is never again: 0 here.
        "secondary-reinfer-interval" => {
            let interval = number()?;
            let never = interval >= i32::MAX as u32;
            ("reclassify-interval", if never { 0 } else { every(interval) }.to_value())
        }
        "operate-on-gie-id" => {
            let id = value.parse::<i32>().ok().filter(|id| *id >= -1);
            ("infer-on-gie-id", id.ok_or("not a number from -1 on")?.to_value())
        }
        "operate-on-class-ids" => {
            class_ids(value)?;
            ("infer-on-class-ids", value.to_value())
        }
        "input-object-min-width" => ("min-object-width", number()?.to_value()),
        "input-object-min-height" => ("min-object-height", number()?.to_value()),
        "input-object-max-width" => ("max-object-width", number()?.to_value()),
        "input-object-max-height" => ("max-object-height", number()?.to_value()),
        "process-mode" => {
            let region = match value {
                "1" => InferenceRegion::FullFrame,
                "2" => InferenceRegion::RoiList,
                _ => return Err("neither 1 (frames) nor 2 (objects)".to_owned()),
            };
            ("inference-region", region.to_value())
        }
        "onnx-file" => {
            let folder = file.parent().unwrap_or(Path::new(""));
            ("engine", folder.join(value).to_string_lossy().to_value())
        }
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<Config, String> {
        config_of_bytes(text.as_bytes())
    }

    fn config_of_bytes(bytes: &[u8]) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read_config(file.path().to_str().unwrap())
    }

    #[test]
    fn keys_that_make_sense_are_taken_and_others_named() {
        let found = config(
            "[property]\n# faces\ngpu-id=0\ngie-unique-id=4\noperate-on-class-ids=0;2;\n\
             interval=2\nsecondary-reinfer-interval=2147483647\nprocess-mode=2\n\
             net-scale-factor=0.0039\n\n[class-attrs-all]\ntopk=20\n",
        )
        .unwrap();
        assert_eq!(found.ignored, ["gpu-id", "net-scale-factor", "[class-attrs-all]"]);
        let value = |name: &str| &found.values.iter().find(|(n, _)| *n == name).unwrap().1;
        assert_eq!(value("unique-id").get::<u32>(), Ok(4));
        assert_eq!(value("inference-interval").get::<u32>(), Ok(3));
        assert_eq!(value("reclassify-interval").get::<u32>(), Ok(0));
        assert_eq!(value("inference-region").get(), Ok(InferenceRegion::RoiList));
        let mut deepstream = DeepStream::default();
        deepstream.set("infer-on-class-ids", value("infer-on-class-ids")).unwrap();
        assert!(deepstream.wants(1, 2) && !deepstream.wants(1, 1));
    }

    #[test]
    fn another_encoding_is_no_text_of_ours() {
        let found = config_of_bytes(
            b"[property]\n# fa\xe7ades\nbatch-size=2\noperate-on-class-ids=0\nonnx-file=caf\xe9.onnx\n",
        )
        .unwrap();
        let engine = &found.values.iter().find(|(name, _)| *name == "engine").unwrap().1;
        let engine = engine.get::<&str>().unwrap();
        assert!(engine.ends_with("caf\u{fffd}.onnx"), "{engine}");
        let error = config_of_bytes(b"[property]\nbatch-size=\xff\n").unwrap_err();
        assert!(error.contains("batch-size=\u{fffd}"), "{error}");
    }

    #[test]
    fn values_keep_to_the_range_of_their_property() {
        // Descriptions of properties are GStreamer's.
        gst::init().unwrap();
        let read = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let mut settings = super::super::settings::Settings::default();
            settings.set("config-file-path", &file.path().to_str().to_value()).unwrap();
            settings.read_config().map(|_| settings.batch_size)
        };
        assert_eq!(read("[property]\nbatch-size=1024\n"), Ok(1024));
        for (line, range) in [
            ("batch-size=0", "1 to 1024"),
            ("batch-size=4294967295", "1 to 1024"),
            ("input-object-min-width=65536", "0 to 65535"),
        ] {
            let error = read(&format!("[property]\n{line}\n")).unwrap_err();
            assert!(error.contains(range), "{line}: {error}");
        }
    }

    #[test]
    fn models_lie_beside_the_file() {
        let found = property_of("onnx-file", "gaze.onnx", Path::new("/etc/gaze/config.txt"));
        let (name, value) = found.unwrap().unwrap();
        assert_eq!((name, value.get::<&str>()), ("engine", Ok("/etc/gaze/gaze.onnx")));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let says = |text: &str, word: &str| {
            let error = config(text).unwrap_err();
            assert!(error.contains(word), "{error}");
        };
        says("[property]\nbatch-size=many\n", "batch-size=many");
        says("[property]\nprocess-mode=3\n", "process-mode");
        says("[property]\noperate-on-class-ids=0;x\n", "'x'");
        says("[other]\na=1\n", "[property]");
        says("<html>", "Cannot read");
        says("[property]\nonnx-file=a\0b\n", "no text");
    }
}
