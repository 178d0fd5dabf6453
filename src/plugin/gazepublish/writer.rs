//! A thread that writes lines, so that a slow reader never holds the stream.
//!
//! The streaming thread offers lines to a bounded queue and never waits: what does not fit is
//! dropped and counted. Their memory goes round between the two threads, so that nothing is
//! allocated once every buffer has grown to the longest line.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use nix::sys::signal::{SigSet, Signal};

use super::sink::{Sink, WriteError};

/// Time between two attempts to connect: doubled from the first to the last.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// How long [`Writer::stop`] waits for a thread that the system holds, as in a `connect` to a
/// reader that does not accept. It is left behind after that and ends when the system lets go.
const FAREWELL: Duration = Duration::from_millis(500);

/// What became of the lines, readable at any time.
#[derive(Debug, Default)]
pub struct Counters {
    written: AtomicU64,
    dropped: AtomicU64,
}

impl Counters {
    /// Lines that were written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Lines that were not and never will be.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn add_dropped(&self, lines: usize) {
        self.dropped.fetch_add(lines as u64, Ordering::Relaxed);
    }
}

/// What the writer has to tell; each comes once for an outage.
#[derive(Debug)]
pub enum Notice {
    /// Lines cannot be written, and why.
    Lost(io::Error),
    /// Lines are written again.
    Restored,
}

/// Handle of the thread.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something for the thread to do.
    work: Condvar,
    /// Something that a flush may wait for.
    progress: Condvar,
    /// The thread shall not wait for its reader any longer.
    abort: AtomicBool,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
    capacity: usize,
    /// The thread has a line in hand.
    busy: bool,
    /// No more lines come.
    closing: bool,
    /// A flush waits: connect now and do not wait for the next attempt.
    hurry: bool,
    /// The hurried attempt failed, so that waiting is of no use.
    stalled: bool,
    /// Somebody wants the flush to end.
    interrupted: bool,
    /// The thread has ended.
    ended: bool,
}

impl Queue {
    fn pending(&self) -> usize {
        self.lines.len() + usize::from(self.busy)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Starts the thread. `notify` is called on it, with no lock held.
    pub fn start(
        sink: Sink,
        capacity: usize,
        counters: Arc<Counters>,
        notify: impl FnMut(Notice) + Send + 'static,
    ) -> io::Result<Self> {
        let queue = Queue {
            lines: VecDeque::with_capacity(capacity),
            spare: Vec::with_capacity(capacity + 1),
            capacity,
            busy: false,
            closing: false,
            hurry: false,
            stalled: false,
            interrupted: false,
            ended: false,
        };
        let shared = Arc::new(Shared {
            queue: Mutex::new(queue),
            work: Condvar::new(),
            progress: Condvar::new(),
            abort: AtomicBool::new(false),
            counters,
        });
        let thread = Thread {
            shared: shared.clone(),
            sink,
            notify,
            outage: false,
            pause: FIRST_RETRY,
            hurried: false,
        };
        thread::Builder::new().name("gazepublish".into()).spawn(move || thread.run())?;
        Ok(Self { shared })
    }

    /// Queues the line that `fill` writes; `false` where the queue is full and it was dropped.
    pub fn offer<E>(&self, fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<bool, E> {
        let mut line = {
            let mut queue = self.shared.lock();
            if queue.lines.len() >= queue.capacity {
                drop(queue);
                self.shared.counters.add_dropped(1);
                return Ok(false);
            }
            queue.spare.pop().unwrap_or_default()
        };
        fill(&mut line)?;
        self.shared.lock().lines.push_back(line);
        self.shared.work.notify_one();
        Ok(true)
    }

    /// Waits until every line is written, for `timeout` at most and no longer than there is hope;
    /// says how many lines are left.
    pub fn flush(&self, timeout: Duration) -> usize {
        let start = Instant::now();
        let mut queue = self.shared.lock();
        (queue.hurry, queue.stalled, queue.interrupted) = (true, false, false);
        self.shared.work.notify_one();
        while queue.pending() > 0 && !queue.stalled && !queue.interrupted && !queue.ended {
            let Some(left) = timeout.checked_sub(start.elapsed()).filter(|t| !t.is_zero()) else {
                break;
            };
            queue = match self.shared.progress.wait_timeout(queue, left) {
                Ok((queue, _)) => queue,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        queue.hurry = false;
        queue.pending()
    }

    /// Ends a flush that waits on another thread.
    pub fn interrupt_flush(&self) {
        self.shared.lock().interrupted = true;
        self.shared.progress.notify_all();
    }

    /// Flushes and ends the thread; what is left after `timeout` is dropped.
    pub fn stop(&self, timeout: Duration) {
        self.flush(timeout);
        let queue = self.close();
        drop(self.shared.progress.wait_timeout_while(queue, FAREWELL, |q| !q.ended));
    }

    fn close(&self) -> MutexGuard<'_, Queue> {
        let mut queue = self.shared.lock();
        self.shared.counters.add_dropped(queue.lines.len());
        queue.lines.clear();
        queue.closing = true;
        self.shared.abort.store(true, Ordering::Relaxed);
        self.shared.work.notify_one();
        queue
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.close());
    }
}

/// Why a line was not written.
enum Failure {
    /// It is lost; the next one may fare better.
    Line,
    /// The thread shall end.
    Closing,
}

/// The thread's own side.
struct Thread<F> {
    shared: Arc<Shared>,
    sink: Sink,
    notify: F,
    /// Lines cannot be written, and this has been said.
    outage: bool,
    /// Until the next attempt after a failed one.
    pause: Duration,
    /// A flush waits for the attempt that is being made.
    hurried: bool,
}

impl<F: FnMut(Notice)> Thread<F> {
    fn run(mut self) {
        // A reader that goes away shall be an error of this thread, not the end of the program.
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGPIPE);
        if let Err(errno) = signals.thread_block() {
            (self.notify)(Notice::Lost(errno.into()));
        }
        if self.connect().is_ok() {
            while let Some(line) = self.next() {
                let result = self.deliver(&line);
                self.put_back(line, result.is_ok());
                if matches!(result, Err(Failure::Closing)) {
                    break;
                }
            }
        }
        self.shared.lock().ended = true;
        self.shared.progress.notify_all();
    }

    fn next(&self) -> Option<Vec<u8>> {
        let mut queue = self.shared.lock();
        loop {
            if let Some(line) = queue.lines.pop_front() {
                queue.busy = true;
                return Some(line);
            }
            if queue.closing {
                return None;
            }
            queue = self.shared.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put_back(&self, line: Vec<u8>, written: bool) {
        if written {
            self.shared.counters.written.fetch_add(1, Ordering::Relaxed);
        } else {
            self.shared.counters.add_dropped(1);
        }
        let mut queue = self.shared.lock();
        queue.busy = false;
        queue.spare.push(line);
        drop(queue);
        self.shared.progress.notify_all();
    }

    /// Writes one line, on a new connection where the old one broke.
    fn deliver(&mut self, line: &[u8]) -> Result<(), Failure> {
        loop {
            self.connect()?;
            let abort = &self.shared.abort;
            match self.sink.write_line(line, &|| abort.load(Ordering::Relaxed)) {
                Ok(()) => {
                    (self.pause, self.hurried) = (FIRST_RETRY, false);
                    if self.outage && self.sink.is_reliable() {
                        self.outage = false;
                        (self.notify)(Notice::Restored);
                    }
                    return Ok(());
                }
                Err(WriteError::GaveUp) => return Err(Failure::Closing),
                Err(WriteError::Io(error)) => {
                    self.complain(error);
                    if !self.sink.reconnects() {
                        return Err(Failure::Line);
                    }
                    self.rest()?;
                }
            }
        }
    }

    /// Tries until there is a connection; fails only where the thread shall end.
    fn connect(&mut self) -> Result<(), Failure> {
        while let Err(error) = self.sink.connect() {
            self.complain(error);
            self.rest()?;
        }
        Ok(())
    }

    /// The pause after a failed attempt, longer each time; a flush cuts it short.
    fn rest(&mut self) -> Result<(), Failure> {
        let mut queue = self.shared.lock();
        if self.hurried {
            queue.stalled = true;
            self.shared.progress.notify_all();
        }
        let idle = |q: &mut Queue| !q.closing && !q.hurry;
        queue = match self.shared.work.wait_timeout_while(queue, self.pause, idle) {
            Ok((queue, _)) => queue,
            Err(poisoned) => poisoned.into_inner().0,
        };
        self.hurried = std::mem::take(&mut queue.hurry);
        self.pause = (self.pause * 2).min(LAST_RETRY);
        if queue.closing { Err(Failure::Closing) } else { Ok(()) }
    }

    fn complain(&mut self, error: io::Error) {
        if !self.outage {
            self.outage = true;
            (self.notify)(Notice::Lost(error));
        }
    }
}
