//! What is seen of the frames on their way in and out.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use gst::prelude::*;
use gstgaze::plugin::meta::gaze;

use super::measure::{Latencies, Progress, TENTHS};

/// The `offset` of a buffer that is no frame, or says that there is nothing in it.
pub const UNUSABLE: u64 = 1;

/// What the pads see.
#[derive(Default)]
pub struct Seen {
    pub out: AtomicU64,
    /// Frames that came out although there is nothing in them to look at.
    pub unusable: AtomicU64,
    pub results: AtomicU64,
    /// Results that came to the publisher. What a seek flushes away behind it has its line already.
    pub offered: AtomicU64,
    /// Results on such frames: carried, by elements that had no need to look.
    pub unusable_results: AtomicU64,
    pub faces: AtomicU64,
    pub gazes: AtomicU64,
    pub disorder: AtomicU64,
    /// The last stamp, or -1 where the next may be any.
    pub stamp: AtomicI64,
    pub timing: Mutex<Timing>,
}

#[derive(Default)]
pub struct Timing {
    pub entered: Option<Instant>,
    pub tenth: usize,
    pub latencies: [Latencies; TENTHS],
}

/// Looks at frames as they come to the first element, to the publisher and to the sink.
pub fn watch(
    [face, publish, sink]: [&gst::Element; 3],
    seen: &Arc<Seen>,
    progress: &Arc<Progress>,
) -> Result<(), String> {
    type Look = fn(&Seen, &gst::BufferRef, &Progress);
    let looks: [(&gst::Element, Look); 3] = [
        (face, |seen, _, progress| seen.entered(progress.tenth())),
        (publish, |seen, buffer, _| seen.offered(buffer)),
        (sink, |seen, buffer, _| seen.left(buffer)),
    ];
    for (element, look) in looks {
        let (seen, progress) = (seen.clone(), progress.clone());
        let pad = element.static_pad("sink").ok_or("no pad")?;
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer() {
                look(&seen, buffer, &progress);
            }
            gst::PadProbeReturn::Ok
        });
    }
    Ok(())
}

impl Seen {
    fn entered(&self, tenth: usize) {
        let mut timing = self.timing.lock().unwrap_or_else(PoisonError::into_inner);
        timing.tenth = tenth;
        timing.entered = Some(Instant::now());
    }

    fn offered(&self, buffer: &gst::BufferRef) {
        self.offered.fetch_add(gaze::read(buffer).is_some().into(), Ordering::Release);
    }

    fn left(&self, buffer: &gst::BufferRef) {
        {
            let mut timing = self.timing.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(entered) = timing.entered.take() {
                let tenth = timing.tenth;
                timing.latencies[tenth].add(entered.elapsed());
            }
        }
        let stamp = buffer.pts().map_or(-1, |pts| pts.nseconds() as i64);
        let last = self.stamp.swap(stamp, Ordering::AcqRel);
        if last >= 0 && stamp <= last {
            self.disorder.fetch_add(1, Ordering::Release);
        }
        let unusable = buffer.offset() == UNUSABLE;
        self.unusable.fetch_add(unusable.into(), Ordering::Release);
        if let Some(result) = gaze::read(buffer) {
            self.unusable_results.fetch_add(unusable.into(), Ordering::Release);
            let face = !result.faces.is_empty();
            let gaze = result.faces.iter().any(|face| face.gaze.is_some());
            self.faces.fetch_add(face.into(), Ordering::Release);
            self.gazes.fetch_add(gaze.into(), Ordering::Release);
            self.results.fetch_add(1, Ordering::Release);
        }
        // Last: a thread that waits for it finds all the rest counted.
        self.out.fetch_add(1, Ordering::Release);
    }
}
