//! What the kernel says of this process.

/// Resident memory in bytes.
pub fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    // The page size of every Linux that GStreamer's packages are for.
    pages * 4096
}

/// Open file descriptors and threads.
pub fn handles() -> (usize, usize) {
    let count = |path| std::fs::read_dir(path).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}
