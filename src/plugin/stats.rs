//! The counters of an element, as its read-only property `stats`.

use std::time::Duration;

use gst::prelude::*;

use crate::core::latency::LatencyHistogram;

/// The counts of one buffer.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameCounts {
    /// Faces reported.
    pub faces: u64,
    /// Faces (for `gazeface`: frames) that the model ran on.
    pub inferences: u64,
    /// Those of them that a GPU preprocessed.
    pub gpu_pictures: u64,
    /// Faces without a finite result, or outside the frame.
    pub invalid: u64,
    /// Faces that keep their last gaze because their eyes are closed.
    pub eyes_closed: u64,
    /// Whether the frame reused the last result without an inference.
    pub reused: bool,
    /// Pixels to metadata, where the model ran.
    pub latency: Option<Duration>,
}

impl FrameCounts {
    /// Adds the counts of another frame of the same batch.
    pub fn add(&mut self, other: &Self) {
        self.faces += other.faces;
        self.inferences += other.inferences;
        self.gpu_pictures += other.gpu_pictures;
        self.invalid += other.invalid;
        self.eyes_closed += other.eyes_closed;
        // The batch reused results if one frame did and no frame was inferred.
        self.latency = match (self.latency, other.latency) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        self.reused = (self.reused || other.reused) && self.latency.is_none();
    }
}

/// Counters and latencies since the element was started.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Buffers seen.
    pub frames: u64,
    /// Faces reported, those with a reused result included.
    pub faces: u64,
    /// Faces (for `gazeface`: frames) that the model really ran on.
    pub inferences: u64,
    /// Those of them that the GPU with the frames preprocessed.
    pub gpu_pictures: u64,
    /// Frames that reused the last result: late frames, frames between two inferences, repeated pictures,
    /// and frames in which all eyes were closed.
    pub skipped: u64,
    /// Faces without a finite result of the model, or outside the frame.
    pub invalid: u64,
    /// Faces that were not inferred because their eyes are closed.
    pub eyes_closed: u64,
    latency: LatencyHistogram,
}

impl Stats {
    /// Counts one frame.
    pub fn count(&mut self, outcome: &FrameCounts) {
        self.frames += 1;
        self.faces += outcome.faces;
        self.inferences += outcome.inferences;
        self.gpu_pictures += outcome.gpu_pictures;
        self.invalid += outcome.invalid;
        self.eyes_closed += outcome.eyes_closed;
        self.skipped += u64::from(outcome.reused);
        if let Some(latency) = outcome.latency {
            self.latency.record(latency);
        }
    }

    /// Returns a structure: counters as uint64, latencies as uint64 in nanoseconds.
    pub fn to_structure(&self, provider: &str) -> gst::Structure {
        gst::Structure::builder("stats")
            .field("frames", self.frames)
            .field("faces", self.faces)
            .field("inferences", self.inferences)
            .field("gpu-pictures", self.gpu_pictures)
            .field("skipped", self.skipped)
            .field("invalid", self.invalid)
            .field("eyes-closed", self.eyes_closed)
            .field("latency-p50", self.latency.percentile_ns(0.50))
            .field("latency-p95", self.latency.percentile_ns(0.95))
            .field("latency-p99", self.latency.percentile_ns(0.99))
            .field("latency-max", self.latency.max_ns())
            .field("execution-provider", provider)
            .build()
    }
}

/// The property's description.
pub fn property() -> glib::ParamSpec {
    glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
        .nick("Statistics")
        .blurb(
            "Since the start: frames, faces, inferences, gpu-pictures (inferences \
             that the GPU with the frames preprocessed), skipped (frames that reused the last \
             result), invalid and eyes-closed (faces without a new result) (uint64), latency-p50, \
             -p95, -p99 and -max of the frames with an inference (uint64, ns), and \
             execution-provider (embedded for gazeface without a model)",
        )
        .read_only()
        .build()
}
