//! One stream: the pipeline, and what is pushed into it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::faults::{FAULTS, Fault};
use super::ledger::Ledger;
use super::materials::{Engine, Materials};
use super::measure::Progress;
use super::pictures::Pictures;
use super::reader::Reader;
use super::seen::{Seen, UNUSABLE, watch};

/// What cannot take longer on the slowest machine; nothing that is measured.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Frames after a fault by which a gaze must have come again.
const RECOVERY: u64 = 120;

/// Frames between two looks at the bus, and lines that may be under way.
const LOOK: u64 = 64;
const UNDER_WAY: u64 = 256;

/// Lines that the publisher keeps for its reader.
pub const QUEUE: u64 = 1024;

/// A frame of 30 a second.
pub const FRAME: gst::ClockTime = gst::ClockTime::from_nseconds(33_333_333);

/// A stream that runs.
pub struct Stream<'a> {
    pub materials: &'a Materials,
    pub pipeline: gst::Pipeline,
    pub bus: gst::Bus,
    pub sources: [gst_app::AppSrc; 2],
    pub selector: gst::Element,
    pub elements: [gst::Element; 3],
    pub reader: Reader,
    pub seen: Arc<Seen>,
    pub progress: Arc<Progress>,
    pub ledger: Ledger,
    pub source: usize,
    pub kind: usize,
    /// Pushed since it began, and the next frame of the ring.
    pub position: u64,
    pub stamp: gst::ClockTime,
    /// Lines are not waited for.
    pub reader_away: bool,
    pub eos: bool,
    pub refused_starts: u64,
}

pub fn count(of: &AtomicU64) -> u64 {
    of.load(Ordering::Acquire)
}

impl<'a> Stream<'a> {
    /// Builds the pipeline and plays.
    pub fn start(
        number: usize,
        materials: &'a Materials,
        socket: &Path,
        progress: Arc<Progress>,
    ) -> Result<Self, String> {
        let source = "is-live=false format=time block=true stream-type=seekable max-buffers=4 \
                      max-bytes=0";
        let description = format!(
            "input-selector name=selector sync-streams=false \
             appsrc name=first {source} ! selector. appsrc name=second {source} ! selector. \
             selector. ! gazeface name=face inference-interval=9 ! \
             gazeinfer name=infer engine=\"{}\" engine-reload=property threads=1 \
             reclassify-interval=9 ! gazemonitor rules=euroncap-2026 zones=left-hand-drive \
             speed=80 ! gazeoverlay ! gazepublish name=publish location=\"unix:{}\" \
             add-empty-results=true queue-size={QUEUE} ! fakesink name=sink sync=false",
            materials.engine(Engine::Main),
            socket.display()
        );
        let pipeline = gst::parse::launch(&description).map_err(|why| why.to_string())?;
        let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| "no pipeline")?;
        let element = |name: &str| pipeline.by_name(name).ok_or(format!("no {name}"));
        let source = |name| {
            let source = element(name)?.downcast::<gst_app::AppSrc>();
            let source = source.map_err(|_| "no appsrc".to_owned())?;
            source
                .set_callbacks(gst_app::AppSrcCallbacks::builder().seek_data(|_, _| true).build());
            Ok::<_, String>(source)
        };
        let seen = Arc::new(Seen::default());
        seen.stamp.store(-1, Ordering::Release);
        let (face, publish, sink) = (element("face")?, element("publish")?, element("sink")?);
        watch([&face, &publish, &sink], &seen, &progress)?;
        let mut stream = Self {
            materials,
            bus: pipeline.bus().ok_or("no bus")?,
            sources: [source("first")?, source("second")?],
            selector: element("selector")?,
            elements: [face, element("infer")?, publish],
            pipeline: pipeline.clone(),
            reader: Reader::listen(socket)?,
            seen,
            progress,
            ledger: Ledger::default(),
            source: number % 2,
            kind: 0,
            position: 0,
            stamp: gst::ClockTime::ZERO,
            reader_away: false,
            eos: false,
            refused_starts: 0,
        };
        stream.play()?;
        Ok(stream)
    }

    /// Frames that were pushed.
    pub fn frames(&self) -> u64 {
        self.ledger.pushed
    }

    /// The kind of frames that flows.
    pub fn pictures(&self) -> &'a Pictures {
        &self.materials.pictures[self.source][self.kind]
    }

    /// The next frame with a face.
    pub fn next_face(&mut self) -> gst::Buffer {
        let frames = &self.pictures().frames;
        self.position += 1;
        frames[self.position as usize % frames.len()].copy()
    }

    pub fn push_face(&mut self) -> Result<(), String> {
        let buffer = self.next_face();
        self.push(buffer)
    }

    /// A frame that no element can read.
    pub fn push_unusable(&mut self, mut buffer: gst::Buffer) -> Result<(), String> {
        buffer.make_mut().set_offset(UNUSABLE);
        self.push(buffer)
    }

    pub fn push_discont(&mut self) -> Result<(), String> {
        let mut buffer = self.next_face();
        buffer.make_mut().set_flags(gst::BufferFlags::DISCONT);
        self.push(buffer)
    }

    /// Two frames with one stamp, or the later one first.
    pub fn push_pair(&mut self, same: bool) -> Result<(), String> {
        let stamps = if same { [0, 0] } else { [1, 0] };
        let base = self.stamp;
        self.settle()?;
        for offset in stamps {
            // The check of the order begins anew.
            self.settle()?;
            self.seen.stamp.store(-1, Ordering::Release);
            self.stamp = base + FRAME * offset;
            self.push_face()?;
        }
        self.stamp = base + 2 * FRAME;
        Ok(())
    }

    /// Pushes a frame with the next stamp, and sees to the bus and the reader now and then.
    pub fn push(&mut self, mut buffer: gst::Buffer) -> Result<(), String> {
        {
            let buffer = buffer.make_mut();
            buffer.set_pts(self.stamp);
            buffer.set_duration(FRAME);
        }
        self.stamp += FRAME;
        let flow = self.sources[self.source].push_buffer(buffer);
        flow.map_err(|why| format!("a frame was refused: {why:?}, {}", self.last_words()))?;
        self.ledger.pushed += 1;
        self.progress.frame();
        if self.ledger.pushed.is_multiple_of(LOOK) {
            self.look()?;
            let behind = |stream: &Self| {
                let read = stream.reader.counts().0 + stream.dropped();
                stream.reader_away || count(&stream.seen.offered) <= read + UNDER_WAY
            };
            self.wait("the reader to catch up", behind)?;
        }
        Ok(())
    }

    /// So many frames with a face.
    pub fn steady(&mut self, frames: u64) -> Result<(), String> {
        (0..frames).try_for_each(|_| self.push_face())
    }

    /// Lets a fault happen; afterwards all must be well again.
    pub fn fault(&mut self, fault: &Fault, round: u64) -> Result<(), String> {
        let place = FAULTS.iter().position(|known| known.name == fault.name).unwrap_or_default();
        self.ledger.faults[place].0 += 1;
        let within = |why| format!("'{}' in round {round}: {why}", fault.name);
        (fault.happen)(self, round).map_err(within)?;
        self.settle().map_err(within)?;
        let before = count(&self.seen.gazes);
        for _ in 0..RECOVERY {
            self.push_face().map_err(within)?;
            if count(&self.seen.gazes) > before {
                break;
            }
        }
        self.settle().map_err(within)?;
        if count(&self.seen.gazes) == before {
            return Err(within(format!("no gaze for {RECOVERY} frames afterwards")));
        }
        self.ledger.faults[place].1 += 1;
        Ok(())
    }

    /// Lets the source and the kind of frames that are set flow.
    pub fn select(&mut self) -> Result<(), String> {
        let source = &self.sources[self.source];
        source.set_caps(Some(&self.pictures().caps));
        let pad = source.static_pad("src").and_then(|pad| pad.peer()).ok_or("no selector")?;
        self.selector.set_property("active-pad", &pad);
        Ok(())
    }

    /// Plays, from where it is.
    pub fn play(&mut self) -> Result<(), String> {
        self.seen.stamp.store(-1, Ordering::Release);
        self.select()?;
        self.pipeline.set_state(gst::State::Playing).map_err(|_| self.last_words())?;
        Ok(())
    }

    /// Dropped lines of this run and those before it.
    fn dropped(&self) -> u64 {
        self.ledger.dropped + self.elements[2].property::<u64>("dropped")
    }

    /// Waits until all frames are out and all lines are read.
    pub fn settle(&mut self) -> Result<(), String> {
        self.wait("the frames to come out", |stream| {
            count(&stream.seen.out) + stream.ledger.flushed >= stream.ledger.pushed
        })?;
        self.wait("the lines to be read", |stream| {
            let read = stream.reader.counts().0 + stream.dropped();
            stream.reader_away || read >= count(&stream.seen.offered)
        })?;
        self.look()
    }

    fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        let begin = Instant::now();
        while !done(self) {
            if begin.elapsed() > PATIENCE {
                let books = self.books();
                return Err(format!(
                    "waited in vain for {what}: {} pushed, {} flushed, {} out, {} results, {} \
                     lines, {} dropped; {}",
                    books.pushed,
                    books.flushed,
                    books.out,
                    books.results,
                    books.lines,
                    self.dropped(),
                    self.last_words()
                ));
            }
            std::thread::sleep(Duration::from_micros(200));
            self.look()?;
        }
        Ok(())
    }

    fn books(&self) -> Ledger {
        let mut ledger = self.ledger.clone();
        let seen = &self.seen;
        ledger.out = count(&seen.out);
        ledger.results = count(&seen.results);
        ledger.offered = count(&seen.offered);
        ledger.unusable = count(&seen.unusable);
        ledger.unusable_results = count(&seen.unusable_results);
        (ledger.faces, ledger.gazes) = (count(&seen.faces), count(&seen.gazes));
        ledger.disorder = count(&seen.disorder);
        (ledger.lines, ledger.broken_lines) = self.reader.counts();
        let timing = seen.timing.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.latencies = timing.latencies.clone();
        ledger
    }

    /// Ends the stream for good.
    pub fn end(&mut self) -> Result<Ledger, String> {
        self.end_of_stream()?;
        self.stop(gst::State::Null)?;
        // The end is none of the restarts.
        self.ledger.restarts -= 1;
        Ok(self.books())
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        // Of a stream that failed; one that ended is there already.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
