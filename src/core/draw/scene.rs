//! A scene: everything to draw on one frame, in pixels.

use std::ops::Range;

use super::style::Argb;
use crate::core::geometry::rect::{PixelRect, Point, Rect, Size};

/// A graphics primitive, in pixels of the frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Primitive {
    /// A corner of a box: two lines from `tip`, `dx` along the row and `dy` along the column.
    Corner {
        /// Where the lines meet.
        tip: Point,
        /// Extent along x, signed.
        dx: f32,
        /// Extent along y, signed.
        dy: f32,
    },
    /// A straight line.
    Line {
        /// One end.
        from: Point,
        /// The other.
        to: Point,
    },
    /// A line with a head at `to`.
    Arrow {
        /// Where it starts.
        from: Point,
        /// Where it points.
        to: Point,
    },
    /// A filled circle.
    Dot {
        /// Its centre.
        center: Point,
        /// Its radius.
        radius: f32,
    },
    /// Text on a dark plate.
    Label {
        /// The plate, in whole pixels, inside the frame.
        plate: PixelRect,
        /// Where the pen starts on the first baseline, in whole pixels.
        pen: [i32; 2],
        /// Pixels from one baseline to the next.
        leading: u32,
        /// Bytes of [`Scene::text`]; one or two lines.
        text: Range<usize>,
    },
}

/// A primitive with its style.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The primitive.
    pub primitive: Primitive,
    /// Colour of the line or text, already faded.
    pub color: Argb,
    /// Width of lines.
    pub width: f32,
    /// Factor of the opacity of halo and plate, 0..=1.
    pub opacity: f32,
}

impl Item {
    /// Width of the dark halo around lines, which keeps them visible on bright ground.
    pub fn halo(&self) -> f32 {
        (self.width * 0.5).max(1.0)
    }

    /// Width and length of an arrow's head, for an arrow of `length`.
    pub fn arrow_head(&self, length: f32) -> (f32, f32) {
        let head = (self.width * 5.5).min(length * 0.6);
        (head * 0.8, head)
    }

    /// The pixels of a frame of `size` that the primitive may touch; empty outside the frame.
    pub fn bounds(&self, size: Size) -> PixelRect {
        let reach = self.width / 2.0 + self.halo() + 1.0;
        let rect = match &self.primitive {
            Primitive::Label { plate, .. } => return plate.clipped(size),
            Primitive::Corner { tip, dx, dy } => {
                around(*tip, Point { x: tip.x + dx, y: tip.y + dy }, reach)
            }
            Primitive::Line { from, to } => around(*from, *to, reach),
            Primitive::Arrow { from, to } => {
                let length = (to.x - from.x).hypot(to.y - from.y);
                around(*from, *to, reach + self.arrow_head(length).0 / 2.0)
            }
            Primitive::Dot { center, radius } => around(*center, *center, reach + radius),
        };
        // `as` saturates and `clipped` does not overflow, so a vast box is safe.
        let (x, y) = (rect.x.floor() as i32, rect.y.floor() as i32);
        let extent = |end: f32, start: i32| (end.ceil() as i32).saturating_sub(start).max(0) as u32;
        PixelRect::new(x, y, extent(rect.right(), x), extent(rect.bottom(), y)).clipped(size)
    }
}

/// The rectangle around two points, `reach` larger on each side.
fn around(a: Point, b: Point, reach: f32) -> Rect {
    let (x1, x2) = (a.x.min(b.x) - reach, a.x.max(b.x) + reach);
    let (y1, y2) = (a.y.min(b.y) - reach, a.y.max(b.y) + reach);
    Rect::from_corners(x1, y1, x2, y2)
}

/// Everything to draw on one frame, in order. It reuses its memory.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub(super) size: Size,
    pub(super) items: Vec<Item>,
    /// The part of `items` of each drawn face.
    pub(super) faces: Vec<Range<usize>>,
    pub(super) text: String,
}

impl Scene {
    /// Size of the frame that it was laid out for.
    pub fn size(&self) -> Size {
        self.size
    }

    /// All primitives, in drawing order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The primitives of each face.
    pub fn faces(&self) -> impl Iterator<Item = &[Item]> {
        self.faces.iter().map(|range| &self.items[range.clone()])
    }

    /// The text of a label.
    pub fn text(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }
}
