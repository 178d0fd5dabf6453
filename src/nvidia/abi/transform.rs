//! `nvbufsurftransform.h`: copies between surfaces, which undo block-linear layouts.

use std::ffi::c_void;

use super::layout;
use super::surface::SurfaceHead;

/// `NvBufSurfTransformConfigParams`, the larger of the two layouts (16 bytes up to DeepStream 7.1).
#[repr(C)]
pub struct ConfigParams {
    /// 0 is the default of the machine: VIC on Jetson, GPU elsewhere.
    pub compute_mode: i32,
    pub gpu_id: i32,
    pub cuda_stream: *mut c_void,
    pub reserved: [*mut c_void; 4],
}
layout!(ConfigParams, 48, compute_mode: 0, gpu_id: 4, cuda_stream: 8, reserved: 16);

/// `NvBufSurfTransformParams`, the larger of the two layouts (32 bytes up to DeepStream 7.1).
/// Without flags no rectangle is read, so their layouts, which differ too, do not matter.
#[repr(C)]
pub struct TransformParams {
    pub flags: u32,
    pub flip: i32,
    pub filter: i32,
    pub src_rect: *mut c_void,
    pub dst_rect: *mut c_void,
    pub reserved: [*mut c_void; 4],
}
layout!(TransformParams, 64, flags: 0, flip: 4, filter: 8, src_rect: 16, dst_rect: 24,
    reserved: 32);

pub type SetSessionParamsFn = unsafe extern "C" fn(*mut ConfigParams) -> i32;
pub type TransformFn =
    unsafe extern "C" fn(*mut SurfaceHead, *mut SurfaceHead, *mut TransformParams) -> i32;
