//! The CUDA driver's functions (`cuda.h`) that bring a frame to the host.

use std::ffi::c_void;

pub type InitFn = unsafe extern "C" fn(flags: u32) -> i32;
pub type DeviceGetFn = unsafe extern "C" fn(device: *mut i32, ordinal: i32) -> i32;
pub type PrimaryCtxRetainFn = unsafe extern "C" fn(context: *mut *mut c_void, device: i32) -> i32;
pub type CtxPushFn = unsafe extern "C" fn(context: *mut c_void) -> i32;
pub type CtxPopFn = unsafe extern "C" fn(context: *mut *mut c_void) -> i32;
pub type MemcpyDtoHFn = unsafe extern "C" fn(to: *mut c_void, from: u64, bytes: usize) -> i32;
