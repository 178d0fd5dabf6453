//! Whether a buffer comes too late to be worth an inference.
//!
//! Sinks send QoS events upstream that say how late the last buffer was. GstBaseTransform would
//! drop the buffers that will be late too; an analytics element must not drop its user's video, so
//! it passes them on and only saves the inference.

use std::sync::Mutex;

use gst_base::prelude::*;

use super::lock;

/// The time before which buffers are late, from the QoS events of a stream.
#[derive(Debug, Default)]
pub struct Lateness {
    earliest: Mutex<Option<gst::ClockTime>>,
}

impl Lateness {
    /// Takes a QoS event's word, as GstBaseTransform does: a late buffer's delay counts double, so
    /// that the stream catches up and does not merely keep its delay.
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
        *lock(&self.earliest) = earliest;
    }

    /// Forgets what was said (flush, new segment).
    pub fn reset(&self) {
        *lock(&self.earliest) = None;
    }

    /// How late a buffer with this running time is; `None` for one in time.
    pub fn of(&self, running_time: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
        let earliest = (*lock(&self.earliest))?;
        let running_time = running_time?;
        (running_time <= earliest).then(|| earliest - running_time)
    }
}

/// When a buffer is due, in the time of the element's segment.
pub fn running_time(
    element: &impl IsA<gst_base::BaseTransform>,
    buffer: &gst::BufferRef,
) -> Option<gst::ClockTime> {
    let segment = element.segment();
    segment.downcast_ref::<gst::ClockTime>()?.to_running_time(buffer.pts()?)
}

/// The message that says that a frame was not inferred because it came `late`.
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
