//! The pixels of a frame in host memory, CUDA memory or an NVIDIA surface.

use gst_video::VideoInfo;

use super::frame::{self, MapError, MappedFrame};
use super::nvidia_buffer::{CudaMap, has_cuda_memory};
use crate::core::image::FrameView;
use crate::nvidia::gpu::{GpuFrame, GpuFrameError, GpuPreprocessor};
use crate::nvidia::surface::{Access, MappedSurface, MemoryType, Staging, SurfaceBatch};

/// The memory that holds a frame's pixels, not mapped yet.
pub enum Pixels<'a> {
    /// A buffer. It may be in CUDA memory; a map for reading copies it to the host.
    Buffer {
        /// The buffer.
        buffer: &'a gst::BufferRef,
        /// The format from its caps.
        info: &'a VideoInfo,
        /// Its map for the GPU, while the GPU reads it.
        cuda: Option<CudaMap<'a>>,
    },
    /// A surface in a batch of NVIDIA surfaces.
    Surface {
        /// The batch.
        batch: &'a SurfaceBatch<'a>,
        /// The index of the surface in the batch.
        slot: usize,
        /// Memory for a copy of the surface.
        staging: &'a mut Staging,
    },
}

impl<'a> Pixels<'a> {
    /// The frame of a buffer.
    pub fn of_buffer(buffer: &'a gst::BufferRef, info: &'a VideoInfo) -> Self {
        Self::Buffer { buffer, info, cuda: None }
    }

    /// The only frame of a buffer: its own pixels, or the surface of its batch.
    pub fn single(
        buffer: &'a gst::BufferRef,
        info: &'a VideoInfo,
        batch: Option<&'a SurfaceBatch<'a>>,
        staging: &'a mut Staging,
    ) -> Result<Self, MapError> {
        match batch {
            None => Ok(Self::of_buffer(buffer, info)),
            Some(batch) if batch.len() == 1 => Ok(Self::Surface { batch, slot: 0, staging }),
            Some(batch) => Err(MapError::Batch(batch.len())),
        }
    }

    /// Returns whether a GPU may read the pixels in place.
    pub fn may_be_on_gpu(&self) -> bool {
        match self {
            Self::Buffer { buffer, .. } => has_cuda_memory(buffer),
            Self::Surface { batch, .. } => batch.memory() != MemoryType::System,
        }
    }

    /// Makes the pixels readable by the GPU that preprocesses, as long as the result lives.
    ///
    /// # Errors
    /// [`GpuFrameError`]; [`map`](Self::map) may work nevertheless.
    pub fn on_gpu(
        &mut self,
        preprocessor: &mut GpuPreprocessor,
    ) -> Result<GpuFrame<'_>, GpuFrameError> {
        let gpu = preprocessor.gpu();
        let frame = match self {
            Self::Buffer { buffer, info, cuda } => frame::on_gpu(buffer, info, cuda, gpu)?,
            Self::Surface { batch, slot, staging } => batch.on_gpu(*slot, gpu, staging)?,
        };
        preprocessor.make_readable(frame)
    }

    /// Maps the pixels for the CPU, as long as the result lives.
    pub fn map(&mut self) -> Result<MappedPixels<'_>, MapError> {
        Ok(match self {
            Self::Buffer { buffer, info, cuda } => {
                *cuda = None;
                MappedPixels::Buffer(MappedFrame::map(buffer, info)?)
            }
            Self::Surface { batch, slot, staging } => {
                MappedPixels::Surface(batch.map(*slot, staging)?)
            }
        })
    }
}

/// A frame's pixels, mapped for reading.
#[expect(clippy::large_enum_variant, reason = "on the stack; boxed, every frame would allocate")]
pub enum MappedPixels<'a> {
    /// The map of a buffer.
    Buffer(MappedFrame<'a>),
    /// The map of a surface.
    Surface(MappedSurface<'a>),
}

impl MappedPixels<'_> {
    /// Returns the checked view.
    pub fn view(&self) -> Result<FrameView<'_>, MapError> {
        Ok(match self {
            Self::Buffer(frame) => frame.view()?,
            Self::Surface(surface) => surface.view()?,
        })
    }

    /// Returns how the CPU reached the pixels of a surface.
    pub fn access(&self) -> Option<Access> {
        match self {
            Self::Buffer(_) => None,
            Self::Surface(surface) => Some(surface.access()),
        }
    }
}
