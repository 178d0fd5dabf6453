//! Why a surface gives no pixels.

use super::memory_type::MemoryType;
use crate::core::image::FrameError;
use crate::nvidia::gpu::context::DeviceError;
use crate::nvidia::library::LibraryError;

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
    #[error("plane {plane} with {bytes} bytes at byte {offset} exceeds the frame's {size} bytes")]
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

/// Why a frame could not be put in rows.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// The library is missing.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// Memory of this kind cannot have that layout.
    #[error("a frame of the layout {0} (not pitch-linear) in memory that cannot be converted")]
    Layout(i32),
    /// The library refused.
    #[error("{function} failed with {code}")]
    Call {
        /// The library's function.
        function: &'static str,
        /// What it returned.
        code: i32,
    },
}
