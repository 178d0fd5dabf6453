//! Tells a live pipeline how long inferences take.
//!
//! A sink renders a buffer at its time stamp plus the latency of the pipeline, which is the sum of what
//! the elements answer to the LATENCY query. An element that delays buffers and says nothing makes each
//! of them late. GstBaseTransform passes the query on unchanged, so the element adds its measured time,
//! and posts a LATENCY message where that grows; the application then distributes the latency anew
//! (`gst-launch-1.0` does).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use glib::prelude::*;
use gst::prelude::*;
use parking_lot::Mutex;

use super::property::Property;
use crate::core::latency_report::LatencyReport;

/// The name of the property that adds the measured latency to the answer.
pub const PROPERTY: &str = "latency-report";

/// The property of that name, with the field of the settings.
pub fn property<S: 'static>(field: fn(&mut S) -> &mut bool) -> Property<S> {
    Property::flag(PROPERTY, field)
        .nick("Latency report")
        .blurb(
            "Add the measured time of inferences (95th percentile, rounded up) to the latency of live \
             pipelines, and post a LATENCY message where it changes, so that sinks wait for the results",
        )
        .mutable_playing()
}

/// The measured latency of an element, and whether the pipeline is live.
#[derive(Debug, Default)]
pub struct MeasuredLatency {
    report: Mutex<LatencyReport>,
    /// By the answer to the last query.
    live: AtomicBool,
}

impl MeasuredLatency {
    /// Forgets what was measured.
    pub fn reset(&self) {
        *self.report.lock() = LatencyReport::default();
        self.live.store(false, Ordering::Relaxed);
    }

    /// Takes the time of a buffer with an inference. Returns whether the pipeline has to know.
    pub fn record(&self, took: Duration) -> bool {
        self.report.lock().record(took) && self.is_live()
    }

    /// Whether the last query found a live source.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// Adds to the answer that upstream gave: the measured latency where `measured` asks for it, and no
    /// less than `wait`, for which the element may hold a buffer back. What is measured includes it.
    pub fn answer(&self, query: &mut gst::query::Latency, measured: bool, wait: gst::ClockTime) {
        let (live, min, max) = query.result();
        self.live.store(live, Ordering::Relaxed);
        let measured = if measured && live { self.report.lock().latency() } else { Duration::ZERO };
        let measured = gst::ClockTime::try_from(measured).unwrap_or(gst::ClockTime::ZERO);
        let own = wait.max(measured);
        query.set(live, min.saturating_add(own), max.map(|max| max.saturating_add(own)));
    }
}

/// Posts that the element's latency is another now.
pub fn post(element: &impl IsA<gst::Element>) {
    let message = gst::message::Latency::builder().src(element.as_ref()).build();
    // Posting fails without a bus, as in a test harness.
    let _ = element.as_ref().post_message(message);
}
