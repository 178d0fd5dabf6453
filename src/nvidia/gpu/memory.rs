//! Memory of a GPU: what an address is, as the driver says, and memory of our own.

use std::ffi::c_void;

use super::context::{DeviceError, Gpu, Handle};
use crate::nvidia::abi::cuda::{
    MEMORY_DEVICE, POINTER_CONTEXT, POINTER_DEVICE, POINTER_MEMORY_TYPE, POINTER_RANGE_SIZE,
    POINTER_RANGE_START,
};

/// What the driver says about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AddressInfo {
    /// Whether it is in a GPU's own memory.
    pub on_device: bool,
    /// Number of the GPU.
    pub gpu: u32,
    /// Bytes from there to the end of the allocation.
    pub bytes: u64,
}

/// One attribute of an address; `None` where the driver does not know it.
///
/// # Safety
/// `T` is the attribute's type, and any value of it is valid.
unsafe fn attribute<T: Default>(gpu: &Gpu, attribute: i32, address: u64) -> Option<T> {
    let mut value = T::default();
    let to = (&raw mut value).cast::<c_void>();
    // SAFETY: the target is as large as the caller says that the attribute is; the driver checks
    // the address.
    let code = unsafe { (gpu.cuda.pointer_get_attribute)(to, attribute, address) };
    (code == 0).then_some(value)
}

/// Asks the driver about an address; `None` if the address is not in memory that the driver manages.
/// The GPU's context must be current.
pub(super) fn address_info(gpu: &Gpu, address: u64) -> Option<AddressInfo> {
    // SAFETY: the types are those that cuda.h names.
    let (kind, device, start, size) = unsafe {
        (
            attribute::<u32>(gpu, POINTER_MEMORY_TYPE, address)?,
            attribute::<i32>(gpu, POINTER_DEVICE, address)?,
            attribute::<u64>(gpu, POINTER_RANGE_START, address)?,
            attribute::<u64>(gpu, POINTER_RANGE_SIZE, address)?,
        )
    };
    let end = start.checked_add(size)?;
    Some(AddressInfo {
        on_device: kind == MEMORY_DEVICE,
        gpu: u32::try_from(device).ok()?,
        bytes: end.checked_sub(address)?,
    })
}

/// The context that an address was allocated in; `None` where the driver does not say.
pub(super) fn context(gpu: &Gpu, address: u64) -> Option<Handle> {
    // SAFETY: a context is a pointer.
    let context = unsafe { attribute::<usize>(gpu, POINTER_CONTEXT, address)? };
    (context != 0).then_some(Handle(context as *mut c_void))
}

/// Checks that `bytes` bytes from `address` on lie in one allocation that this GPU reaches.
pub(super) fn check_readable(gpu: &Gpu, address: u64, bytes: usize) -> Result<(), DeviceError> {
    let inside = address_info(gpu, address).is_some_and(|info| bytes as u64 <= info.bytes);
    inside.then_some(()).ok_or(DeviceError::Memory { address, bytes, gpu: gpu.number })
}

/// Checks that `bytes` bytes from `address` on lie in one allocation of this GPU's own memory.
pub(super) fn check_writable(gpu: &Gpu, address: u64, bytes: usize) -> Result<(), DeviceError> {
    let inside = address_info(gpu, address)
        .is_some_and(|info| info.on_device && info.gpu == gpu.number && bytes as u64 <= info.bytes);
    inside.then_some(()).ok_or(DeviceError::Memory { address, bytes, gpu: gpu.number })
}

/// Memory of our own on a GPU; freed when dropped.
pub(super) struct Buffer {
    gpu: Gpu,
    address: u64,
    bytes: usize,
}

impl Buffer {
    /// No memory yet.
    pub const fn new(gpu: Gpu) -> Self {
        Self { gpu, address: 0, bytes: 0 }
    }

    /// Where it is.
    pub const fn address(&self) -> u64 {
        self.address
    }

    /// How long it is.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes it at least this long; what was in it is lost where it moves. The GPU's context is the
    /// current one, and nothing on the GPU uses the buffer any more.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), DeviceError> {
        if bytes <= self.bytes {
            return Ok(());
        }
        self.free();
        let bytes = bytes.next_multiple_of(4096);
        let mut address = 0;
        // SAFETY: the pointer is valid for the call.
        let code = unsafe { (self.gpu.cuda.mem_alloc)(&raw mut address, bytes) };
        self.gpu.check("cuMemAlloc", code)?;
        (self.address, self.bytes) = (address, bytes);
        Ok(())
    }

    fn free(&mut self) {
        if self.address != 0 {
            // SAFETY: allocated in `reserve`, and forgotten here.
            unsafe { (self.gpu.cuda.mem_free)(self.address) };
        }
        (self.address, self.bytes) = (0, 0);
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.address != 0
            && let Ok(_entered) = self.gpu.enter()
        {
            self.free();
        }
    }
}
