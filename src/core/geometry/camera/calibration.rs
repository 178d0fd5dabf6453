//! Calibration files: OpenCV's FileStorage (YAML), ROS' `camera_info` and other plain YAML, and TOML.
//!
//! The reader looks for these keys, in any case and with any separators:
//!
//! | value | keys |
//! |---|---|
//! | matrix | `camera_matrix`, `K`, `intrinsic_matrix`: 9 numbers, flat, nested or as `data`; or `fx`, `fy`, `cx`, `cy` |
//! | distortion | `distortion_coefficients`, `dist_coeffs`, `distortion`, `D`: k1, k2, p1, p2, k3; without the key there is none |
//! | size | `image_width` and `image_height`, `width` and `height`, or `image_size`, `resolution` |

use saphyr::{LoadableYamlNode, Scalar, Yaml};

use super::pinhole::{Camera, FIELD_OF_VIEW_RANGE};
use crate::core::geometry::rect::Size;

const MATRIX: &[&str] = &["camera_matrix", "K", "intrinsic_matrix"];
const DISTORTION: &[&str] = &["distortion_coefficients", "dist_coeffs", "distortion", "D"];
const WIDTH: &[&str] = &["image_width", "width"];
const HEIGHT: &[&str] = &["image_height", "height"];
const SIZE: &[&str] = &["image_size", "resolution"];
const MODEL: &[&str] = &["distortion_model", "camera_model"];

/// The longest side of a frame that a calibration may be for.
const MAX_SIDE: f64 = 65535.0;

/// Why a text is not a calibration. A message names the key, its line, and what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    /// The text is neither YAML nor TOML.
    #[error(
        "the calibration is neither YAML ({yaml}) nor TOML ({toml}); save OpenCV's calibration as YAML"
    )]
    Syntax {
        /// What is wrong with it as YAML.
        yaml: String,
        /// What is wrong with it as TOML.
        toml: String,
    },
    /// A required key is missing.
    #[error("the calibration has no '{key}'; {remedy}")]
    Missing {
        /// The first name of the key.
        key: &'static str,
        /// What to write.
        remedy: &'static str,
    },
    /// A key has an impossible value.
    #[error("'{key}'{}: {reason}", .line.map_or_else(String::new, |line| format!(" (line {line})")))]
    Invalid {
        /// The key as the file writes it.
        key: String,
        /// Its line, counted from 1, if known.
        line: Option<usize>,
        /// What is wrong, and what to write instead.
        reason: String,
    },
}

impl Camera {
    /// Reads a calibration.
    ///
    /// # Errors
    /// [`CameraError`] for a text in another format, a missing key, and an impossible value: a focal
    /// length that is not positive or gives a field of view outside 5..170 degrees, a principal point
    /// far outside the frame, a fisheye or rational distortion.
    pub fn from_text(text: &str) -> Result<Self, CameraError> {
        let root = parse(text)?;
        let file = File { text, root: &root };
        let size = file.size()?;
        file.refuse_other_models()?;
        let (fx, fy, cx, cy) = file.intrinsics()?;
        let camera = Self { fx, fy, cx, cy, distortion: file.distortion()?, size };
        file.check(&camera)?;
        Ok(camera)
    }
}

/// A value of either format.
#[derive(Debug)]
enum Node {
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    Other,
}

/// A text and its parsed content.
struct File<'a> {
    text: &'a str,
    root: &'a Node,
}

/// A key as the file writes it, and its value.
type Found<'a> = (&'a str, &'a Node);

impl<'a> File<'a> {
    fn find(&self, names: &[&str]) -> Option<Found<'a>> {
        names.iter().find_map(|name| search(self.root, name))
    }

    fn invalid(&self, key: &str, reason: impl Into<String>) -> CameraError {
        let starts = |line: &str| {
            let line = line.trim_start_matches([' ', '\t', '-', '"', '\'', '{', '[']);
            line.strip_prefix(key).is_some_and(|rest| {
                rest.trim_start_matches(['"', '\'', ' ', '\t', ']']).starts_with([':', '='])
                    || rest.starts_with(']')
            })
        };
        let line = self.text.lines().position(starts).map(|index| index + 1);
        CameraError::Invalid { key: key.to_owned(), line, reason: reason.into() }
    }

    fn number(&self, (key, node): Found<'_>) -> Result<f64, CameraError> {
        match node {
            Node::Number(value) if value.is_finite() => Ok(*value),
            _ => Err(self.invalid(key, "is not a finite number")),
        }
    }

    /// All numbers of a list, nested or flat, or of its `data`.
    fn numbers(&self, (key, node): Found<'_>) -> Result<Vec<f64>, CameraError> {
        fn collect(node: &Node, into: &mut Vec<f64>) -> bool {
            match node {
                Node::Number(value) => into.push(*value),
                Node::List(list) => return list.iter().all(|node| collect(node, into)),
                Node::Map(_) => return get(node, "data").is_some_and(|(_, n)| collect(n, into)),
                _ => return false,
            }
            true
        }
        let mut numbers = Vec::new();
        if !collect(node, &mut numbers) || numbers.iter().any(|value| !value.is_finite()) {
            return Err(self.invalid(key, "is not a list of finite numbers"));
        }
        Ok(numbers)
    }

    fn size(&self) -> Result<Size, CameraError> {
        let (width, height) = match (self.find(WIDTH), self.find(HEIGHT), self.find(SIZE)) {
            (Some(width), Some(height), _) => {
                ((width.0, self.number(width)?), (height.0, self.number(height)?))
            }
            (_, _, Some(both)) => match self.numbers(both)?[..] {
                [width, height] => ((both.0, width), (both.0, height)),
                _ => return Err(self.invalid(both.0, "is not a width and a height")),
            },
            _ => {
                return Err(CameraError::Missing {
                    key: "image_width' and 'image_height",
                    remedy: "write the size in pixels of the calibration's pictures",
                });
            }
        };
        let side = |(key, side): (&str, f64)| {
            if (1.0..=MAX_SIDE).contains(&side) && side.fract() == 0.0 {
                return Ok(side as u32);
            }
            Err(self.invalid(key, format!("{side} is not a whole number of pixels, 1..=65535")))
        };
        Ok(Size::new(side(width)?, side(height)?))
    }

    fn refuse_other_models(&self) -> Result<(), CameraError> {
        let Some((key, Node::Text(model))) = self.find(MODEL) else { return Ok(()) };
        if ["plumbbob", "pinhole", "opencv", "radtan", "brownconrady", ""]
            .contains(&plain(model).as_str())
        {
            return Ok(());
        }
        let reason = format!(
            "'{model}' is not supported; calibrate with OpenCV's pinhole model (plumb_bob: k1, \
             k2, p1, p2, k3), or undistort the video before"
        );
        Err(self.invalid(key, reason))
    }

    fn intrinsics(&self) -> Result<(f64, f64, f64, f64), CameraError> {
        if let Some(found) = self.find(MATRIX) {
            let numbers = self.numbers(found)?;
            let [fx, skew, cx, zero1, fy, cy, zero2, zero3, one] = numbers[..] else {
                let reason = format!("has {} numbers; a camera matrix has 9", numbers.len());
                return Err(self.invalid(found.0, reason));
            };
            if [zero1, zero2, zero3] != [0.0; 3] || one != 1.0 {
                let reason = "is not [fx, 0, cx, 0, fy, cy, 0, 0, 1], row by row";
                return Err(self.invalid(found.0, reason));
            }
            if skew.abs() > 0.01 * fx.abs() {
                let reason = format!("has a skew of {skew}; calibrate without");
                return Err(self.invalid(found.0, reason));
            }
            return Ok((fx, fy, cx, cy));
        }
        let one = |name: &'static str| {
            let found = self.find(&[name]).ok_or(CameraError::Missing {
                key: "camera_matrix",
                remedy: "write the 9 numbers of OpenCV's camera matrix, or fx, fy, cx and cy",
            })?;
            self.number(found)
        };
        Ok((one("fx")?, one("fy")?, one("cx")?, one("cy")?))
    }

    fn distortion(&self) -> Result<[f64; 5], CameraError> {
        let Some(found) = self.find(DISTORTION) else { return Ok([0.0; 5]) };
        let numbers = self.numbers(found)?;
        if numbers.iter().skip(5).any(|value| *value != 0.0) {
            let reason = format!(
                "has {} numbers; only k1, k2, p1, p2, k3 are supported: calibrate without the \
                 rational, thin prism and tilted models",
                numbers.len()
            );
            return Err(self.invalid(found.0, reason));
        }
        if !matches!(numbers.len(), 0 | 4 | 5 | 8 | 12 | 14) {
            let reason = format!("has {} numbers; write k1, k2, p1, p2, k3", numbers.len());
            return Err(self.invalid(found.0, reason));
        }
        if let Some(wild) = numbers.iter().find(|value| value.abs() > 100.0) {
            return Err(self.invalid(
                found.0,
                format!("{wild} is not a distortion coefficient; calibrate again"),
            ));
        }
        let mut distortion = [0.0; 5];
        for (to, from) in distortion.iter_mut().zip(numbers) {
            *to = from;
        }
        Ok(distortion)
    }

    /// Checks that such a camera can exist.
    fn check(&self, camera: &Camera) -> Result<(), CameraError> {
        let matrix = self.find(MATRIX).map(|(key, _)| key);
        let Camera { fx, fy, cx, cy, size, .. } = *camera;
        for (key, focal, side, of) in
            [("fx", fx, size.width, "width"), ("fy", fy, size.height, "height")]
        {
            let refuse = |reason| Err(self.invalid(matrix.unwrap_or(key), reason));
            if focal <= 0.0 {
                return refuse(format!("{key} is {focal}; a focal length is positive"));
            }
            let [least, most] = FIELD_OF_VIEW_RANGE;
            let view = 2.0 * (f64::from(side) / 2.0 / focal).atan().to_degrees();
            if !(least..=most).contains(&view) {
                return refuse(format!(
                    "{key} = {focal} and an image {of} of {side} see {view:.1} degrees, not \
                     {least}..={most}: focal lengths are in pixels, and the size is that of the \
                     calibration's pictures"
                ));
            }
        }
        for (key, centre, side) in [("cx", cx, size.width), ("cy", cy, size.height)] {
            let side = f64::from(side);
            if !(-0.5 * side..=1.5 * side).contains(&centre) {
                let reason = format!(
                    "{key} is {centre}, far outside the frame of {side} pixels: the centre is in \
                     pixels of the calibration's pictures"
                );
                return Err(self.invalid(matrix.unwrap_or(key), reason));
            }
        }
        Ok(())
    }
}

/// The name in lower case and without separators.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// The entry of a map.
fn get<'a>(node: &'a Node, name: &str) -> Option<Found<'a>> {
    let Node::Map(entries) = node else { return None };
    let wanted = plain(name);
    entries.iter().find(|(key, _)| plain(key) == wanted).map(|(key, node)| (key.as_str(), node))
}

/// The entry of a map or of a map in it: a calibration may have a section of its own.
fn search<'a>(node: &'a Node, name: &str) -> Option<Found<'a>> {
    let Node::Map(entries) = node else { return None };
    get(node, name).or_else(|| entries.iter().find_map(|(_, inner)| get(inner, name)))
}

fn parse(text: &str) -> Result<Node, CameraError> {
    // OpenCV's first line, `%YAML:1.0`, is not a YAML directive. A comment keeps the line numbers.
    let yaml = text.trim_start_matches('\u{feff}').replacen("%YAML:", "#YAML:", 1);
    let as_yaml = match Yaml::load_from_str(&yaml) {
        Ok(documents) => match documents.first().map(from_yaml) {
            Some(map @ Node::Map(_)) => return Ok(map),
            _ => "it is not a mapping".to_owned(),
        },
        Err(error) => error.to_string(),
    };
    match text.parse::<toml::Table>() {
        Ok(table) if !table.is_empty() => Ok(from_toml(&toml::Value::Table(table))),
        Ok(_) => Err(CameraError::Syntax { yaml: as_yaml, toml: "it is empty".to_owned() }),
        Err(error) => Err(CameraError::Syntax { yaml: as_yaml, toml: error.message().to_owned() }),
    }
}

fn from_yaml(node: &Yaml<'_>) -> Node {
    match node {
        Yaml::Value(Scalar::Integer(value)) => Node::Number(*value as f64),
        Yaml::Value(Scalar::FloatingPoint(value)) => Node::Number(value.into_inner()),
        // YAML 1.2 does not accept every spelling of a number that OpenCV writes.
        Yaml::Value(Scalar::String(text)) | Yaml::Representation(text, ..) => {
            text.trim().parse().map_or_else(|_| Node::Text(text.to_string()), Node::Number)
        }
        Yaml::Sequence(list) => Node::List(list.iter().map(from_yaml).collect()),
        Yaml::Mapping(map) => Node::Map(
            map.iter()
                .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), from_yaml(value))))
                .collect(),
        ),
        Yaml::Tagged(_, inner) => from_yaml(inner),
        _ => Node::Other,
    }
}

fn from_toml(value: &toml::Value) -> Node {
    match value {
        toml::Value::Integer(value) => Node::Number(*value as f64),
        toml::Value::Float(value) => Node::Number(*value),
        toml::Value::String(text) => Node::Text(text.clone()),
        toml::Value::Array(list) => Node::List(list.iter().map(from_toml).collect()),
        toml::Value::Table(map) => {
            Node::Map(map.iter().map(|(key, value)| (key.clone(), from_toml(value))).collect())
        }
        _ => Node::Other,
    }
}
