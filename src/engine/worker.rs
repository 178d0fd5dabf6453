//! Threads that open and close models in the background, used again and again.
//!
//! A model that is opened on a new thread leaves its memory in an arena of that thread (glibc has one for
//! each), and the next one in another. A process that exchanges engines for weeks would scatter its
//! memory; with one thread that opens them all, the memory of the last serves the next.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Sender};
use std::thread;

use parking_lot::Mutex;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that wait for a job.
static IDLE: Mutex<Vec<Sender<Job>>> = Mutex::new(Vec::new());

/// Runs `job` on a thread that is idle, or on a new one if all are busy. A panic of the job ends the job
/// alone.
///
/// # Errors
/// The system has no thread left.
pub fn run(job: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let mut job: Job = Box::new(job);
    // The lock is released before each send.
    while let Some(worker) = { IDLE.lock().pop() } {
        match worker.send(job) {
            Ok(()) => return Ok(()),
            Err(unsent) => job = unsent.0,
        }
    }
    thread::Builder::new().name("gaze-worker".to_owned()).spawn(move || {
        let (sender, jobs) = mpsc::channel::<Job>();
        let mut next = Some(job);
        while let Some(job) = next {
            // The panic has been printed; a thread that waits for the job's result sees its channel closed.
            let _ = catch_unwind(AssertUnwindSafe(job));
            IDLE.lock().push(sender.clone());
            next = jobs.recv().ok();
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::thread::ThreadId;

    use super::*;

    #[test]
    fn a_thread_is_used_again_and_survives_a_panic() {
        let (sender, ids) = mpsc::channel::<ThreadId>();
        let mut seen = Vec::new();
        for round in 0..20 {
            let sender = sender.clone();
            run(move || {
                sender.send(thread::current().id()).unwrap();
                assert!(round % 3 != 0, "a job that panics");
            })
            .unwrap();
            let id = ids.recv().unwrap();
            if !seen.contains(&id) {
                seen.push(id);
            }
            // Until it waits again; other tests may take it.
            thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(seen.len() < 10, "{} threads", seen.len());
    }
}
