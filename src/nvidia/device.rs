//! Frames out of a GPU's memory, by the driver's own API.
//!
//! The seam for preprocessing on the GPU is here and in
//! [`SurfaceBatch::map`](super::surface::SurfaceBatch::map): a kernel takes the same checked layout
//! and the same address, and no pixel needs to come to the host.

use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use super::library::{CudaLibrary, LibraryError};

/// Why a frame could not be brought from a GPU.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The driver is missing.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The driver refused.
    #[error("{function} failed with CUDA error {code} on GPU {gpu}")]
    Call {
        /// The driver's function.
        function: &'static str,
        /// A `CUresult`.
        code: i32,
        /// The GPU's number.
        gpu: u32,
    },
}

/// The primary context of each GPU that was used (an address, and kept until the process ends, as
/// the CUDA runtime does too).
static CONTEXTS: Mutex<Vec<(u32, usize)>> = Mutex::new(Vec::new());

fn check(function: &'static str, gpu: u32, code: i32) -> Result<(), DeviceError> {
    if code == 0 { Ok(()) } else { Err(DeviceError::Call { function, code, gpu }) }
}

fn context(cuda: &CudaLibrary, gpu: u32) -> Result<*mut c_void, DeviceError> {
    let mut contexts = CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, context)) = contexts.iter().find(|(of, _)| *of == gpu) {
        return Ok(*context as *mut c_void);
    }
    let ordinal = i32::try_from(gpu).unwrap_or(i32::MAX);
    let (mut device, mut context) = (0, std::ptr::null_mut());
    // SAFETY: the pointers are valid for the calls; the driver checks the ordinal.
    unsafe {
        check("cuInit", gpu, (cuda.init)(0))?;
        check("cuDeviceGet", gpu, (cuda.device_get)(&raw mut device, ordinal))?;
        let code = (cuda.primary_ctx_retain)(&raw mut context, device);
        check("cuDevicePrimaryCtxRetain", gpu, code)?;
    }
    contexts.push((gpu, context as usize));
    Ok(context)
}

/// Copies `to.len()` bytes from `address` in the memory of a GPU.
///
/// # Safety
/// So many bytes are there, and stay there for the time of the call.
pub(super) unsafe fn download(gpu: u32, address: u64, to: &mut [u8]) -> Result<(), DeviceError> {
    let cuda = CudaLibrary::get()?;
    let context = context(cuda, gpu)?;
    // SAFETY: the context is the driver's own and is never released; the target is `to`, the caller
    // vouches for the source.
    unsafe {
        check("cuCtxPushCurrent", gpu, (cuda.ctx_push)(context))?;
        let code = (cuda.memcpy_dtoh)(to.as_mut_ptr().cast(), address, to.len());
        let mut popped = std::ptr::null_mut();
        (cuda.ctx_pop)(&raw mut popped);
        check("cuMemcpyDtoH", gpu, code)
    }
}
