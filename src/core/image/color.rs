//! Colorimetry: the matrix and the range of luma and chroma.

/// The luma weights of a YUV frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColorMatrix {
    /// ITU-R BT.601-7: standard definition, JPEG, and most webcams.
    #[default]
    Bt601,
    /// ITU-R BT.709-6: high definition.
    Bt709,
    /// ITU-R BT.2020-2, non-constant luminance.
    Bt2020,
}

/// The values of black and white in eight bits. Samples of more bits use the same levels, times a
/// power of two, in limited range, and all of their values in full range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColorRange {
    /// Luma 16..=235, chroma 16..=240 ("TV", "video").
    #[default]
    Limited,
    /// 0..=255 ("PC", JPEG).
    Full,
}

/// Matrix and range of a YUV or grey frame; RGB formats ignore both.
///
/// Grey frames use the range alone. Full range, GStreamer's default for GRAY8, leaves grey as it is;
/// limited range expands it like luma.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Colorimetry {
    /// Luma weights.
    pub matrix: ColorMatrix,
    /// Black and white levels.
    pub range: ColorRange,
}

/// Binary places of [`YuvCoefficients`].
pub const YUV_SHIFT: u32 = 20;

/// YUV to RGB in fixed point, [`YUV_SHIFT`] binary places:
///
/// ```text
/// l = max(0, Y - black) * luma + half
/// R = (l + (V - 128) * v_to_r) >> 20
/// G = (l + (U - 128) * u_to_g + (V - 128) * v_to_g) >> 20
/// B = (l + (U - 128) * u_to_b) >> 20          each clamped to 0..=255
/// ```
///
/// Luma below black counts as black before the conversion, as in OpenCV's `cvtColor`. No sum
/// leaves 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YuvCoefficients {
    /// Luma of black.
    pub black: i32,
    /// Factor of luma.
    pub luma: i32,
    /// Factor of V in red.
    pub v_to_r: i32,
    /// Factor of U in green.
    pub u_to_g: i32,
    /// Factor of V in green.
    pub v_to_g: i32,
    /// Factor of U in blue.
    pub u_to_b: i32,
}

/// YUV of more than eight bits to RGB of eight, in single precision:
///
/// ```text
/// l = max(0, Y - black) * luma
/// R = l + (V - neutral) * v_to_r
/// G = l + (U - neutral) * u_to_g + (V - neutral) * v_to_g
/// B = l + (U - neutral) * u_to_b           each clamped to 0..=255 and rounded once
/// ```
///
/// The factors are the exact quotients of BT.2100-2 table 9 for n bits: limited range has
/// 219 * 2^(n-8) steps of luma and 224 * 2^(n-8) of chroma, full range 2^n - 1 of both. A sum is off by
/// less than a thousandth of a grey level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeepCoefficients {
    /// Unused bits below the value of a stored sample.
    pub shift: u32,
    /// Luma of black.
    pub black: i32,
    /// Chroma of grey.
    pub neutral: i32,
    /// Factor of luma.
    pub luma: f32,
    /// Factor of V in red.
    pub v_to_r: f32,
    /// Factor of U in green.
    pub u_to_g: f32,
    /// Factor of V in green.
    pub v_to_g: f32,
    /// Factor of U in blue.
    pub u_to_b: f32,
}

/// The levels of samples of a number of bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// Luma of black.
    pub black: f64,
    /// From the luma of black to that of white.
    pub luma: f64,
    /// Chroma of grey.
    pub neutral: f64,
    /// From the least chroma to the most.
    pub chroma: f64,
}

impl ColorRange {
    /// The levels of samples of `depth` bits, 8..=16: BT.709-6 3.4, BT.2100-2 table 9.
    pub fn levels(self, depth: u32) -> Levels {
        let step = f64::from(1u32 << (depth - 8));
        let neutral = 128.0 * step;
        match self {
            Self::Limited => {
                Levels { black: 16.0 * step, luma: 219.0 * step, neutral, chroma: 224.0 * step }
            }
            Self::Full => {
                let all = 256.0 * step - 1.0;
                Levels { black: 0.0, luma: all, neutral, chroma: all }
            }
        }
    }
}

impl ColorMatrix {
    /// Weights of red and blue in luma: BT.601-7 2.5.1, BT.709-6 3.2, BT.2020-2 table 4.
    pub const fn weights(self) -> (f64, f64) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
            Self::Bt2020 => (0.2627, 0.0593),
        }
    }
}

impl Colorimetry {
    /// The fixed-point factors. Those of BT.601 in limited range are OpenCV's (three decimals: 1.164,
    /// 1.596, -0.391, -0.813, 2.018), so that a frame becomes the bytes that `cvtColor` gives. The
    /// others are the exact quotients, rounded once.
    pub fn coefficients(self) -> YuvCoefficients {
        if self == Self::default() {
            return YuvCoefficients {
                black: 16,
                luma: 1_220_542,
                v_to_r: 1_673_527,
                u_to_g: -409_993,
                v_to_g: -852_492,
                u_to_b: 2_116_026,
            };
        }
        let (red, blue) = self.matrix.weights();
        let green = 1.0 - red - blue;
        let (black, luma, chroma) = match self.range {
            ColorRange::Limited => (16, 255.0 / 219.0, 255.0 / 224.0),
            ColorRange::Full => (0, 1.0, 1.0),
        };
        let (v_to_r, u_to_b) = (2.0 * (1.0 - red) * chroma, 2.0 * (1.0 - blue) * chroma);
        let fixed = |factor: f64| (factor * f64::from(1 << YUV_SHIFT)).round() as i32;
        YuvCoefficients {
            black,
            luma: fixed(luma),
            v_to_r: fixed(v_to_r),
            u_to_g: fixed(-u_to_b * blue / green),
            v_to_g: fixed(-v_to_r * red / green),
            u_to_b: fixed(u_to_b),
        }
    }

    /// The factors for samples of more than eight bits, which lie `shift` bits above the lowest.
    pub fn deep_coefficients(self, depth: u32, shift: u32) -> DeepCoefficients {
        let (red, blue) = self.matrix.weights();
        let green = 1.0 - red - blue;
        let levels = self.range.levels(depth);
        let chroma = 255.0 / levels.chroma;
        let (v_to_r, u_to_b) = (2.0 * (1.0 - red) * chroma, 2.0 * (1.0 - blue) * chroma);
        DeepCoefficients {
            shift,
            black: levels.black as i32,
            neutral: levels.neutral as i32,
            luma: (255.0 / levels.luma) as f32,
            v_to_r: v_to_r as f32,
            u_to_g: (-u_to_b * blue / green) as f32,
            v_to_g: (-v_to_r * red / green) as f32,
            u_to_b: u_to_b as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_the_published_factors() {
        for matrix in [ColorMatrix::Bt601, ColorMatrix::Bt709, ColorMatrix::Bt2020] {
            for range in [ColorRange::Limited, ColorRange::Full] {
                let k = Colorimetry { matrix, range }.coefficients();
                let white = if range == ColorRange::Limited { 235 } else { 255 };
                let half = 1 << (YUV_SHIFT - 1);
                assert_eq!(((white - k.black) * k.luma + half) >> YUV_SHIFT, 255);
            }
        }
        // BT.709-6: R = Y + 1.5748 Cr, B = Y + 1.8556 Cb.
        let k = Colorimetry { matrix: ColorMatrix::Bt709, range: ColorRange::Full }.coefficients();
        let float = |fixed: i32| f64::from(fixed) / f64::from(1 << YUV_SHIFT);
        assert!((float(k.v_to_r) - 1.5748).abs() < 1e-6);
        assert!((float(k.u_to_b) - 1.8556).abs() < 1e-6);
    }

    #[test]
    fn levels_of_more_bits() {
        // BT.2100-2 table 9: black 64 and 256, white 940 and 3760, grey chroma 512 and 2048.
        for (depth, black, white, neutral) in
            [(10, 64.0, 940.0, 512.0), (12, 256.0, 3760.0, 2048.0)]
        {
            let levels = ColorRange::Limited.levels(depth);
            assert_eq!((levels.black, levels.black + levels.luma), (black, white));
            assert_eq!(levels.neutral, neutral);
            let full = ColorRange::Full.levels(depth);
            assert_eq!((full.black, full.luma), (0.0, f64::from((1 << depth) - 1)));
        }
        let k = Colorimetry { matrix: ColorMatrix::Bt2020, range: ColorRange::Limited }
            .deep_coefficients(10, 6);
        assert!((k.luma * (940.0 - 64.0) - 255.0).abs() < 1e-4);
        // BT.2020-2: R = Y + 1.4746 Cr, of 896 steps.
        assert!((k.v_to_r * 896.0 / 255.0 - 1.4746).abs() < 1e-6);
    }

    #[test]
    fn opencv_constants_are_near_the_exact_ones() {
        let k = Colorimetry::default().coefficients();
        let float = |fixed: i32| f64::from(fixed) / f64::from(1 << YUV_SHIFT);
        let chroma = 255.0 / 224.0;
        assert!((float(k.luma) - 255.0 / 219.0).abs() < 1e-3);
        assert!((float(k.v_to_r) - 1.402 * chroma).abs() < 1e-3);
        assert!((float(k.u_to_b) - 1.772 * chroma).abs() < 1e-3);
    }
}
