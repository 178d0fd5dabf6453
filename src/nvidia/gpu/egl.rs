//! Jetson's surfaces in CUDA's reach: NvBufSurface -> EGL image -> CUDA resource -> addresses, the way
//! that NVIDIA's own samples take.

use super::context::{Gpu, Handle};
use super::frame::{GpuFrame, GpuFrameError, GpuPlane};
use crate::nvidia::abi::cuda::{EGL_PITCH, EglFrame, REGISTER_NONE, UnregisterResourceFn};
use crate::nvidia::abi::surface::{EglFn, ParamsHead, SurfaceHead};
use crate::nvidia::library::SurfaceLibrary;
use crate::nvidia::surface::error::SurfaceError;
use crate::nvidia::surface::layout::Layout;

/// A frame of a surface as an EGL image; given back when dropped.
struct EglImage {
    surface: *mut SurfaceHead,
    slot: i32,
    unmap: EglFn,
}

impl Drop for EglImage {
    fn drop(&mut self) {
        // SAFETY: `map` mapped it; the surface still lives.
        unsafe { (self.unmap)(self.surface, self.slot) };
    }
}

/// An EGL image that is registered with CUDA; both are given back when dropped, after the GPU has
/// done what reads them.
pub(super) struct EglMapping {
    gpu: Gpu,
    resource: Handle,
    unregister: UnregisterResourceFn,
    _image: EglImage,
}

impl Drop for EglMapping {
    fn drop(&mut self) {
        if let Ok(_entered) = self.gpu.enter() {
            // SAFETY: `map` registered it in this context.
            unsafe {
                (self.gpu.cuda.ctx_synchronize)();
                (self.unregister)(self.resource.0);
            }
        }
    }
}

/// Frame `slot` of a surface as CUDA sees it, its rows one after the other.
///
/// # Safety
/// The surface is valid, has this frame, whose structure is at `params` and is checked as `layout`,
/// and outlives the result.
pub(in crate::nvidia) unsafe fn map<'a>(
    library: &'static SurfaceLibrary,
    surface: *mut SurfaceHead,
    slot: usize,
    params: *mut ParamsHead,
    layout: &Layout,
    gpu: u32,
) -> Result<GpuFrame<'a>, GpuFrameError> {
    let (to_image, unmap) = library.egl.ok_or(GpuFrameError::NoEgl("libnvbufsurface.so"))?;
    let gpu = Gpu::get(gpu)?;
    let (register, mapped_frame, unregister) =
        gpu.cuda.egl.ok_or(GpuFrameError::NoEgl("libcuda.so.1"))?;
    let index = i32::try_from(slot).map_err(|_| SurfaceError::Slot { slot, filled: 0 })?;
    // SAFETY: the caller vouches for the surface and the frame.
    match unsafe { to_image(surface, index) } {
        0 => {}
        code => {
            let function = "NvBufSurfaceMapEglImage";
            return Err(SurfaceError::Call { function, code, slot }.into());
        }
    }
    let image = EglImage { surface, slot: index, unmap };
    // SAFETY: as above; the library has now filled in the image.
    let egl_image = unsafe { params.read_unaligned() }.egl_image;
    if egl_image.is_null() {
        return Err(SurfaceError::NoMemory(slot).into());
    }
    let _entered = gpu.enter()?;
    let mut resource = std::ptr::null_mut();
    // SAFETY: the image was just made; the pointer is valid for the call.
    let code = unsafe { register(&raw mut resource, egl_image, REGISTER_NONE) };
    gpu.check("cuGraphicsEGLRegisterImage", code)?;
    let mapping = EglMapping { gpu, resource: Handle(resource), unregister, _image: image };
    let mut frame = EglFrame::default();
    // SAFETY: the resource was just registered; the pointer is valid for the call.
    let code = unsafe { mapped_frame(&raw mut frame, resource, 0, 0) };
    gpu.check("cuGraphicsResourceGetMappedEglFrame", code)?;
    // As NVIDIA's samples do before they read what another engine of the chip may have written.
    // SAFETY: a context is current.
    gpu.check("cuCtxSynchronize", unsafe { (gpu.cuda.ctx_synchronize)() })?;
    let planes = planes(&frame, layout)?;
    Ok(GpuFrame::from_egl(layout.description(), gpu.number, planes, mapping))
}

/// The planes of a frame that CUDA sees as `frame` and its surface's structure says to be `layout`.
fn planes(frame: &EglFrame, layout: &Layout) -> Result<[GpuPlane; 3], GpuFrameError> {
    let (format, size, _) = layout.description();
    let places = layout.places();
    if frame.frame_type != EGL_PITCH {
        return Err(GpuFrameError::NotRows("their memory is an array of CUDA's"));
    }
    if (frame.width, frame.height) != (size.width, size.height)
        || frame.plane_count as usize != format.planes()
    {
        return Err(GpuFrameError::NotRows("it sees another size, or other planes"));
    }
    // CUDA tells the first plane's pitch alone; the others are the surface's own, which must then
    // agree on the first.
    if places.first().is_none_or(|(_, _, stride)| *stride != frame.pitch as usize) {
        return Err(GpuFrameError::NotRows("it sees another pitch"));
    }
    let mut planes = [GpuPlane::default(); 3];
    for (plane, (&address, &(_, bytes, stride))) in
        planes.iter_mut().zip(frame.planes.iter().zip(places))
    {
        if address == 0 {
            return Err(GpuFrameError::NotRows("a plane has no address"));
        }
        *plane = GpuPlane { address, bytes, stride };
    }
    Ok(planes)
}
