//! Where a piece of a frame lies in a tensor.

use crate::core::geometry::{PixelRect, Point, Rect, Size};
use crate::core::image::spec::Aspect;

/// The rectangle of the frame that was read and the rectangle of the tensor that it fills: maps
/// what a model says in pixels of its input back to pixels of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CropMapping {
    /// What was read, in pixels of the frame, after clipping. May leave the frame.
    pub source: PixelRect,
    /// What it fills, in pixels of the tensor. Never empty, never outside.
    pub picture: PixelRect,
}

impl CropMapping {
    /// Pixels of the frame for one pixel of the tensor, across and down. They differ a little even
    /// where the shape is kept, because the picture's size is whole.
    pub fn scale(&self) -> (f32, f32) {
        (
            self.source.width as f32 / self.picture.width as f32,
            self.source.height as f32 / self.picture.height as f32,
        )
    }

    /// A point of the tensor in the frame.
    pub fn point_to_frame(&self, point: Point) -> Point {
        let (sx, sy) = self.scale();
        Point {
            x: (point.x - self.picture.x as f32) * sx + self.source.x as f32,
            y: (point.y - self.picture.y as f32) * sy + self.source.y as f32,
        }
    }

    /// A rectangle of the tensor in the frame.
    pub fn rect_to_frame(&self, rect: Rect) -> Rect {
        let (sx, sy) = self.scale();
        let corner = self.point_to_frame(Point { x: rect.x, y: rect.y });
        Rect::new(corner.x, corner.y, rect.width * sx, rect.height * sy)
    }
}

/// Size of the picture of `source` in a tensor of size `target`. Kept shapes are truncated to whole
/// pixels, as the published letterboxes do (`int(width * ratio)`), and never less than one.
pub(super) fn picture_size(aspect: Aspect, source: PixelRect, target: Size) -> Size {
    match aspect {
        Aspect::Stretch => target,
        Aspect::Letterbox | Aspect::LetterboxTopLeft => {
            let (width, height) = (f64::from(source.width), f64::from(source.height));
            let ratio = (f64::from(target.width) / width).min(f64::from(target.height) / height);
            Size::new(
                ((width * ratio) as u32).clamp(1, target.width),
                ((height * ratio) as u32).clamp(1, target.height),
            )
        }
    }
}

/// Where a picture of size `picture` lies in a tensor of size `target`.
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
        let target = Size::new(640, 640);
        assert_eq!(picture_size(Aspect::Stretch, source, target), target);
        let kept = picture_size(Aspect::LetterboxTopLeft, source, target);
        assert_eq!(kept, Size::new(640, 426)); // int(853 * 0.5)
        assert_eq!(anchor(Aspect::LetterboxTopLeft, kept, target).y, 0);
        assert_eq!(anchor(Aspect::Letterbox, kept, target).y, 107);
        let line = PixelRect::new(0, 0, 5000, 1);
        assert_eq!(picture_size(Aspect::Letterbox, line, target), Size::new(640, 1));
    }

    #[test]
    fn there_and_back() {
        let placement = CropMapping {
            source: PixelRect::new(-10, 20, 200, 100),
            picture: PixelRect::new(0, 50, 100, 50),
        };
        let back = placement.rect_to_frame(Rect::new(10.0, 60.0, 20.0, 10.0));
        assert_eq!(back, Rect::new(10.0, 40.0, 40.0, 20.0));
    }
}
