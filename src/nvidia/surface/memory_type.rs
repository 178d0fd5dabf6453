//! The kinds of memory of a surface.

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
    pub(super) fn from_raw(raw: i32) -> Option<Self> {
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
