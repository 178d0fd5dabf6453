//! The port to a device that makes a model's pictures where frame and tensor both are.
//!
//! The core says what a picture is made of: which pixels, brought to which size, in which channels
//! and values. Whoever has the memory says what a frame is, and does it; addresses are numbers here.

use crate::core::geometry::matrix::Mat3;
use crate::core::geometry::{PixelRect, Size};
use crate::core::image::spec::{Border, Channels, Layout, Resample};

/// Memory of a device, by its address there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceMemory {
    /// Of the first byte.
    pub address: u64,
    /// Bytes from there on.
    pub bytes: usize,
    /// The device's number.
    pub device: u32,
}

impl DeviceMemory {
    /// Item `index` of items of `bytes` each; `None` where it is not all inside.
    #[must_use]
    pub fn item(self, index: usize, bytes: usize) -> Option<Self> {
        let start = index.checked_mul(bytes)?;
        let end = start.checked_add(bytes)?;
        let address = self.address.checked_add(start as u64)?;
        (end <= self.bytes).then_some(Self { address, bytes, ..self })
    }
}

/// FilterCoefficients and their weights along one axis. A window may begin before the first sample and end
/// behind the last; its samples there are those of the edge.
#[derive(Clone, Copy, Debug)]
pub struct FilterCoefficients<'a> {
    /// First sample of each window.
    pub starts: &'a [i32],
    /// Weights, [`taps`](Self::taps) for each window, in the filter's fixed point.
    pub weights: &'a [i32],
    /// Samples in a window.
    pub taps: usize,
}

/// A square that is turned before anything else happens to it: pixel (x, y) of the turned square is
/// pixel (x·cos + (y·sin' + left), x·sin + (y·cos + top)) of the square, sin' being -sin, in single
/// precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RigidTransform {
    /// Cosine of the angle.
    pub cos: f32,
    /// Sine of the angle.
    pub sin: f32,
    /// Where in the square the turned square's first pixel is.
    pub left: f32,
    /// As [`left`](Self::left), downwards.
    pub top: f32,
}

/// Which pixels of the frame a picture shows.
#[derive(Clone, Copy, Debug)]
pub enum Sampling<'a> {
    /// A rectangle, brought to another size.
    Resize {
        /// What is read; may leave the frame.
        source: PixelRect,
        /// Whether black lies around the frame, or its edge.
        border: Border,
        /// The source, a square, is turned first, in blue, green and red bytes.
        transform: Option<RigidTransform>,
        /// What of the tensor is filled.
        picture: PixelRect,
        /// How the size is changed.
        filter: Resample,
        /// For each column of the picture.
        columns: FilterCoefficients<'a>,
        /// For each row of the picture.
        rows: FilterCoefficients<'a>,
        /// The byte around the picture.
        fill: u8,
    },
    /// A homography, as of [`fill_warped`](crate::core::image::preprocess::Preprocessor::fill_warped).
    Warp {
        /// From the tensor's pixels to the frame's.
        to_source: Mat3,
        /// Whether the frame's edge is repeated; black lies around it otherwise.
        border: Border,
    },
}

/// One item of an input, and all that is to be known to make it.
#[derive(Clone, Copy, Debug)]
pub struct PreprocessJob<'a> {
    /// Of the tensor.
    pub size: Size,
    /// Its channels.
    pub channels: Channels,
    /// Their order.
    pub layout: Layout,
    /// Bytes of one value: 1, 2 or 4.
    pub element_bytes: usize,
    /// The value of each byte, 256 for each of three channels, as they lie in memory.
    pub table: &'a [u8],
    /// Which pixels.
    pub sampling: Sampling<'a>,
}

impl PreprocessJob<'_> {
    /// Bytes of the item.
    pub fn bytes(&self) -> usize {
        let pixels = (self.size.width as usize).saturating_mul(self.size.height as usize);
        pixels.saturating_mul(self.channels.count()).saturating_mul(self.element_bytes)
    }
}

/// Why a device did not make a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pictures cannot be made on the GPU: {0}")]
pub struct DeviceFault(pub String);

/// Makes pictures in a device's memory.
pub trait PreprocessDevice {
    /// A frame in its memory.
    type Frame<'f>;

    /// Begins to make a picture of `frame` in `out`, which has as many bytes as the job says.
    ///
    /// # Errors
    /// Where the device refuses.
    fn fill(
        &mut self,
        frame: &Self::Frame<'_>,
        job: &PreprocessJob<'_>,
        out: DeviceMemory,
    ) -> Result<(), DeviceFault>;

    /// Begins to write bytes of the host to `out`, which has as many.
    ///
    /// # Errors
    /// Where the device refuses.
    fn write(&mut self, bytes: &[u8], out: DeviceMemory) -> Result<(), DeviceFault>;

    /// Waits until all that was begun is done, and to be seen by everybody on the device.
    ///
    /// # Errors
    /// Where something of it failed.
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
