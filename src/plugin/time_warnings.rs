//! Warnings about time stamps: each kind once, until the element starts again.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use gst::prelude::*;

use super::clock::{FAR_BACK, TimeFault};

/// Which kinds an element warned about.
#[derive(Debug, Default)]
pub struct TimeWarnings(AtomicU8);

impl TimeWarnings {
    /// Forgets the warnings.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Warns about a fault of a new kind. `uses` names what the element does with time; a frame counts
    /// as `period` long.
    pub fn warn(
        &self,
        element: &impl IsA<gst::Element>,
        fault: TimeFault,
        (uses, period): (&str, Duration),
    ) {
        let kind = match fault {
            TimeFault::Missing => 1,
            TimeFault::Still => 2,
            TimeFault::Back(_) => 4,
            TimeFault::Ahead(_) => 8,
        };
        if self.0.fetch_or(kind, Ordering::Relaxed) & kind != 0 {
            return;
        }
        let rate = (1.0 / period.as_secs_f64() * 100.0).round() / 100.0;
        let counts = format!(
            "for {uses} each frame counts as 1/{rate} s, which is wrong where frames come at another rate"
        );
        let anew = format!("{uses} starts anew");
        let text = match fault {
            TimeFault::Missing => format!(
                "Buffers have no time stamps: {counts}. Let the source stamp them (do-timestamp=true)"
            ),
            TimeFault::Still => format!(
                "Time stamps stand still: {counts}. Let the source stamp each frame \
                 (do-timestamp=true)"
            ),
            TimeFault::Back(by) => format!(
                "Time stamps went back by {}: {}. A camera that sets its clock does so: let the \
                 receiver stamp frames (do-timestamp=true, for rtspsrc ntp-sync=false)",
                seconds(by),
                if by > FAR_BACK { &anew } else { &counts }
            ),
            TimeFault::Ahead(by) => format!(
                "Time stamps jumped ahead by {}: {anew}. If the source did not pause for so long, let \
                 the receiver stamp frames (do-timestamp=true)",
                seconds(by)
            ),
        };
        gst::element_warning!(element.as_ref(), gst::StreamError::Format, ("{text}"));
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
