//! The profile as TOML has it: the model, its inputs and its output.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::spec::{EyeSpec, GazeAxes, Normalization, RegionPolicy};
use crate::core::image::spec::ImageSpec;

/// What a gaze model expects and returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelProfile {
    /// Name of the family, e.g. `mobilegaze`.
    pub name: String,
    /// One line for people: the model and its source.
    #[serde(default)]
    pub description: String,
    /// The axes of the angles of a model that takes crops: `camera` (default) or `ray`. A model with
    /// `normalization` always answers in the axes of its virtual camera.
    #[serde(default, rename = "frame")]
    pub axes: GazeAxes,
    /// Which pixels of a face the model takes. Eye inputs have their own rule.
    #[serde(default)]
    pub region: RegionPolicy,
    /// The virtual camera of the face input; without it the model takes a crop.
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

/// One input and what goes into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InputSpec {
    /// The tensor.
    pub tensor: TensorRef,
    /// What goes in.
    pub role: InputRole,
    /// How pixels become values; required for every role but `head-pose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// Which pixels of an eye, for the roles `left-eye` and `right-eye`: `scale` (1.8) and
    /// `rotate-by-roll` (true).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eye: Option<EyeSpec>,
}

/// What goes into an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputRole {
    /// The face crop.
    Face,
    /// The eye on the image's left (the subject's right), in a square around it ([`EyeSpec`]).
    LeftEye,
    /// The eye on the image's right.
    RightEye,
    /// Yaw, pitch and roll of the head in degrees, three numbers, with the signs of the Open Model
    /// Zoo (`head-pose-estimation-adas-0001`). Where the eyes are rotated level, the roll is 0.
    HeadPose,
}

impl InputRole {
    /// Whether the input takes an eye.
    pub const fn is_eye(self) -> bool {
        matches!(self, Self::LeftEye | Self::RightEye)
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

/// The column of one angle, and its sign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AngleRef {
    /// The output.
    pub tensor: TensorRef,
    /// First column of the angle in a row of that output: 0 where each angle has its own output, 0
    /// or 1 for a `[batch, 2]` regression.
    #[serde(default)]
    pub column: usize,
    /// Whether the model's sign is opposite to [`Gaze`](crate::core::geometry::Gaze)'s.
    #[serde(default)]
    pub negate: bool,
}

/// How the outputs become a gaze.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decoder", deny_unknown_fields, rename_all = "kebab-case")]
pub enum OutputSpec {
    /// Two angles as numbers.
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
    /// A direction vector of any length.
    Direction {
        /// The output, `[batch, 3]`.
        tensor: TensorRef,
        /// Factors from the model's x, y, z to camera coordinates (x right, y down, z away from the
        /// camera).
        #[serde(default = "unit_axes")]
        axes: [f32; 3],
    },
}

fn unit_axes() -> [f32; 3] {
    [1.0; 3]
}
