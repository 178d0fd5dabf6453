//! A batch of frames in an `NvBufSurface`, checked, and one of them as pixels that the CPU or a GPU
//! can read.
//!
//! Nothing is assumed: planes, pitches and offsets are the structure's own, and each number is
//! checked before a pointer is made of it.

mod batch;
mod layout;
mod mapped;

pub use batch::SurfaceBatch;
pub(super) use layout::Layout;
pub use mapped::MappedSurface;
pub(super) use mapped::Mapping;

use super::abi::surface::{Params7, Params8, Surface7, Surface8};
use super::gpu::DeviceError;
use super::library::LibraryError;
use super::linear::{LinearCopy, TransformError};
use crate::core::image::FrameError;

/// Which layout of the structures is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Up to DeepStream 7.1 and JetPack 6.
    UpTo7,
    /// From DeepStream 8.0 and JetPack 7 on.
    From8,
}

impl Generation {
    /// Bytes of the descriptor, which a buffer maps to.
    const fn descriptor(self) -> usize {
        match self {
            Self::UpTo7 => size_of::<Surface7>(),
            Self::From8 => size_of::<Surface8>(),
        }
    }

    /// Bytes from one frame of a batch to the next.
    pub const fn stride(self) -> usize {
        match self {
            Self::UpTo7 => size_of::<Params7>(),
            Self::From8 => size_of::<Params8>(),
        }
    }

    /// Holds the size of a buffer's memory against the version of the library. NVIDIA's elements
    /// make it as large as the descriptor; what is larger (a pool's own structure, padding) says
    /// nothing, and then the frames tell: with the wrong distance from one to the next, the second
    /// one's numbers are pointers and zeros ([`SurfaceError::Implausible`]).
    fn agrees_with(self, found: usize) -> Result<(), SurfaceError> {
        let other = match self {
            Self::UpTo7 => Self::From8,
            Self::From8 => Self::UpTo7,
        };
        if found == other.descriptor() {
            return Err(SurfaceError::Version { found, expected: self.descriptor() });
        }
        Ok(())
    }
}

/// Where a surface's pixels are (`NvBufSurfaceMemType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryType {
    /// What the machine's default is: a GPU's memory, or on Jetson a surface array.
    Default,
    /// Host memory that the GPU reaches.
    CudaPinned,
    /// A GPU's own memory.
    CudaDevice,
    /// Memory that moves between host and GPU.
    CudaUnified,
    /// Jetson's buffers.
    SurfaceArray,
    /// Jetson's buffers, by handle alone.
    Handle,
    /// Plain host memory.
    System,
    /// CUDA's arrays (DeepStream 9).
    CudaArray,
}

impl MemoryType {
    fn from_raw(raw: i32) -> Option<Self> {
        Some(match raw {
            0 => Self::Default,
            1 => Self::CudaPinned,
            2 => Self::CudaDevice,
            3 => Self::CudaUnified,
            4 => Self::SurfaceArray,
            5 => Self::Handle,
            6 => Self::System,
            7 => Self::CudaArray,
            _ => return None,
        })
    }
}

/// Why a surface's pixels could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SurfaceError {
    /// The buffer's memory is too small to be a batch.
    #[error("a buffer of {0} bytes is no NvBufSurface, though its caps say memory:NVMM")]
    NoSurface(usize),
    /// A library is missing.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The buffer's structure and the library are of two versions.
    #[error(
        "an NvBufSurface of {found} bytes, and a libnvbufsurface.so of the version in which it has \
         {expected} bytes: the element that made the buffer was built for another version of DeepStream \
         or JetPack than the one that is installed; install the version that it was built for, or \
         take away what LD_LIBRARY_PATH adds"
    )]
    Version {
        /// Bytes of the buffer's.
        found: usize,
        /// Bytes of the library's.
        expected: usize,
    },
    /// The batch has no list of frames.
    #[error("NvBufSurface without a surfaceList")]
    NoList,
    /// The counts contradict each other.
    #[error("NvBufSurface with {filled} frames filled of a batchSize of {capacity}")]
    Count {
        /// `numFilled`.
        filled: u32,
        /// `batchSize`.
        capacity: u32,
    },
    /// A kind of memory that does not exist.
    #[error("NvBufSurface of the unknown memType {0}")]
    UnknownMemory(i32),
    /// A kind of memory that the CPU cannot be given.
    #[error(
        "surfaces of the memory type {0:?} are not read; put 'nvvideoconvert nvbuf-memory-type=0' \
         before this element"
    )]
    Memory(MemoryType),
    /// There is no such frame.
    #[error("frame {slot} of a batch of {filled}")]
    Slot {
        /// Asked for.
        slot: usize,
        /// Frames there are.
        filled: usize,
    },
    /// A size that no frame has: the structure is another version's, or broken.
    #[error(
        "frame {slot} of the batch says {width}x{height} in {planes} planes: the NvBufSurface is \
         broken, or of a version that libnvbufsurface.so does not belong to"
    )]
    Implausible {
        /// The frame's place.
        slot: usize,
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// Its number of planes.
        planes: u32,
    },
    /// A colour format that is not read.
    #[error("surfaces of the NvBufSurfaceColorFormat {0} are not read; convert to NV12 or RGBA")]
    Format(i32),
    /// The frame has no memory.
    #[error("frame {0} of the batch has no memory (null pointer)")]
    NoMemory(usize),
    /// A plane lies outside the frame's memory.
    #[error(
        "plane {plane} with {bytes} bytes at byte {offset} does not lie in the frame's {size} bytes"
    )]
    Outside {
        /// Index of the plane.
        plane: usize,
        /// Its first byte.
        offset: usize,
        /// Its bytes.
        bytes: usize,
        /// Bytes of the frame.
        size: usize,
    },
    /// The library refused to map.
    #[error("{function} failed with {code} for frame {slot}")]
    Call {
        /// The library's function.
        function: &'static str,
        /// What it returned.
        code: i32,
        /// The frame's place.
        slot: usize,
    },
    /// The pixels could not be brought to the host.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The pixels could not be put in rows.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// The bytes are no frame of this format and size.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl SurfaceError {
    /// Whether no other buffer will fare better: a library is not there, or not of the buffers'
    /// version.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Library(_)
                | Self::Version { .. }
                | Self::Device(DeviceError::Library(_))
                | Self::Transform(TransformError::Library(_))
        )
    }
}

/// Memory that frames are brought to, kept from frame to frame.
#[derive(Default)]
pub struct Staging {
    host: Vec<u8>,
    linear: Option<LinearCopy>,
}

/// How the CPU came to a frame's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// They were in its memory.
    Direct,
    /// They were mapped into it.
    Mapped,
    /// They were copied from a GPU's memory.
    Downloaded,
    /// They were copied out of a block-linear layout, and mapped.
    Linearised,
}
