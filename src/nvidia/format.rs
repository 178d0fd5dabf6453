//! `NvBufSurfaceColorFormat`: which pixels a surface holds, and what their values mean.
//!
//! The list only ever grew (compared from DeepStream 4.0.1 to 9.1), so one table serves all
//! versions. No suffix is BT.601 in limited range, `_ER` full range, `_709` and `_2020` the matrix.

use crate::core::image::PixelFormat;
use crate::core::image::color::{ColorMatrix, ColorRange, Colorimetry};

/// The pixels of a colour format, for those that are read.
pub fn pixels(color_format: i32) -> Option<(PixelFormat, Colorimetry)> {
    use ColorMatrix::{Bt601, Bt709, Bt2020};
    use ColorRange::{Full, Limited};
    use PixelFormat as P;
    let (format, matrix, range) = match color_format {
        1 => (P::Gray8, Bt601, Limited),
        2 => (P::I420, Bt601, Limited),
        3 => (P::Yv12, Bt601, Limited),
        4 => (P::I420, Bt601, Full),
        5 => (P::Yv12, Bt601, Full),
        6 => (P::Nv12, Bt601, Limited),
        7 => (P::Nv12, Bt601, Full),
        8 => (P::Nv21, Bt601, Limited),
        9 => (P::Nv21, Bt601, Full),
        10 => (P::Uyvy, Bt601, Limited),
        11 => (P::Uyvy, Bt601, Full),
        14 => (P::Yuy2, Bt601, Limited),
        15 => (P::Yuy2, Bt601, Full),
        // Red, green and blue mean the same in any range: it is ignored for them.
        19 => (P::Rgba, Bt601, Limited),
        20 => (P::Bgra, Bt601, Limited),
        21 => (P::Argb, Bt601, Limited),
        22 => (P::Abgr, Bt601, Limited),
        23 => (P::Rgbx, Bt601, Limited),
        24 => (P::Bgrx, Bt601, Limited),
        25 => (P::Xrgb, Bt601, Limited),
        26 => (P::Xbgr, Bt601, Limited),
        27 => (P::Rgb, Bt601, Limited),
        28 => (P::Bgr, Bt601, Limited),
        31 => (P::I420, Bt709, Limited),
        32 => (P::I420, Bt709, Full),
        33 => (P::Nv12, Bt709, Limited),
        34 => (P::Nv12, Bt709, Full),
        35 => (P::I420, Bt2020, Limited),
        36 => (P::Nv12, Bt2020, Limited),
        88 => (P::Gray8, Bt601, Full),
        89 => (P::Uyvy, Bt709, Limited),
        90 => (P::Uyvy, Bt709, Full),
        91 => (P::Uyvy, Bt2020, Limited),
        _ => return None,
    };
    Some((format, Colorimetry { matrix, range }))
}

/// Whether surfaces are read in this format.
pub fn is_read(format: PixelFormat) -> bool {
    (1..=91).any(|color_format| pixels(color_format).is_some_and(|(read, _)| read == format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_have_the_formats_of_the_usual_decoders_and_cameras() {
        for format in PixelFormat::ALL {
            let read = (0..=112).any(|n| pixels(n).is_some_and(|(f, _)| f == format));
            assert_eq!(is_read(format), read, "{format:?}");
        }
        assert_eq!(PixelFormat::ALL.into_iter().filter(|format| is_read(*format)).count(), 17);
        assert!(is_read(PixelFormat::Nv12) && !is_read(PixelFormat::P010));
    }

    #[test]
    fn what_is_not_read_is_refused() {
        // INVALID, VYUY, YVYU, YUV444, 10 bits, planar RGB, 4:2:2 planes, past the end.
        for color_format in [-1, 0, 12, 16, 18, 29, 42, 46, 50, 113, i32::MAX, i32::MIN] {
            assert_eq!(pixels(color_format), None, "{color_format}");
        }
    }
}
