//! NVIDIA's memory and metadata with the structures of DeepStream 8.0, by the stand-in in
//! `tests/nvstub`.
#![cfg(all(feature = "plugin", target_os = "linux"))]

mod common;

mod nvmm {
    use crate::common;

    /// Version of the surfaces' structures, and of the metadata's.
    pub const VERSIONS: (u32, u32) = (8, 8);
    /// Whether surfaces are in the memory of a real GPU.
    pub const REAL_GPU: bool = false;

    pub mod cases;
    pub mod config;
    pub mod faces;
    pub mod rig;
    pub mod stub;
    pub mod versions;
}
