//! Numbers of JSON lines, rounded to their accuracy.
//!
//! Each constant is the number of steps in 1: a power of ten, so that the shortest text of a rounded
//! number has no more digits.

/// Radians.
pub(super) const ANGLE: f64 = 1e6;
/// Pixels and millimetres.
pub(super) const LENGTH: f64 = 1e2;
/// Confidences and shares.
pub(super) const SCORE: f64 = 1e4;

/// Rounds a number. Adding 0.0 turns -0.0 into 0.0.
pub(super) fn rounded(value: f32, unit: f64) -> f64 {
    (f64::from(value) * unit).round() / unit + 0.0
}

/// Rounds numbers; `None` where one of them is not finite.
pub(super) fn all_rounded<const N: usize>(values: [f32; N], unit: f64) -> Option<[f64; N]> {
    values.iter().all(|v| v.is_finite()).then(|| values.map(|v| rounded(v, unit)))
}
