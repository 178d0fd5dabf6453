//! From a frame and the faces in it to where they look.

use super::decode::GazeDecoder;
use super::estimate::GazeEstimate;
pub use super::inputs::MissingAttributes;
use super::inputs::{CropError, FaceCrop, FillError, GazeRotation, ModelInputs, ModelInputsError};
use super::reuse::InferencePlan;
use crate::core::face::pnp::Pose;
use crate::core::face::{FaceRegion, pnp};
use crate::core::geometry::Size;
use crate::core::geometry::camera::{Camera, Optics};
use crate::core::image::FrameView;
use crate::core::image::preprocess::PreprocessError;
use crate::core::inference::device::{DeviceFault, PreprocessDevice};
use crate::core::inference::{Engine, EngineError};
use crate::core::profile::ResolvedProfile;
use crate::core::profile::spec::{FaceCenter, Normalization};

/// Why a frame's faces could not be estimated.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// The model does not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The model's input cannot be made.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// A device did not make it.
    #[error(transparent)]
    Device(#[from] DeviceFault),
    /// The profile says nothing of how an input's picture is made.
    #[error("input {index} of the model '{model}' has no picture; give its profile an 'image'")]
    NoPicture {
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

/// What one frame cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EstimateCounts {
    /// Faces that the model ran on.
    pub inferred: u64,
    /// Of all faces planned: outside the frame, lacking what the model needs, or given no number
    /// by the model.
    pub invalid: u64,
    /// What one face or another lacked.
    pub missing: MissingAttributes,
    /// Of those inferred: cropped although the model wants them normalised, because they came
    /// without landmarks that a head's pose could be found from.
    pub unaligned: u64,
}

/// A model with everything around it. Owns all memory that frames need; nothing is allocated once
/// the largest frame has been seen.
pub struct GazeEstimator {
    engine: Box<dyn Engine>,
    model: String,
    inputs: ModelInputs,
    decoder: GazeDecoder,
    optics: Optics,
    normalization: Option<Normalization>,
    slots: Vec<BatchItem>,
}

/// What one slot of the batch holds.
#[derive(Clone, Copy, Debug)]
struct BatchItem {
    /// Which of the frame's faces.
    face: usize,
    crop: FaceCrop,
    /// How its gaze is turned back.
    turn: GazeRotation,
}

/// Makes the pictures of faces and runs the model on them.
trait BatchRunner {
    /// Extent of the frame.
    fn size(&self) -> Size;

    /// One batch.
    fn run(
        &mut self,
        inputs: &mut ModelInputs,
        engine: &mut dyn Engine,
        slots: &[BatchItem],
    ) -> Result<(), EstimateError>;
}

/// On the CPU.
struct HostRunner<'a, 'f>(&'a FrameView<'f>);

impl BatchRunner for HostRunner<'_, '_> {
    fn size(&self) -> Size {
        self.0.size()
    }

    fn run(
        &mut self,
        inputs: &mut ModelInputs,
        engine: &mut dyn Engine,
        slots: &[BatchItem],
    ) -> Result<(), EstimateError> {
        for (slot, BatchItem { crop, .. }) in slots.iter().enumerate() {
            inputs.fill(self.0, crop, engine, slot)?;
        }
        Ok(engine.run(slots.len())?)
    }
}

/// On the device that has the frame.
struct DeviceRunner<'a, 'f, D: PreprocessDevice> {
    device: &'a mut D,
    frame: &'a D::Frame<'f>,
    size: Size,
}

impl<D: PreprocessDevice> BatchRunner for DeviceRunner<'_, '_, D> {
    fn size(&self) -> Size {
        self.size
    }

    fn run(
        &mut self,
        inputs: &mut ModelInputs,
        engine: &mut dyn Engine,
        slots: &[BatchItem],
    ) -> Result<(), EstimateError> {
        let frame = (self.frame, self.size);
        let filled = slots.iter().enumerate().try_for_each(|(slot, BatchItem { crop, .. })| {
            inputs.fill_on(self.device, frame, crop, engine, (slot, slots.len()))
        });
        // The engine's own stream of work knows nothing of the device's; and what was begun before
        // an error must not go on in memory that is given back.
        let finished = self.device.finish();
        filled?;
        finished?;
        Ok(engine.run_on_device(slots.len())?)
    }
}

impl GazeEstimator {
    /// Puts a model together with its profile and the decoder of its outputs.
    ///
    /// # Errors
    /// Where the profile's pictures cannot be made.
    pub fn new(
        engine: Box<dyn Engine>,
        profile: &ResolvedProfile,
        decoder: GazeDecoder,
    ) -> Result<Self, EstimateError> {
        let model = profile.name.clone();
        let inputs = match ModelInputs::new(profile) {
            Ok(inputs) => inputs,
            Err(ModelInputsError::Preprocess(error)) => return Err(error.into()),
            Err(ModelInputsError::NoPicture(index)) => {
                return Err(EstimateError::NoPicture { model, index });
            }
        };
        let slots = Vec::with_capacity(engine.max_batch());
        let (normalization, optics) = (profile.normalization, Optics::default());
        Ok(Self { inputs, decoder, optics, normalization, slots, model, engine })
    }

    /// Name of the model for metadata.
    pub fn model_name(&self) -> &str {
        &self.model
    }

    /// Nick of the execution provider that runs it.
    pub fn provider(&self) -> &str {
        self.engine.provider()
    }

    /// Number of the device that could make the model's pictures; `None` where only the CPU can.
    pub fn device(&self) -> Option<u32> {
        self.engine.device()
    }

    /// Puts the inputs of the smallest batch into the device's memory.
    ///
    /// # Errors
    /// Where there is no [device](Self::device), or its memory is not to be had.
    pub fn prepare_device(&mut self) -> Result<(), EngineError> {
        self.engine.device_input(0, 1).map(drop)
    }

    /// Says what is known of the camera, for all frames from now on.
    pub fn set_optics(&mut self, optics: Optics) {
        self.optics = optics;
    }

    /// Estimates the faces that are planned for it and takes over those that are carried, in
    /// order, into `out`. `margin` replaces the profile's margin.
    ///
    /// A face of which nothing lies in the frame, which lacks what the model needs, or for which
    /// the model gives no number, is reported without gaze. Where a face has landmarks, its head's
    /// pose is found from them (and reported, unless somebody gave one), and a model that wants
    /// normalised faces gets one; its gaze is turned back into the camera's coordinates, as is that
    /// of a model that answers in the axes of the ray.
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

    /// The same of a frame of this size in the memory of a device, which makes the pictures there;
    /// it must be [the one](Self::device) whose memory the model's inputs are in.
    pub fn estimate_on<D: PreprocessDevice>(
        &mut self,
        device: &mut D,
        (frame, size): (&D::Frame<'_>, Size),
        regions: impl IntoIterator<Item = FaceRegion>,
        plans: &[InferencePlan],
        margin: Option<f64>,
        out: &mut Vec<GazeEstimate>,
    ) -> Result<EstimateCounts, EstimateError> {
        let mut pictures = DeviceRunner { device: &mut *device, frame, size };
        let counts = self.estimate_with(&mut pictures, regions, plans, margin, out)?;
        if counts.inferred == 0 {
            // Who brought the frame may have begun something, and the frame is given back now.
            device.finish()?;
        }
        Ok(counts)
    }

    fn estimate_with(
        &mut self,
        pictures: &mut dyn BatchRunner,
        regions: impl IntoIterator<Item = FaceRegion>,
        plans: &[InferencePlan],
        margin: Option<f64>,
        out: &mut Vec<GazeEstimate>,
    ) -> Result<EstimateCounts, EstimateError> {
        let size = pictures.size();
        let camera = self.optics.camera(size);
        let mut counts = EstimateCounts::default();
        out.clear();
        self.slots.clear();
        for (region, plan) in regions.into_iter().zip(plans) {
            let pose = pose(&camera, &region);
            if let InferencePlan::Reuse(estimate) = plan {
                out.push(self.placed(*estimate, pose.as_ref()));
                continue;
            }
            let fresh = GazeEstimate { region, ..GazeEstimate::default() };
            out.push(self.placed(fresh, pose.as_ref()));
            let crop = match self.inputs.crop(size, &region, margin) {
                Ok(crop) => crop,
                Err(refused) => {
                    counts.invalid += 1;
                    if let CropError::Missing(missing) = refused {
                        counts.missing = counts.missing.or(missing);
                    }
                    continue;
                }
            };
            let crop = crop.seen_from(self.inputs.view(&camera, pose.as_ref()));
            counts.unaligned += u64::from(self.normalization.is_some() && !crop.is_normalised());
            let turn = self.inputs.turn(&camera, &region, &crop);
            self.slots.push(BatchItem { face: out.len() - 1, crop, turn });
            if self.slots.len() == self.engine.max_batch() {
                self.run(pictures, out, &mut counts)?;
            }
        }
        self.run(pictures, out, &mut counts)?;
        Ok(counts)
    }

    /// The results of a frame of `size` of which no face is inferred, into `out`: what is carried,
    /// with the heads where they are now. Faces that are planned to be inferred are left out.
    pub fn carry(&self, size: Size, plans: &[InferencePlan], out: &mut Vec<GazeEstimate>) {
        let camera = self.optics.camera(size);
        out.clear();
        out.extend(plans.iter().filter_map(|plan| match plan {
            InferencePlan::Reuse(estimate) => {
                Some(self.placed(*estimate, pose(&camera, &estimate.region).as_ref()))
            }
            InferencePlan::Infer => None,
        }));
    }

    /// A face with what its pose says of it.
    fn placed(&self, mut estimate: GazeEstimate, pose: Option<&Pose>) -> GazeEstimate {
        if let Some(pose) = pose {
            estimate.region.head_pose.get_or_insert_with(|| pose.angles());
            let center = self.normalization.map_or(FaceCenter::default(), |n| n.center).point();
            estimate.origin = Some(pose.place(center).map(|v| v as f32));
        }
        estimate
    }

    /// Runs the slots that are filled and empties them.
    fn run(
        &mut self,
        pictures: &mut dyn BatchRunner,
        out: &mut [GazeEstimate],
        counts: &mut EstimateCounts,
    ) -> Result<(), EstimateError> {
        if self.slots.is_empty() {
            return Ok(());
        }
        pictures.run(&mut self.inputs, self.engine.as_mut(), &self.slots)?;
        for (item, BatchItem { face, turn, .. }) in self.slots.drain(..).enumerate() {
            let gaze = self.decoder.decode(&*self.engine, item);
            let gaze = gaze.and_then(|gaze| turn.to_camera(gaze));
            counts.inferred += 1;
            counts.invalid += u64::from(gaze.is_none());
            out[face].gaze = gaze;
        }
        Ok(())
    }
}

/// How the head stands, where the face has landmarks that tell.
fn pose(camera: &Camera, region: &FaceRegion) -> Option<Pose> {
    pnp::from_landmarks(camera, region.landmarks.as_ref()?)
}
