//! Pixels to tensor in one pass.
//!
//! ```text
//! a row of the frame, YUV, RGB or grey
//!     -- convert -->    packed pixels, 64 bits each (packed)
//!     -- horizontal --> the last few resampled rows (kernel, ring)
//!     -- vertical -->   one row of bytes for each channel (kernel)
//!     -- normalize -->  the tensor, through a table of 256 values for each channel
//! ```
//! For each row of the tensor only the source rows of its window are looked at, and of those only
//! the columns of the source rectangle; each is converted once and kept while later windows need
//! it. There is no intermediate picture. A warp ([`Preprocessor::fill_warped`]) collects the four
//! neighbours of each pixel of a row instead, and goes on in the same way. All memory belongs to the [`Preprocessor`], grows and is
//! reused: after the first item of a given shape nothing is allocated.
//!
//! Everything up to the last step works on bytes, because the pipelines do so that the models were
//! trained with: [`Resample`] says which, and the bytes are theirs, with these notes:
//!
//! - `OpencvLinear` equals `cv2.resize` (checked with 4.11 and 5.0, with IPP and without).
//! - `OpencvCubic` equals OpenCV's own x86 code. The packages from PyPI hand cubic to Intel's IPP,
//!   whose code is closed: one value in 25 then differs by one grey level.
//! - `PilBilinear` equals Pillow up to version 12, which resamples columns first; 13 takes rows
//!   first where the height shrinks more than the width, and differs there by a grey level.

mod axis;
mod convert;
mod gather;
mod job;
mod kernel;
mod mapping;
mod normalize;
mod packed;
mod resample;
mod ring;
mod warp;

pub use mapping::CropMapping;

use std::cell::OnceCell;

use convert::{Converter, Source};
use kernel::{Cubic, Linear, Pil};
use normalize::{Normalizer, Target};
use resample::Resampler;
use warp::{View, Warper};

use super::FrameView;
use super::spec::{Aspect, Border, Channels, ImageSpec, Resample};
use crate::core::geometry::matrix::Mat3;
use crate::core::geometry::{PixelRect, Size};
use crate::core::inference::{ElementType, TensorMut};

/// The longest side of a tensor or of a source rectangle.
pub const MAX_SIDE: u32 = 1 << 15;

/// Why an image input cannot be filled.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PreprocessError {
    /// The tensor has no pixel, or more than [`MAX_SIDE`] in a row or column.
    #[error("image input of size {0}; give the profile a width and height of 1..=32768")]
    TensorSize(Size),
    /// The rectangle is empty, does not meet the frame, or is too large.
    #[error(
        "source rectangle {source_rect:?} of a frame of {frame}; give one of 1..=32768 pixels a side that meets the frame"
    )]
    SourceSize {
        /// As given.
        source_rect: PixelRect,
        /// The frame.
        frame: Size,
    },
    /// The picture does not fit in the tensor, or is empty.
    #[error("picture of size {picture} in a tensor of {tensor}; give one that fits")]
    PictureSize {
        /// As given.
        picture: Size,
        /// The tensor.
        tensor: Size,
    },
    /// `scale` or `mean` is no number.
    #[error("'{field}' of an image input is not finite; correct the profile")]
    NotFinite {
        /// The profile's field.
        field: &'static str,
    },
    /// A standard deviation that nothing can be divided by.
    #[error("'std' of channel {channel} is {value}; give a finite number that is not 0")]
    Std {
        /// Channel in the input's order.
        channel: usize,
        /// As given.
        value: f32,
    },
    /// A homography that is none.
    #[error("the matrix {0:?} from tensor to frame has a value that is not finite")]
    Matrix(Mat3),
    /// Memory of another element type.
    #[error("the tensor holds {got}, but this input was prepared for {expected}")]
    Element {
        /// What was asked for when this was made.
        expected: ElementType,
        /// What was given.
        got: ElementType,
    },
    /// Memory of another length.
    #[error("the tensor has {got} elements, one item has {expected}; pass one slot of the batch")]
    Length {
        /// Elements of one item.
        expected: usize,
        /// Elements given.
        got: usize,
    },
}

/// The chosen kernel.
#[derive(Debug)]
enum Stage {
    Linear(Resampler<Linear>),
    Cubic(Resampler<Cubic>),
    Pil(Resampler<Pil>),
}

/// Runs the same lines for whichever kernel is in use.
macro_rules! with_stage {
    ($stage:expr, $resampler:ident => $body:expr) => {
        match $stage {
            Stage::Linear($resampler) => $body,
            Stage::Cubic($resampler) => $body,
            Stage::Pil($resampler) => $body,
        }
    };
}

/// Fills one image input of a model, item by item. Owns all the memory that this takes.
#[derive(Debug)]
pub struct Preprocessor {
    arch: pulp::Arch,
    channels: Channels,
    aspect: Aspect,
    fill: u8,
    target: Target,
    normalizer: Normalizer,
    stage: Stage,
    converter: Converter,
    warper: Warper,
    /// One output row of bytes, one run of columns for each channel.
    bytes: Vec<u8>,
    /// The normalizer's values as they lie in memory, for devices; made when one asks.
    table: OnceCell<Vec<u8>>,
}

impl Preprocessor {
    /// For an input described by `spec`, its width and height resolved, whose memory holds
    /// `element`.
    ///
    /// # Errors
    /// For a size of 0, a scale or mean that is not finite and a standard deviation that is 0 or
    /// not finite.
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
            target: Target { layout: spec.layout, channels: used, width: 0, height: 0 },
            normalizer: Normalizer::new(spec, element),
            stage: match spec.resample {
                Resample::OpencvLinear => Stage::Linear(Resampler::new()),
                Resample::OpencvCubic => Stage::Cubic(Resampler::new()),
                Resample::PilBilinear => Stage::Pil(Resampler::new()),
            },
            converter: Converter::default(),
            warper: Warper::default(),
            bytes: Vec::new(),
            table: OnceCell::new(),
        };
        this.set_size(spec.width, spec.height)?;
        Ok(this)
    }

    /// Changes the tensor's size, for models whose height and width are free. Costs nothing where
    /// it is the same.
    ///
    /// # Errors
    /// For a size of 0 or over [`MAX_SIDE`]; the old size then stays.
    pub fn set_size(&mut self, width: u32, height: u32) -> Result<(), PreprocessError> {
        let size = Size::new(width, height);
        if size.is_empty() || width > MAX_SIDE || height > MAX_SIDE {
            return Err(PreprocessError::TensorSize(size));
        }
        (self.target.width, self.target.height) = (width as usize, height as usize);
        Ok(())
    }

    /// The tensor's width and height.
    pub fn size(&self) -> Size {
        Size::new(self.target.width as u32, self.target.height as u32)
    }

    /// Elements of one item: width * height * channels.
    pub fn item_len(&self) -> usize {
        self.target.len()
    }

    /// Writes one item from the pixels `source` of `frame`; `border` says what lies around the
    /// frame ([`Border::Clip`] clips once more). `out` is the item's slot.
    ///
    /// # Errors
    /// If the rectangle is empty or too large, if nothing of it lies in the frame
    /// ([`Border::Clip`]), or if `out` has another element type or length.
    pub fn fill(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
        border: Border,
        out: TensorMut<'_>,
    ) -> Result<CropMapping, PreprocessError> {
        let source = read_rect(frame.size(), source, border)?;
        let picture = mapping::picture_size(self.aspect, source, self.size());
        self.fill_picture(frame, source, border, picture, out)
    }

    /// As [`fill`](Self::fill), with the picture's size given rather than derived from the shapes:
    /// for detectors that enlarge nothing and pad to a multiple (YuNet). The profile's aspect only
    /// says where the picture lies (in the middle, or at the top left).
    ///
    /// # Errors
    /// As [`fill`](Self::fill), and if the picture is empty or larger than the tensor.
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
        self.normalizer.check(self.target.len(), &out)?;
        let picture = mapping::anchor(self.aspect, picture, tensor);
        self.write(&Source::new(frame, source, border), picture, &mut out);
        Ok(CropMapping { source, picture })
    }

    /// Writes one item seen through a homography: pixel (x, y) of the tensor shows the frame at
    /// `to_source` (x, y, 1), after division by its third component. Both count from the centre of
    /// the top left pixel, as OpenCV does; the result is that of `cv2.warpPerspective` with
    /// `INTER_LINEAR | WARP_INVERSE_MAP`, whatever the profile's resampling, within one grey level.
    ///
    /// Around the frame there is black, or its edge pixels are repeated ([`Border::Replicate`]).
    ///
    /// # Errors
    /// If the matrix is not finite, or if `out` has another element type or length.
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
        self.normalizer.check(self.target.len(), &out)?;
        let Self { arch, channels, target, normalizer, warper, bytes, .. } = self;
        bytes.resize(target.width * target.channels, 0);
        let view = View { frame, to_source, border, channels: *channels };
        for y in 0..target.height {
            warper.row(*arch, &view, y, bytes);
            normalizer.row(*arch, target, (0, y), bytes, &mut out);
        }
        Ok(())
    }

    fn write(&mut self, source: &Source<'_>, picture: PixelRect, out: &mut TensorMut<'_>) {
        let Self { arch, channels, fill, target, normalizer, stage, converter, bytes, .. } = self;
        let (left, top) = (picture.x as usize, picture.y as usize);
        let (columns, rows) = (picture.width as usize, picture.height as usize);
        bytes.resize(columns * target.channels, 0);
        let size = (picture.width, picture.height);
        with_stage!(stage, resampler => resampler.begin(source.size(), size, *channels));
        for y in (0..top).chain(top + rows..target.height) {
            normalizer.fill(target, 0..target.width, y, *fill, out);
        }
        for row in 0..rows {
            with_stage!(stage, resampler => {
                resampler.row(*arch, source, converter, *channels, row, bytes)
            });
            let y = top + row;
            normalizer.fill(target, 0..left, y, *fill, out);
            normalizer.fill(target, left + columns..target.width, y, *fill, out);
            normalizer.row(*arch, target, (left, y), bytes, out);
        }
    }
}

/// The rectangle that is really read.
fn read_rect(frame: Size, source: PixelRect, border: Border) -> Result<PixelRect, PreprocessError> {
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
    use crate::core::image::{PixelFormat, Plane};

    #[test]
    fn the_same_values_with_and_without_wide_vectors() {
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
