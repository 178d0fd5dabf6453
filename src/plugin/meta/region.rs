//! Face regions from the metadata of any detector.
//!
//! The reader takes the first kind of metadata that the buffer has: GstAnalytics object detections
//! (feature `v1_24`), then `GstVideoRegionOfInterestMeta`.

use gst_video::VideoRegionOfInterestMeta;

use super::c_strings;
use super::class_watch::ClassWatch;
use super::faces::{self, GazeFaces};
use super::input_region::{InputRegion, MetaHandle};
use super::structure::number;
use crate::core::face::{EyeCorners, FaceRegion};
use crate::core::gaze::GazeEstimate;
use crate::core::geometry::{HeadPose, Point, Rect, Size};

/// A region that overlaps the face of the same id by less (IoU) belongs to another face: ids of
/// different writers may coincide. gazeface's own regions lie on their faces to a pixel.
const SAME_FACE_IOU: f32 = 0.3;

/// Reads regions and reuses its memory.
#[derive(Debug, Default)]
pub struct RegionReader {
    gaze_faces: GazeFaces,
    /// Which classes arrive.
    pub classes: ClassWatch,
    /// Whether the last frame had the mark of `gazeface`.
    pub marked: bool,
}

impl RegionReader {
    /// Appends the regions of class `class` to `out`; an empty `class` takes all regions. Returns
    /// whether a detector processed this frame.
    pub fn read(
        &mut self,
        buffer: &gst::BufferRef,
        size: Size,
        class: &str,
        out: &mut Vec<InputRegion>,
    ) -> bool {
        self.classes.begin(class);
        let detector_ran = faces::read_into(buffer, &mut self.gaze_faces);
        self.marked = detector_ran;
        #[cfg(feature = "v1_24")]
        let detector_ran =
            super::analytics::read(buffer, class, &mut self.classes, out) || detector_ran;
        if !out.is_empty() {
            // Objects have boxes of whole pixels, no landmarks and no region ids.
            out.iter_mut().for_each(|region| self.restore_details(None, size, &mut region.face));
            return true;
        }
        let mut any = false;
        for (index, roi) in buffer.iter_meta::<VideoRegionOfInterestMeta>().enumerate() {
            any = true;
            let name = c_strings::region_type(&roi);
            if !class.is_empty() && !name.as_ref().is_some_and(|n| n.eq_ignore_ascii_case(class)) {
                self.classes.other(name.as_deref());
                continue;
            }
            self.classes.matched();
            let (x, y, w, h) = roi.rect();
            let mut face = FaceRegion {
                rect: Rect::new(x as f32, y as f32, w as f32, h as f32),
                ..Default::default()
            };
            read_parameters(&roi, &mut face);
            self.restore_details(Some(roi.id()), size, &mut face);
            out.push(InputRegion { face, meta: MetaHandle::Roi { index } });
        }
        any || detector_ran
    }

    /// Restores from `GazeFaces` the exact box of a region and the parameters that got lost. The
    /// region's id and place find the face; the place alone finds that of a region without an id.
    fn restore_details(&self, id: Option<i32>, size: Size, face: &mut FaceRegion) {
        let from = self.gaze_faces.size;
        // Regions are rounded and clipped to the frame, and another element may have moved them.
        let seen =
            |noted: &FaceRegion| noted.rect.rescaled(from, size).intersect(&Rect::full(size));
        let is_exact = |noted: &FaceRegion| {
            let seen = seen(noted);
            let near = |a: f32, b: f32| (a - b).abs() <= 2.0;
            near(seen.x, face.rect.x)
                && near(seen.y, face.rect.y)
                && near(seen.right(), face.rect.right())
                && near(seen.bottom(), face.rect.bottom())
        };
        let is_same = |(noted_id, noted): &&(i32, FaceRegion)| match id {
            Some(id) => {
                *noted_id == id && (is_exact(noted) || seen(noted).iou(&face.rect) >= SAME_FACE_IOU)
            }
            None => is_exact(noted),
        };
        let Some((_, noted)) = self.gaze_faces.faces.iter().find(is_same) else { return };
        let exact = is_exact(noted);
        let noted = noted.rescaled(from, size);
        if exact {
            face.rect = noted.rect;
        }
        face.confidence = face.confidence.or(noted.confidence);
        face.track_id = face.track_id.or(noted.track_id);
        face.head_pose = face.head_pose.or(noted.head_pose);
        face.landmarks = face.landmarks.or(noted.landmarks);
        face.eyes = face.eyes.or(noted.eyes);
        face.eye_openness = face.eye_openness.or(noted.eye_openness);
    }
}

/// Reads the known parameters of a region: `detection` (`confidence`), `object_id` (`id`, as
/// DL Streamer's tracker writes it), and as `gazeface` writes them `landmarks`, `head-pose` (`pitch`,
/// `yaw` and `roll` in radians, with the signs of [`HeadPose`]), `eyes` and `eye-openness`.
fn read_parameters(roi: &VideoRegionOfInterestMeta, face: &mut FaceRegion) {
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
            LANDMARKS => face.landmarks = read_points(s, &POINTS),
            EYES => {
                face.eyes = read_points(s, &CORNERS).map(|[a, b, c, d]| {
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

/// The region parameter with the track id, which DL Streamer reads and writes too.
const OBJECT_ID: &str = "object_id";

/// The region parameter with five points.
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

/// The region parameter with the eye corners.
const EYES: &str = "eyes";

/// Fields of the parameter `eyes`, from the image's left to its right; `right` is the subject's, as
/// in the parameter `landmarks`.
const CORNERS: [(&str, &str); 4] = [
    ("right-outer-x", "right-outer-y"),
    ("right-inner-x", "right-inner-y"),
    ("left-inner-x", "left-inner-y"),
    ("left-outer-x", "left-outer-y"),
];

/// The region parameter with the eye openness: `right` and `left` (the subject's), 0..1.
const OPENNESS: &str = "eye-openness";

fn read_points<const N: usize>(
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

/// Attaches `face` as a region of interest of type `class`, with its details as parameters.
pub fn add_roi(buffer: &mut gst::BufferRef, class: &str, id: i32, face: &FaceRegion, size: Size) {
    // A region of interest has unsigned pixels, so the box is clipped to the frame.
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

/// Adds the gaze of one face to the metadata of its region, for other elements: the parameter `gaze`
/// with `pitch`, `yaw` (radians) and `age`. `GazeMeta` remains the reference.
pub fn annotate(buffer: &mut gst::BufferRef, meta: MetaHandle, estimate: &GazeEstimate) {
    annotate_all(buffer, [(meta, estimate)]);
}

/// As [`annotate`], for the faces of a frame in the order in which they were read: one walk along the
/// regions of the buffer, which may have thousands.
pub fn annotate_all<'a>(
    buffer: &mut gst::BufferRef,
    faces: impl IntoIterator<Item = (MetaHandle, &'a GazeEstimate), IntoIter: Clone>,
) {
    let faces = faces.into_iter();
    let with_gaze = || faces.clone().filter_map(|(meta, face)| Some((meta, face.gaze?, face.age)));
    let mut rois = buffer.iter_meta_mut::<VideoRegionOfInterestMeta>();
    let mut next = 0;
    for (meta, gaze, age) in with_gaze() {
        let MetaHandle::Roi { index } = meta else { continue };
        let Some(mut roi) = index.checked_sub(next).and_then(|ahead| rois.nth(ahead)) else {
            continue;
        };
        next = index + 1;
        roi.add_param(
            gst::Structure::builder("gaze")
                .field("pitch", f64::from(gaze.pitch))
                .field("yaw", f64::from(gaze.yaw))
                .field("age", age)
                .build(),
        );
    }
    #[cfg(feature = "v1_24")]
    for (meta, gaze, _) in with_gaze() {
        if let MetaHandle::Analytics { id } = meta {
            super::analytics::relate(buffer, id, gaze);
        }
    }
    // The batch writes to the metadata of DeepStream.
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

    fn read(buffer: &gst::BufferRef, class: &str) -> (bool, Vec<InputRegion>) {
        let mut out = Vec::new();
        let detector_ran = RegionReader::default().read(buffer, SIZE, class, &mut out);
        (detector_ran, out)
    }

    #[test]
    fn a_region_keeps_its_parameters() {
        gst::init().unwrap();
        super::super::register();
        let mut buffer = gst::Buffer::new();
        assert_eq!(read(&buffer, "face"), (false, vec![]));
        add_roi(buffer.get_mut().unwrap(), "face", 3, &face(), SIZE);
        let (detector_ran, regions) = read(&buffer, "face");
        assert!(detector_ran);
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
    fn gaze_faces_restore_what_the_region_lost() {
        gst::init().unwrap();
        super::super::register();
        let mut buffer = gst::Buffer::new();
        let writable = buffer.get_mut().unwrap();
        VideoRegionOfInterestMeta::add(writable, "face", (100, 51, 81, 90)).set_id(3);
        faces::add(writable, SIZE, &[(3, face())]).unwrap();
        assert_eq!(read(&buffer, "face").1[0].face, face());
    }

    #[test]
    fn an_empty_gaze_faces_means_no_faces() {
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
        let meta = read(&buffer, "face").1[0].meta;
        let estimate =
            GazeEstimate { gaze: Some(Gaze::new(0.5, -0.25)), ..GazeEstimate::default() };
        annotate(buffer.get_mut().unwrap(), meta, &estimate);
        let rois: Vec<_> = buffer.iter_meta::<VideoRegionOfInterestMeta>().collect();
        assert!(rois[0].param("gaze").is_none());
        let gaze = rois[1].param("gaze").unwrap();
        assert_eq!(gaze.get::<f64>("pitch"), Ok(0.5));
        assert_eq!(gaze.get::<f64>("yaw"), Ok(-0.25));
    }
}
