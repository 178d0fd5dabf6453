//! Packs the three bytes of a pixel in one 64-bit word, so that one multiplication weighs them all.
//!
//! A pixel is `c0 | c1 << 21 | c2 << 42`, channels in the order of the model. A weighted sum of
//! pixels is then three weighted sums at once, as long as each stays within its 21 bits: weights
//! have 11 binary places, so a sum of non-negative weights is at most 255 * 2049 < 2^20, and with
//! negative weights (cubic) it lies within ±2^20 and a bias of 2^20 in each lane makes it positive.

/// Bits of one lane.
pub(super) const LANE_BITS: u32 = 21;
/// The bits of the lowest lane.
pub(super) const LANE_MASK: u64 = (1 << LANE_BITS) - 1;
/// Half a lane: the bias of signed sums.
pub(super) const BIAS: i32 = 1 << (LANE_BITS - 1);
/// [`BIAS`] in every lane.
pub(super) const BIASES: u64 =
    (BIAS as u64) | (BIAS as u64) << LANE_BITS | (BIAS as u64) << (2 * LANE_BITS);

/// A weight that is not negative.
#[inline(always)]
pub(super) fn unsigned(weight: i32) -> u64 {
    u64::from(weight as u32)
}

/// A weight of either sign, in two's complement. A negative one borrows from the lanes above, and the
/// bias repays it.
#[inline(always)]
pub(super) fn signed(weight: i32) -> u64 {
    i64::from(weight) as u64
}

/// One pixel.
#[inline(always)]
pub(super) const fn pack(c0: u8, c1: u8, c2: u8) -> u64 {
    c0 as u64 | (c1 as u64) << LANE_BITS | (c2 as u64) << (2 * LANE_BITS)
}

/// Pixels in the memory of a row: any 16-bit index with four neighbours after it. The compiler then
/// knows that no window leaves the row, and checks nothing in the inner loop. Only the pixels of the
/// crop are ever touched.
pub(super) const ROW_LEN: usize = (1 << 16) + 4;

/// Weighted sums over `TAPS` neighbours, one for every output column: `sums[i]` is the sum of
/// `row[start[i] + k] * weights[i][k]` plus `bias`, lane by lane. `extend` widens a weight; an
/// unsigned one saves the vector code one multiplication in three.
#[inline(always)]
pub(super) fn weigh<const TAPS: usize>(
    row: &[u64; ROW_LEN],
    start: &[u16],
    weights: &[i32],
    extend: impl Fn(i32) -> u64,
    bias: u64,
    sums: &mut [u64],
) {
    let (weights, _) = weights.as_chunks::<TAPS>();
    for ((sum, &start), weights) in sums.iter_mut().zip(start).zip(weights) {
        let mut total = bias;
        for (k, &weight) in weights.iter().enumerate() {
            let pixel = row[usize::from(start) + k];
            total = total.wrapping_add(pixel.wrapping_mul(extend(weight)));
        }
        *sum = total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_sums_keep_to_their_lanes() {
        let pixels = [pack(255, 0, 255), pack(0, 255, 255), pack(0, 255, 0), pack(255, 0, 0)];
        let mut row = Box::new([0; ROW_LEN]);
        row[..4].copy_from_slice(&pixels);
        let weights = [-192, 1216, 1216, -192];
        let mut sums = [0];
        weigh::<4>(&row, &[0], &weights, signed, BIASES, &mut sums);
        let lanes = [0, 1, 2].map(|l| ((sums[0] >> (LANE_BITS * l)) & LANE_MASK) as i32 - BIAS);
        assert_eq!(lanes, [255 * -384, 255 * 2432, 255 * 1024]);
    }
}
