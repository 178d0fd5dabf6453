//! The specification of a model's picture: size, layout, channels, values, resampling and border.

use serde::{Deserialize, Serialize};

/// Order of the dimensions of an image input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Planar: batch, channel, row, column.
    #[default]
    Nchw,
    /// Interleaved: batch, row, column, channel.
    Nhwc,
}

/// The channels of an image input, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as OpenCV reads pictures.
    Bgr,
    /// One channel: luma of BT.601 (`0.299 R + 0.587 G + 0.114 B`), as OpenCV's grey.
    Gray,
}

impl Channels {
    /// 1 or 3.
    pub const fn count(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Gray => 1,
        }
    }
}

/// How a crop is resized to the model's input. Each works on bytes, as the pipelines do that the
/// models were trained with, so that the values equal theirs and are not merely close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resample {
    /// `cv2.resize(..., INTER_LINEAR)` on bytes, with its fixed-point rounding: the default of
    /// OpenCV pipelines. No antialiasing.
    #[default]
    OpencvLinear,
    /// `cv2.resize(..., INTER_CUBIC)` on bytes (a = -0.75). No antialiasing.
    OpencvCubic,
    /// `PIL.Image.resize(..., BILINEAR)`: a triangle filter that widens when it shrinks. torchvision's
    /// `Resize` on PIL images is the same.
    PilBilinear,
}

/// Whether the crop keeps its shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Stretches the crop to the whole input.
    #[default]
    Stretch,
    /// Keeps the shape, puts the picture in the middle and fills the rest.
    Letterbox,
    /// Keeps the shape, puts the picture at the top left and fills the rest (YuNet, SCRFD).
    LetterboxTopLeft,
}

/// How pixels become the values of one input:
/// `value = (byte * scale - mean[c]) / std[c]`, channel `c` in the input's own order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImageSpec {
    /// Columns; 0 uses the model's own.
    pub width: u32,
    /// Rows; 0 uses the model's own.
    pub height: u32,
    /// Order of the dimensions.
    pub layout: Layout,
    /// The channels and their order.
    pub channels: Channels,
    /// First factor, e.g. 1/255.
    pub scale: f64,
    /// Subtracted after scaling.
    pub mean: [f32; 3],
    /// Divided by after subtracting.
    pub std: [f32; 3],
    /// How the crop is resized.
    pub resample: Resample,
    /// Whether the crop keeps its shape.
    pub aspect: Aspect,
    /// The byte around the picture of a letterbox.
    pub fill: u8,
}

impl Default for ImageSpec {
    fn default() -> Self {
        Self {
            width: 0,
            height: 0,
            layout: Layout::default(),
            channels: Channels::default(),
            scale: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
            resample: Resample::default(),
            aspect: Aspect::default(),
            fill: 0,
        }
    }
}

/// What happens to the part of a crop that lies outside the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Border {
    /// Cuts the crop at the frame's edge, which changes its shape.
    #[default]
    Clip,
    /// Keeps the crop's shape and repeats the frame's edge pixels.
    Replicate,
    /// Keeps the crop's shape and fills with black.
    Black,
}
