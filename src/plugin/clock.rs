//! The time of a frame, for tracking, smoothing and the monitor.

use std::time::Duration;

/// The framerate if neither buffers nor caps have a time.
const NOMINAL_FRAMERATE: u32 = 30;

/// Stamps that go back by more than this begin another time line; the same as the gap after which the
/// monitor's rules start again. Shorter steps are disorder or a clock that was set.
pub(super) const FAR_BACK: Duration = Duration::from_secs(2);

/// Stamps that step ahead by more than this are reported. A camera that reconnects takes less.
const FAR_AHEAD: Duration = Duration::from_secs(60);

/// After this many frames in a row without a stamp, or with the same one, the clock reports it: one
/// second at 30 frames a second. The monitor's core has the same limit.
const LASTING: u32 = 30;

/// What is wrong with the time stamps of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFault {
    /// A second of frames without stamps.
    Missing,
    /// A second of frames with one stamp.
    Still,
    /// A stamp before the last one, by this much.
    Back(Duration),
    /// A stamp far after the last one, by this much.
    Ahead(Duration),
}

/// The time line of a stream's frames.
///
/// It follows the running time of the buffers. A frame without a stamp, or with one that is no later than
/// an earlier one, counts as one frame at the framerate, so that the line always goes on; stamps lead
/// again once they pass the line. Stamps that go back by more than two seconds begin a new line.
#[derive(Debug)]
pub struct FrameClock {
    period: Duration,
    /// The time of the last frame.
    now: Option<Duration>,
    /// The latest stamp, and the time of its frame.
    latest: Option<(Duration, Duration)>,
    /// The stamp of the last frame that has one.
    last_stamp: Option<Duration>,
    /// Frames in a row without a stamp.
    missing: u32,
    /// Frames in a row with the stamp of the one before.
    still: u32,
    fault: Option<TimeFault>,
}

impl Default for FrameClock {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(1) / NOMINAL_FRAMERATE,
            now: None,
            latest: None,
            last_stamp: None,
            missing: 0,
            still: 0,
            fault: None,
        }
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
        *self = Self { period: self.period, ..Self::default() };
    }

    /// Returns the time of the next frame, which has this running time.
    pub fn tick(&mut self, running_time: Option<gst::ClockTime>) -> Duration {
        let stamp = running_time.map(duration);
        self.find_fault(stamp);
        let at = self.time_of(stamp);
        if let Some(stamp) = stamp {
            let is_latest = self.latest.is_none_or(|(latest, _)| stamp > latest);
            if is_latest || self.is_far_back(stamp) {
                self.latest = Some((stamp, at));
            }
            self.last_stamp = Some(stamp);
        }
        self.now = Some(at);
        at
    }

    /// Lets time pass without a frame, up to this running time. Returns the time then; `None` if it is no
    /// later than the last frame.
    pub fn pass(&mut self, running_time: gst::ClockTime) -> Option<Duration> {
        let stamp = duration(running_time);
        let later = match (self.now, self.latest) {
            (Some(now), Some((latest, at))) => at.saturating_add(stamp.checked_sub(latest)?) > now,
            (now, _) => now.is_none_or(|now| stamp > now),
        };
        later.then(|| self.tick(Some(running_time)))
    }

    /// Returns once what was wrong with the last stamp.
    pub fn take_fault(&mut self) -> Option<TimeFault> {
        self.fault.take()
    }

    /// The time of one frame at the framerate.
    pub fn period(&self) -> Duration {
        self.period
    }

    fn time_of(&self, stamp: Option<Duration>) -> Duration {
        let Some(now) = self.now else { return stamp.unwrap_or_default() };
        let counted = now.saturating_add(self.period);
        match (stamp, self.latest) {
            (None, _) => counted,
            (Some(stamp), None) if stamp > now => stamp,
            (Some(stamp), Some((latest, at))) if stamp > latest => {
                let led = at.saturating_add(stamp - latest);
                if led > now { led } else { counted }
            }
            (Some(stamp), _) if self.is_far_back(stamp) => stamp,
            (Some(_), _) => counted,
        }
    }

    fn is_far_back(&self, stamp: Duration) -> bool {
        self.latest.is_some_and(|(latest, _)| latest.saturating_sub(stamp) > FAR_BACK)
    }

    fn find_fault(&mut self, stamp: Option<Duration>) {
        self.missing = if stamp.is_none() { self.missing.saturating_add(1) } else { 0 };
        let still = stamp.is_some() && stamp == self.last_stamp;
        self.still = if still { self.still.saturating_add(1) } else { 0 };
        let back = stamp.zip(self.last_stamp).and_then(|(stamp, last)| last.checked_sub(stamp));
        let ahead =
            stamp.zip(self.latest).and_then(|(stamp, (latest, _))| stamp.checked_sub(latest));
        self.fault = match (back, ahead) {
            _ if self.missing == LASTING => Some(TimeFault::Missing),
            _ if self.still == LASTING => Some(TimeFault::Still),
            (Some(back), _) if !back.is_zero() => Some(TimeFault::Back(back)),
            (_, Some(ahead)) if ahead > FAR_AHEAD => Some(TimeFault::Ahead(ahead)),
            _ => None,
        };
    }
}

fn duration(time: gst::ClockTime) -> Duration {
    Duration::from_nanos(time.nseconds())
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

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// The times of frames with these stamps, in milliseconds, at 25 frames a second.
    fn times(stamps: &[Option<u64>]) -> (Vec<u64>, Vec<TimeFault>) {
        let mut clock = FrameClock { period: ms(40), ..FrameClock::default() };
        let mut faults = Vec::new();
        let times = stamps.iter().map(|stamp| {
            let at = clock.tick(stamp.map(gst::ClockTime::from_mseconds));
            faults.extend(clock.take_fault());
            u64::try_from(at.as_millis()).unwrap()
        });
        (times.collect(), faults)
    }

    #[test]
    fn the_line_goes_on_whatever_stamps_do() {
        let stamps = |stamps: &[u64]| times(&stamps.iter().copied().map(Some).collect::<Vec<_>>());
        assert_eq!(stamps(&[0, 30, 90]), (vec![0, 30, 90], vec![]));
        // A frame that is stamped twice takes no time from the next.
        assert_eq!(stamps(&[0, 0, 80, 120]), (vec![0, 40, 80, 120], vec![]));
        // Two frames the wrong way round.
        let (times, faults) = stamps(&[0, 80, 40, 120]);
        assert_eq!((times, faults), (vec![0, 80, 120, 160], vec![TimeFault::Back(ms(40))]));
        // A clock that is set back: frames count until the stamps pass the line.
        let (times, faults) = stamps(&[1000, 200, 240, 1010, 1050]);
        assert_eq!(times, [1000, 1040, 1080, 1120, 1160]);
        assert_eq!(faults, [TimeFault::Back(ms(800))]);
        // Far back is another line, far ahead is time.
        let (times, faults) = stamps(&[5000, 100, 140, 100_000]);
        assert_eq!(times, [5000, 100, 140, 100_000]);
        assert_eq!(faults, [TimeFault::Back(ms(4900)), TimeFault::Ahead(ms(99_860))]);
    }

    #[test]
    fn frames_without_usable_stamps_count() {
        for stamp in [None, Some(7)] {
            let (times, faults) = times(&[stamp; 100]);
            let start = stamp.unwrap_or(0);
            assert!(times.iter().enumerate().all(|(n, at)| *at == start + 40 * n as u64));
            let fault = if stamp.is_none() { TimeFault::Missing } else { TimeFault::Still };
            assert_eq!(faults, [fault]);
        }
        // Stamps lead again where they pass the frames that were counted.
        let (times, _) = times(&[Some(0), None, None, Some(120), None, Some(500)]);
        assert_eq!(times, [0, 40, 80, 120, 160, 500]);
    }

    #[test]
    fn time_without_frames_passes_forward_only() {
        let time = gst::ClockTime::from_mseconds;
        let mut clock = FrameClock { period: ms(40), ..FrameClock::default() };
        assert_eq!(clock.pass(time(100)), Some(ms(100)));
        assert_eq!(clock.pass(time(100)), None);
        assert_eq!(clock.tick(Some(time(100))), ms(140));
        assert_eq!((clock.pass(time(50)), clock.pass(time(130))), (None, None));
        assert_eq!(clock.pass(time(150)), Some(ms(150)));
        assert_eq!(clock.tick(Some(gst::ClockTime::MAX)).as_nanos(), u128::from(u64::MAX - 1));
    }
}
