//! Memory, processor time, threads and files of a process, from `/proc`.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use super::budgets::memory::MemoryRecord;

/// Ticks of `/proc/PID/stat` per second: `USER_HZ`, which Linux shows as 100 on every machine (man 5
/// proc).
const TICKS: f64 = 100.0;

/// Reads the usage of a process again and again.
pub struct ProcessWatch {
    folder: PathBuf,
    begin: Instant,
    usage: ProcessUsage,
}

/// What a process uses.
#[derive(Debug, Default)]
pub struct ProcessUsage {
    /// Resident memory over time.
    pub memory: MemoryRecord,
    /// Processor time in seconds, over all cores.
    pub cpu_seconds: f64,
    /// Seconds of observation.
    pub seconds: f64,
    /// Threads at the end, and their maximum.
    pub threads: (u64, u64),
    /// Open files at the end, and their maximum.
    pub files: (u64, u64),
}

impl ProcessWatch {
    /// Watches the process with this number.
    pub fn new(pid: u32) -> Self {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        Self { folder, begin: Instant::now(), usage: ProcessUsage::default() }
    }

    /// Reads once. A process that ends shows nothing.
    pub fn read(&mut self) {
        let seconds = self.begin.elapsed().as_secs_f64();
        let file = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let (status, stat) = (file("status"), file("stat"));
        let Some(kilobytes) = field(&status, "VmRSS:") else { return };
        self.usage.memory.add(seconds, kilobytes as f64 * 1024.0 / 1e6);
        self.usage.seconds = seconds;
        if let Some(ticks) = ticks(&stat) {
            self.usage.cpu_seconds = ticks as f64 / TICKS;
        }
        if let Some(threads) = field(&status, "Threads:") {
            self.usage.threads = (threads, self.usage.threads.1.max(threads));
        }
        if let Ok(files) = fs::read_dir(self.folder.join("fd")) {
            let files = files.count() as u64;
            self.usage.files = (files, self.usage.files.1.max(files));
        }
    }

    /// The usage.
    pub fn end(self) -> ProcessUsage {
        self.usage
    }
}

/// The number behind a name of `/proc/PID/status`.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time of `/proc/PID/stat`: its 14th and 15th field. The second, the name of the
/// program, is in brackets and may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_threads_and_files() {
        let mut watch = ProcessWatch::new(std::process::id());
        watch.read();
        watch.read();
        let usage = watch.end();
        let (_, megabytes) = usage.memory.last().expect("this process has memory");
        assert!(megabytes > 1.0 && usage.memory.max() >= megabytes);
        assert!(usage.threads.0 >= 1 && usage.files.1 >= 3, "{usage:?}");
        let mut gone = ProcessWatch::new(u32::MAX);
        gone.read();
        assert!(gone.end().memory.last().is_none());
    }

    #[test]
    fn names_may_hold_anything() {
        let stat = "7 (a) b 1 2 ) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 9 0 1";
        assert_eq!(ticks(stat), Some(200));
        assert_eq!(ticks("7 (cut"), None);
        assert_eq!(field("Name:\tVmRSS: 3\nVmRSS:\t  1234 kB\n", "VmRSS:"), Some(1234));
    }
}
