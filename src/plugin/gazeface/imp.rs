//! Virtual methods of `gazeface`; what is done with a frame is in [`super::stream`].
//!
//! Locks: `settings` (any thread, held to copy out), `stats` and `provider` (any thread, held to
//! count), `stream` (streaming thread and its serialised events; held over an inference, so nothing
//! that another thread may ask for lives behind it). No two are held together, and none while
//! something is posted or pushed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;

use super::settings::{PROPERTIES, Settings};
use super::stream::{FrameFault, Stream};
use crate::core::face::detect::FaceDetector;
use crate::engine::Diagnostic;
use crate::plugin::model::Options;
use crate::plugin::nvidia_buffer::NvmmCaps;
use crate::plugin::qos::{self, Lateness};
use crate::plugin::stats::Stats;
use crate::plugin::{format, lock, model, stats};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("gazeface", gst::DebugColorFlags::empty(), Some("Face detection"))
});

/// See [`super::GazeFace`].
#[derive(Default)]
pub struct GazeFace {
    settings: Mutex<Settings>,
    stats: Mutex<Stats>,
    provider: Mutex<String>,
    stream: Mutex<Option<Stream>>,
    lateness: Lateness,
    /// Whether a broken buffer was spoken of since the start.
    broken_buffer: AtomicBool,
}

#[glib::object_subclass]
impl ObjectSubclass for GazeFace {
    const NAME: &'static str = "GstGazeFace";
    type Type = super::GazeFace;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for GazeFace {
    fn properties() -> &'static [glib::ParamSpec] {
        static ALL: LazyLock<Vec<glib::ParamSpec>> =
            LazyLock::new(|| PROPERTIES.iter().cloned().chain([stats::property()]).collect());
        &ALL
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = lock(&self.settings).set(pspec.name(), value);
        if let Err(reason) = result {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{reason}"));
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        if pspec.name() == "stats" {
            let provider = lock(&self.provider).clone();
            return lock(&self.stats).to_structure(&provider).to_value();
        }
        let value = lock(&self.settings).get(pspec.name());
        value.unwrap_or_else(|| pspec.default_value().clone())
    }
}

impl GstObjectImpl for GazeFace {}

impl ElementImpl for GazeFace {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Face detector",
                "Filter/Analyzer/Video",
                "Finds the faces of a video with an ONNX model or with the embedded detector, and \
                 attaches them as regions of interest",
                "The gst-plugin-gaze authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| format::pad_templates(&format::readable_caps()));
        &TEMPLATES
    }
}

impl BaseTransformImpl for GazeFace {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let options = settings.options();
        let mut diagnostics = Vec::new();
        let opened = self.open(&settings, &options, &mut diagnostics).and_then(|detector| {
            let attributes = settings.stages.open(&options, &mut diagnostics)?;
            Ok((detector, attributes))
        });
        model::report(&*self.obj(), &diagnostics);
        let (detector, attributes) = opened?;
        *lock(&self.provider) = detector.provider().to_owned();
        *lock(&self.stats) = Stats::default();
        self.lateness.reset();
        self.broken_buffer.store(false, Ordering::Relaxed);
        *lock(&self.stream) = Some(Stream::new(detector, attributes));
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // Taken out first: closing a session takes its time, and nobody should wait for it.
        let stream = lock(&self.stream).take();
        drop(stream);
        lock(&self.provider).clear();
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _out: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "cannot read caps {incaps}"))?;
        gst::debug!(CAT, imp = self, "caps {incaps}");
        self.with_stream(|stream| stream.set_info(info, NvmmCaps::of(incaps)));
        Ok(())
    }

    fn propose_allocation(
        &self,
        decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        self.parent_propose_allocation(decide_query, query)?;
        format::refuse_crop(query);
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::FlushStop(_) => {
                self.lateness.reset();
                self.with_stream(Stream::flush);
            }
            gst::EventView::StreamStart(_) => self.with_stream(Stream::flush),
            _ => {}
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if let gst::EventView::Qos(qos) = event.view() {
            self.lateness.update(qos);
        }
        self.parent_src_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        // Neutral content: there is nobody in it.
        if buffer.flags().contains(gst::BufferFlags::GAP) {
            return Ok(gst::FlowSuccess::Ok);
        }
        let settings = lock(&self.settings).frame;
        let running_time = qos::running_time(&*self.obj(), buffer);
        let late = if settings.qos { self.lateness.of(running_time) } else { None };
        let outcome = {
            let mut stream = lock(&self.stream);
            let stream = stream.as_mut().ok_or(gst::FlowError::Flushing)?;
            stream.process(buffer, &settings, running_time, late.is_some())
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(fault) => return self.fault(&fault),
        };
        let counts = {
            let mut stats = lock(&self.stats);
            stats.count(&outcome);
            (stats.frames, stats.skipped)
        };
        if let Some(late) = late.filter(|_| outcome.carried) {
            let obj = self.obj();
            // An element without a bus (a harness) has nobody to tell.
            let _ = obj.post_message(qos::message(&*obj, buffer, late, counts));
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl GazeFace {
    /// Opens the detector that the settings name.
    fn open(
        &self,
        settings: &Settings,
        options: &Options,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<FaceDetector, gst::ErrorMessage> {
        let Some(engine) = settings.engine.as_deref() else {
            let detector = model::open_embedded(settings.input_size)?;
            gst::info!(
                CAT,
                imp = self,
                "no 'engine': the embedded detector of frontal faces ({}) looks for them, on the \
                 CPU and in one thread; it gives no landmarks",
                detector.name()
            );
            for name in settings.unused_without_engine() {
                gst::element_imp_warning!(
                    self,
                    gst::LibraryError::Settings,
                    ("'{name}' says nothing to the embedded detector: set 'engine' to a model, or \
                      leave '{name}' alone")
                );
            }
            return Ok(detector);
        };
        let detector = model::open_detector(engine, settings.input_size, options, diagnostics)?;
        gst::info!(
            CAT,
            imp = self,
            "'{engine}' is {} (guessed by its inputs and outputs), running on {}",
            detector.name(),
            detector.provider()
        );
        Ok(detector)
    }

    fn with_stream(&self, f: impl FnOnce(&mut Stream)) {
        if let Some(stream) = lock(&self.stream).as_mut() {
            f(stream);
        }
    }

    /// One broken buffer does not end the stream; a model that does not run does.
    fn fault(&self, fault: &FrameFault) -> Result<gst::FlowSuccess, gst::FlowError> {
        match fault {
            FrameFault::Buffer(error) if error.is_lasting() => {
                gst::element_imp_error!(self, gst::ResourceError::NotFound, ("{error}"));
                Err(gst::FlowError::Error)
            }
            FrameFault::Buffer(error) => {
                // A source that is broken is so for every frame; the bus hears of it once.
                if self.broken_buffer.swap(true, Ordering::Relaxed) {
                    gst::debug!(CAT, imp = self, "frame passed on without faces: {error}");
                } else {
                    gst::element_imp_warning!(
                        self,
                        gst::StreamError::Decode,
                        ("Frame passed on without faces: {error}")
                    );
                }
                Ok(gst::FlowSuccess::Ok)
            }
            FrameFault::NotNegotiated => Err(gst::FlowError::NotNegotiated),
            FrameFault::Detect(_) | FrameFault::Attributes(_) | FrameFault::Meta(_) => {
                gst::element_imp_error!(self, gst::LibraryError::Failed, ("{fault}"));
                Err(gst::FlowError::Error)
            }
        }
    }
}
