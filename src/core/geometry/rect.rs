//! Points, rectangles and sizes in pixels. The origin is the top left corner of the frame.

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size of `width` x `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Whether it has no pixels.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A point in pixels; (0, 0) is the outer corner of the top left pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Rightwards.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// The same point in a frame of another size, as `videoscale` would move it.
    pub fn rescaled(self, from: Size, to: Size) -> Self {
        let moved = Rect::new(self.x, self.y, 0.0, 0.0).rescaled(from, to);
        Self { x: moved.x, y: moved.y }
    }
}

/// A rectangle with sub-pixel corners, as detectors return it. It may leave the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Extent to the right. A rectangle is empty unless this is positive.
    pub width: f32,
    /// Extent downwards.
    pub height: f32,
}

impl Rect {
    /// The rectangle at (`x`, `y`) with the given extent.
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// The rectangle between two corners.
    pub fn from_corners(x1: f32, y1: f32, x2: f32, y2: f32) -> Self {
        Self::new(x1, y1, x2 - x1, y2 - y1)
    }

    /// The whole of a frame.
    pub fn full(size: Size) -> Self {
        Self::new(0.0, 0.0, size.width as f32, size.height as f32)
    }

    /// Right edge.
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    /// Bottom edge.
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// Whether it covers nothing, or has a coordinate that is not finite.
    pub fn is_empty(&self) -> bool {
        let numbers = [self.x, self.y, self.width, self.height];
        !numbers.iter().all(|v| v.is_finite()) || self.width <= 0.0 || self.height <= 0.0
    }

    /// Area in square pixels, 0 for an empty one.
    pub fn area(&self) -> f32 {
        if self.is_empty() { 0.0 } else { self.width * self.height }
    }

    /// The intersection; empty where the rectangles do not overlap.
    pub fn intersect(&self, other: &Self) -> Self {
        let x = self.x.max(other.x);
        let y = self.y.max(other.y);
        Self::from_corners(x, y, self.right().min(other.right()), self.bottom().min(other.bottom()))
    }

    /// Intersection over union, 0..=1.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersect(other).area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// The same rectangle in a frame of another size, as `videoscale` would move it.
    pub fn rescaled(&self, from: Size, to: Size) -> Self {
        if from == to || from.is_empty() {
            return *self;
        }
        let sx = to.width as f32 / from.width as f32;
        let sy = to.height as f32 / from.height as f32;
        Self::new(self.x * sx, self.y * sy, self.width * sx, self.height * sy)
    }
}

/// A rectangle of whole pixels. It may leave the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PixelRect {
    /// Left column.
    pub x: i32,
    /// Top row.
    pub y: i32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl PixelRect {
    /// The rectangle at (`x`, `y`) with the given extent.
    pub const fn new(x: i32, y: i32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// The whole of a frame.
    pub const fn full(size: Size) -> Self {
        Self::new(0, 0, size.width, size.height)
    }

    /// Whether it has no pixels.
    pub const fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The part inside a frame of `size`; empty where nothing lies inside.
    pub fn clipped(&self, size: Size) -> Self {
        let x1 = i64::from(self.x).clamp(0, i64::from(size.width));
        let y1 = i64::from(self.y).clamp(0, i64::from(size.height));
        let x2 = (i64::from(self.x) + i64::from(self.width)).clamp(x1, i64::from(size.width));
        let y2 = (i64::from(self.y) + i64::from(self.height)).clamp(y1, i64::from(size.height));
        Self::new(x1 as i32, y1 as i32, (x2 - x1) as u32, (y2 - y1) as u32)
    }

    /// The same rectangle with sub-pixel corners.
    pub fn to_rect(self) -> Rect {
        Rect::new(self.x as f32, self.y as f32, self.width as f32, self.height as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_of_known_overlap() {
        let a = Rect::new(0.0, 0.0, 10.0, 10.0);
        let b = Rect::new(5.0, 0.0, 10.0, 10.0);
        assert!((a.iou(&b) - 50.0 / 150.0).abs() < 1e-6);
        assert_eq!(a.iou(&Rect::new(20.0, 20.0, 5.0, 5.0)), 0.0);
        assert_eq!(a.iou(&Rect::default()), 0.0);
    }

    #[test]
    fn nan_and_negative_are_empty() {
        assert!(Rect::new(f32::NAN, 0.0, 5.0, 5.0).is_empty());
        assert!(Rect::new(0.0, 0.0, f32::INFINITY, 5.0).is_empty());
        assert!(Rect::new(0.0, 0.0, -1.0, 5.0).is_empty());
        assert!(!Rect::new(-3.0, -3.0, 1.0, 1.0).is_empty());
    }

    #[test]
    fn clip_never_overflows() {
        let frame = Size::new(100, 50);
        let wild = PixelRect::new(i32::MAX, i32::MIN, u32::MAX, u32::MAX);
        assert!(wild.clipped(frame).is_empty());
        assert_eq!(PixelRect::new(-10, -10, 20, 20).clipped(frame), PixelRect::new(0, 0, 10, 10));
        assert_eq!(PixelRect::new(90, 40, 20, 20).clipped(frame), PixelRect::new(90, 40, 10, 10));
    }

    #[test]
    fn rescale_follows_the_frame() {
        let r = Rect::new(10.0, 20.0, 30.0, 40.0);
        let half = r.rescaled(Size::new(640, 480), Size::new(320, 240));
        assert_eq!(half, Rect::new(5.0, 10.0, 15.0, 20.0));
        let point = Point { x: 10.0, y: 20.0 }.rescaled(Size::new(640, 480), Size::new(1280, 240));
        assert_eq!(point, Point { x: 20.0, y: 10.0 });
    }
}
