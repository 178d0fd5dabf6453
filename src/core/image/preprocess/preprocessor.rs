//! Fills one image input of a model: the steps of a resize and of a warp, in order.

use std::cell::OnceCell;

use super::convert::{Crop, RowConverter};
use super::error::{MAX_SIDE, PreprocessError};
use super::lookup::{ItemShape, LookupTables};
use super::mapping::{self, CropMapping};
use super::resample::AnyResampler;
use super::warp::{Warp, Warper};
use crate::core::geometry::matrix::Mat3;
use crate::core::geometry::rect::{PixelRect, Size};
use crate::core::image::frame::FrameView;
use crate::core::image::spec::{Aspect, Border, Channels, ImageSpec};
use crate::core::inference::tensor::{ElementType, TensorMut};

/// Fills one image input of a model, item by item. Owns all memory that this takes.
#[derive(Debug)]
pub struct Preprocessor {
    pub(super) arch: pulp::Arch,
    pub(super) channels: Channels,
    pub(super) aspect: Aspect,
    pub(super) fill: u8,
    pub(super) shape: ItemShape,
    pub(super) lookup: LookupTables,
    pub(super) resampler: AnyResampler,
    pub(super) converter: RowConverter,
    pub(super) warper: Warper,
    /// One output row: a run of bytes for each channel.
    pub(super) bytes: Vec<u8>,
    /// The lookup tables as they lie in memory, made when a device first needs them.
    pub(super) table: OnceCell<Vec<u8>>,
}

impl Preprocessor {
    /// A preprocessor for the input that `spec` describes, its width and height resolved, and whose
    /// memory holds `element`.
    ///
    /// # Errors
    /// Fails for a size of 0, a scale or mean that is not finite, and a standard deviation that is 0
    /// or not finite.
    pub fn new(spec: &ImageSpec, element: ElementType) -> Result<Self, PreprocessError> {
        let used = spec.channels.count();
        if !spec.scale.is_finite() {
            return Err(PreprocessError::NotFinite { field: "scale" });
        }
        if spec.mean[..used].iter().any(|mean| !mean.is_finite()) {
            return Err(PreprocessError::NotFinite { field: "mean" });
        }
        for (channel, &value) in spec.std[..used].iter().enumerate() {
            if value == 0.0 || !value.is_finite() {
                return Err(PreprocessError::Std { channel, value });
            }
        }
        let mut this = Self {
            arch: pulp::Arch::new(),
            channels: spec.channels,
            aspect: spec.aspect,
            fill: spec.fill,
            shape: ItemShape { layout: spec.layout, channels: used, width: 0, height: 0 },
            lookup: LookupTables::new(spec, element),
            resampler: AnyResampler::new(spec.resample),
            converter: RowConverter::default(),
            warper: Warper::default(),
            bytes: Vec::new(),
            table: OnceCell::new(),
        };
        this.set_size(spec.width, spec.height)?;
        Ok(this)
    }

    /// Changes the tensor's size, for models whose height and width are free. The same size costs
    /// nothing.
    ///
    /// # Errors
    /// Fails for a size of 0 or above [`MAX_SIDE`]; the old size then stays.
    pub fn set_size(&mut self, width: u32, height: u32) -> Result<(), PreprocessError> {
        let size = Size::new(width, height);
        if size.is_empty() || width > MAX_SIDE || height > MAX_SIDE {
            return Err(PreprocessError::TensorSize(size));
        }
        (self.shape.width, self.shape.height) = (width as usize, height as usize);
        Ok(())
    }

    /// The tensor's width and height.
    pub fn size(&self) -> Size {
        Size::new(self.shape.width as u32, self.shape.height as u32)
    }

    /// Elements of one item: width times height times channels.
    pub fn item_len(&self) -> usize {
        self.shape.len()
    }

    /// Crops `source` from `frame` and writes it to `out`, the item's slot. `border` says what lies
    /// around the frame; [`Border::Clip`] cuts the crop to the frame.
    ///
    /// # Errors
    /// Fails if the crop is empty or too large, if [`Border::Clip`] leaves nothing of it, or if `out`
    /// has another element type or length.
    pub fn fill(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
        border: Border,
        out: TensorMut<'_>,
    ) -> Result<CropMapping, PreprocessError> {
        let source = read_rect(frame.size(), source, border)?;
        let picture = mapping::picture_size(self.aspect, source, frame.pixel_aspect(), self.size());
        self.fill_picture(frame, source, border, picture, out)
    }

    /// Like [`fill`](Self::fill), for a picture of a given size, where the detector enlarges nothing
    /// and pads to a multiple (YuNet). The profile's aspect then only says where the picture lies: in
    /// the middle, or at the top left.
    ///
    /// # Errors
    /// Fails like [`fill`](Self::fill), and if the picture is empty or larger than the tensor.
    pub fn fill_picture(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
        border: Border,
        picture: Size,
        mut out: TensorMut<'_>,
    ) -> Result<CropMapping, PreprocessError> {
        let source = read_rect(frame.size(), source, border)?;
        let tensor = self.size();
        if picture.is_empty() || picture.width > tensor.width || picture.height > tensor.height {
            return Err(PreprocessError::PictureSize { picture, tensor });
        }
        self.lookup.check(self.shape.len(), &out)?;
        let picture = mapping::anchor(self.aspect, picture, tensor);
        self.write(&Crop::new(frame, source, border), picture, &mut out);
        Ok(CropMapping { source, picture })
    }

    /// Warps `frame` by a homography and writes one item: pixel (x, y) of the tensor shows the frame
    /// at `to_source` (x, y, 1), divided by its third component. Both count from the centre of the
    /// top left pixel, as OpenCV does. The result is that of `cv2.warpPerspective` with
    /// `INTER_LINEAR | WARP_INVERSE_MAP` within one grey level, whatever the profile's resampling.
    ///
    /// [`Border::Replicate`] repeats the frame's edge pixels; any other border is black.
    ///
    /// # Errors
    /// Fails if the matrix is not finite, or if `out` has another element type or length.
    pub fn fill_warped(
        &mut self,
        frame: &FrameView<'_>,
        to_source: &Mat3,
        border: Border,
        mut out: TensorMut<'_>,
    ) -> Result<(), PreprocessError> {
        if !to_source.iter().flatten().all(|value| value.is_finite()) {
            return Err(PreprocessError::Matrix(*to_source));
        }
        self.lookup.check(self.shape.len(), &out)?;
        let Self { arch, channels, shape, lookup, warper, bytes, .. } = self;
        bytes.resize(shape.width * shape.channels, 0);
        let warp = Warp { frame, to_source, border, channels: *channels };
        for y in 0..shape.height {
            warper.row(*arch, &warp, y, bytes);
            lookup.row(*arch, shape, (0, y), bytes, &mut out);
        }
        Ok(())
    }

    fn write(&mut self, crop: &Crop<'_>, picture: PixelRect, out: &mut TensorMut<'_>) {
        let Self { arch, channels, fill, shape, lookup, resampler, converter, bytes, .. } = self;
        let (left, top) = (picture.x as usize, picture.y as usize);
        let (columns, rows) = (picture.width as usize, picture.height as usize);
        bytes.resize(columns * shape.channels, 0);
        let size = (picture.width, picture.height);
        resampler.begin(crop.size(), size, *channels);
        for y in (0..top).chain(top + rows..shape.height) {
            lookup.fill(shape, 0..shape.width, y, *fill, out);
        }
        for row in 0..rows {
            resampler.row(*arch, crop, converter, *channels, row, bytes);
            let y = top + row;
            lookup.fill(shape, 0..left, y, *fill, out);
            lookup.fill(shape, left + columns..shape.width, y, *fill, out);
            lookup.row(*arch, shape, (left, y), bytes, out);
        }
    }
}

/// The crop that is read: `source`, or what the border leaves of it.
pub(super) fn read_rect(
    frame: Size,
    source: PixelRect,
    border: Border,
) -> Result<PixelRect, PreprocessError> {
    let rect = match border {
        Border::Clip => source.clipped(frame),
        Border::Replicate | Border::Black => source,
    };
    if rect.is_empty() || rect.width > MAX_SIDE || rect.height > MAX_SIDE {
        return Err(PreprocessError::SourceSize { source_rect: source, frame });
    }
    Ok(rect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::image::color::Colorimetry;
    use crate::core::image::frame::Plane;
    use crate::core::image::pixel_format::PixelFormat;
    use crate::core::image::spec::Resample;

    #[test]
    fn wide_vectors_change_no_value() {
        let size = Size::new(67, 45);
        let data: Vec<u8> = (0..67 * 45 * 4u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        for format in [PixelFormat::Nv12, PixelFormat::Uyvy, PixelFormat::Bgr, PixelFormat::Gray8] {
            let planes: Vec<Plane> = (0..format.planes())
                .map(|p| Plane { data: &data, stride: format.plane_extent(p, size).0 })
                .collect();
            let frame = FrameView::new(format, size, Colorimetry::default(), &planes).unwrap();
            for resample in [Resample::OpencvLinear, Resample::OpencvCubic, Resample::PilBilinear] {
                let spec = ImageSpec { width: 50, height: 51, resample, ..ImageSpec::default() };
                let tensor = |arch| {
                    let mut this = Preprocessor::new(&spec, ElementType::F32).unwrap();
                    this.arch = arch;
                    let mut out = vec![0.0; this.item_len()];
                    let rect = PixelRect::new(1, 1, 63, 44);
                    this.fill(&frame, rect, Border::Clip, TensorMut::F32(&mut out)).unwrap();
                    out
                };
                assert!(tensor(pulp::Arch::Scalar) == tensor(pulp::Arch::new()), "{resample:?}");
            }
        }
    }
}
