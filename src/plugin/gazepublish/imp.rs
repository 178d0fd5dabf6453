//! Properties, state and virtual methods of `gazepublish`.
//!
//! `settings` is held for a copy only, and so is `live`; `stream` is touched by start, stop, the
//! streaming thread and its EOS. No two are held together, and nothing is posted, pushed, asked or
//! waited for under any.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gst::glib;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use super::settings::{self, Settings};
use super::sink::Location;
use super::writer::{Counters, Notice, Writer};
use crate::core::json::{FrameStamp, frame_line};
use crate::plugin::format;
use crate::plugin::meta::{attention, gaze};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "gazepublish",
        gst::DebugColorFlags::empty(),
        Some("Writes gaze as JSON lines"),
    )
});

/// Dropped lines are said no more often than this.
const WARNING_INTERVAL: Duration = Duration::from_secs(5);

/// The element's data.
#[derive(Default)]
pub struct GazePublish {
    settings: Mutex<Settings>,
    stream: Mutex<Option<Stream>>,
    /// Whether the stream is live; asked for at the first buffer, and again when that may change.
    live: Mutex<Option<bool>>,
    /// Those of the current or last run.
    counters: Mutex<Arc<Counters>>,
}

/// From start to stop.
struct Stream {
    writer: Arc<Writer>,
    counters: Arc<Counters>,
    /// Number of the next frame.
    frame: u64,
    last_warning: Option<Instant>,
    /// The lines of this stream were waited for at EOS already.
    flushed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[glib::object_subclass]
impl ObjectSubclass for GazePublish {
    const NAME: &'static str = "GstGazePublish";
    type Type = super::GazePublish;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for GazePublish {
    fn properties() -> &'static [glib::ParamSpec] {
        settings::properties()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        lock(&self.settings).set(pspec.name(), value);
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "written" => lock(&self.counters).written().to_value(),
            "dropped" => lock(&self.counters).dropped().to_value(),
            name => lock(&self.settings).get(name).unwrap_or_else(|| pspec.default_value().clone()),
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
                "Writes where each face looks as JSON lines and passes the video on",
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
}

impl BaseTransformImpl for GazePublish {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let location: Location = settings
            .location
            .parse()
            .map_err(|error| gst::error_msg!(gst::ResourceError::Settings, ("{error}")))?;
        let sink = location.open(settings.append).map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::OpenWrite,
                ("Cannot write to {:?}: {error}", settings.location)
            )
        })?;
        let counters = Arc::new(Counters::default());
        let capacity = settings.queue_size as usize;
        let writer =
            Writer::start(sink, capacity, counters.clone(), self.notifier(settings.location))
                .map_err(|error| {
                    gst::error_msg!(
                        gst::ResourceError::Failed,
                        ("Cannot start the writing thread: {error}")
                    )
                })?;
        // Otherwise known only from the first caps on; a stream without caps shall pass as well.
        self.obj().set_passthrough(true);
        *lock(&self.live) = None;
        *lock(&self.counters) = counters.clone();
        *lock(&self.stream) = Some(Stream {
            writer: Arc::new(writer),
            counters,
            frame: 0,
            last_warning: None,
            flushed: false,
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let Some(stream) = lock(&self.stream).take() else { return Ok(()) };
        let timeout = lock(&self.settings).flush_timeout;
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
        match event.type_() {
            gst::EventType::Eos => self.flush(),
            // Comes from another thread while EOS may wait for the reader.
            gst::EventType::FlushStart => {
                let writer = lock(&self.stream).as_ref().map(|stream| stream.writer.clone());
                if let Some(writer) = writer {
                    writer.interrupt_flush();
                }
            }
            gst::EventType::StreamStart => *lock(&self.live) = None,
            _ => {}
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        // Comes when the latency is distributed anew: a source may have become live.
        if event.type_() == gst::EventType::Latency {
            *lock(&self.live) = None;
        }
        self.parent_src_event(event)
    }

    fn transform_ip_passthrough(
        &self,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.publish(buffer).map(|()| gst::FlowSuccess::Ok)
    }
}

impl GazePublish {
    /// Queues the lines of one buffer.
    fn publish(&self, buffer: &gst::BufferRef) -> Result<(), gst::FlowError> {
        let add_empty_results = lock(&self.settings).add_empty_results;
        let attention = attention::read(buffer);
        let judged = attention::source(buffer);
        let running_time = self.running_time(buffer);
        let latency = running_time.filter(|_| self.is_live()).and_then(|time| self.since(time));

        let mut guard = lock(&self.stream);
        let stream = guard.as_mut().ok_or(gst::FlowError::Flushing)?;
        let frame = stream.frame;
        stream.frame += 1;
        let stamp = FrameStamp {
            frame,
            pts: buffer.pts().map(gst::ClockTime::nseconds),
            running_time: running_time.map(gst::ClockTime::nseconds),
            latency: latency.map(gst::ClockTime::nseconds),
        };
        let mut result = Ok(true);
        // A batch has a line for each of its frames, and the driver is in one of them: in the first
        // where nobody says.
        for (position, gaze) in gaze::read_batch(buffer).enumerate() {
            if gaze.faces.is_empty() && !add_empty_results {
                continue;
            }
            stream.flushed = false;
            let is_judged = judged.map_or(position == 0, |source| source == gaze.source_id);
            let attention = attention.as_ref().filter(|_| is_judged);
            let write =
                |line: &mut Vec<u8>| frame_line::write_line_with(line, stamp, &gaze, attention);
            match stream.writer.offer(write) {
                Ok(true) => {}
                dropped_or_failed => result = dropped_or_failed,
            }
        }
        let dropped =
            (matches!(result, Ok(false)) && stream.may_warn()).then(|| stream.counters.dropped());
        drop(guard);

        if let Some(dropped) = dropped {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Write,
                ("The reader is too slow: {dropped} lines dropped so far"),
                ["Raise queue-size, or read faster"]
            );
        }
        if let Err(error) = result {
            gst::warning!(CAT, imp = self, "Frame {frame} has no line: {error}");
        }
        Ok(())
    }

    fn running_time(&self, buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
        let segment = self.obj().segment();
        segment.downcast_ref::<gst::ClockTime>()?.to_running_time(buffer.pts()?)
    }

    /// Whether frames come as they happen, so that their stamps tell when they were captured.
    fn is_live(&self) -> bool {
        if let Some(live) = *lock(&self.live) {
            return live;
        }
        let mut query = gst::query::Latency::new();
        let live = self.obj().sink_pad().peer_query(&mut query) && query.result().0;
        *lock(&self.live) = Some(live);
        live
    }

    /// How long ago the pipeline's clock showed this running time; `None` before it does.
    fn since(&self, running_time: gst::ClockTime) -> Option<gst::ClockTime> {
        self.obj().current_running_time()?.checked_sub(running_time)
    }

    /// Waits for the reader at EOS, and says what it did not get.
    fn flush(&self) {
        let timeout = lock(&self.settings).flush_timeout;
        let found = lock(&self.stream).as_mut().map(|stream| {
            stream.flushed = true;
            (stream.writer.clone(), stream.counters.clone())
        });
        let Some((writer, counters)) = found else { return };
        let waiting = writer.flush(timeout);
        let (written, dropped) = (counters.written(), counters.dropped());
        if waiting > 0 || dropped > 0 {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Write,
                ("{written} lines written, {dropped} dropped, {waiting} not taken by the reader")
            );
        }
    }

    /// What the writing thread calls; it must not keep the element alive.
    fn notifier(&self, location: String) -> impl FnMut(Notice) + Send + 'static {
        let element = self.obj().downgrade();
        move |notice| {
            let Some(element) = element.upgrade() else { return };
            match notice {
                Notice::Lost(error) => gst::element_warning!(
                    element,
                    gst::ResourceError::Write,
                    ("Cannot write to {location:?}: {error}"),
                    ["Lines are dropped until it works again"]
                ),
                Notice::Restored => {
                    gst::info!(CAT, obj = element, "Lines are written to {location:?} again");
                }
            }
        }
    }
}

impl Stream {
    fn may_warn(&mut self) -> bool {
        let due = self.last_warning.is_none_or(|last| last.elapsed() >= WARNING_INTERVAL);
        if due {
            self.last_warning = Some(Instant::now());
        }
        due
    }
}
