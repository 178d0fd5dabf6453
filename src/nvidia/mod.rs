//! NVIDIA's frames and metadata: `NvBufSurface` (NVMM memory) and DeepStream's `NvDs` structures.
//!
//! The only unsafe code of the crate. NVIDIA's libraries are opened when a buffer of theirs arrives
//! ([`library`]); structures are described in the private `abi`, checked in [`surface`] before any
//! pointer of theirs is followed, and given to the core as a
//! [`FrameView`](crate::core::image::FrameView), or, where the model runs on the same GPU, to the
//! kernels that make its pictures there ([`gpu`]). What becomes of the metadata is in [`nvds`], and
//! what is attached in [`payload`].
#![allow(unsafe_code)]

mod abi;
pub(crate) mod format;
pub mod gpu;
pub mod library;
mod linear;
pub mod nvds;
pub mod payload;
pub mod surface;

pub use surface::TransformError;
