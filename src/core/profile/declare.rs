//! The inputs and outputs that a profile implies, for engines whose file does not declare them.

use super::error::ProfileError;
use super::model::{ModelProfile, OutputSpec, TensorRef};
use crate::core::image::spec::{ImageSpec, Layout};
use crate::core::inference::tensor::{ElementType, ModelInfo, TensorInfo};

/// Number of values of a head pose and of a direction.
const TRIPLE: usize = 3;

impl ModelProfile {
    /// The tensors of a model of this profile, for `batch` items. All are float32, the default of
    /// compilers.
    ///
    /// # Errors
    /// [`ProfileError::Invalid`] where the profile refers to a tensor by position, or an image has no
    /// size.
    pub fn declared(&self, batch: usize) -> Result<ModelInfo, ProfileError> {
        self.validate()?;
        let mut inputs = Vec::new();
        for (i, input) in self.inputs.iter().enumerate() {
            let name = name(&input.tensor, &format!("input[{i}].tensor"))?;
            let item = match &input.image {
                Some(image) => image_shape(image, &format!("input[{i}].image.width"))?,
                None => vec![TRIPLE],
            };
            inputs.push(tensor(name, batch, &item));
        }
        let mut outputs: Vec<TensorInfo> = Vec::new();
        for (key, wanted, columns) in self.output.columns() {
            let name = name(wanted, key)?;
            match outputs.iter_mut().find(|output| output.name == name) {
                Some(output) => output.shape[1] = output.shape[1].max(Some(columns)),
                None => outputs.push(tensor(name, batch, &[columns])),
            }
        }
        Ok(ModelInfo { name: self.name.clone(), inputs, outputs, ..ModelInfo::default() })
    }
}

impl OutputSpec {
    /// Each output tensor, with its key and its least number of columns.
    fn columns(&self) -> Vec<(&'static str, &TensorRef, usize)> {
        let (pitch, yaw, width) = match self {
            Self::Regression { pitch, yaw, .. } => (pitch, yaw, 1),
            Self::Binned { bins, pitch, yaw, .. } => (pitch, yaw, *bins),
            Self::Direction { tensor, .. } => return vec![("output.tensor", tensor, TRIPLE)],
        };
        vec![
            ("output.pitch.tensor", &pitch.tensor, pitch.column + width),
            ("output.yaw.tensor", &yaw.tensor, yaw.column + width),
        ]
    }
}

fn name<'a>(tensor: &'a TensorRef, key: &str) -> Result<&'a str, ProfileError> {
    match tensor {
        TensorRef::Name(name) => Ok(name),
        TensorRef::Index(_) => Err(ProfileError::invalid(
            key,
            "is a position, and a compiled engine does not declare its tensors: give the name",
        )),
    }
}

fn image_shape(image: &ImageSpec, key: &str) -> Result<Vec<usize>, ProfileError> {
    if image.width == 0 {
        let reason = "is missing, and a compiled engine does not declare the size of its input";
        return Err(ProfileError::invalid(key, reason));
    }
    let (rows, columns) = (image.height as usize, image.width as usize);
    let channels = image.channels.count();
    Ok(match image.layout {
        Layout::Nchw => vec![channels, rows, columns],
        Layout::Nhwc => vec![rows, columns, channels],
    })
}

fn tensor(name: &str, batch: usize, item: &[usize]) -> TensorInfo {
    TensorInfo {
        name: name.to_owned(),
        element: Some(ElementType::F32),
        shape: [batch].iter().chain(item).map(|dim| Some(*dim)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::builtin;
    use super::*;

    #[test]
    fn declared_tensors_fit_the_profile() {
        let mut profile = builtin::find("gaze-estimation-adas-0002").unwrap();
        let OutputSpec::Direction { tensor, .. } = &mut profile.output else { panic!() };
        *tensor = TensorRef::Name("gaze_vector".to_owned());
        let info = profile.declared(2).unwrap();
        let shown: Vec<String> =
            info.inputs.iter().chain(&info.outputs).map(TensorInfo::to_string).collect();
        assert!(shown.contains(&"left_eye_image [2,3,60,60] float32".to_owned()), "{shown:?}");
        assert!(shown.contains(&"head_pose_angles [2,3] float32".to_owned()), "{shown:?}");
        assert!(shown.contains(&"gaze_vector [2,3] float32".to_owned()), "{shown:?}");
        assert!(profile.resolve(&info).is_ok());
    }

    fn own(tensors: [&str; 3], size: u32) -> ModelProfile {
        let [input, pitch, yaw] = tensors;
        let text = format!(
            "name = 'own'\n[[input]]\ntensor = {input}\nrole = 'face'\n\
             image = {{ width = {size}, height = {size}, layout = 'nhwc', channels = 'gray' }}\n\
             [output]\ndecoder = 'binned'\nbins = 90\nbin-width = 4.0\noffset = -180.0\n\
             pitch = {{ tensor = {pitch} }}\nyaw = {{ tensor = {yaw}, column = 90 }}\n"
        );
        ModelProfile::from_toml(&text).unwrap()
    }

    #[test]
    fn columns_of_one_output_add_up() {
        let info = own(["'face'", "'angles'", "'angles'"], 32).declared(1).unwrap();
        assert_eq!(info.inputs[0].to_string(), "face [1,32,32,1] float32");
        assert_eq!(info.outputs.len(), 1);
        assert_eq!(info.outputs[0].to_string(), "angles [1,180] float32");
        let info = own(["'face'", "'pitch'", "'yaw'"], 32).declared(1).unwrap();
        assert_eq!(info.outputs[0].to_string(), "pitch [1,90] float32");
    }

    #[test]
    fn the_profile_must_have_names_and_sizes() {
        for (profile, wanted) in [
            (own(["0", "'a'", "'b'"], 32), "input[0].tensor"),
            (own(["'face'", "'a'", "1"], 32), "output.yaw.tensor"),
            (own(["'face'", "'a'", "'b'"], 0), "input[0].image.width"),
        ] {
            let error = profile.declared(1).unwrap_err();
            assert!(
                matches!(&error, ProfileError::Invalid { key, .. } if key == wanted),
                "{error}"
            );
        }
    }
}
