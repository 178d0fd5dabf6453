//! Tells buffers that come too late for an inference.
//!
//! Sinks send QoS events upstream that say how late the last buffer was. GstBaseTransform would
//! drop late buffers; an analytics element must not drop video, so it passes them on and saves only
//! the inference.

use gst_base::prelude::*;
use parking_lot::Mutex;

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
