//! The properties of `gazeface`: values, ranges, defaults and descriptions.

use std::sync::{Arc, LazyLock};

use glib::prelude::*;
use gst::prelude::*;

use super::stages::{self, StageSettings};
use crate::core::face::detect::DetectSettings;
use crate::plugin::execution::{self, Execution};
use crate::plugin::model::Options;
use crate::plugin::property::{get, text};

/// The values of all writable properties. The element copies them out of their lock to use them.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub engine: Option<Arc<str>>,
    pub execution: Execution,
    pub threads: u32,
    pub input_size: u32,
    pub stages: StageSettings,
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
            frame: FrameSettings {
                detect: DetectSettings::default(),
                inference_interval: 1,
                tracking: true,
                qos: true,
            },
        }
    }
}

/// The description of every writable property.
pub(super) static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
    let d = Settings::default();
    let detect = d.frame.detect;
    let own =
        vec![
        glib::ParamSpecString::builder("engine")
            .nick("Engine")
            .blurb(
                "Model file of the face detector, ONNX (.onnx) or ONNX Runtime format (.ort): \
                 YuNet, SCRFD, UltraFace, RetinaFace-MobileNet or BlazeFace; unset: the embedded \
                 detector of frontal faces, which gives no landmarks",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("threads")
            .nick("Threads")
            .blurb(
                "Most threads of one inference on the CPU (0 = automatic); the embedded detector uses \
                 one",
            )
            .maximum(1024)
            .default_value(d.threads)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("input-size")
            .nick("Input size")
            .blurb(
                "Longer side in pixels of the picture that the detector gets; a smaller one is faster \
                 and misses small faces. A model with a fixed input size ignores it. The embedded \
                 detector finds faces from 40 pixels in this picture",
            )
            .minimum(32)
            .maximum(4096)
            .default_value(d.input_size)
            .mutable_ready()
            .build(),
        glib::ParamSpecFloat::builder("score-threshold")
            .nick("Score threshold")
            .blurb(
                "Faces must score higher than this; each detector has its own scale. The embedded detector scores \
                 v / (v + 1) for a face found by windows with v votes, so 0.6 takes two windows",
            )
            .minimum(0.0)
            .maximum(1.0)
            .default_value(detect.score_threshold)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("nms-threshold")
            .nick("NMS threshold")
            .blurb(
                "Most overlap of two faces (intersection over union); beyond it only the better face \
                 stays. The embedded detector merges boxes that overlap by more than 0.3 anyway",
            )
            .minimum(0.0)
            .maximum(1.0)
            .default_value(detect.nms_threshold)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("max-faces")
            .nick("Maximum faces")
            .blurb("Most faces per frame, those with the best scores (0 = all)")
            .maximum(1000)
            .default_value(u32::try_from(detect.max_faces).unwrap_or(u32::MAX))
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("min-face-size")
            .nick("Minimum face size")
            .blurb("Least width and height of a face in pixels of the frame")
            .maximum(u32::from(u16::MAX))
            .default_value(detect.min_face_size)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("inference-interval")
            .nick("Inference interval")
            .blurb("Run the detector on every n-th frame; the frames between get the last faces, which \
                 tracking moves on")
            .minimum(1)
            .default_value(d.frame.inference_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("tracking")
            .nick("Tracking")
            .blurb(
                "Give each face a track-id that stays the same from frame to frame, and move its box \
                 between two inferences",
            )
            .default_value(d.frame.tracking)
            .mutable_playing()
            .build(),
        // With this property the base class drops late frames. Here a late frame goes on with the last
        // faces.
        glib::ParamSpecOverride::for_class::<gst_base::BaseTransform>("qos"),
    ];
    own.into_iter().chain(execution::specs()).chain(stages::properties()).collect()
});

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

    /// Sets one property. An error describes the rejected value and leaves the old one.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), String> {
        let detect = &mut self.frame.detect;
        match name {
            "engine" => self.engine = text(value),
            "threads" => self.threads = get(value)?,
            "input-size" => self.input_size = get(value)?,
            "score-threshold" => detect.score_threshold = get(value)?,
            "nms-threshold" => detect.nms_threshold = get(value)?,
            "max-faces" => detect.max_faces = get::<u32>(value)? as usize,
            "min-face-size" => detect.min_face_size = get(value)?,
            "inference-interval" => self.frame.inference_interval = get(value)?,
            "tracking" => self.frame.tracking = get(value)?,
            "qos" => self.frame.qos = get(value)?,
            _ if self.stages.set(name, value) => {}
            _ if self.execution.set(name, value)? => {}
            _ => return Err(format!("property '{name}' does not exist")),
        }
        Ok(())
    }

    /// Returns the value of one property; `None` for a read-only one.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        let detect = &self.frame.detect;
        Some(match name {
            "engine" => self.engine.as_deref().to_value(),
            "threads" => self.threads.to_value(),
            "input-size" => self.input_size.to_value(),
            "score-threshold" => detect.score_threshold.to_value(),
            "nms-threshold" => detect.nms_threshold.to_value(),
            "max-faces" => u32::try_from(detect.max_faces).unwrap_or(u32::MAX).to_value(),
            "min-face-size" => detect.min_face_size.to_value(),
            "inference-interval" => self.frame.inference_interval.to_value(),
            "tracking" => self.frame.tracking.to_value(),
            "qos" => self.frame.qos.to_value(),
            _ => return self.stages.get(name).or_else(|| self.execution.get(name)),
        })
    }
}
