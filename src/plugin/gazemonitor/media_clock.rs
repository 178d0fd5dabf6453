//! The time of the monitor: media time.

/// Turns running time into media time, across segments: played at twice the speed, a glance lasts as
/// long as it did in the car. Media time starts equal to running time and grows by its steps times
/// the rate, so a change of rate changes the pace without a jump.
#[derive(Debug, Default)]
pub(super) struct MediaClock {
    /// Running time and media time of the last frame.
    last: Option<(gst::ClockTime, gst::ClockTime)>,
}

impl MediaClock {
    /// Starts again after a flush or a seek.
    pub fn reset(&mut self) {
        self.last = None;
    }

    /// Returns the media time of a frame with this running time at this rate. The sign of the rate is
    /// the direction; running time grows in both.
    pub fn at(&mut self, running_time: gst::ClockTime, rate: f64) -> gst::ClockTime {
        let media = match self.last {
            None => running_time,
            Some((from, media)) if running_time >= from => {
                media.saturating_add(scaled(running_time - from, rate))
            }
            Some((from, media)) => media.saturating_sub(scaled(from - running_time, rate)),
        };
        self.last = Some((running_time, media));
        media
    }
}

fn scaled(time: gst::ClockTime, rate: f64) -> gst::ClockTime {
    if rate.abs() == 1.0 {
        return time;
    }
    // The cast saturates; u64::MAX is GST_CLOCK_TIME_NONE.
    let nanoseconds = (time.nseconds() as f64 * rate.abs()).round() as u64;
    gst::ClockTime::from_nseconds(nanoseconds.min(gst::ClockTime::MAX.nseconds()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_rate_changes_only_the_pace() {
        let s = gst::ClockTime::from_seconds;
        let mut clock = MediaClock::default();
        assert_eq!(clock.at(s(100), 1.0), s(100));
        assert_eq!(clock.at(s(101), 2.0), s(102));
        assert_eq!(clock.at(s(102), -0.5), gst::ClockTime::from_mseconds(102_500));
        assert_eq!(clock.at(s(101), 0.5), s(102), "late by a second");
        clock.reset();
        assert_eq!(clock.at(s(7), 3.0), s(7));
    }

    #[test]
    fn extreme_times_saturate() {
        let mut clock = MediaClock::default();
        assert_eq!(clock.at(gst::ClockTime::ZERO, 1e300), gst::ClockTime::ZERO);
        assert_eq!(clock.at(gst::ClockTime::MAX, 1e300), gst::ClockTime::MAX);
        assert_eq!(clock.at(gst::ClockTime::ZERO, f64::INFINITY), gst::ClockTime::ZERO);
        assert_eq!(clock.at(gst::ClockTime::SECOND, f64::NAN), gst::ClockTime::ZERO);
    }
}
