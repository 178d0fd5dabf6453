//! Pieces of a grey picture in another size, resampled as the detector was trained with: linear,
//! the top left pixels on each other, cut to whole grey levels, black around the picture.

use crate::core::geometry::rect::{PixelRect, Size};

/// A grey picture, row by row without gaps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture<'a> {
    pub pixels: &'a [u8],
    pub size: Size,
}

impl<'a> Picture<'a> {
    fn row(&self, y: i64) -> &'a [u8] {
        let width = self.size.width as usize;
        let rows = 0..i64::from(self.size.height);
        if rows.contains(&y) { &self.pixels[y as usize * width..][..width] } else { &[] }
    }
}

/// Two neighbours and how much the second weighs.
#[derive(Clone, Copy, Debug)]
struct Tap {
    /// Column or row of the first in the picture; may lie outside.
    first: i64,
    weight: f64,
}

/// The neighbours of `to` positions on `from` pixels that begin at `start`.
fn taps(start: i32, from: u32, to: u32) -> impl Iterator<Item = Tap> {
    let step = f64::from(from) / f64::from(to);
    (0..to).map(move |position| {
        let place = step * f64::from(position);
        let first = (place as u32).min(from - 2);
        Tap { first: i64::from(start) + i64::from(first), weight: place - f64::from(first) }
    })
}

/// Resamples, with memory of its own for it.
#[derive(Debug, Default)]
pub(super) struct Resampler {
    columns: Columns,
    /// The two rows between which the next lies, their columns resampled.
    rows: [Vec<f64>; 2],
}

impl Resampler {
    /// Writes the piece `source` of `picture`, at least two pixels wide and high, to `out` in the
    /// size `to`.
    pub fn resample(
        &mut self,
        arch: pulp::Arch,
        picture: &Picture<'_>,
        source: PixelRect,
        to: Size,
        out: &mut [u8],
    ) {
        self.columns.set(source, to.width);
        let width = to.width as usize;
        self.rows.iter_mut().for_each(|row| row.resize(width, 0.0));
        let [above, below] = &mut self.rows;
        // Which rows they are; none yet.
        let mut held = None;
        for (row, out) in taps(source.y, source.height, to.height).zip(out.chunks_exact_mut(width))
        {
            if held != Some(row.first) {
                if held == Some(row.first - 1) {
                    std::mem::swap(above, below);
                } else {
                    self.columns.across(arch, picture.row(row.first), above);
                }
                self.columns.across(arch, picture.row(row.first + 1), below);
                held = Some(row.first);
            }
            arch.dispatch(Between { above, below, weight: row.weight, out });
        }
    }
}

/// The neighbours of each column, and the pixels of one row there.
#[derive(Debug, Default)]
struct Columns {
    /// Of the first of two; one before the picture is a huge one.
    places: Vec<usize>,
    weights: Vec<f64>,
    pixels: [Vec<u8>; 2],
}

impl Columns {
    fn set(&mut self, source: PixelRect, to: u32) {
        self.places.clear();
        self.weights.clear();
        for tap in taps(source.x, source.width, to) {
            self.places.push(tap.first as usize);
            self.weights.push(tap.weight);
        }
        self.pixels.iter_mut().for_each(|pixels| pixels.resize(to as usize, 0));
    }

    /// One row with its columns resampled; what lies beside it is black.
    fn across(&mut self, arch: pulp::Arch, row: &[u8], out: &mut [f64]) {
        let Self { places, weights, pixels: [left, right] } = self;
        let [first, last] = [places.first(), places.last()].map(|p| p.copied().unwrap_or(0));
        let outs = left.iter_mut().zip(right.iter_mut()).zip(&*places);
        // Places rise, so that all of them are inside where the first and the last are.
        if first <= last && last.saturating_add(1) < row.len() {
            for ((left, right), &place) in outs {
                (*left, *right) = (row[place], row[place + 1]);
            }
        } else {
            let at = |place: usize| row.get(place).copied().unwrap_or(0);
            for ((left, right), &place) in outs {
                (*left, *right) = (at(place), at(place.wrapping_add(1)));
            }
        }
        arch.dispatch(Blend { left, right, weights, out });
    }
}

/// Columns between two.
struct Blend<'a> {
    left: &'a [u8],
    right: &'a [u8],
    weights: &'a [f64],
    out: &'a mut [f64],
}

impl pulp::WithSimd for Blend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { left, right, weights, out } = self;
        for (((out, &left), &right), weight) in out.iter_mut().zip(left).zip(right).zip(weights) {
            *out = (1.0 - weight) * f64::from(left) + weight * f64::from(right);
        }
    }
}

/// A row between two.
struct Between<'a> {
    above: &'a [f64],
    below: &'a [f64],
    weight: f64,
    out: &'a mut [u8],
}

impl pulp::WithSimd for Between<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { above, below, weight, out } = self;
        for ((out, above), below) in out.iter_mut().zip(above).zip(below) {
            *out = ((1.0 - weight) * above + weight * below) as i32 as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resampled(source: PixelRect, to: Size) -> Vec<u8> {
        let pixels: Vec<u8> = (0..12).map(|i| i * 10).collect();
        let picture = Picture { pixels: &pixels, size: Size::new(4, 3) };
        let mut out = vec![99; (to.width * to.height) as usize];
        Resampler::default().resample(pulp::Arch::new(), &picture, source, to, &mut out);
        out
    }

    #[test]
    fn the_same_size_is_a_copy() {
        let all = resampled(PixelRect::new(0, 0, 4, 3), Size::new(4, 3));
        assert_eq!(all, (0..12).map(|i| i * 10).collect::<Vec<u8>>());
        assert_eq!(resampled(PixelRect::new(1, 1, 2, 2), Size::new(2, 2)), [50, 60, 90, 100]);
    }

    #[test]
    fn smaller_and_larger_by_hand() {
        // Columns 0 and 4/3, row 0; cut and not rounded: 13.33.
        assert_eq!(resampled(PixelRect::new(0, 0, 4, 2), Size::new(3, 1)), [0, 13, 26]);
        // Half a pixel each; behind the last pair the line goes on.
        assert_eq!(resampled(PixelRect::new(0, 0, 2, 2), Size::new(4, 1)), [0, 5, 10, 15]);
    }

    #[test]
    fn black_around_the_picture() {
        let around = resampled(PixelRect::new(-2, -1, 8, 2), Size::new(8, 2));
        assert_eq!(around, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 20, 30, 0, 0]);
        assert_eq!(resampled(PixelRect::new(100, -100, 3, 3), Size::new(2, 2)), [0; 4]);
        assert_eq!(resampled(PixelRect::new(i32::MIN, i32::MAX, 2, 2), Size::new(2, 2)), [0; 4]);
    }
}
