//! Opening models for a command: arguments in, an engine or a failure out.

use std::path::Path;

use gstgaze::core::face::attributes::{Attribute, AttributeError};
use gstgaze::core::face::detect::{FaceDetector, opening_size};
use gstgaze::core::gaze::estimator::GazeEstimator;
use gstgaze::core::inference::{Engine, EngineError};
use gstgaze::engine::log::LogLevel;
use gstgaze::engine::{self, Diagnostic, EngineOptions, OpenError, Role, embedded};

use crate::output::{Failure, note};

/// The longer side of the image for detectors with a free input size; `gazeface` has the same.
const DETECTOR_SIZE: u32 = 640;

/// Writes the warnings of opening a model to standard error.
pub fn warn(diagnostics: &[Diagnostic]) {
    for Diagnostic { text, .. } in diagnostics.iter().filter(|d| d.level == LogLevel::Warning) {
        note(&format!("warning: {text}"));
    }
}

/// Opens a gaze model with its profile, or the embedded one by its name.
pub fn open_gaze(
    path: &Path,
    profile: Option<&str>,
    options: &EngineOptions,
) -> Result<GazeEstimator, Failure> {
    if path.as_os_str() == embedded::NAME && profile.is_none() {
        let opened = engine::open_embedded(options);
        let model = opened.result.map_err(|why| Failure::file(path, why))?;
        warn(&opened.diagnostics);
        return GazeEstimator::new(model.engine, &model.profile, model.decoder)
            .map_err(|why| Failure::file(path, why));
    }
    let opened = engine::open_model(path, profile, options);
    let model = opened.result.map_err(|why| match why {
        OpenError::Engine(why) => Failure::cannot(why.to_string()),
        OpenError::Profile(why) => {
            misplaced(path, options, "a gaze model").unwrap_or_else(|| Failure::file(path, why))
        }
    })?;
    warn(&opened.diagnostics);
    if model.source.is_guess() {
        note(&format!("'{}': profile {} {}", path.display(), model.profile.name, model.source));
    }
    GazeEstimator::new(model.engine, &model.profile, model.decoder)
        .map_err(|why| Failure::file(path, why))
}

/// Tells which argument takes a model that is not `wanted`; `None` where its role is unknown.
fn misplaced(path: &Path, options: &EngineOptions, wanted: &str) -> Option<Failure> {
    let role = engine::open_any(path, None, options).result.ok()?.role;
    let remedy = match &role {
        Role::Gaze(..) => "pass it as MODEL",
        Role::Detector(_) => "pass it with --face-model",
        Role::Attribute(model) => match model.attribute() {
            Attribute::Landmarks => "pass it with --landmark-model",
            Attribute::HeadPose => "pass it with --head-pose-model",
            Attribute::EyeState => "no command takes it",
        },
        Role::Unknown(_) => return None,
    };
    Some(Failure::file(path, format_args!("this is {}, not {wanted}: {remedy}", role.name())))
}

/// Opens a face detector, or the embedded one by its name.
pub fn open_detector(path: &Path, options: &EngineOptions) -> Result<FaceDetector, Failure> {
    if path.as_os_str() == embedded::NAME {
        return FaceDetector::embedded(DETECTOR_SIZE).map_err(|why| Failure::file(path, why));
    }
    let options =
        EngineOptions { input_size: Some(opening_size(DETECTOR_SIZE)), ..options.clone() };
    let engine = engine::open(path, &options).result;
    let hint = || misplaced(path, &options, "a face detector");
    let engine = engine.map_err(|why| other_shape(&why, hint))?;
    FaceDetector::new(Box::new(engine), DETECTOR_SIZE)
        .map_err(|why| hint().unwrap_or_else(|| Failure::file(path, why)))
}

/// Opens a model that looks at one face; `recognise` makes it from the engine.
pub fn open_attribute<T>(
    path: &Path,
    options: &EngineOptions,
    attribute: Attribute,
    recognise: impl FnOnce(Box<dyn Engine>) -> Result<T, AttributeError>,
) -> Result<T, Failure> {
    let wanted = match attribute {
        Attribute::Landmarks => "a landmark model",
        Attribute::HeadPose => "a head pose model",
        Attribute::EyeState => "an eye state model",
    };
    let hint = || misplaced(path, options, wanted);
    let opened = EngineOptions {
        batch_size: 1,
        input_size: Some(attribute.input_size()),
        ..options.clone()
    };
    let engine = engine::open(path, &opened).result.map_err(|why| other_shape(&why, hint))?;
    recognise(Box::new(engine)).map_err(|why| hint().unwrap_or_else(|| Failure::file(path, why)))
}

/// The failure of a model that does not run: one of another role may not take the size that is tried.
fn other_shape(why: &EngineError, hint: impl Fn() -> Option<Failure>) -> Failure {
    let shape = matches!(why, EngineError::Run(_) | EngineError::Unsupported(_));
    shape.then(hint).flatten().unwrap_or_else(|| Failure::cannot(why.to_string()))
}
