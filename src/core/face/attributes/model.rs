//! The attributes, and the families of models that estimate them.

use crate::core::geometry::rect::Size;
use crate::core::inference::engine::Engine;

/// An attribute that a model estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// Points of the face.
    Landmarks,
    /// The pose of the head.
    HeadPose,
    /// Whether the eyes are open.
    EyeState,
}

impl Attribute {
    /// The property of `gazeface` that names such a model.
    pub const fn property(self) -> &'static str {
        match self {
            Self::Landmarks => "landmark-engine",
            Self::HeadPose => "head-pose-engine",
            Self::EyeState => "eye-state-engine",
        }
    }

    /// The size to open a model of a free input with: that of the published ones.
    pub const fn input_size(self) -> Size {
        match self {
            Self::Landmarks => Size::new(112, 112),
            Self::HeadPose => Size::new(60, 60),
            Self::EyeState => Size::new(32, 32),
        }
    }

    /// The models that the property accepts, for messages.
    pub(super) const fn wanted(self) -> &'static str {
        match self {
            Self::Landmarks => "a landmark model, such as PFLD with 98 points",
            Self::HeadPose => "a head pose model, such as head-pose-estimation-adas-0001",
            Self::EyeState => "an eye state model, such as open-closed-eye-0001",
        }
    }
}

/// A known family of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeModel {
    /// 98 points in the order of WFLW.
    Landmarks98,
    /// Eyes, nose and mouth corners.
    Landmarks5,
    /// Yaw, pitch and roll in degrees.
    HeadPose,
    /// Closed or open.
    EyeState,
}

impl AttributeModel {
    /// All families, the most specific first.
    pub const ALL: [Self; 4] =
        [Self::HeadPose, Self::EyeState, Self::Landmarks98, Self::Landmarks5];

    /// The attribute that it estimates.
    pub const fn attribute(self) -> Attribute {
        match self {
            Self::Landmarks98 | Self::Landmarks5 => Attribute::Landmarks,
            Self::HeadPose => Attribute::HeadPose,
            Self::EyeState => Attribute::EyeState,
        }
    }

    /// Its name, for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Landmarks98 => "a landmark model of 98 points",
            Self::Landmarks5 => "a landmark model of five points",
            Self::HeadPose => "a head pose model",
            Self::EyeState => "an eye state model",
        }
    }

    /// Its inputs and outputs, for messages.
    pub const fn signature(self) -> &'static str {
        match self {
            Self::Landmarks98 => "PFLD, 98 points: [1,3,h,w] to an output of 196",
            Self::Landmarks5 => "landmarks-regression-retail-0009: [1,3,h,w] to one output of 10",
            Self::HeadPose => {
                "head-pose-estimation-adas-0001: [1,3,h,w] to three outputs of 1, named after yaw, \
                 pitch and roll"
            }
            Self::EyeState => "open-closed-eye-0001: [1,3,32,32] to one output of 2",
        }
    }

    /// Positions of the outputs to read; `None` for a model of another family.
    pub(super) fn outputs(self, engine: &dyn Engine) -> Option<Vec<usize>> {
        let count = engine.info().outputs.len();
        let elements = |index: usize| engine.output_shape(index).iter().product::<usize>();
        let only = |wanted: usize| (count == 1 && elements(0) == wanted).then(|| vec![0]);
        match self {
            Self::Landmarks98 => (0..count).find(|i| elements(*i) == 196).map(|i| vec![i]),
            Self::Landmarks5 => only(10),
            Self::EyeState if engine.input_shape(0).ends_with(&[32, 32]) => only(2),
            Self::EyeState => None,
            Self::HeadPose if count == 3 && (0..3).all(|i| elements(i) == 1) => ["y", "p", "r"]
                .into_iter()
                .map(|angle| {
                    engine.info().outputs.iter().position(|o| angle_of(&o.name) == Some(angle))
                })
                .collect(),
            Self::HeadPose => None,
        }
    }
}

/// The angle that an output of a head pose model gives, by its name: `fc_y`, `angle_y_fc`, `yaw`.
fn angle_of(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    [("yaw", "y"), ("pitch", "p"), ("roll", "r")].into_iter().find_map(|(word, letter)| {
        let short = name.split('_').any(|part| part == letter);
        (short || name.contains(word)).then_some(letter)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_recognised_by_any_of_their_names() {
        for (names, letter) in [
            (["fc_y", "angle_y_fc", "Yaw"], "y"),
            (["fc_p", "angle_p_fc", "head_pitch"], "p"),
            (["fc_r", "angle_r_fc", "roll"], "r"),
        ] {
            for name in names {
                assert_eq!(angle_of(name), Some(letter), "{name}");
            }
        }
        assert_eq!(angle_of("output"), None);
    }
}
