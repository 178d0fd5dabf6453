//! Why an image input cannot be filled.

use crate::core::geometry::matrix::Mat3;
use crate::core::geometry::rect::{PixelRect, Size};
use crate::core::inference::tensor::ElementType;

/// The longest side of a tensor or of a crop, in pixels.
pub const MAX_SIDE: u32 = 1 << 15;

/// Why an image input cannot be filled.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PreprocessError {
    /// The tensor has no pixels, or more than [`MAX_SIDE`] in a row or column.
    #[error(
        "an image input cannot be {0} pixels; give the profile a width and a height of 1..=32768"
    )]
    TensorSize(Size),
    /// The crop is empty, lies outside the frame, or is too large.
    #[error(
        "cannot crop {source_rect:?} from a frame of {frame}; give a rectangle of 1..=32768 pixels a side that overlaps the frame"
    )]
    SourceSize {
        /// The crop as given.
        source_rect: PixelRect,
        /// Size of the frame.
        frame: Size,
    },
    /// The picture does not fit into the tensor, or is empty.
    #[error("a picture of {picture} does not fit into a tensor of {tensor}; give a size that does")]
    PictureSize {
        /// Size of the picture as given.
        picture: Size,
        /// Size of the tensor.
        tensor: Size,
    },
    /// `scale` or `mean` is not finite.
    #[error("'{field}' of an image input is not finite; correct the profile")]
    NotFinite {
        /// The profile's field.
        field: &'static str,
    },
    /// A standard deviation is 0 or not finite, so nothing can be divided by it.
    #[error("'std' of channel {channel} is {value}; give a finite number that is not 0")]
    Std {
        /// Channel, in the input's order.
        channel: usize,
        /// The value.
        value: f32,
    },
    /// The homography has a value that is not finite.
    #[error("the matrix {0:?} from tensor to frame has a value that is not finite")]
    Matrix(Mat3),
    /// The memory has another element type.
    #[error("the tensor holds {got}, but this input was prepared for {expected}")]
    Element {
        /// The type that the preprocessor was made for.
        expected: ElementType,
        /// The type of the memory.
        got: ElementType,
    },
    /// The memory has another length.
    #[error("the tensor has {got} elements, one item has {expected}; pass one slot of the batch")]
    Length {
        /// Elements of one item.
        expected: usize,
        /// Elements given.
        got: usize,
    },
}
