//! Blends a canvas over a frame, in the frame's own pixel format.
//!
//! Every format is one of two kinds: packed red, green and blue, or luma with chroma that neighbouring
//! pixels may share, in samples of 8 to 16 bits. Colours use the frame's own matrix and range. Chroma gets the mean of
//! the canvas pixels that share it, so edges have no fringes at any offset. Bytes under transparent
//! pixels are not written.

use crate::core::geometry::rect::{PixelRect, Size};
use crate::core::image::color::Colorimetry;
use crate::core::image::frame::{FrameError, PlaneLayout, check_layout};
use crate::core::image::pixel_format::{
    Chroma, Component, Components, PixelFormat, PixelLayout, SampleLayout,
};

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
        let PixelLayout { samples, components } = self.format.layout();
        let colors = ToYuv::new(self.colorimetry, samples);
        match components {
            Components::Rgb { step, rgb, alpha } => {
                self.blend_packed(&tile, Packed { step, rgb, alpha });
            }
            Components::Gray(luma) => self.blend_luma(&tile, luma, &colors),
            Components::Yuv { luma, chroma } => {
                self.blend_luma(&tile, luma, &colors);
                self.blend_chroma(&tile, chroma, &colors);
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
                            to[at] =
                                over(u32::from(color), u32::from(to[at]), from[3]).min(255) as u8;
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
                let color = colors.luma(from.map(u32::from));
                colors.put(row, luma.first + x * luma.step, color, from[3]);
            }
        }
    }

    fn blend_chroma(&mut self, tile: &Tile<'_>, chroma: Chroma, colors: &ToYuv) {
        let inside = tile.inside;
        let (x1, y1) = (inside.x as usize, inside.y as usize);
        let (x2, y2) = (x1 + inside.width as usize, y1 + inside.height as usize);
        let (frame_w, frame_h) = (self.size.width as usize, self.size.height as usize);
        let (columns, rows) = (1 << chroma.column_shift, 1 << chroma.row_shift);
        for cell_y in y1 / rows..y2.div_ceil(rows) {
            let top = cell_y * rows;
            let bottom = (top + rows).min(frame_h);
            for cell_x in x1 / columns..x2.div_ceil(columns) {
                let left = cell_x * columns;
                let right = (left + columns).min(frame_w);
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
                for (component, value) in [chroma.u, chroma.v].into_iter().zip(values) {
                    let row = self.row(component.plane, cell_y);
                    colors.put(
                        row,
                        component.first + cell_x * component.step,
                        value,
                        mean[3] as u8,
                    );
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

/// Premultiplied `color` over an opaque value, both of at most 16 bits.
fn over(color: u32, below: u32, alpha: u8) -> u32 {
    let kept = below * (255 - u32::from(alpha));
    color + (kept + 127) / 255
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

/// Binary places of [`ToYuv`].
const SHIFT: u32 = 16;

/// Premultiplied RGB to premultiplied luma and chroma, in fixed point.
struct ToYuv {
    samples: SampleLayout,
    /// Factors of red, green, blue, and of alpha (the offset).
    y: [i64; 4],
    u: [i64; 4],
    v: [i64; 4],
}

impl ToYuv {
    /// The equations of BT.601-7 2.5, BT.709-6 3 and BT.2020-2 table 4, which differ in the
    /// weights alone: `Y = Kr R + Kg G + Kb B`, `U = (B - Y) / (2 - 2 Kb)`,
    /// `V = (R - Y) / (2 - 2 Kr)`, scaled to the range and moved to its zero.
    fn new(colorimetry: Colorimetry, samples: SampleLayout) -> Self {
        let (red, blue) = colorimetry.matrix.weights();
        let green = 1.0 - red - blue;
        let levels = colorimetry.range.levels(samples.depth);
        let fixed = |factors: [f64; 3], scale: f64, zero: f64| {
            let one = f64::from(1 << SHIFT) / 255.0;
            let [r, g, b] = factors.map(|f| (f * scale * one).round() as i64);
            [r, g, b, (zero * one).round() as i64]
        };
        let [from_blue, from_red] = [blue, red].map(|k| levels.chroma / (2.0 - 2.0 * k));
        Self {
            samples,
            y: fixed([red, green, blue], levels.luma, levels.black),
            u: fixed([-red, -green, 1.0 - blue], from_blue, levels.neutral),
            v: fixed([1.0 - red, -green, -blue], from_red, levels.neutral),
        }
    }

    /// The largest value of a sample.
    fn most(&self) -> u32 {
        (1 << self.samples.depth) - 1
    }

    fn luma(&self, rgba: [u32; 4]) -> u32 {
        self.product(self.y, rgba)
    }

    fn chroma(&self, rgba: [u32; 4]) -> [u32; 2] {
        [self.product(self.u, rgba), self.product(self.v, rgba)]
    }

    fn product(&self, factors: [i64; 4], rgba: [u32; 4]) -> u32 {
        let sum: i64 = factors.into_iter().zip(rgba).map(|(f, v)| f * i64::from(v)).sum();
        ((sum + (1 << (SHIFT - 1))) >> SHIFT).clamp(0, i64::from(self.most())) as u32
    }

    /// Blends a value over sample `at` of a row.
    fn put(&self, row: &mut [u8], at: usize, value: u32, alpha: u8) {
        let SampleLayout { bytes, shift, .. } = self.samples;
        match row.get_mut(at * bytes..(at + 1) * bytes) {
            Some([byte]) => *byte = over(value, u32::from(*byte), alpha).min(self.most()) as u8,
            Some([low, high]) => {
                let below = u32::from(u16::from_le_bytes([*low, *high]) >> shift);
                let mixed = over(value, below, alpha).min(self.most()) as u16;
                [*low, *high] = (mixed << shift).to_le_bytes();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "blend_tests.rs"]
mod tests;
