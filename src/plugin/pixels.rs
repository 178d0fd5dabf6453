//! A frame's pixels, in whichever memory they are.

use gst_video::VideoInfo;

use super::frame::{self, MapError, MappedFrame};
use super::nvidia_buffer::{CudaMap, has_cuda_memory};
use crate::core::image::FrameView;
use crate::nvidia::gpu::{GpuFrame, GpuFrameError, GpuPictures};
use crate::nvidia::surface::{Access, MappedSurface, MemoryType, Staging, SurfaceBatch};

/// Where a frame's pixels are; nothing is mapped yet.
pub enum Pixels<'a> {
    /// In a buffer, which may be in CUDA's memory: its maps bring it to the host.
    Buffer {
        /// The buffer.
        buffer: &'a gst::BufferRef,
        /// What its caps say.
        info: &'a VideoInfo,
        /// Its map for the GPU, while the GPU reads it.
        cuda: Option<CudaMap<'a>>,
    },
    /// In a batch of NVIDIA's surfaces.
    Surface {
        /// The batch.
        batch: &'a SurfaceBatch<'a>,
        /// The frame's place in it.
        slot: usize,
        /// What frames may be copied to.
        staging: &'a mut Staging,
    },
}

impl<'a> Pixels<'a> {
    /// The frame of a buffer.
    pub fn of_buffer(buffer: &'a gst::BufferRef, info: &'a VideoInfo) -> Self {
        Self::Buffer { buffer, info, cuda: None }
    }

    /// The one frame of a buffer: its own, or that of its batch.
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

    /// Whether they are in memory that a GPU may read where it is.
    pub fn may_be_on_gpu(&self) -> bool {
        match self {
            Self::Buffer { buffer, .. } => has_cuda_memory(buffer),
            Self::Surface { batch, .. } => batch.memory() != MemoryType::System,
        }
    }

    /// Makes the pixels readable by the GPU that makes pictures, for as long as the result lives.
    ///
    /// # Errors
    /// [`GpuFrameError`]; [`map`](Self::map) may have a way all the same.
    pub fn on_gpu(&mut self, pictures: &mut GpuPictures) -> Result<GpuFrame<'_>, GpuFrameError> {
        let gpu = pictures.gpu();
        let frame = match self {
            Self::Buffer { buffer, info, cuda } => frame::on_gpu(buffer, info, cuda, gpu)?,
            Self::Surface { batch, slot, staging } => batch.on_gpu(*slot, gpu, staging)?,
        };
        pictures.bring(frame)
    }

    /// Makes the pixels readable, for as long as the result lives.
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
    /// Of a buffer.
    Buffer(MappedFrame<'a>),
    /// Of a surface.
    Surface(MappedSurface<'a>),
}

impl MappedPixels<'_> {
    /// The checked view.
    pub fn view(&self) -> Result<FrameView<'_>, MapError> {
        Ok(match self {
            Self::Buffer(frame) => frame.view()?,
            Self::Surface(surface) => surface.view()?,
        })
    }

    /// How the CPU came to a surface's pixels.
    pub fn access(&self) -> Option<Access> {
        match self {
            Self::Buffer(_) => None,
            Self::Surface(surface) => Some(surface.access()),
        }
    }
}
