//! Virtual methods of `gazeinfer`; [`super::stream`] processes the frames.
//!
//! Locks: any thread takes `settings` to copy in and out, and `stats` and `provider` to count; the
//! streaming thread and state changes take `loader`; the streaming thread and its serialised events
//! take `stream` and hold it over an inference, so it guards nothing that another thread asks for.
//! The element never holds two of them together, and none while it posts or pushes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;
use parking_lot::Mutex;

use super::engine_exchange::open;
use super::engine_loader::EngineLoader;
use super::notices::NoticeLog;
use super::properties::PROPERTIES;
use super::settings::{EngineReload, Settings};
use super::stream::{ProcessError, Stream};
use crate::core::gaze::estimator::EstimateError;
use crate::nvidia::library;
use crate::plugin::latency::{self, MeasuredLatency};
use crate::plugin::nvidia_buffer::NvmmCaps;
use crate::plugin::orientation::{self, Orientation};
use crate::plugin::picture::{Picture, Reuse};
use crate::plugin::picture_advice::PictureAdvice;
use crate::plugin::qos::{self, LateFrames, Lateness, QosGate};
use crate::plugin::stats::Stats;
use crate::plugin::upstream::Upstream;
use crate::plugin::{bus, camera, format, model};

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("gazeinfer", gst::DebugColorFlags::empty(), Some("Gaze estimation"))
});

/// See [`super::GazeInfer`].
#[derive(Default)]
pub struct GazeInfer {
    pub(super) settings: Mutex<Settings>,
    stats: Mutex<Stats>,
    pub(super) provider: Mutex<String>,
    pub(super) stream: Mutex<Option<Stream>>,
    pub(super) loader: Mutex<EngineLoader>,
    qos_gate: QosGate,
    lateness: Lateness,
    late_frames: LateFrames,
    notices: NoticeLog,
    picture_advice: PictureAdvice,
    orientation: Orientation,
    latency: MeasuredLatency,
    /// Whether the streaming thread should give up a frame with many faces.
    interrupt: Arc<AtomicBool>,
    /// Whether the elements upstream are still to be looked at: at the first buffer of a stream.
    upstream_unknown: AtomicBool,
}

#[glib::object_subclass]
impl ObjectSubclass for GazeInfer {
    const NAME: &'static str = "GstGazeInfer";
    type Type = super::GazeInfer;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for GazeInfer {
    fn properties() -> &'static [glib::ParamSpec] {
        PROPERTIES.specs()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = self.settings.lock().set(pspec.name(), value);
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

impl GstObjectImpl for GazeInfer {}

impl ElementImpl for GazeInfer {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Gaze estimator",
                "Filter/Analyzer/Video",
                "Estimates where each face of a video looks (pitch and yaw in radians) with an \
                 ONNX model and attaches it as GazeMeta",
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

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::PausedToReady {
            self.interrupt.store(true, Ordering::Relaxed);
        }
        self.parent_change_state(transition)
    }

    fn post_message(&self, message: gst::Message) -> bool {
        bus::log(*CAT, &*self.obj(), &message);
        self.parent_post_message(message)
    }
}

impl BaseTransformImpl for GazeInfer {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.configured()?;
        library::retry();
        // The camera first: it fails sooner than the model.
        let calibration = settings.camera.as_deref().map(camera::open).transpose()?;
        let options = settings.options();
        // Before the model opens, which may take minutes: a file replaced meanwhile counts as new.
        self.loader.lock().start(settings.engine.clone());
        let opened = open(&settings, &options);
        model::report(&*self.obj(), &opened.diagnostics);
        let estimator = opened.result?;
        *self.provider.lock() = estimator.provider().to_owned();
        *self.stats.lock() = Stats::default();
        self.qos_gate.reset();
        self.lateness.reset();
        self.late_frames.reset();
        self.notices.reset();
        self.picture_advice.reset();
        self.orientation.reset();
        self.latency.reset();
        self.upstream_unknown.store(true, Ordering::Relaxed);
        self.interrupt.store(false, Ordering::Relaxed);
        let interrupt = Arc::clone(&self.interrupt);
        *self.stream.lock() = Some(Stream::new(estimator, calibration, interrupt));
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // Out of the lock first: closing a session takes long, and no thread should wait for it.
        let stream = self.stream.lock().take();
        drop(stream);
        self.loader.lock().stop();
        self.provider.lock().clear();
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _out: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "cannot read caps {incaps}"))?;
        gst::debug!(CAT, imp = self, "caps {incaps}");
        self.picture_advice.on_caps(self.obj().upcast_ref(), &info);
        let (width, height) = (info.width(), info.height());
        let mut foreign = None;
        self.with_stream(|stream| {
            stream.set_info(info, NvmmCaps::of(incaps));
            foreign = stream.foreign_calibration();
        });
        let Some(size) = foreign else { return Ok(()) };
        gst::element_imp_error!(
            self,
            gst::ResourceError::Settings,
            (
                "The calibration of the camera is for {}x{}, and frames of {width}x{height} have \
                 another shape: they show another part of the scene, and every head pose would be \
                 wrong. Calibrate at the shape of the frames, or bring the frames to the shape of the \
                 calibration; unset 'camera' to use field-of-view",
                size.width,
                size.height
            )
        );
        Err(gst::loggable_error!(CAT, "the calibration of the camera has another shape"))
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
            let (measured, wait) = {
                let settings = self.settings.lock();
                (settings.latency_report, settings.longest_wait())
            };
            self.latency.answer(query, measured, wait);
        }
        true
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        self.orientation.take_event(&event);
        match event.view() {
            gst::EventView::FlushStart(_) => self.interrupt.store(true, Ordering::Relaxed),
            gst::EventView::FlushStop(_) => {
                self.interrupt.store(false, Ordering::Relaxed);
                self.lateness.reset();
                self.with_stream(Stream::flush);
            }
            gst::EventView::StreamStart(_) => {
                self.qos_gate.forget_liveness();
                self.upstream_unknown.store(true, Ordering::Relaxed);
                self.with_stream(Stream::start_over);
            }
            gst::EventView::Eos(_) => self.finish(),
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
        if let Some(tag) = self.orientation.take_unturned(&*self.obj()) {
            orientation::warn(&*self.obj(), &tag, "the element that finds faces");
        }
        let repeated = picture == Picture::Repeated;
        let (settings, reload) = {
            let settings = self.settings.lock();
            let reload = settings.reload;
            let wanted = (reload != EngineReload::Never).then(|| (reload, settings.engine.clone()));
            (settings.frame.clone(), wanted)
        };
        if let Some((reload, engine)) = reload {
            self.reload(reload, engine.as_ref());
        }
        #[cfg(not(feature = "v1_24"))]
        self.notices.tell_of_unread_analytics(self, buffer);
        if self.upstream_unknown.swap(false, Ordering::Relaxed) {
            let upstream = Upstream::of(self.obj().upcast_ref());
            self.with_stream(|stream| stream.set_upstream(upstream));
        }
        let running_time = qos::running_time(&*self.obj(), buffer);
        let qos = settings.qos && !repeated;
        let late = if qos { self.lateness.of(running_time) } else { None };
        let processed = {
            let mut stream = self.stream.lock();
            let stream = stream.as_mut().ok_or(gst::FlowError::Flushing)?;
            if repeated && !stream.has_results() {
                return Ok(gst::FlowSuccess::Ok);
            }
            let reuse = Reuse { late: late.is_some(), repeated };
            stream.process(buffer, &settings, running_time, reuse)
        };
        let processed = match processed {
            Ok(processed) => processed,
            Err(error) => return self.handle_error(&error),
        };
        self.stats.lock().count(&processed.counts);
        let mut notices = processed.notices;
        let regions = std::mem::take(&mut notices.regions);
        regions.post(self, &settings.object_class);
        self.notices.post(self, notices);
        for message in processed.messages {
            self.post(gst::message::Element::builder(message).src(&*self.obj()).build());
        }
        if let Some(late) = late.filter(|_| processed.counts.reused) {
            self.post_qos(buffer, late);
        }
        if processed.counts.latency.is_some()
            && self.latency.record(begin.elapsed())
            && self.settings.lock().latency_report
        {
            latency::post(&*self.obj());
        }
        match processed.fault {
            Some(fault) => self.handle_error(&fault.into()),
            None => Ok(gst::FlowSuccess::Ok),
        }
    }
}

impl GazeInfer {
    fn with_stream(&self, f: impl FnOnce(&mut Stream)) {
        if let Some(stream) = self.stream.lock().as_mut() {
            f(stream);
        }
    }

    /// Tells at EOS what a stream of a few frames gave reason for.
    fn finish(&self) {
        let settings = self.settings.lock().frame.clone();
        let mut told = None;
        self.with_stream(|stream| told = Some(stream.finish(settings.inference_region)));
        if let Some(notices) = told {
            notices.post(self, &settings.object_class);
        }
    }

    /// Passes a broken buffer on; a model that fails ends the stream.
    fn handle_error(&self, error: &ProcessError) -> Result<gst::FlowSuccess, gst::FlowError> {
        match error {
            ProcessError::Buffer(error) if error.is_lasting() => {
                gst::element_imp_error!(self, gst::ResourceError::NotFound, ("{error}"));
                Err(gst::FlowError::Error)
            }
            ProcessError::Buffer(error) => {
                if self.notices.is_first_broken_buffer() {
                    gst::element_imp_warning!(
                        self,
                        gst::StreamError::Decode,
                        ("Frame passed on without gaze: {error}")
                    );
                } else {
                    gst::debug!(CAT, imp = self, "frame passed on without gaze: {error}");
                }
                Ok(gst::FlowSuccess::Ok)
            }
            ProcessError::Estimate(EstimateError::Interrupted) => Err(gst::FlowError::Flushing),
            ProcessError::NotNegotiated => Err(gst::FlowError::NotNegotiated),
            ProcessError::Estimate(_) | ProcessError::Meta(_) => {
                gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
                Err(gst::FlowError::Error)
            }
        }
    }

    /// Returns the settings together with those of the configuration file, and warns of its keys that
    /// gazeinfer ignores.
    fn configured(&self) -> Result<Settings, gst::ErrorMessage> {
        let wrong = |why| gst::error_msg!(gst::ResourceError::Settings, ("{why}"));
        // Settings are not locked while the file is read.
        let before = self.settings.lock().clone();
        let config = before.read_config().map_err(wrong)?;
        let (settings, ignored) = {
            let mut settings = self.settings.lock();
            let ignored = settings.apply_config(config).map_err(wrong)?;
            (settings.clone(), ignored)
        };
        if !ignored.is_empty() {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Settings,
                ("gazeinfer ignores keys of the configuration file: {}", ignored.join(", "))
            );
        }
        Ok(settings)
    }

    /// Posts that a late frame was not inferred.
    fn post_qos(&self, buffer: &gst::BufferRef, late: gst::ClockTime) {
        let counts = {
            let stats = self.stats.lock();
            (stats.frames, stats.skipped)
        };
        self.post(qos::message(&*self.obj(), buffer, late, counts));
        self.late_frames.count(&*self.obj(), counts.0);
    }

    pub(super) fn post(&self, message: gst::Message) {
        // An element in a harness has no bus.
        let _ = self.obj().post_message(message);
    }
}
