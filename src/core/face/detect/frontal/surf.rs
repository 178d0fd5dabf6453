//! Features of one window after Li and Zhang, "Learning SURF cascade for fast and accurate object
//! detection" (CVPR 2013): sums of gradients over the four cells of a patch.

use std::array::from_fn;
use std::sync::LazyLock;

/// Windows are squares of this many pixels.
pub(super) const WINDOW: usize = 40;
/// Sums of one cell: those of dx where dy >= 0, |dx| there, dx where dy < 0, |dx| there, and the same
/// four of dy by the sign of dx.
const CHANNELS: usize = 8;
/// Numbers of one feature: four cells, row by row.
pub(super) const VECTOR: usize = 4 * CHANNELS;
/// The least side of a patch, and the distance from one to the next, in pixels.
const STEP: usize = 16;
/// Sums of everything above and to the left; the first column and row are 0.
type Integral = [[[i32; CHANNELS]; WINDOW + 1]; WINDOW + 1];

/// A rectangle of two times two cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    x: usize,
    y: usize,
    /// Width and height of a cell.
    cell: (usize, usize),
}

/// Every patch, in the order in which the model's file numbers them: for each of five shapes, from
/// small to large, row by row.
pub(super) fn patches() -> &'static [Patch] {
    static ALL: LazyLock<Vec<Patch>> = LazyLock::new(|| {
        let mut all = Vec::new();
        for (across, down) in [(1, 1), (1, 2), (2, 1), (2, 3), (3, 2)] {
            for height in (STEP..=WINDOW).filter(|h| h % 2 == 0 && h % down == 0) {
                let width = height / down * across;
                if width % 2 != 0 || !(STEP..=WINDOW).contains(&width) {
                    continue;
                }
                for y in (0..=WINDOW - height).step_by(STEP) {
                    for x in (0..=WINDOW - width).step_by(STEP) {
                        all.push(Patch { x, y, cell: (width / 2, height / 2) });
                    }
                }
            }
        }
        all
    });
    &ALL
}

/// The gradients of one window, summed up.
#[derive(Debug)]
pub(super) struct Gradients {
    integral: Box<Integral>,
}

impl Default for Gradients {
    fn default() -> Self {
        Self { integral: Box::new([[[0; CHANNELS]; WINDOW + 1]; WINDOW + 1]) }
    }
}

impl Gradients {
    /// Takes the pixels of a window.
    pub fn compute(&mut self, arch: pulp::Arch, pixels: &[[u8; WINDOW]; WINDOW]) {
        arch.dispatch(Integrate { pixels, integral: &mut self.integral });
    }

    /// The feature of a patch, scaled to length 1; all 0 for a flat patch.
    pub fn feature(&self, patch: Patch, out: &mut [f32]) {
        let Patch { x, y, cell: (width, height) } = patch;
        let mut sums = [0i32; VECTOR];
        for (cell, sums) in sums.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
            let (left, top) = (x + cell % 2 * width, y + cell / 2 * height);
            let (above, below) = (&self.integral[top], &self.integral[top + height]);
            let (a, b) = (&above[left], &above[left + width]);
            let (c, d) = (&below[left], &below[left + width]);
            *sums = from_fn(|i| d[i] + a[i] - b[i] - c[i]);
        }
        let squares: f64 = sums.iter().map(|&sum| f64::from(sum) * f64::from(sum)).sum();
        let norm = if squares > 0.0 { squares.sqrt() as f32 } else { 1.0 };
        for (out, &sum) in out.iter_mut().zip(&sums) {
            *out = sum as f32 / norm;
        }
    }
}

/// Gradients and their sums, compiled for each kind of vectors.
struct Integrate<'a> {
    pixels: &'a [[u8; WINDOW]; WINDOW],
    integral: &'a mut Integral,
}

impl pulp::WithSimd for Integrate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        const LAST: usize = WINDOW - 1;
        let Self { pixels, integral } = self;
        let difference = |a: u8, b: u8| i32::from(b) - i32::from(a);
        for y in 0..WINDOW {
            let (above, level, below) =
                (&pixels[y.saturating_sub(1)], &pixels[y], &pixels[(y + 1).min(LAST)]);
            let (mut dx, mut dy, mut signs) = ([0; WINDOW], [0; WINDOW], [0; WINDOW]);
            for x in 1..LAST {
                dx[x] = difference(level[x - 1], level[x + 1]);
            }
            // At an edge the difference is that of two neighbours, and counts twice.
            dx[0] = 2 * difference(level[0], level[1]);
            dx[LAST] = 2 * difference(level[LAST - 1], level[LAST]);
            let times = if y == 0 || y == LAST { 2 } else { 1 };
            for x in 0..WINDOW {
                dy[x] = times * difference(above[x], below[x]);
            }
            for x in 0..WINDOW {
                signs[x] = u8::from(dy[x] < 0) << 1 | u8::from(dx[x] < 0);
            }
            // Arrays of eight made at once, which compilers take for one vector.
            let (done, rest) = integral.split_at_mut(y + 1);
            let (before, now) = (&done[y], &mut rest[0]);
            let mut sums = [0; CHANNELS];
            for x in 0..WINDOW {
                let counts = &COUNTS[usize::from(signs[x] & 3)];
                let (dx, dy) = (dx[x], dy[x]);
                let gradients = [dx, dx, dx, dx, dy, dy, dy, dy];
                let added: [i32; CHANNELS] = from_fn(|c| gradients[c] * counts[c]);
                sums = from_fn(|c| sums[c] + added[c]);
                now[x + 1] = from_fn(|c| before[x + 1][c] + sums[c]);
            }
        }
    }
}

/// Factors of dx (in the first four channels) and dy (in the others) where neither is negative, dx is,
/// dy is, both are.
const COUNTS: [[i32; CHANNELS]; 4] = [
    [1, 1, 0, 0, 1, 1, 0, 0],
    [1, -1, 0, 0, 0, 0, 1, 1],
    [0, 0, 1, 1, 1, -1, 0, 0],
    [0, 0, 1, -1, 0, 0, 1, -1],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_lie_in_the_window() {
        let all = patches();
        let inside = |p: &Patch| p.x + 2 * p.cell.0 <= WINDOW && p.y + 2 * p.cell.1 <= WINDOW;
        assert!(all.iter().all(inside));
        // By hand: the smallest square has two places each way, the model's file uses up to 54.
        assert_eq!(all[3], Patch { x: 16, y: 16, cell: (8, 8) });
        assert!(all.len() >= 54, "{}", all.len());
    }

    #[test]
    fn a_ramp_to_the_right_by_hand() {
        let pixels = [from_fn(|x| 2 * x as u8); WINDOW];
        let mut gradients = Gradients::default();
        gradients.compute(pulp::Arch::new(), &pixels);
        let mut out = [9.0; VECTOR];
        gradients.feature(Patch { x: 0, y: 8, cell: (8, 4) }, &mut out);
        // dx is 4 everywhere (the edge's 2 counts twice), dy 0 counts as not negative: each cell has
        // 4 * 32 in its first two channels and as many 0 behind. Eight equal numbers of length 1.
        let one = 1.0 / 8f32.sqrt();
        for cell in out.as_chunks::<CHANNELS>().0 {
            assert!((cell[0] - one).abs() < 1e-6 && (cell[1] - one).abs() < 1e-6, "{cell:?}");
            assert_eq!(cell[2..], [0.0; 6]);
        }
        gradients.compute(pulp::Arch::new(), &[[7; WINDOW]; WINDOW]);
        gradients.feature(patches()[0], &mut out);
        assert_eq!(out, [0.0; VECTOR]);
    }
}
