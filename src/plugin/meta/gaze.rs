//! `GazeMeta`: the gaze of each face of a frame.
//!
//! | field | type | meaning |
//! |---|---|---|
//! | `width`, `height` | int | size of the frame that the boxes refer to |
//! | `faces` | GstValueArray of GstStructure `face` | empty if no face was found |
//! | `model` | string | name of the model |
//! | `source-id` | uint | slot of the batch; 0 outside batches |
//! | `inference-time` | uint64 | nanoseconds from pixels to the last angle |
//!
//! | field of `face` | type | meaning |
//! |---|---|---|
//! | `x y w h` | double | box, pixels of that frame |
//! | `pitch yaw` | double | radians; absent if the model gave no finite number |
//! | `confidence` | double | 0..1; absent if the model gives none |
//! | `detection-confidence` | double | 0..1, score of the detector; absent if unknown |
//! | `track-id` | uint64 | absent if unknown |
//! | `age` | uint | frames since the last inference of this face; 0 is this frame |
//! | `landmarks` | GstValueArray of 10 double | x and y of eyes, nose, mouth corners; may be absent |
//! | `eyes` | GstValueArray of 8 double | x and y of the eye corners, from the image's left to its right: outer, inner, inner, outer; may be absent |
//! | `eye-openness` | GstValueArray of 2 double | 0..1, closed to open: the eye on the image's left, then the one on its right; may be absent |
//! | `head-pitch head-yaw head-roll` | double | radians; may be absent |
//! | `origin-x origin-y origin-z` | double | mm, camera coordinates; may be absent |

use std::ops::ControlFlow;

use gst::buffer::BufferMetaForeachAction;
use gst::meta::CustomMeta;

use super::{c_strings, custom, structure};
use crate::core::gaze::{FrameGaze, GazeEstimate};
use crate::core::geometry::Gaze;

/// The registered name of the metadata.
pub const NAME: &str = "GazeMeta";

/// Puts `frame` on the buffer, in place of a GazeMeta that is there already.
pub fn add(buffer: &mut gst::BufferRef, frame: &FrameGaze) -> Result<(), glib::BoolError> {
    replace(buffer, frame, |_| ())
}

/// As [`add`]; calls `replaced` with the model of a GazeMeta that is there already.
pub fn replace(
    buffer: &mut gst::BufferRef,
    frame: &FrameGaze,
    replaced: impl FnOnce(&str),
) -> Result<(), glib::BoolError> {
    let mut meta = custom::add_or_clear(buffer, NAME, |present| {
        replaced(&c_strings::of_field(present, "model").unwrap_or_default());
    })?;
    write(meta.mut_structure(), frame);
    Ok(())
}

/// Puts one GazeMeta for each frame of a batch on the buffer, in place of those that are there
/// already.
pub fn add_batch<'a>(
    buffer: &mut gst::BufferRef,
    frames: impl IntoIterator<Item = &'a FrameGaze>,
) -> Result<(), glib::BoolError> {
    replace_batch(buffer, frames, |_| ())
}

/// As [`add_batch`]; calls `replaced` with the model of each GazeMeta that is there already.
pub fn replace_batch<'a>(
    buffer: &mut gst::BufferRef,
    frames: impl IntoIterator<Item = &'a FrameGaze>,
    mut replaced: impl FnMut(&str),
) -> Result<(), glib::BoolError> {
    buffer.foreach_meta_mut(|meta| {
        let present = meta.try_as_custom_meta().filter(|meta| meta.has_name(NAME));
        if let Some(present) = present {
            replaced(&c_strings::of_field(present.structure(), "model").unwrap_or_default());
        }
        let ours = present.is_some();
        let action =
            if ours { BufferMetaForeachAction::Remove } else { BufferMetaForeachAction::Keep };
        ControlFlow::Continue(action)
    });
    for frame in frames {
        write(CustomMeta::add(buffer, NAME)?.mut_structure(), frame);
    }
    Ok(())
}

/// Reads the GazeMeta of each frame of a batch, in order.
pub fn read_batch(buffer: &gst::BufferRef) -> impl Iterator<Item = FrameGaze> {
    buffer.iter_meta::<gst::Meta>().filter_map(|meta| {
        let meta = meta.try_as_custom_meta().filter(|meta| meta.has_name(NAME))?;
        parse(meta.structure())
    })
}

/// Reads the GazeMeta of a buffer, the first one of a batch; `None` without one.
pub fn read(buffer: &gst::BufferRef) -> Option<FrameGaze> {
    parse(CustomMeta::from_buffer(buffer, NAME).ok()?.structure())
}

/// Whether the buffer carries a GazeMeta, readable or not.
pub fn is_on(buffer: &gst::BufferRef) -> bool {
    CustomMeta::from_buffer(buffer, NAME).is_ok()
}

/// Returns the same fields as a structure of their own, for bus messages.
pub fn to_structure(name: &str, frame: &FrameGaze) -> gst::Structure {
    let mut s = gst::Structure::new_empty(name);
    write(&mut s, frame);
    s
}

fn write(s: &mut gst::StructureRef, frame: &FrameGaze) {
    structure::set_size(s, frame.size);
    structure::set_faces(s, frame.faces.iter().map(from_estimate));
    s.set("model", frame.model.as_str());
    s.set("source-id", frame.source_id);
    s.set("inference-time", frame.inference_time);
}

/// The inverse of [`to_structure`]; `None` without a frame size. Reads the first
/// [`MAX_FACES`](super::MAX_FACES) faces; a field that is absent or has another type counts as unknown,
/// and a face without a box is left out.
pub fn parse(s: &gst::StructureRef) -> Option<FrameGaze> {
    let mut faces = Vec::new();
    structure::for_each_face(s, |face| faces.extend(to_estimate(face)));
    Some(FrameGaze {
        size: structure::size(s)?,
        faces,
        model: c_strings::of_field(s, "model").unwrap_or_default().into_owned(),
        source_id: s.get("source-id").unwrap_or_default(),
        inference_time: s.get("inference-time").unwrap_or_default(),
    })
}

fn from_estimate(face: &GazeEstimate) -> gst::Structure {
    let mut s = structure::from_region(&face.region);
    // In this meta `confidence` belongs to the gaze; `detection-confidence` is the detector's score.
    s.remove_field("confidence");
    if let Some(confidence) = face.region.confidence {
        s.set("detection-confidence", f64::from(confidence));
    }
    if let Some(confidence) = face.confidence {
        s.set("confidence", f64::from(confidence));
    }
    if let Some(Gaze { pitch, yaw }) = face.gaze.filter(|gaze| gaze.is_finite()) {
        s.set("pitch", f64::from(pitch));
        s.set("yaw", f64::from(yaw));
    }
    s.set("age", face.age);
    if let Some([x, y, z]) = face.origin {
        s.set("origin-x", f64::from(x));
        s.set("origin-y", f64::from(y));
        s.set("origin-z", f64::from(z));
    }
    s
}

fn to_estimate(s: &gst::StructureRef) -> Option<GazeEstimate> {
    let mut region = structure::to_region(s)?;
    region.confidence = structure::number(s, "detection-confidence");
    let number = |name| structure::number(s, name);
    Some(GazeEstimate {
        gaze: number("pitch").zip(number("yaw")).map(|(pitch, yaw)| Gaze::new(pitch, yaw)),
        confidence: number("confidence"),
        age: s.get("age").unwrap_or_default(),
        origin: match (number("origin-x"), number("origin-y"), number("origin-z")) {
            (Some(x), Some(y), Some(z)) => Some([x, y, z]),
            _ => None,
        },
        region,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::face::{EyeCorners, FaceRegion};
    use crate::core::geometry::{HeadPose, Point, Rect, Size};

    fn full_frame() -> FrameGaze {
        let region = FaceRegion {
            rect: Rect::new(-3.5, 10.25, 100.0, 120.0),
            confidence: Some(0.75),
            track_id: Some(u64::MAX),
            landmarks: Some([Point { x: 1.5, y: 2.5 }; 5]),
            head_pose: Some(HeadPose { pitch: 0.5, yaw: -0.25, roll: 0.125 }),
            eyes: Some([
                EyeCorners { outer: Point { x: 1.0, y: 2.0 }, inner: Point { x: 3.0, y: 4.0 } },
                EyeCorners { outer: Point { x: 7.0, y: 8.0 }, inner: Point { x: 5.0, y: 6.0 } },
            ]),
            eye_openness: Some([0.25, 1.0]),
        };
        FrameGaze {
            size: Size::new(640, 480),
            faces: vec![
                GazeEstimate {
                    region,
                    gaze: Some(Gaze::new(0.25, -0.5)),
                    confidence: Some(0.5),
                    age: 3,
                    origin: Some([1.0, 2.0, 600.0]),
                },
                GazeEstimate::default(),
            ],
            model: "mobilegaze".into(),
            source_id: 4,
            inference_time: 12_345_678,
        }
    }

    #[test]
    fn every_field_survives_a_round_trip() {
        gst::init().unwrap();
        super::super::register();
        let frame = full_frame();
        let mut buffer = gst::Buffer::new();
        assert_eq!(read(&buffer), None);
        add(buffer.get_mut().unwrap(), &frame).unwrap();
        assert_eq!(read(&buffer), Some(frame));
    }

    #[test]
    fn a_second_one_replaces_the_first() {
        gst::init().unwrap();
        super::super::register();
        let mut buffer = gst::Buffer::new();
        add(buffer.get_mut().unwrap(), &full_frame()).unwrap();
        let empty = FrameGaze { size: Size::new(32, 16), ..Default::default() };
        add(buffer.get_mut().unwrap(), &empty).unwrap();
        assert_eq!(read(&buffer), Some(empty));
    }

    #[test]
    fn a_batch_has_one_for_each_frame() {
        gst::init().unwrap();
        super::super::register();
        let frame = |source_id| FrameGaze { source_id, ..full_frame() };
        let mut buffer = gst::Buffer::new();
        for sources in [vec![3, 0, 7], vec![1]] {
            let frames: Vec<_> = sources.into_iter().map(frame).collect();
            add_batch(buffer.get_mut().unwrap(), &frames).unwrap();
            assert!(read_batch(&buffer).eq(frames.iter().cloned()));
            assert_eq!(read(&buffer).as_ref(), frames.first());
        }
    }

    #[test]
    fn a_gaze_that_is_not_finite_is_absent() {
        gst::init().unwrap();
        let mut frame = full_frame();
        frame.faces[0].gaze = Some(Gaze::new(f32::NAN, 0.0));
        let back = parse(&to_structure("gaze", &frame)).unwrap();
        assert_eq!(back.faces[0].gaze, None);
    }
}
