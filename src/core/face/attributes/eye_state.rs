//! Whether eyes are open.

use super::recognise::recognise;
use super::{Attribute, AttributeError};
use crate::core::face::{EyeCorners, FaceRegion};
use crate::core::gaze::eye_crop::EyeCropper;
use crate::core::image::FrameView;
use crate::core::image::spec::{Channels, ImageSpec, Resample};
use crate::core::inference::{ElementType, Engine};
use crate::core::profile::spec::EyeSpec;

/// Side of the model's input.
const SIDE: u32 = 32;

/// Tells how far eyes are open.
pub struct EyeStateEstimator {
    engine: Box<dyn Engine>,
    cropper: EyeCropper,
}

impl EyeStateEstimator {
    /// Recognises the model, which must have been opened for one item.
    ///
    /// # Errors
    /// For a model that is about something else.
    pub fn new(engine: Box<dyn Engine>) -> Result<Self, AttributeError> {
        recognise(engine.as_ref(), Attribute::EyeState)?;
        let element = engine.info().inputs.first().and_then(|input| input.element);
        // open_model_zoo, models/public/open-closed-eye-0001/model.yml: mean 127, scale 255.
        let image = ImageSpec {
            width: SIDE,
            height: SIDE,
            channels: Channels::Bgr,
            mean: [127.0; 3],
            std: [255.0; 3],
            resample: Resample::OpencvCubic,
            ..ImageSpec::default()
        };
        let element = element.unwrap_or(ElementType::F32);
        let cropper = EyeCropper::new(EyeSpec::default(), &image, element)?;
        Ok(Self { engine, cropper })
    }

    /// How far one eye is open, 0..=1, in a head with this roll (radians, clockwise); `None` for an
    /// eye that is not in the frame, or where the model gives no number.
    ///
    /// # Errors
    /// If the model does not run.
    pub fn openness(
        &mut self,
        frame: &FrameView<'_>,
        eye: &EyeCorners,
        roll: f32,
    ) -> Result<Option<f32>, AttributeError> {
        let Some(square) = self.cropper.square(eye, frame.size()) else { return Ok(None) };
        let item = self.cropper.item_len();
        let mut input = self.engine.input(0);
        self.cropper.fill(frame, square, roll, input.slot(0, item))?;
        self.engine.run(1)?;
        // Closed, then open: the publisher's demo takes an eye for open where the second is the
        // larger (the model's page names them the other way round, against what it gives).
        let open = self.engine.output(0).get(1).copied();
        Ok(open.filter(|open| open.is_finite()).map(|open| open.clamp(0.0, 1.0)))
    }

    /// Adds how far the eyes are open, where both are seen.
    ///
    /// # Errors
    /// If the model does not run.
    pub fn annotate(
        &mut self,
        frame: &FrameView<'_>,
        face: &mut FaceRegion,
    ) -> Result<(), AttributeError> {
        let Some([left, right]) = face.eyes else { return Ok(()) };
        let roll = face.roll();
        let left = self.openness(frame, &left, roll)?;
        let right = self.openness(frame, &right, roll)?;
        face.eye_openness = left.zip(right).map(Into::into);
        Ok(())
    }
}
