//! How a model's picture is made: its size, layout, channels, values, resampling and edges.

use serde::{Deserialize, Serialize};

/// Order of the dimensions of an image input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Planes: batch, channel, row, column.
    #[default]
    Nchw,
    /// Pixels: batch, row, column, channel.
    Nhwc,
}

/// Channels of an image input and their order.
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

/// How a crop is brought to the model's size. All work on bytes, as the pipelines do that the
/// models were trained with, so that the values are theirs and not merely close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resample {
    /// `cv2.resize(..., INTER_LINEAR)` on bytes, with its fixed-point rounding: the default of
    /// OpenCV pipelines. No antialiasing.
    #[default]
    OpencvLinear,
    /// `cv2.resize(..., INTER_CUBIC)` on bytes (a = -0.75). No antialiasing.
    OpencvCubic,
    /// `PIL.Image.resize(..., BILINEAR)`: a triangle filter that widens when shrinking, which is
    /// also torchvision's `Resize` on PIL images.
    PilBilinear,
}

/// Whether the crop's shape is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Fill the input, whatever the shape.
    #[default]
    Stretch,
    /// Keep the shape; picture in the middle, the rest filled.
    Letterbox,
    /// Keep the shape; picture at the top left, the rest filled (YuNet, SCRFD).
    LetterboxTopLeft,
}

/// How pixels become the values of one input:
/// `value = (byte * scale - mean[c]) / std[c]`, channel `c` in the input's own order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImageSpec {
    /// Columns; 0 takes the model's own.
    pub width: u32,
    /// Rows; 0 takes the model's own.
    pub height: u32,
    /// Order of the dimensions.
    pub layout: Layout,
    /// Which channels, in which order.
    pub channels: Channels,
    /// First factor, e.g. 1/255.
    pub scale: f64,
    /// Subtracted after scaling.
    pub mean: [f32; 3],
    /// Divided by after subtracting.
    pub std: [f32; 3],
    /// How the size is changed.
    pub resample: Resample,
    /// Whether the shape is kept.
    pub aspect: Aspect,
    /// Byte that fills what the picture does not cover with a letterbox.
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

/// What to do with the part of a region that lies outside the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Border {
    /// Cut the region at the frame's edge (its shape changes).
    #[default]
    Clip,
    /// Keep the region's shape and repeat the frame's edge pixels.
    Replicate,
    /// Keep the region's shape and fill with black.
    Black,
}
