//! The monitor's time: that of the media.

/// Goes on over segments, at the speed of the media: a glance is as long at twice the speed as it
/// was in the car. It begins as running time and is made of its steps, so that a change of rate
/// changes how fast it goes and not where it is.
#[derive(Debug, Default)]
pub(super) struct MediaClock {
    /// Running time and media time of the last frame.
    last: Option<(gst::ClockTime, gst::ClockTime)>,
}

impl MediaClock {
    /// Begins anew (flush, seek).
    pub fn reset(&mut self) {
        self.last = None;
    }

    /// The time of a frame with this running time, played at this rate; the rate's sign is that of
    /// the direction, and running time grows in both.
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
    // The cast saturates; the largest number stands for no time.
    let nanoseconds = (time.nseconds() as f64 * rate.abs()).round() as u64;
    gst::ClockTime::from_nseconds(nanoseconds.min(gst::ClockTime::MAX.nseconds()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_rate_changes_the_pace_alone() {
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
    fn absurd_times_are_the_last_one() {
        let mut clock = MediaClock::default();
        assert_eq!(clock.at(gst::ClockTime::ZERO, 1e300), gst::ClockTime::ZERO);
        assert_eq!(clock.at(gst::ClockTime::MAX, 1e300), gst::ClockTime::MAX);
        assert_eq!(clock.at(gst::ClockTime::ZERO, f64::INFINITY), gst::ClockTime::ZERO);
        assert_eq!(clock.at(gst::ClockTime::SECOND, f64::NAN), gst::ClockTime::ZERO);
    }
}
