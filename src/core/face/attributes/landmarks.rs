//! Estimates landmarks of a face.

use super::crop_model::{CropModel, whole_corners};
use super::error::AttributeError;
use super::model::{Attribute, AttributeModel};
use super::recognise::{AttributeMatch, recognise};
use crate::core::face::region::{EyeCorners, FaceRegion, Landmarks5};
use crate::core::geometry::rect::{PixelRect, Point};
use crate::core::image::frame::FrameView;
use crate::core::image::spec::{Border, Channels, ImageSpec};
use crate::core::inference::engine::Engine;

/// Factor from the box to the square crop of the 98-point model (ProxylessGaze of
/// mit-han-lab/proxylessnas).
const SQUARE: f64 = 1.11;
/// Positions among WFLW's 98 points: outer and inner corner of the eye on the image's left, then of
/// the eye on its right. The Open Model Zoo's `gaze_estimation_demo` uses the same.
const EYES: [[usize; 2]; 2] = [[60, 64], [72, 68]];
/// Pupils, tip of the nose, corners of the mouth, in the order of [`Landmarks5`].
const FIVE: [usize; 5] = [96, 97, 54, 76, 82];

/// Finds the landmarks of a face.
pub struct LandmarkEstimator {
    model: CropModel,
    kind: AttributeModel,
    output: usize,
    /// Landmarks of the last face; the memory is reused.
    points: Vec<Point>,
}

impl LandmarkEstimator {
    /// Recognises the model, which must have been opened for one item.
    ///
    /// # Errors
    /// Fails for a model that finds no landmarks.
    pub fn new(engine: Box<dyn Engine>) -> Result<Self, AttributeError> {
        let AttributeMatch { model: kind, outputs } =
            recognise(engine.as_ref(), Attribute::Landmarks)?;
        let scale = if kind == AttributeModel::Landmarks98 { 1.0 / 255.0 } else { 1.0 };
        let image = ImageSpec { channels: Channels::Bgr, scale, ..ImageSpec::default() };
        let model = CropModel::new(engine, &image)?;
        let output = outputs.first().copied().unwrap_or_default();
        Ok(Self { model, kind, output, points: Vec::new() })
    }

    /// Whether it finds the corners of the eyes.
    pub fn finds_eyes(&self) -> bool {
        self.kind == AttributeModel::Landmarks98
    }

    /// All landmarks of a face in pixels of the frame, in the model's order; none for a face outside
    /// the frame.
    ///
    /// # Errors
    /// Fails if the model does not run.
    pub fn points(
        &mut self,
        frame: &FrameView<'_>,
        face: &FaceRegion,
    ) -> Result<&[Point], AttributeError> {
        self.points.clear();
        let aspect = frame.pixel_aspect();
        let Some(corners) = whole_corners(&face.rect, frame.raster()) else { return Ok(&[]) };
        let source = if self.finds_eyes() { square(corners) } else { whole(corners) };
        let source = aspect.unsquared_rect(source);
        if source.clipped(frame.size()).is_empty() {
            return Ok(&[]);
        }
        self.model.run(frame, source, Border::Black)?;
        let (width, height) = (source.width as f32, source.height as f32);
        let (pairs, _) = self.model.engine.output(self.output).as_chunks::<2>();
        self.points.extend(pairs.iter().map(|[x, y]| Point {
            x: x * width + source.x as f32,
            y: y * height + source.y as f32,
        }));
        Ok(&self.points)
    }

    /// Adds the corners of the eyes, and the five points if the detector gave none.
    ///
    /// # Errors
    /// Fails if the model does not run.
    pub fn annotate(
        &mut self,
        frame: &FrameView<'_>,
        face: &mut FaceRegion,
    ) -> Result<(), AttributeError> {
        let finds_eyes = self.finds_eyes();
        let points = self.points(frame, face)?;
        let at = |index: usize| {
            points.get(index).copied().filter(|p| p.x.is_finite() && p.y.is_finite())
        };
        let five = if finds_eyes { FIVE } else { [0, 1, 2, 3, 4] };
        let five: Landmarks5 = match five.map(at) {
            [Some(a), Some(b), Some(c), Some(d), Some(e)] => [a, b, c, d, e],
            _ => return Ok(()),
        };
        face.landmarks = face.landmarks.or(Some(five));
        if finds_eyes {
            let eye = |[outer, inner]: [usize; 2]| {
                Some(EyeCorners { outer: at(outer)?, inner: at(inner)? })
            };
            face.eyes = eye(EYES[0]).zip(eye(EYES[1])).map(Into::into).or(face.eyes);
        }
        Ok(())
    }
}

/// The square crop of the 98-point model. It counts both corners as parts of the box, hence the 1.
fn square([x1, y1, x2, y2]: [i32; 4]) -> PixelRect {
    let (width, height) = (x2 - x1 + 1, y2 - y1 + 1);
    let side = (f64::from(width.max(height)) * SQUARE) as i32;
    let (x, y) = (x1 + width / 2 - side / 2, y1 + height / 2 - side / 2);
    PixelRect::new(x, y, side.max(0) as u32, side.max(0) as u32)
}

fn whole([x1, y1, x2, y2]: [i32; 4]) -> PixelRect {
    PixelRect::new(x1, y1, (x2 - x1).max(0) as u32, (y2 - y1).max(0) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_in_whole_pixels() {
        // 131x179 pixels: side int(179 * 1.11) = 198, about (662 + 65, 336 + 89).
        assert_eq!(square([662, 336, 792, 514]), PixelRect::new(628, 326, 198, 198));
    }
}
