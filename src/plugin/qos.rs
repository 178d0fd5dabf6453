//! Whether a buffer comes too late to be worth an inference.
//!
//! Sinks send QoS events upstream that say how late the last buffer was. GstBaseTransform would
//! drop the buffers that will be late too; an analytics element must not drop its user's video, so
//! it passes them on and only saves the inference.

use std::sync::Mutex;

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
        *self.lock() = earliest;
    }

    /// Forgets what was said (flush, new segment).
    pub fn reset(&self) {
        *self.lock() = None;
    }

    /// How late a buffer with this running time is; `None` for one in time.
    pub fn of(&self, running_time: Option<gst::ClockTime>) -> Option<gst::ClockTime> {
        let earliest = (*self.lock())?;
        let running_time = running_time?;
        (running_time <= earliest).then(|| earliest - running_time)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<gst::ClockTime>> {
        self.earliest.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
