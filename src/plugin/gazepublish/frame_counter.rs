//! Numbers the frames of a stream, those included that were lost before they came.
//!
//! An element that drops frames (a leaky queue, a decoder or a converter that is late, a camera that
//! lost some) marks the next one DISCONT, and the time stamps tell how many are missing. A step of time
//! without the mark is no loss: videos of phones have a variable frame rate.

use gst::ClockTime;
use gst::prelude::*;

/// See [the module](self).
#[derive(Debug, Default)]
pub struct FrameCounter {
    next: u64,
    lost: u64,
    /// Between two frames, if the frame rate is known.
    period: Option<ClockTime>,
    /// Running time of the last frame.
    last: Option<ClockTime>,
}

impl FrameCounter {
    /// Takes the frame rate of new caps.
    pub fn set_caps(&mut self, caps: &gst::CapsRef) {
        let rate = caps.structure(0).and_then(|s| s.get::<gst::Fraction>("framerate").ok());
        self.period = rate.and_then(|rate| {
            let (frames, seconds) =
                (u64::try_from(rate.numer()).ok()?, u64::try_from(rate.denom()).ok()?);
            // A rate of 0 is a variable one.
            let period = ClockTime::SECOND.mul_div_round(seconds, (frames > 0).then_some(frames)?);
            period.filter(|period| !period.is_zero())
        });
    }

    /// Forgets the time of the last frame (flush, new stream).
    pub fn interrupt(&mut self) {
        self.last = None;
    }

    /// Counts a frame, due at `running_time`. Returns its number, and how many frames were lost so far.
    pub fn count(
        &mut self,
        buffer: &gst::BufferRef,
        running_time: Option<ClockTime>,
    ) -> (u64, u64) {
        let period = self.period.or(buffer.duration()).filter(|period| !period.is_zero());
        let step = self.last.zip(running_time).and_then(|(last, now)| now.checked_sub(last));
        if buffer.flags().contains(gst::BufferFlags::DISCONT)
            && let Some((step, period)) = step.zip(period)
        {
            let lost = (step + period / 2).nseconds() / period.nseconds();
            let lost = lost.saturating_sub(1);
            self.lost = self.lost.saturating_add(lost);
            self.next = self.next.saturating_add(lost);
        }
        self.last = running_time;
        let frame = self.next;
        self.next = self.next.saturating_add(1);
        (frame, self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of frames at these milliseconds, at 25 frames a second; negative ones are DISCONT.
    fn numbers(caps: &str, at: &[i64]) -> Vec<(u64, u64)> {
        gst::init().unwrap();
        let mut counter = FrameCounter::default();
        counter.set_caps(&caps.parse::<gst::Caps>().unwrap());
        let count = |at: &i64| {
            let mut buffer = gst::Buffer::new();
            if *at < 0 {
                buffer.get_mut().unwrap().set_flags(gst::BufferFlags::DISCONT);
            }
            counter.count(&buffer, Some(ClockTime::from_mseconds(at.unsigned_abs())))
        };
        at.iter().map(count).collect()
    }

    #[test]
    fn a_marked_step_of_time_is_a_loss() {
        let at_25 = "video/x-raw,framerate=25/1";
        let marked = numbers(at_25, &[-10, 50, -170, 210, -250, -330]);
        assert_eq!(marked, [(0, 0), (1, 0), (4, 2), (5, 2), (6, 2), (8, 3)]);
    }

    #[test]
    fn other_steps_are_none() {
        let at_25 = "video/x-raw,framerate=25/1";
        // A variable frame rate, stamps that go back, and frames of an unknown rate.
        assert_eq!(numbers(at_25, &[0, 200, 240]), [(0, 0), (1, 0), (2, 0)]);
        assert_eq!(numbers(at_25, &[-1000, -40, 80]), [(0, 0), (1, 0), (2, 0)]);
        let unknown = ["video/x-raw,framerate=0/1", "video/x-raw", "audio/x-raw"];
        for caps in unknown {
            assert_eq!(numbers(caps, &[-1, -400]), [(0, 0), (1, 0)], "{caps}");
        }
    }
}
