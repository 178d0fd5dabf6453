//! The same pictures as jobs for a device: every number that the CPU's own steps would use.

use super::{PreprocessError, Preprocessor, Stage, mapping, read_rect};
use crate::core::geometry::matrix::Mat3;
use crate::core::geometry::{PixelRect, Size};
use crate::core::image::spec::{Border, Resample};
use crate::core::inference::device::{FilterCoefficients, PreprocessJob, RigidTransform, Sampling};

use super::axis::Axis;

fn windows(axis: &Axis) -> FilterCoefficients<'_> {
    FilterCoefficients { starts: axis.all_starts(), weights: axis.all_weights(), taps: axis.taps() }
}

impl Preprocessor {
    /// What [`fill`](Self::fill) would do with a frame of size `frame`.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    pub fn job(
        &mut self,
        frame: Size,
        source: PixelRect,
        border: Border,
    ) -> Result<PreprocessJob<'_>, PreprocessError> {
        let source = read_rect(frame, source, border)?;
        Ok(self.resize_job(source, border, None))
    }

    /// What [`fill`](Self::fill) would do with a square that was cut out of a frame, its edge
    /// repeated around the frame, and turned.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
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
        let picture = mapping::picture_size(self.aspect, source, tensor);
        let picture = mapping::anchor(self.aspect, picture, tensor);
        let from = (source.width, source.height);
        let to = (picture.width, picture.height);
        let (filter, (columns, rows)) = match &mut self.stage {
            Stage::Linear(resampler) => (Resample::OpencvLinear, resampler.axes(from, to)),
            Stage::Cubic(resampler) => (Resample::OpencvCubic, resampler.axes(from, to)),
            Stage::Pil(resampler) => (Resample::PilBilinear, resampler.axes(from, to)),
        };
        let (columns, rows) = (windows(columns), windows(rows));
        let fill = self.fill;
        let sampling =
            Sampling::Resize { source, border, transform, picture, filter, columns, rows, fill };
        PreprocessJob {
            size: tensor,
            channels: self.channels,
            layout: self.target.layout,
            element_bytes: self.normalizer.element_bytes(),
            table: self.table.get_or_init(|| self.normalizer.table_bytes()),
            sampling,
        }
    }

    /// What [`fill_warped`](Self::fill_warped) would do with any frame.
    ///
    /// # Errors
    /// If the matrix is not finite.
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
            layout: self.target.layout,
            element_bytes: self.normalizer.element_bytes(),
            table: self.table.get_or_init(|| self.normalizer.table_bytes()),
            sampling: Sampling::Warp { to_source: *to_source, border },
        })
    }
}
