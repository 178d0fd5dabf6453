//! What elements do with late buffers.
//!
//! Sinks send QoS events upstream that say how late the last buffer was. GstBaseTransform and decoders
//! drop late buffers then. That is right for a live pipeline, where a frame cannot wait. Our elements
//! do less there: they pass a late frame on and save only its inference ([`Lateness`]).
//!
//! The frames of a recording can wait, and its results must not depend on the speed of the machine: a
//! pipeline of a file and a window lost half of the results. So [`QosGate`] stops QoS events where the
//! pipeline is not live. Every frame comes and is inferred, and the picture in the window lags.

use std::sync::atomic::{AtomicU64, Ordering};

use gst_base::prelude::*;
use parking_lot::Mutex;

use super::liveness::Liveness;

/// So many late frames are worth a warning: a second of most videos. The first frames of a pipeline
/// are often late.
const TELL_FROM: u64 = 30;

/// Stops the QoS events of a pipeline that is not live.
#[derive(Debug, Default)]
pub struct QosGate {
    liveness: Liveness,
    /// Late frames that events told of since the start.
    late: AtomicU64,
}

impl QosGate {
    /// Forgets the stream (start, new stream, new distribution of the latency).
    pub fn forget_liveness(&self) {
        self.liveness.forget();
    }

    /// Returns whether the pipeline is live.
    pub fn is_live(&self, element: &impl IsA<gst_base::BaseTransform>) -> bool {
        self.liveness.of(element)
    }

    /// Starts over.
    pub fn reset(&self) {
        self.liveness.forget();
        self.late.store(0, Ordering::Relaxed);
    }

    /// Takes an event from downstream. Returns whether it goes on upstream: all do, except QoS events of
    /// a recording. Those of a live pipeline take effect in `lateness` as well.
    pub fn take_src_event(
        &self,
        element: &impl IsA<gst_base::BaseTransform>,
        event: &gst::EventRef,
        lateness: Option<&Lateness>,
    ) -> bool {
        match event.view() {
            gst::EventView::Qos(qos) => {
                let passes = self.lets_pass(element, qos);
                if let Some(lateness) = lateness.filter(|_| passes) {
                    lateness.update(qos);
                }
                passes
            }
            // A new distribution of the latency: a source may have become live.
            gst::EventView::Latency(_) => {
                self.forget_liveness();
                true
            }
            _ => true,
        }
    }

    /// Returns whether the pipeline is live, and this QoS event may take effect: in `element`, and
    /// upstream of it. Warns once that a recording is played too fast for the machine.
    fn lets_pass(
        &self,
        element: &impl IsA<gst_base::BaseTransform>,
        event: &gst::event::Qos,
    ) -> bool {
        if self.is_live(element) {
            return true;
        }
        let (_, _, diff, _) = event.get();
        if diff > 0 && self.late.fetch_add(1, Ordering::Relaxed) + 1 == TELL_FROM {
            gst::element_warning!(
                element.as_ref(),
                gst::CoreError::Clock,
                (
                    "This machine is too slow to show every frame in time: {TELL_FROM} frames came \
                     too late at the sink, the last one by {} ms. No result is lost, because a \
                     recording waits: every frame is analysed, and only the picture lags. \
                     sync=false at the sink shows each frame when it is ready; inference-interval=2 \
                     of gazeface and gazeinfer halves the work",
                    diff / 1_000_000
                )
            );
        }
        false
    }
}

/// Counts the frames of a live pipeline that came too late for an inference, and warns once.
#[derive(Debug, Default)]
pub struct LateFrames(AtomicU64);

impl LateFrames {
    /// Starts over.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Counts one late frame, which carries the last result; `frames` have come so far.
    pub fn count(&self, element: &impl IsA<gst::Element>, frames: u64) {
        if self.0.fetch_add(1, Ordering::Relaxed) + 1 == TELL_FROM {
            gst::element_warning!(
                element,
                gst::CoreError::Clock,
                ("This machine is too slow for every frame: {TELL_FROM} of {frames} frames came \
                     too late for an inference and carry the last result (their age is above 0). \
                     inference-interval=2, a smaller model or smaller frames cost less; qos=false \
                     infers every frame, and the stream lags")
            );
        }
    }
}

/// The time before which buffers are late, from the QoS events of a stream.
#[derive(Debug, Default)]
pub struct Lateness {
    earliest: Mutex<Option<gst::ClockTime>>,
}

impl Lateness {
    /// Takes a QoS event as GstBaseTransform does: the delay of a late buffer counts double, so that
    /// the stream catches up and does not just keep its delay.
    pub fn update(&self, event: &gst::event::Qos) {
        let (_, _, diff, timestamp) = event.get();
        let earliest = timestamp.map(|timestamp| {
            let delay = gst::ClockTime::from_nseconds(diff.unsigned_abs());
            if diff > 0 {
                timestamp.saturating_add(delay).saturating_add(delay)
            } else {
                timestamp.saturating_sub(delay)
            }
        });
        *self.earliest.lock() = earliest;
    }

    /// Forgets the events (flush, new segment).
    pub fn reset(&self) {
        *self.earliest.lock() = None;
    }

    /// Returns how late a buffer with this running time is; `None` if it is in time.
    pub fn of(&self, running_time: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
        let earliest = (*self.earliest.lock())?;
        let running_time = running_time?;
        (running_time <= earliest).then(|| earliest - running_time)
    }
}

/// Returns the running time at which a buffer is due.
pub fn running_time(
    element: &impl IsA<gst_base::BaseTransform>,
    buffer: &gst::BufferRef,
) -> Option<gst::ClockTime> {
    let segment = element.segment();
    segment.downcast_ref::<gst::ClockTime>()?.to_running_time(buffer.pts()?)
}

/// Returns the QoS message of a frame that came `late` and was not inferred.
pub fn message(
    element: &impl IsA<gst_base::BaseTransform>,
    buffer: &gst::BufferRef,
    late: gst::ClockTime,
    stats: (u64, u64),
) -> gst::Message {
    let (frames, skipped) = stats;
    let segment = element.segment();
    let stream_time = segment
        .downcast_ref::<gst::ClockTime>()
        .zip(buffer.pts())
        .and_then(|(segment, pts)| segment.to_stream_time(pts));
    let jitter = i64::try_from(late.nseconds()).unwrap_or(i64::MAX);
    gst::message::Qos::builder(false)
        .running_time(running_time(element, buffer))
        .stream_time(stream_time)
        .timestamp(buffer.pts())
        .duration(buffer.duration())
        .values(jitter, 1.0, 1_000_000)
        .stats(
            gst::format::Buffers::from_u64(frames.saturating_sub(skipped)),
            gst::format::Buffers::from_u64(skipped),
        )
        .src(element.as_ref())
        .build()
}
