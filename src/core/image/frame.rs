//! A validated view of a frame in borrowed memory.
//!
//! [`FrameView::new`] checks once that every row of every plane lies inside its slice. After that,
//! rows are plain slices and need no further check.

use super::color::Colorimetry;
use super::pixel_format::PixelFormat;
use crate::core::geometry::raster::{PixelAspect, Raster};
use crate::core::geometry::rect::Size;

/// One plane: its bytes from the first pixel on, and its stride.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// Bytes from the first pixel of the first row on.
    pub data: &'a [u8],
    /// Bytes from one row to the next, at least the used bytes of a row.
    pub stride: usize,
}

/// Where a plane lies in a frame's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaneLayout {
    /// Offset of the first byte of the first row.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// Why some bytes do not hold a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The width or the height is 0.
    #[error("a frame of {0} has no pixels")]
    Empty(Size),
    /// The format has another number of planes.
    #[error("a frame of {format:?} has {expected} plane(s), not {got}")]
    PlaneCount {
        /// The frame's format.
        format: PixelFormat,
        /// Planes of this format.
        expected: usize,
        /// Planes given.
        got: usize,
    },
    /// The rows would overlap.
    #[error("plane {plane} has a stride of {stride} bytes, less than the {row} bytes of a row")]
    Stride {
        /// Index of the plane.
        plane: usize,
        /// Stride given.
        stride: usize,
        /// Used bytes of a row.
        row: usize,
    },
    /// The memory ends before the frame does.
    #[error("plane {plane} has {got} bytes and needs {needed}")]
    Short {
        /// Index of the plane.
        plane: usize,
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        got: usize,
    },
}

/// Checks that planes, each given by its bytes and its stride, hold a frame of this format and size.
pub(crate) fn check_layout(
    format: PixelFormat,
    size: Size,
    planes: impl ExactSizeIterator<Item = (usize, usize)>,
) -> Result<(), FrameError> {
    if size.is_empty() {
        return Err(FrameError::Empty(size));
    }
    if planes.len() != format.planes() {
        return Err(FrameError::PlaneCount {
            format,
            expected: format.planes(),
            got: planes.len(),
        });
    }
    for (plane, (got, stride)) in planes.enumerate() {
        let (row, rows) = format.plane_extent(plane, size);
        if stride < row {
            return Err(FrameError::Stride { plane, stride, row });
        }
        let needed =
            stride.checked_mul(rows - 1).and_then(|n| n.checked_add(row)).unwrap_or(usize::MAX);
        if got < needed {
            return Err(FrameError::Short { plane, needed, got });
        }
    }
    Ok(())
}

/// A checked frame in host memory. A copy copies a few pointers and no pixels.
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    format: PixelFormat,
    size: Size,
    pixel_aspect: PixelAspect,
    colorimetry: Colorimetry,
    planes: [Plane<'a>; 3],
}

impl<'a> FrameView<'a> {
    /// Checks that `planes` hold a frame of this format and size.
    pub fn new(
        format: PixelFormat,
        size: Size,
        colorimetry: Colorimetry,
        planes: &[Plane<'a>],
    ) -> Result<Self, FrameError> {
        check_layout(format, size, planes.iter().map(|plane| (plane.data.len(), plane.stride)))?;
        let mut view = [Plane { data: &[], stride: 0 }; 3];
        view[..planes.len()].copy_from_slice(planes);
        Ok(Self { format, size, pixel_aspect: PixelAspect::SQUARE, colorimetry, planes: view })
    }

    /// The same frame with pixels of another shape; those of [`new`](Self::new) are square.
    #[must_use]
    pub fn with_pixel_aspect(self, pixel_aspect: PixelAspect) -> Self {
        Self { pixel_aspect, ..self }
    }

    /// Format of the pixels.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Extent in pixels, never empty.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Shape of a pixel.
    pub fn pixel_aspect(&self) -> PixelAspect {
        self.pixel_aspect
    }

    /// Extent and shape of the pixels.
    pub fn raster(&self) -> Raster {
        Raster { size: self.size, pixel_aspect: self.pixel_aspect }
    }

    /// Matrix and range of the samples.
    pub fn colorimetry(&self) -> Colorimetry {
        self.colorimetry
    }

    /// One plane; all of its rows lie inside its bytes.
    ///
    /// # Panics
    /// Panics if the format has no such plane.
    pub fn plane(&self, plane: usize) -> Plane<'a> {
        self.planes[..self.format.planes()][plane]
    }

    /// The used bytes of one row of one plane; `y` counts the plane's own rows.
    ///
    /// # Panics
    /// Panics if `plane` or `y` is out of range.
    pub fn row(&self, plane: usize, y: usize) -> &'a [u8] {
        let (row, rows) = self.format.plane_extent(plane, self.size);
        assert!(y < rows, "row {y} of {rows}");
        let Plane { data, stride } = self.planes[plane];
        &data[y * stride..y * stride + row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(format: PixelFormat, size: Size, planes: &[Plane]) -> Result<(), FrameError> {
        FrameView::new(format, size, Colorimetry::default(), planes).map(drop)
    }

    #[test]
    fn the_last_row_may_end_before_its_stride() {
        let data = [0u8; 16 * 2 + 10];
        let plane = Plane { data: &data, stride: 16 };
        let ok =
            FrameView::new(PixelFormat::Gray8, Size::new(10, 3), Colorimetry::default(), &[plane])
                .unwrap();
        assert_eq!(ok.row(0, 2).len(), 10);
        let short = Plane { data: &data[..41], stride: 16 };
        assert_eq!(
            view(PixelFormat::Gray8, Size::new(10, 3), &[short]),
            Err(FrameError::Short { plane: 0, needed: 42, got: 41 })
        );
    }

    #[test]
    fn planes_that_hold_no_frame_are_refused() {
        let data = [0u8; 64];
        let plane = Plane { data: &data, stride: 4 };
        assert!(matches!(
            view(PixelFormat::Rgb, Size::new(2, 2), &[plane]),
            Err(FrameError::Stride { .. })
        ));
        assert!(matches!(
            view(PixelFormat::Nv12, Size::new(2, 2), &[plane]),
            Err(FrameError::PlaneCount { .. })
        ));
        assert!(matches!(
            view(PixelFormat::Rgb, Size::new(0, 2), &[plane]),
            Err(FrameError::Empty(_))
        ));
        let huge = Plane { data: &data, stride: usize::MAX };
        assert!(matches!(
            view(PixelFormat::Gray8, Size::new(2, 9), &[huge]),
            Err(FrameError::Short { .. })
        ));
    }
}
