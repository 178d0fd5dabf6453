//! What is measured while the streams run: how far they are, latency, memory, handles.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::STREAMS;

/// Parts of the run that latencies are kept apart for.
pub const TENTHS: usize = 10;

/// How often memory is looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// How far all streams are, and where they wait for each other.
pub struct Progress {
    total: u64,
    frames: AtomicU64,
    failed: AtomicBool,
    /// Streams that wait, and how often they were sent on.
    meeting: Mutex<(usize, u64)>,
    sent_on: Condvar,
}

impl Progress {
    pub fn new(total: u64) -> Self {
        Self {
            total,
            frames: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            meeting: Mutex::new((0, 0)),
            sent_on: Condvar::new(),
        }
    }

    /// One more frame went in.
    pub fn frame(&self) {
        self.frames.fetch_add(1, Ordering::Relaxed);
    }

    /// The tenth that the run is in.
    pub fn tenth(&self) -> usize {
        ((self.frames() * TENTHS as u64 / self.total) as usize).min(TENTHS - 1)
    }

    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    pub fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
        self.sent_on.notify_all();
    }

    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// How many streams wait.
    pub fn waiting(&self) -> usize {
        self.meeting.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until all streams do and are sent on.
    pub fn meet(&self) -> Result<(), String> {
        let mut meeting = self.meeting.lock().unwrap_or_else(PoisonError::into_inner);
        meeting.0 += 1;
        let turn = meeting.1;
        while meeting.1 == turn {
            if self.failed() {
                return Err("another stream failed".to_owned());
            }
            let wait = self.sent_on.wait_timeout(meeting, Duration::from_millis(100));
            meeting = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Sends the streams on.
    pub fn go_on(&self) {
        let mut meeting = self.meeting.lock().unwrap_or_else(PoisonError::into_inner);
        *meeting = (0, meeting.1 + 1);
        self.sent_on.notify_all();
    }
}

/// Latencies, counted in steps of 1/16 of their power of two.
#[derive(Clone)]
pub struct Latencies {
    counts: Vec<u64>,
    pub longest: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: vec![0; 64 * 16], longest: Duration::ZERO }
    }
}

impl Latencies {
    pub fn add(&mut self, latency: Duration) {
        let ns = (latency.as_nanos() as u64).max(16);
        let octave = ns.ilog2();
        let step = (ns >> (octave - 4)) & 15;
        self.counts[octave as usize * 16 + step as usize] += 1;
        self.longest = self.longest.max(latency);
    }

    pub fn and(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
        self.longest = self.longest.max(other.longest);
    }

    /// The latency that this part of all does not exceed, to a sixteenth.
    pub fn percentile(&self, part: f64) -> Duration {
        let all: u64 = self.counts.iter().sum();
        let rank = (all as f64 * part).ceil() as u64;
        let mut sum = 0;
        for (place, count) in self.counts.iter().enumerate() {
            sum += count;
            if sum >= rank.max(1) {
                let (octave, step) = (place as u32 / 16, place as u64 % 16);
                return Duration::from_nanos((17 + step) << (octave - 4));
            }
        }
        Duration::ZERO
    }
}

/// Memory at one moment.
#[derive(Clone, Copy)]
pub struct Memory {
    pub at: Duration,
    pub frames: u64,
    pub bytes: u64,
}

/// What is open while all streams are drained and playing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub files: u64,
    pub threads: u64,
    pub sessions: u64,
}

/// What the main thread sees.
pub struct Measures {
    begin: Instant,
    last: Instant,
    pub memory: Vec<Memory>,
    pub open: Vec<Open>,
    /// From the start to the end.
    pub wall: Duration,
}

fn entries(folder: &str) -> u64 {
    std::fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}

/// Bytes of the process in memory.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    // The page size of every Linux that GStreamer's packages are for; a slope has no unit anyway.
    pages * 4096
}

impl Measures {
    pub fn new(begin: Instant) -> Self {
        Self { begin, last: begin, memory: Vec::new(), open: Vec::new(), wall: Duration::ZERO }
    }

    pub fn memory(&mut self, frames: u64, now: bool) {
        if !now && self.last.elapsed() < PERIOD {
            return;
        }
        self.last = Instant::now();
        self.memory.push(Memory { at: self.begin.elapsed(), frames, bytes: resident() });
    }

    /// All streams wait. What a moment ago began to end (a session that was replaced is closed by a
    /// thread of its own) is given time for it: counted is the least of a second.
    pub fn quiet(&mut self) {
        let mut least: Option<Open> = None;
        for _ in 0..10 {
            let open = Open {
                // Less the one that reads the folder.
                files: entries("/proc/self/fd").saturating_sub(1),
                threads: entries("/proc/self/task"),
                sessions: gstgaze::engine::open_sessions() as u64,
            };
            let before = least.unwrap_or(open);
            least = Some(Open {
                files: before.files.min(open.files),
                threads: before.threads.min(open.threads),
                sessions: before.sessions.min(open.sessions),
            });
            let first = self.open.first().copied().unwrap_or(open);
            let grown = open.files > first.files
                || open.threads > first.threads
                || open.sessions > first.sessions;
            if !grown && !self.open.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        self.open.extend(least);
    }

    pub fn over(&mut self) {
        self.wall = self.begin.elapsed();
    }

    /// Where the run is.
    pub fn line(&self, progress: &Progress) -> String {
        let (frames, seconds) = (progress.frames(), self.begin.elapsed().as_secs_f64());
        let megabytes = self.memory.last().map_or(0, |memory| memory.bytes) as f64 / 1e6;
        let Open { files, threads, sessions } =
            self.open.last().copied().unwrap_or(Open { files: 0, threads: 0, sessions: 0 });
        format!(
            "soak: {seconds:5.0} s, {frames} of {} frames, {:.0} a second, {megabytes:.1} MB, \
             {files} files, {threads} threads, {sessions} sessions, {STREAMS} streams",
            progress.total,
            frames as f64 / seconds
        )
    }
}

/// The slope of a line through points, by least squares.
pub fn slope(points: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let count = points.clone().count().max(1) as f64;
    let (sum_x, sum_y) = points.clone().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (mut product, mut square) = (0.0, 0.0);
    for (x, y) in points {
        product += (x - mean_x) * (y - mean_y);
        square += (x - mean_x).powi(2);
    }
    if square > 0.0 { product / square } else { 0.0 }
}
