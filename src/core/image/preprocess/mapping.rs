//! The mapping between a crop of a frame and the pixels of a tensor.

use crate::core::geometry::raster::PixelAspect;
use crate::core::geometry::rect::{PixelRect, Size};
use crate::core::image::spec::Aspect;

/// The crop of the frame, and the rectangle of the tensor that shows it. Maps pixels of a model's
/// input back to pixels of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CropMapping {
    /// The crop in pixels of the frame, after clipping. It may leave the frame.
    pub source: PixelRect,
    /// The rectangle that it fills, in pixels of the tensor: never empty, never outside.
    pub picture: PixelRect,
}

impl CropMapping {
    /// Pixels of the frame for one pixel of the tensor, across and down. Both differ a little even
    /// where the shape is kept, because the picture has whole pixels.
    pub fn scale(&self) -> (f32, f32) {
        (
            self.source.width as f32 / self.picture.width as f32,
            self.source.height as f32 / self.picture.height as f32,
        )
    }
}

/// Size of the picture of `source` in a tensor of size `target`. A letterbox keeps the shape that
/// `source` has on the screen. It truncates the size to whole pixels, as the published ones do
/// (`int(width * ratio)`), but never below one.
pub(super) fn picture_size(
    aspect: Aspect,
    source: PixelRect,
    pixel_aspect: PixelAspect,
    target: Size,
) -> Size {
    match aspect {
        Aspect::Stretch => target,
        Aspect::Letterbox | Aspect::LetterboxTopLeft => {
            let (across, down) = pixel_aspect.stretch();
            let (width, height) =
                (f64::from(source.width) * across, f64::from(source.height) * down);
            let ratio = (f64::from(target.width) / width).min(f64::from(target.height) / height);
            Size::new(
                ((width * ratio) as u32).clamp(1, target.width),
                ((height * ratio) as u32).clamp(1, target.height),
            )
        }
    }
}

/// The rectangle of a picture of size `picture` in a tensor of size `target`.
pub(super) fn anchor(aspect: Aspect, picture: Size, target: Size) -> PixelRect {
    let (x, y) = match aspect {
        Aspect::Letterbox => {
            ((target.width - picture.width) / 2, (target.height - picture.height) / 2)
        }
        Aspect::Stretch | Aspect::LetterboxTopLeft => (0, 0),
    };
    PixelRect::new(x as i32, y as i32, picture.width, picture.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let source = PixelRect::new(0, 0, 1280, 853);
        let (target, square) = (Size::new(640, 640), PixelAspect::SQUARE);
        assert_eq!(picture_size(Aspect::Stretch, source, square, target), target);
        let kept = picture_size(Aspect::LetterboxTopLeft, source, square, target);
        assert_eq!(kept, Size::new(640, 426)); // int(853 * 0.5)
        assert_eq!(anchor(Aspect::LetterboxTopLeft, kept, target).y, 0);
        assert_eq!(anchor(Aspect::Letterbox, kept, target).y, 107);
        let line = PixelRect::new(0, 0, 5000, 1);
        assert_eq!(picture_size(Aspect::Letterbox, line, square, target), Size::new(640, 1));
        let pal = PixelRect::new(0, 0, 720, 576);
        let wide = picture_size(Aspect::Letterbox, pal, PixelAspect::new(64.0, 45.0), target);
        assert_eq!(wide, Size::new(640, 360));
    }
}
