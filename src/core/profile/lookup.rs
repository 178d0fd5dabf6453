//! Finds the profile of a model: by name, beside the model, in its metadata, or by its signature.

use std::fmt;

use super::builtin;
use super::error::ProfileError;
use super::metadata_keys::{METADATA_NAME, METADATA_TOML};
use super::model::ModelProfile;
use super::resolve::ResolvedProfile;
use crate::core::inference::tensor::{ModelInfo, list};

/// How a profile was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// The user named it: a built-in profile or a file.
    Named(String),
    /// In a file beside the model.
    Sidecar(String),
    /// In the model file's metadata.
    Metadata,
    /// By the model's inputs and outputs: a guess, which the caller reports to the user.
    Recognised {
        /// Other built-in profiles with the same effect.
        alike: Vec<&'static str>,
    },
}

impl FoundBy {
    /// Whether the profile is a guess.
    pub fn is_guess(&self) -> bool {
        matches!(self, Self::Recognised { .. })
    }
}

impl fmt::Display for FoundBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "named '{name}'"),
            Self::Sidecar(path) => write!(f, "in '{path}' beside the model"),
            Self::Metadata => f.write_str("in the model's metadata"),
            Self::Recognised { alike } if alike.is_empty() => {
                f.write_str("guessed from the model's inputs and outputs")
            }
            Self::Recognised { alike } => {
                write!(
                    f,
                    "guessed from the model's inputs and outputs, the same as {}",
                    alike.join(", ")
                )
            }
        }
    }
}

/// Finds the profile of a model. The first of these wins:
///
/// 1. `named`: the name of a built-in profile, or the path of a TOML file;
/// 2. the first existing file of `sidecars`, the paths beside the model;
/// 3. the model's metadata, [`METADATA_TOML`] before [`METADATA_NAME`];
/// 4. the one built-in profile that fits its inputs and outputs.
///
/// `read` returns the text of a file, or `None` where the file does not exist.
///
/// # Errors
/// [`ProfileError`]; an error in a file's text names the file.
pub fn find_profile(
    info: &ModelInfo,
    named: Option<&str>,
    sidecars: &[String],
    mut read: impl FnMut(&str) -> Result<Option<String>, String>,
) -> Result<(ResolvedProfile, FoundBy), ProfileError> {
    let mut read = |path: &str| {
        read(path).map_err(|reason| ProfileError::Read { path: path.to_owned(), reason })
    };
    if let Some(named) = named {
        let source = FoundBy::Named(named.to_owned());
        if let Some(profile) = builtin::find(named) {
            return Ok((profile.with_layout_of(info).resolve(info)?, source));
        }
        let text = read(named)?.ok_or_else(|| unknown(named))?;
        return Ok((parse_and_resolve(&text, info, &format!("'{named}'"))?, source));
    }
    for path in sidecars {
        if let Some(text) = read(path)? {
            let profile = parse_and_resolve(&text, info, &format!("'{path}'"))?;
            return Ok((profile, FoundBy::Sidecar(path.clone())));
        }
    }
    if let Some(text) = info.metadata.get(METADATA_TOML) {
        let origin = format!("the model's metadata '{METADATA_TOML}'");
        return Ok((parse_and_resolve(text, info, &origin)?, FoundBy::Metadata));
    }
    if let Some(name) = info.metadata.get(METADATA_NAME) {
        let origin = format!("the model's metadata '{METADATA_NAME}'");
        let profile = builtin::find(name).ok_or_else(|| unknown(name));
        let resolved = profile.and_then(|profile| profile.with_layout_of(info).resolve(info));
        return Ok((resolved.map_err(|why| why.within(&origin))?, FoundBy::Metadata));
    }
    recognise(info)
}

/// Finds the profile of an engine whose file declares no inputs and outputs: the first two steps of
/// [`find_profile`].
///
/// # Errors
/// As [`find_profile`]; [`ProfileError::Invalid`] where neither step finds one.
pub fn find_profile_without_model(
    named: Option<&str>,
    sidecars: &[String],
    mut read: impl FnMut(&str) -> Result<Option<String>, String>,
) -> Result<ModelProfile, ProfileError> {
    if let Some(profile) = named.and_then(builtin::find) {
        return Ok(profile);
    }
    let paths = named.map_or_else(|| sidecars.to_vec(), |named| vec![named.to_owned()]);
    for path in &paths {
        let text =
            read(path).map_err(|reason| ProfileError::Read { path: path.clone(), reason })?;
        if let Some(text) = text {
            let profile = ModelProfile::from_toml(&text);
            return profile.map_err(|why| why.within(&format!("'{path}'")));
        }
    }
    Err(match named {
        Some(named) => unknown(named),
        None => ProfileError::invalid(
            "profile",
            format!(
                "is missing, and a compiled engine does not declare its inputs and outputs. Name a \
                 profile, or put one beside the engine ({})",
                sidecars.join(", ")
            ),
        ),
    })
}

fn unknown(name: &str) -> ProfileError {
    ProfileError::Unknown { name: name.to_owned(), builtins: builtin::names() }
}

fn parse_and_resolve(
    text: &str,
    info: &ModelInfo,
    origin: &str,
) -> Result<ResolvedProfile, ProfileError> {
    ModelProfile::from_toml(text)
        .and_then(|profile| profile.resolve(info))
        .map_err(|why| why.within(origin))
}

/// The built-in profile that fits and reads all of the outputs. Several profiles with the same effect
/// count as one.
fn recognise(info: &ModelInfo) -> Result<(ResolvedProfile, FoundBy), ProfileError> {
    let profiles = builtin::all();
    let fitting: Vec<(&'static str, ResolvedProfile)> = builtin::names()
        .into_iter()
        .zip(&profiles)
        .filter_map(|(name, profile)| {
            let resolved = profile.clone().with_layout_of(info).resolve(info).ok()?;
            resolved.reads_all_of(info).then_some((name, resolved))
        })
        .collect();
    let Some((_, first)) = fitting.first() else {
        return Err(ProfileError::Unrecognised {
            inputs: list(&info.inputs),
            outputs: list(&info.outputs),
            known: profiles.iter().map(signature).collect(),
        });
    };
    if fitting.iter().any(|(_, other)| !other.does_the_same_as(first)) {
        return Err(ProfileError::Ambiguous {
            candidates: fitting.iter().map(|(name, _)| *name).collect(),
        });
    }
    let alike = fitting.iter().skip(1).map(|(name, _)| *name).collect();
    Ok((first.clone(), FoundBy::Recognised { alike }))
}

/// What a built-in profile expects, for people.
fn signature(profile: &ModelProfile) -> String {
    format!("{} ({})", profile.name, profile.description)
}

#[cfg(test)]
mod tests {
    use super::super::model::InputRole;
    use super::super::resolve::ResolvedOutput;
    use super::*;
    use crate::core::image::spec::{ImageSpec, Layout};
    use crate::core::inference::tensor::{ElementType, TensorInfo};

    fn tensor(name: &str, shape: &[i64]) -> TensorInfo {
        let shape = shape.iter().map(|dim| usize::try_from(*dim).ok()).collect();
        TensorInfo { name: name.to_owned(), element: Some(ElementType::F32), shape }
    }

    fn model(inputs: Vec<TensorInfo>, outputs: Vec<TensorInfo>) -> ModelInfo {
        ModelInfo { name: "test".to_owned(), inputs, outputs, ..ModelInfo::default() }
    }

    fn face(shape: &[i64], outputs: &[&[i64]]) -> ModelInfo {
        let outputs = outputs.iter().enumerate().map(|(i, s)| tensor(&format!("out{i}"), s));
        model(vec![tensor("input", shape)], outputs.collect())
    }

    fn mobilegaze() -> ModelInfo {
        face(&[-1, 3, 448, 448], &[&[-1, 90], &[-1, 90]])
    }

    fn no_file(_: &str) -> Result<Option<String>, String> {
        Ok(None)
    }

    fn image(profile: &ResolvedProfile) -> &ImageSpec {
        profile.inputs[0].image.as_ref().unwrap()
    }

    const OWN: &str = r#"
name = "own"
[[input]]
tensor = 0
role = "face"
image = {}
[output]
decoder = "binned"
bins = 90
bin-width = 4.0
offset = -180.0
pitch = { tensor = 1 }
yaw = { tensor = 0 }
"#;

    #[test]
    fn a_named_profile_wins_over_sidecar_metadata_and_guess() {
        let mut info = mobilegaze();
        info.metadata.insert(METADATA_TOML.to_owned(), OWN.replace("own", "meta"));
        info.metadata.insert(METADATA_NAME.to_owned(), "l2cs-net".to_owned());
        let sidecars = ["first".to_owned(), "second".to_owned()];
        let files = |path: &str| {
            let name = match path {
                "given.toml" => "given",
                "second" => "sidecar",
                _ => return Ok(None),
            };
            Ok(Some(OWN.replace("own", name)))
        };
        let (profile, source) = find_profile(&info, Some("given.toml"), &sidecars, files).unwrap();
        let named = FoundBy::Named("given.toml".to_owned());
        assert_eq!((profile.name.as_str(), &source), ("given", &named));
        let (profile, source) = find_profile(&info, Some("mobilegaze"), &sidecars, files).unwrap();
        assert_eq!(profile.name, "mobilegaze");
        assert!(!source.is_guess());
        let (profile, source) = find_profile(&info, None, &sidecars, files).unwrap();
        let beside = FoundBy::Sidecar("second".to_owned());
        assert_eq!((profile.name.as_str(), &source), ("sidecar", &beside));
        let (profile, source) = find_profile(&info, None, &sidecars, no_file).unwrap();
        assert_eq!((profile.name.as_str(), &source), ("meta", &FoundBy::Metadata));
        info.metadata.remove(METADATA_TOML);
        let (profile, source) = find_profile(&info, None, &[], no_file).unwrap();
        assert_eq!((profile.name.as_str(), &source), ("l2cs-net", &FoundBy::Metadata));
    }

    #[test]
    fn published_files_are_recognised_in_any_layout_and_batch() {
        for (info, name, layout) in [
            (mobilegaze(), "mobilegaze", Layout::Nchw),
            (face(&[1, 448, 448, 3], &[&[1, 90], &[1, 90]]), "mobilegaze", Layout::Nhwc),
            (face(&[1, 3, 448, 448], &[&[1, 28], &[1, 28]]), "mobilegaze-mpiigaze", Layout::Nchw),
        ] {
            let (profile, source) = find_profile(&info, None, &[], no_file).unwrap();
            assert_eq!((profile.name.as_str(), image(&profile).layout), (name, layout));
            assert!(source.is_guess());
        }
        let (_, source) = find_profile(&mobilegaze(), None, &[], no_file).unwrap();
        assert_eq!(source, FoundBy::Recognised { alike: vec!["l2cs-net"] });
    }

    #[test]
    fn named_inputs_are_found_in_any_order() {
        let info = model(
            vec![
                tensor("head_pose_angles", &[1, 3]),
                tensor("right_eye_image", &[1, 3, 60, 60]),
                tensor("left_eye_image", &[1, 3, 60, 60]),
            ],
            vec![tensor("gaze_vector", &[1, 3])],
        );
        let (profile, _) = find_profile(&info, None, &[], no_file).unwrap();
        let roles: Vec<InputRole> = profile.inputs.iter().map(|input| input.role).collect();
        assert_eq!(roles, [InputRole::HeadPose, InputRole::RightEye, InputRole::LeftEye]);
        assert_eq!(profile.inputs[0].item_shape, [3]);
        let vector = ResolvedOutput::Direction { output: 0, axes: [1.0, -1.0, 1.0] };
        assert_eq!(profile.output, vector);
    }

    #[test]
    fn an_engine_takes_its_profile_from_outside() {
        let beside = ["beside.gaze.toml".to_owned()];
        let files = |path: &str| Ok((path == "beside.gaze.toml").then(|| OWN.to_owned()));
        assert_eq!(find_profile_without_model(None, &beside, files).unwrap().name, "own");
        assert_eq!(
            find_profile_without_model(Some("l2cs-net"), &beside, files).unwrap().name,
            "l2cs-net"
        );
        let none = find_profile_without_model(None, &beside, no_file).unwrap_err().to_string();
        assert!(none.contains("beside.gaze.toml"), "{none}");
        let unknown = find_profile_without_model(Some("l2cs"), &beside, no_file).unwrap_err();
        assert!(matches!(unknown, ProfileError::Unknown { .. }), "{unknown}");
    }

    #[test]
    fn an_ambiguous_model_lists_candidates_and_remedy() {
        // The shapes do not tell RGB from BGR.
        let info = face(&[-1, 3, 224, 224], &[&[-1, 2]]);
        let error = find_profile(&info, None, &[], no_file).unwrap_err();
        let ProfileError::Ambiguous { candidates } = &error else { panic!("{error}") };
        assert_eq!(candidates, &["gazecapsnet", "eth-xgaze", "unigaze", "mpiifacegaze"]);
        assert!(error.to_string().contains(METADATA_NAME), "{error}");
    }

    #[test]
    fn an_unknown_model_lists_its_tensors_and_the_profiles() {
        for info in [
            face(&[1, 3, 8, 8], &[&[1, 2]]),
            // One output more than a known model has.
            face(&[1, 3, 448, 448], &[&[1, 90], &[1, 90], &[1, 1]]),
            face(&[1, 3, 224, 224], &[&[1, 5]]),
            model(Vec::new(), Vec::new()),
        ] {
            let error = find_profile(&info, None, &[], no_file).unwrap_err();
            let ProfileError::Unrecognised { inputs, known, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!(*inputs, list(&info.inputs));
            assert_eq!(known.len(), builtin::names().len());
        }
    }

    #[test]
    fn errors_name_the_source_of_the_profile() {
        let info = mobilegaze();
        let unknown =
            find_profile(&info, Some("mobile-gaze"), &[], no_file).unwrap_err().to_string();
        assert!(unknown.contains("mobile-gaze") && unknown.contains("l2cs-net"), "{unknown}");
        let sidecars = ["beside.gaze.toml".to_owned()];
        let broken = |_: &str| Ok(Some(OWN.replace("bins = 90", "bins = 0")));
        let broken = find_profile(&info, None, &sidecars, broken).unwrap_err().to_string();
        assert!(broken.contains("beside.gaze.toml") && broken.contains("output.bins"), "{broken}");
        let locked = |_: &str| Err("permission denied".to_owned());
        let locked = find_profile(&info, Some("own.toml"), &[], locked).unwrap_err().to_string();
        assert!(locked.contains("own.toml") && locked.contains("permission denied"), "{locked}");
        let mut info = mobilegaze();
        info.metadata.insert(METADATA_NAME.to_owned(), "nothing".to_owned());
        let error = find_profile(&info, None, &[], no_file).unwrap_err().to_string();
        assert!(error.contains(METADATA_NAME) && error.contains("nothing"), "{error}");
    }
}
