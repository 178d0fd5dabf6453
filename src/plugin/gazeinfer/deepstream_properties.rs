//! The properties of `gazeinfer` for DeepStream, in nvinfer's names.

use std::sync::Arc;

use glib::prelude::*;
use gst::prelude::*;

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
pub(super) fn class_ids(text: &str) -> Result<Arc<[i32]>, String> {
    text.split([':', ';'])
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(|id| {
            let number = id.parse::<i32>().ok().filter(|id| *id >= 0);
            number.ok_or_else(|| format!("'{id}' is no class id; give numbers such as 0:2"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_chosen_by_detector_and_class() {
        let mut deepstream = DeepStream::default();
        assert!(deepstream.wants(1, 2));
        deepstream.set("infer-on-class-ids", &"0;2;".to_value()).unwrap();
        assert!(deepstream.wants(1, 2) && !deepstream.wants(1, 1));
        deepstream.set("infer-on-gie-id", &4i32.to_value()).unwrap();
        assert!(deepstream.wants(4, 2) && !deepstream.wants(1, 2));
        assert!(deepstream.set("infer-on-class-ids", &"0;x".to_value()).is_err());
        assert_eq!(deepstream.get("infer-on-class-ids").unwrap().get::<&str>(), Ok("0:2"));
    }
}
