//! The CUDA driver's functions (`cuda.h`, `cudaEGL.h`) that are called.

use std::ffi::{c_char, c_void};

use super::layout;

pub type InitFn = unsafe extern "C" fn(flags: u32) -> i32;
pub type DeviceGetFn = unsafe extern "C" fn(device: *mut i32, ordinal: i32) -> i32;
pub type PrimaryCtxRetainFn = unsafe extern "C" fn(context: *mut *mut c_void, device: i32) -> i32;
pub type CtxPushFn = unsafe extern "C" fn(context: *mut c_void) -> i32;
pub type CtxPopFn = unsafe extern "C" fn(context: *mut *mut c_void) -> i32;
pub type CtxSynchronizeFn = unsafe extern "C" fn() -> i32;
pub type MemcpyDtoHFn = unsafe extern "C" fn(to: *mut c_void, from: u64, bytes: usize) -> i32;
pub type MemAllocFn = unsafe extern "C" fn(address: *mut u64, bytes: usize) -> i32;
pub type MemFreeFn = unsafe extern "C" fn(address: u64) -> i32;
pub type MemcpyHtoDAsyncFn =
    unsafe extern "C" fn(to: u64, from: *const c_void, bytes: usize, stream: *mut c_void) -> i32;
pub type MemcpyPeerAsyncFn = unsafe extern "C" fn(
    to: u64,
    to_context: *mut c_void,
    from: u64,
    from_context: *mut c_void,
    bytes: usize,
    stream: *mut c_void,
) -> i32;
pub type PointerGetAttributeFn =
    unsafe extern "C" fn(data: *mut c_void, attribute: i32, address: u64) -> i32;
pub type StreamCreateFn = unsafe extern "C" fn(stream: *mut *mut c_void, flags: u32) -> i32;
/// `cuStreamSynchronize` and `cuStreamDestroy_v2`.
pub type StreamFn = unsafe extern "C" fn(stream: *mut c_void) -> i32;
pub type ModuleLoadDataFn =
    unsafe extern "C" fn(module: *mut *mut c_void, image: *const c_void) -> i32;
pub type ModuleGetFunctionFn = unsafe extern "C" fn(
    function: *mut *mut c_void,
    module: *mut c_void,
    name: *const c_char,
) -> i32;
pub type LaunchKernelFn = unsafe extern "C" fn(
    function: *mut c_void,
    grid_x: u32,
    grid_y: u32,
    grid_z: u32,
    block_x: u32,
    block_y: u32,
    block_z: u32,
    shared_bytes: u32,
    stream: *mut c_void,
    parameters: *mut *mut c_void,
    extra: *mut *mut c_void,
) -> i32;
pub type EglRegisterImageFn =
    unsafe extern "C" fn(resource: *mut *mut c_void, image: *mut c_void, flags: u32) -> i32;
pub type EglMappedFrameFn = unsafe extern "C" fn(
    frame: *mut EglFrame,
    resource: *mut c_void,
    index: u32,
    level: u32,
) -> i32;
pub type UnregisterResourceFn = unsafe extern "C" fn(resource: *mut c_void) -> i32;

/// `CU_POINTER_ATTRIBUTE_CONTEXT`: a `CUcontext`.
pub const POINTER_CONTEXT: i32 = 1;
/// `CU_POINTER_ATTRIBUTE_MEMORY_TYPE`: an unsigned int.
pub const POINTER_MEMORY_TYPE: i32 = 2;
/// `CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL`: an int.
pub const POINTER_DEVICE: i32 = 9;
/// `CU_POINTER_ATTRIBUTE_RANGE_START_ADDR`: where the allocation begins.
pub const POINTER_RANGE_START: i32 = 11;
/// `CU_POINTER_ATTRIBUTE_RANGE_SIZE`: its bytes.
pub const POINTER_RANGE_SIZE: i32 = 12;

/// `CU_MEMORYTYPE_DEVICE`.
pub const MEMORY_DEVICE: u32 = 2;

/// `CU_STREAM_DEFAULT`: waits for what was put before it into the context's default stream, which
/// is where NVIDIA's own libraries work unless they are told otherwise.
pub const STREAM_DEFAULT: u32 = 0;

/// `CU_GRAPHICS_MAP_RESOURCE_FLAGS_NONE`, as NVIDIA's own samples register images.
pub const REGISTER_NONE: u32 = 0;

/// `CU_EGL_FRAME_TYPE_PITCH`: planes are rows at addresses. The other type is CUDA's arrays.
pub const EGL_PITCH: i32 = 1;

/// `CUeglFrame`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct EglFrame {
    /// Addresses, where the type is [`EGL_PITCH`].
    pub planes: [u64; 3],
    pub width: u32,
    pub height: u32,
    depth: u32,
    /// Of the first plane.
    pub pitch: u32,
    pub plane_count: u32,
    channels: u32,
    pub frame_type: i32,
    color_format: i32,
    array_format: i32,
}
layout!(EglFrame, 64, planes: 0, width: 24, height: 28, depth: 32, pitch: 36, plane_count: 40,
    channels: 44, frame_type: 48, color_format: 52, array_format: 56);
