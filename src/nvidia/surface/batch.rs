//! The batch: its counts, its list, and the way to one frame of it.

use std::ffi::c_void;
use std::marker::PhantomData;

use super::access::Access;
use super::error::{SurfaceError, TransformError};
use super::generation::Generation;
use super::layout::Layout;
use super::mapped::{MappedSurface, Mapping};
use super::memory_type::MemoryType;
use super::staging::Staging;
use crate::core::geometry::Size;
use crate::nvidia::abi::surface::{
    CudaBuffer, LAYOUT_PITCH, ParamsFrom8, ParamsHead, SurfaceHead, SurfaceUpTo7,
};
use crate::nvidia::gpu::egl;
use crate::nvidia::gpu::frame::{GpuFrame, GpuFrameError};
use crate::nvidia::library::SurfaceLibrary;
use crate::nvidia::linear::LinearCopy;

/// Most frames of a batch; far more than any hardware decodes.
const MAX_BATCH: u32 = 1024;

impl Generation {
    /// Holds the size of a buffer's memory against the version of the library. NVIDIA's elements
    /// make it as large as the descriptor; what is larger (a pool's own structure, padding) says
    /// nothing, and then the frames tell: with the wrong distance from one to the next, the second
    /// one's numbers are pointers and zeros ([`SurfaceError::Implausible`]).
    fn agrees_with(self, found: usize) -> Result<(), SurfaceError> {
        let other = match self {
            Self::UpTo7 => Self::From8,
            Self::From8 => Self::UpTo7,
        };
        if found == other.descriptor() {
            return Err(SurfaceError::Version { found, expected: self.descriptor() });
        }
        Ok(())
    }
}

/// A batch whose counts and kind of memory are checked.
pub struct SurfaceBatch<'a> {
    raw: *mut SurfaceHead,
    head: SurfaceHead,
    memory: MemoryType,
    library: &'static SurfaceLibrary,
    life: PhantomData<&'a ()>,
}

impl<'a> SurfaceBatch<'a> {
    /// Checks the structure at `descriptor`, which `size` bytes lie behind.
    ///
    /// # Safety
    /// `descriptor` is valid for reads of `size` bytes for as long as the result lives, and where it
    /// holds an `NvBufSurface`, so are the structures and the memory that it names.
    pub(crate) unsafe fn new(descriptor: *mut c_void, size: usize) -> Result<Self, SurfaceError> {
        if descriptor.is_null() || size < size_of::<SurfaceUpTo7>() {
            return Err(SurfaceError::NoSurface(size));
        }
        let raw = descriptor.cast::<SurfaceHead>();
        // SAFETY: the size was checked, the caller vouches for the rest; no alignment is needed.
        let head = unsafe { raw.read_unaligned() };
        let (filled, capacity) = (head.num_filled, head.batch_size);
        if capacity == 0 || filled > capacity || capacity > MAX_BATCH {
            return Err(SurfaceError::Count { filled, capacity });
        }
        let memory = MemoryType::from_raw(head.mem_type)
            .ok_or(SurfaceError::UnknownMemory(head.mem_type))?;
        if head.surface_list.is_null() {
            return Err(SurfaceError::NoList);
        }
        let library = SurfaceLibrary::get()?;
        library.generation.agrees_with(size)?;
        Ok(Self { raw, head, memory, library, life: PhantomData })
    }

    /// Frames that are there.
    pub fn len(&self) -> usize {
        self.head.num_filled as usize
    }

    /// Whether no frame is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the pixels are.
    pub fn memory(&self) -> MemoryType {
        self.memory
    }

    /// The structure of one frame, in the layout that the library has.
    fn params(&self, slot: usize) -> Result<*mut ParamsHead, SurfaceError> {
        if slot >= self.len() {
            return Err(SurfaceError::Slot { slot, filled: self.len() });
        }
        let offset = slot * self.library.generation.stride();
        // SAFETY: the slot lies in the list, whose length is `batchSize` structures of this layout.
        Ok(unsafe { self.head.surface_list.byte_add(offset) })
    }

    /// The extent of one frame, whose structure is checked.
    pub fn size(&self, slot: usize) -> Result<Size, SurfaceError> {
        let params = self.params(slot)?;
        // SAFETY: `params` points into the list.
        Ok(Layout::check(slot, &unsafe { params.read_unaligned() })?.description().1)
    }

    /// One frame's pixels where the CPU can read them, for as long as the result lives.
    pub fn map<'s>(
        &'s self,
        slot: usize,
        staging: &'s mut Staging,
    ) -> Result<MappedSurface<'s>, SurfaceError> {
        let params = self.params(slot)?;
        // SAFETY: `params` points into the list.
        let frame = unsafe { params.read_unaligned() };
        let layout = Layout::check(slot, &frame)?;
        let device = || self.device_memory(params, &frame).ok_or(SurfaceError::NoMemory(slot));
        match self.memory {
            MemoryType::System | MemoryType::CudaPinned => {
                if frame.data_ptr.is_null() {
                    return Err(SurfaceError::NoMemory(slot));
                }
                layout.of_whole(&frame, frame.data_ptr.cast_const().cast(), Access::Direct)
            }
            MemoryType::CudaDevice => {
                layout.download(&frame, device()?, self.head.gpu_id, &mut staging.host)
            }
            // On a GPU the default has an address, on Jetson it has none.
            MemoryType::Default if device().is_ok() => {
                layout.download(&frame, device()?, self.head.gpu_id, &mut staging.host)
            }
            MemoryType::CudaUnified | MemoryType::SurfaceArray | MemoryType::Default => {
                if frame.layout == LAYOUT_PITCH {
                    return self.map_by_library(slot, params, &layout);
                }
                let linear = LinearCopy::of(&mut staging.linear, &self.head, params, &frame)?;
                linear.map(self.library)
            }
            MemoryType::Handle | MemoryType::CudaArray => Err(SurfaceError::Memory(self.memory)),
        }
    }

    /// One frame where the GPU of this number can read it, for as long as the result lives; `staging`
    /// takes those that lie in blocks.
    ///
    /// # Errors
    /// [`GpuFrameError`]: [`map`](Self::map) may have a way all the same.
    pub fn on_gpu<'s>(
        &'s self,
        slot: usize,
        gpu: u32,
        staging: &'s mut Staging,
    ) -> Result<GpuFrame<'s>, GpuFrameError> {
        let params = self.params(slot)?;
        // SAFETY: `params` points into the list.
        let frame = unsafe { params.read_unaligned() };
        let layout = Layout::check(slot, &frame)?;
        let address = self.device_memory(params, &frame);
        match (self.memory, address) {
            (MemoryType::System, _) => Err(GpuFrameError::OnHost),
            (MemoryType::Handle | MemoryType::CudaArray, _) => {
                Err(SurfaceError::Memory(self.memory).into())
            }
            // On a GPU the default has an address, on Jetson it has none.
            (MemoryType::SurfaceArray, _) | (MemoryType::Default, None) => {
                if frame.layout == LAYOUT_PITCH {
                    // SAFETY: the batch is valid, has this frame, and outlives the result.
                    return unsafe { egl::map(self.library, self.raw, slot, params, &layout, gpu) };
                }
                let linear = LinearCopy::of(&mut staging.linear, &self.head, params, &frame)?;
                linear.on_gpu(self.library, gpu)
            }
            (_, None) => Err(SurfaceError::NoMemory(slot).into()),
            (_, Some(address)) => {
                if self.head.gpu_id != gpu {
                    return Err(GpuFrameError::OtherGpu { frame: self.head.gpu_id, model: gpu });
                }
                if frame.layout != LAYOUT_PITCH {
                    return Err(SurfaceError::from(TransformError::Layout(frame.layout)).into());
                }
                layout.end(frame.data_size as usize)?;
                Ok(GpuFrame::in_one_allocation(layout.description(), gpu, address, layout.places()))
            }
        }
    }

    /// The frame's address in a GPU's memory.
    fn device_memory(&self, params: *mut ParamsHead, frame: &ParamsHead) -> Option<u64> {
        let mut address = frame.data_ptr;
        if address.is_null() && self.library.generation == Generation::From8 {
            // SAFETY: in this layout each frame of the list is a `ParamsFrom8`, and its buffer is null
            // or a structure that lives as long as the surface.
            let buffer: *mut CudaBuffer = unsafe {
                (&raw const (*params.cast::<ParamsFrom8>()).cuda_buffer).read_unaligned()
            };
            if !buffer.is_null() {
                // SAFETY: as above.
                address = unsafe { (&raw const (*buffer).data_ptr).read_unaligned() };
            }
        }
        (!address.is_null()).then_some(address as u64)
    }

    fn map_by_library<'s>(
        &'s self,
        slot: usize,
        params: *mut ParamsHead,
        layout: &Layout,
    ) -> Result<MappedSurface<'s>, SurfaceError> {
        let mapping = Mapping::new(self.library, self.raw, slot, layout.planes())?;
        // SAFETY: `params` points into the list; the library has now filled in the addresses.
        let frame = unsafe { params.read_unaligned() };
        layout.of_mapped(slot, &frame, mapping, Access::Mapped)
    }
}
