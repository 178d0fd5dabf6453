//! What an element has done so far, as its read-only property `stats`.

use std::time::Duration;

use crate::core::latency::LatencyHistogram;

/// Counters and latencies since the element was started.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Buffers seen.
    pub frames: u64,
    /// Faces reported, carried ones included.
    pub faces: u64,
    /// Faces (for `gazeface`: frames) that the model really ran on.
    pub inferences: u64,
    /// Frames that carried the last result instead: late ones, and those between two inferences.
    pub skipped: u64,
    /// Faces for which the model gave no number, or of which nothing lies in the frame.
    pub invalid: u64,
    latency: LatencyHistogram,
}

impl Stats {
    /// Counts how long one frame with an inference took, pixels to metadata.
    pub fn record_latency(&mut self, latency: Duration) {
        self.latency.record(latency);
    }

    /// For people and programs: counters as uint64, latencies as uint64 in nanoseconds.
    pub fn to_structure(&self, provider: &str) -> gst::Structure {
        gst::Structure::builder("stats")
            .field("frames", self.frames)
            .field("faces", self.faces)
            .field("inferences", self.inferences)
            .field("skipped", self.skipped)
            .field("invalid", self.invalid)
            .field("latency-p50", self.latency.percentile_ns(0.50))
            .field("latency-p95", self.latency.percentile_ns(0.95))
            .field("latency-p99", self.latency.percentile_ns(0.99))
            .field("latency-max", self.latency.max_ns())
            .field("execution-provider", provider)
            .build()
    }
}
