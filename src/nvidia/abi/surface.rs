//! `NvBufSurface` (`nvbufsurface.h`): a batch of frames in memory of NVIDIA's kinds.
//!
//! Two layouts exist: up to DeepStream 7.1 and JetPack 6, and from DeepStream 8.0 and JetPack 7 on.
//! They agree up to the CPU addresses of a mapped frame; what follows them, and with it the distance
//! from one frame of a batch to the next, differs.

use std::ffi::c_void;

use super::layout;

/// Most planes of a frame (`NVBUF_MAX_PLANES`).
pub const MAX_PLANES: usize = 4;

/// A pointer that is reserved.
type Reserved = *mut c_void;

/// `NvBufSurface` as far as all versions agree.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SurfaceHead {
    pub gpu_id: u32,
    /// Capacity.
    pub batch_size: u32,
    /// Frames that are valid.
    pub num_filled: u32,
    /// A C `bool`; kept as a byte because no header promises 0 or 1.
    pub is_contiguous: u8,
    pub mem_type: i32,
    pub surface_list: *mut ParamsHead,
}
layout!(SurfaceHead, 32, gpu_id: 0, batch_size: 4, num_filled: 8, is_contiguous: 12, mem_type: 16,
    surface_list: 24);

/// `NvBufSurface` up to DeepStream 7.1 and L4T r36.
#[repr(C)]
pub struct SurfaceUpTo7 {
    pub head: SurfaceHead,
    reserved: [Reserved; 4],
}
layout!(SurfaceUpTo7, 64, head: 0);

/// `NvBufSurface` from DeepStream 8.0 and JetPack 7 on.
#[repr(C)]
pub struct SurfaceFrom8 {
    pub head: SurfaceHead,
    is_imported: u8,
    reserved: [Reserved; 4],
}
layout!(SurfaceFrom8, 72, head: 0, is_imported: 32, reserved: 40);

impl SurfaceFrom8 {
    /// A batch for NVIDIA's functions; the larger of the two layouts, which both versions can read.
    pub const fn new(head: SurfaceHead) -> Self {
        Self { head, is_imported: 0, reserved: [std::ptr::null_mut(); 4] }
    }
}

/// `NvBufSurfacePlaneParams`, the same in all versions.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlaneParams {
    pub num_planes: u32,
    pub width: [u32; MAX_PLANES],
    pub height: [u32; MAX_PLANES],
    /// Bytes from row to row.
    pub pitch: [u32; MAX_PLANES],
    /// Bytes from the frame's first byte to the plane's.
    pub offset: [u32; MAX_PLANES],
    /// Bytes of the plane.
    pub psize: [u32; MAX_PLANES],
    pub bytes_per_pix: [u32; MAX_PLANES],
    reserved: [Reserved; 16],
}
layout!(PlaneParams, 232, num_planes: 0, width: 4, height: 20, pitch: 36, offset: 52, psize: 68,
    bytes_per_pix: 84, reserved: 104);

/// `NvBufSurfaceParams`, one frame of a batch, as far as all versions agree.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ParamsHead {
    pub width: u32,
    pub height: u32,
    pub pitch: u32,
    pub color_format: i32,
    pub layout: i32,
    /// DMABUF handle, of surface arrays only.
    pub buffer_desc: u64,
    /// Bytes behind `data_ptr`.
    pub data_size: u32,
    /// Not valid for surface arrays and handles.
    pub data_ptr: *mut c_void,
    pub plane_params: PlaneParams,
    /// `NvBufSurfaceMappedAddr`: the planes in the CPU's memory, after `NvBufSurfaceMap`.
    pub mapped_addr: [*mut c_void; MAX_PLANES],
    pub egl_image: *mut c_void,
}
layout!(ParamsHead, 320, width: 0, height: 4, pitch: 8, color_format: 12, layout: 16,
    buffer_desc: 24, data_size: 32, data_ptr: 40, plane_params: 48, mapped_addr: 280,
    egl_image: 312);

/// `NvBufSurfaceParams` up to DeepStream 7.1 and L4T r36.
#[repr(C)]
pub struct ParamsUpTo7 {
    pub head: ParamsHead,
    mapped_reserved: [Reserved; 4],
    /// `paramex` and three reserved (four reserved up to 6.0).
    reserved: [Reserved; 4],
}
layout!(ParamsUpTo7, 384, head: 0, mapped_reserved: 320, reserved: 352);

/// `NvBufSurfaceParams` from DeepStream 8.0 and JetPack 7 on.
#[repr(C)]
pub struct ParamsFrom8 {
    pub head: ParamsHead,
    nvmm_ptr: *mut c_void,
    cuda_ptr: *mut c_void,
    mapped_reserved: [Reserved; 4],
    paramex: *mut c_void,
    pub cuda_buffer: *mut CudaBuffer,
    reserved: [Reserved; 4],
}
layout!(ParamsFrom8, 416, head: 0, nvmm_ptr: 320, cuda_ptr: 328, mapped_reserved: 336, paramex: 368,
    cuda_buffer: 376, reserved: 384);

/// `NvBufSurfaceCudaBuffer`, from DeepStream 8.0 on.
#[repr(C)]
pub struct CudaBuffer {
    base_ptr: *mut c_void,
    pub data_ptr: *mut c_void,
    ext_mem: *mut c_void,
    mipmap: *mut c_void,
    reserved: [u8; 64],
}
layout!(CudaBuffer, 96, base_ptr: 0, data_ptr: 8);

/// `NvBufSurfaceCreateParams`, the larger of the two layouts (32 bytes up to DeepStream 7.1).
#[repr(C)]
pub struct CreateParams {
    pub gpu_id: u32,
    pub width: u32,
    pub height: u32,
    pub size: u32,
    pub is_contiguous: u8,
    pub color_format: i32,
    pub layout: i32,
    pub mem_type: i32,
    pub reserved: [Reserved; 4],
}
layout!(CreateParams, 64, gpu_id: 0, width: 4, height: 8, size: 12, is_contiguous: 16,
    color_format: 20, layout: 24, mem_type: 28, reserved: 32);

/// `NVBUF_MAP_READ`.
pub const MAP_READ: i32 = 0;

/// `NVBUF_LAYOUT_PITCH`: rows one after the other. The other layout is block linear.
pub const LAYOUT_PITCH: i32 = 0;

pub type CreateFn =
    unsafe extern "C" fn(*mut *mut SurfaceHead, batch_size: u32, *mut CreateParams) -> i32;
pub type DestroyFn = unsafe extern "C" fn(*mut SurfaceHead) -> i32;
pub type MapFn = unsafe extern "C" fn(*mut SurfaceHead, index: i32, plane: i32, flags: i32) -> i32;
/// `NvBufSurfaceMapEglImage` and `NvBufSurfaceUnMapEglImage`.
pub type EglFn = unsafe extern "C" fn(*mut SurfaceHead, index: i32) -> i32;
/// `NvBufSurfaceUnMap` and `NvBufSurfaceSyncForCpu`.
pub type PlaneFn = unsafe extern "C" fn(*mut SurfaceHead, index: i32, plane: i32) -> i32;
