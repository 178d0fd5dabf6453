//! A batch of frames in an `NvBufSurface`, checked, and one of them as pixels that the CPU or a GPU
//! can read.
//!
//! Nothing is assumed: planes, pitches and offsets are the structure's own, and each number is
//! checked before a pointer is made of it.

pub mod access;
mod batch;
pub mod error;
pub mod generation;
pub(super) mod layout;
pub(super) mod mapped;
pub mod memory_type;
mod staging;

pub use access::Access;
pub use batch::SurfaceBatch;
pub use error::{SurfaceError, TransformError};
pub use generation::Generation;
pub use mapped::MappedSurface;
pub use memory_type::MemoryType;
pub use staging::Staging;
