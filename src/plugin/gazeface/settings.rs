//! The properties of `gazeface`: values, ranges, defaults and descriptions.

use std::sync::{Arc, LazyLock};

use glib::prelude::*;

use super::stages::{self, StageSettings};
use crate::core::face::detect::DetectSettings;
use crate::plugin::execution::{self, Execution};
use crate::plugin::latency;
use crate::plugin::model::Options;
use crate::plugin::property::{Number, Property, Table, get};
use crate::plugin::stats;

/// The values of all writable properties. The element copies them out of their lock to use them.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub engine: Option<Arc<str>>,
    pub execution: Execution,
    pub threads: u32,
    pub input_size: u32,
    pub stages: StageSettings,
    /// Whether the answer to LATENCY queries includes the measured time.
    pub latency_report: bool,
    pub frame: FrameSettings,
}

/// The part that may change from frame to frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameSettings {
    pub detect: DetectSettings,
    /// Run the detector on every n-th frame.
    pub inference_interval: u32,
    /// Whether faces get a track-id, and move between two inferences.
    pub tracking: bool,
    pub qos: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: None,
            execution: Execution::default(),
            threads: 0,
            input_size: 640,
            stages: StageSettings::default(),
            latency_report: true,
            frame: FrameSettings {
                detect: DetectSettings::default(),
                inference_interval: 1,
                tracking: true,
                qos: true,
            },
        }
    }
}

/// The table of all properties.
pub(super) static PROPERTIES: LazyLock<Table<Settings>> = LazyLock::new(|| {
    type P = Property<Settings>;
    Table::new(vec![
        P::text("engine", |s| &mut s.engine)
            .nick("Engine")
            .blurb(
                "Model file of the face detector, ONNX (.onnx) or ONNX Runtime format (.ort): \
                 YuNet, SCRFD, UltraFace, RetinaFace-MobileNet or BlazeFace; unset: the \
                 embedded detector of frontal faces, which gives no landmarks",
            )
            .mutable_ready(),
        P::number("threads", 0..=1024, |s| &mut s.threads)
            .nick("Threads")
            .blurb(
                "Most threads of one inference on the CPU (0 = automatic); the embedded \
                 detector uses one",
            )
            .mutable_ready(),
        P::number("input-size", 32..=4096, |s| &mut s.input_size)
            .nick("Input size")
            .blurb(
                "Longer side in pixels of the picture that the detector gets; a smaller one is \
                 faster and misses small faces. A model with a fixed input size ignores it. The \
                 embedded detector finds faces from 40 pixels in this picture",
            )
            .mutable_ready(),
        P::number("score-threshold", 0.0..=1.0, |s| &mut s.frame.detect.score_threshold)
            .nick("Score threshold")
            .blurb(
                "Faces must score higher than this; each detector has its own scale. The \
                 embedded detector scores v / (v + 1) for a face found by windows with v votes, \
                 so 0.6 takes two windows",
            )
            .mutable_playing(),
        P::number("nms-threshold", 0.0..=1.0, |s| &mut s.frame.detect.nms_threshold)
            .nick("NMS threshold")
            .blurb(
                "Most overlap of two faces (intersection over union); beyond it only the better \
                 face stays. The embedded detector merges boxes that overlap by more than 0.3 \
                 anyway",
            )
            .mutable_playing(),
        P::new(
            "max-faces",
            |s, words| u32::spec(words, &(0..=MAX_FACES), max_faces(s)),
            |s| max_faces(s).to_value(),
            |s, value| {
                s.frame.detect.max_faces = get::<u32>(value)? as usize;
                Ok(())
            },
        )
        .nick("Maximum faces")
        .blurb("Most faces per frame, those with the best scores (0 = all)")
        .mutable_playing(),
        P::number("min-face-size", 0..=65535, |s| &mut s.frame.detect.min_face_size)
            .nick("Minimum face size")
            .blurb("Least width and height of a face in pixels of the frame")
            .mutable_playing(),
        P::number("inference-interval", 1..=u32::MAX, |s| &mut s.frame.inference_interval)
            .nick("Inference interval")
            .blurb(
                "Run the detector on every n-th frame; the frames between get the last faces, \
                 which tracking moves on",
            )
            .mutable_playing(),
        P::flag("tracking", |s| &mut s.frame.tracking)
            .nick("Tracking")
            .blurb(
                "Give each face a track-id that stays the same from frame to frame, and move \
                 its box between two inferences",
            )
            .mutable_playing(),
        latency::property(|s| &mut s.latency_report),
        // With this property the base class drops late frames. Here a late frame goes on with the last
        // faces.
        P::overriding::<gst_base::BaseTransform>("qos", |s| &mut s.frame.qos),
    ])
    .with(execution::properties(), |s| &mut s.execution)
    .with(stages::properties(), |s| &mut s.stages)
    .read_only(stats::property())
});

/// The largest value of `max-faces`.
const MAX_FACES: u32 = 1000;

fn max_faces(settings: &mut Settings) -> u32 {
    u32::try_from(settings.frame.detect.max_faces).unwrap_or(u32::MAX)
}

impl Settings {
    /// The properties that are set without effect, because only the embedded detector runs.
    pub fn ignored_without_engine(&self) -> Vec<&'static str> {
        use crate::plugin::enums::ExecutionProvider::{Auto, Cpu};
        let embedded_only = self.engine.is_none() && self.stages.is_empty();
        let provider = embedded_only && !matches!(self.execution.provider(), Auto | Cpu);
        let threads = embedded_only && self.threads > 1;
        [("execution-provider", provider), ("threads", threads)]
            .into_iter()
            .filter_map(|(name, ignored)| ignored.then_some(name))
            .collect()
    }

    /// The options with which every model opens.
    pub fn options(&self) -> Options {
        Options::new(self.execution.clone(), self.threads)
    }
}
