//! The time of a recording: its length, lost frames, gaps, restarts and seeks.
//!
//! Timestamps begin anywhere, go back at a seek or a restart of the program, and leave gaps. The time of
//! the recording begins at 0 and only grows: a gap counts in full, and a restart or a seek continues one
//! frame later.

use std::time::Duration;

use gstgaze::core::latency::LatencyHistogram;

/// Time without frames is a gap from this length on, in nanoseconds; below, it is lost frames. The
/// monitor restarts after as long.
const GAP: u64 = 2_000_000_000;

/// Distance of frames in nanoseconds until the recording tells it.
const DEFAULT_INTERVAL: u64 = 33_333_333;

/// Follows the frames of a source.
#[derive(Clone, Debug)]
pub struct RecordingTime {
    /// The given distance of frames in nanoseconds.
    interval: Option<u64>,
    now: u64,
    last: Option<(u64, Option<u64>)>,
    /// Distances of consecutive frames.
    steps: LatencyHistogram,
    /// Time and frames of steps over frames without a line.
    skipped_time: u64,
    skipped_frames: u64,
    frames: u64,
    without_line: u64,
    /// Lost frames of the last line, and the sum of those that lines tell.
    last_lost: u64,
    told_lost: u64,
    restarts: u64,
    seeks: u64,
    gaps: u64,
    gap_time: u64,
}

impl RecordingTime {
    /// A recording before its first frame. `interval` is the distance of frames in nanoseconds; without
    /// it the recording takes the median.
    pub fn new(interval: Option<u64>) -> Self {
        Self {
            interval: interval.filter(|interval| *interval > 0),
            now: 0,
            last: None,
            steps: LatencyHistogram::fine(),
            skipped_time: 0,
            skipped_frames: 0,
            frames: 0,
            without_line: 0,
            last_lost: 0,
            told_lost: 0,
            restarts: 0,
            seeks: 0,
            gaps: 0,
            gap_time: 0,
        }
    }

    /// Adds a line by the number of its frame, the frames that it tells as lost so far, and its time in
    /// nanoseconds. Returns the time in the recording, and `None` for another line of the same frame.
    pub fn step(&mut self, frame: u64, lost: u64, time: Option<u64>) -> Option<u64> {
        // Of the frames that came.
        let frame = frame.saturating_sub(lost);
        let newly_lost = match self.last {
            Some((last, _)) if frame > last => lost.saturating_sub(self.last_lost),
            Some((last, _)) if frame == last => 0,
            _ => lost,
        };
        (self.last_lost, self.told_lost) = (lost, self.told_lost.saturating_add(newly_lost));
        let Some((last_frame, last_time)) = self.last else {
            self.last = Some((frame, time));
            self.frames = 1;
            return Some(0);
        };
        if frame == last_frame && time == last_time {
            return None;
        }
        self.frames += 1;
        self.last = Some((frame, time));
        if frame <= last_frame {
            // The frame counter of a running program never goes back.
            self.restarts += 1;
            self.now = self.now.saturating_add(self.interval());
            return Some(self.now);
        }
        let between = frame - last_frame;
        self.without_line += between - 1;
        let passed = match last_time.zip(time) {
            Some((last, time)) if time > last => time - last,
            Some(_) => {
                self.seeks += 1;
                self.now = self.now.saturating_add(self.interval());
                return Some(self.now);
            }
            None => {
                self.now = self.now.saturating_add(self.interval());
                return Some(self.now);
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
        Some(self.now)
    }

    /// Sets the distance of frames in nanoseconds.
    pub fn set_interval(&mut self, interval: u64) {
        self.interval = Some(interval).filter(|interval| *interval > 0);
    }

    /// The distance of frames in nanoseconds: the given one, or the median.
    pub fn interval(&self) -> u64 {
        let measured = (self.steps.count() > 0).then(|| self.steps.percentile_ns(0.5).max(1));
        self.interval.or(measured).unwrap_or(DEFAULT_INTERVAL)
    }

    /// The time from the first frame to the last.
    pub fn length(&self) -> Duration {
        Duration::from_nanos(self.now)
    }

    /// Frames with a line.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Frames that `gazepublish` saw and wrote no line for: they showed no face, or the reader was slow.
    pub fn without_line(&self) -> u64 {
        self.without_line
    }

    /// Frames that never came: those that the lines tell, or more where the time between lines shows
    /// more.
    pub fn lost(&self) -> u64 {
        let interval = self.interval() as f64;
        let frames = |time: u64| (time as f64 / interval).round() as u64;
        let steps = self.steps.buckets();
        let single: u64 = steps.map(|(time, count)| count * frames(time).saturating_sub(1)).sum();
        let skipped = frames(self.skipped_time).saturating_sub(self.skipped_frames);
        let gaps = frames(self.gap_time).saturating_sub(self.gaps);
        (single + skipped + gaps).max(self.told_lost)
    }

    /// The number of gaps and their sum.
    pub fn gaps(&self) -> (u64, Duration) {
        (self.gaps, Duration::from_nanos(self.gap_time))
    }

    /// How often the frame counter restarted.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// How often time went back while the frame counter went on.
    pub fn seeks(&self) -> u64 {
        self.seeks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn of(
        interval: Option<u64>,
        steps: impl IntoIterator<Item = (u64, Option<u64>)>,
    ) -> RecordingTime {
        let mut timeline = RecordingTime::new(interval);
        for (frame, time) in steps {
            timeline.step(frame, 0, time.map(|ms| ms * MS));
        }
        timeline
    }

    #[test]
    fn rounded_timestamps_lose_no_frame() {
        let t = of(None, (0..3000).map(|i| (i, Some(5000 + i * 100 / 3))));
        assert_eq!((t.frames(), t.lost(), t.without_line(), t.restarts()), (3000, 0, 0, 0));
        assert_eq!(t.length(), Duration::from_millis(2999 * 100 / 3));
    }

    #[test]
    fn lost_frames_differ_from_frames_without_a_line() {
        // Two frames behind frame 4 never came: only the timestamps tell. Frames 20 to 24 have no line.
        let steps = (0..50).map(|i| (i, if i < 5 { i } else { i + 2 } * 40));
        let t = of(None, steps.filter(|(i, _)| !(20..25).contains(i)).map(|(i, t)| (i, Some(t))));
        assert_eq!((t.lost(), t.without_line(), t.frames()), (2, 5, 45));
    }

    #[test]
    fn a_known_interval_counts_where_most_are_lost() {
        let every_third = || (0..100).map(|i| (i, Some(i * 100)));
        assert_eq!(of(None, every_third()).lost(), 0, "the median hides the loss");
        assert_eq!(of(Some(33_333_333), every_third()).lost(), 198);
    }

    #[test]
    fn lines_tell_of_lost_frames_that_the_median_hides() {
        // Every other frame was lost, and every tenth of those that came has no line.
        let mut t = RecordingTime::new(None);
        for came in (0..100).filter(|came| came % 10 != 5) {
            t.step(2 * came, came, Some(2 * came * 40 * MS));
        }
        assert_eq!((t.lost(), t.without_line(), t.frames(), t.restarts()), (99, 10, 90, 0));
        // The program starts again.
        t.step(0, 0, Some(0));
        t.step(3, 2, Some(120 * MS));
        assert_eq!((t.lost(), t.restarts()), (101, 1));
    }

    #[test]
    fn gaps_restarts_and_seeks() {
        let first = (0..10).map(|i| (i, Some(i * 40)));
        let after_gap = (10..20).map(|i| (i, Some(4600 + i * 40)));
        let sought = (20..30).map(|i| (i, Some(i * 40)));
        let again = (0..10).map(|i| (i, Some(i * 40)));
        let t = of(None, first.chain(after_gap).chain(sought).chain(again));
        assert_eq!(t.gaps(), (1, Duration::from_millis(4640)));
        assert_eq!((t.restarts(), t.seeks(), t.lost()), (1, 1, 115));
        assert_eq!(t.length().as_millis(), 39 * 40 + 4600);
    }

    #[test]
    fn lines_of_one_frame_and_frames_without_time() {
        let t = of(None, [(0, Some(0)), (0, Some(0)), (1, Some(40)), (1, Some(40))]);
        assert_eq!((t.frames(), t.restarts()), (2, 0));
        let t = of(Some(40 * MS), (0..10).map(|i| (i, None)));
        assert_eq!((t.frames(), t.lost(), t.length().as_millis()), (10, 0, 360));
        let mut t = of(None, [(0, Some(0))]);
        assert_eq!(t.step(1, 0, Some(u64::MAX)), Some(u64::MAX));
        assert_eq!(t.step(2, 0, Some(0)), Some(u64::MAX));
    }
}
