//! The pixels of a frame and their shape.
//!
//! Pictures from DV, DVD and some capture cards have pixels that are wider or narrower than high. What
//! was made for square pixels (published crops, letterboxes, the slope of the eyes) is computed in the
//! raster of square pixels that shows the same picture, and brought back.

use super::rect::{PixelRect, Point, Rect, Size};

/// The width of a pixel divided by its height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelAspect(f64);

impl Default for PixelAspect {
    fn default() -> Self {
        Self::SQUARE
    }
}

impl PixelAspect {
    /// As wide as high.
    pub const SQUARE: Self = Self(1.0);

    /// The aspect `width / height`. One beyond 1:10 and 10:1 is a mistake and counts as square.
    pub fn new(width: f64, height: f64) -> Self {
        let ratio = width / height;
        if (0.1..=10.0).contains(&ratio) { Self(ratio) } else { Self::SQUARE }
    }

    /// Width divided by height, 0.1..=10.
    pub fn ratio(self) -> f64 {
        self.0
    }

    /// Whether the pixels are as wide as high.
    pub fn is_square(self) -> bool {
        self.0 == 1.0
    }

    /// Square pixels for one pixel, across and down. One of them is 1, and none is less, so that no
    /// detail is lost.
    pub fn stretch(self) -> (f64, f64) {
        if self.0 >= 1.0 { (self.0, 1.0) } else { (1.0, 1.0 / self.0) }
    }

    /// A shift or an extent, in square pixels.
    pub fn squared(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (across, down) = self.stretch();
        [x * across as f32, y * down as f32]
    }

    /// A shift or an extent in square pixels, in pixels of the frame.
    pub fn unsquared(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (across, down) = self.stretch();
        [x / across as f32, y / down as f32]
    }

    /// A point in the raster of square pixels.
    pub fn squared_point(self, point: Point) -> Point {
        let [x, y] = self.squared([point.x, point.y]);
        Point { x, y }
    }

    /// A box in the raster of square pixels.
    pub fn squared_rect(self, rect: &Rect) -> Rect {
        let ([x, y], [width, height]) =
            (self.squared([rect.x, rect.y]), self.squared([rect.width, rect.height]));
        Rect { x, y, width, height }
    }

    /// The extent of the raster of square pixels, in whole pixels, that shows `size` pixels.
    pub fn squared_size(self, size: Size) -> Size {
        let (across, down) = self.stretch();
        // Saturates.
        let side = |side: u32, factor: f64| (f64::from(side) * factor).round() as u32;
        Size::new(side(size.width, across), side(size.height, down))
    }

    /// The whole pixels of the frame that come nearest to a rectangle of square pixels; at least one
    /// in each direction of a rectangle that is not empty.
    pub fn unsquared_rect(self, rect: PixelRect) -> PixelRect {
        if self.is_square() {
            return rect;
        }
        let (across, down) = self.stretch();
        let side = |start: i32, length: u32, factor: f64| {
            let place = |at: f64| (at / factor).round();
            let (first, end) =
                (place(f64::from(start)), place(f64::from(start) + f64::from(length)));
            let least = if length == 0 { 0.0 } else { 1.0 };
            (first as i32, (end - first).max(least) as u32)
        };
        let (x, width) = side(rect.x, rect.width, across);
        let (y, height) = side(rect.y, rect.height, down);
        PixelRect { x, y, width, height }
    }
}

/// A frame's extent in pixels, and the shape of its pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Raster {
    /// Columns and rows.
    pub size: Size,
    /// The shape of a pixel.
    pub pixel_aspect: PixelAspect,
}

impl Raster {
    /// Whether a picture on this raster has the shape of one on `other`, to 2 % (1366x768 is 0.05 % off
    /// 16:9, 854x480 0.08 %).
    pub fn shows_shape_of(&self, other: &Self) -> bool {
        let shape = |raster: &Self| {
            let Size { width, height } = raster.size;
            f64::from(width) * raster.pixel_aspect.ratio() / f64::from(height)
        };
        (shape(self) / shape(other) - 1.0).abs() <= 0.02
    }
}

impl From<Size> for Raster {
    /// A raster of square pixels.
    fn from(size: Size) -> Self {
        Self { size, pixel_aspect: PixelAspect::SQUARE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_compared_as_they_are_shown() {
        let square = |width, height| Raster::from(Size::new(width, height));
        let hd = square(1280, 720);
        for same in [square(640, 360), square(854, 480), square(1366, 768)] {
            assert!(hd.shows_shape_of(&same) && same.shows_shape_of(&hd), "{same:?}");
        }
        let dv = Size::new(720, 576);
        let pal = Raster { size: dv, pixel_aspect: PixelAspect::new(64.0, 45.0) };
        assert!(hd.shows_shape_of(&pal) && !hd.shows_shape_of(&dv.into()));
        for other in [square(720, 1280), square(1280, 360), square(0, 0), square(5, 0)] {
            assert!(!hd.shows_shape_of(&other) && !other.shows_shape_of(&hd), "{other:?}");
        }
    }

    #[test]
    fn there_and_back() {
        let pal = PixelAspect::new(64.0, 45.0);
        assert_eq!(pal.squared_size(Size::new(720, 576)), Size::new(1024, 576));
        let tall = PixelAspect::new(9.0, 16.0);
        assert_eq!(tall.squared_size(Size::new(1280, 405)), Size::new(1280, 720));
        for aspect in [pal, tall, PixelAspect::SQUARE] {
            for rect in [PixelRect::new(10, 20, 300, 200), PixelRect::new(-33, -7, 90, 41)] {
                let there = aspect.squared_rect(&rect.to_rect());
                let [x, y, width, height] =
                    [there.x, there.y, there.width, there.height].map(|v| v.round());
                let there = PixelRect::new(x as i32, y as i32, width as u32, height as u32);
                let back = aspect.unsquared_rect(there);
                assert!((back.x - rect.x).abs() <= 1 && (back.y - rect.y).abs() <= 1, "{back:?}");
                assert!(back.width.abs_diff(rect.width) <= 1, "{back:?}");
                assert!(back.height.abs_diff(rect.height) <= 1, "{back:?}");
            }
        }
        assert_eq!(pal.unsquared_rect(PixelRect::new(5, 5, 1, 0)), PixelRect::new(4, 5, 1, 0));
    }

    #[test]
    fn impossible_aspects_are_square() {
        for (width, height) in
            [(0.0, 0.0), (1.0, 0.0), (-1.0, 1.0), (f64::NAN, 1.0), (2e9, 1.0), (1.0, 2e9)]
        {
            assert!(PixelAspect::new(width, height).is_square(), "{width}:{height}");
        }
        let wide = PixelAspect::new(10.0, 1.0);
        let vast = wide.squared_size(Size::new(u32::MAX, u32::MAX));
        assert_eq!(vast, Size::new(u32::MAX, u32::MAX));
        wide.unsquared_rect(PixelRect::new(i32::MIN, i32::MAX, u32::MAX, u32::MAX));
    }
}
