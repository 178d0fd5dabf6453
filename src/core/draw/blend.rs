//! Blends a canvas over a frame, in the frame's own pixel format.
//!
//! Every format is one of two kinds: packed red, green and blue, or luma with chroma that is shared
//! by one, two or four pixels. Colours use the frame's own matrix and range. Chroma gets the mean of
//! the canvas pixels that share it, so edges have no fringes at any offset. Bytes under transparent
//! pixels are not written.

use crate::core::geometry::rect::{PixelRect, Size};
use crate::core::image::color::{ColorRange, Colorimetry};
use crate::core::image::frame::{FrameError, PixelFormat, PlaneLayout, check_layout};

/// A checked frame in host memory to draw on.
#[derive(Debug)]
pub struct FrameMut<'a> {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    planes: [PlaneLayout; 3],
    data: &'a mut [u8],
}

impl<'a> FrameMut<'a> {
    /// Checks that `data` holds a frame of this format and size, with its planes at
    /// `planes`.
    ///
    /// # Errors
    /// Those of [`FrameView::new`](crate::core::image::FrameView::new).
    pub fn new(
        format: PixelFormat,
        size: Size,
        colorimetry: Colorimetry,
        planes: &[PlaneLayout],
        data: &'a mut [u8],
    ) -> Result<Self, FrameError> {
        let length = data.len();
        let extents = planes.iter().map(|p| (length.saturating_sub(p.offset), p.stride));
        check_layout(format, size, extents)?;
        let mut layout = [PlaneLayout::default(); 3];
        layout[..planes.len()].copy_from_slice(planes);
        Ok(Self { format, size, colorimetry, planes: layout, data })
    }

    /// Extent in pixels, never empty.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The used bytes of one row of one plane.
    fn row(&mut self, plane: usize, y: usize) -> &mut [u8] {
        let (row, _) = self.format.plane_extent(plane, self.size);
        let PlaneLayout { offset, stride } = self.planes[plane];
        &mut self.data[offset + y * stride..][..row]
    }

    /// Blends `canvas`, premultiplied RGBA of the extent of `place`, over the frame; the part outside
    /// the frame is skipped.
    pub(super) fn blend(&mut self, canvas: &[u8], place: PixelRect) {
        let inside = place.clipped(self.size);
        let tile = Tile { canvas, place, inside };
        if inside.is_empty() || canvas.len() < place.width as usize * place.height as usize * 4 {
            return;
        }
        match pixel_layout(self.format) {
            PixelLayout::Packed(packed) => self.blend_packed(&tile, packed),
            PixelLayout::Luma { luma, chroma } => {
                let colors = ToYuv::new(self.colorimetry);
                self.blend_luma(&tile, luma, &colors);
                if let Some(chroma) = chroma {
                    self.blend_chroma(&tile, chroma, &colors);
                }
            }
        }
    }

    fn blend_packed(&mut self, tile: &Tile<'_>, packed: Packed) {
        for y in tile.rows() {
            let row = self.row(0, y);
            for (x, from) in tile.pixels(y) {
                let Some(to) = row.get_mut(x * packed.step..(x + 1) * packed.step) else { break };
                match packed.alpha {
                    None => {
                        for (&at, color) in packed.rgb.iter().zip(from) {
                            to[at] = over(u32::from(color), to[at], from[3]);
                        }
                    }
                    Some(alpha) => over_straight(from, to, packed.rgb, alpha),
                }
            }
        }
    }

    fn blend_luma(&mut self, tile: &Tile<'_>, luma: Component, colors: &ToYuv) {
        for y in tile.rows() {
            let row = self.row(luma.plane, y);
            for (x, from) in tile.pixels(y) {
                if let Some(to) = row.get_mut(luma.first + x * luma.step) {
                    let color = from.map(u32::from);
                    *to = over(colors.luma(color), *to, from[3]);
                }
            }
        }
    }

    fn blend_chroma(&mut self, tile: &Tile<'_>, chroma: Chroma, colors: &ToYuv) {
        let inside = tile.inside;
        let (x1, y1) = (inside.x as usize, inside.y as usize);
        let (x2, y2) = (x1 + inside.width as usize, y1 + inside.height as usize);
        let (frame_w, frame_h) = (self.size.width as usize, self.size.height as usize);
        for cell_y in y1 / chroma.rows..y2.div_ceil(chroma.rows) {
            let top = cell_y * chroma.rows;
            let bottom = (top + chroma.rows).min(frame_h);
            for cell_x in x1 / 2..x2.div_ceil(2) {
                let left = cell_x * 2;
                let right = (left + 2).min(frame_w);
                let mut sum = [0; 4];
                for y in top.max(y1)..bottom.min(y2) {
                    for x in left.max(x1)..right.min(x2) {
                        for (sum, value) in sum.iter_mut().zip(tile.pixel(x, y)) {
                            *sum += u32::from(value);
                        }
                    }
                }
                if sum[3] == 0 {
                    continue;
                }
                let count = ((bottom - top) * (right - left)) as u32;
                let mean = sum.map(|sum| (sum + count / 2) / count);
                let values = colors.chroma(mean);
                for (component, value) in chroma.uv.into_iter().zip(values) {
                    let at = component.first + cell_x * component.step;
                    if let Some(to) = self.row(component.plane, cell_y).get_mut(at) {
                        *to = over(value, *to, mean[3] as u8);
                    }
                }
            }
        }
    }
}

/// A canvas and its place in the frame.
struct Tile<'a> {
    canvas: &'a [u8],
    place: PixelRect,
    /// The part of `place` in the frame.
    inside: PixelRect,
}

impl Tile<'_> {
    /// The rows of the frame that it covers.
    fn rows(&self) -> std::ops::Range<usize> {
        self.inside.y as usize..(self.inside.y as usize + self.inside.height as usize)
    }

    /// The pixel at a place in the frame, which must be inside.
    fn pixel(&self, x: usize, y: usize) -> [u8; 4] {
        let column = (x as i64 - i64::from(self.place.x)) as usize;
        let row = (y as i64 - i64::from(self.place.y)) as usize;
        let at = (row * self.place.width as usize + column) * 4;
        match self.canvas.get(at..at + 4) {
            Some(&[r, g, b, a]) => [r, g, b, a],
            _ => [0; 4],
        }
    }

    /// The pixels of a row that are not transparent, with their column in the frame.
    fn pixels(&self, y: usize) -> impl Iterator<Item = (usize, [u8; 4])> {
        let skip = (i64::from(self.inside.x) - i64::from(self.place.x)) as usize;
        let row = (y as i64 - i64::from(self.place.y)) as usize * self.place.width as usize;
        let from = (row + skip) * 4;
        let pixels = &self.canvas[from..from + self.inside.width as usize * 4];
        let first = self.inside.x as usize;
        pixels
            .chunks_exact(4)
            .enumerate()
            .filter(|(_, p)| p[3] != 0)
            .filter_map(move |(x, p)| Some((first + x, <[u8; 4]>::try_from(p).ok()?)))
    }
}

/// Premultiplied `color` over an opaque value.
fn over(color: u32, below: u8, alpha: u8) -> u8 {
    let kept = u32::from(below) * (255 - u32::from(alpha));
    (color + (kept + 127) / 255).min(255) as u8
}

/// Premultiplied `from` over a pixel with straight alpha, as GStreamer's formats have it (Porter and
/// Duff's "over", divided by the resulting alpha).
fn over_straight(from: [u8; 4], to: &mut [u8], rgb: [usize; 3], alpha: usize) {
    let kept = u32::from(to[alpha]) * (255 - u32::from(from[3]));
    let sum = u32::from(from[3]) * 255 + kept;
    for (at, color) in rgb.into_iter().zip(from) {
        let mixed = u32::from(color) * 255 * 255 + u32::from(to[at]) * kept;
        to[at] = ((mixed + sum / 2) / sum).min(255) as u8;
    }
    to[alpha] = ((sum + 127) / 255) as u8;
}

/// Packed pixels: the bytes of a pixel and the places of its components.
#[derive(Clone, Copy)]
struct Packed {
    step: usize,
    rgb: [usize; 3],
    alpha: Option<usize>,
}

/// The samples of one component: their plane, the byte of the first, and their distance.
#[derive(Clone, Copy)]
struct Component {
    plane: usize,
    first: usize,
    step: usize,
}

/// Chroma: one sample for two columns and for `rows` rows.
#[derive(Clone, Copy)]
struct Chroma {
    uv: [Component; 2],
    rows: usize,
}

enum PixelLayout {
    Packed(Packed),
    Luma { luma: Component, chroma: Option<Chroma> },
}

/// The layout of each format.
const fn pixel_layout(format: PixelFormat) -> PixelLayout {
    use PixelFormat as F;
    const fn packed(step: usize, rgb: [usize; 3], alpha: Option<usize>) -> PixelLayout {
        PixelLayout::Packed(Packed { step, rgb, alpha })
    }
    const fn at(plane: usize, first: usize, step: usize) -> Component {
        Component { plane, first, step }
    }
    const fn yuv(luma: Component, u: Component, v: Component, rows: usize) -> PixelLayout {
        PixelLayout::Luma { luma, chroma: Some(Chroma { uv: [u, v], rows }) }
    }
    match format {
        F::Nv12 => yuv(at(0, 0, 1), at(1, 0, 2), at(1, 1, 2), 2),
        F::Nv21 => yuv(at(0, 0, 1), at(1, 1, 2), at(1, 0, 2), 2),
        F::I420 => yuv(at(0, 0, 1), at(1, 0, 1), at(2, 0, 1), 2),
        F::Yv12 => yuv(at(0, 0, 1), at(2, 0, 1), at(1, 0, 1), 2),
        F::Yuy2 => yuv(at(0, 0, 2), at(0, 1, 4), at(0, 3, 4), 1),
        F::Uyvy => yuv(at(0, 1, 2), at(0, 0, 4), at(0, 2, 4), 1),
        F::Gray8 => PixelLayout::Luma { luma: at(0, 0, 1), chroma: None },
        F::Rgb => packed(3, [0, 1, 2], None),
        F::Bgr => packed(3, [2, 1, 0], None),
        F::Rgbx => packed(4, [0, 1, 2], None),
        F::Bgrx => packed(4, [2, 1, 0], None),
        F::Xrgb => packed(4, [1, 2, 3], None),
        F::Xbgr => packed(4, [3, 2, 1], None),
        F::Rgba => packed(4, [0, 1, 2], Some(3)),
        F::Bgra => packed(4, [2, 1, 0], Some(3)),
        F::Argb => packed(4, [1, 2, 3], Some(0)),
        F::Abgr => packed(4, [3, 2, 1], Some(0)),
    }
}

/// Binary places of [`ToYuv`].
const SHIFT: u32 = 16;

/// Premultiplied RGB to premultiplied luma and chroma, in fixed point.
struct ToYuv {
    /// Factors of red, green, blue, and of alpha (the offset).
    y: [i32; 4],
    u: [i32; 4],
    v: [i32; 4],
}

impl ToYuv {
    /// The equations of BT.601-7 2.5, BT.709-6 3 and BT.2020-2 table 4, which differ in the
    /// weights alone: `Y = Kr R + Kg G + Kb B`, `U = (B - Y) / (2 - 2 Kb)`,
    /// `V = (R - Y) / (2 - 2 Kr)`, scaled to the range and moved to its zero.
    fn new(colorimetry: Colorimetry) -> Self {
        let (red, blue) = colorimetry.matrix.weights();
        let green = 1.0 - red - blue;
        let (black, luma, chroma) = match colorimetry.range {
            ColorRange::Limited => (16.0, 219.0 / 255.0, 224.0 / 255.0),
            ColorRange::Full => (0.0, 1.0, 1.0),
        };
        let fixed = |factors: [f64; 3], scale: f64, zero: f64| {
            let [r, g, b] = factors.map(|f| (f * scale * f64::from(1 << SHIFT)).round() as i32);
            [r, g, b, (zero / 255.0 * f64::from(1 << SHIFT)).round() as i32]
        };
        let (from_blue, from_red) = (chroma / (2.0 - 2.0 * blue), chroma / (2.0 - 2.0 * red));
        Self {
            y: fixed([red, green, blue], luma, black),
            u: fixed([-red, -green, 1.0 - blue], from_blue, 128.0),
            v: fixed([1.0 - red, -green, -blue], from_red, 128.0),
        }
    }

    fn luma(&self, rgba: [u32; 4]) -> u32 {
        product(self.y, rgba)
    }

    fn chroma(&self, rgba: [u32; 4]) -> [u32; 2] {
        [product(self.u, rgba), product(self.v, rgba)]
    }
}

/// No sum leaves 32 bits: factors are below 2^16, values below 2^8.
fn product(factors: [i32; 4], rgba: [u32; 4]) -> u32 {
    let sum: i32 = factors.into_iter().zip(rgba).map(|(f, v)| f * v as i32).sum();
    ((sum + (1 << (SHIFT - 1))) >> SHIFT).clamp(0, 255) as u32
}

#[cfg(test)]
#[path = "blend_tests.rs"]
mod tests;
