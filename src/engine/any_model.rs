//! A model of any kind made ready, and told what it is for.

use std::path::Path;

use super::EngineOptions;
use super::diagnostics::{Diagnostics, Opened};
use super::gaze_model::{OpenError, bind, load, profile_of};
use super::session::OrtEngine;
use crate::core::face::attributes::{AttributeModel, recognise_any};
use crate::core::face::detect;
use crate::core::face::detect::{DetectorKind, opening_size};
use crate::core::geometry::Size;
use crate::core::profile::{FoundBy, ProfileError, ResolvedProfile};

/// The longer side of inputs that are free, where nobody says: what any detector opens at.
const FREE_SIZE: u32 = 320;

/// What a model is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// Gaze, with what goes in and comes out, and how that was found.
    Gaze(Box<ResolvedProfile>, FoundBy),
    /// Faces.
    Detector(DetectorKind),
    /// Something else of a face.
    Attribute(AttributeModel),
    /// Not known; why it is no gaze model.
    Unknown(ProfileError),
}

impl Role {
    /// What it is, for people: `a gaze model (mobilegaze)`.
    pub fn name(&self) -> String {
        match self {
            Self::Gaze(profile, _) => format!("a gaze model ({})", profile.name),
            Self::Detector(kind) => format!("a face detector ({})", kind.name()),
            Self::Attribute(model) => model.name().to_owned(),
            Self::Unknown(_) => "a model of no kind that is known".to_owned(),
        }
    }
}

/// What a model that is no gaze model gets for dimensions that it leaves open.
pub(super) fn free_size(options: &EngineOptions) -> Size {
    options.input_size.unwrap_or_else(|| opening_size(FREE_SIZE))
}

/// A model of any kind, ready to run.
#[derive(Debug)]
pub struct AnyModel {
    /// Runs it.
    pub engine: OrtEngine,
    /// What it is for.
    pub role: Role,
}

/// Opens a model of any kind. A gaze model gets the sizes of its profile, which is found as
/// [`open_model`](super::open_model) does; what another model leaves open is `input_size` of the
/// options, or a size that suits detectors.
///
/// # Errors
/// [`OpenError::Engine`] where it does not run, [`OpenError::Profile`] where the `profile` that was
/// named does not fit.
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
