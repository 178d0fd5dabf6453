//! What a model expects and returns.
//!
//! A [`ModelProfile`] is the contract between a face in a frame and a gaze in radians: which
//! pixels, in which colours, layout and scale, go into which input, and how the outputs are read.
//! Profiles are TOML (see `profiles` in the README), built in, or recognised from the inputs and
//! outputs of a file. Tensors are named by position unless the profile says otherwise, because
//! published files carry contradicting names for the same outputs.
//!
//! | module | says |
//! |---|---|
//! | this one | the profile as it is written |
//! | [`error`] | what may be wrong with it |
//! | `parse` | TOML to profile and back, and what values it may hold |
//! | `declare` | the inputs and outputs that a profile implies |
//! | [`resolve`] | profile and model file brought together |
//! | [`builtin`] | published models |
//! | [`origin`] | where a model's profile comes from |

pub mod builtin;
mod declare;
pub mod error;
pub mod origin;
mod parse;
pub mod resolve;

pub use error::ProfileError;
pub use origin::{METADATA_TOML, ProfileSource, choose, without_model};
pub use resolve::{AngleColumn, ResolvedInput, ResolvedOutput, ResolvedProfile};

use std::fmt;

use serde::{Deserialize, Serialize};

use super::eye::EyeSpec;
use super::normalize::Normalization;
use super::ray::GazeFrame;
use super::region::RegionPolicy;

/// Everything that is to be known of a gaze model besides its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelProfile {
    /// Name of the family, e.g. `mobilegaze`.
    pub name: String,
    /// One line for people: what it is and where it comes from.
    #[serde(default)]
    pub description: String,
    /// In which axes the angles of a model that gets crops are: `camera` (default), or `ray`. Those
    /// of a model with `normalization` are always in its virtual camera's.
    #[serde(default)]
    pub frame: GazeFrame,
    /// Which pixels of a face the model gets. Eye inputs have their own rule.
    #[serde(default)]
    pub region: RegionPolicy,
    /// The virtual camera that the face input was trained with; without it the face is cropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalization: Option<Normalization>,
    /// The model's inputs, each with its role.
    #[serde(rename = "input")]
    pub inputs: Vec<InputSpec>,
    /// How the outputs become a gaze.
    #[serde(rename = "output")]
    pub output: OutputSpec,
}

/// A tensor of the model, by position or by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TensorRef {
    /// Position in the file's order, from 0.
    Index(usize),
    /// Name in the file.
    Name(String),
}

impl fmt::Display for TensorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) => write!(f, "'{name}'"),
        }
    }
}

/// One input and what it is fed with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InputSpec {
    /// Which tensor.
    pub tensor: TensorRef,
    /// What goes in.
    pub role: InputRole,
    /// How pixels become values; needed for every role but `head-pose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// Which pixels of an eye, for the roles `left-eye` and `right-eye`: `scale` (1.8) and
    /// `rotate-by-roll` (true).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eye: Option<EyeSpec>,
}

/// What an input is fed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputRole {
    /// The face crop.
    Face,
    /// The eye on the image's left (the subject's right), a square about it ([`EyeSpec`]).
    LeftEye,
    /// The eye on the image's right.
    RightEye,
    /// Yaw, pitch and roll of the head in degrees, three numbers, with the signs of the Open Model
    /// Zoo (`head-pose-estimation-adas-0001`). Where the eyes are turned level by the roll, it is 0
    /// here.
    HeadPose,
}

impl InputRole {
    /// Whether it is one of the eyes.
    pub const fn is_eye(self) -> bool {
        matches!(self, Self::LeftEye | Self::RightEye)
    }
}

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

/// Unit of an angle that a model gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AngleUnit {
    /// Radians.
    #[default]
    Radians,
    /// Degrees.
    Degrees,
}

/// Where one angle is found, and its sign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AngleRef {
    /// Which output.
    pub tensor: TensorRef,
    /// First column of the angle in a row of that output: 0 where each angle has an output of its
    /// own, 0 or 1 for a `[batch, 2]` regression.
    #[serde(default)]
    pub column: usize,
    /// Whether the model's sign is the opposite of [`Gaze`](super::gaze::Gaze)'s.
    #[serde(default)]
    pub negate: bool,
}

/// How the outputs become a gaze.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decoder", deny_unknown_fields, rename_all = "kebab-case")]
pub enum OutputSpec {
    /// Two numbers.
    Regression {
        /// Unit of both.
        #[serde(default)]
        unit: AngleUnit,
        /// The vertical angle.
        pitch: AngleRef,
        /// The horizontal angle.
        yaw: AngleRef,
    },
    /// Two rows of logits; the angle is the softmax expectation
    /// `sum(p[i] * i) * bin_width + offset`, in degrees (L2CS-Net, Abdelrahman et al. 2022).
    Binned {
        /// Classes per angle.
        bins: usize,
        /// Degrees per class.
        #[serde(rename = "bin-width")]
        bin_width: f32,
        /// Degrees of class 0.
        offset: f32,
        /// The vertical angle.
        pitch: AngleRef,
        /// The horizontal angle.
        yaw: AngleRef,
    },
    /// A direction of any length.
    Direction {
        /// Which output, `[batch, 3]`.
        tensor: TensorRef,
        /// Factors that turn the model's x, y, z into camera coordinates (x right, y down,
        /// z away from the camera).
        #[serde(default = "unit_axes")]
        axes: [f32; 3],
    },
}

fn unit_axes() -> [f32; 3] {
    [1.0; 3]
}
