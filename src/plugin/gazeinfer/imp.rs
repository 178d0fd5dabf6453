//! Virtual methods of `gazeinfer`; what is done with a frame is in [`super::stream`].
//!
//! Locks: `settings` (any thread, held to copy in and out), `stats` and `provider` (any thread, held
//! to count), `reloader` (streaming thread, and state changes while it rests), `stream` (streaming
//! thread and its serialised events; held over an inference, so nothing that another thread may ask
//! for lives behind it). No two are held together, and none while something is posted or pushed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;

use super::engine_exchange::open;
use super::engine_loader::Reloader;
use super::properties::PROPERTIES;
use super::settings::{EngineReload, Settings};
use super::stream::{FrameFault, Looked, Stream};
use crate::core::gaze::missing_attributes::MissingAttributes;
use crate::nvidia::surface::Access;
use crate::plugin::meta::gaze;
use crate::plugin::nvidia_buffer::NvmmCaps;
use crate::plugin::qos::{self, Lateness};
use crate::plugin::stats::Stats;
use crate::plugin::{camera, format, lock, model};

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
    pub(super) reloader: Mutex<Reloader>,
    lateness: Lateness,
    /// Whether a broken buffer was spoken of since the start.
    broken_buffer: AtomicBool,
    /// Whether faces without landmarks were spoken of since the start.
    unaligned: AtomicBool,
    /// Whether faces that lack something were spoken of since the start.
    lacking: AtomicBool,
    /// Whether it was said since the start how the CPU comes to frames in NVIDIA's memory.
    access_told: AtomicBool,
    /// Whether it was said since the start that DeepStream's version is unknown.
    arrows_told: AtomicBool,
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
        let value = PROPERTIES.get(&mut lock(&self.settings), pspec.name());
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
}

impl BaseTransformImpl for GazeInfer {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.configured()?;
        // First: it is the quicker of the two to fail.
        let calibration = settings.camera.as_deref().map(camera::open).transpose()?;
        let options = settings.options();
        // Before it is opened, which may take minutes: a file that is replaced meanwhile is noticed.
        lock(&self.reloader).start(settings.engine.clone());
        let opened = open(&settings, &options);
        model::report(&*self.obj(), &opened.diagnostics);
        let estimator = opened.result?;
        *lock(&self.provider) = estimator.provider().to_owned();
        *lock(&self.stats) = Stats::default();
        self.lateness.reset();
        self.broken_buffer.store(false, Ordering::Relaxed);
        self.unaligned.store(false, Ordering::Relaxed);
        self.lacking.store(false, Ordering::Relaxed);
        self.access_told.store(false, Ordering::Relaxed);
        self.arrows_told.store(false, Ordering::Relaxed);
        *lock(&self.stream) = Some(Stream::new(estimator, calibration));
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // Taken out first: closing a session takes its time, and nobody should wait for it.
        let stream = lock(&self.stream).take();
        drop(stream);
        lock(&self.reloader).stop();
        lock(&self.provider).clear();
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _out: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "cannot read caps {incaps}"))?;
        gst::debug!(CAT, imp = self, "caps {incaps}");
        let (width, height) = (info.width(), info.height());
        let mut foreign = None;
        self.with_stream(|stream| {
            stream.set_info(info, NvmmCaps::of(incaps));
            foreign = stream.foreign_calibration();
        });
        if let Some(size) = foreign {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Settings,
                (
                    "The camera was calibrated with pictures of {}x{}, and frames of {width}x{height} \
                     have another shape: head poses and the gaze of normalised faces are off. \
                     Calibrate at the shape of the frames",
                    size.width,
                    size.height
                )
            );
        }
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
            && let gst::QueryViewMut::Latency(latency) = query.view_mut()
        {
            let wait = lock(&self.settings).longest_wait();
            let (live, min, max) = latency.result();
            latency.set(live, min + wait, max.map(|max| max + wait));
        }
        true
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::FlushStop(_) => {
                self.lateness.reset();
                self.with_stream(Stream::flush);
            }
            gst::EventView::StreamStart(_) => self.with_stream(Stream::start_over),
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
        let (settings, reload) = {
            let settings = lock(&self.settings);
            let reload = settings.reload;
            let wanted = (reload != EngineReload::Never).then(|| (reload, settings.engine.clone()));
            (settings.frame.clone(), wanted)
        };
        if let Some((reload, engine)) = reload {
            self.reload(reload, engine.as_ref());
        }
        let running_time = qos::running_time(&*self.obj(), buffer);
        let late = if settings.qos { self.lateness.of(running_time) } else { None };
        let looked = {
            let mut stream = lock(&self.stream);
            let stream = stream.as_mut().ok_or(gst::FlowError::Flushing)?;
            let looked = stream.process(buffer, &settings, running_time, late.is_some());
            looked.map(|looked| {
                let messages = settings.post_messages.then(|| self.messages(buffer, stream));
                let pictures = (stream.gpu.maker(), stream.gpu.take_refusal());
                let nvidia = (stream.access(), pictures, stream.batch.arrows_refused);
                (looked, messages, (stream.missing(), stream.unaligned()), nvidia)
            })
        };
        let (Looked { outcome, fault }, messages, (missing, unaligned), nvidia) = match looked {
            Ok(looked) => looked,
            Err(fault) => return self.fault(&fault),
        };
        lock(&self.stats).count(&outcome);
        if unaligned {
            self.warn_unaligned();
        }
        if missing.any() {
            self.lacks(missing);
        }
        self.tell_of_nvidia(nvidia);
        for message in messages.into_iter().flatten() {
            self.post(gst::message::Element::builder(message).src(&*self.obj()).build());
        }
        if let Some(late) = late.filter(|_| outcome.carried) {
            self.post_qos(buffer, late);
        }
        fault.map_or(Ok(gst::FlowSuccess::Ok), |fault| self.fault(&fault.into()))
    }
}

impl GazeInfer {
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
                    gst::debug!(CAT, imp = self, "frame passed on without gaze: {error}");
                } else {
                    gst::element_imp_warning!(
                        self,
                        gst::StreamError::Decode,
                        ("Frame passed on without gaze: {error}")
                    );
                }
                Ok(gst::FlowSuccess::Ok)
            }
            FrameFault::NotNegotiated => Err(gst::FlowError::NotNegotiated),
            FrameFault::Estimate(_) | FrameFault::Meta(_) => {
                gst::element_imp_error!(self, gst::LibraryError::Failed, ("{fault}"));
                Err(gst::FlowError::Error)
            }
        }
    }

    /// Says once that pictures are made on the GPU, or how the CPU comes to frames in NVIDIA's
    /// memory, where that costs a copy or a mapping, and that DeepStream gets no arrows of this
    /// element.
    fn tell_of_nvidia(
        &self,
        (access, (maker, refusal), arrows_refused): (
            Option<Access>,
            (Option<u32>, Option<String>),
            bool,
        ),
    ) {
        if let Some(why) = refusal {
            gst::element_imp_info!(
                self,
                gst::StreamError::Format,
                ("The model's pictures are made on the CPU, although it runs on a GPU: {why}")
            );
        }
        if let Some(gpu) = maker.filter(|_| !self.access_told.swap(true, Ordering::Relaxed)) {
            gst::element_imp_info!(
                self,
                gst::StreamError::Format,
                ("Frames stay in the GPU's memory: the model's pictures are made on GPU {gpu}")
            );
        }
        let how = match access {
            None | Some(Access::Direct) => None,
            Some(Access::Mapped) => Some("mapped into the CPU's memory"),
            Some(Access::Downloaded) => Some("copied from the GPU's memory to the CPU's"),
            Some(Access::Linearised) => {
                Some("copied out of their block-linear layout and mapped into the CPU's memory")
            }
        };
        if let Some(how) = how.filter(|_| !self.access_told.swap(true, Ordering::Relaxed)) {
            gst::element_imp_info!(
                self,
                gst::StreamError::Format,
                ("Frames are {how}: the model's pictures are made on the CPU")
            );
        }
        if arrows_refused && !self.arrows_told.swap(true, Ordering::Relaxed) {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Format,
                ("No arrows for nvdsosd: this version of DeepStream's NvDsDisplayMeta is not \
                     known (5.0 to 9.1 are)")
            );
        }
    }

    /// Says once that the model does not get the faces that it wants.
    fn warn_unaligned(&self) {
        if self.unaligned.swap(true, Ordering::Relaxed) {
            return;
        }
        gst::element_imp_warning!(
            self,
            gst::StreamError::WrongType,
            ("The model wants normalised faces, and faces come without landmarks that a head \
                 pose can be found from: they are cropped instead, and their gaze is less exact. \
                 Use a detector that gives landmarks (gazeface with YuNet, SCRFD or RetinaFace)")
        );
    }

    /// Says once that faces have no gaze for want of something, and who gives it.
    fn lacks(&self, missing: MissingAttributes) {
        if self.lacking.swap(true, Ordering::Relaxed) {
            return;
        }
        let (what, remedy) = match (missing.eyes, missing.head_pose) {
            (true, false) => ("the corners of the eyes", "landmark-engine (PFLD, 98 points)"),
            (false, true) => ("the head's pose", "head-pose-engine"),
            _ => (
                "the corners of the eyes and the head's pose",
                "landmark-engine (PFLD, 98 points) and head-pose-engine",
            ),
        };
        gst::element_imp_warning!(
            self,
            gst::StreamError::Failed,
            ("Faces without gaze: the model needs {what}, which nobody upstream tells. Put \
                 gazeface before this element and set its {remedy}")
        );
    }

    /// The results of each frame of the buffer as structures of element messages.
    fn messages(&self, buffer: &gst::BufferRef, stream: &Stream) -> Vec<gst::Structure> {
        let running_time = qos::running_time(&*self.obj(), buffer);
        let message = |result| {
            let mut s = gaze::to_structure("gaze", result);
            s.set("pts", buffer.pts());
            s.set("running-time", running_time);
            s
        };
        stream.results().iter().map(message).collect()
    }

    /// The settings, with what the configuration file says; that is told once, here.
    fn configured(&self) -> Result<Settings, gst::ErrorMessage> {
        let (settings, ignored) = {
            let mut settings = lock(&self.settings);
            let ignored = settings
                .read_config()
                .map_err(|why| gst::error_msg!(gst::ResourceError::Settings, ("{why}")))?;
            (settings.clone(), ignored)
        };
        if !ignored.is_empty() {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Settings,
                ("Keys of the configuration that mean nothing here: {}", ignored.join(", "))
            );
        }
        Ok(settings)
    }

    /// Says that a frame was not inferred because it came too late.
    fn post_qos(&self, buffer: &gst::BufferRef, late: gst::ClockTime) {
        let counts = {
            let stats = lock(&self.stats);
            (stats.frames, stats.skipped)
        };
        self.post(qos::message(&*self.obj(), buffer, late, counts));
    }

    pub(super) fn post(&self, message: gst::Message) {
        // An element without a bus (a harness) has nobody to tell.
        let _ = self.obj().post_message(message);
    }
}
