//! One frame as one line of JSON, for programs that read gaze.
//!
//! # Schema 1
//! One object for each frame, in one line that ends with `\n`; UTF-8.
//!
//! | key | type | says |
//! |---|---|---|
//! | `schema` | integer | 1; grows when a key changes its meaning or is removed |
//! | `frame` | integer | number of the frame, from 0 at the start of the writer; frames that were lost before the writer count too |
//! | `lost` | integer | frames that were lost before the writer so far; absent without any |
//! | `pts` | integer or null | presentation time stamp, nanoseconds; null where unknown |
//! | `running_time` | integer | nanoseconds since the stream began to play; may be absent |
//! | `source_id` | integer | number of the stream in a batch; 0 outside batches |
//! | `width`, `height` | integer | the frame that the boxes are measured in, pixels |
//! | `model` | string | name of the model |
//! | `inference_time_ns` | integer | from the frame's pixels to the last angle; 0 without inference |
//! | `latency_ns` | integer | from the frame's capture to this line; live streams only |
//! | `faces` | array | one object for each face; empty without a face |
//! | `attention` | object | the driver's attention ([`attention_object`](super::attention_object)); absent without `gazemonitor` |
//!
//! | key of a face | type | says |
//! |---|---|---|
//! | `box` | `{"x","y","w","h"}` | pixels of that frame, may leave it |
//! | `pitch`, `yaw` | number or null | radians; null where the model gave no finite number |
//! | `age` | integer | frames since the model last ran on this face; 0 is this frame |
//! | `confidence` | number | the gaze model's, 0..1; may be absent |
//! | `detection_confidence` | number | the detector's, 0..1; may be absent |
//! | `track_id` | integer | up to 2⁶⁴ - 1; may be absent |
//! | `head` | `{"pitch","yaw","roll"}` | pose of the head, radians; may be absent |
//! | `origin` | `[x, y, z]` | where the gaze starts, millimetres; may be absent |
//! | `landmarks` | `[[x, y], ...]` | right eye, left eye, nose, mouth corners; may be absent |
//! | `eyes` | `[[[x, y], [x, y]], ...]` | outer and inner corner of the eye on the image's left, then of the other; may be absent |
//! | `eye_openness` | `[number, number]` | 0 closed to 1 open, in the same order; may be absent |
//!
//! Angles have the signs of [`Gaze`]. Every number is finite; one that is
//! not becomes null or is left out. Angles are rounded to 6 digits (0.2 arc seconds), pixels and
//! millimetres to 2, confidences to 4. New keys may come without a new schema number: ignore unknown
//! keys.

use super::number::{ANGLE, LENGTH, SCORE, all_rounded, rounded};
use serde::{Serialize, Serializer};

use super::attention_object::AttentionObject;
use crate::core::face::region::EyeCorners;
use crate::core::gaze::estimate::{FrameGaze, GazeEstimate};
use crate::core::geometry::angles::{Gaze, HeadPose};
use crate::core::geometry::rect::{Point, Rect};
use crate::core::monitor::alarms::attention::Attention;

/// Number of the schema that [`write_line`] follows.
pub const SCHEMA: u32 = 1;

/// Number and time of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameStamp {
    /// Number of the frame.
    pub frame: u64,
    /// Frames that were lost so far; [`frame`](Self::frame) counts them too.
    pub lost: u64,
    /// Presentation time stamp in nanoseconds, where known.
    pub pts: Option<u64>,
    /// Running time in nanoseconds, where known.
    pub running_time: Option<u64>,
    /// Nanoseconds since the frame was captured, where the stream is live.
    pub latency: Option<u64>,
}

/// Writes the line of a frame, with its newline, to `line`. Reuses its memory, and allocates none once
/// it holds the longest line.
pub fn write_line(
    line: &mut Vec<u8>,
    stamp: FrameStamp,
    frame: &FrameGaze,
    attention: Option<&Attention>,
) -> Result<(), serde_json::Error> {
    line.clear();
    serde_json::to_writer(
        &mut *line,
        &FrameObject {
            schema: SCHEMA,
            frame: stamp.frame,
            lost: (stamp.lost > 0).then_some(stamp.lost),
            pts: stamp.pts,
            running_time: stamp.running_time,
            source_id: frame.source_id,
            width: frame.size.width,
            height: frame.size.height,
            model: &frame.model,
            inference_time_ns: frame.inference_time,
            latency_ns: stamp.latency,
            faces: FaceObjects(&frame.faces),
            attention: attention.map(AttentionObject::from),
        },
    )?;
    line.push(b'\n');
    Ok(())
}

#[derive(Serialize)]
struct FrameObject<'a> {
    schema: u32,
    frame: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<u64>,
    pts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    running_time: Option<u64>,
    source_id: u32,
    width: u32,
    height: u32,
    model: &'a str,
    inference_time_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ns: Option<u64>,
    faces: FaceObjects<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attention: Option<AttentionObject<'a>>,
}

struct FaceObjects<'a>(&'a [GazeEstimate]);

impl Serialize for FaceObjects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(FaceObject::from))
    }
}

#[derive(Serialize)]
struct FaceObject {
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    rect: Option<BoxObject>,
    pitch: Option<f64>,
    yaw: Option<f64>,
    age: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detection_confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<HeadObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<[f64; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    landmarks: Option<[[f64; 2]; 5]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eyes: Option<[[[f64; 2]; 2]; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eye_openness: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct BoxObject {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

#[derive(Serialize)]
struct HeadObject {
    pitch: f64,
    yaw: f64,
    roll: f64,
}

impl From<&GazeEstimate> for FaceObject {
    fn from(face: &GazeEstimate) -> Self {
        let gaze = face.gaze.filter(|gaze| gaze.is_finite());
        Self {
            rect: pixels_of(&face.region.rect),
            pitch: gaze.map(|Gaze { pitch, .. }| rounded(pitch, ANGLE)),
            yaw: gaze.map(|Gaze { yaw, .. }| rounded(yaw, ANGLE)),
            age: face.age,
            confidence: face.confidence.and_then(score),
            detection_confidence: face.region.confidence.and_then(score),
            track_id: face.region.track_id,
            head: face.region.head_pose.and_then(head_of),
            origin: face.origin.and_then(|origin| all_rounded(origin, LENGTH)),
            landmarks: face.region.landmarks.and_then(points_of),
            eyes: face.region.eyes.and_then(corners_of),
            eye_openness: face.region.eye_openness.and_then(|open| all_rounded(open, SCORE)),
        }
    }
}

fn pixels_of(rect: &Rect) -> Option<BoxObject> {
    all_rounded([rect.x, rect.y, rect.width, rect.height], LENGTH).map(|[x, y, w, h]| BoxObject {
        x,
        y,
        w,
        h,
    })
}

fn head_of(pose: HeadPose) -> Option<HeadObject> {
    all_rounded([pose.pitch, pose.yaw, pose.roll], ANGLE).map(|[pitch, yaw, roll]| HeadObject {
        pitch,
        yaw,
        roll,
    })
}

fn corners_of([left, right]: [EyeCorners; 2]) -> Option<[[[f64; 2]; 2]; 2]> {
    let eye = |eye: EyeCorners| points_of([eye.outer, eye.inner]);
    Some([eye(left)?, eye(right)?])
}

fn points_of<const N: usize>(points: [Point; N]) -> Option<[[f64; 2]; N]> {
    points
        .iter()
        .all(|p| p.x.is_finite() && p.y.is_finite())
        .then(|| points.map(|p| [rounded(p.x, LENGTH), rounded(p.y, LENGTH)]))
}

fn score(value: f32) -> Option<f64> {
    value.is_finite().then(|| rounded(value, SCORE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::face::FaceRegion;
    use crate::core::geometry::Size;

    fn text(stamp: FrameStamp, frame: &FrameGaze) -> String {
        let mut line = b"the line before".to_vec();
        write_line(&mut line, stamp, frame, None).unwrap();
        let text = String::from_utf8(line).unwrap();
        assert_eq!(text.find('\n'), Some(text.len() - 1), "one line: {text}");
        text.trim_end().to_owned()
    }

    fn frame_of(faces: Vec<GazeEstimate>) -> FrameGaze {
        FrameGaze {
            size: Size::new(640, 480),
            faces,
            model: "a \"b\"\n".into(),
            source_id: 2,
            inference_time: 1_500_000,
        }
    }

    /// The schema, with every optional value present in one face and absent in the other.
    #[test]
    fn golden() {
        let full = GazeEstimate {
            region: FaceRegion {
                rect: Rect::new(-3.5, 10.254, 100.0, 120.0),
                confidence: Some(0.75),
                track_id: Some(u64::MAX),
                landmarks: Some([Point { x: 1.5, y: 2.004 }; 5]),
                head_pose: Some(HeadPose { pitch: 0.5, yaw: -0.25, roll: 0.125 }),
                eyes: Some(
                    [EyeCorners {
                        outer: Point { x: 1.0, y: 2.0 },
                        inner: Point { x: 3.0, y: 4.0 },
                    }; 2],
                ),
                eye_openness: Some([0.5, 1.0]),
            },
            gaze: Some(Gaze::new(0.25, -0.1234567)),
            confidence: Some(0.87654),
            age: 3,
            origin: Some([1.0, -2.0, 600.126]),
        };
        let bare = GazeEstimate {
            region: FaceRegion { rect: Rect::new(0.0, 0.0, 8.0, 9.0), ..Default::default() },
            ..Default::default()
        };
        let stamp = FrameStamp {
            frame: 7,
            lost: 2,
            pts: Some(u64::MAX - 1),
            running_time: Some(40),
            latency: Some(25_000_000),
        };
        assert_eq!(
            text(stamp, &frame_of(vec![full, bare])),
            concat!(
                r#"{"schema":1,"frame":7,"lost":2,"pts":18446744073709551614,"running_time":40,"#,
                r#""source_id":2,"width":640,"height":480,"model":"a \"b\"\n","#,
                r#""inference_time_ns":1500000,"latency_ns":25000000,"faces":["#,
                r#"{"box":{"x":-3.5,"y":10.25,"w":100.0,"h":120.0},"pitch":0.25,"yaw":-0.123457,"#,
                r#""age":3,"confidence":0.8765,"detection_confidence":0.75,"#,
                r#""track_id":18446744073709551615,"#,
                r#""head":{"pitch":0.5,"yaw":-0.25,"roll":0.125},"origin":[1.0,-2.0,600.13],"#,
                r#""landmarks":[[1.5,2.0],[1.5,2.0],[1.5,2.0],[1.5,2.0],[1.5,2.0]],"#,
                r#""eyes":[[[1.0,2.0],[3.0,4.0]],[[1.0,2.0],[3.0,4.0]]],"#,
                r#""eye_openness":[0.5,1.0]},"#,
                r#"{"box":{"x":0.0,"y":0.0,"w":8.0,"h":9.0},"pitch":null,"yaw":null,"age":0}"#,
                r#"]}"#
            )
        );
    }

    #[test]
    fn a_frame_without_faces_and_time() {
        assert_eq!(
            text(FrameStamp::default(), &FrameGaze::default()),
            concat!(
                r#"{"schema":1,"frame":0,"pts":null,"source_id":0,"width":0,"height":0,"#,
                r#""model":"","inference_time_ns":0,"faces":[]}"#
            )
        );
    }

    #[test]
    fn numbers_that_are_not_finite_are_null_or_absent() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let wild = GazeEstimate {
                region: FaceRegion {
                    rect: Rect::new(bad, 0.0, 1.0, 1.0),
                    confidence: Some(bad),
                    landmarks: Some([Point { x: 1.0, y: bad }; 5]),
                    head_pose: Some(HeadPose { roll: bad, ..Default::default() }),
                    eyes: Some(
                        [EyeCorners { outer: Point { x: bad, y: 0.0 }, ..Default::default() }; 2],
                    ),
                    eye_openness: Some([0.0, bad]),
                    ..Default::default()
                },
                gaze: Some(Gaze::new(0.5, bad)),
                confidence: Some(bad),
                origin: Some([0.0, bad, 0.0]),
                ..Default::default()
            };
            let line = text(FrameStamp::default(), &frame_of(vec![wild]));
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(
                value["faces"][0],
                serde_json::json!({"pitch": null, "yaw": null, "age": 0}),
                "{bad}"
            );
        }
    }

    #[test]
    fn extreme_numbers_stay_numbers() {
        for value in [f32::MAX, f32::MIN, f32::MIN_POSITIVE, -0.0] {
            let face = GazeEstimate {
                gaze: Some(Gaze::new(value, value)),
                origin: Some([value; 3]),
                ..Default::default()
            };
            let line = text(FrameStamp::default(), &frame_of(vec![face]));
            let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
            let pitch = parsed["faces"][0]["pitch"].as_f64().unwrap();
            assert!((pitch - f64::from(value)).abs() <= 1e-6 * f64::from(value).abs().max(1.0));
            assert!(!line.contains("-0.0"), "{line}");
        }
    }

    #[test]
    fn memory_is_reused() {
        let frame = frame_of(vec![GazeEstimate::default(); 20]);
        let mut line = Vec::new();
        write_line(&mut line, FrameStamp::default(), &frame, None).unwrap();
        let (before, capacity) = (line.as_ptr(), line.capacity());
        write_line(&mut line, FrameStamp::default(), &frame, None).unwrap();
        assert_eq!((line.as_ptr(), line.capacity()), (before, capacity));
    }
}
