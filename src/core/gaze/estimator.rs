//! Estimates the gaze of the faces in a frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::decode::GazeDecoder;
use super::estimate::GazeEstimate;
use super::inputs::{CropError, FaceCrop, FillError, GazeRotation, ModelInputs, ModelInputsError};
use super::missing_attributes::MissingAttributes;
use super::reuse::InferencePlan;
use crate::core::face::pnp::{self, Pose};
use crate::core::face::region::FaceRegion;
use crate::core::geometry::camera::{Camera, Optics};
use crate::core::geometry::{Raster, Size};
use crate::core::image::FrameView;
use crate::core::image::preprocess::PreprocessError;
use crate::core::inference::device::{DeviceFault, PreprocessDevice};
use crate::core::inference::{Engine, EngineError};
use crate::core::profile::ResolvedProfile;
use crate::core::profile::spec::{FaceCenter, Normalization};

/// Why the gaze of a frame's faces could not be estimated.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// The model failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Preprocessing failed.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// Preprocessing on a device failed.
    #[error(transparent)]
    Device(#[from] DeviceFault),
    /// Another thread asked to stop ([`GazeEstimator::set_interrupt`]).
    #[error("the estimation was interrupted")]
    Interrupted,
    /// The profile has no image specification for an input.
    #[error(
        "input {index} of the model '{model}' has no image specification; add 'image' to its profile"
    )]
    NoImageSpec {
        /// Name of the model.
        model: String,
        /// Position of the input.
        index: usize,
    },
}

impl From<FillError> for EstimateError {
    fn from(error: FillError) -> Self {
        match error {
            FillError::Preprocess(error) => error.into(),
            FillError::Engine(error) => error.into(),
            FillError::Device(error) => error.into(),
        }
    }
}

/// Counts of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EstimateCounts {
    /// Faces that the model ran on.
    pub inferred: u64,
    /// Of all faces planned: outside the frame, without what the model needs, or without a finite
    /// gaze.
    pub invalid: u64,
    /// Of those inferred: the model's numbers are not finite, or no angles in the unit of its profile.
    pub impossible: u64,
    /// What the faces lacked.
    pub missing: MissingAttributes,
    /// Of those inferred: cropped although the model wants them normalised, because they have no
    /// landmarks to find the head's pose from.
    pub unaligned: u64,
}

/// A gaze model with its preprocessing and decoding. Owns all memory that frames need, and allocates
/// none once it has seen the largest frame.
pub struct GazeEstimator {
    engine: Box<dyn Engine>,
    model: String,
    inputs: ModelInputs,
    decoder: GazeDecoder,
    optics: Optics,
    normalization: Option<Normalization>,
    batch: Vec<BatchItem>,
    interrupt: Arc<AtomicBool>,
}

/// One item of the batch.
#[derive(Clone, Copy, Debug)]
struct BatchItem {
    /// Index of the face in the frame.
    face: usize,
    crop: FaceCrop,
    /// Brings its gaze back into the camera's axes.
    rotation: GazeRotation,
}

/// Writes the crops of a batch and runs the model on them.
trait BatchRunner {
    /// Extent of the frame and shape of its pixels.
    fn raster(&self) -> Raster;

    /// Runs one batch.
    fn run(
        &mut self,
        inputs: &mut ModelInputs,
        engine: &mut dyn Engine,
        batch: &[BatchItem],
    ) -> Result<(), EstimateError>;
}

/// Preprocesses on the CPU.
struct HostRunner<'a, 'f>(&'a FrameView<'f>);

impl BatchRunner for HostRunner<'_, '_> {
    fn raster(&self) -> Raster {
        self.0.raster()
    }

    fn run(
        &mut self,
        inputs: &mut ModelInputs,
        engine: &mut dyn Engine,
        batch: &[BatchItem],
    ) -> Result<(), EstimateError> {
        for (item, BatchItem { crop, .. }) in batch.iter().enumerate() {
            inputs.fill(self.0, crop, engine, item)?;
        }
        Ok(engine.run(batch.len())?)
    }
}

/// Preprocesses on the device that holds the frame.
struct DeviceRunner<'a, 'f, D: PreprocessDevice> {
    device: &'a mut D,
    frame: &'a D::Frame<'f>,
    size: Size,
}

impl<D: PreprocessDevice> BatchRunner for DeviceRunner<'_, '_, D> {
    fn raster(&self) -> Raster {
        self.size.into()
    }

    fn run(
        &mut self,
        inputs: &mut ModelInputs,
        engine: &mut dyn Engine,
        batch: &[BatchItem],
    ) -> Result<(), EstimateError> {
        let frame = (self.frame, self.size);
        let filled = batch.iter().enumerate().try_for_each(|(item, BatchItem { crop, .. })| {
            inputs.fill_on(self.device, frame, crop, engine, (item, batch.len()))
        });
        // The engine's stream does not wait for the device's, and after an error no work may go on in
        // memory that is freed.
        let finished = self.device.finish();
        filled?;
        finished?;
        Ok(engine.run_on_device(batch.len())?)
    }
}

impl GazeEstimator {
    /// Joins a model, its profile and the decoder of its outputs.
    ///
    /// # Errors
    /// Where preprocessing cannot make what the profile asks for.
    pub fn new(
        engine: Box<dyn Engine>,
        profile: &ResolvedProfile,
        decoder: GazeDecoder,
    ) -> Result<Self, EstimateError> {
        let model = profile.name.clone();
        let inputs = match ModelInputs::new(profile) {
            Ok(inputs) => inputs,
            Err(ModelInputsError::Preprocess(error)) => return Err(error.into()),
            Err(ModelInputsError::NoImageSpec(index)) => {
                return Err(EstimateError::NoImageSpec { model, index });
            }
        };
        let batch = Vec::with_capacity(engine.max_batch());
        let (normalization, optics) = (profile.normalization, Optics::default());
        let interrupt = Arc::default();
        Ok(Self { inputs, decoder, optics, normalization, batch, model, engine, interrupt })
    }

    /// Sets a flag that ends the estimation of a frame before its next batch while it is true. A frame
    /// with hundreds of faces takes seconds, which a pipeline that stops should not wait for.
    pub fn set_interrupt(&mut self, flag: Arc<AtomicBool>) {
        self.interrupt = flag;
    }

    /// Name of the model for metadata.
    pub fn model_name(&self) -> &str {
        &self.model
    }

    /// Nick of the execution provider that runs the model.
    pub fn provider(&self) -> &str {
        self.engine.provider()
    }

    /// Number of the device that can preprocess for the model; `None` where only the CPU can.
    pub fn device(&self) -> Option<u32> {
        self.engine.device()
    }

    /// Why only the CPU can preprocess although a device with its own memory runs the model.
    pub fn device_refusal(&self) -> Option<&'static str> {
        self.engine.device_refusal()
    }

    /// Allocates the inputs of the smallest batch in the device's memory.
    ///
    /// # Errors
    /// Where there is no [device](Self::device), or the device lacks memory.
    pub fn prepare_device(&mut self) -> Result<(), EngineError> {
        self.engine.device_input(0, 1).map(drop)
    }

    /// Sets what is known of the camera, for all frames from now on.
    pub fn set_optics(&mut self, optics: Optics) {
        self.optics = optics;
    }

    /// Writes the results of all faces to `out`, in order: estimates the faces that are planned for
    /// inference and takes over the reused results. `margin` replaces the profile's margin.
    ///
    /// A face outside the frame, without what the model needs, or without a finite result has no
    /// gaze. The landmarks of a face give its head's pose, unless the region has one, and a
    /// normalised face for a model that wants it. The estimator rotates the gaze of a model that
    /// answers in other axes back into the camera's.
    pub fn estimate(
        &mut self,
        frame: &FrameView<'_>,
        regions: impl IntoIterator<Item = FaceRegion>,
        plans: &[InferencePlan],
        margin: Option<f64>,
        out: &mut Vec<GazeEstimate>,
    ) -> Result<EstimateCounts, EstimateError> {
        self.estimate_with(&mut HostRunner(frame), regions, plans, margin, out)
    }

    /// As [`estimate`](Self::estimate), for a frame of this size, with square pixels, in the memory of a
    /// device, which preprocesses there. It must be [the device](Self::device) that holds the model's inputs.
    pub fn estimate_on<D: PreprocessDevice>(
        &mut self,
        device: &mut D,
        (frame, size): (&D::Frame<'_>, Size),
        regions: impl IntoIterator<Item = FaceRegion>,
        plans: &[InferencePlan],
        margin: Option<f64>,
        out: &mut Vec<GazeEstimate>,
    ) -> Result<EstimateCounts, EstimateError> {
        let mut runner = DeviceRunner { device: &mut *device, frame, size };
        let counts = self.estimate_with(&mut runner, regions, plans, margin, out)?;
        if counts.inferred == 0 {
            // The caller may have begun work on the frame, which it gives back now.
            device.finish()?;
        }
        Ok(counts)
    }

    fn estimate_with(
        &mut self,
        runner: &mut dyn BatchRunner,
        regions: impl IntoIterator<Item = FaceRegion>,
        plans: &[InferencePlan],
        margin: Option<f64>,
        out: &mut Vec<GazeEstimate>,
    ) -> Result<EstimateCounts, EstimateError> {
        let raster = runner.raster();
        let camera = self.optics.camera(raster);
        let mut counts = EstimateCounts::default();
        out.clear();
        self.batch.clear();
        for (region, plan) in regions.into_iter().zip(plans) {
            let pose = pose(&camera, &region);
            if let InferencePlan::Reuse(estimate) = plan {
                out.push(self.with_pose(*estimate, pose.as_ref()));
                continue;
            }
            let fresh = GazeEstimate { region, ..GazeEstimate::default() };
            out.push(self.with_pose(fresh, pose.as_ref()));
            let crop = match self.inputs.crop(raster, &region, margin) {
                Ok(crop) => crop,
                Err(error) => {
                    counts.invalid += 1;
                    if let CropError::Missing(missing) = error {
                        counts.missing = counts.missing.or(missing);
                    }
                    continue;
                }
            };
            let crop = crop.with_view(self.inputs.normalized_view(&camera, pose.as_ref()));
            counts.unaligned += u64::from(self.normalization.is_some() && !crop.is_normalised());
            let rotation = self.inputs.gaze_rotation(&camera, &region, &crop);
            self.batch.push(BatchItem { face: out.len() - 1, crop, rotation });
            if self.batch.len() == self.engine.max_batch() {
                self.run_batch(runner, out, &mut counts)?;
            }
        }
        self.run_batch(runner, out, &mut counts)?;
        Ok(counts)
    }

    /// Writes the results of a frame of `raster` without inference to `out`: the reused results, with
    /// the present poses of the heads. Leaves out faces that are planned for inference.
    pub fn reuse(
        &self,
        raster: impl Into<Raster>,
        plans: &[InferencePlan],
        out: &mut Vec<GazeEstimate>,
    ) {
        let camera = self.optics.camera(raster);
        out.clear();
        out.extend(plans.iter().filter_map(|plan| match plan {
            InferencePlan::Reuse(estimate) => {
                Some(self.with_pose(*estimate, pose(&camera, &estimate.region).as_ref()))
            }
            InferencePlan::Infer => None,
        }));
    }

    /// An estimate with the head pose and the gaze's origin that a pose gives.
    fn with_pose(&self, mut estimate: GazeEstimate, pose: Option<&Pose>) -> GazeEstimate {
        if let Some(pose) = pose {
            estimate.region.head_pose.get_or_insert_with(|| pose.angles());
            let center = self.normalization.map_or(FaceCenter::default(), |n| n.center).point();
            estimate.origin = Some(pose.transform(center).map(|v| v as f32));
        }
        estimate
    }

    /// Runs the batch and empties it.
    fn run_batch(
        &mut self,
        runner: &mut dyn BatchRunner,
        out: &mut [GazeEstimate],
        counts: &mut EstimateCounts,
    ) -> Result<(), EstimateError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        if self.interrupt.load(Ordering::Relaxed) {
            return Err(EstimateError::Interrupted);
        }
        runner.run(&mut self.inputs, self.engine.as_mut(), &self.batch)?;
        for (item, BatchItem { face, rotation, .. }) in self.batch.drain(..).enumerate() {
            let gaze = self.decoder.decode(&*self.engine, item);
            counts.impossible += u64::from(gaze.is_none());
            let gaze = gaze.and_then(|gaze| rotation.to_camera(gaze));
            counts.inferred += 1;
            counts.invalid += u64::from(gaze.is_none());
            out[face].gaze = gaze;
        }
        Ok(())
    }
}

/// The pose of the head, where the face has landmarks.
fn pose(camera: &Camera, region: &FaceRegion) -> Option<Pose> {
    pnp::from_landmarks(camera, region.landmarks.as_ref()?)
}
