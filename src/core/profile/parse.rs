//! Reads profiles from TOML and checks their values.

use super::error::ProfileError;
use super::model::{AngleRef, InputRole, InputSpec, ModelProfile, OutputSpec, TensorRef};
use super::spec::{GazeAxes, Normalization};
use crate::core::image::spec::ImageSpec;

/// Longest side of an image, pixels.
const MAX_SIDE: u32 = 4096;

/// Focal lengths in pixels and distances in millimetres; values outside are in another unit.
const NORMALIZATION_RANGE: std::ops::RangeInclusive<f64> = 10.0..=100_000.0;

/// Most classes: at 360 degrees each would be a tenth of a degree wide.
const MAX_BINS: usize = 3600;

impl ModelProfile {
    /// Reads a profile and checks its values.
    ///
    /// # Errors
    /// [`ProfileError::Syntax`] with the line, [`ProfileError::Invalid`] with the key.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text).map_err(|why| {
            let line = why.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let prefix = line.map_or_else(String::new, |line| format!("line {line}: "));
            ProfileError::Syntax(format!("{prefix}{}", why.message()))
        })?;
        profile.validate()?;
        Ok(profile)
    }

    /// Checks the values, without a model.
    ///
    /// # Errors
    /// [`ProfileError::Invalid`] for the first key with an invalid value.
    pub fn validate(&self) -> Result<(), ProfileError> {
        if self.name.trim().is_empty() {
            return Err(ProfileError::invalid("name", "is empty"));
        }
        if !(-0.9..=4.0).contains(&self.region.margin) {
            let margin = self.region.margin;
            let reason = format!("{margin} is out of range: -0.9..=4.0");
            return Err(ProfileError::invalid("region.margin", reason));
        }
        self.validate_inputs()?;
        if let Some(normalization) = &self.normalization {
            self.validate_normalization(normalization)?;
        }
        self.output.validate()
    }

    fn validate_normalization(&self, camera: &Normalization) -> Result<(), ProfileError> {
        for (key, value, what) in [
            ("normalization.focal-length", camera.focal_length, "pixels"),
            ("normalization.distance", camera.distance, "millimetres"),
        ] {
            if !NORMALIZATION_RANGE.contains(&value) {
                let reason = format!("{value} {what} is out of range: {NORMALIZATION_RANGE:?}");
                return Err(ProfileError::invalid(key, reason));
            }
        }
        if self.inputs.iter().all(|input| input.role != InputRole::Face) {
            let reason = "needs an input with the role 'face'";
            return Err(ProfileError::invalid("normalization", reason));
        }
        if self.axes == GazeAxes::Ray {
            let reason = "does not apply with 'normalization', whose camera has its own axes; remove one of the two";
            return Err(ProfileError::invalid("frame", reason));
        }
        Ok(())
    }

    fn validate_inputs(&self) -> Result<(), ProfileError> {
        if self.inputs.iter().all(|input| input.role == InputRole::HeadPose) {
            return Err(ProfileError::invalid("input", "needs a face or an eye among the inputs"));
        }
        for (i, input) in self.inputs.iter().enumerate() {
            let key = |name: &str| format!("input[{i}].{name}");
            let earlier = &self.inputs[..i];
            if earlier.iter().any(|other| other.role == input.role) {
                return Err(ProfileError::invalid(
                    key("role"),
                    "an earlier input has the same role",
                ));
            }
            if earlier.iter().any(|other| other.tensor == input.tensor) {
                return Err(ProfileError::invalid(
                    key("tensor"),
                    "an earlier input has the same tensor",
                ));
            }
            match (&input.image, input.role) {
                (Some(_), InputRole::HeadPose) => {
                    return Err(ProfileError::invalid(
                        key("image"),
                        "does not apply to a head pose; remove it",
                    ));
                }
                (None, InputRole::HeadPose) => {}
                (None, _) => {
                    return Err(ProfileError::invalid(key("image"), "is missing"));
                }
                (Some(image), _) => image.validate(&key("image"))?,
            }
            if let Some(eye) = &input.eye {
                if !input.role.is_eye() {
                    return Err(ProfileError::invalid(
                        key("eye"),
                        "applies to eyes only; remove it",
                    ));
                }
                if !eye.is_valid() {
                    let reason = format!("{} is out of range: 0.1..=10", eye.scale);
                    return Err(ProfileError::invalid(key("eye.scale"), reason));
                }
            }
            let rotates = |input: &InputSpec| {
                input.role.is_eye().then(|| input.eye.unwrap_or_default().rotate_by_roll)
            };
            if let Some(rotate) = rotates(input)
                && earlier.iter().filter_map(rotates).any(|other| other != rotate)
            {
                let reason = "must be the same for both eyes";
                return Err(ProfileError::invalid(key("eye.rotate-by-roll"), reason));
            }
        }
        Ok(())
    }
}

impl ImageSpec {
    fn validate(&self, key: &str) -> Result<(), ProfileError> {
        let invalid = |name: &str, reason: String| {
            Err(ProfileError::invalid(format!("{key}.{name}"), reason))
        };
        for (name, side) in [("width", self.width), ("height", self.height)] {
            if side > MAX_SIDE {
                return invalid(name, format!("{side} is out of range: 0..={MAX_SIDE}"));
            }
        }
        if (self.width == 0) != (self.height == 0) {
            return invalid("width", "needs a height as well; give both or neither".to_owned());
        }
        if !self.scale.is_finite() || self.scale == 0.0 {
            return invalid("scale", format!("{} must be finite and not 0", self.scale));
        }
        if self.mean.iter().any(|mean| !mean.is_finite()) {
            return invalid("mean", format!("{:?} must be finite", self.mean));
        }
        if self.std.iter().any(|std| !std.is_finite() || *std == 0.0) {
            return invalid(
                "std",
                format!(
                    "{:?} must be finite and not 0, because values are divided by it",
                    self.std
                ),
            );
        }
        Ok(())
    }
}

impl OutputSpec {
    fn validate(&self) -> Result<(), ProfileError> {
        match self {
            Self::Regression { pitch, yaw, .. } => apart(pitch, yaw, 1),
            Self::Binned { bins, bin_width, offset, pitch, yaw } => {
                if !(2..=MAX_BINS).contains(bins) {
                    let reason = format!("{bins} is out of range: 2..={MAX_BINS}");
                    return Err(ProfileError::invalid("output.bins", reason));
                }
                if !bin_width.is_finite() || *bin_width <= 0.0 {
                    let reason = format!("{bin_width} must be a positive number of degrees");
                    return Err(ProfileError::invalid("output.bin-width", reason));
                }
                if !offset.is_finite() {
                    return Err(ProfileError::invalid("output.offset", "must be finite"));
                }
                apart(pitch, yaw, *bins)
            }
            Self::Direction { axes, .. } => {
                if axes.iter().any(|axis| !axis.is_finite() || *axis == 0.0) {
                    let reason = format!("{axes:?} must be finite and not 0");
                    return Err(ProfileError::invalid("output.axes", reason));
                }
                Ok(())
            }
        }
    }
}

/// Checks that pitch and yaw read different columns.
fn apart(pitch: &AngleRef, yaw: &AngleRef, columns: usize) -> Result<(), ProfileError> {
    let same: bool = match (&pitch.tensor, &yaw.tensor) {
        (TensorRef::Index(a), TensorRef::Index(b)) => a == b,
        (TensorRef::Name(a), TensorRef::Name(b)) => a == b,
        _ => false,
    };
    if same && pitch.column.abs_diff(yaw.column) < columns {
        return Err(ProfileError::invalid("output.yaw", "reads the same columns as output.pitch"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::builtin;
    use super::*;

    const GOOD: &str = r#"
name = "own"
[region]
margin = 0.2
[normalization]
focal-length = 960.0
distance = 600
[[input]]
tensor = 0
role = "face"
image = { width = 8, height = 8, scale = 0.5, std = [1.0, 2.0, 3.0] }
[output]
decoder = "binned"
bins = 90
bin-width = 4.0
offset = -180.0
pitch = { tensor = 1 }
yaw = { tensor = "yaw", negate = true }
"#;

    #[test]
    fn reads_every_key() {
        let profile = ModelProfile::from_toml(GOOD).unwrap();
        assert_eq!(profile.region.margin, 0.2);
        let camera = profile.normalization.unwrap();
        assert_eq!((camera.focal_length, camera.distance), (960.0, 600.0));
        let image = profile.inputs[0].image.as_ref().unwrap();
        assert_eq!((image.width, image.scale, image.std), (8, 0.5, [1.0, 2.0, 3.0]));
        let OutputSpec::Binned { bins, bin_width, offset, pitch, yaw } = &profile.output else {
            panic!("{:?}", profile.output);
        };
        assert_eq!((*bins, *bin_width, *offset), (90, 4.0, -180.0));
        assert_eq!(pitch.tensor, TensorRef::Index(1));
        assert_eq!((&yaw.tensor, yaw.negate), (&TensorRef::Name("yaw".into()), true));
    }

    #[test]
    fn a_written_profile_reads_back() {
        for profile in builtin::all() {
            let text = toml::to_string(&profile).unwrap();
            assert_eq!(ModelProfile::from_toml(&text).as_ref(), Ok(&profile), "{text}");
        }
    }

    #[test]
    fn errors_name_the_key() {
        for (from, to, key) in [
            ("name = \"own\"", "name = \" \"", "name"),
            ("name = \"own\"", "name = \"own\"\nframe = \"ray\"", "frame"),
            ("margin = 0.2", "margin = 4.5", "region.margin"),
            ("margin = 0.2", "margin = nan", "region.margin"),
            ("960.0", "nan", "normalization.focal-length"),
            ("600", "0.6", "normalization.distance"),
            ("role = \"face\"", "role = \"left-eye\"", "normalization"),
            ("width = 8", "width = 5000", "input[0].image.width"),
            ("width = 8", "width = 0", "input[0].image.width"),
            ("scale = 0.5", "scale = 0.0", "input[0].image.scale"),
            ("scale = 0.5", "scale = inf", "input[0].image.scale"),
            ("scale = 0.5", "mean = [nan, 0.0, 0.0]", "input[0].image.mean"),
            ("std = [1.0, 2.0, 3.0]", "std = [1.0, 0.0, 3.0]", "input[0].image.std"),
            ("role = \"face\"", "role = \"head-pose\"", "input"),
            ("bins = 90", "bins = 1", "output.bins"),
            ("bin-width = 4.0", "bin-width = -4.0", "output.bin-width"),
            ("offset = -180.0", "offset = inf", "output.offset"),
            ("tensor = \"yaw\"", "tensor = 1", "output.yaw"),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            match ModelProfile::from_toml(&text) {
                Err(ProfileError::Invalid { key: found, .. }) => assert_eq!(found, key),
                other => panic!("{to}: {other:?}"),
            }
        }
    }

    #[test]
    fn inputs_must_differ_and_have_images() {
        let second = |text: &str| GOOD.replace("[output]", &format!("[[input]]\n{text}\n[output]"));
        for (text, key) in [
            ("tensor = 1\nrole = \"face\"\nimage = {}", "input[1].role"),
            ("tensor = 0\nrole = \"left-eye\"\nimage = {}", "input[1].tensor"),
            ("tensor = 1\nrole = \"left-eye\"", "input[1].image"),
            ("tensor = 1\nrole = \"head-pose\"\nimage = {}", "input[1].image"),
            ("tensor = 1\nrole = \"head-pose\"\neye = {}", "input[1].eye"),
            (
                "tensor = 1\nrole = \"left-eye\"\nimage = {}\neye = { scale = nan }",
                "input[1].eye.scale",
            ),
            (
                "tensor = 1\nrole = \"left-eye\"\nimage = {}\n[[input]]\ntensor = 2\n\
                 role = \"right-eye\"\nimage = {}\neye = { rotate-by-roll = false }",
                "input[2].eye.rotate-by-roll",
            ),
        ] {
            match ModelProfile::from_toml(&second(text)) {
                Err(ProfileError::Invalid { key: found, .. }) => assert_eq!(found, key),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn axes_keep_three_directions() {
        let start = GOOD.split("[output]").next().unwrap();
        let vector = "[output]\ndecoder = \"direction\"\ntensor = 0\naxes = [1.0, 0.0, 1.0]";
        let error = ModelProfile::from_toml(&format!("{start}{vector}")).unwrap_err();
        assert!(matches!(error, ProfileError::Invalid { key, .. } if key == "output.axes"));
    }

    #[test]
    fn the_axes_are_the_cameras_by_default() {
        let crop = GOOD.replace("[normalization]\nfocal-length = 960.0\ndistance = 600\n", "");
        assert_eq!(ModelProfile::from_toml(&crop).unwrap().axes, GazeAxes::Camera);
        let ray = format!("frame = \"ray\"\n{crop}");
        let profile = ModelProfile::from_toml(&ray).unwrap();
        assert_eq!(profile.axes, GazeAxes::Ray);
        assert_eq!(ModelProfile::from_toml(&toml::to_string(&profile).unwrap()), Ok(profile));
        let world = format!("frame = \"world\"\n{crop}");
        let error = ModelProfile::from_toml(&world).unwrap_err().to_string();
        assert!(error.contains("world") && error.contains("ray"), "{error}");
    }

    #[test]
    fn unknown_keys_and_broken_text_name_the_line() {
        let unknown = GOOD.replace("margin = 0.2", "marign = 0.2");
        let error = ModelProfile::from_toml(&unknown).unwrap_err().to_string();
        assert!(error.contains("marign") && error.contains("margin"), "{error}");
        let broken = ModelProfile::from_toml("name = \"own\"\nregion = {").unwrap_err().to_string();
        assert!(broken.contains("line 2"), "{broken}");
    }
}
