//! Windows that may show a face, and the merging of windows of one face.

use crate::core::geometry::rect::PixelRect;

use super::model::OUTPUTS;

/// The most windows to compare. Each is compared with all that stay, and noise lets thousands through;
/// a picture full of faces has a few hundred.
const MAX_WINDOWS: usize = 4096;

/// A square of the picture; it may leave the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    pub x: i32,
    pub y: i32,
    pub side: u32,
    pub score: f64,
    /// Orders windows of the same score, so that the same picture always gives the same windows.
    order: u32,
}

impl Window {
    pub fn new(x: i32, y: i32, side: u32, score: f32) -> Self {
        Self { x, y, side, score: f64::from(score), order: 0 }
    }

    pub fn rect(&self) -> PixelRect {
        PixelRect::new(self.x, self.y, self.side, self.side)
    }

    /// The window as a network corrects it: moved by up to its side in each direction, and up to twice
    /// as large about its centre.
    pub fn moved(&self, [score, right, down, size]: [f32; OUTPUTS]) -> Self {
        let side = self.side as f32;
        let new = ((size * 2.0 - 1.0) * side + side + 0.5).floor();
        let place = |shift: f32, at: i32| {
            ((shift * 2.0 - 1.0) * side + at as f32 + (side - new) * 0.5 + 0.5).floor() as i32
        };
        Self::new(place(right, self.x), place(down, self.y), new as u32, score)
    }

    /// Intersection over union, in single precision as in the original.
    fn overlap(&self, other: &Self) -> f32 {
        let shared = |a: i32, b: i32| {
            let (a, b) = (i64::from(a), i64::from(b));
            (a + i64::from(self.side)).min(b + i64::from(other.side)) - a.max(b)
        };
        let (width, height) = (shared(self.x, other.x), shared(self.y, other.y));
        if width <= 0 || height <= 0 {
            return 0.0;
        }
        let area = |window: &Self| window.side as f32 * window.side as f32;
        let both = width as f32 * height as f32;
        both / (area(self) + area(other) - both)
    }
}

/// Merges windows that overlap more than `most`: the best one stays, with the sum of their scores.
/// Their number says more than each score.
pub(super) fn merge(windows: &mut Vec<Window>, most: f32) {
    for (order, window) in windows.iter_mut().enumerate() {
        window.order = u32::try_from(order).unwrap_or(u32::MAX);
    }
    let best_first =
        |a: &Window, b: &Window| b.score.total_cmp(&a.score).then(a.order.cmp(&b.order));
    if windows.len() > MAX_WINDOWS {
        windows.select_nth_unstable_by(MAX_WINDOWS, best_first);
        windows.truncate(MAX_WINDOWS);
    }
    windows.sort_unstable_by(best_first);
    let mut kept = 0;
    for next in 0..windows.len() {
        let window = windows[next];
        match windows[..kept].iter_mut().find(|best| best.overlap(&window) > most) {
            Some(best) => best.score += window.score,
            None => {
                windows[kept] = window;
                kept += 1;
            }
        }
    }
    windows.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_each_group_has_the_sum() {
        // Neighbours two apart share 80 of 120.
        let at = |x, score| Window::new(x, 0, 10, score);
        let mut all = vec![at(2, 0.5), at(50, 0.75), at(0, 1.0), at(-2, 0.25), at(52, 0.75)];
        merge(&mut all, 0.6);
        let left: Vec<_> = all.iter().map(|w| (w.x, w.score)).collect();
        assert_eq!(left, [(0, 1.75), (50, 1.5)]);
    }

    #[test]
    fn where_networks_move_windows() {
        let window = Window::new(10, 20, 40, 0.0);
        assert_eq!(window.moved([1.0, 0.5, 0.5, 0.5]), Window::new(10, 20, 40, 1.0));
        // A quarter to the right, half up, a quarter larger about the centre.
        assert_eq!(window.moved([1.0, 0.625, 0.25, 0.625]), Window::new(15, -5, 50, 1.0));
        assert_eq!(window.moved([1.0, 0.5, 0.5, 0.0]).side, 0);
    }

    #[test]
    fn extremes_overflow_nothing() {
        let far = Window::new(i32::MAX, i32::MIN, u32::MAX, 1.0);
        assert!(far.overlap(&far) > 0.99);
        far.moved([1.0, 1.0, 0.0, 1.0]);
        let mut flood: Vec<Window> =
            (0..9000).map(|i| Window::new(i % 100 * 50, i / 100 * 50, 40, i as f32)).collect();
        merge(&mut flood, 0.3);
        assert_eq!((flood.len(), flood[0].score), (MAX_WINDOWS, 8999.0));
    }
}
