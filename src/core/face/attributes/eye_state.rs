//! Estimates whether eyes are open.

use super::error::AttributeError;
use super::model::Attribute;
use super::recognise::recognise;
use crate::core::face::region::{EyeCorners, FaceRegion};
use crate::core::gaze::eye_crop::EyeCropper;
use crate::core::image::frame::FrameView;
use crate::core::image::spec::{Channels, ImageSpec, Resample};
use crate::core::inference::engine::Engine;
use crate::core::inference::tensor::ElementType;
use crate::core::profile::spec::EyeSpec;

/// Side of the model's input.
const SIDE: u32 = 32;

/// Estimates the openness of eyes.
pub struct EyeStateEstimator {
    engine: Box<dyn Engine>,
    cropper: EyeCropper,
}

impl EyeStateEstimator {
    /// Recognises the model, which must have been opened for one item.
    ///
    /// # Errors
    /// Fails for a model of another attribute.
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

    /// The openness of one eye, 0..=1, in a head with this roll (radians, clockwise); `None` for an eye
    /// outside the frame, or where the model gives no finite number.
    ///
    /// # Errors
    /// Fails if the model does not run.
    pub fn openness(
        &mut self,
        frame: &FrameView<'_>,
        eye: &EyeCorners,
        roll: f32,
    ) -> Result<Option<f32>, AttributeError> {
        let Some(square) = self.cropper.square(eye, frame.raster()) else { return Ok(None) };
        let item = self.cropper.item_len();
        let mut input = self.engine.input(0);
        self.cropper.fill(frame, square, roll, input.slot(0, item))?;
        self.engine.run(1)?;
        // Closed, then open: the publisher's demo calls an eye open where the second is larger. The
        // model's page names them the other way round, against its values.
        let open = self.engine.output(0).get(1).copied();
        Ok(open.filter(|open| open.is_finite()).map(|open| open.clamp(0.0, 1.0)))
    }

    /// Adds the openness of the eyes, if both are in the frame.
    ///
    /// # Errors
    /// Fails if the model does not run.
    pub fn annotate(
        &mut self,
        frame: &FrameView<'_>,
        face: &mut FaceRegion,
    ) -> Result<(), AttributeError> {
        let Some([left, right]) = face.eyes else { return Ok(()) };
        let roll = face.roll(frame.pixel_aspect());
        let left = self.openness(frame, &left, roll)?;
        let right = self.openness(frame, &right, roll)?;
        face.eye_openness = left.zip(right).map(Into::into);
        Ok(())
    }
}
