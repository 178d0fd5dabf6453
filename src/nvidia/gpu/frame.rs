//! A frame in a GPU's memory: addresses and strides, from memory of any kind.

use std::marker::PhantomData;

use super::context::DeviceError;
use super::egl::EglMapping;
use super::job;
use crate::core::geometry::Size;
use crate::core::image::color::Colorimetry;
use crate::core::image::frame::check_layout;
use crate::core::image::{FrameError, PixelFormat, PlaneLayout};
use crate::nvidia::surface::error::SurfaceError;

/// Why a frame is not given to a GPU; the CPU may still read it.
#[derive(Debug, thiserror::Error)]
pub enum GpuFrameError {
    /// It is in the host's memory.
    #[error("frames are in the host's memory")]
    OnHost,
    /// It is in another GPU's memory than the model.
    #[error("frames are in the memory of GPU {frame} and the model runs on GPU {model}")]
    OtherGpu {
        /// Where the frame is.
        frame: u32,
        /// Where the model runs.
        model: u32,
    },
    /// The kernels do not read this format.
    #[error("the GPU does not preprocess frames of {0:?}")]
    Format(PixelFormat),
    /// The pixels are not square.
    #[error("the GPU does not preprocess frames whose pixels are not square")]
    NotSquare,
    /// Several pieces of memory, or one that could not be mapped.
    #[error("the buffer's CUDA memory is in several pieces, or cannot be mapped")]
    Pieces,
    /// The driver, or NVIDIA's library, has no way from these surfaces to CUDA.
    #[error("{0} has no functions that give surfaces to CUDA by EGL")]
    NoEgl(&'static str),
    /// CUDA sees the surface as something else than rows at addresses.
    #[error("CUDA does not see these surfaces as rows of pixels: {0}")]
    NotRows(&'static str),
    /// The surface is not what it says it is.
    #[error(transparent)]
    Surface(#[from] SurfaceError),
    /// The bytes are no frame of this format and size.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The GPU refused.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// A plane in a GPU's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GpuPlane {
    pub address: u64,
    /// Bytes that are read.
    pub bytes: usize,
    pub stride: usize,
}

/// What keeps a frame's memory in place.
#[expect(dead_code, reason = "held, to be dropped")]
pub(super) enum Backing<'a> {
    /// The buffer that it belongs to.
    Buffer(PhantomData<&'a ()>),
    /// A mapping to EGL and to CUDA.
    Egl(EglMapping),
    /// The map that the caller holds.
    Mapped(PhantomData<&'a ()>),
}

/// A frame in the memory of a GPU.
pub struct GpuFrame<'a> {
    pub(super) format: PixelFormat,
    pub(super) size: Size,
    pub(super) colorimetry: Colorimetry,
    pub(super) gpu: u32,
    pub(super) planes: [GpuPlane; 3],
    pub(super) backing: Backing<'a>,
}

impl<'a> GpuFrame<'a> {
    /// Planes in one piece of memory of `bytes` bytes from `base` on, each at its place (first byte,
    /// bytes, stride), all of which lie in it.
    pub(in crate::nvidia) fn in_one_allocation(
        (format, size, colorimetry): (PixelFormat, Size, Colorimetry),
        gpu: u32,
        base: u64,
        places: &[(usize, usize, usize)],
    ) -> Self {
        let mut planes = [GpuPlane::default(); 3];
        for (plane, &(offset, bytes, stride)) in planes.iter_mut().zip(places) {
            // Past the end of all memory is what the driver refuses.
            let address = base.saturating_add(offset as u64);
            *plane = GpuPlane { address, bytes, stride };
        }
        Self { format, size, colorimetry, gpu, planes, backing: Backing::Buffer(PhantomData) }
    }

    /// A frame in one piece of CUDA memory of another library: `length` bytes at `address`, its planes
    /// at `layouts`. Its producer may still write to it.
    ///
    /// # Errors
    /// [`GpuFrameError::Frame`]: the memory is too short. [`GpuFrameError::Format`]: only the CPU reads
    /// the format.
    ///
    /// # Safety
    /// The memory stays at this address as long as the result lives.
    pub(crate) unsafe fn from_mapped_memory(
        (format, size, colorimetry): (PixelFormat, Size, Colorimetry),
        layouts: &[PlaneLayout],
        gpu: u32,
        (address, length): (u64, usize),
    ) -> Result<Self, GpuFrameError> {
        if !job::reads(format) {
            return Err(GpuFrameError::Format(format));
        }
        let lengths = layouts
            .iter()
            .take(format.planes())
            .map(|layout| (length.saturating_sub(layout.offset), layout.stride));
        check_layout(format, size, lengths)?;
        let mut places = [(0, 0, 0); 3];
        for (plane, (place, layout)) in places.iter_mut().zip(layouts).enumerate() {
            let (row, rows) = format.plane_extent(plane, size);
            let PlaneLayout { offset, stride } = *layout;
            *place = (offset, stride * (rows - 1) + row, stride);
        }
        let places = &places[..format.planes()];
        let frame = Self::in_one_allocation((format, size, colorimetry), gpu, address, places);
        Ok(Self { backing: Backing::Mapped(PhantomData), ..frame })
    }

    /// Planes as CUDA sees an EGL image.
    pub(super) fn from_egl(
        (format, size, colorimetry): (PixelFormat, Size, Colorimetry),
        gpu: u32,
        planes: [GpuPlane; 3],
        mapping: EglMapping,
    ) -> Self {
        Self { format, size, colorimetry, gpu, planes, backing: Backing::Egl(mapping) }
    }

    /// Extent in pixels, never empty.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Number of the GPU that holds the frame, as its producer states.
    pub fn gpu(&self) -> u32 {
        self.gpu
    }

    /// Whether its producer may still write to it, perhaps in a context of its own.
    pub(super) fn may_be_written(&self) -> bool {
        matches!(self.backing, Backing::Mapped(_))
    }

    /// Whether the planes are the driver's own answer.
    pub(super) fn is_the_drivers(&self) -> bool {
        matches!(self.backing, Backing::Egl(_))
    }

    pub(super) fn planes(&self) -> &[GpuPlane] {
        &self.planes[..self.format.planes()]
    }
}
