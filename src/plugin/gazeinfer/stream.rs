//! The state of a stream of `gazeinfer` and the processing of a buffer. Only the streaming thread and
//! its serialised events use it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::deepstream_batch::BatchMemory;
use super::gpu_path::GpuPath;
use super::notices::Notices;
use super::region_notices::{RegionNotices, Told};
use super::region_source::RegionSource;
use super::settings::FrameSettings;
use super::source_state::SourceStates;
use crate::core::face::FaceRegion;
use crate::core::face::shared_ids::SharedIds;
use crate::core::gaze::FrameGaze;
use crate::core::gaze::estimator::{EstimateError, GazeEstimator};
use crate::core::gaze::reuse::InferencePlan;
use crate::core::geometry::camera::{Camera, Optics};
use crate::core::geometry::{PixelAspect, Raster, Rect, Size};
use crate::nvidia::gpu::GpuFrameError;
use crate::plugin::enums::InferenceRegion;
use crate::plugin::format;
use crate::plugin::frame::MapError;
use crate::plugin::meta::class_watch::ClassWatch;
use crate::plugin::meta::input_region::{InputRegion, MetaHandle};
use crate::plugin::meta::region::{self, RegionReader};
use crate::plugin::meta::{MAX_FACES, gaze};
use crate::plugin::nvidia_buffer::NvmmCaps;
use crate::plugin::picture::Reuse;
use crate::plugin::pixels::Pixels;
use crate::plugin::stats::FrameCounts;
use crate::plugin::upstream::Upstream;

/// The model and the state of the stream.
pub(super) struct Stream {
    estimator: GazeEstimator,
    interrupt: Arc<AtomicBool>,
    /// From the calibration file, if `camera` names one.
    calibration: Option<Camera>,
    info: Option<gst_video::VideoInfo>,
    /// Set if buffers hold NVIDIA's surfaces.
    nvmm: Option<NvmmCaps>,
    pub(super) reader: RegionReader,
    region_source: RegionSource,
    told: Told,
    pub(super) sources: SourceStates,
    pub(super) batch: BatchMemory,
    gpu: GpuPath,
    // The rest is memory that frames reuse.
    pub(super) regions: Vec<InputRegion>,
    shared_ids: SharedIds,
    plans: Vec<InferencePlan>,
    /// One for each frame of a batch; the first [`filled`](Self::filled) belong to the last buffer.
    results: Vec<FrameGaze>,
    filled: usize,
}

/// One frame of a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameContext {
    pub source_id: u32,
    pub raster: Raster,
    pub running_time: Option<gst::ClockTime>,
    /// Why the frame may go without an inference.
    pub reuse: Reuse,
}

/// The result of a buffer.
#[derive(Debug, Default)]
pub(super) struct Processed {
    pub counts: FrameCounts,
    /// Of a batch: the first frame that failed, if others did not.
    pub fault: Option<MapError>,
    /// What to report on the bus.
    pub notices: Notices,
    /// The result of each frame for element messages, if the settings ask for them.
    pub messages: Vec<gst::Structure>,
}

/// Why a buffer has no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProcessError {
    /// No caps arrived before the buffer.
    #[error("no caps before the first buffer")]
    NotNegotiated,
    /// This buffer is broken; the next may be sound.
    #[error(transparent)]
    Buffer(#[from] MapError),
    /// The model failed.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// The buffer takes no metadata.
    #[error(transparent)]
    Meta(#[from] glib::BoolError),
}

impl Stream {
    /// A stream whose frames end early while `interrupt` is true.
    pub fn new(
        mut estimator: GazeEstimator,
        calibration: Option<Camera>,
        interrupt: Arc<AtomicBool>,
    ) -> Self {
        estimator.set_interrupt(Arc::clone(&interrupt));
        Self {
            estimator,
            interrupt,
            calibration,
            info: None,
            nvmm: None,
            reader: RegionReader::default(),
            region_source: RegionSource::default(),
            told: Told::default(),
            sources: SourceStates::default(),
            batch: BatchMemory::default(),
            gpu: GpuPath::default(),
            regions: Vec::new(),
            shared_ids: SharedIds::default(),
            plans: Vec::new(),
            results: Vec::new(),
            filled: 0,
        }
    }

    /// Uses another model from the next frame on, which infers every face anew. Returns the old one.
    pub fn replace(&mut self, mut estimator: GazeEstimator) -> GazeEstimator {
        estimator.set_interrupt(Arc::clone(&self.interrupt));
        for result in &mut self.results {
            estimator.model_name().clone_into(&mut result.model);
        }
        self.sources.infer_anew();
        self.gpu.reset();
        std::mem::replace(&mut self.estimator, estimator)
    }

    pub fn set_info(&mut self, info: gst_video::VideoInfo, nvmm: Option<NvmmCaps>) {
        self.sources.set_info(&info);
        self.info = Some(info);
        self.region_source.deepstream = nvmm.is_some();
        self.nvmm = nvmm;
        self.gpu.reset();
    }

    /// Returns the size of the calibration if the frames have another shape.
    pub fn foreign_calibration(&self) -> Option<Size> {
        let (camera, info) = (self.calibration?, self.info.as_ref()?);
        let size = Size::new(info.width(), info.height());
        let aspect = format::pixel_aspect(info).ratio();
        (!camera.has_shape_of(size, aspect)).then_some(camera.size)
    }

    /// Returns the shape of the pixels, as the caps state it.
    pub(super) fn pixel_aspect(&self) -> PixelAspect {
        self.info.as_ref().map(format::pixel_aspect).unwrap_or_default()
    }

    /// Forgets all frames, keeps the caps.
    pub fn flush(&mut self) {
        self.sources.flush();
    }

    /// Forgets the elements upstream as well: a new stream may come from others.
    pub fn start_over(&mut self) {
        self.sources.start_over();
        self.region_source.start_over();
        self.reader.classes = ClassWatch::default();
        self.told = Told::default();
    }

    /// Takes what is upstream, at the first buffer of a stream.
    pub fn set_upstream(&mut self, upstream: Upstream) {
        self.region_source.set_upstream(upstream);
    }

    /// The stream ends: returns what there is to tell after a few frames.
    pub fn finish(&mut self, mode: InferenceRegion) -> RegionNotices {
        let mut notices = self.region_source.finish(mode, &mut self.reader.classes);
        self.told.filter(&mut notices);
        notices
    }

    /// Whether the stream told already that it replaces the result of another gazeinfer.
    pub(super) fn replacement_told(&self) -> bool {
        self.told.replaced_model()
    }

    /// Returns the results of the last buffer, one for each of its frames.
    pub fn results(&self) -> &[FrameGaze] {
        &self.results[..self.filled]
    }

    /// Whether there are results of an earlier buffer to reuse.
    pub fn has_results(&self) -> bool {
        self.sources.have_results()
    }

    /// Estimates the gaze in one buffer, due at `running_time`, and attaches it. A buffer that is late or
    /// repeated reuses the last result.
    pub fn process(
        &mut self,
        buffer: &mut gst::BufferRef,
        settings: &FrameSettings,
        running_time: Option<gst::ClockTime>,
        reuse: Reuse,
    ) -> Result<Processed, ProcessError> {
        self.filled = 0;
        self.estimator.set_optics(match self.calibration {
            Some(camera) => Optics::Calibrated(camera),
            None => Optics::FieldOfView(settings.field_of_view),
        });
        let mut processed = match self.nvmm {
            Some(caps) => self.process_batch(buffer, caps, settings, running_time, reuse)?,
            None => self.process_frame(buffer, settings, running_time, reuse)?,
        };
        let replaced = processed.notices.regions.replaced_model.take();
        processed.notices.regions = RegionNotices {
            replaced_model: replaced,
            ..std::mem::take(&mut self.region_source.notices)
        };
        self.told.filter(&mut processed.notices.regions);
        processed.notices.gpu_refusal = self.gpu.take_refusal();
        processed.notices.arrows_refused = self.batch.arrows_refused;
        if settings.post_messages {
            let message = |result| {
                let mut structure = gaze::to_structure("gaze", result);
                structure.set("pts", buffer.pts());
                structure.set("running-time", running_time);
                structure
            };
            processed.messages = self.results().iter().map(message).collect();
        }
        Ok(processed)
    }

    fn process_frame(
        &mut self,
        buffer: &mut gst::BufferRef,
        settings: &FrameSettings,
        running_time: Option<gst::ClockTime>,
        reuse: Reuse,
    ) -> Result<Processed, ProcessError> {
        let info = self.info.clone().ok_or(ProcessError::NotNegotiated)?;
        let size = Size::new(info.width(), info.height());
        let raster = Raster { size, pixel_aspect: format::pixel_aspect(&info) };
        self.collect_regions(buffer, size, settings);
        let frame = FrameContext { source_id: 0, raster, running_time, reuse };
        let mut processed = Processed::default();
        self.estimate(Pixels::of_buffer(buffer, &info), frame, settings, &mut processed)?;
        let (told, replaced) =
            (self.replacement_told(), &mut processed.notices.regions.replaced_model);
        for result in &self.results[..self.filled] {
            gaze::replace(buffer, result, |model| {
                if !told {
                    *replaced = Some([model.to_owned(), result.model.clone()]);
                }
            })?;
        }
        self.annotate(buffer);
        Ok(processed)
    }

    /// Plans, infers and smooths the faces of one frame, those in `regions`, as one more result, and
    /// adds its counts and notices to those of the buffer.
    pub(super) fn estimate(
        &mut self,
        mut pixels: Pixels<'_>,
        frame: FrameContext,
        settings: &FrameSettings,
        Processed { counts: total, notices, .. }: &mut Processed,
    ) -> Result<(), ProcessError> {
        let begin = Instant::now();
        if self.filled == self.results.len() {
            let model = self.estimator.model_name().to_owned();
            self.results.push(FrameGaze { model, ..FrameGaze::default() });
        }
        let result = &mut self.results[self.filled];
        let source = self.sources.get(frame.source_id);
        source.set_raster(frame.raster);
        let at = source.clock.tick(frame.running_time);
        if settings.smoothing
            && let Some(fault) = source.clock.take_fault()
        {
            notices.time_fault = Some((fault, source.clock.period()));
        }
        if frame.reuse.repeated && self.regions.is_empty() {
            // A detector that passes such frames by leaves no regions on them.
            let last = source.reuse.last_faces();
            self.regions.extend(last.map(|face| InputRegion { face, meta: MetaHandle::None }));
        }
        let eyes_closed = source.reuse.plan(
            self.regions.iter().map(|region| region.face),
            settings.policy,
            frame.reuse.late || frame.reuse.repeated,
            &mut self.plans,
        );
        let mut counts = FrameCounts { eyes_closed, ..FrameCounts::default() };
        (result.size, result.source_id) = (frame.raster.size, frame.source_id);
        if self.plans.contains(&InferencePlan::Infer) {
            let margin = (settings.region_margin >= 0.0).then_some(settings.region_margin);
            let regions = self.regions.iter().map(|region| region.face);
            let (plans, faces) = (&self.plans, &mut result.faces);
            let device = match pixels.may_be_on_gpu() {
                true => self.gpu.device(&mut self.estimator),
                false => None,
            };
            let mut estimated = None;
            if let Some(device) = device {
                let gpu = device.gpu();
                let pixels = match frame.raster.pixel_aspect.is_square() {
                    true => pixels.on_gpu(device),
                    false => Err(GpuFrameError::NotSquare),
                };
                match pixels {
                    Ok(frame) => {
                        let of = (&frame, frame.size());
                        let regions = regions.clone();
                        let done =
                            self.estimator.estimate_on(device, of, regions, plans, margin, faces);
                        let done = done?;
                        counts.gpu_pictures = done.inferred;
                        notices.preprocessed_on = Some(gpu);
                        estimated = Some(done);
                    }
                    Err(why) => self.gpu.refuse(&why),
                }
            }
            let estimated = match estimated {
                Some(estimated) => estimated,
                None => {
                    let mapped = pixels.map()?;
                    let view = mapped.view()?.with_pixel_aspect(frame.raster.pixel_aspect);
                    notices.access = mapped.access().or(notices.access);
                    self.estimator.estimate(&view, regions, plans, margin, faces)?
                }
            };
            (counts.inferences, counts.invalid) = (estimated.inferred, estimated.invalid);
            notices.unnormalized |= estimated.unaligned > 0;
            notices.missing = notices.missing.or(estimated.missing);
            notices.impossible += estimated.impossible;
            counts.latency = Some(begin.elapsed());
        } else {
            self.estimator.reuse(frame.raster, &self.plans, &mut result.faces);
            counts.reused = !self.plans.is_empty();
        }
        if settings.smoothing {
            source.smooth(&mut result.faces, at, settings.filter);
        } else {
            source.smoother.reset();
        }
        counts.faces = result.faces.len() as u64;
        result.inference_time = counts
            .latency
            .map_or(0, |latency| u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
        source.reuse.remember(&result.faces);
        self.filled += 1;
        total.add(&counts);
        Ok(())
    }

    /// Writes the gaze of the last frame into the metadata that its regions came from.
    pub(super) fn annotate(&self, buffer: &mut gst::BufferRef) {
        let Some(result) = self.results().last() else { return };
        let metas = self.regions.iter().map(|region| region.meta);
        region::annotate_all(buffer, metas.zip(&result.faces));
    }

    /// Collects the regions of a frame that is a buffer of its own.
    pub(super) fn collect_regions(
        &mut self,
        buffer: &gst::BufferRef,
        size: Size,
        settings: &FrameSettings,
    ) {
        self.regions.clear();
        let class = &settings.object_class;
        let detected = settings.inference_region.uses_detections()
            && self.reader.read(buffer, size, class, &mut self.regions);
        self.choose_regions(detected, size, settings);
    }

    /// Turns detected faces into the regions to infer. `detected` says whether a detector saw this
    /// frame, with or without a face.
    pub(super) fn choose_regions(&mut self, detected: bool, size: Size, settings: &FrameSettings) {
        let whole = |rect: Rect| InputRegion {
            face: FaceRegion { rect, ..FaceRegion::default() },
            meta: MetaHandle::None,
        };
        match settings.inference_region {
            InferenceRegion::FullFrame => self.regions.push(whole(Rect::full(size))),
            InferenceRegion::Fixed => self.regions.push(whole(settings.fixed_region(size))),
            mode @ (InferenceRegion::Auto | InferenceRegion::RoiList) => {
                let marked = std::mem::take(&mut self.reader.marked);
                let classes = &mut self.reader.classes;
                if self.region_source.takes_whole_frame(mode, detected, marked, classes) {
                    self.regions.push(whole(Rect::full(size)));
                }
                self.regions.retain(|region| {
                    settings.has_right_size(&region.face.rect)
                        && !region.face.rect.intersect(&Rect::full(size)).is_empty()
                });
                let above = self.regions.len().saturating_sub(MAX_FACES);
                self.regions.truncate(MAX_FACES);
                let shared = self.shared_ids.forget(&mut self.regions, |region| &mut region.face);
                let notices = &mut self.region_source.notices;
                notices.above_limit = notices.above_limit.max(above);
                notices.shared_ids |= shared;
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[path = "stream_gpu_tests.rs"]
mod gpu_tests;
