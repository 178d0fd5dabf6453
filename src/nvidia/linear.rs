//! Frames out of block-linear layouts (what Jetson's decoders give), by `NvBufSurfTransform` into a
//! surface of our own with rows one after the other.

use super::abi::surface::{CreateParams, LAYOUT_PITCH, ParamsHead, SurfaceFrom8, SurfaceHead};
use super::abi::transform::{ConfigParams, TransformParams};
use super::gpu::egl;
use super::gpu::frame::{GpuFrame, GpuFrameError};
use super::library::{SurfaceLibrary, TransformLibrary};
use super::surface::access::Access;
use super::surface::error::{SurfaceError, TransformError};
use super::surface::layout::Layout;
use super::surface::mapped::{MappedSurface, Mapping};

fn check(function: &'static str, code: i32) -> Result<(), TransformError> {
    if code == 0 { Ok(()) } else { Err(TransformError::Call { function, code }) }
}

/// A surface of our own with one frame of a kind; destroyed when dropped.
pub(super) struct LinearCopy {
    surface: *mut SurfaceHead,
    library: &'static SurfaceLibrary,
    /// Width, height, colour format, GPU and kind of memory that it was made for.
    kind: [i64; 5],
}

// SAFETY: the surface is reached through this value alone, and NVIDIA's functions take a surface
// from any thread.
unsafe impl Send for LinearCopy {}

impl LinearCopy {
    /// Copies one frame of a batch into `slot`, which is made anew where the kind of frame changed.
    pub fn of<'s>(
        slot: &'s mut Option<Self>,
        batch: &SurfaceHead,
        params: *mut ParamsHead,
        frame: &ParamsHead,
    ) -> Result<&'s Self, SurfaceError> {
        let kind = [frame.width, frame.height, batch.gpu_id].map(i64::from);
        let kind =
            [kind[0], kind[1], kind[2], i64::from(frame.color_format), i64::from(batch.mem_type)];
        let made = match slot.take().filter(|copy| copy.kind == kind) {
            Some(copy) => copy,
            None => Self::make(batch, frame, kind)?,
        };
        let copy = slot.insert(made);
        copy.fill(batch, params)?;
        Ok(copy)
    }

    fn make(batch: &SurfaceHead, frame: &ParamsHead, kind: [i64; 5]) -> Result<Self, SurfaceError> {
        let library = SurfaceLibrary::get()?;
        let mut params = CreateParams {
            gpu_id: batch.gpu_id,
            width: frame.width,
            height: frame.height,
            size: 0,
            is_contiguous: 0,
            color_format: frame.color_format,
            layout: LAYOUT_PITCH,
            mem_type: batch.mem_type,
            reserved: [std::ptr::null_mut(); 4],
        };
        let mut surface = std::ptr::null_mut();
        // SAFETY: both pointers are valid for the call.
        let code = unsafe { (library.create)(&raw mut surface, 1, &raw mut params) };
        check("NvBufSurfaceCreate", code)?;
        if surface.is_null() {
            return Err(SurfaceError::NoList);
        }
        Ok(Self { surface, library, kind })
    }

    fn fill(&self, batch: &SurfaceHead, params: *mut ParamsHead) -> Result<(), TransformError> {
        let library = TransformLibrary::get()?;
        // A batch of this frame alone.
        let one = SurfaceHead { batch_size: 1, num_filled: 1, surface_list: params, ..*batch };
        let mut source = SurfaceFrom8::new(one);
        let mut config = ConfigParams {
            compute_mode: 0,
            gpu_id: i32::try_from(batch.gpu_id).unwrap_or(0),
            cuda_stream: std::ptr::null_mut(),
            reserved: [std::ptr::null_mut(); 4],
        };
        let mut transform = TransformParams {
            flags: 0,
            flip: 0,
            filter: 0,
            src_rect: std::ptr::null_mut(),
            dst_rect: std::ptr::null_mut(),
            reserved: [std::ptr::null_mut(); 4],
        };
        // SAFETY: source and target are valid surfaces with one frame of the same size and format;
        // the parameters live for the calls. The session's parameters belong to this thread.
        unsafe {
            // The library made it and no other code touched it: it says how many frames it holds.
            (*self.surface).num_filled = 1;
            let code = (library.set_session_params)(&raw mut config);
            check("NvBufSurfTransformSetSessionParams", code)?;
            let source = (&raw mut source).cast::<SurfaceHead>();
            check(
                "NvBufSurfTransform",
                (library.transform)(source, self.surface, &raw mut transform),
            )
        }
    }

    /// The copy where the GPU of this number can read it.
    pub fn on_gpu<'s>(
        &'s self,
        library: &'static SurfaceLibrary,
        gpu: u32,
    ) -> Result<GpuFrame<'s>, GpuFrameError> {
        // SAFETY: the library made this surface with one frame.
        let list = unsafe { (*self.surface).surface_list };
        if list.is_null() {
            return Err(SurfaceError::NoList.into());
        }
        // SAFETY: as above.
        let layout = Layout::check(0, &unsafe { list.read_unaligned() })?;
        // SAFETY: the surface is valid and has one frame, and the result borrows `self`.
        unsafe { egl::map(library, self.surface, 0, list, &layout, gpu) }
    }

    /// The copy's pixels.
    pub fn map<'s>(
        &'s self,
        library: &'static SurfaceLibrary,
    ) -> Result<MappedSurface<'s>, SurfaceError> {
        // SAFETY: the library made this surface with one frame.
        let list = unsafe { (*self.surface).surface_list };
        if list.is_null() {
            return Err(SurfaceError::NoList);
        }
        // SAFETY: as above.
        let layout = Layout::check(0, &unsafe { list.read_unaligned() })?;
        let mapping = Mapping::new(library, self.surface, 0, layout.planes())?;
        // SAFETY: as above; the library has now filled in the addresses.
        let frame = unsafe { list.read_unaligned() };
        layout.of_mapped(0, &frame, mapping, Access::Linearised)
    }
}

impl Drop for LinearCopy {
    fn drop(&mut self) {
        // SAFETY: made by this library, and nothing that was mapped of it outlives it.
        unsafe { (self.library.destroy)(self.surface) };
    }
}
