//! Face regions from anybody's metadata.
//!
//! Looked for in this order: GstAnalytics object detections (feature `v1_24`),
//! `GstVideoRegionOfInterestMeta`. The first kind that is there is the one that counts.

use gst_video::VideoRegionOfInterestMeta;

use super::faces::{self, FoundFaces};
use super::structure::number;
use crate::core::face::{EyeCorners, FaceRegion};
use crate::core::gaze::GazeEstimate;
use crate::core::geometry::{HeadPose, Point, Rect, Size};

/// A region, and which metadata it came from (results are put back there).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourcedRegion {
    /// The face.
    pub face: FaceRegion,
    /// Where it came from.
    pub origin: Origin,
}

/// The metadata a region came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A `GstVideoRegionOfInterestMeta` with this id; there may be several with the same.
    Roi {
        /// Position among the regions of the buffer.
        index: usize,
    },
    /// A GstAnalytics object detection with this id within its relation metadata.
    #[cfg(feature = "v1_24")]
    Analytics {
        /// Id of the object detection.
        id: u32,
    },
    /// One of DeepStream's objects.
    Object {
        /// Position among the objects of its frame.
        position: usize,
    },
    /// Nobody's: the frame, or the fixed region.
    Frame,
}

/// Reads regions, reusing its memory.
#[derive(Debug, Default)]
pub struct RegionReader {
    found: FoundFaces,
}

impl RegionReader {
    /// Appends the buffer's faces to `out`; regions of another class than `class` are left out
    /// (an empty `class` takes all). Returns whether a detector looked at this frame at all.
    pub fn read(
        &mut self,
        buffer: &gst::BufferRef,
        size: Size,
        class: &str,
        out: &mut Vec<SourcedRegion>,
    ) -> bool {
        let looked = faces::read_into(buffer, &mut self.found);
        #[cfg(feature = "v1_24")]
        let looked = super::analytics::read(buffer, class, out) || looked;
        if !out.is_empty() {
            // Objects are whole pixels, and have neither our landmarks nor our ids.
            out.iter_mut().for_each(|region| self.details(None, size, &mut region.face));
            return true;
        }
        let mut any = false;
        for (index, roi) in buffer.iter_meta::<VideoRegionOfInterestMeta>().enumerate() {
            any = true;
            if !class.is_empty() && !roi.roi_type().eq_ignore_ascii_case(class) {
                continue;
            }
            let (x, y, w, h) = roi.rect();
            let mut face = FaceRegion {
                rect: Rect::new(x as f32, y as f32, w as f32, h as f32),
                ..Default::default()
            };
            parameters(&roi, &mut face);
            self.details(Some(roi.id()), size, &mut face);
            out.push(SourcedRegion { face, origin: Origin::Roi { index } });
        }
        any || looked
    }

    /// What `gazeface` noted of a region: the exact box, and what parameters lost. Found by the
    /// region's id, or by its place where it has none.
    fn details(&self, id: Option<i32>, size: Size, face: &mut FaceRegion) {
        let from = self.found.size;
        let at = |noted: &FaceRegion| {
            // Regions are cut at the frame's edge and rounded, and an element that knows what it
            // does may have moved them.
            let exact = noted.rect.rescaled(from, size);
            let seen = exact.intersect(&Rect::full(size));
            let near = |a: f32, b: f32| (a - b).abs() <= 2.0;
            let same = near(seen.x, face.rect.x)
                && near(seen.y, face.rect.y)
                && near(seen.right(), face.rect.right())
                && near(seen.bottom(), face.rect.bottom());
            same.then_some(exact)
        };
        let noted = self.found.faces.iter().find(|(noted, face)| match id {
            Some(id) => *noted == id,
            None => at(face).is_some(),
        });
        let Some((_, noted)) = noted else { return };
        let exact = at(noted);
        let noted = noted.rescaled(from, size);
        if let Some(exact) = exact {
            face.rect = exact;
        }
        face.confidence = face.confidence.or(noted.confidence);
        face.track_id = face.track_id.or(noted.track_id);
        face.head_pose = face.head_pose.or(noted.head_pose);
        face.landmarks = face.landmarks.or(noted.landmarks);
        face.eyes = face.eyes.or(noted.eyes);
        face.eye_openness = face.eye_openness.or(noted.eye_openness);
    }
}

/// Reads the region parameters that are known: `detection` (`confidence`), `object_id` (`id`, as
/// DL Streamer's tracker writes it), and as `gazeface` writes them `landmarks`, `head-pose` (`pitch`,
/// `yaw` and `roll` in radians, with the signs of [`HeadPose`]), `eyes` and `eye-openness`.
fn parameters(roi: &VideoRegionOfInterestMeta, face: &mut FaceRegion) {
    for s in roi.params() {
        match s.name().as_str() {
            "detection" => face.confidence = number(s, "confidence"),
            OBJECT_ID => {
                face.track_id = s.get::<i32>("id").ok().and_then(|id| u64::try_from(id).ok());
            }
            "head-pose" => {
                if let (Some(pitch), Some(yaw)) = (number(s, "pitch"), number(s, "yaw")) {
                    let roll = number(s, "roll").unwrap_or(0.0);
                    face.head_pose = Some(HeadPose { pitch, yaw, roll });
                }
            }
            LANDMARKS => face.landmarks = points_from(s, &POINTS),
            EYES => {
                face.eyes = points_from(s, &CORNERS).map(|[a, b, c, d]| {
                    [EyeCorners { outer: a, inner: b }, EyeCorners { outer: d, inner: c }]
                });
            }
            OPENNESS => {
                face.eye_openness = number(s, "right").zip(number(s, "left")).map(Into::into)
            }
            _ => {}
        }
    }
}

/// Name of the region parameter that holds the track id, which DL Streamer reads and writes too.
const OBJECT_ID: &str = "object_id";

/// Name of the region parameter that holds five points.
const LANDMARKS: &str = "landmarks";

/// Fields of the parameter `landmarks`, in the order of
/// [`Landmarks5`](crate::core::face::Landmarks5).
const POINTS: [(&str, &str); 5] = [
    ("right-eye-x", "right-eye-y"),
    ("left-eye-x", "left-eye-y"),
    ("nose-x", "nose-y"),
    ("mouth-right-x", "mouth-right-y"),
    ("mouth-left-x", "mouth-left-y"),
];

/// Name of the region parameter that holds the corners of the eyes.
const EYES: &str = "eyes";

/// Fields of the parameter `eyes`, from the image's left to its right; `right` is the subject's, as
/// in the parameter `landmarks`.
const CORNERS: [(&str, &str); 4] = [
    ("right-outer-x", "right-outer-y"),
    ("right-inner-x", "right-inner-y"),
    ("left-inner-x", "left-inner-y"),
    ("left-outer-x", "left-outer-y"),
];

/// Name of the region parameter that says how far the eyes are open: `right` and `left` (the
/// subject's), 0..1.
const OPENNESS: &str = "eye-openness";

fn points_from<const N: usize>(
    s: &gst::StructureRef,
    names: &[(&str, &str); N],
) -> Option<[Point; N]> {
    let mut points = [Point::default(); N];
    for (point, (x, y)) in points.iter_mut().zip(names) {
        point.x = number(s, x)?;
        point.y = number(s, y)?;
    }
    Some(points)
}

fn add_points(
    roi: &mut gst::MetaRefMut<'_, VideoRegionOfInterestMeta, gst::meta::Standalone>,
    name: &str,
    points: &[Point],
    names: &[(&str, &str)],
) {
    let mut s = gst::Structure::new_empty(name);
    for (point, (x, y)) in points.iter().zip(names) {
        s.set(*x, f64::from(point.x));
        s.set(*y, f64::from(point.y));
    }
    roi.add_param(s);
}

/// Attaches `face` as a region of interest of type `class`, its details as parameters.
pub fn add_roi(buffer: &mut gst::BufferRef, class: &str, id: i32, face: &FaceRegion, size: Size) {
    // A region of interest is made of unsigned pixels, so what leaves the frame is cut off.
    let inside = face.rect.intersect(&Rect::full(size));
    if inside.is_empty() {
        return;
    }
    let edge = |v: f32| v.round() as u32;
    let (x, y) = (edge(inside.x), edge(inside.y));
    let rect = (x, y, edge(inside.right()) - x, edge(inside.bottom()) - y);
    let mut roi = VideoRegionOfInterestMeta::add(buffer, class, rect);
    roi.set_id(id);
    if let Some(confidence) = face.confidence {
        roi.add_param(
            gst::Structure::builder("detection").field("confidence", f64::from(confidence)).build(),
        );
    }
    if let Some(id) = face.track_id.and_then(|id| i32::try_from(id).ok()) {
        roi.add_param(gst::Structure::builder(OBJECT_ID).field("id", id).build());
    }
    if let Some(points) = &face.landmarks {
        add_points(&mut roi, LANDMARKS, points, &POINTS);
    }
    if let Some([left, right]) = &face.eyes {
        let points = [left.outer, left.inner, right.inner, right.outer];
        add_points(&mut roi, EYES, &points, &CORNERS);
    }
    if let Some([right, left]) = face.eye_openness {
        roi.add_param(
            gst::Structure::builder(OPENNESS)
                .field("right", f64::from(right))
                .field("left", f64::from(left))
                .build(),
        );
    }
    if let Some(HeadPose { pitch, yaw, roll }) = face.head_pose {
        roi.add_param(
            gst::Structure::builder("head-pose")
                .field("pitch", f64::from(pitch))
                .field("yaw", f64::from(yaw))
                .field("roll", f64::from(roll))
                .build(),
        );
    }
}

/// Puts the gaze of one face back on the metadata that it came from, as a courtesy to neighbours
/// (`GazeMeta` is the truth): the parameter `gaze` with `pitch`, `yaw` (radians) and `age`.
pub fn annotate(buffer: &mut gst::BufferRef, origin: Origin, estimate: &GazeEstimate) {
    let Some(gaze) = estimate.gaze else { return };
    match origin {
        Origin::Roi { index } => {
            let mut rois = buffer.iter_meta_mut::<VideoRegionOfInterestMeta>();
            if let Some(mut roi) = rois.nth(index) {
                roi.add_param(
                    gst::Structure::builder("gaze")
                        .field("pitch", f64::from(gaze.pitch))
                        .field("yaw", f64::from(gaze.yaw))
                        .field("age", estimate.age)
                        .build(),
                );
            }
        }
        #[cfg(feature = "v1_24")]
        Origin::Analytics { id } => super::analytics::relate(buffer, id, gaze),
        // DeepStream's metadata is not the buffer's own; the batch puts the gaze there.
        Origin::Object { .. } | Origin::Frame => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::Gaze;

    const SIZE: Size = Size::new(640, 480);

    fn face() -> FaceRegion {
        FaceRegion {
            rect: Rect::new(100.4, 50.6, 80.25, 90.5),
            confidence: Some(0.5),
            track_id: Some(7),
            landmarks: Some([Point { x: 120.5, y: 80.25 }; 5]),
            head_pose: Some(HeadPose { pitch: 0.5, yaw: 0.25, roll: -0.125 }),
            eyes: Some([
                EyeCorners { outer: Point { x: 1.0, y: 2.0 }, inner: Point { x: 3.0, y: 4.0 } },
                EyeCorners { outer: Point { x: 7.0, y: 8.0 }, inner: Point { x: 5.0, y: 6.0 } },
            ]),
            eye_openness: Some([0.25, 1.0]),
        }
    }

    fn read(buffer: &gst::BufferRef, class: &str) -> (bool, Vec<SourcedRegion>) {
        let mut out = Vec::new();
        let looked = RegionReader::default().read(buffer, SIZE, class, &mut out);
        (looked, out)
    }

    #[test]
    fn a_region_and_its_parameters() {
        gst::init().unwrap();
        super::super::register();
        let mut buffer = gst::Buffer::new();
        assert_eq!(read(&buffer, "face"), (false, vec![]));
        add_roi(buffer.get_mut().unwrap(), "face", 3, &face(), SIZE);
        let (looked, regions) = read(&buffer, "face");
        assert!(looked);
        let found = regions[0].face;
        assert_eq!(found.rect, Rect::new(100.0, 51.0, 81.0, 90.0));
        assert_eq!(found.landmarks, face().landmarks);
        assert_eq!(found.track_id, Some(7));
        assert_eq!(found.head_pose, face().head_pose);
        assert_eq!((found.eyes, found.eye_openness), (face().eyes, face().eye_openness));
        assert_eq!(read(&buffer, "person"), (true, vec![]));
        assert_eq!(read(&buffer, "").1.len(), 1);
    }

    #[test]
    fn gazeface_notes_restore_what_the_region_lost() {
        gst::init().unwrap();
        super::super::register();
        let mut buffer = gst::Buffer::new();
        let writable = buffer.get_mut().unwrap();
        VideoRegionOfInterestMeta::add(writable, "face", (100, 51, 81, 90)).set_id(3);
        faces::add(writable, SIZE, &[(3, face())]).unwrap();
        assert_eq!(read(&buffer, "face").1[0].face, face());
    }

    #[test]
    fn looked_and_found_nothing() {
        gst::init().unwrap();
        super::super::register();
        let mut buffer = gst::Buffer::new();
        faces::add(buffer.get_mut().unwrap(), SIZE, &[]).unwrap();
        assert_eq!(read(&buffer, "face"), (true, vec![]));
    }

    #[test]
    fn the_gaze_goes_back_to_its_region() {
        gst::init().unwrap();
        super::super::register();
        let mut buffer = gst::Buffer::new();
        let writable = buffer.get_mut().unwrap();
        add_roi(writable, "cat", 1, &face(), SIZE);
        add_roi(writable, "face", 2, &face(), SIZE);
        let origin = read(&buffer, "face").1[0].origin;
        let estimate =
            GazeEstimate { gaze: Some(Gaze::new(0.5, -0.25)), ..GazeEstimate::default() };
        annotate(buffer.get_mut().unwrap(), origin, &estimate);
        let rois: Vec<_> = buffer.iter_meta::<VideoRegionOfInterestMeta>().collect();
        assert!(rois[0].param("gaze").is_none());
        let gaze = rois[1].param("gaze").unwrap();
        assert_eq!(gaze.get::<f64>("pitch"), Ok(0.5));
        assert_eq!(gaze.get::<f64>("yaw"), Ok(-0.25));
    }
}
