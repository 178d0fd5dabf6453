//! The time of a frame, for tracking and smoothing.

use std::time::Duration;

/// The framerate if neither buffers nor caps have a time.
const NOMINAL_FRAMERATE: u32 = 30;

/// The running time of buffers; without timestamps, the frames counted at the framerate.
#[derive(Debug)]
pub struct FrameClock {
    period: Duration,
    last: Option<Duration>,
}

impl Default for FrameClock {
    fn default() -> Self {
        Self { period: Duration::from_secs(1) / NOMINAL_FRAMERATE, last: None }
    }
}

impl FrameClock {
    /// Takes the framerate of new caps; a variable or unknown one counts as 30 a second.
    pub fn set_info(&mut self, info: &gst_video::VideoInfo) {
        let known = |n: i32| u32::try_from(n).ok().filter(|n| *n > 0);
        let (numer, denom) = (known(info.fps().numer()), known(info.fps().denom()));
        self.period = match numer.zip(denom) {
            Some((frames, seconds)) => Duration::from_secs(seconds.into()) / frames,
            None => Self::default().period,
        };
    }

    /// Starts over (flush, seek).
    pub fn reset(&mut self) {
        self.last = None;
    }

    /// Returns the time of the next frame, which has this running time.
    pub fn tick(&mut self, running_time: Option<gst::ClockTime>) -> Duration {
        let counted = self.last.map_or(Duration::ZERO, |last| last.saturating_add(self.period));
        let at = running_time.map_or(counted, |time| Duration::from_nanos(time.nseconds()));
        self.last = Some(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_count_and_the_framerate_fills_in() {
        gst::init().unwrap();
        let info = |fps: (i32, i32)| {
            gst_video::VideoInfo::builder(gst_video::VideoFormat::Gray8, 8, 8)
                .fps(gst::Fraction::new(fps.0, fps.1))
                .build()
                .unwrap()
        };
        let mut clock = FrameClock::default();
        clock.set_info(&info((25, 1)));
        let ms = Duration::from_millis;
        assert_eq!(clock.tick(None), ms(0));
        assert_eq!(clock.tick(None), ms(40));
        assert_eq!(clock.tick(Some(gst::ClockTime::from_mseconds(100))), ms(100));
        assert_eq!(clock.tick(None), ms(140));
        clock.reset();
        clock.set_info(&info((0, 1)));
        assert_eq!(clock.tick(None), ms(0));
        assert_eq!(clock.tick(None), Duration::from_secs(1) / 30);
    }
}
