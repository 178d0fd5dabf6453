//! The port to a device that preprocesses frames in its own memory.
//!
//! The core describes a job: which pixels, in which size, channels and values. The device defines
//! what a frame is, and runs the job. Addresses are plain numbers here.

use crate::core::geometry::matrix::Mat3;
use crate::core::geometry::rect::{PixelRect, Size};
use crate::core::image::spec::{Border, Channels, Layout, Resample};

/// Memory of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceMemory {
    /// Address of the first byte, on the device.
    pub address: u64,
    /// Length in bytes.
    pub bytes: usize,
    /// Number of the device.
    pub device: u32,
}

impl DeviceMemory {
    /// Item `index` of items of `bytes` each; `None` where it does not lie wholly inside.
    #[must_use]
    pub fn item(self, index: usize, bytes: usize) -> Option<Self> {
        let start = index.checked_mul(bytes)?;
        let end = start.checked_add(bytes)?;
        let address = self.address.checked_add(start as u64)?;
        (end <= self.bytes).then_some(Self { address, bytes, ..self })
    }
}

/// Filter coefficients along one axis. A window may begin before the first sample and end after the
/// last; its samples there are those of the edge.
#[derive(Clone, Copy, Debug)]
pub struct FilterCoefficients<'a> {
    /// First sample of each window.
    pub starts: &'a [i32],
    /// Weights in the filter's fixed point, [`taps`](Self::taps) for each window.
    pub weights: &'a [i32],
    /// Samples in a window.
    pub taps: usize,
}

/// A rotation and a shift of a square. Pixel (x, y) of the result shows pixel
/// (x·cos + (y·(-sin) + left), x·sin + (y·cos + top)) of the square, computed in single precision in
/// this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RigidTransform {
    /// Cosine of the angle.
    pub cos: f32,
    /// Sine of the angle.
    pub sin: f32,
    /// The column of the square that the first pixel of the result shows.
    pub left: f32,
    /// The row of the square that it shows.
    pub top: f32,
}

/// How the frame is sampled.
#[derive(Clone, Copy, Debug)]
pub enum Sampling<'a> {
    /// A crop, resized.
    Resize {
        /// The crop; it may leave the frame.
        source: PixelRect,
        /// What lies around the frame: black, or its edge pixels.
        border: Border,
        /// Transforms the crop, a square, before the resize, in blue, green and red bytes.
        transform: Option<RigidTransform>,
        /// The part of the tensor that shows the crop.
        picture: PixelRect,
        /// The interpolation.
        filter: Resample,
        /// Coefficients of the picture's columns.
        columns: FilterCoefficients<'a>,
        /// Coefficients of the picture's rows.
        rows: FilterCoefficients<'a>,
        /// The byte around the picture.
        fill: u8,
    },
    /// A homography, as in
    /// [`fill_warped`](crate::core::image::preprocess::Preprocessor::fill_warped).
    Warp {
        /// Maps the tensor's pixels to the frame's.
        to_source: Mat3,
        /// What lies around the frame: its edge pixels for `Replicate`, else black.
        border: Border,
    },
}

/// All that a device needs to fill one item of an input.
#[derive(Clone, Copy, Debug)]
pub struct PreprocessJob<'a> {
    /// Size of the tensor.
    pub size: Size,
    /// Channels of the tensor.
    pub channels: Channels,
    /// Layout of the tensor.
    pub layout: Layout,
    /// Bytes of one value: 1, 2 or 4.
    pub element_bytes: usize,
    /// The lookup tables as they lie in memory: 256 values for each of three channels.
    pub table: &'a [u8],
    /// How the frame is sampled.
    pub sampling: Sampling<'a>,
}

impl PreprocessJob<'_> {
    /// Length of the item in bytes.
    pub fn bytes(&self) -> usize {
        let pixels = (self.size.width as usize).saturating_mul(self.size.height as usize);
        pixels.saturating_mul(self.channels.count()).saturating_mul(self.element_bytes)
    }
}

/// Why a device did not run a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the GPU cannot preprocess: {0}")]
pub struct DeviceFault(pub String);

/// Preprocesses frames in a device's memory.
pub trait PreprocessDevice {
    /// A frame in the device's memory.
    type Frame<'f>;

    /// Starts `job` on `frame`, into `out` of the job's length.
    ///
    /// # Errors
    /// Fails where the device refuses.
    fn fill(
        &mut self,
        frame: &Self::Frame<'_>,
        job: &PreprocessJob<'_>,
        out: DeviceMemory,
    ) -> Result<(), DeviceFault>;

    /// Starts to copy bytes of the host to `out` of the same length.
    ///
    /// # Errors
    /// Fails where the device refuses.
    fn write(&mut self, bytes: &[u8], out: DeviceMemory) -> Result<(), DeviceFault>;

    /// Waits until everything that was started is done and visible on the whole device.
    ///
    /// # Errors
    /// Fails where a part of it failed.
    fn finish(&mut self) -> Result<(), DeviceFault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_lie_inside() {
        let memory = DeviceMemory { address: 1000, bytes: 100, device: 2 };
        let item = DeviceMemory { address: 1040, bytes: 40, device: 2 };
        assert_eq!(memory.item(1, 40), Some(item));
        assert_eq!(memory.item(2, 40), None);
        assert_eq!(memory.item(usize::MAX, 40), None);
    }
}
