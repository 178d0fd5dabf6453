//! Non-maximum suppression: one box for each face.

use super::detection::Detection;

/// The most boxes to compare. The comparison is quadratic, and a threshold of 0 lets every anchor
/// through; no frame has as many faces.
const MAX_CANDIDATES: usize = 1000;

/// Greedy suppression in place: the best box stays, boxes that overlap it more than `iou` go, then the
/// best of the rest stays, and so on. The result is in order of falling score. Boxes that are empty or
/// not finite go. Allocates nothing.
pub fn suppress(detections: &mut Vec<Detection>, iou: f32) {
    detections.retain(|d| !d.rect.is_empty());
    let by_score = |a: &Detection, b: &Detection| b.score.total_cmp(&a.score);
    if detections.len() > MAX_CANDIDATES {
        detections.select_nth_unstable_by(MAX_CANDIDATES, by_score);
        detections.truncate(MAX_CANDIDATES);
    }
    detections.sort_unstable_by(by_score);
    let mut kept = 0;
    for next in 0..detections.len() {
        let (stay, rest) = detections.split_at(next);
        if stay[..kept].iter().all(|best| best.rect.iou(&rest[0].rect) <= iou) {
            detections.swap(kept, next);
            kept += 1;
        }
    }
    detections.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::rect::Rect;

    fn at(x: f32, score: f32) -> Detection {
        Detection { rect: Rect::new(x, 0.0, 10.0, 10.0), score, landmarks: None }
    }

    fn kept(mut detections: Vec<Detection>, iou: f32) -> Vec<(f32, f32)> {
        suppress(&mut detections, iou);
        detections.iter().map(|d| (d.rect.x, d.score)).collect()
    }

    #[test]
    fn the_best_of_each_group_in_order() {
        // Overlap of neighbours at distance 2 is 80 of 120.
        let all = vec![at(2.0, 0.5), at(100.0, 0.7), at(0.0, 0.9), at(102.0, 0.6), at(50.0, 0.8)];
        assert_eq!(kept(all, 0.5), [(0.0, 0.9), (50.0, 0.8), (100.0, 0.7)]);
    }

    #[test]
    fn suppressed_boxes_suppress_nothing() {
        // 0 suppresses 3 (70/130); 6 overlaps 3 as much, but 0 only by 40/160.
        let all = vec![at(0.0, 0.9), at(3.0, 0.8), at(6.0, 0.7)];
        assert_eq!(kept(all, 0.5), [(0.0, 0.9), (6.0, 0.7)]);
    }

    #[test]
    fn the_limit_itself_stays() {
        let all = vec![at(0.0, 0.9), at(5.0, 0.8)];
        assert_eq!(kept(all.clone(), 50.0 / 150.0).len(), 2);
        assert_eq!(kept(all, 0.33).len(), 1);
    }

    #[test]
    fn invalid_boxes_go_and_floods_are_cut() {
        let mut all = vec![at(f32::NAN, 0.9), at(0.0, 0.8)];
        all[1].rect.width = -1.0;
        assert!(kept(all, 0.5).is_empty());
        let flood: Vec<Detection> = (0..3000).map(|i| at(i as f32 * 20.0, i as f32)).collect();
        let left = kept(flood, 0.5);
        assert_eq!(left.len(), MAX_CANDIDATES);
        assert_eq!((left[0].1, left[MAX_CANDIDATES - 1].1), (2999.0, 2000.0));
    }
}
