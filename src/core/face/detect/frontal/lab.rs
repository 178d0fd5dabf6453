//! Locally assembled binary features (Yan et al., "Locally Assembled Binary (LAB) feature with
//! feature-centric cascade for fast and accurate face detection", CVPR 2008): eight bits that say
//! whether a square of 3x3 pixels is at least as bright as each of the eight around it.

use super::model::LAB_SIDE;
use crate::core::geometry::rect::Size;

/// Side of one of the nine squares.
const SIDE: usize = 3;

/// The feature at every pixel of a picture. Owns its memory.
#[derive(Debug, Default)]
pub(super) struct FeatureMap {
    /// Sum of the three pixels below each other, one row.
    columns: Vec<u16>,
    /// Sum of the square that begins at each pixel.
    sums: Vec<u16>,
    features: Vec<u8>,
}

impl FeatureMap {
    /// Computes the features of a picture with no side below [`LAB_SIDE`]. What begins at column `x`
    /// and row `y` is at `y * width + x`; in the last columns and rows nothing begins.
    pub fn compute(&mut self, arch: pulp::Arch, pixels: &[u8], size: Size) -> &[u8] {
        let (width, height) = (size.width as usize, size.height as usize);
        self.columns.resize(width, 0);
        self.sums.resize(width * height, 0);
        self.features.resize(width * height, 0);
        for (y, sums) in self.sums.chunks_exact_mut(width).enumerate().take(height + 1 - SIDE) {
            let rows = [0, 1, 2].map(|r| &pixels[(y + r) * width..(y + r + 1) * width]);
            arch.dispatch(Sums { rows, columns: &mut self.columns, sums });
        }
        let rows = self.features.chunks_exact_mut(width).enumerate();
        for (y, features) in rows.take(height + 1 - LAB_SIDE) {
            let sums = [0, 1, 2].map(|r| &self.sums[(y + r * SIDE) * width..][..width]);
            arch.dispatch(Bits { sums, features: &mut features[..width + 1 - LAB_SIDE] });
        }
        &self.features
    }
}

/// One row of sums of squares.
struct Sums<'a> {
    rows: [&'a [u8]; 3],
    columns: &'a mut [u16],
    sums: &'a mut [u16],
}

impl pulp::WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { rows: [a, b, c], columns, sums } = self;
        for (((out, &a), &b), &c) in columns.iter_mut().zip(a).zip(b).zip(c) {
            *out = u16::from(a) + u16::from(b) + u16::from(c);
        }
        let next = columns[1..].iter().zip(&columns[2..]);
        for ((out, &a), (&b, &c)) in sums.iter_mut().zip(&*columns).zip(next) {
            *out = a + b + c;
        }
    }
}

/// One row of features from three rows of sums, three pixels apart.
struct Bits<'a> {
    sums: [&'a [u16]; 3],
    features: &'a mut [u8],
}

impl pulp::WithSimd for Bits<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let count = self.features.len();
        let [above, level, below] =
            self.sums.map(|row| [0, 1, 2].map(|square| &row[square * SIDE..][..count]));
        for (i, out) in self.features.iter_mut().enumerate() {
            let middle = level[1][i];
            let bit = |other: u16, bit: u32| u8::from(middle >= other) << bit;
            *out = bit(above[0][i], 7)
                | bit(above[1][i], 6)
                | bit(above[2][i], 5)
                | bit(level[0][i], 4)
                | bit(level[2][i], 3)
                | bit(below[0][i], 2)
                | bit(below[1][i], 1)
                | bit(below[2][i], 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_by_hand() {
        // A picture of 10x9: two features. The middle square of the first is 5; the squares around
        // it are brighter, as bright and darker in turn.
        let mut pixels = vec![0u8; 90];
        for (square, value) in [9, 5, 1, 5, 5, 6, 1, 9, 5].into_iter().enumerate() {
            for pixel in 0..9 {
                let (x, y) = (square % 3 * 3 + pixel % 3, square / 3 * 3 + pixel / 3);
                pixels[y * 10 + x] = value;
            }
        }
        let mut map = FeatureMap::default();
        let features = map.compute(pulp::Arch::new(), &pixels, Size::new(10, 9));
        assert_eq!(features[0], 0b0111_0101);
        // One to the right, where no square is of one value, from sums made pixel by pixel.
        let sum = |x: usize, y: usize| -> u32 {
            (0..9).map(|p| u32::from(pixels[(y + p / 3) * 10 + x + p % 3])).sum()
        };
        let around = [(1, 0), (4, 0), (7, 0), (1, 3), (7, 3), (1, 6), (4, 6), (7, 6)];
        let slow = around
            .into_iter()
            .fold(0u8, |bits, (x, y)| bits << 1 | u8::from(sum(4, 3) >= sum(x, y)));
        assert_eq!(features[1], slow);
    }
}
