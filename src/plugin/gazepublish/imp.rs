//! Properties, state and virtual methods of `gazepublish`.
//!
//! Locks: any thread takes `settings` and `counters`, to copy a value in or out. Start, stop,
//! the streaming thread and its events take `stream`. The element holds one lock at a time, and none
//! while it posts, pushes, queries or waits.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;
use parking_lot::Mutex;

use super::destination::Destination;
use super::frame_counter::FrameCounter;
use super::outage::{OutageLog, OutageSummary};
use super::output::Output;
use super::settings::{PROPERTIES, Settings};
use super::writer::{LineCounters, Notice, Writer};
use crate::core::json::{FrameStamp, frame_line};
use crate::plugin::bus;
use crate::plugin::format;
use crate::plugin::lost_results::LostResults;
use crate::plugin::meta::{attention, gaze};
use crate::plugin::qos::QosGate;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "gazepublish",
        gst::DebugColorFlags::empty(),
        Some("Gaze as JSON lines"),
    )
});

/// What the element does with results, for warnings.
const VERB: &str = "write";

/// See [`super::GazePublish`].
#[derive(Default)]
pub struct GazePublish {
    settings: Mutex<Settings>,
    stream: Mutex<Option<Stream>>,
    qos_gate: QosGate,
    lost_results: LostResults,
    /// The counts of the current or last run.
    counters: Mutex<Arc<LineCounters>>,
}

/// The state from start to stop.
struct Stream {
    writer: Arc<Writer>,
    counters: Arc<LineCounters>,
    frames: FrameCounter,
    /// Lines that a full queue dropped.
    slow_reader: OutageLog,
    /// Whether EOS has waited for the lines already.
    flushed: bool,
}

#[glib::object_subclass]
impl ObjectSubclass for GazePublish {
    const NAME: &'static str = "GstGazePublish";
    type Type = super::GazePublish;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for GazePublish {
    fn properties() -> &'static [glib::ParamSpec] {
        PROPERTIES.specs()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = PROPERTIES.set(&mut self.settings.lock(), pspec.name(), value);
        if let Err(reason) = result {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{reason}"));
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "written" => self.counters.lock().written().to_value(),
            "dropped" => self.counters.lock().dropped().to_value(),
            name => PROPERTIES
                .get(&mut self.settings.lock(), name)
                .unwrap_or_else(|| pspec.default_value().clone()),
        }
    }
}

impl GstObjectImpl for GazePublish {}

impl ElementImpl for GazePublish {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Gaze publisher",
                "Filter/Metadata/Video",
                "Writes the gaze of each face as JSON lines and passes the video on",
                env!("CARGO_PKG_REPOSITORY"),
            )
        });
        Some(&*METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| format::pad_templates(&gst::Caps::new_any()));
        &TEMPLATES
    }

    fn post_message(&self, message: gst::Message) -> bool {
        bus::log(*CAT, &*self.obj(), &message);
        self.parent_post_message(message)
    }
}

impl BaseTransformImpl for GazePublish {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings.lock().clone();
        let destination: Destination = settings
            .location
            .parse()
            .map_err(|error| gst::error_msg!(gst::ResourceError::Settings, ("{error}")))?;
        let output = Output::open(&destination, settings.file_options()).map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::OpenWrite,
                ("Cannot write to {:?}: {error}", settings.location)
            )
        })?;
        let counters = Arc::new(LineCounters::default());
        let capacity = settings.queue_size as usize;
        let writer =
            Writer::start(output, capacity, counters.clone(), self.notifier(settings.location))
                .map_err(|error| {
                    gst::error_msg!(
                        gst::ResourceError::Failed,
                        ("Cannot start the thread that writes lines: {error}")
                    )
                })?;
        // The base class does this only at the first caps; a stream without caps must pass too.
        self.obj().set_passthrough(true);
        self.qos_gate.reset();
        self.lost_results.reset();
        *self.counters.lock() = counters.clone();
        *self.stream.lock() = Some(Stream {
            writer: Arc::new(writer),
            counters,
            frames: FrameCounter::default(),
            slow_reader: OutageLog::default(),
            flushed: false,
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let Some(stream) = self.stream.lock().take() else { return Ok(()) };
        let timeout = self.settings.lock().flush_timeout();
        stream.writer.stop(if stream.flushed { Duration::ZERO } else { timeout });
        gst::info!(
            CAT,
            imp = self,
            "{} lines written, {} dropped",
            stream.counters.written(),
            stream.counters.dropped()
        );
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::Eos(_) => {
                self.lost_results.finish(&*self.obj(), VERB);
                self.flush();
            }
            // It arrives on another thread, while EOS may wait for the reader.
            gst::EventView::FlushStart(_) => {
                let writer = self.stream.lock().as_ref().map(|stream| stream.writer.clone());
                if let Some(writer) = writer {
                    writer.interrupt_flush();
                }
            }
            gst::EventView::FlushStop(_) => self.with_frames(FrameCounter::interrupt),
            gst::EventView::StreamStart(_) => {
                self.qos_gate.forget_liveness();
                self.lost_results.reset();
                self.with_frames(FrameCounter::interrupt);
            }
            gst::EventView::Caps(caps) => self.with_frames(|frames| frames.set_caps(caps.caps())),
            _ => {}
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        !self.qos_gate.take_src_event(&*self.obj(), &event, None) || self.parent_src_event(event)
    }

    fn transform_ip_passthrough(
        &self,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.publish(buffer).map(|()| gst::FlowSuccess::Ok)
    }
}

impl GazePublish {
    fn with_frames(&self, f: impl FnOnce(&mut FrameCounter)) {
        if let Some(stream) = self.stream.lock().as_mut() {
            f(&mut stream.frames);
        }
    }

    /// Queues the lines of one buffer.
    fn publish(&self, buffer: &gst::BufferRef) -> Result<(), gst::FlowError> {
        let add_empty_results = self.settings.lock().add_empty_results;
        let attention = attention::read(buffer);
        let judged = attention::source(buffer);
        let running_time = self.running_time(buffer);
        let latency = running_time
            // The time stamps of a live source tell when a frame was captured.
            .filter(|_| self.qos_gate.is_live(&*self.obj()))
            .and_then(|time| self.age(time));

        let mut guard = self.stream.lock();
        let stream = guard.as_mut().ok_or(gst::FlowError::Flushing)?;
        let (frame, lost) = stream.frames.count(buffer, running_time);
        let stamp = FrameStamp {
            frame,
            lost,
            pts: buffer.pts().map(gst::ClockTime::nseconds),
            running_time: running_time.map(gst::ClockTime::nseconds),
            latency: latency.map(gst::ClockTime::nseconds),
        };
        let mut result = Ok(true);
        let dropped_before = stream.counters.dropped();
        // Each frame of a batch gets a line. The attention belongs to one of them: to the first, unless
        // the metadata names a source.
        let mut faces = None;
        for (position, gaze) in gaze::read_batch(buffer).enumerate() {
            faces = faces.max(Some(gaze.faces.len()));
            if gaze.faces.is_empty() && !add_empty_results {
                continue;
            }
            stream.flushed = false;
            let is_judged = judged.map_or(position == 0, |source| source == gaze.source_id);
            let attention = attention.as_ref().filter(|_| is_judged);
            let write = |line: &mut Vec<u8>| frame_line::write_line(line, stamp, &gaze, attention);
            match stream.writer.offer(write) {
                Ok(true) => {}
                dropped_or_failed => result = dropped_or_failed,
            }
        }
        let change = stream.judge_reader(matches!(result, Ok(false)), dropped_before);
        drop(guard);

        self.lost_results.count(&*self.obj(), VERB, buffer, faces);
        match change {
            None => {}
            Some(ReaderChange::Slow { dropped }) => self.warn(&format!(
                "The reader is too slow: {dropped} lines dropped so far; raise queue-size or read faster"
            )),
            Some(ReaderChange::KeepsUp { dropped }) => {
                self.inform(&format!("The reader keeps up again; {dropped} lines were dropped"));
            }
        }
        if let Err(error) = result {
            gst::warning!(CAT, imp = self, "no line for frame {frame}: {error}");
        }
        Ok(())
    }

    fn running_time(&self, buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
        let segment = self.obj().segment();
        segment.downcast_ref::<gst::ClockTime>()?.to_running_time(buffer.pts()?)
    }

    /// How long ago the pipeline's clock showed this running time; `None` before that time.
    fn age(&self, running_time: gst::ClockTime) -> Option<gst::ClockTime> {
        self.obj().current_running_time()?.checked_sub(running_time)
    }

    /// Waits for the reader at EOS, and warns about lines that did not reach it.
    fn flush(&self) {
        let timeout = self.settings.lock().flush_timeout();
        let found = self.stream.lock().as_mut().map(|stream| {
            stream.flushed = true;
            (stream.writer.clone(), stream.counters.clone())
        });
        let Some((writer, counters)) = found else { return };
        let waiting = writer.flush(timeout);
        let (written, dropped) = (counters.written(), counters.dropped());
        if waiting > 0 || dropped > 0 {
            self.warn(&format!(
                "{written} lines written, {dropped} dropped, {waiting} not taken by the reader"
            ));
        }
    }

    /// Returns the callback of the writing thread, which must not keep the element alive.
    fn notifier(&self, location: String) -> impl FnMut(Notice) + Send + 'static {
        let element = self.obj().downgrade();
        move |notice| {
            let Some(element) = element.upgrade() else { return };
            let this = element.imp();
            match notice {
                Notice::Failed(error) => this.warn(&format!(
                    "Cannot write to {location:?}: {error}; lines are dropped until it works again"
                )),
                Notice::Restored(OutageSummary { failures, lasted, dropped }) => {
                    this.inform(&format!(
                        "Writing to {location:?} works again: {failures} attempts failed in {:.1} s, \
                         {dropped} lines dropped",
                        lasted.as_secs_f64()
                    ));
                }
                Notice::NotRotated(error) => this.warn(&format!(
                    "Cannot begin a new file for {location:?}: {error}; lines go on in the old one. \
                     Let the element rename files in that folder, or raise max-size-bytes"
                )),
            }
        }
    }

    fn warn(&self, text: &str) {
        gst::element_imp_warning!(self, gst::ResourceError::Write, ("{text}"));
    }

    fn inform(&self, text: &str) {
        gst::element_imp_info!(self, gst::ResourceError::Write, ("{text}"));
    }
}

/// What changed about the reader.
enum ReaderChange {
    /// It begins to be too slow.
    Slow { dropped: u64 },
    /// It keeps up again.
    KeepsUp { dropped: u64 },
}

impl Stream {
    /// Notes whether the queue was full for this frame, and how many lines were dropped before it.
    fn judge_reader(&mut self, dropped: bool, before: u64) -> Option<ReaderChange> {
        // The writing thread has told of the lines of an outage.
        if dropped && !self.writer.in_outage() {
            let begins = self.slow_reader.failed(Instant::now(), before);
            return begins.then(|| ReaderChange::Slow { dropped: self.counters.dropped() });
        }
        if dropped || !self.slow_reader.lasts() {
            return None;
        }
        let summary = self.slow_reader.worked(Instant::now(), before)?;
        Some(ReaderChange::KeepsUp { dropped: summary.dropped })
    }
}
