//! Opening a model of unknown purpose, and recognising the purpose.

use std::path::Path;

use super::diagnostics::{Diagnostics, Opened};
use super::gaze_profile::profile_of;
use super::open_gaze::{OpenError, bind, load};
use super::options::EngineOptions;
use super::ort_engine::OrtEngine;
use crate::core::face::attributes::{AttributeModel, recognise_any};
use crate::core::face::detect;
use crate::core::face::detect::{DetectorKind, opening_size};
use crate::core::geometry::Size;
use crate::core::profile::{FoundBy, ProfileError, ResolvedProfile};

/// The longer side of inputs of open size if the options name none: any detector opens at it.
const FREE_SIZE: u32 = 320;

/// The purpose of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// Gaze, with its profile and how the profile was found.
    Gaze(Box<ResolvedProfile>, FoundBy),
    /// Faces.
    Detector(DetectorKind),
    /// An attribute of a face.
    Attribute(AttributeModel),
    /// Unknown; the error says why it is no gaze model.
    Unknown(ProfileError),
}

impl Role {
    /// What it is, for people: `a gaze model (mobilegaze)`.
    pub fn name(&self) -> String {
        match self {
            Self::Gaze(profile, _) => format!("a gaze model ({})", profile.name),
            Self::Detector(kind) => format!("a face detector ({})", kind.name()),
            Self::Attribute(model) => model.name().to_owned(),
            Self::Unknown(_) => "a model of an unknown kind".to_owned(),
        }
    }
}

/// The input size of a model other than a gaze model that leaves it open.
pub(super) fn free_size(options: &EngineOptions) -> Size {
    options.input_size.unwrap_or_else(|| opening_size(FREE_SIZE))
}

/// A model of any kind, ready to run.
#[derive(Debug)]
pub struct AnyModel {
    /// Runs it.
    pub engine: OrtEngine,
    /// Its purpose.
    pub role: Role,
}

/// Opens a model of unknown purpose. A gaze model gets the sizes of its profile, found as by
/// [`open_model`](super::open_model); another model gets `input_size` of the options for dimensions that
/// it leaves open, or a size that suits detectors.
///
/// # Errors
/// [`OpenError::Engine`] if it does not run, [`OpenError::Profile`] if the named `profile` does not
/// fit.
pub fn open_any(
    path: impl AsRef<Path>,
    profile: Option<&str>,
    options: &EngineOptions,
) -> Opened<AnyModel, OpenError> {
    Opened::collect(|diagnostics| open(path.as_ref(), profile, options, diagnostics))
}

fn open(
    path: &Path,
    profile: Option<&str>,
    options: &EngineOptions,
    diagnostics: &Diagnostics,
) -> Result<AnyModel, OpenError> {
    let model = load(path, profile, options)?;
    match profile_of(path, model.info(), profile) {
        Ok((profile, source)) => {
            let engine = bind(model, &profile, diagnostics)?;
            Ok(AnyModel { engine, role: Role::Gaze(Box::new(profile), source) })
        }
        Err(why) if profile.is_some() => Err(why.into()),
        Err(why) => {
            let items = model.item_shapes(Some(free_size(options)))?;
            let engine = model.bind(&items, diagnostics)?;
            let role = if let Some(model) = recognise_any(&engine) {
                Role::Attribute(model)
            } else if let Ok(detector) = detect::recognise(&engine) {
                Role::Detector(detector.kind)
            } else {
                Role::Unknown(why)
            };
            Ok(AnyModel { engine, role })
        }
    }
}
