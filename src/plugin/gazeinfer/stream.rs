//! What `gazeinfer` keeps from frame to frame, and what it does with one. Touched only by the
//! streaming thread and its serialised events.

use std::time::Instant;

use super::deepstream_batch::Batch;
use super::gpu_path::GpuPath;
use super::settings::FrameSettings;
use super::source_state::Sources;
use crate::core::face::FaceRegion;
use crate::core::gaze::FrameGaze;
use crate::core::gaze::estimator::{EstimateError, GazeEstimator};
use crate::core::gaze::missing_attributes::MissingAttributes;
use crate::core::gaze::reuse::InferencePlan;
use crate::core::geometry::camera::{Camera, Optics};
use crate::core::geometry::{Rect, Size};
use crate::nvidia::surface::Access;
use crate::plugin::enums::InferenceRegion;
use crate::plugin::frame::MapError;
use crate::plugin::meta::gaze;
use crate::plugin::meta::input_region::{InputRegion, MetaHandle};
use crate::plugin::meta::region::{self, RegionReader};
use crate::plugin::nvidia_buffer::NvmmCaps;
use crate::plugin::pixels::Pixels;
use crate::plugin::stats::Outcome;

/// The model and what is remembered of the stream.
pub(super) struct Stream {
    estimator: GazeEstimator,
    /// The camera, where a file says what it is.
    calibration: Option<Camera>,
    info: Option<gst_video::VideoInfo>,
    /// Whether buffers hold NVIDIA's surfaces.
    nvmm: Option<NvmmCaps>,
    pub(super) reader: RegionReader,
    pub(super) sources: Sources,
    pub(super) batch: Batch,
    /// Whether the last frame had faces that the model wants normalised and that could not be.
    unaligned: bool,
    /// How the CPU came to the pixels of the last frame in NVIDIA's memory.
    access: Option<Access>,
    pub(super) gpu: GpuPath,
    // Reused from frame to frame.
    pub(super) regions: Vec<InputRegion>,
    plans: Vec<InferencePlan>,
    /// One for each frame of a batch; the first [`filled`](Self::filled) are the last buffer's.
    results: Vec<FrameGaze>,
    filled: usize,
    /// What faces of the last buffer lacked.
    missing: MissingAttributes,
}

/// One frame of a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub source_id: u32,
    pub size: Size,
    pub running_time: Option<gst::ClockTime>,
    /// Whether there is no time to infer.
    pub late: bool,
}

/// What became of a buffer.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub outcome: Outcome,
    /// Of a batch: the first frame that could not be looked at, beside others that could.
    pub fault: Option<MapError>,
}

/// Why a frame could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameFault {
    /// No caps yet.
    #[error("no caps before the first buffer")]
    NotNegotiated,
    /// This buffer is broken; the next may be well.
    #[error(transparent)]
    Buffer(#[from] MapError),
    /// The model does not run.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// The metadata could not be attached.
    #[error(transparent)]
    Meta(#[from] glib::BoolError),
}

impl Stream {
    pub fn new(estimator: GazeEstimator, calibration: Option<Camera>) -> Self {
        Self {
            estimator,
            calibration,
            info: None,
            nvmm: None,
            reader: RegionReader::default(),
            sources: Sources::default(),
            batch: Batch::default(),
            unaligned: false,
            access: None,
            gpu: GpuPath::default(),
            regions: Vec::new(),
            plans: Vec::new(),
            results: Vec::new(),
            filled: 0,
            missing: MissingAttributes::default(),
        }
    }

    /// Another model from the next frame on, which infers every face anew. Gives the old one.
    pub fn replace(&mut self, estimator: GazeEstimator) -> GazeEstimator {
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
        self.nvmm = nvmm;
        self.gpu.reset();
    }

    /// The size that the camera was calibrated at, where the frames have another shape.
    pub fn foreign_calibration(&self) -> Option<Size> {
        let (camera, info) = (self.calibration?, self.info.as_ref()?);
        let size = Size::new(info.width(), info.height());
        let pixel = info.par();
        let aspect = f64::from(pixel.numer()) / f64::from(pixel.denom());
        (!camera.has_shape_of(size, aspect)).then_some(camera.size)
    }

    /// Forgets the past, keeps what the caps said.
    pub fn flush(&mut self) {
        self.sources.flush();
    }

    /// A new stream may come from other elements.
    pub fn start_over(&mut self) {
        self.sources.start_over();
    }

    /// The last buffer's results, one for each of its frames, for messages.
    pub fn results(&self) -> &[FrameGaze] {
        &self.results[..self.filled]
    }

    /// Whether faces of the last buffer were cropped although the model wants them normalised.
    pub fn unaligned(&self) -> bool {
        self.unaligned
    }

    /// What the model needs and one face or another of the last buffer lacked.
    pub fn missing(&self) -> MissingAttributes {
        self.missing
    }

    /// How the CPU came to the pixels of frames in NVIDIA's memory, once there were any.
    pub fn access(&self) -> Option<Access> {
        self.access
    }

    /// Looks at one buffer, due at `running_time`, and attaches what was seen. `late` says that there
    /// is no time to infer.
    pub fn process(
        &mut self,
        buffer: &mut gst::BufferRef,
        settings: &FrameSettings,
        running_time: Option<gst::ClockTime>,
        late: bool,
    ) -> Result<Looked, FrameFault> {
        self.filled = 0;
        self.unaligned = false;
        self.missing = MissingAttributes::default();
        self.estimator.set_optics(match self.calibration {
            Some(camera) => Optics::Calibrated(camera),
            None => Optics::FieldOfView(settings.field_of_view),
        });
        if let Some(caps) = self.nvmm {
            return self.process_batch(buffer, caps, settings, running_time, late);
        }
        let info = self.info.clone().ok_or(FrameFault::NotNegotiated)?;
        let size = Size::new(info.width(), info.height());
        self.collect_regions(buffer, 0, size, settings);
        let frame = Frame { source_id: 0, size, running_time, late };
        let outcome = self.look(Pixels::of_buffer(buffer, &info), frame, settings)?;
        for result in self.results() {
            gaze::add(buffer, result)?;
        }
        self.annotate(buffer);
        Ok(Looked { outcome, fault: None })
    }

    /// Plans, infers and smooths the faces in `regions`, those of one frame, as one more result.
    pub(super) fn look(
        &mut self,
        mut pixels: Pixels<'_>,
        frame: Frame,
        settings: &FrameSettings,
    ) -> Result<Outcome, FrameFault> {
        let begin = Instant::now();
        if self.filled == self.results.len() {
            let model = self.estimator.model_name().to_owned();
            self.results.push(FrameGaze { model, ..FrameGaze::default() });
        }
        let result = &mut self.results[self.filled];
        let source = self.sources.get(frame.source_id);
        let at = source.clock.tick(frame.running_time);
        let eyes_closed = source.schedule.plan(
            self.regions.iter().map(|region| region.face),
            settings.policy,
            frame.late,
            &mut self.plans,
        );
        let mut outcome = Outcome { eyes_closed, ..Outcome::default() };
        (result.size, result.source_id) = (frame.size, frame.source_id);
        if self.plans.contains(&InferencePlan::Infer) {
            let margin = (settings.region_margin >= 0.0).then_some(settings.region_margin);
            let regions = self.regions.iter().map(|region| region.face);
            let (plans, faces) = (&self.plans, &mut result.faces);
            let pictures = match pixels.may_be_on_gpu() {
                true => self.gpu.pictures(&mut self.estimator),
                false => None,
            };
            let mut counts = None;
            if let Some(pictures) = pictures {
                let gpu = pictures.gpu();
                match pixels.on_gpu(pictures) {
                    Ok(frame) => {
                        let of = (&frame, frame.size());
                        let regions = regions.clone();
                        let made =
                            self.estimator.estimate_on(pictures, of, regions, plans, margin, faces);
                        counts = Some(made?);
                        self.gpu.made_on(gpu);
                    }
                    Err(why) => self.gpu.refuse(&why),
                }
            }
            let counts = match counts {
                Some(counts) => counts,
                None => {
                    let mapped = pixels.map()?;
                    let view = mapped.view()?;
                    self.access = mapped.access();
                    self.estimator.estimate(&view, regions, plans, margin, faces)?
                }
            };
            if self.gpu.maker().is_some() {
                outcome.gpu_pictures = counts.inferred;
            }
            (outcome.inferences, outcome.invalid) = (counts.inferred, counts.invalid);
            self.unaligned |= counts.unaligned > 0;
            self.missing = self.missing.or(counts.missing);
            outcome.latency = Some(begin.elapsed());
        } else {
            self.estimator.reuse(frame.size, &self.plans, &mut result.faces);
            outcome.carried = !self.plans.is_empty();
        }
        if settings.smoothing {
            source.smooth(&mut result.faces, at, settings.filter);
        } else {
            source.smoother.reset();
        }
        outcome.faces = result.faces.len() as u64;
        result.inference_time = outcome
            .latency
            .map_or(0, |latency| u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
        source.schedule.remember(&result.faces);
        self.filled += 1;
        Ok(outcome)
    }

    /// Puts the gaze of the last frame back on the buffer's own metadata that its regions came from.
    pub(super) fn annotate(&self, buffer: &mut gst::BufferRef) {
        let Some(result) = self.results().last() else { return };
        for (sourced, estimate) in self.regions.iter().zip(&result.faces) {
            region::annotate(buffer, sourced.meta, estimate);
        }
    }

    /// The regions of a frame that is a buffer of its own.
    pub(super) fn collect_regions(
        &mut self,
        buffer: &gst::BufferRef,
        source: u32,
        size: Size,
        settings: &FrameSettings,
    ) {
        self.regions.clear();
        let class = &settings.object_class;
        let looks = settings.inference_region.wants_faces();
        let looked = looks && self.reader.read(buffer, size, class, &mut self.regions);
        self.choose_regions(source, looked, size, settings);
    }

    /// Makes of the faces that somebody found (none, if `looked` is false) what is to be looked at.
    pub(super) fn choose_regions(
        &mut self,
        source: u32,
        looked: bool,
        size: Size,
        settings: &FrameSettings,
    ) {
        let whole = |rect: Rect| InputRegion {
            face: FaceRegion { rect, ..FaceRegion::default() },
            meta: MetaHandle::None,
        };
        match settings.inference_region {
            InferenceRegion::FullFrame => self.regions.push(whole(Rect::full(size))),
            InferenceRegion::Fixed => self.regions.push(whole(settings.fixed_region(size))),
            mode @ (InferenceRegion::Auto | InferenceRegion::RoiList) => {
                let source = self.sources.get(source);
                source.detector_seen |= looked;
                if mode == InferenceRegion::Auto && !source.detector_seen {
                    self.regions.push(whole(Rect::full(size)));
                }
                self.regions.retain(|region| {
                    settings.has_right_size(&region.face.rect)
                        && !region.face.rect.intersect(&Rect::full(size)).is_empty()
                });
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[path = "stream_gpu_tests.rs"]
mod gpu_tests;
