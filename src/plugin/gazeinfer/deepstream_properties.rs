//! The properties of `gazeinfer` for DeepStream, in nvinfer's names.

use std::sync::Arc;

use glib::prelude::*;

use crate::plugin::property::Property;

type P = Property<DeepStream>;

/// nvinfer's default.
const UNIQUE_ID: u32 = 15;

/// Which objects of DeepStream are faces, and what gazeinfer attaches to them.
#[derive(Clone, Debug)]
pub(super) struct DeepStream {
    /// ID of gazeinfer in the metadata.
    pub unique_id: u32,
    /// `gie-unique-id` of the detector; negative: any detector.
    component: i32,
    /// Class IDs; empty: all classes.
    classes: Arc<[i32]>,
    /// Whether `nvdsosd` gets arrows to draw.
    pub display_arrows: bool,
}

impl Default for DeepStream {
    fn default() -> Self {
        Self { unique_id: UNIQUE_ID, component: -1, classes: Arc::from([]), display_arrows: false }
    }
}

/// The properties, as a part of the element's table.
pub(super) fn properties() -> Vec<P> {
    vec![
        P::number("unique-id", 0..=u32::MAX, |s| &mut s.unique_id)
            .nick("Unique ID")
            .blurb("ID that gazeinfer writes into DeepStream's metadata beside each gaze")
            .mutable_playing(),
        P::number("infer-on-gie-id", -1..=i32::MAX, |s| &mut s.component)
            .nick("Infer on GIE ID")
            .blurb(
                "DeepStream: take only objects of the detector with this unique-id as faces (-1 = \
                 any detector)",
            )
            .mutable_playing(),
        P::string(
            "infer-on-class-ids",
            |s| {
                let ids: Vec<_> = s.classes.iter().map(ToString::to_string).collect();
                (!ids.is_empty()).then(|| ids.join(":")).to_value()
            },
            |s, ids| {
                s.classes = class_ids(ids.unwrap_or_default())?;
                Ok(())
            },
        )
        .nick("Infer on class IDs")
        .blurb("DeepStream: take only objects of these classes as faces, e.g. 0:2 (unset = all)")
        .mutable_playing(),
        P::flag("display-arrows", |s| &mut s.display_arrows)
            .nick("Display arrows")
            .blurb("DeepStream: attach gaze arrows for nvdsosd to draw (NvDsDisplayMeta)")
            .mutable_playing(),
    ]
}

impl DeepStream {
    /// Whether an object is a face.
    pub fn wants(&self, component: i32, class: i32) -> bool {
        (self.component < 0 || self.component == component)
            && (self.classes.is_empty() || self.classes.contains(&class))
    }
}

/// Numbers with a colon (nvinfer's property) or a semicolon (its file) between them.
pub(super) fn class_ids(text: &str) -> Result<Arc<[i32]>, String> {
    text.split([':', ';'])
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(|id| {
            let number = id.parse::<i32>().ok().filter(|id| *id >= 0);
            number.ok_or_else(|| format!("'{id}' is not a class ID; write numbers such as 0:2"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::property::Table;

    #[test]
    fn objects_are_chosen_by_detector_and_class() {
        gst::init().unwrap();
        let table = Table::new(properties());
        let set = |s: &mut DeepStream, name, value: glib::Value| table.set(s, name, &value);
        let mut deepstream = DeepStream::default();
        assert!(deepstream.wants(1, 2));
        set(&mut deepstream, "infer-on-class-ids", "0;2;".to_value()).unwrap();
        assert!(deepstream.wants(1, 2) && !deepstream.wants(1, 1));
        set(&mut deepstream, "infer-on-gie-id", 4i32.to_value()).unwrap();
        assert!(deepstream.wants(4, 2) && !deepstream.wants(1, 2));
        assert!(set(&mut deepstream, "infer-on-class-ids", "0;x".to_value()).is_err());
        let ids = table.get(&mut deepstream, "infer-on-class-ids");
        assert_eq!(ids.unwrap().get::<&str>(), Ok("0:2"));
    }
}
