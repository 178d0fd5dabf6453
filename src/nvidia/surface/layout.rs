//! What one frame's structure says of its pixels.

use super::access::Access;
use super::error::{SurfaceError, TransformError};
use super::mapped::{MappedSurface, Mapping};
use crate::core::geometry::Size;
use crate::core::image::color::Colorimetry;
use crate::core::image::{FrameError, PixelFormat};
use crate::nvidia::abi::surface::{LAYOUT_PITCH, MAX_PLANES, ParamsHead};
use crate::nvidia::format;
use crate::nvidia::gpu::context::download;

/// Widest and highest frame: what the largest hardware codecs and scalers take.
const MAX_EXTENT: u32 = 32_768;

/// What a frame's structure says of its pixels, checked.
pub(in crate::nvidia) struct Layout {
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
    pub fn end(&self, size: usize) -> Result<usize, SurfaceError> {
        let mut end = 0;
        for (plane, (offset, bytes, _)) in self.places.iter().copied().enumerate() {
            if offset + bytes > size {
                return Err(SurfaceError::Outside { plane, offset, bytes, size });
            }
            end = end.max(offset + bytes);
        }
        Ok(end)
    }

    /// Format, extent and colours.
    pub fn description(&self) -> (PixelFormat, Size, Colorimetry) {
        (self.format, self.size, self.colorimetry)
    }

    /// Of each plane its first byte, its bytes that are read, and its bytes from row to row.
    pub fn places(&self) -> &[(usize, usize, usize)] {
        &self.places[..self.planes]
    }

    /// Planes in one piece of memory of `dataSize` bytes from `base` on.
    pub fn of_whole<'s>(
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
        // SAFETY: the surface's memory, of which the planes are a part, lives as long as the surface,
        // and no element writes to a frame that it has handed on.
        Ok(unsafe { MappedSurface::new(self.description(), planes, access, None) })
    }

    /// Brings the frame from a GPU's memory.
    pub fn download<'s>(
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
            unsafe { download(gpu, address, &mut host[..end])? };
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
        // SAFETY: the planes are mapped for as long as `mapping` lives, and are long enough.
        Ok(unsafe { MappedSurface::new(self.description(), planes, access, Some(mapping)) })
    }

    /// Number of planes.
    pub fn planes(&self) -> usize {
        self.planes
    }
}
