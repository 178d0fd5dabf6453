//! GStreamer buffers that hold NVIDIA's structures.
//!
//! A buffer whose caps say `memory:NVMM` holds an `NvBufSurface` where others hold pixels. Nothing in
//! the buffer proves it: the caps are the promise, as they are for every element of NVIDIA's. `nvidia`
//! knows the structures and not GStreamer, so this file vouches for the buffers. It is therefore one of
//! the two files outside of `nvidia` with `unsafe`; the other is `plugin::meta::c_strings`.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use gst::buffer::{BufferMap, Readable};

use crate::core::geometry::Size;
use crate::core::image::color::Colorimetry;
use crate::core::image::{PixelFormat, PlaneLayout};
use crate::nvidia::gpu::{GpuFrame, GpuFrameError};
use crate::nvidia::library::LibraryError;
use crate::nvidia::nvds::NvdsBatch;
use crate::nvidia::surface::{SurfaceBatch, SurfaceError};

/// Caps feature of NVIDIA's memory.
pub const FEATURE: &str = "memory:NVMM";

/// The promise that buffers hold an `NvBufSurface`; only caps give it.
#[derive(Clone, Copy, Debug)]
pub struct NvmmCaps(PhantomData<()>);

impl NvmmCaps {
    /// The promise of these caps, if they give it.
    pub fn of(caps: &gst::CapsRef) -> Option<Self> {
        let features = caps.features(0)?;
        features.contains(FEATURE).then_some(Self(PhantomData))
    }
}

/// A buffer's `NvBufSurface`, mapped (not its pixels).
pub struct NvmmBuffer<'a> {
    map: BufferMap<'a, Readable>,
}

impl<'a> NvmmBuffer<'a> {
    /// Maps the `NvBufSurface` of a buffer under such caps.
    pub fn map(buffer: &'a gst::BufferRef, _caps: NvmmCaps) -> Result<Self, glib::BoolError> {
        Ok(Self { map: buffer.map_readable()? })
    }

    /// The frames in it.
    pub fn surfaces(&self) -> Result<SurfaceBatch<'_>, SurfaceError> {
        let bytes = self.map.as_slice();
        // SAFETY: the bytes stay mapped as long as `self` lives, and the caps promise that they are an
        // NvBufSurface, whose memory the buffer owns.
        unsafe { SurfaceBatch::new(bytes.as_ptr().cast_mut().cast(), bytes.len()) }
    }
}

/// The name of the memory of GStreamer's own CUDA elements (`GST_CUDA_MEMORY_TYPE_NAME`).
const CUDA_MEMORY: &str = "gst.cuda.memory";

/// `GST_MAP_CUDA`: the map gives the GPU's address.
const MAP_CUDA: gst::ffi::GstMapFlags = gst::ffi::GST_MAP_FLAG_LAST << 1;

/// Whether a buffer's pixels are in the memory of GStreamer's own CUDA elements.
pub fn has_cuda_memory(buffer: &gst::BufferRef) -> bool {
    buffer.n_memory() > 0 && buffer.peek_memory(0).is_type(CUDA_MEMORY)
}

/// A buffer's CUDA memory, mapped for the GPU; unmapped when dropped.
pub struct CudaMap<'a> {
    memory: &'a gst::MemoryRef,
    info: gst::ffi::GstMapInfo,
}

impl<'a> CudaMap<'a> {
    /// Maps a buffer that has one such memory.
    ///
    /// # Errors
    /// [`GpuFrameError`]: the pixels are elsewhere, or in several memories.
    pub fn of(buffer: &'a gst::BufferRef) -> Result<Self, GpuFrameError> {
        if !has_cuda_memory(buffer) {
            return Err(GpuFrameError::OnHost);
        }
        if buffer.n_memory() != 1 {
            return Err(GpuFrameError::Pieces);
        }
        let memory = buffer.peek_memory(0);
        let mut info = MaybeUninit::uninit();
        let flags = gst::ffi::GST_MAP_READ | MAP_CUDA;
        // SAFETY: the memory outlives the map. The target is valid for the call, which fills it in
        // if it succeeds.
        let info = unsafe {
            let mapped = gst::ffi::gst_memory_map(memory.as_mut_ptr(), info.as_mut_ptr(), flags);
            if mapped == glib::ffi::GFALSE {
                return Err(GpuFrameError::Pieces);
            }
            info.assume_init()
        };
        Ok(Self { memory, info })
    }

    /// The frame in it, its planes at `layouts`, for the GPU of this number.
    ///
    /// # Errors
    /// [`GpuFrameError::Frame`]: the memory is too short.
    pub fn frame(
        &self,
        description: (PixelFormat, Size, Colorimetry),
        layouts: &[PlaneLayout],
        gpu: u32,
    ) -> Result<GpuFrame<'_>, GpuFrameError> {
        // SAFETY: the memory stays mapped at this address for the GPU as long as `self` lives.
        unsafe {
            GpuFrame::from_mapped_memory(
                description,
                layouts,
                gpu,
                (self.info.data as u64, self.info.size),
            )
        }
    }
}

impl Drop for CudaMap<'_> {
    fn drop(&mut self) {
        // SAFETY: mapped in `of`.
        unsafe { gst::ffi::gst_memory_unmap(self.memory.as_mut_ptr(), &raw mut self.info) };
    }
}

/// DeepStream's metadata on a buffer; `None` if it has none. A missing DeepStream is an error only if
/// the buffer has metadata of its making.
pub fn batch_meta(buffer: &gst::BufferRef) -> Result<Option<NvdsBatch<'_>>, LibraryError> {
    // SAFETY: the reference is a GstBuffer and outlives the result. The function looks for a meta and
    // writes nothing.
    match unsafe { NvdsBatch::of(buffer.as_ptr().cast_mut().cast()) } {
        Err(_) if !has_deepstream_meta(buffer) => Ok(None),
        batch => batch,
    }
}

/// Whether some metadata is DeepStream's, by the name of its type.
fn has_deepstream_meta(buffer: &gst::BufferRef) -> bool {
    buffer.iter_meta::<gst::Meta>().any(|meta| meta.api().name().starts_with("NvDs"))
}
