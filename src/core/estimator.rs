//! From a frame and the faces in it to where they look.

use super::decode::GazeDecoder;
use super::frame::FrameView;
use super::gaze::Gaze;
use super::geometry::Size;
use super::preprocess::{PreprocessError, Preprocessor};
use super::profile::{InputRole, ResolvedProfile};
use super::region::{FaceRegion, RegionPolicy};
use super::schedule::Plan;
use super::tensor::{Engine, EngineError};

/// What is known of one face: the region it came from and what the model said.
///
/// This is what metadata, overlay, publisher and monitor share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GazeEstimate {
    /// The face as it was found, in pixels of the frame; its head pose is here too.
    pub region: FaceRegion,
    /// Where it looks; `None` where the model gave no number.
    pub gaze: Option<Gaze>,
    /// The model's own confidence, 0..=1, where it gives one.
    pub confidence: Option<f32>,
    /// Frames since this face was last inferred; 0 is now.
    pub age: u32,
    /// Where the gaze starts, in millimetres and camera coordinates, where known.
    pub origin: Option<[f32; 3]>,
}

/// All that is known of one frame: what `GazeMeta` carries and what `gazepublish` writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrameGaze {
    /// The frame that the boxes are measured in.
    pub size: Size,
    /// One for each face that was looked at, in the detector's order; empty where none was found.
    pub faces: Vec<GazeEstimate>,
    /// Name of the model.
    pub model: String,
    /// Which source of a batch the frame came from; 0 outside batches.
    pub source_id: u32,
    /// Nanoseconds from the frame's pixels to the last angle; 0 where nothing was inferred.
    pub inference_time: u64,
}

impl FrameGaze {
    /// The same with every box and its landmarks moved into a frame of another size.
    pub fn rescaled(mut self, size: Size) -> Self {
        for FaceRegion { rect, landmarks, .. } in self.faces.iter_mut().map(|f| &mut f.region) {
            *rect = rect.rescaled(self.size, size);
            for point in landmarks.iter_mut().flatten() {
                *point = point.rescaled(self.size, size);
            }
        }
        self.size = size;
        self
    }
}

/// Why a frame's faces could not be estimated.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// The model does not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The model's input cannot be made.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The model wants more than a face.
    #[error(
        "the model '{model}' needs {role:?} input besides the face, which no element provides yet; \
         use a model that takes one face picture"
    )]
    Input {
        /// Name of the model.
        model: String,
        /// What it wants.
        role: InputRole,
    },
}

/// What one frame cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Faces that the model ran on.
    pub inferred: u64,
    /// Of all faces planned: outside the frame, or given no number by the model.
    pub invalid: u64,
}

/// A model with everything around it. Owns all memory that frames need; nothing is allocated once
/// the largest frame has been seen.
pub struct GazeEstimator {
    engine: Box<dyn Engine>,
    model: String,
    region: RegionPolicy,
    input: usize,
    preprocessor: Preprocessor,
    decoder: GazeDecoder,
    /// For each slot of the batch, the face whose picture it holds.
    slots: Vec<usize>,
}

impl GazeEstimator {
    /// Puts a model together with its profile and the decoder of its outputs.
    ///
    /// # Errors
    /// [`EstimateError::Input`] where the model wants more than a face.
    pub fn new(
        engine: Box<dyn Engine>,
        profile: &ResolvedProfile,
        decoder: GazeDecoder,
    ) -> Result<Self, EstimateError> {
        let model = profile.name.clone();
        if let Some(input) = profile.inputs.iter().find(|input| input.role != InputRole::Face) {
            return Err(EstimateError::Input { model, role: input.role });
        }
        let Some((face, image)) =
            profile.inputs.iter().find_map(|i| i.image.as_ref().map(|image| (i, image)))
        else {
            return Err(EstimateError::Input { model, role: InputRole::Face });
        };
        Ok(Self {
            preprocessor: Preprocessor::new(image, face.element)?,
            decoder,
            slots: Vec::with_capacity(engine.max_batch()),
            input: face.index,
            region: profile.region,
            model,
            engine,
        })
    }

    /// Name of the model for metadata.
    pub fn model_name(&self) -> &str {
        &self.model
    }

    /// Nick of the execution provider that runs it.
    pub fn provider(&self) -> &str {
        self.engine.provider()
    }

    /// Estimates the faces that are planned for it and takes over those that are carried, in
    /// order, into `out`. `margin` replaces the profile's margin.
    ///
    /// A face of which nothing lies in the frame, or for which the model gives no number, is
    /// reported without gaze.
    pub fn estimate(
        &mut self,
        frame: &FrameView<'_>,
        regions: impl IntoIterator<Item = FaceRegion>,
        plans: &[Plan],
        margin: Option<f64>,
        out: &mut Vec<GazeEstimate>,
    ) -> Result<Counts, EstimateError> {
        let policy = RegionPolicy { margin: margin.unwrap_or(self.region.margin), ..self.region };
        let mut counts = Counts::default();
        out.clear();
        self.slots.clear();
        for (region, plan) in regions.into_iter().zip(plans) {
            if let Plan::Carry(estimate) = plan {
                out.push(*estimate);
                continue;
            }
            out.push(GazeEstimate { region, ..GazeEstimate::default() });
            let Some(pixels) = policy.pixels(&region.rect, frame.size()) else {
                counts.invalid += 1;
                continue;
            };
            let item = self.preprocessor.item_len();
            let mut input = self.engine.input(self.input);
            let slot = input.slot(self.slots.len(), item);
            self.preprocessor.fill(frame, pixels, policy.border, slot)?;
            self.slots.push(out.len() - 1);
            if self.slots.len() == self.engine.max_batch() {
                self.run(out, &mut counts)?;
            }
        }
        self.run(out, &mut counts)?;
        Ok(counts)
    }

    /// Runs the slots that are filled and empties them.
    fn run(&mut self, out: &mut [GazeEstimate], counts: &mut Counts) -> Result<(), EstimateError> {
        if self.slots.is_empty() {
            return Ok(());
        }
        self.engine.run(self.slots.len())?;
        for (slot, face) in self.slots.drain(..).enumerate() {
            let gaze = self.decoder.decode(&*self.engine, slot);
            counts.inferred += 1;
            counts.invalid += u64::from(gaze.is_none());
            out[face].gaze = gaze;
        }
        Ok(())
    }
}
