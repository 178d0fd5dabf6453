//! A hundred times from READY to PLAYING and back: everything comes, everything goes.
//!
//! In a test program of its own, because it watches the memory of the whole process.
#![cfg(feature = "plugin")]

mod common;

use common::element::runtime;
use gst::prelude::*;

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Open file descriptors and threads of this process.
fn handles() -> (usize, usize) {
    let count = |path| std::fs::read_dir(path).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

#[test]
fn a_hundred_cycles_in_flat_memory() {
    if !runtime("a_hundred_cycles_in_flat_memory") {
        return;
    }
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc is-live=false ! video/x-raw,format=NV12,width=320,height=240 ! gazeinfer \
         engine={} profile={} ! fakesink sync=false",
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    ))
    .unwrap()
    .downcast::<gst::Pipeline>()
    .unwrap();
    let bus = pipeline.bus().unwrap();
    let cycle = || {
        pipeline.set_state(gst::State::Playing).unwrap();
        let (reached, ..) = pipeline.state(gst::ClockTime::from_seconds(20));
        reached.unwrap();
        pipeline.set_state(gst::State::Ready).unwrap();
        let (reached, ..) = pipeline.state(gst::ClockTime::from_seconds(20));
        reached.unwrap();
        if let Some(error) = bus.pop_filtered(&[gst::MessageType::Error]) {
            panic!("{error:?}");
        }
    };
    // Allocators, thread pools and caches fill up at first.
    (0..20).for_each(|_| cycle());
    let (memory, (files, threads)) = (resident(), handles());
    (0..100).for_each(|_| cycle());
    // GStreamer ends idle threads of its pool a moment later.
    for _ in 0..100 {
        if handles().1 <= threads {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let (after, (files_after, threads_after)) = (resident(), handles());
    let grown = after.saturating_sub(memory);
    println!("100 cycles: {} kB -> {} kB", memory / 1024, after / 1024);
    // A leak of one session would be a megabyte per cycle and more; one of this model's
    // tensors still half a megabyte in all. The allocator's own noise is below that.
    assert!(grown < 2 << 20, "resident memory grew by {grown} bytes in 100 cycles");
    assert!(files_after <= files, "{files} -> {files_after} open files");
    assert!(threads_after <= threads, "{threads} -> {threads_after} threads");
    pipeline.set_state(gst::State::Null).unwrap();
}
