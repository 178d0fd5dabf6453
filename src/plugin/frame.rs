//! A GstBuffer's pixels as a [`FrameView`] to read or a [`FrameMut`] to draw on, strides and offsets
//! as given.
//!
//! A read map never copies; a write map of a buffer that somebody else holds too would. Planes
//! that lie in memories of their own (multi-planar V4L2) are mapped one by one, since mapping the
//! whole buffer would merge them into a copy.

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

/// Why a buffer's pixels could not be had.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The caps name a format that is not read.
    #[error("format {0:?} is not read")]
    Format(gst_video::VideoFormat),
    /// The memory could not be mapped.
    #[error("buffer cannot be mapped: {0}")]
    Map(#[from] glib::BoolError),
    /// A stride below zero, or an offset past the end.
    #[error(
        "plane {plane} starts at byte {offset} with a stride of {stride}, in a buffer of {size} bytes"
    )]
    Layout {
        /// Index of the plane.
        plane: usize,
        /// Its first byte.
        offset: usize,
        /// Bytes from row to row, as given.
        stride: i32,
        /// Bytes of the buffer.
        size: usize,
    },
    /// The bytes are no frame of this format and size.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// NVIDIA's memory cannot be read.
    #[error(transparent)]
    Surface(#[from] SurfaceError),
    /// DeepStream's metadata cannot be read.
    #[error(transparent)]
    Metadata(#[from] LibraryError),
    /// Several frames for an element that looks at one.
    #[error(
        "a batch of {0} frames, and this element looks at single ones: put it before nvstreammux, \
         or have nvinfer find the faces"
    )]
    Batch(usize),
}

impl MapError {
    /// Whether no other buffer will fare better, because a library is missing or of another version.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Metadata(_) => true,
            Self::Surface(error) => error.is_lasting(),
            _ => false,
        }
    }
}

/// One plane's memory, mapped.
struct MappedPlane<'a> {
    map: MemoryMap<'a, Readable>,
    skip: usize,
    stride: usize,
}

/// A frame mapped for reading; unmapped when dropped.
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

    /// The checked view.
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

/// The pixels of `buffer`, a frame of `info`, where the GPU of this number can read them, as
/// long as `map` keeps them mapped.
///
/// # Errors
/// [`GpuFrameError`]; [`MappedFrame::map`] may have a way all the same.
pub fn on_gpu<'m, 'a: 'm>(
    buffer: &'a gst::BufferRef,
    info: &VideoInfo,
    map: &'m mut Option<CudaMap<'a>>,
    gpu: u32,
) -> Result<GpuFrame<'m>, GpuFrameError> {
    if !has_cuda_memory(buffer) {
        return Err(GpuFrameError::OnHost);
    }
    // What is wrong with it is told where it is mapped for the CPU.
    let (format, layouts) = layouts(buffer, info).map_err(|_| GpuFrameError::Pieces)?;
    let size = Size::new(info.width(), info.height());
    let facts = (format, size, format::colorimetry(info));
    map.insert(CudaMap::of(buffer)?).frame(facts, &layouts, gpu)
}

/// A frame mapped for drawing; unmapped when dropped. Pixels that somebody else holds too are
/// copied by GStreamer, and so are planes in memories of their own.
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

    /// The checked frame.
    pub fn frame(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let planes = &self.planes[..self.format.planes()];
        FrameMut::new(self.format, self.size, self.colorimetry, planes, &mut self.map)
    }
}

/// Where the planes of a buffer lie: as its own meta says, otherwise as the caps do.
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
