//! Estimates the pose of a head.

use super::crop_model::{CropModel, whole_corners};
use super::error::AttributeError;
use super::model::Attribute;
use super::recognise::{AttributeMatch, recognise};
use crate::core::face::region::FaceRegion;
use crate::core::geometry::angles::HeadPose;
use crate::core::geometry::rect::PixelRect;
use crate::core::image::frame::FrameView;
use crate::core::image::spec::{Border, Channels, ImageSpec, Resample};
use crate::core::inference::engine::Engine;

/// Estimates the pose of a head.
pub struct HeadPoseEstimator {
    model: CropModel,
    /// Positions of yaw, pitch and roll.
    outputs: [usize; 3],
}

impl HeadPoseEstimator {
    /// Recognises the model, which must have been opened for one item.
    ///
    /// # Errors
    /// Fails for a model of another attribute.
    pub fn new(engine: Box<dyn Engine>) -> Result<Self, AttributeError> {
        let AttributeMatch { outputs, .. } = recognise(engine.as_ref(), Attribute::HeadPose)?;
        let image = ImageSpec {
            channels: Channels::Bgr,
            resample: Resample::OpencvCubic,
            ..ImageSpec::default()
        };
        let mut positions = [0; 3];
        for (position, output) in positions.iter_mut().zip(outputs) {
            *position = output;
        }
        Ok(Self { model: CropModel::new(engine, &image)?, outputs: positions })
    }

    /// The pose of a head; `None` for a face outside the frame, or where the model gives no finite
    /// number.
    ///
    /// The publisher drops a face whose square leaves the frame; here the crop repeats the frame's
    /// edge.
    ///
    /// # Errors
    /// Fails if the model does not run.
    pub fn estimate(
        &mut self,
        frame: &FrameView<'_>,
        face: &FaceRegion,
    ) -> Result<Option<HeadPose>, AttributeError> {
        let Some([x, y, ..]) = whole_corners(&face.rect, frame.raster()) else { return Ok(None) };
        let aspect = frame.pixel_aspect();
        let [width, height] = aspect.squared([face.rect.width, face.rect.height]);
        let source = aspect.unsquared_rect(square(x, y, width as i32, height as i32));
        if source.clipped(frame.size()).is_empty() {
            return Ok(None);
        }
        self.model.run(frame, source, Border::Replicate)?;
        let angle = |output: usize| {
            self.model.engine.output(output).first().copied().filter(|angle| angle.is_finite())
        };
        let [yaw, pitch, roll] = self.outputs.map(angle);
        Ok(match (yaw, pitch, roll) {
            (Some(yaw), Some(pitch), Some(roll)) => Some(HeadPose::from_zoo([yaw, pitch, roll])),
            _ => None,
        })
    }

    /// Adds the pose of the head.
    ///
    /// # Errors
    /// Fails if the model does not run.
    pub fn annotate(
        &mut self,
        frame: &FrameView<'_>,
        face: &mut FaceRegion,
    ) -> Result<(), AttributeError> {
        face.head_pose = self.estimate(frame, face)?.or(face.head_pose);
        Ok(())
    }
}

/// The square that the model was trained with, for a box of whole pixels
/// (`FaceDetector::adjustBoundingBox` of the Open Model Zoo's `gaze_estimation_demo`).
fn square(x: i32, y: i32, width: i32, height: i32) -> PixelRect {
    let part = |factor: f64, of: i32| (factor * f64::from(of)) as i32;
    let (mut x, mut y) = (x - part(0.067, width), y - part(0.028, height));
    let (wide, high) = (width + part(0.15, width), height + part(0.13, height));
    let side = wide.max(high).max(0);
    x -= (side - wide) / 2;
    y -= (side - high) / 2;
    PixelRect::new(x, y, side as u32, side as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_in_whole_pixels() {
        // 100x121 grows to 115x136 from (-6, -3), then by ten more columns on the left.
        assert_eq!(square(50, 60, 100, 121), PixelRect::new(50 - 6 - 10, 57, 136, 136));
        assert_eq!(square(50, 60, 121, 100), PixelRect::new(50 - 8, 58 - 13, 139, 139));
    }
}
