//! Virtual methods of `gazeface`; [`super::stream`] processes the frames.
//!
//! Locks: any thread takes `settings`, `stats` and `provider`, to copy values in or out. The
//! streaming thread and its serialised events take `stream` and hold it over an inference, so it
//! guards nothing that another thread asks for. The element holds one lock at a time, and none while
//! it posts or pushes.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;
use parking_lot::Mutex;

use super::settings::{PROPERTIES, Settings};
use super::stream::{FaceStream, ProcessError};
use crate::core::face::detect::FaceDetector;
use crate::engine::Diagnostic;
use crate::plugin::model::Options;
use crate::plugin::nvidia_buffer::NvmmCaps;
use crate::plugin::picture_advice::PictureAdvice;
use crate::plugin::qos::{self, LateFrames, Lateness, QosGate};
use crate::plugin::stats::Stats;
use crate::plugin::{bus, format, model};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("gazeface", gst::DebugColorFlags::empty(), Some("Face detection"))
});

/// See [`super::GazeFace`].
#[derive(Default)]
pub struct GazeFace {
    settings: Mutex<Settings>,
    stats: Mutex<Stats>,
    provider: Mutex<String>,
    stream: Mutex<Option<FaceStream>>,
    qos_gate: QosGate,
    lateness: Lateness,
    late_frames: LateFrames,
    /// Whether the element has warned about a broken buffer since the start.
    broken_buffer_reported: AtomicBool,
    picture_advice: PictureAdvice,
}

#[glib::object_subclass]
impl ObjectSubclass for GazeFace {
    const NAME: &'static str = "GstGazeFace";
    type Type = super::GazeFace;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for GazeFace {
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
        if pspec.name() == "stats" {
            let provider = self.provider.lock().clone();
            return self.stats.lock().to_structure(&provider).to_value();
        }
        let value = PROPERTIES.get(&mut self.settings.lock(), pspec.name());
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
                "Finds the faces of a video with an ONNX model or the embedded detector, and attaches \
                 them as regions of interest",
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

    fn post_message(&self, message: gst::Message) -> bool {
        bus::log(*CAT, &*self.obj(), &message);
        self.parent_post_message(message)
    }
}

impl BaseTransformImpl for GazeFace {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings.lock().clone();
        let options = settings.options();
        let mut diagnostics = Vec::new();
        let opened = self.open(&settings, &options, &mut diagnostics).and_then(|detector| {
            let attributes = settings.stages.open(&options, &mut diagnostics)?;
            Ok((detector, attributes))
        });
        model::report(&*self.obj(), &diagnostics);
        let (detector, attributes) = opened?;
        *self.provider.lock() = detector.provider().to_owned();
        *self.stats.lock() = Stats::default();
        self.qos_gate.reset();
        self.lateness.reset();
        self.late_frames.reset();
        self.broken_buffer_reported.store(false, Ordering::Relaxed);
        self.picture_advice.reset();
        *self.stream.lock() = Some(FaceStream::new(detector, attributes));
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // Closing a session takes time, so it happens outside the lock.
        let stream = self.stream.lock().take();
        drop(stream);
        self.provider.lock().clear();
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _out: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "cannot read caps {incaps}"))?;
        gst::debug!(CAT, imp = self, "caps {incaps}");
        self.picture_advice.on_caps(self.obj().upcast_ref(), &info);
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
                self.with_stream(FaceStream::flush);
            }
            gst::EventView::StreamStart(_) => {
                self.qos_gate.forget_liveness();
                self.with_stream(FaceStream::flush);
            }
            _ => {}
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::Qos(qos) if self.qos_gate.lets_pass(&*self.obj(), qos) => {
                self.lateness.update(qos);
            }
            gst::EventView::Qos(_) => return true,
            gst::EventView::Latency(_) => self.qos_gate.forget_liveness(),
            _ => {}
        }
        self.parent_src_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        // Neutral content shows no face.
        if buffer.flags().contains(gst::BufferFlags::GAP) {
            return Ok(gst::FlowSuccess::Ok);
        }
        self.picture_advice.on_buffer(self.obj().upcast_ref(), buffer);
        let settings = self.settings.lock().frame;
        let running_time = qos::running_time(&*self.obj(), buffer);
        let late = if settings.qos { self.lateness.of(running_time) } else { None };
        let (outcome, advice) = {
            let mut stream = self.stream.lock();
            let stream = stream.as_mut().ok_or(gst::FlowError::Flushing)?;
            let outcome = stream.process(buffer, &settings, running_time, late.is_some());
            (outcome, stream.take_advice())
        };
        if let Some(advice) = advice {
            gst::element_imp_info!(self, gst::StreamError::Format, ("{advice}"));
        }
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return self.handle_error(&error),
        };
        let counts = {
            let mut stats = self.stats.lock();
            stats.count(&outcome);
            (stats.frames, stats.skipped)
        };
        if let Some(late) = late.filter(|_| outcome.reused) {
            let obj = self.obj();
            // Posting fails without a bus, as in a test harness.
            let _ = obj.post_message(qos::message(&*obj, buffer, late, counts));
            self.late_frames.count(&*obj, counts.0);
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl GazeFace {
    /// Opens the detector of the property `engine`, or the embedded one.
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
                "no 'engine' set: the embedded detector of frontal faces ({}) runs, in one thread of \
                 the CPU; it gives no landmarks",
                detector.name()
            );
            for name in settings.ignored_without_engine() {
                gst::element_imp_warning!(
                    self,
                    gst::LibraryError::Settings,
                    ("The embedded detector ignores '{name}': set 'engine' to a model, or leave \
                      '{name}' unset")
                );
            }
            return Ok(detector);
        };
        let detector = model::open_detector(engine, settings.input_size, options, diagnostics)?;
        gst::info!(
            CAT,
            imp = self,
            "'{engine}' is {} (recognised by its inputs and outputs), running on {}",
            detector.name(),
            detector.provider()
        );
        Ok(detector)
    }

    fn with_stream(&self, f: impl FnOnce(&mut FaceStream)) {
        if let Some(stream) = self.stream.lock().as_mut() {
            f(stream);
        }
    }

    /// Passes a broken buffer on, and ends the stream if a model fails.
    fn handle_error(&self, error: &ProcessError) -> Result<gst::FlowSuccess, gst::FlowError> {
        match error {
            ProcessError::Buffer(error) if error.is_lasting() => {
                gst::element_imp_error!(self, gst::ResourceError::NotFound, ("{error}"));
                Err(gst::FlowError::Error)
            }
            ProcessError::Buffer(error) => {
                // A broken source breaks every frame; one warning is enough.
                if self.broken_buffer_reported.swap(true, Ordering::Relaxed) {
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
            ProcessError::NotNegotiated => Err(gst::FlowError::NotNegotiated),
            ProcessError::Detect(_) | ProcessError::Attributes(_) | ProcessError::Meta(_) => {
                gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
                Err(gst::FlowError::Error)
            }
        }
    }
}
