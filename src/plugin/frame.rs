//! The pixels of a GstBuffer, as a [`FrameView`] to read or a [`FrameMut`] to draw on, with the strides
//! and offsets of the buffer.
//!
//! A read map never copies; a write map copies a buffer that another element holds too. Planes in
//! memories of their own (multi-planar V4L2) are mapped one by one, because a map of the whole buffer
//! would merge them into a copy.

use gst::buffer::{BufferMap, Writable};
use gst::memory::{MemoryMap, Readable};
use gst_video::{VideoInfo, VideoMeta};

use super::format;
use super::nvidia_buffer::{CudaMap, has_cuda_memory};
use crate::core::draw::FrameMut;
use crate::core::geometry::Size;
use crate::core::image::color::Colorimetry;
use crate::core::image::{FrameError, FrameView, PixelFormat, Plane, PlaneLayout};
use crate::nvidia::gpu::{GpuFrame, GpuFrameError};
use crate::nvidia::library::LibraryError;
use crate::nvidia::surface::SurfaceError;

/// Why mapping the pixels of a buffer failed.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The format of the caps is not supported.
    #[error("format {0:?} is not supported: put videoconvert before this element")]
    Format(gst_video::VideoFormat),
    /// GStreamer failed to map the memory.
    #[error("cannot map the buffer: {0}")]
    Map(#[from] glib::BoolError),
    /// A stride below zero, or an offset past the end.
    #[error(
        "plane {plane} starts at byte {offset} with a stride of {stride}, which does not fit a buffer \
         of {size} bytes"
    )]
    Layout {
        /// Index of the plane.
        plane: usize,
        /// Its first byte.
        offset: usize,
        /// Bytes from row to row.
        stride: i32,
        /// Bytes of the buffer.
        size: usize,
    },
    /// The bytes do not make a frame of this format and size.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Reading NVIDIA's memory failed.
    #[error(transparent)]
    Surface(#[from] SurfaceError),
    /// Reading DeepStream's metadata failed.
    #[error(transparent)]
    Metadata(#[from] LibraryError),
    /// A batch of frames reached an element that takes single frames.
    #[error(
        "the buffer is a batch of {0} frames, but this element takes single frames: put it before \
         nvstreammux, or let nvinfer find the faces"
    )]
    Batch(usize),
}

impl MapError {
    /// Whether every buffer will fail, because a library is missing or has the wrong version.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Metadata(_) => true,
            Self::Surface(error) => error.is_lasting(),
            _ => false,
        }
    }
}

/// The mapped memory of one plane.
struct MappedPlane<'a> {
    map: MemoryMap<'a, Readable>,
    skip: usize,
    stride: usize,
}

/// A frame mapped for reading. Dropping it unmaps the memory.
pub struct MappedFrame<'a> {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    planes: [Option<MappedPlane<'a>>; 3],
}

impl<'a> MappedFrame<'a> {
    /// Maps the pixels of `buffer`, a frame of `info`.
    pub fn map(buffer: &'a gst::BufferRef, info: &VideoInfo) -> Result<Self, MapError> {
        let (format, layouts) = layouts(buffer, info)?;
        let size = Size::new(info.width(), info.height());
        let mut planes = [const { None }; 3];
        for (index, slot) in planes.iter_mut().enumerate().take(format.planes()) {
            let PlaneLayout { offset, stride } = layouts[index];
            let found = buffer.find_memory(offset..offset.saturating_add(1));
            let (memory, skip) = found.ok_or(MapError::Layout {
                plane: index,
                offset,
                stride: i32::try_from(stride).unwrap_or(i32::MAX),
                size: buffer.size(),
            })?;
            let map = buffer.peek_memory(memory.start).map_readable()?;
            *slot = Some(MappedPlane { map, skip, stride });
        }
        Ok(Self { format, size, colorimetry: format::colorimetry(info), planes })
    }

    /// Returns a checked view of the pixels.
    pub fn view(&self) -> Result<FrameView<'_>, FrameError> {
        let mut planes = [Plane { data: &[], stride: 0 }; 3];
        for (plane, mapped) in planes.iter_mut().zip(self.planes.iter().flatten()) {
            let data = mapped.map.as_slice().get(mapped.skip..).unwrap_or_default();
            *plane = Plane { data, stride: mapped.stride };
        }
        let count = self.format.planes();
        FrameView::new(self.format, self.size, self.colorimetry, &planes[..count])
    }
}

/// Returns the pixels of `buffer`, a frame of `info`, for the GPU with this number, as long as `map`
/// keeps them mapped.
///
/// # Errors
/// [`GpuFrameError`]; [`MappedFrame::map`] may still work.
pub fn on_gpu<'m, 'a: 'm>(
    buffer: &'a gst::BufferRef,
    info: &VideoInfo,
    map: &'m mut Option<CudaMap<'a>>,
    gpu: u32,
) -> Result<GpuFrame<'m>, GpuFrameError> {
    if !has_cuda_memory(buffer) {
        return Err(GpuFrameError::OnHost);
    }
    // Mapping the buffer for the CPU reports the fault.
    let (format, layouts) = layouts(buffer, info).map_err(|_| GpuFrameError::Pieces)?;
    let size = Size::new(info.width(), info.height());
    let description = (format, size, format::colorimetry(info));
    map.insert(CudaMap::of(buffer)?).frame(description, &layouts, gpu)
}

/// A frame mapped for drawing. Dropping it unmaps the memory. GStreamer copies pixels that another
/// element holds too, and planes in memories of their own.
pub struct MappedFrameMut<'a> {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    planes: [PlaneLayout; 3],
    map: BufferMap<'a, Writable>,
}

impl<'a> MappedFrameMut<'a> {
    /// Maps the pixels of `buffer`, a frame of `info`.
    pub fn map(buffer: &'a mut gst::BufferRef, info: &VideoInfo) -> Result<Self, MapError> {
        let (format, planes) = layouts(buffer, info)?;
        let size = Size::new(info.width(), info.height());
        let colorimetry = format::colorimetry(info);
        Ok(Self { format, size, colorimetry, planes, map: buffer.map_writable()? })
    }

    /// Returns the checked frame.
    pub fn frame(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let planes = &self.planes[..self.format.planes()];
        FrameMut::new(self.format, self.size, self.colorimetry, planes, &mut self.map)
    }
}

/// The layout of the planes of a buffer: from its VideoMeta, otherwise from the caps.
fn layouts(
    buffer: &gst::BufferRef,
    info: &VideoInfo,
) -> Result<(PixelFormat, [PlaneLayout; 3]), MapError> {
    let format = format::pixel_format(info.format()).ok_or(MapError::Format(info.format()))?;
    let meta = buffer.meta::<VideoMeta>();
    let mut layouts = [PlaneLayout::default(); 3];
    for (index, layout) in layouts.iter_mut().enumerate().take(format.planes()) {
        let (offset, stride) = match &meta {
            Some(meta) => (meta.offset().get(index), meta.stride().get(index)),
            None => (info.offset().get(index), info.stride().get(index)),
        };
        let (Some(&offset), Some(&signed)) = (offset, stride) else {
            let expected = format.planes();
            return Err(FrameError::PlaneCount { format, expected, got: index }.into());
        };
        let stride = usize::try_from(signed).map_err(|_| MapError::Layout {
            plane: index,
            offset,
            stride: signed,
            size: buffer.size(),
        })?;
        *layout = PlaneLayout { offset, stride };
    }
    Ok((format, layouts))
}
