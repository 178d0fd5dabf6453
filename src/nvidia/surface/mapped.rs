//! Frames that NVIDIA's library maps, and pixels that the CPU can read.

use std::marker::PhantomData;

use super::access::Access;
use super::error::SurfaceError;
use crate::core::geometry::Size;
use crate::core::image::color::Colorimetry;
use crate::core::image::{FrameError, FrameView, PixelFormat, Plane};
use crate::nvidia::abi::surface::{MAP_READ, SurfaceHead};
use crate::nvidia::library::SurfaceLibrary;

/// A frame mapped by NVIDIA's library, unmapped when dropped.
pub(in crate::nvidia) struct Mapping {
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
    /// Pixels whose planes lie at these places.
    ///
    /// # Safety
    /// Each place (address, bytes, stride) is readable, and not written to, as long as the result
    /// lives; those with no bytes are not looked at.
    pub(super) unsafe fn new(
        (format, size, colorimetry): (PixelFormat, Size, Colorimetry),
        planes: [(*const u8, usize, usize); 3],
        access: Access,
        mapping: Option<Mapping>,
    ) -> Self {
        Self { format, size, colorimetry, planes, access, _mapping: mapping, life: PhantomData }
    }

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
                // SAFETY: the constructor's caller vouches for it.
                unsafe { std::slice::from_raw_parts(start, bytes) }
            };
            Plane { data, stride }
        });
        let count = self.format.planes();
        FrameView::new(self.format, self.size, self.colorimetry, &planes[..count])
    }
}
