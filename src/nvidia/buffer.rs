//! Where GStreamer's buffers meet NVIDIA's structures.
//!
//! A buffer whose caps say `memory:NVMM` holds an `NvBufSurface` where others hold pixels. Nothing
//! in the buffer proves it: the caps are the promise that everything here rests on, as it is for
//! every element of NVIDIA's. So this file, where trust begins, names GStreamer, and no other of
//! this folder does.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use gst::buffer::{BufferMap, Readable};

use super::gpu::GpuFrameError;
use super::library::{LibraryError, MetaLibrary};
use super::nvds::NvdsBatch;
use super::surface::{SurfaceBatch, SurfaceError};

/// Caps feature of NVIDIA's memory.
pub const FEATURE: &str = "memory:NVMM";

/// A promise that buffers hold an `NvBufSurface`; only caps can give it.
#[derive(Clone, Copy, Debug)]
pub struct NvmmCaps(PhantomData<()>);

impl NvmmCaps {
    /// The promise, where these caps give it.
    pub fn of(caps: &gst::CapsRef) -> Option<Self> {
        let features = caps.features(0)?;
        features.contains(FEATURE).then_some(Self(PhantomData))
    }
}

/// A buffer's descriptor, mapped (not its pixels).
pub struct NvmmBuffer<'a> {
    map: BufferMap<'a, Readable>,
}

impl<'a> NvmmBuffer<'a> {
    /// Maps the descriptor of a buffer under such caps.
    pub fn map(buffer: &'a gst::BufferRef, _caps: NvmmCaps) -> Result<Self, glib::BoolError> {
        Ok(Self { map: buffer.map_readable()? })
    }

    /// The frames in it.
    pub fn surfaces(&self) -> Result<SurfaceBatch<'_>, SurfaceError> {
        let bytes = self.map.as_slice();
        // SAFETY: the descriptor is mapped as long as `self` lives, and the caps promise that it is
        // an NvBufSurface, whose memory the buffer owns.
        unsafe { SurfaceBatch::new(bytes.as_ptr().cast_mut().cast(), bytes.len()) }
    }
}

/// What GStreamer's own CUDA elements call their memory (`GST_CUDA_MEMORY_TYPE_NAME`).
const CUDA_MEMORY: &str = "gst.cuda.memory";

/// `GST_MAP_CUDA`: the map's address is the GPU's.
const MAP_CUDA: gst::ffi::GstMapFlags = gst::ffi::GST_MAP_FLAG_LAST << 1;

/// Whether a buffer's pixels are in CUDA memory of GStreamer's own kind.
pub fn has_cuda_memory(buffer: &gst::BufferRef) -> bool {
    buffer.n_memory() > 0 && buffer.peek_memory(0).is_type(CUDA_MEMORY)
}

/// A buffer's CUDA memory, mapped for the GPU; unmapped when dropped.
pub(super) struct CudaMap<'a> {
    memory: &'a gst::MemoryRef,
    info: gst::ffi::GstMapInfo,
}

impl<'a> CudaMap<'a> {
    /// Maps a buffer that has one piece of such memory.
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
        // SAFETY: the memory outlives the map, and the target is valid for the call, which fills it
        // in where it succeeds.
        let info = unsafe {
            let mapped = gst::ffi::gst_memory_map(memory.as_mut_ptr(), info.as_mut_ptr(), flags);
            if mapped == glib::ffi::GFALSE {
                return Err(GpuFrameError::Pieces);
            }
            info.assume_init()
        };
        Ok(Self { memory, info })
    }

    /// The GPU's address of the first byte.
    pub fn address(&self) -> u64 {
        self.info.data as u64
    }

    /// Bytes from there on.
    pub fn bytes(&self) -> usize {
        self.info.size
    }
}

impl Drop for CudaMap<'_> {
    fn drop(&mut self) {
        // SAFETY: mapped in `of`.
        unsafe { gst::ffi::gst_memory_unmap(self.memory.as_mut_ptr(), &raw mut self.info) };
    }
}

/// DeepStream's metadata on a buffer; `None` where there is none. That DeepStream is missing is an
/// error only where a buffer has metadata of its making.
pub fn batch_meta(buffer: &gst::BufferRef) -> Result<Option<NvdsBatch<'_>>, LibraryError> {
    let library = match MetaLibrary::get() {
        Ok(library) => library,
        Err(_) if !has_deepstream_meta(buffer) => return Ok(None),
        Err(error) => return Err(error),
    };
    // SAFETY: the reference is a GstBuffer and outlives the result. The function looks for a meta
    // and writes nothing.
    Ok(unsafe { NvdsBatch::of(buffer.as_ptr().cast_mut().cast(), library) })
}

/// Whether some metadata is DeepStream's, by the name of its type.
fn has_deepstream_meta(buffer: &gst::BufferRef) -> bool {
    buffer.iter_meta::<gst::Meta>().any(|meta| meta.api().name().starts_with("NvDs"))
}
