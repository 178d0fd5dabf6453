//! Preprocess jobs for a device: every number that the CPU's own steps would use.

use super::error::PreprocessError;
use super::filter::FilterTable;
use super::mapping;
use super::preprocessor::{Preprocessor, read_rect};
use crate::core::geometry::matrix::Mat3;
use crate::core::geometry::raster::PixelAspect;
use crate::core::geometry::rect::{PixelRect, Size};
use crate::core::image::spec::Border;
use crate::core::inference::device::{FilterCoefficients, PreprocessJob, RigidTransform, Sampling};

fn coefficients(table: &FilterTable) -> FilterCoefficients<'_> {
    FilterCoefficients {
        starts: table.all_starts(),
        weights: table.all_weights(),
        taps: table.taps(),
    }
}

impl Preprocessor {
    /// The job of [`fill`](Self::fill) for a frame of size `frame` with square pixels.
    ///
    /// # Errors
    /// Fails like [`fill`](Self::fill).
    pub fn job(
        &mut self,
        frame: Size,
        source: PixelRect,
        border: Border,
    ) -> Result<PreprocessJob<'_>, PreprocessError> {
        let source = read_rect(frame, source, border)?;
        Ok(self.resize_job(source, border, None))
    }

    /// The job of [`fill`](Self::fill) for a square that is first cut out of the frame, the frame's
    /// edge repeated around it, and transformed.
    ///
    /// # Errors
    /// Fails like [`fill`](Self::fill).
    pub(in crate::core) fn transformed_job(
        &mut self,
        frame: Size,
        square: PixelRect,
        transform: RigidTransform,
    ) -> Result<PreprocessJob<'_>, PreprocessError> {
        let source = read_rect(frame, square, Border::Replicate)?;
        Ok(self.resize_job(source, Border::Replicate, Some(transform)))
    }

    fn resize_job(
        &mut self,
        source: PixelRect,
        border: Border,
        transform: Option<RigidTransform>,
    ) -> PreprocessJob<'_> {
        let tensor = self.size();
        let picture = mapping::picture_size(self.aspect, source, PixelAspect::SQUARE, tensor);
        let picture = mapping::anchor(self.aspect, picture, tensor);
        let from = (source.width, source.height);
        let to = (picture.width, picture.height);
        let filter = self.resampler.resample();
        let (columns, rows) = self.resampler.tables(from, to);
        let (columns, rows) = (coefficients(columns), coefficients(rows));
        let fill = self.fill;
        let sampling =
            Sampling::Resize { source, border, transform, picture, filter, columns, rows, fill };
        PreprocessJob {
            size: tensor,
            channels: self.channels,
            layout: self.shape.layout,
            element_bytes: self.lookup.element_bytes(),
            table: self.table.get_or_init(|| self.lookup.table_bytes()),
            sampling,
        }
    }

    /// The job of [`fill_warped`](Self::fill_warped) for any frame.
    ///
    /// # Errors
    /// Fails if the matrix is not finite.
    pub fn warped_job(
        &self,
        to_source: &Mat3,
        border: Border,
    ) -> Result<PreprocessJob<'_>, PreprocessError> {
        if !to_source.iter().flatten().all(|value| value.is_finite()) {
            return Err(PreprocessError::Matrix(*to_source));
        }
        Ok(PreprocessJob {
            size: self.size(),
            channels: self.channels,
            layout: self.shape.layout,
            element_bytes: self.lookup.element_bytes(),
            table: self.table.get_or_init(|| self.lookup.table_bytes()),
            sampling: Sampling::Warp { to_source: *to_source, border },
        })
    }
}
