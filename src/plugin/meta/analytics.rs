//! GstAnalytics (GStreamer 1.24 and newer): reads object detections and relates gaze to them.
//!
//! GStreamer has no type for gaze, and only programs that link to this crate could read a new one.
//! So the gaze of an object is a classification with the two classes `gaze-pitch` and `gaze-yaw`,
//! whose levels are the angles in radians, contained in the object. C, Python and Rust read it with
//! GStreamer alone. `GazeMeta` remains the reference.

use std::sync::LazyLock;

use gst_analytics::prelude::*;
use gst_analytics::{AnalyticsODMtd, AnalyticsRelationMeta, AnalyticsTrackingMtd, RelTypes};

use super::c_strings;
use super::class_watch::ClassWatch;
use super::input_region::{InputRegion, MetaHandle};
use crate::core::face::FaceRegion;
use crate::core::geometry::{Gaze, Rect, Size};

/// The classes of a gaze, in the order of their levels.
static CLASSES: LazyLock<[glib::Quark; 2]> =
    LazyLock::new(|| ["gaze-pitch", "gaze-yaw"].map(glib::Quark::from_str));

/// Appends the objects of class `class` (all if empty). Returns whether there is any object, or metadata
/// without an entry, which a detector leaves that found nothing.
pub(super) fn read(
    buffer: &gst::BufferRef,
    class: &str,
    classes: &mut ClassWatch,
    out: &mut Vec<InputRegion>,
) -> bool {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else { return false };
    let mut any = meta.is_empty();
    for object in meta.iter::<AnalyticsODMtd>() {
        any = true;
        let label = object.obj_type().and_then(c_strings::quark_name);
        let named = label.as_ref().is_some_and(|label| label.eq_ignore_ascii_case(class));
        let Ok(location) = object.location() else { continue };
        if !class.is_empty() && !named {
            classes.other(label.as_deref());
            continue;
        }
        classes.matched();
        let track = meta
            .iter_direct_related::<AnalyticsTrackingMtd>(object.id(), RelTypes::ANY)
            .next()
            .map(|track| track.info().0);
        let rect =
            Rect::new(location.x as f32, location.y as f32, location.w as f32, location.h as f32);
        out.push(InputRegion {
            face: FaceRegion {
                rect,
                confidence: Some(location.loc_conf_lvl),
                track_id: track,
                ..FaceRegion::default()
            },
            meta: MetaHandle::Analytics { id: object.id() },
        });
    }
    any
}

/// Adds a face as an object of class `class`, with its track if it has one.
pub fn add(
    buffer: &mut gst::BufferRef,
    class: &str,
    face: &FaceRegion,
    size: Size,
) -> Result<(), glib::BoolError> {
    let rect = face.rect.intersect(&Rect::full(size));
    if rect.is_empty() {
        return Ok(());
    }
    let [x, y, w, h] = [rect.x, rect.y, rect.width, rect.height].map(|v| v.round() as i32);
    let confidence = face.confidence.unwrap_or(0.0);
    let mut meta = AnalyticsRelationMeta::add(buffer);
    let object = meta.add_od_mtd(glib::Quark::from_str(class), x, y, w, h, confidence)?.id();
    if let Some(track) = face.track_id {
        let track = meta.add_tracking_mtd(track, gst::ClockTime::ZERO)?.id();
        meta.set_relation(RelTypes::RELATE_TO, object, track)?;
    }
    Ok(())
}

/// Relates a gaze to its object. Without room in the metadata, only `GazeMeta` has the gaze.
pub(super) fn relate(buffer: &mut gst::BufferRef, object: u32, gaze: Gaze) {
    let Some(mut meta) = buffer.meta_mut::<AnalyticsRelationMeta>() else { return };
    let id = match meta.add_cls_mtd(&[gaze.pitch, gaze.yaw], &*CLASSES) {
        Ok(gaze) => gaze.id(),
        Err(_) => return,
    };
    let _ = meta.set_relation(RelTypes::CONTAIN, object, id);
}

#[cfg(test)]
mod tests {
    use gst_analytics::AnalyticsClassificationMtd;

    use super::*;

    const SIZE: Size = Size::new(640, 480);

    /// Reads the gaze of an object as another program would.
    fn gaze_of(buffer: &gst::BufferRef, object: u32) -> Option<Gaze> {
        let meta = buffer.meta::<AnalyticsRelationMeta>()?;
        meta.iter_direct_related::<AnalyticsClassificationMtd>(object, RelTypes::CONTAIN)
            .find(|c| c.len() == 2 && c.quark(0) == CLASSES[0] && c.quark(1) == CLASSES[1])
            .map(|c| Gaze::new(c.level(0), c.level(1)))
    }

    #[test]
    fn an_object_gets_its_gaze() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        let face = FaceRegion {
            rect: Rect::new(100.0, 50.0, 80.0, 90.0),
            confidence: Some(0.5),
            track_id: Some(7),
            ..Default::default()
        };
        let writable = buffer.get_mut().unwrap();
        add(writable, "person", &face, SIZE).unwrap();
        add(writable, "face", &face, SIZE).unwrap();
        let mut found = Vec::new();
        assert!(read(&buffer, "face", &mut ClassWatch::default(), &mut found));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].face, face);
        let MetaHandle::Analytics { id } = found[0].meta else { panic!("not an object") };
        assert_eq!(gaze_of(&buffer, id), None);
        relate(buffer.get_mut().unwrap(), id, Gaze::new(0.5, -0.25));
        assert_eq!(gaze_of(&buffer, id), Some(Gaze::new(0.5, -0.25)));
        assert_eq!(gaze_of(&buffer, id - 2), None);
    }

    #[test]
    fn gaze_faces_restore_what_an_object_lost() {
        use super::super::faces;
        use super::super::region::RegionReader;
        use crate::core::geometry::Point;
        gst::init().unwrap();
        super::super::register();
        let mut buffer = gst::Buffer::new();
        let exact = FaceRegion {
            rect: Rect::new(-10.25, 50.4, 80.0, 90.0),
            confidence: Some(0.5),
            track_id: Some(7),
            landmarks: Some([Point { x: 20.5, y: 80.25 }; 5]),
            ..Default::default()
        };
        let writable = buffer.get_mut().unwrap();
        add(writable, "face", &exact, SIZE).unwrap();
        faces::add(writable, SIZE, &[(0, exact)]).unwrap();
        let mut found = Vec::new();
        assert!(RegionReader::default().read(&buffer, SIZE, "face", &mut found));
        assert_eq!(found[0].face, exact);
    }
}
