//! The time of a recording: how long it is, what is missing in it, and where it starts anew.
//!
//! Stamps may begin anywhere, go back where a stream was sought or the program started again, and
//! leave gaps. The timeline's own time begins at 0 and only grows: a gap counts in full, a new
//! beginning continues one frame after what was before.

use std::time::Duration;

use gstgaze::core::latency::LatencyHistogram;

/// From this length on, time without frames is a gap and not a lost frame or two. The monitor
/// starts anew after as long.
const GAP: u64 = 2_000_000_000;

/// How long a frame is taken for where nothing tells, nanoseconds.
const FRAME: u64 = 33_333_333;

/// What a line is to the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another frame, at this time of the timeline, nanoseconds.
    Frame(u64),
    /// Another line of the frame before.
    Same,
}

/// Follows the frames of a source.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The frames' distance, nanoseconds, where it is known beforehand.
    interval: Option<u64>,
    now: u64,
    last: Option<(u64, Option<u64>)>,
    /// Distances of frames that have nothing between them.
    steps: LatencyHistogram,
    /// Time and frames of longer steps, over frames that have no line.
    skipped_time: u64,
    skipped_frames: u64,
    frames: u64,
    silent: u64,
    restarts: u64,
    jumps: u64,
    gaps: u64,
    gap_time: u64,
}

impl Timeline {
    /// Before the first frame. `interval` is the distance of frames in nanoseconds, where it is
    /// known; otherwise it is that of most.
    pub fn new(interval: Option<u64>) -> Self {
        Self {
            interval: interval.filter(|interval| *interval > 0),
            now: 0,
            last: None,
            steps: LatencyHistogram::fine(),
            skipped_time: 0,
            skipped_frames: 0,
            frames: 0,
            silent: 0,
            restarts: 0,
            jumps: 0,
            gaps: 0,
            gap_time: 0,
        }
    }

    /// Takes a frame by its number and its time in nanoseconds, where that is known.
    pub fn step(&mut self, frame: u64, time: Option<u64>) -> Step {
        let Some((last_frame, last_time)) = self.last else {
            self.last = Some((frame, time));
            self.frames = 1;
            return Step::Frame(0);
        };
        if frame == last_frame && time == last_time {
            return Step::Same;
        }
        self.frames += 1;
        self.last = Some((frame, time));
        if frame <= last_frame {
            // The counter of a program that goes on never goes back.
            self.restarts += 1;
            self.now = self.now.saturating_add(self.interval());
            return Step::Frame(self.now);
        }
        let between = frame - last_frame;
        self.silent += between - 1;
        let passed = match last_time.zip(time) {
            Some((last, time)) if time > last => time - last,
            Some(_) => {
                self.jumps += 1;
                self.now = self.now.saturating_add(self.interval());
                return Step::Frame(self.now);
            }
            None => {
                self.now = self.now.saturating_add(self.interval());
                return Step::Frame(self.now);
            }
        };
        if passed / between >= GAP {
            self.gaps += 1;
            self.gap_time = self.gap_time.saturating_add(passed);
        } else if between == 1 {
            self.steps.record(Duration::from_nanos(passed));
        } else {
            self.skipped_time = self.skipped_time.saturating_add(passed);
            self.skipped_frames += between;
        }
        self.now = self.now.saturating_add(passed);
        Step::Frame(self.now)
    }

    /// Tells the distance of frames, nanoseconds, where it comes to be known.
    pub fn set_interval(&mut self, interval: u64) {
        self.interval = Some(interval).filter(|interval| *interval > 0);
    }

    /// The distance of frames, nanoseconds: the given one, or that of the middle one of all.
    pub fn interval(&self) -> u64 {
        let measured = (self.steps.count() > 0).then(|| self.steps.percentile_ns(0.5).max(1));
        self.interval.or(measured).unwrap_or(FRAME)
    }

    /// From the first frame to the last one.
    pub fn length(&self) -> Duration {
        Duration::from_nanos(self.now)
    }

    /// Frames that have a line.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Frames that came to the writer and have no line: nobody was seen, or the reader was too slow.
    pub fn silent(&self) -> u64 {
        self.silent
    }

    /// Frames that never came, told by the time that is between those that did.
    pub fn lost(&self) -> u64 {
        let interval = self.interval() as f64;
        let frames = |time: u64| (time as f64 / interval).round() as u64;
        let steps = self.steps.buckets();
        let single: u64 = steps.map(|(time, count)| count * frames(time).saturating_sub(1)).sum();
        let skipped = frames(self.skipped_time).saturating_sub(self.skipped_frames);
        let gaps = frames(self.gap_time).saturating_sub(self.gaps);
        single + skipped + gaps
    }

    /// Times without frames of two seconds and more, and their sum.
    pub fn gaps(&self) -> (u64, Duration) {
        (self.gaps, Duration::from_nanos(self.gap_time))
    }

    /// How often the writer's counter began anew.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// How often time went back while the writer went on: seeks.
    pub fn jumps(&self) -> u64 {
        self.jumps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn of(interval: Option<u64>, steps: impl IntoIterator<Item = (u64, Option<u64>)>) -> Timeline {
        let mut timeline = Timeline::new(interval);
        for (frame, time) in steps {
            timeline.step(frame, time.map(|ms| ms * MS));
        }
        timeline
    }

    #[test]
    fn stamps_that_a_container_rounded_lose_nothing() {
        let t = of(None, (0..3000).map(|i| (i, Some(5000 + i * 100 / 3))));
        assert_eq!((t.frames(), t.lost(), t.silent(), t.restarts()), (3000, 0, 0, 0));
        assert_eq!(t.length(), Duration::from_millis(2999 * 100 / 3));
    }

    #[test]
    fn what_never_came_is_told_from_what_has_no_line() {
        // Frames 5 and 6 never came: the counter does not know of them, the stamps do. Frames 20 to
        // 24 came and have no line.
        let steps = (0..50).map(|i| (i, if i < 5 { i } else { i + 2 } * 40));
        let t = of(None, steps.filter(|(i, _)| !(20..25).contains(i)).map(|(i, t)| (i, Some(t))));
        assert_eq!((t.lost(), t.silent(), t.frames()), (2, 5, 45));
    }

    #[test]
    fn a_known_interval_counts_where_most_are_lost() {
        let every_third = || (0..100).map(|i| (i, Some(i * 100)));
        assert_eq!(of(None, every_third()).lost(), 0, "nothing tells");
        assert_eq!(of(Some(33_333_333), every_third()).lost(), 198);
    }

    #[test]
    fn gaps_restarts_and_seeks() {
        let first = (0..10).map(|i| (i, Some(i * 40)));
        let after_gap = (10..20).map(|i| (i, Some(4600 + i * 40)));
        let sought = (20..30).map(|i| (i, Some(i * 40)));
        let again = (0..10).map(|i| (i, Some(i * 40)));
        let t = of(None, first.chain(after_gap).chain(sought).chain(again));
        assert_eq!(t.gaps(), (1, Duration::from_millis(4640)));
        assert_eq!((t.restarts(), t.jumps(), t.lost()), (1, 1, 115));
        assert_eq!(t.length().as_millis(), 39 * 40 + 4600);
    }

    #[test]
    fn lines_of_one_frame_and_frames_without_time() {
        let t = of(None, [(0, Some(0)), (0, Some(0)), (1, Some(40)), (1, Some(40))]);
        assert_eq!((t.frames(), t.restarts()), (2, 0));
        let t = of(Some(40 * MS), (0..10).map(|i| (i, None)));
        assert_eq!((t.frames(), t.lost(), t.length().as_millis()), (10, 0, 360));
        let mut t = of(None, [(0, Some(0))]);
        assert_eq!(t.step(1, Some(u64::MAX)), Step::Frame(u64::MAX));
        assert_eq!(t.step(2, Some(0)), Step::Frame(u64::MAX));
    }
}
