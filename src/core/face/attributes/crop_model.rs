//! A model of one image input, run on a crop of the frame.

use super::error::AttributeError;
use crate::core::geometry::raster::Raster;
use crate::core::geometry::rect::{PixelRect, Rect};
use crate::core::image::frame::FrameView;
use crate::core::image::preprocess::Preprocessor;
use crate::core::image::spec::{Border, ImageSpec};
use crate::core::inference::engine::Engine;
use crate::core::inference::tensor::ElementType;

/// A model of one image input, with its preprocessor.
pub(super) struct CropModel {
    pub engine: Box<dyn Engine>,
    preprocessor: Preprocessor,
}

impl CropModel {
    /// A model for crops as `image` specifies them. The size is the model's own.
    pub fn new(engine: Box<dyn Engine>, image: &ImageSpec) -> Result<Self, AttributeError> {
        let element = engine.info().inputs.first().and_then(|input| input.element);
        let side = |dim: usize| {
            engine.input_shape(0).get(dim).and_then(|side| u32::try_from(*side).ok()).unwrap_or(0)
        };
        let image = ImageSpec { width: side(3), height: side(2), ..image.clone() };
        let preprocessor = Preprocessor::new(&image, element.unwrap_or(ElementType::F32))?;
        Ok(Self { engine, preprocessor })
    }

    /// Runs the model on the crop `source`, which may leave the frame.
    pub fn run(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
        border: Border,
    ) -> Result<(), AttributeError> {
        let item = self.preprocessor.item_len();
        let mut input = self.engine.input(0);
        self.preprocessor.fill(frame, source, border, input.slot(0, item))?;
        Ok(self.engine.run(1)?)
    }
}

/// Corners of a box in square pixels, truncated to whole ones as the publishers do; `None` for a box
/// outside the frame, or one of many times its size.
pub(super) fn whole_corners(rect: &Rect, raster: Raster) -> Option<[i32; 4]> {
    let Raster { size, pixel_aspect } = raster;
    let most = 3.0 * size.width.max(size.height) as f32;
    let seen = !rect.is_empty() && !rect.intersect(&Rect::full(size)).is_empty();
    if !seen || rect.width > most || rect.height > most {
        return None;
    }
    let rect = pixel_aspect.squared_rect(rect);
    Some([rect.x, rect.y, rect.right(), rect.bottom()].map(|v| v as i32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::rect::Size;

    #[test]
    fn boxes_outside_the_frame_have_no_corners() {
        let size = Size::new(640, 480);
        let corners = |x, y, w, h| whole_corners(&Rect::new(x, y, w, h), size.into());
        assert_eq!(corners(-3.7, 10.9, 10.0, 20.0), Some([-3, 10, 6, 30]));
        for (x, y, w, h) in [
            (0.0, 0.0, 0.0, 10.0),
            (-20.0, 0.0, 10.0, 10.0),
            (f32::NAN, 0.0, 10.0, 10.0),
            (-1e9, -1e9, 2e9, 2e9),
        ] {
            assert_eq!(corners(x, y, w, h), None);
        }
    }
}
