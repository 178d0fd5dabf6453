//! A thread writes the lines, so that a slow reader never delays the stream.
//!
//! The streaming thread puts lines into a bounded queue and never waits: a full queue drops the line
//! and counts it. The two threads recycle the memory of the lines, so nothing is allocated once every
//! buffer has grown to the longest line.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

use nix::sys::signal::{SigSet, Signal};
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::outage::{OutageLog, OutageSummary};
use super::output::{Output, WriteError};

/// Time between two attempts to connect. It doubles from the first value up to the last.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(100);
const LAST_RETRY_DELAY: Duration = Duration::from_secs(5);

/// How long [`Writer::stop`] waits for a thread that a system call blocks, such as a `connect` to a
/// reader that does not accept. After that the thread ends on its own once the call returns.
const THREAD_EXIT_TIMEOUT: Duration = Duration::from_millis(500);

/// Counts of lines, readable at any time.
#[derive(Debug, Default)]
pub struct LineCounters {
    written: AtomicU64,
    dropped: AtomicU64,
}

impl LineCounters {
    /// Lines written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Lines dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn add_dropped(&self, lines: usize) {
        self.dropped.fetch_add(lines as u64, Ordering::Relaxed);
    }
}

/// What the writer reports.
#[derive(Debug)]
pub enum Notice {
    /// Writing fails, with the reason: once an outage.
    Failed(io::Error),
    /// Writing works again after an outage.
    Restored(OutageSummary),
    /// No new file could be begun, with the reason: once a stream.
    NotRotated(io::Error),
}

/// Handle of the writing thread.
#[derive(Debug)]
pub struct Writer {
    state: Arc<WriterState>,
}

/// What the handle and the thread share.
#[derive(Debug)]
struct WriterState {
    queue: Mutex<LineQueue>,
    /// Wakes the thread.
    work: Condvar,
    /// Wakes a flush.
    progress: Condvar,
    /// Tells the thread to stop waiting for its reader.
    abort: AtomicBool,
    /// Whether an outage lasts that the thread has reported.
    in_outage: AtomicBool,
    counters: Arc<LineCounters>,
}

#[derive(Debug)]
struct LineQueue {
    lines: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
    capacity: usize,
    /// Whether the thread is writing a line.
    busy: bool,
    /// Whether the writer is closing.
    closing: bool,
    /// A flush waits: connect now instead of after the retry delay.
    retry_now: bool,
    /// The attempt for the flush failed, so the flush waits no longer.
    stalled: bool,
    /// FLUSH_START ends the wait of a flush.
    interrupted: bool,
    /// Whether the thread has ended.
    ended: bool,
}

impl LineQueue {
    fn pending(&self) -> usize {
        self.lines.len() + usize::from(self.busy)
    }
}

impl Writer {
    /// Starts the thread, which calls `notify` without holding a lock.
    pub fn start(
        output: Output,
        capacity: usize,
        counters: Arc<LineCounters>,
        notify: impl FnMut(Notice) + Send + 'static,
    ) -> io::Result<Self> {
        let queue = LineQueue {
            lines: VecDeque::with_capacity(capacity),
            spare: Vec::with_capacity(capacity + 1),
            capacity,
            busy: false,
            closing: false,
            retry_now: false,
            stalled: false,
            interrupted: false,
            ended: false,
        };
        let state = Arc::new(WriterState {
            queue: Mutex::new(queue),
            work: Condvar::new(),
            progress: Condvar::new(),
            abort: AtomicBool::new(false),
            in_outage: AtomicBool::new(false),
            counters,
        });
        let thread = WriterThread {
            state: state.clone(),
            output,
            notify,
            outages: OutageLog::default(),
            not_rotated: false,
            retry_delay: FIRST_RETRY_DELAY,
            retrying_for_flush: false,
        };
        thread::Builder::new().name("gazepublish".into()).spawn(move || thread.run())?;
        Ok(Self { state })
    }

    /// Queues the line that `fill` writes. Returns `false` where a full queue dropped it.
    pub fn offer<E>(&self, fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<bool, E> {
        let mut line = {
            let mut queue = self.state.queue.lock();
            if queue.lines.len() >= queue.capacity {
                drop(queue);
                self.state.counters.add_dropped(1);
                return Ok(false);
            }
            queue.spare.pop().unwrap_or_default()
        };
        fill(&mut line)?;
        self.state.queue.lock().lines.push_back(line);
        self.state.work.notify_one();
        Ok(true)
    }

    /// Whether an outage lasts, so that lines are dropped for a reason that is told.
    pub fn in_outage(&self) -> bool {
        self.state.in_outage.load(Ordering::Relaxed)
    }

    /// Waits until every line is written, for `timeout` at most, or until the reader cannot be reached.
    /// Returns the number of lines left.
    pub fn flush(&self, timeout: Duration) -> usize {
        let start = Instant::now();
        let mut queue = self.state.queue.lock();
        (queue.retry_now, queue.stalled, queue.interrupted) = (true, false, false);
        self.state.work.notify_one();
        while queue.pending() > 0 && !queue.stalled && !queue.interrupted && !queue.ended {
            let Some(left) = timeout.checked_sub(start.elapsed()).filter(|t| !t.is_zero()) else {
                break;
            };
            self.state.progress.wait_for(&mut queue, left);
        }
        queue.retry_now = false;
        queue.pending()
    }

    /// Ends the wait of a flush on another thread.
    pub fn interrupt_flush(&self) {
        self.state.queue.lock().interrupted = true;
        self.state.progress.notify_all();
    }

    /// Flushes, drops the lines left after `timeout`, and ends the thread.
    pub fn stop(&self, timeout: Duration) {
        self.flush(timeout);
        let mut queue = self.close();
        self.state.progress.wait_while_for(&mut queue, |q| !q.ended, THREAD_EXIT_TIMEOUT);
    }

    fn close(&self) -> MutexGuard<'_, LineQueue> {
        let mut queue = self.state.queue.lock();
        self.state.counters.add_dropped(queue.lines.len());
        queue.lines.clear();
        queue.closing = true;
        self.state.abort.store(true, Ordering::Relaxed);
        self.state.work.notify_one();
        queue
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.close());
    }
}

/// Why a line was not written.
enum DeliveryError {
    /// Writing failed; the line is lost.
    Line,
    /// The writer is closing.
    Closing,
}

/// The data that the thread owns.
struct WriterThread<F> {
    state: Arc<WriterState>,
    output: Output,
    notify: F,
    outages: OutageLog,
    /// Whether a file over its limits was reported.
    not_rotated: bool,
    /// Delay before the next attempt to connect.
    retry_delay: Duration,
    /// Whether a flush waits for the current attempt.
    retrying_for_flush: bool,
}

impl<F: FnMut(Notice)> WriterThread<F> {
    fn run(mut self) {
        // A reader that goes away, or a limit on the size of files, must not end the program: without the
        // signals, the write fails.
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGPIPE);
        signals.add(Signal::SIGXFSZ);
        if let Err(errno) = signals.thread_block() {
            (self.notify)(Notice::Failed(errno.into()));
        }
        if self.connect().is_ok() {
            while let Some(line) = self.next_line() {
                let result = self.deliver(&line);
                self.recycle(line, result.is_ok());
                if matches!(result, Err(DeliveryError::Closing)) {
                    break;
                }
            }
        }
        self.state.queue.lock().ended = true;
        self.state.progress.notify_all();
    }

    fn next_line(&self) -> Option<Vec<u8>> {
        let mut queue = self.state.queue.lock();
        loop {
            if let Some(line) = queue.lines.pop_front() {
                queue.busy = true;
                return Some(line);
            }
            if queue.closing {
                return None;
            }
            self.state.work.wait(&mut queue);
        }
    }

    fn recycle(&self, line: Vec<u8>, written: bool) {
        if written {
            self.state.counters.written.fetch_add(1, Ordering::Relaxed);
        } else {
            self.state.counters.add_dropped(1);
        }
        let mut queue = self.state.queue.lock();
        queue.busy = false;
        queue.spare.push(line);
        drop(queue);
        self.state.progress.notify_all();
    }

    /// Writes one line, on a new connection if the old one broke.
    fn deliver(&mut self, line: &[u8]) -> Result<(), DeliveryError> {
        loop {
            self.connect()?;
            let abort = &self.state.abort;
            match self.output.write_line(line, &|| abort.load(Ordering::Relaxed)) {
                Ok(()) => {
                    (self.retry_delay, self.retrying_for_flush) = (FIRST_RETRY_DELAY, false);
                    self.report_success();
                    return Ok(());
                }
                Err(WriteError::GaveUp) => return Err(DeliveryError::Closing),
                Err(WriteError::Io(error)) => {
                    self.report_outage(error);
                    if !self.output.reconnects() {
                        return Err(DeliveryError::Line);
                    }
                    self.wait_before_retry()?;
                }
            }
        }
    }

    /// Retries until the output is connected; fails only when the writer closes.
    fn connect(&mut self) -> Result<(), DeliveryError> {
        while let Err(error) = self.output.connect() {
            self.report_outage(error);
            self.wait_before_retry()?;
        }
        Ok(())
    }

    /// Waits after a failed attempt, longer each time. A flush ends the wait early.
    fn wait_before_retry(&mut self) -> Result<(), DeliveryError> {
        let mut queue = self.state.queue.lock();
        if self.retrying_for_flush {
            queue.stalled = true;
            self.state.progress.notify_all();
        }
        let idle = |q: &mut LineQueue| !q.closing && !q.retry_now;
        self.state.work.wait_while_for(&mut queue, idle, self.retry_delay);
        self.retrying_for_flush = std::mem::take(&mut queue.retry_now);
        self.retry_delay = (self.retry_delay * 2).min(LAST_RETRY_DELAY);
        if queue.closing { Err(DeliveryError::Closing) } else { Ok(()) }
    }

    fn report_outage(&mut self, error: io::Error) {
        if self.outages.failed(Instant::now(), self.state.counters.dropped()) {
            self.state.in_outage.store(true, Ordering::Relaxed);
            (self.notify)(Notice::Failed(error));
        }
    }

    fn report_success(&mut self) {
        if let Some(error) = self.output.take_rotation_error().filter(|_| !self.not_rotated) {
            self.not_rotated = true;
            (self.notify)(Notice::NotRotated(error));
        }
        if !self.outages.lasts() {
            return;
        }
        if let Some(summary) = self.outages.worked(Instant::now(), self.state.counters.dropped()) {
            self.state.in_outage.store(false, Ordering::Relaxed);
            (self.notify)(Notice::Restored(summary));
        }
    }
}
