//! The pixel formats, and where each keeps its samples.

use crate::core::geometry::rect::Size;

/// The pixel formats that the core reads without a conversion. Names are GStreamer's, in memory
/// order. A name with `10`, `12` or `16` has samples of that many bits in two bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum PixelFormat {
    Nv12,
    Nv21,
    I420,
    Yv12,
    Yuy2,
    Uyvy,
    Yvyu,
    Vyuy,
    Nv16,
    Nv61,
    Nv24,
    Y42b,
    Y444,
    Y41b,
    Rgb,
    Bgr,
    Rgba,
    Bgra,
    Rgbx,
    Bgrx,
    Xrgb,
    Xbgr,
    Argb,
    Abgr,
    Gray8,
    P010,
    P012,
    P016,
    I420p10,
    I422p10,
    Y444p10,
    I420p12,
    I422p12,
    Y444p12,
    Gray16,
}

/// How a format stores a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleLayout {
    /// Bytes of a stored sample: 1, or 2 in little-endian order.
    pub bytes: usize,
    /// Bits of its value.
    pub depth: u32,
    /// Unused bits below its value.
    pub shift: u32,
}

/// The samples of one component. Counts are in samples, not in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// Index of the plane.
    pub plane: usize,
    /// The first sample of a row.
    pub first: usize,
    /// From one sample to the next.
    pub step: usize,
}

/// The two chroma components and how many pixels share a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chroma {
    /// U (Cb).
    pub u: Component,
    /// V (Cr).
    pub v: Component,
    /// Binary logarithm of the columns that share a sample: 0, 1 or 2.
    pub column_shift: u32,
    /// Binary logarithm of the rows that share a sample: 0 or 1.
    pub row_shift: u32,
}

/// The components of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Components {
    /// Grey alone.
    Gray(Component),
    /// Packed red, green and blue bytes.
    Rgb {
        /// Bytes of a pixel.
        step: usize,
        /// Places of red, green and blue in a pixel.
        rgb: [usize; 3],
        /// Place of the opacity, which is not premultiplied.
        alpha: Option<usize>,
    },
    /// Luma, and chroma that neighbours may share.
    Yuv {
        /// One sample for each pixel.
        luma: Component,
        /// The rest.
        chroma: Chroma,
    },
}

/// Where a format keeps its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelLayout {
    /// How each sample is stored.
    pub samples: SampleLayout,
    /// Where the samples are.
    pub components: Components,
}

impl PixelFormat {
    /// Every format, for tables and tests.
    pub const ALL: [Self; 35] = [
        Self::Nv12,
        Self::Nv21,
        Self::I420,
        Self::Yv12,
        Self::Yuy2,
        Self::Uyvy,
        Self::Yvyu,
        Self::Vyuy,
        Self::Nv16,
        Self::Nv61,
        Self::Nv24,
        Self::Y42b,
        Self::Y444,
        Self::Y41b,
        Self::Rgb,
        Self::Bgr,
        Self::Rgba,
        Self::Bgra,
        Self::Rgbx,
        Self::Bgrx,
        Self::Xrgb,
        Self::Xbgr,
        Self::Argb,
        Self::Abgr,
        Self::Gray8,
        Self::P010,
        Self::P012,
        Self::P016,
        Self::I420p10,
        Self::I422p10,
        Self::Y444p10,
        Self::I420p12,
        Self::I422p12,
        Self::Y444p12,
        Self::Gray16,
    ];

    /// Where the format keeps its samples.
    pub const fn layout(self) -> PixelLayout {
        use PixelFormat as F;
        let samples = match self {
            F::P010 => SampleLayout { bytes: 2, depth: 10, shift: 6 },
            F::P012 => SampleLayout { bytes: 2, depth: 12, shift: 4 },
            F::I420p10 | F::I422p10 | F::Y444p10 => SampleLayout { bytes: 2, depth: 10, shift: 0 },
            F::I420p12 | F::I422p12 | F::Y444p12 => SampleLayout { bytes: 2, depth: 12, shift: 0 },
            F::P016 | F::Gray16 => SampleLayout { bytes: 2, depth: 16, shift: 0 },
            _ => SampleLayout { bytes: 1, depth: 8, shift: 0 },
        };
        let components = match self {
            F::Gray8 | F::Gray16 => Components::Gray(at(0, 0, 1)),
            F::Nv12 | F::P010 | F::P012 | F::P016 => pairs([0, 1], 1, 1),
            F::Nv21 => pairs([1, 0], 1, 1),
            F::Nv16 => pairs([0, 1], 1, 0),
            F::Nv61 => pairs([1, 0], 1, 0),
            F::Nv24 => pairs([0, 1], 0, 0),
            F::I420 | F::I420p10 | F::I420p12 => planar([1, 2], 1, 1),
            F::Yv12 => planar([2, 1], 1, 1),
            F::Y42b | F::I422p10 | F::I422p12 => planar([1, 2], 1, 0),
            F::Y444 | F::Y444p10 | F::Y444p12 => planar([1, 2], 0, 0),
            F::Y41b => planar([1, 2], 2, 0),
            F::Yuy2 => interleaved(0, [1, 3]),
            F::Yvyu => interleaved(0, [3, 1]),
            F::Uyvy => interleaved(1, [0, 2]),
            F::Vyuy => interleaved(1, [2, 0]),
            F::Rgb => packed(3, [0, 1, 2], None),
            F::Bgr => packed(3, [2, 1, 0], None),
            F::Rgbx => packed(4, [0, 1, 2], None),
            F::Bgrx => packed(4, [2, 1, 0], None),
            F::Xrgb => packed(4, [1, 2, 3], None),
            F::Xbgr => packed(4, [3, 2, 1], None),
            F::Rgba => packed(4, [0, 1, 2], Some(3)),
            F::Bgra => packed(4, [2, 1, 0], Some(3)),
            F::Argb => packed(4, [1, 2, 3], Some(0)),
            F::Abgr => packed(4, [3, 2, 1], Some(0)),
        };
        PixelLayout { samples, components }
    }

    /// The number of planes of a frame.
    pub const fn planes(self) -> usize {
        match self.layout().components {
            Components::Gray(_) | Components::Rgb { .. } => 1,
            Components::Yuv { chroma: Chroma { u, v, .. }, .. } => {
                1 + if u.plane > v.plane { u.plane } else { v.plane }
            }
        }
    }

    /// Used bytes in one row of `plane` and the number of its rows, for a frame of `size`.
    pub const fn plane_extent(self, plane: usize, size: Size) -> (usize, usize) {
        let (w, h) = (size.width as usize, size.height as usize);
        let PixelLayout { samples, components } = self.layout();
        match components {
            Components::Gray(_) => (w * samples.bytes, h),
            Components::Rgb { step, .. } => (w * step, h),
            Components::Yuv { luma, chroma: Chroma { u, column_shift, row_shift, .. } } => {
                let cells = w.div_ceil(1 << column_shift) * u.step * samples.bytes;
                if plane != luma.plane {
                    (cells, h.div_ceil(1 << row_shift))
                } else if u.plane == luma.plane {
                    (cells, h)
                } else {
                    (w * samples.bytes, h)
                }
            }
        }
    }
}

const fn at(plane: usize, first: usize, step: usize) -> Component {
    Component { plane, first, step }
}

const fn packed(step: usize, rgb: [usize; 3], alpha: Option<usize>) -> Components {
    Components::Rgb { step, rgb, alpha }
}

const fn yuv(
    luma: Component,
    [u, v]: [Component; 2],
    column_shift: u32,
    row_shift: u32,
) -> Components {
    Components::Yuv { luma, chroma: Chroma { u, v, column_shift, row_shift } }
}

/// A plane of luma and one of U and V in turns.
const fn pairs([u, v]: [usize; 2], column_shift: u32, row_shift: u32) -> Components {
    yuv(at(0, 0, 1), [at(1, u, 2), at(1, v, 2)], column_shift, row_shift)
}

/// A plane of luma, and those of U and V.
const fn planar([u, v]: [usize; 2], column_shift: u32, row_shift: u32) -> Components {
    yuv(at(0, 0, 1), [at(u, 0, 1), at(v, 0, 1)], column_shift, row_shift)
}

/// Two pixels in four samples.
const fn interleaved(luma: usize, [u, v]: [usize; 2]) -> Components {
    yuv(at(0, luma, 2), [at(0, u, 4), at(0, v, 4)], 1, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_round_chroma_up() {
        let size = Size::new(5, 3);
        for (format, plane, extent) in [
            (PixelFormat::Nv12, 0, (5, 3)),
            (PixelFormat::Nv12, 1, (6, 2)),
            (PixelFormat::I420, 2, (3, 2)),
            (PixelFormat::Yuy2, 0, (12, 3)),
            (PixelFormat::Vyuy, 0, (12, 3)),
            (PixelFormat::Nv61, 1, (6, 3)),
            (PixelFormat::Nv24, 1, (10, 3)),
            (PixelFormat::Y42b, 1, (3, 3)),
            (PixelFormat::Y444, 2, (5, 3)),
            (PixelFormat::Y41b, 1, (2, 3)),
            (PixelFormat::Bgr, 0, (15, 3)),
            (PixelFormat::P010, 0, (10, 3)),
            (PixelFormat::P010, 1, (12, 2)),
            (PixelFormat::I420p10, 1, (6, 2)),
            (PixelFormat::I422p12, 2, (6, 3)),
            (PixelFormat::Gray16, 0, (10, 3)),
        ] {
            assert_eq!(format.plane_extent(plane, size), extent, "{format:?} {plane}");
        }
    }

    #[test]
    fn planes_are_counted() {
        for (format, planes) in [
            (PixelFormat::Gray16, 1),
            (PixelFormat::Yvyu, 1),
            (PixelFormat::Rgb, 1),
            (PixelFormat::P016, 2),
            (PixelFormat::Yv12, 3),
            (PixelFormat::Y41b, 3),
        ] {
            assert_eq!(format.planes(), planes, "{format:?}");
        }
    }
}
