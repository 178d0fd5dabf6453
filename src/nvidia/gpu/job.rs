//! The core's jobs in the numbers of the kernels: arithmetic alone, every number checked.

use super::context::DeviceError;
use super::frame::{GpuFrame, GpuPlane};
use crate::core::geometry::{PixelRect, Size};
use crate::core::image::PixelFormat;
use crate::core::image::color::Colorimetry;
use crate::core::image::pixel_format::{self, Chroma, Components};
use crate::core::image::preprocess::MAX_SIDE;
use crate::core::image::spec::{Channels, Layout, Resample};
use crate::core::inference::device::{FilterCoefficients, PreprocessJob, RigidTransform};
use crate::nvidia::abi::picture::{KIND_GRAY, KIND_RGB, KIND_YUV, Picture};

/// Where a component's bytes are: plane, first byte, bytes from pixel to pixel, and by how many bits
/// columns and rows are fewer.
type Component = (usize, usize, i32, i32, i32);

/// Whether the kernels read a format: they know samples of one byte.
pub(super) fn reads(format: PixelFormat) -> bool {
    format.layout().samples.bytes == 1
}

/// The components of a format that the kernels [read](reads): grey; red, green, blue; or luma, U, V.
fn components(format: PixelFormat) -> (i32, [Component; 3]) {
    match format.layout().components {
        Components::Gray(_) => (KIND_GRAY, [(0, 0, 1, 0, 0); 3]),
        Components::Rgb { step, rgb, .. } => {
            (KIND_RGB, rgb.map(|first| (0, first, step as i32, 0, 0)))
        }
        Components::Yuv { luma, chroma: Chroma { u, v, column_shift, row_shift } } => {
            let shifts = (column_shift as i32, row_shift as i32);
            let places = [(luma, (0, 0)), (u, shifts), (v, shifts)];
            let component = |(at, (across, down)): (pixel_format::Component, _)| {
                (at.plane, at.first, at.step as i32, across, down)
            };
            (KIND_YUV, places.map(component))
        }
    }
}

/// Adds the frame's format, size, colours and planes.
fn describe(
    picture: &mut Picture,
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    planes: &[GpuPlane; 3],
) {
    let (kind, components) = components(format);
    picture.kind = kind;
    for (i, (plane, at, step, shift_x, shift_y)) in components.into_iter().enumerate() {
        let plane = planes[plane];
        picture.component[i] = plane.address.saturating_add(at as u64);
        picture.stride[i] = i64::try_from(plane.stride).unwrap_or(i64::MAX);
        (picture.step[i], picture.shift_x[i], picture.shift_y[i]) = (step, shift_x, shift_y);
    }
    let k = colorimetry.coefficients();
    picture.color = [k.black, k.luma, k.v_to_r, k.u_to_g, k.v_to_g, k.u_to_b];
    picture.frame = [size.width as i32, size.height as i32];
}

/// Starts a launch from a frame and a job; addresses and filter windows follow.
pub(super) fn begin(frame: &GpuFrame<'_>, job: &PreprocessJob<'_>) -> Result<Picture, DeviceError> {
    let values = 3 * 256 * job.element_bytes;
    if !matches!(job.element_bytes, 1 | 2 | 4) || job.table.len() != values {
        return Err(DeviceError::Job("the table of values has another length"));
    }
    let side = |side: u32| (1..=MAX_SIDE).contains(&side);
    if !side(job.size.width) || !side(job.size.height) {
        return Err(DeviceError::Job("the tensor is empty or too large"));
    }
    let mut picture = Picture::default();
    describe(&mut picture, frame.format, frame.size, frame.colorimetry, &frame.planes);
    picture.channels = match job.channels {
        Channels::Rgb => 0,
        Channels::Bgr => 1,
        Channels::Gray => 2,
    };
    picture.layout = match job.layout {
        Layout::Nchw => 0,
        Layout::Nhwc => 1,
    };
    picture.element = job.element_bytes as i32;
    picture.size = [job.size.width as i32, job.size.height as i32];
    Ok(picture)
}

fn corners(rect: PixelRect) -> [i32; 4] {
    [rect.x, rect.y, rect.width as i32, rect.height as i32]
}

/// Adds the source rectangle, the target rectangle and the filter of a resize.
pub(super) fn resize(
    picture: &mut Picture,
    (source, target): (PixelRect, PixelRect),
    (columns, rows): (&FilterCoefficients<'_>, &FilterCoefficients<'_>),
    filter: Resample,
) -> Result<(), DeviceError> {
    let side = |side: u32| (1..=MAX_SIDE).contains(&side);
    if !side(source.width) || !side(source.height) {
        return Err(DeviceError::Job("the source is empty or too large"));
    }
    let inside = |at: i32, length: u32, whole: i32| {
        at >= 0 && length > 0 && i64::from(at) + i64::from(length) <= i64::from(whole)
    };
    let [width, height] = picture.size;
    if !inside(target.x, target.width, width) || !inside(target.y, target.height, height) {
        return Err(DeviceError::Job("the picture lies outside the tensor"));
    }
    let fits = |windows: &FilterCoefficients<'_>, length: u32| {
        windows.starts.len() == length as usize
            && windows.taps.checked_mul(length as usize) == Some(windows.weights.len())
    };
    let taps = match filter {
        Resample::OpencvLinear => Some(2),
        Resample::OpencvCubic => Some(4),
        Resample::PilBilinear => None,
    };
    if !fits(columns, target.width)
        || !fits(rows, target.height)
        || taps.is_some_and(|taps| columns.taps != taps || rows.taps != taps)
    {
        return Err(DeviceError::Job("the filter windows belong to another size"));
    }
    (picture.source, picture.picture) = (corners(source), corners(target));
    picture.filter = match filter {
        Resample::OpencvLinear => 0,
        Resample::OpencvCubic => 1,
        Resample::PilBilinear => 2,
    };
    // As many as a side has pixels, at most.
    picture.taps = [columns.taps as i32, rows.taps as i32];
    Ok(())
}

/// Returns the launch that cuts a square out and rotates it into the bytes at `to`.
pub(super) fn rotate(
    picture: &Picture,
    square: PixelRect,
    transform: RigidTransform,
    to: u64,
) -> Picture {
    Picture {
        out: to,
        turn: [transform.cos, transform.sin, transform.left, transform.top],
        size: [square.width as i32; 2],
        source: corners(square),
        ..*picture
    }
}

/// Reads a square of `side` pixels, as [`rotate`] made it, in place of the frame.
pub(super) fn read_square(picture: &mut Picture, side: u32, at: u64) {
    let stride = side as usize * 3;
    let plane = GpuPlane { address: at, bytes: stride * side as usize, stride };
    let size = Size::new(side, side);
    describe(picture, PixelFormat::Bgr, size, Colorimetry::default(), &[plane; 3]);
    (picture.source[0], picture.source[1]) = (0, 0);
}
