//! Draws a scene to pixels.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, PixmapMut, Stroke, Transform,
};

use super::blend::FrameMut;
use super::clip;
use super::scene::{Item, Primitive, Scene};
use super::style::{Argb, Style};
use super::text::Font;
use crate::core::gaze::GazeEstimate;
use crate::core::geometry::rect::{PixelRect, Point, Rect, Size};

/// Ground under text, and around lines: dark enough for white text on a white wall.
const PLATE: Argb = Argb(0xa80c_1014);
const HALO: Argb = Argb(0x7000_0000);

/// The embedded font is damaged, which is a fault of the build.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the embedded font cannot be read; rebuild with an intact crate epaint_default_fonts")]
pub struct FontError;

/// Lays out faces and draws them. Owns and reuses all memory, except the rasteriser's edge lists, which
/// are allocated for each line.
pub struct Painter {
    scene: Scene,
    brush: Brush,
}

impl Painter {
    /// A painter that has drawn nothing yet.
    ///
    /// # Errors
    /// [`FontError`] if the embedded font is damaged.
    pub fn new() -> Result<Self, FontError> {
        let font = Font::new().map_err(|_| FontError)?;
        let brush = Brush { font, canvas: Vec::new(), path: PathBuilder::new() };
        Ok(Self { scene: Scene::default(), brush })
    }

    /// Lays out faces whose boxes are in pixels of a frame of `size`.
    pub fn lay_out(&mut self, faces: &[GazeEstimate], size: Size, style: &Style) -> &Scene {
        let metrics = self.brush.font.resize(style.font(size));
        self.scene.lay_out(faces, size, style, metrics);
        &self.scene
    }

    /// Draws the scene. A frame of another size gets the part that lies in it.
    pub fn paint(&mut self, frame: &mut FrameMut<'_>) {
        for item in self.scene.items() {
            // One canvas for each primitive: small ones, so the empty middle of a face costs nothing.
            let place = item.bounds(frame.size());
            if let Some(canvas) = self.brush.draw(std::slice::from_ref(item), &self.scene, place) {
                frame.blend(canvas, place);
            }
        }
    }

    /// Calls `each` with a picture of each face in the frame, in premultiplied RGBA without padding, and
    /// its rectangle in the frame, for callers that blend themselves. Faces that cover each other many
    /// times come in one picture, so that all pictures together have no more pixels than two frames.
    pub fn for_each_tile(&mut self, mut each: impl FnMut(PixelRect, &[u8])) {
        let size = self.scene.size();
        let place_of = |items: &[Item]| {
            let bounds = items.iter().map(|item| item.bounds(size));
            bounds.filter(|b| !b.is_empty()).reduce(union)
        };
        let pixels = |size: Size| u64::from(size.width) * u64::from(size.height);
        let tiles = self.scene.faces().filter_map(place_of);
        let total: u64 = tiles.map(|place| pixels(Size::new(place.width, place.height))).sum();
        if total > 2 * pixels(size) {
            let items = self.scene.items();
            let place = place_of(items).unwrap_or_default();
            if let Some(canvas) = self.brush.draw(items, &self.scene, place) {
                each(place, canvas);
            }
            return;
        }
        for items in self.scene.faces() {
            let Some(place) = place_of(items) else { continue };
            if let Some(canvas) = self.brush.draw(items, &self.scene, place) {
                each(place, canvas);
            }
        }
    }
}

/// The smallest rectangle around two that lie in a frame.
fn union(a: PixelRect, b: PixelRect) -> PixelRect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let end = |at: i32, extent: u32| i64::from(at) + i64::from(extent);
    let right = end(a.x, a.width).max(end(b.x, b.width));
    let bottom = end(a.y, a.height).max(end(b.y, b.height));
    PixelRect::new(x, y, (right - i64::from(x)) as u32, (bottom - i64::from(y)) as u32)
}

/// Draws shapes on a canvas of its own.
struct Brush {
    font: Font,
    canvas: Vec<u8>,
    /// The memory of the path, reused.
    path: PathBuilder,
}

impl Brush {
    /// Draws `items` on a clean canvas at `place`; `None` if that is empty.
    fn draw(&mut self, items: &[Item], scene: &Scene, place: PixelRect) -> Option<&[u8]> {
        let length = place.width as usize * place.height as usize * 4;
        if length == 0 {
            return None;
        }
        self.canvas.clear();
        self.canvas.resize(length, 0);
        for item in items {
            match &item.primitive {
                Primitive::Label { plate, pen: [x, y], leading, text } => {
                    self.plate(item, *plate, place);
                    let baselines = (*y..).step_by(*leading as usize);
                    for (line, y) in scene.text(text).lines().zip(baselines) {
                        self.text(item.color, [*x, y], line, place);
                    }
                }
                shape => self.shape(item, shape, place),
            }
        }
        Some(&self.canvas)
    }

    /// Builds a path in the reused memory.
    fn build(&mut self, draw: impl FnOnce(&mut PathBuilder)) -> Option<Path> {
        let mut builder = std::mem::replace(&mut self.path, PathBuilder::new());
        builder.clear();
        draw(&mut builder);
        builder.finish()
    }

    /// Lines and dots, each with its halo.
    fn shape(&mut self, item: &Item, shape: &Primitive, place: PixelRect) {
        let Some(shape) = &clip::near(shape, place) else { return };
        let filled = matches!(shape, Primitive::Arrow { .. } | Primitive::Dot { .. });
        let path = self.build(|path| match shape {
            Primitive::Corner { tip, dx, dy } => {
                path.move_to(tip.x + dx, tip.y);
                path.line_to(tip.x, tip.y);
                path.line_to(tip.x, tip.y + dy);
            }
            Primitive::Line { from, to } => {
                path.move_to(from.x, from.y);
                path.line_to(to.x, to.y);
            }
            Primitive::Arrow { from, to } => arrow(path, *from, *to, item),
            Primitive::Dot { center, radius } => path.push_circle(center.x, center.y, *radius),
            Primitive::Label { .. } => {}
        });
        let Some(path) = path else { return };
        let Some(mut pixels) = PixmapMut::from_bytes(&mut self.canvas, place.width, place.height)
        else {
            return;
        };
        let moved = Transform::from_translate(-place.x as f32, -place.y as f32);
        let around = 2.0 * item.halo();
        let line = if filled { around } else { item.width + around };
        pixels.stroke_path(&path, &paint(HALO.faded(item.opacity)), &stroke(line), moved, None);
        let color = paint(item.color);
        if filled {
            pixels.fill_path(&path, &color, FillRule::Winding, moved, None);
        } else {
            pixels.stroke_path(&path, &color, &stroke(item.width), moved, None);
        }
        self.path = path.clear();
    }

    /// A plate with round corners.
    fn plate(&mut self, item: &Item, plate: PixelRect, place: PixelRect) {
        let rect = plate.to_rect();
        let radius = (rect.height * 0.25).min(3.0 * item.width + 2.0);
        let path = self.build(|path| rounded(path, &rect, radius));
        let Some(path) = path else { return };
        let Some(mut pixels) = PixmapMut::from_bytes(&mut self.canvas, place.width, place.height)
        else {
            return;
        };
        let moved = Transform::from_translate(-place.x as f32, -place.y as f32);
        let color = paint(PLATE.faded(item.opacity));
        pixels.fill_path(&path, &color, FillRule::Winding, moved, None);
        self.path = path.clear();
    }

    /// Text from the pen on, each glyph at a whole pixel.
    fn text(&mut self, color: Argb, [x, y]: [i32; 2], text: &str, place: PixelRect) {
        let advance = self.font.advance();
        let mut x = i64::from(x) - i64::from(place.x);
        let y = i64::from(y) - i64::from(place.y);
        let (width, height) = (i64::from(place.width), i64::from(place.height));
        for character in text.chars() {
            let glyph = self.font.glyph(character);
            let rows = glyph.coverage.chunks_exact(glyph.width.max(1));
            for (row, coverage) in (y + i64::from(glyph.top)..).zip(rows) {
                for (column, &c) in (x + i64::from(glyph.left)..).zip(coverage) {
                    if (0..height).contains(&row) && (0..width).contains(&column) {
                        let at = (row * width + column) as usize * 4;
                        cover(&mut self.canvas[at..at + 4], color, c);
                    }
                }
            }
            x += i64::from(advance);
        }
    }
}

/// Blends `color` over a premultiplied pixel by its coverage.
fn cover(pixel: &mut [u8], color: Argb, coverage: u8) {
    let [r, g, b, a] = color.rgba().map(u32::from);
    let alpha = (a * u32::from(coverage) + 127) / 255;
    for (to, value) in pixel.iter_mut().zip([r, g, b, 255]) {
        *to = ((value * alpha + u32::from(*to) * (255 - alpha) + 127) / 255) as u8;
    }
}

fn paint(color: Argb) -> Paint<'static> {
    let [r, g, b, a] = color.rgba();
    let shader = tiny_skia::Shader::SolidColor(Color::from_rgba8(r, g, b, a));
    Paint { shader, anti_alias: true, ..Paint::default() }
}

fn stroke(width: f32) -> Stroke {
    let (line_cap, line_join) = (LineCap::Round, LineJoin::Round);
    Stroke { width, line_cap, line_join, ..Stroke::default() }
}

/// Shaft and head in one outline, so that a translucent arrow has no seam.
fn arrow(path: &mut PathBuilder, from: Point, to: Point, item: &Item) {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy);
    let (head_width, head_length) = item.arrow_head(length);
    if length <= 0.0 {
        return;
    }
    let (ux, uy) = (dx / length, dy / length);
    let neck = length - head_length;
    // Along the arrow, and to its side.
    let at =
        |along: f32, side: f32| (from.x + ux * along - uy * side, from.y + uy * along + ux * side);
    let (shaft, head) = (item.width * 0.75, head_width / 2.0);
    let outline = [
        at(0.0, shaft),
        at(neck, shaft),
        at(neck, head),
        at(length, 0.0),
        at(neck, -head),
        at(neck, -shaft),
        at(0.0, -shaft),
    ];
    for (index, (x, y)) in outline.into_iter().enumerate() {
        if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path.close();
}

/// A rectangle with corners rounded by quarter circles of `radius`, drawn as cubic curves.
fn rounded(path: &mut PathBuilder, rect: &Rect, radius: f32) {
    /// Handle of the cubic that is nearest to a quarter circle: 4/3 (sqrt(2) - 1).
    const HANDLE: f32 = 0.552_284_8;
    let (x1, y1, x2, y2) = (rect.x, rect.y, rect.right(), rect.bottom());
    let (r, k) = (radius, radius * (1.0 - HANDLE));
    path.move_to(x1 + r, y1);
    path.line_to(x2 - r, y1);
    path.cubic_to(x2 - k, y1, x2, y1 + k, x2, y1 + r);
    path.line_to(x2, y2 - r);
    path.cubic_to(x2, y2 - k, x2 - k, y2, x2 - r, y2);
    path.line_to(x1 + r, y2);
    path.cubic_to(x1 + k, y2, x1, y2 - k, x1, y2 - r);
    path.line_to(x1, y1 + r);
    path.cubic_to(x1, y1 + k, x1 + k, y1, x1 + r, y1);
    path.close();
}

#[cfg(test)]
#[path = "paint_tests.rs"]
mod tests;
