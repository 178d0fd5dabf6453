//! A batch of frames in an `NvBufSurface`, checked, and one of them as pixels in the CPU's reach.
//!
//! Nothing is assumed: planes, pitches and offsets are the structure's own, and each number is
//! checked before a pointer is made of it.

use std::ffi::c_void;
use std::marker::PhantomData;

use super::abi::surface::{
    CudaBuffer, LAYOUT_PITCH, MAP_READ, MAX_PLANES, Params7, Params8, ParamsHead, Surface7,
    Surface8, SurfaceHead,
};
use super::device::{self, DeviceError};
use super::format;
use super::library::{LibraryError, SurfaceLibrary};
use super::linear::{LinearCopy, TransformError};
use crate::core::color::Colorimetry;
use crate::core::frame::{FrameError, FrameView, PixelFormat, Plane};
use crate::core::geometry::Size;

/// Most frames of a batch; far more than any hardware decodes.
const MAX_BATCH: u32 = 1024;

/// Widest and highest frame: what the largest hardware codecs and scalers take.
const MAX_EXTENT: u32 = 32_768;

/// Which layout of the structures is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Up to DeepStream 7.1 and JetPack 6.
    UpTo7,
    /// From DeepStream 8.0 and JetPack 7 on.
    From8,
}

impl Generation {
    /// Bytes of the descriptor, which a buffer maps to.
    const fn descriptor(self) -> usize {
        match self {
            Self::UpTo7 => size_of::<Surface7>(),
            Self::From8 => size_of::<Surface8>(),
        }
    }

    /// Bytes from one frame of a batch to the next.
    pub const fn stride(self) -> usize {
        match self {
            Self::UpTo7 => size_of::<Params7>(),
            Self::From8 => size_of::<Params8>(),
        }
    }

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

/// Where a surface's pixels are (`NvBufSurfaceMemType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryType {
    /// What the machine's default is: a GPU's memory, or on Jetson a surface array.
    Default,
    /// Host memory that the GPU reaches.
    CudaPinned,
    /// A GPU's own memory.
    CudaDevice,
    /// Memory that moves between host and GPU.
    CudaUnified,
    /// Jetson's buffers.
    SurfaceArray,
    /// Jetson's buffers, by handle alone.
    Handle,
    /// Plain host memory.
    System,
    /// CUDA's arrays (DeepStream 9).
    CudaArray,
}

impl MemoryType {
    fn from_raw(raw: i32) -> Option<Self> {
        Some(match raw {
            0 => Self::Default,
            1 => Self::CudaPinned,
            2 => Self::CudaDevice,
            3 => Self::CudaUnified,
            4 => Self::SurfaceArray,
            5 => Self::Handle,
            6 => Self::System,
            7 => Self::CudaArray,
            _ => return None,
        })
    }
}

/// Why a surface's pixels could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SurfaceError {
    /// The buffer's memory is too small to be a batch.
    #[error("a buffer of {0} bytes is no NvBufSurface, though its caps say memory:NVMM")]
    NoSurface(usize),
    /// A library is missing.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The buffer's structure and the library are of two versions.
    #[error(
        "an NvBufSurface of {found} bytes, and a libnvbufsurface.so of the version in which it has \
         {expected} bytes: the element that made the buffer was built for another version of DeepStream \
         or JetPack than the one that is installed; install the version that it was built for, or \
         take away what LD_LIBRARY_PATH adds"
    )]
    Version {
        /// Bytes of the buffer's.
        found: usize,
        /// Bytes of the library's.
        expected: usize,
    },
    /// The batch has no list of frames.
    #[error("NvBufSurface without a surfaceList")]
    NoList,
    /// The counts contradict each other.
    #[error("NvBufSurface with {filled} frames filled of a batchSize of {capacity}")]
    Count {
        /// `numFilled`.
        filled: u32,
        /// `batchSize`.
        capacity: u32,
    },
    /// A kind of memory that does not exist.
    #[error("NvBufSurface of the unknown memType {0}")]
    UnknownMemory(i32),
    /// A kind of memory that the CPU cannot be given.
    #[error(
        "surfaces of the memory type {0:?} are not read; put 'nvvideoconvert nvbuf-memory-type=0' \
         before this element"
    )]
    Memory(MemoryType),
    /// There is no such frame.
    #[error("frame {slot} of a batch of {filled}")]
    Slot {
        /// Asked for.
        slot: usize,
        /// Frames there are.
        filled: usize,
    },
    /// A size that no frame has: the structure is another version's, or broken.
    #[error(
        "frame {slot} of the batch says {width}x{height} in {planes} planes: the NvBufSurface is \
         broken, or of a version that libnvbufsurface.so does not belong to"
    )]
    Implausible {
        /// The frame's place.
        slot: usize,
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// Its number of planes.
        planes: u32,
    },
    /// A colour format that is not read.
    #[error("surfaces of the NvBufSurfaceColorFormat {0} are not read; convert to NV12 or RGBA")]
    Format(i32),
    /// The frame has no memory.
    #[error("frame {0} of the batch has no memory (null pointer)")]
    NoMemory(usize),
    /// A plane lies outside the frame's memory.
    #[error(
        "plane {plane} with {bytes} bytes at byte {offset} does not lie in the frame's {size} bytes"
    )]
    Outside {
        /// Index of the plane.
        plane: usize,
        /// Its first byte.
        offset: usize,
        /// Its bytes.
        bytes: usize,
        /// Bytes of the frame.
        size: usize,
    },
    /// The library refused to map.
    #[error("{function} failed with {code} for frame {slot}")]
    Call {
        /// The library's function.
        function: &'static str,
        /// What it returned.
        code: i32,
        /// The frame's place.
        slot: usize,
    },
    /// The pixels could not be brought to the host.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The pixels could not be put in rows.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// The bytes are no frame of this format and size.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl SurfaceError {
    /// Whether no other buffer will fare better: a library is not there, or not of the buffers'
    /// version.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Library(_)
                | Self::Version { .. }
                | Self::Device(DeviceError::Library(_))
                | Self::Transform(TransformError::Library(_))
        )
    }
}

/// Memory that frames are brought to, kept from frame to frame.
#[derive(Default)]
pub struct Staging {
    pub(super) host: Vec<u8>,
    pub(super) linear: Option<LinearCopy>,
}

/// How the CPU came to a frame's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// They were in its memory.
    Direct,
    /// They were mapped into it.
    Mapped,
    /// They were copied from a GPU's memory.
    Downloaded,
    /// They were copied out of a block-linear layout, and mapped.
    Linearised,
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
    pub(super) unsafe fn new(descriptor: *mut c_void, size: usize) -> Result<Self, SurfaceError> {
        if descriptor.is_null() || size < size_of::<Surface7>() {
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
        Ok(Layout::check(slot, &unsafe { params.read_unaligned() })?.size)
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

    /// The frame's address in a GPU's memory.
    fn device_memory(&self, params: *mut ParamsHead, frame: &ParamsHead) -> Option<u64> {
        let mut address = frame.data_ptr;
        if address.is_null() && self.library.generation == Generation::From8 {
            // SAFETY: in this layout each frame of the list is a `Params8`, and its buffer is null
            // or a structure that lives as long as the surface.
            let buffer: *mut CudaBuffer =
                unsafe { (&raw const (*params.cast::<Params8>()).cuda_buffer).read_unaligned() };
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
        let mapping = Mapping::new(self.library, self.raw, slot, layout.planes)?;
        // SAFETY: `params` points into the list; the library has now filled in the addresses.
        let frame = unsafe { params.read_unaligned() };
        layout.of_mapped(slot, &frame, mapping, Access::Mapped)
    }
}

/// A frame mapped by NVIDIA's library, unmapped when dropped.
pub(super) struct Mapping {
    library: &'static SurfaceLibrary,
    surface: *mut SurfaceHead,
    slot: i32,
}

impl Mapping {
    /// Maps frame `slot` of `surface` (checked to be there) and makes its planes fit to be read.
    pub fn new(
        library: &'static SurfaceLibrary,
        surface: *mut SurfaceHead,
        slot: usize,
        planes: usize,
    ) -> Result<Self, SurfaceError> {
        let index = i32::try_from(slot).map_err(|_| SurfaceError::Slot { slot, filled: 0 })?;
        let call = |function, code| SurfaceError::Call { function, code, slot };
        // SAFETY: the surface is valid and has this frame; -1 is all planes.
        match unsafe { (library.map)(surface, index, -1, MAP_READ) } {
            0 => {}
            code => return Err(call("NvBufSurfaceMap", code)),
        }
        let mapping = Self { library, surface, slot: index };
        // One by one: with -1 it fails on some versions of L4T.
        for plane in 0..planes as i32 {
            // SAFETY: as above; the plane was mapped.
            match unsafe { (library.sync_for_cpu)(surface, index, plane) } {
                0 => {}
                code => return Err(call("NvBufSurfaceSyncForCpu", code)),
            }
        }
        Ok(mapping)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`, and nothing that was made of it outlives this.
        unsafe { (self.library.unmap)(self.surface, self.slot, -1) };
    }
}

/// Pixels of one frame that the CPU can read.
pub struct MappedSurface<'a> {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    planes: [(*const u8, usize, usize); 3],
    access: Access,
    _mapping: Option<Mapping>,
    life: PhantomData<&'a ()>,
}

impl MappedSurface<'_> {
    /// How they came there.
    pub fn access(&self) -> Access {
        self.access
    }

    /// The checked view.
    pub fn view(&self) -> Result<FrameView<'_>, FrameError> {
        let planes = self.planes.map(|(start, bytes, stride)| {
            let data = if bytes == 0 {
                &[][..]
            } else {
                // SAFETY: only `Layout` makes these, each of a plane that it found to lie in
                // memory that lives as long as `self`; a mapped frame is not written to.
                unsafe { std::slice::from_raw_parts(start, bytes) }
            };
            Plane { data, stride }
        });
        let count = self.format.planes();
        FrameView::new(self.format, self.size, self.colorimetry, &planes[..count])
    }
}

/// What a frame's structure says of its pixels, checked.
pub(super) struct Layout {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    planes: usize,
    /// First byte, bytes that are read, bytes from row to row.
    places: [(usize, usize, usize); 3],
}

impl Layout {
    /// Checks format, size, number of planes and pitches; `slot` is for errors.
    pub fn check(slot: usize, frame: &ParamsHead) -> Result<Self, SurfaceError> {
        let (width, height) = (frame.width, frame.height);
        let params = &frame.plane_params;
        let planes = params.num_planes;
        let plausible = |v: u32| (1..=MAX_EXTENT).contains(&v);
        if !plausible(width) || !plausible(height) || !(1..=MAX_PLANES as u32).contains(&planes) {
            return Err(SurfaceError::Implausible { slot, width, height, planes });
        }
        let (format, colorimetry) =
            format::pixels(frame.color_format).ok_or(SurfaceError::Format(frame.color_format))?;
        let size = Size::new(width, height);
        let expected = format.planes();
        if planes as usize != expected {
            return Err(FrameError::PlaneCount { format, expected, got: planes as usize }.into());
        }
        let mut places = [(0, 0, 0); 3];
        for (plane, place) in places.iter_mut().enumerate().take(expected) {
            let (row, rows) = format.plane_extent(plane, size);
            let (offset, stride) = (params.offset[plane] as usize, params.pitch[plane] as usize);
            if stride < row {
                return Err(FrameError::Stride { plane, stride, row }.into());
            }
            // No overflow: a pitch has 32 bits, and rows are few.
            *place = (offset, stride * (rows - 1) + row, stride);
        }
        Ok(Self { format, size, colorimetry, planes: expected, places })
    }

    /// Bytes of the frame that are read, where it lies in one piece of `size` bytes.
    fn end(&self, size: usize) -> Result<usize, SurfaceError> {
        let mut end = 0;
        for (plane, (offset, bytes, _)) in self.places.iter().copied().enumerate() {
            if offset + bytes > size {
                return Err(SurfaceError::Outside { plane, offset, bytes, size });
            }
            end = end.max(offset + bytes);
        }
        Ok(end)
    }

    fn surface<'s>(
        &self,
        planes: [(*const u8, usize, usize); 3],
        access: Access,
        mapping: Option<Mapping>,
    ) -> MappedSurface<'s> {
        MappedSurface {
            format: self.format,
            size: self.size,
            colorimetry: self.colorimetry,
            planes,
            access,
            _mapping: mapping,
            life: PhantomData,
        }
    }

    /// Planes in one piece of memory of `dataSize` bytes from `base` on.
    fn of_whole<'s>(
        &self,
        frame: &ParamsHead,
        base: *const u8,
        access: Access,
    ) -> Result<MappedSurface<'s>, SurfaceError> {
        if frame.layout != LAYOUT_PITCH {
            return Err(TransformError::Layout(frame.layout).into());
        }
        self.end(frame.data_size as usize)?;
        let planes =
            self.places.map(|(offset, bytes, stride)| (base.wrapping_add(offset), bytes, stride));
        Ok(self.surface(planes, access, None))
    }

    /// Brings the frame from a GPU's memory.
    fn download<'s>(
        &self,
        frame: &ParamsHead,
        address: u64,
        gpu: u32,
        host: &'s mut Vec<u8>,
    ) -> Result<MappedSurface<'s>, SurfaceError> {
        let end = self.end(frame.data_size as usize)?;
        host.resize(end.max(host.len()), 0);
        if frame.layout == LAYOUT_PITCH {
            // SAFETY: the frame's memory has `dataSize` bytes from its address on, of which `end` is
            // a part.
            unsafe { device::download(gpu, address, &mut host[..end])? };
        }
        self.of_whole(frame, host.as_ptr(), Access::Downloaded)
    }

    /// Planes that the library mapped, each at its own address and `psize` bytes long.
    pub fn of_mapped<'s>(
        &self,
        slot: usize,
        frame: &ParamsHead,
        mapping: Mapping,
        access: Access,
    ) -> Result<MappedSurface<'s>, SurfaceError> {
        let mut planes = [(std::ptr::null(), 0, 0); 3];
        for (plane, to) in planes.iter_mut().enumerate().take(self.planes) {
            let address = frame.mapped_addr[plane].cast_const().cast::<u8>();
            if address.is_null() {
                return Err(SurfaceError::NoMemory(slot));
            }
            let (_, needed, stride) = self.places[plane];
            let got = frame.plane_params.psize[plane] as usize;
            if got < needed {
                return Err(FrameError::Short { plane, needed, got }.into());
            }
            *to = (address, needed, stride);
        }
        Ok(self.surface(planes, access, Some(mapping)))
    }

    /// Number of planes.
    pub fn planes(&self) -> usize {
        self.planes
    }
}
