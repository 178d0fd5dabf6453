//! A GPU by the driver's own API: its primary context, and errors.
//!
//! The primary context is the one that the CUDA runtime uses, and with it DeepStream and ONNX
//! Runtime: what one of them allocated, the others reach.

use parking_lot::Mutex;
use std::ffi::c_void;
use std::marker::PhantomData;

use crate::nvidia::library::{CudaLibrary, LibraryError};

/// Why a GPU did not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// The memory at an address is not the one that the caller expects.
    #[error("{bytes} bytes at {address:#x} do not lie in one allocation of GPU {gpu}'s memory")]
    Memory {
        /// As given.
        address: u64,
        /// As given.
        bytes: usize,
        /// The GPU's number.
        gpu: u32,
    },
    /// The kernels cannot do this job.
    #[error("the GPU cannot preprocess this job: {0}")]
    Job(&'static str),
}

/// The primary context of each GPU that was used (an address, and kept until the process ends, as
/// the CUDA runtime does too).
static CONTEXTS: Mutex<Vec<(u32, usize)>> = Mutex::new(Vec::new());

/// A handle of the driver's, valid on every thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nvidia) struct Handle(pub *mut c_void);

// SAFETY: the driver's handles belong to the process, and its functions take them from any thread.
unsafe impl Send for Handle {}

/// A GPU and its primary context.
#[derive(Clone, Copy)]
pub(in crate::nvidia) struct Gpu {
    pub cuda: &'static CudaLibrary,
    pub number: u32,
    pub context: Handle,
}

/// A context that is the thread's current one, for as long as this lives.
pub(in crate::nvidia) struct Entered {
    cuda: &'static CudaLibrary,
    /// A context is a thread's.
    thread: PhantomData<*mut ()>,
}

impl Gpu {
    /// The GPU of this number.
    pub fn get(number: u32) -> Result<Self, DeviceError> {
        let cuda = CudaLibrary::get()?;
        let gpu = |context: usize| Self { cuda, number, context: Handle(context as *mut c_void) };
        let mut contexts = CONTEXTS.lock();
        if let Some((_, context)) = contexts.iter().find(|(of, _)| *of == number) {
            return Ok(gpu(*context));
        }
        let ordinal = i32::try_from(number).unwrap_or(i32::MAX);
        let (mut device, mut context) = (0, std::ptr::null_mut::<c_void>());
        // SAFETY: the pointers are valid for the calls; the driver checks the ordinal.
        unsafe {
            check("cuInit", number, (cuda.init)(0))?;
            check("cuDeviceGet", number, (cuda.device_get)(&raw mut device, ordinal))?;
            let code = (cuda.primary_ctx_retain)(&raw mut context, device);
            check("cuDevicePrimaryCtxRetain", number, code)?;
        }
        contexts.push((number, context as usize));
        Ok(gpu(context as usize))
    }

    /// An error where the driver's function did not return success.
    pub fn check(&self, function: &'static str, code: i32) -> Result<(), DeviceError> {
        check(function, self.number, code)
    }

    /// Makes the GPU's context the thread's current one.
    pub fn enter(&self) -> Result<Entered, DeviceError> {
        // SAFETY: the context is the driver's own and is never released.
        unsafe { self.enter_other(self.context) }
    }

    /// Makes another context the thread's current one.
    ///
    /// # Safety
    /// The driver gave it out, and it exists as long as the result lives.
    pub unsafe fn enter_other(&self, context: Handle) -> Result<Entered, DeviceError> {
        // SAFETY: the caller vouches for the context.
        self.check("cuCtxPushCurrent", unsafe { (self.cuda.ctx_push)(context.0) })?;
        Ok(Entered { cuda: self.cuda, thread: PhantomData })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut popped = std::ptr::null_mut();
        // SAFETY: `enter_other` pushed it on this thread.
        unsafe { (self.cuda.ctx_pop)(&raw mut popped) };
    }
}

fn check(function: &'static str, gpu: u32, code: i32) -> Result<(), DeviceError> {
    if code == 0 { Ok(()) } else { Err(DeviceError::Call { function, code, gpu }) }
}

/// Copies `to.len()` bytes from `address` in the memory of a GPU.
///
/// # Safety
/// So many bytes are there, and stay there for the time of the call.
pub(in crate::nvidia) unsafe fn download(
    gpu: u32,
    address: u64,
    to: &mut [u8],
) -> Result<(), DeviceError> {
    let gpu = Gpu::get(gpu)?;
    let _entered = gpu.enter()?;
    // SAFETY: the target is `to`, the caller vouches for the source.
    let code = unsafe { (gpu.cuda.memcpy_dtoh)(to.as_mut_ptr().cast(), address, to.len()) };
    gpu.check("cuMemcpyDtoH", code)
}
