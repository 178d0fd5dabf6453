//! Where GStreamer's buffers meet NVIDIA's structures.
//!
//! A buffer whose caps say `memory:NVMM` holds an `NvBufSurface` where others hold pixels. Nothing
//! in the buffer proves it: the caps are the promise that everything here rests on, as it is for
//! every element of NVIDIA's. So this file, where trust begins, names GStreamer, and no other of
//! this folder does.

use std::marker::PhantomData;

use gst::buffer::{BufferMap, Readable};

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
