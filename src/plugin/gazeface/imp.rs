//! Virtual methods of `gazeface`; [`super::stream`] processes the frames.
//!
//! Locks: any thread takes `settings`, `stats` and `provider`, to copy values in or out. The
//! streaming thread and its serialised events take `stream` and hold it over an inference, so it
//! guards nothing that another thread asks for. The element holds one lock at a time, and none while
//! it posts or pushes.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;
use parking_lot::Mutex;

use super::settings::{PROPERTIES, Settings};
use super::stream::{FaceStream, ProcessError};
use crate::core::face::detect::FaceDetector;
use crate::engine::Diagnostic;
use crate::plugin::latency::{self, MeasuredLatency};
use crate::plugin::model::Options;
use crate::plugin::nvidia_buffer::NvmmCaps;
use crate::plugin::orientation::{self, Orientation};
use crate::plugin::picture::{Picture, Reuse};
use crate::plugin::picture_advice::PictureAdvice;
use crate::plugin::qos::{self, LateFrames, Lateness, QosGate};
use crate::plugin::stats::Stats;
use crate::plugin::time_warnings::TimeWarnings;
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
    time_warnings: TimeWarnings,
    orientation: Orientation,
    latency: MeasuredLatency,
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
        if pspec.name() == latency::PROPERTY && self.latency.is_live() {
            latency::post(&*self.obj());
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
        self.time_warnings.reset();
        self.orientation.reset();
        self.latency.reset();
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

    fn query(&self, direction: gst::PadDirection, query: &mut gst::QueryRef) -> bool {
        if !BaseTransformImplExt::parent_query(self, direction, query) {
            return false;
        }
        if direction == gst::PadDirection::Src
            && let gst::QueryViewMut::Latency(query) = query.view_mut()
        {
            let measured = self.settings.lock().latency_report;
            self.latency.answer(query, measured, gst::ClockTime::ZERO);
        }
        true
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        self.orientation.take_event(&event);
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
        let passes = self.qos_gate.take_src_event(&*self.obj(), &event, Some(&self.lateness));
        !passes || self.parent_src_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let begin = Instant::now();
        let picture = Picture::of(buffer);
        if picture == Picture::Absent {
            return Ok(gst::FlowSuccess::Ok);
        }
        self.picture_advice.on_buffer(self.obj().upcast_ref(), buffer);
        self.warn_unturned();
        let repeated = picture == Picture::Repeated;
        let settings = self.settings.lock().frame;
        let running_time = qos::running_time(&*self.obj(), buffer);
        let qos = settings.qos && !repeated;
        let late = if qos { self.lateness.of(running_time) } else { None };
        let (outcome, advice, time_fault) = {
            let mut stream = self.stream.lock();
            let stream = stream.as_mut().ok_or(gst::FlowError::Flushing)?;
            if repeated && !stream.has_faces() {
                return Ok(gst::FlowSuccess::Ok);
            }
            let reuse = Reuse { late: late.is_some(), repeated };
            let outcome = stream.process(buffer, &settings, running_time, reuse);
            let time_fault = stream.take_time_fault().filter(|_| settings.tracking);
            (outcome, stream.take_advice(), time_fault)
        };
        if let Some(advice) = advice {
            gst::element_imp_info!(self, gst::StreamError::Format, ("{advice}"));
        }
        if let Some((fault, period)) = time_fault {
            let uses = ("tracking", period);
            self.time_warnings.warn(&*self.obj(), fault, uses);
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
        if outcome.latency.is_some()
            && self.latency.record(begin.elapsed())
            && self.settings.lock().latency_report
        {
            latency::post(&*self.obj());
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

    /// Warns once about pictures that should have been turned.
    fn warn_unturned(&self) {
        if let Some(tag) = self.orientation.take_unturned(&*self.obj()) {
            orientation::warn(&*self.obj(), &tag, "gazeface");
        }
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
