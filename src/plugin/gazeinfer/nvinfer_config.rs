//! Reads nvinfer's configuration files for `gazeinfer`: the group `[property]` of a key file, or the
//! mapping `property` of a YAML file. The extension (`.yml`, `.yaml`) tells them apart, as in nvinfer.
//!
//! | key | property |
//! |---|---|
//! | `gie-unique-id`, `gpu-id`, `batch-size` | `unique-id`, `device-id`, `batch-size` |
//! | `network-mode` | `precision`: 0 `fp32`, 1 `int8`, 2 `fp16`, 3 (best) `auto` |
//! | `onnx-file` | `engine` |
//! | `model-engine-file` | `engine`, with `execution-provider=tensorrt`; only without `onnx-file`, from which TensorRT builds an engine for `engine-cache` |
//! | `enable-dla`, `use-dla-core` | `provider-options`, with `execution-provider=tensorrt` |
//! | `int8-calib-file` | the same, with `network-mode=1`: a calibration table of TensorRT |
//! | `process-mode` | `inference-region`: 1 `full-frame`, 2 `roi-list` |
//! | `interval` | `inference-interval`; ignored with `process-mode=2`, as in nvinfer |
//! | `secondary-reinfer-interval` | `reclassify-interval` |
//! | `operate-on-gie-id`, `operate-on-class-ids` | `infer-on-gie-id`, `infer-on-class-ids` |
//! | `input-object-min-width` and the like | `min-object-width` and the like |
//!
//! Paths are relative to the file's folder. Source: `gstnvinfer_property_parser.cpp` and
//! `gstnvinfer_yaml_parser.cpp` of DeepStream 9.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use glib::prelude::*;
use saphyr::{LoadableYamlNode, Scalar, Yaml};

use super::deepstream_properties::class_ids;
use crate::engine::user_file::{self, MAX_TEXT};
use crate::plugin::enums::{ExecutionProvider, InferenceRegion, Precision};

/// The group that nvinfer reads.
const GROUP: &str = "property";

/// The content of a configuration file.
#[derive(Debug, Default)]
pub(super) struct NvinferConfig {
    /// Properties and their values.
    pub values: Vec<(&'static str, glib::Value)>,
    /// Keys that gazeinfer ignores.
    pub ignored: Vec<String>,
}

/// Reads a file of nvinfer. `has_engine`: the property `engine` is set, so the engines of the file do
/// not count.
///
/// # Errors
/// A text that names the file, the key and the remedy.
pub(super) fn read(path: &str, has_engine: bool) -> Result<NvinferConfig, String> {
    let (bytes, _) = user_file::read(Path::new(path), MAX_TEXT)
        .map_err(|why| format!("Cannot read the configuration '{path}': {why}"))?;
    parse(&bytes, path, has_engine)
}

/// Reads the contents of such a file. GLib returns invalid UTF-8 as if it were valid, so this replaces
/// it first: a comment in another encoding does no harm, and an error shows the wrong value.
pub(super) fn parse(bytes: &[u8], path: &str, has_engine: bool) -> Result<NvinferConfig, String> {
    let text = String::from_utf8_lossy(bytes);
    // GLib's strings end at a zero byte.
    if text.contains('\0') {
        return Err(format!(
            "Cannot read the configuration '{path}': it is not a text file (it has a zero byte)"
        ));
    }
    let file = Path::new(path);
    let extension = file.extension().map(|extension| extension.to_ascii_lowercase());
    let is_yaml = extension.is_some_and(|extension| extension == "yml" || extension == "yaml");
    let entries = if is_yaml { of_yaml(&text, path) } else { of_key_file(&text, path) }?;
    let keys = ConfigKeys { entries: entries.keys, folder: folder(file), has_engine };
    let mut config = NvinferConfig { values: Vec::new(), ignored: entries.others };
    let mut ignored = Vec::new();
    for (key, value) in &keys.entries {
        match keys.effect(key, value.trim()) {
            Ok(KeyEffect::Sets(name, value)) => config.values.push((name, value)),
            Ok(KeyEffect::Combined) => {}
            Ok(KeyEffect::Ignored) => ignored.push(key.clone()),
            Err(why) => return Err(format!("'{path}': {key}={value}: {why}")),
        }
    }
    config.ignored.splice(0..0, ignored);
    config.values.extend(keys.for_tensorrt());
    Ok(config)
}

/// The keys of a file.
#[derive(Default)]
struct ConfigEntries {
    /// Keys of the group `property`.
    keys: Vec<(String, String)>,
    /// Names of the other groups.
    others: Vec<String>,
}

fn of_key_file(text: &str, path: &str) -> Result<ConfigEntries, String> {
    let file = glib::KeyFile::new();
    file.load_from_data(text, glib::KeyFileFlags::NONE)
        .map_err(|why| format!("Cannot read the configuration '{path}': {why}"))?;
    if !file.has_group(GROUP) {
        return Err(format!("The configuration '{path}' has no group [{GROUP}]"));
    }
    let wrong = |why: glib::Error| format!("'{path}': {why}");
    let mut entries = ConfigEntries::default();
    for key in &file.keys(GROUP).map_err(wrong)? {
        let value = file.value(GROUP, key.as_str()).map_err(wrong)?;
        entries.keys.push((key.as_str().to_owned(), value.as_str().to_owned()));
    }
    let groups = file.groups();
    let others = groups.iter().map(|group| group.as_str()).filter(|group| *group != GROUP);
    entries.others.extend(others.map(|group| format!("[{group}]")));
    Ok(entries)
}

fn of_yaml(text: &str, path: &str) -> Result<ConfigEntries, String> {
    let unreadable = |why: String| format!("Cannot read the configuration '{path}': {why}");
    // The first line of OpenCV's files, which samples have, is not a directive of YAML.
    let text = text.trim_start_matches('\u{feff}').replacen("%YAML:", "#YAML:", 1);
    let documents = Yaml::load_from_str(&text).map_err(|why| unreadable(why.to_string()))?;
    let Some(Yaml::Mapping(groups)) = documents.first() else {
        return Err(unreadable("it is not a mapping".to_owned()));
    };
    let mut entries = ConfigEntries::default();
    let mut found = false;
    for (group, content) in groups {
        let group = group.as_str().unwrap_or_default();
        if group != GROUP {
            entries.others.push(format!("[{group}]"));
            continue;
        }
        found = true;
        let Yaml::Mapping(keys) = content else {
            return Err(unreadable(format!("'{GROUP}' is not a mapping")));
        };
        for (key, value) in keys {
            let key = key.as_str().unwrap_or_default();
            let value =
                scalar(value).ok_or_else(|| format!("'{path}': {key} has no single value"))?;
            entries.keys.push((key.to_owned(), value));
        }
    }
    if !found {
        return Err(format!("The configuration '{path}' has no '{GROUP}'"));
    }
    Ok(entries)
}

/// Returns a YAML value as a key file writes it.
fn scalar(value: &Yaml<'_>) -> Option<String> {
    Some(match value {
        Yaml::Value(Scalar::Integer(number)) => number.to_string(),
        Yaml::Value(Scalar::FloatingPoint(number)) => number.into_inner().to_string(),
        Yaml::Value(Scalar::Boolean(on)) => u8::from(*on).to_string(),
        Yaml::Value(Scalar::String(text)) | Yaml::Representation(text, ..) => text.to_string(),
        Yaml::Value(Scalar::Null) => String::new(),
        _ => return None,
    })
}

/// Returns the folder of a file behind its links; paths in the file are relative to it.
fn folder(file: &Path) -> PathBuf {
    let real = file.canonicalize();
    let file = real.as_deref().unwrap_or(file);
    file.parent().unwrap_or(Path::new("")).to_owned()
}

/// The keys of a file; the effect of some depends on others.
struct ConfigKeys {
    entries: Vec<(String, String)>,
    folder: PathBuf,
    has_engine: bool,
}

/// The effect of a key.
enum KeyEffect {
    Sets(&'static str, glib::Value),
    /// It takes effect together with others ([`ConfigKeys::for_tensorrt`]), or is rightly without effect.
    Combined,
    /// gazeinfer ignores it, and the user should know.
    Ignored,
}

impl ConfigKeys {
    fn get(&self, wanted: &str) -> Option<&str> {
        let found = self.entries.iter().find(|(key, _)| key == wanted);
        found.map(|(_, value)| value.trim())
    }

    fn is_on(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| switch(value) == Ok(true))
    }

    fn path(&self, value: &str) -> String {
        self.folder.join(value).to_string_lossy().into_owned()
    }

    fn effect(&self, key: &str, value: &str) -> Result<KeyEffect, String> {
        let property = |name, value: glib::Value| Ok(KeyEffect::Sets(name, value));
        // nvinfer counts the frames that it skips; gazeinfer infers every n-th frame.
        let every = |skipped: u32| skipped.saturating_add(1);
        let pixels = || number(value, 0..=u32::from(u16::MAX));
        match key {
            "gie-unique-id" => property("unique-id", number(value, 0..=u32::MAX)?.to_value()),
            "gpu-id" => property("device-id", number(value, 0..=255)?.to_value()),
            "batch-size" => property("batch-size", number(value, 1..=1024)?.to_value()),
            "network-mode" => {
                let precision = match number(value, 0..=3)? {
                    0 => Precision::Fp32,
                    1 => Precision::Int8,
                    2 => Precision::Fp16,
                    _ => Precision::Auto,
                };
                property("precision", precision.to_value())
            }
            "interval" => {
                let skipped = number(value, 0..=u32::MAX)?;
                match self.get("process-mode") {
                    Some("2") if skipped > 0 => Ok(KeyEffect::Ignored),
                    Some("2") => Ok(KeyEffect::Combined),
                    _ => property("inference-interval", every(skipped).to_value()),
                }
            }
            // The default, the largest number, means never again, which is 0 here.
            "secondary-reinfer-interval" => {
                let interval = number(value, 0..=u32::MAX)?;
                let never = interval >= i32::MAX as u32;
                let interval = if never { 0 } else { every(interval) };
                property("reclassify-interval", interval.to_value())
            }
            "operate-on-gie-id" => {
                let id = value.parse::<i32>().ok().filter(|id| *id >= -1);
                property("infer-on-gie-id", id.ok_or("not a number from -1 up")?.to_value())
            }
            "operate-on-class-ids" => {
                class_ids(value)?;
                property("infer-on-class-ids", value.to_value())
            }
            "input-object-min-width" => property("min-object-width", pixels()?.to_value()),
            "input-object-min-height" => property("min-object-height", pixels()?.to_value()),
            "input-object-max-width" => property("max-object-width", pixels()?.to_value()),
            "input-object-max-height" => property("max-object-height", pixels()?.to_value()),
            "process-mode" => {
                let region = match value {
                    "1" => InferenceRegion::FullFrame,
                    "2" => InferenceRegion::RoiList,
                    _ => return Err("neither 1 (frames) nor 2 (objects)".to_owned()),
                };
                property("inference-region", region.to_value())
            }
            "onnx-file" | "model-engine-file" if self.has_engine => Ok(KeyEffect::Combined),
            "model-engine-file" if self.get("onnx-file").is_some() => Ok(KeyEffect::Ignored),
            "onnx-file" | "model-engine-file" => property("engine", self.path(value).to_value()),
            "enable-dla" => switch(value).map(|_| KeyEffect::Combined),
            "use-dla-core" => {
                number(value, 0..=255)?;
                let on = self.is_on("enable-dla");
                Ok(if on { KeyEffect::Combined } else { KeyEffect::Ignored })
            }
            "int8-calib-file" => {
                let int8 = self.get("network-mode") == Some("1");
                Ok(if int8 { KeyEffect::Combined } else { KeyEffect::Ignored })
            }
            _ => Ok(KeyEffect::Ignored),
        }
    }

    /// Returns the properties that select TensorRT, and its options under ONNX Runtime's names.
    fn for_tensorrt(&self) -> Vec<(&'static str, glib::Value)> {
        let mut options = gst::Structure::builder("options");
        let mut has_options = false;
        if self.is_on("enable-dla") {
            has_options = true;
            options = options.field("trt_dla_enable", true);
            if let Some(core) = self.get("use-dla-core").and_then(|core| core.parse::<i32>().ok()) {
                options = options.field("trt_dla_core", core);
            }
        }
        if let Some(table) = self.get("int8-calib-file")
            && self.get("network-mode") == Some("1")
        {
            has_options = true;
            options = options
                .field("trt_int8_calibration_table_name", self.path(table))
                .field("trt_int8_use_native_calibration_table", true);
        }
        let is_engine = self.get("model-engine-file").is_some()
            && self.get("onnx-file").is_none()
            && !self.has_engine;
        let mut values = Vec::new();
        if is_engine || has_options {
            values.push(("execution-provider", ExecutionProvider::Tensorrt.to_value()));
        }
        if has_options {
            values.push(("provider-options", options.build().to_string().to_value()));
        }
        values
    }
}

fn number(value: &str, range: RangeInclusive<u32>) -> Result<u32, String> {
    let number = value.parse::<u32>().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| match range.into_inner() {
        (least, u32::MAX) => format!("not a number from {least} up"),
        (least, most) => format!("not a number from {least} to {most}"),
    })
}

fn switch(value: &str) -> Result<bool, String> {
    match value {
        "0" | "false" => Ok(false),
        "1" | "true" => Ok(true),
        _ => Err("neither 0 nor 1".to_owned()),
    }
}

#[cfg(test)]
mod tests;
