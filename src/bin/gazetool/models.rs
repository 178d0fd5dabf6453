//! Opening models for a command: arguments in, an engine or a failure out.

use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use gstgaze::core::attributes::{AttributeError, Stage};
use gstgaze::core::detect::{FaceDetector, opening_size};
use gstgaze::core::estimator::GazeEstimator;
use gstgaze::core::tensor::{Engine, EngineError};
use gstgaze::engine::provider::ExecutionProvider;
use gstgaze::engine::{self, EngineOptions, OpenError, Role};

use crate::output::{Failure, note};

/// The longer side of the picture for detectors whose input is free; that of `gazeface`.
const DETECTOR_SIZE: u32 = 640;

/// How to run models.
#[derive(clap::Args)]
pub struct EngineArgs {
    /// Execution provider that runs the model.
    #[arg(long, value_name = "PROVIDER", default_value = "auto", value_parser = provider())]
    pub provider: ExecutionProvider,
    /// Threads on the CPU; 0 chooses.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
}

/// Names of execution providers.
pub fn provider() -> impl clap::builder::TypedValueParser<Value = ExecutionProvider> {
    PossibleValuesParser::new(ExecutionProvider::ALL.map(ExecutionProvider::nick))
        .try_map(|nick| nick.parse::<ExecutionProvider>())
}

impl EngineArgs {
    /// The same for the engine.
    pub fn options(&self) -> EngineOptions {
        EngineOptions { provider: self.provider, threads: self.threads, ..EngineOptions::default() }
    }
}

/// A failure about a file.
pub fn about(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::cannot(format!("'{}': {why}", path.display()))
}

/// Opens a gaze model with its profile.
pub fn open_gaze(
    path: &Path,
    profile: Option<&str>,
    options: &EngineOptions,
) -> Result<GazeEstimator, Failure> {
    let model = engine::open_model(path, profile, options).map_err(|why| match why {
        OpenError::Engine(why) => Failure::cannot(why.to_string()),
        OpenError::Profile(why) => {
            elsewhere(path, options, "a gaze model").unwrap_or_else(|| about(path, why))
        }
    })?;
    if model.source.is_guess() {
        note(&format!("'{}': profile {} {}", path.display(), model.profile.name, model.source));
    }
    GazeEstimator::new(model.engine, &model.profile, model.decoder).map_err(|why| about(path, why))
}

/// Where a model belongs that is not `wanted`; `None` for one that nobody knows. Looked into only
/// for a better message.
fn elsewhere(path: &Path, options: &EngineOptions, wanted: &str) -> Option<Failure> {
    let role = engine::open_any(path, None, options).ok()?.role;
    let place = match &role {
        Role::Gaze(..) => "give it as MODEL",
        Role::Detector(_) => "give it with --face-model",
        Role::Attribute(model) => match model.stage() {
            Stage::Landmarks => "give it with --landmark-model",
            Stage::HeadPose => "give it with --head-pose-model",
            Stage::EyeState => "no command needs it",
        },
        Role::Unknown(_) => return None,
    };
    Some(about(path, format_args!("this is {}, not {wanted}: {place}", role.name())))
}

/// Opens a face detector.
pub fn open_detector(path: &Path, options: &EngineOptions) -> Result<FaceDetector, Failure> {
    let options =
        EngineOptions { input_size: Some(opening_size(DETECTOR_SIZE)), ..options.clone() };
    let engine = engine::open(path, &options);
    let sent = || elsewhere(path, &options, "a face detector");
    let engine = engine.map_err(|why| other_shape(&why, sent))?;
    FaceDetector::new(Box::new(engine), DETECTOR_SIZE)
        .map_err(|why| sent().unwrap_or_else(|| about(path, why)))
}

/// Opens a model that looks at single faces; `recognise` makes it of the engine.
pub fn open_attribute<T>(
    path: &Path,
    options: &EngineOptions,
    stage: Stage,
    recognise: impl FnOnce(Box<dyn Engine>) -> Result<T, AttributeError>,
) -> Result<T, Failure> {
    let wanted = match stage {
        Stage::Landmarks => "a landmark model",
        Stage::HeadPose => "a head pose model",
        Stage::EyeState => "an eye state model",
    };
    let sent = || elsewhere(path, options, wanted);
    let opened =
        EngineOptions { batch_size: 1, input_size: Some(stage.input_size()), ..options.clone() };
    let engine = engine::open(path, &opened).map_err(|why| other_shape(&why, sent))?;
    recognise(Box::new(engine)).map_err(|why| sent().unwrap_or_else(|| about(path, why)))
}

/// A model that belongs elsewhere may not even run at the size that is tried.
fn other_shape(why: &EngineError, sent: impl Fn() -> Option<Failure>) -> Failure {
    let shape = matches!(why, EngineError::Run(_) | EngineError::Unsupported(_));
    shape.then(sent).flatten().unwrap_or_else(|| Failure::cannot(why.to_string()))
}
