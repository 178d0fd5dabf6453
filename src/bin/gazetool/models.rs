//! Opening models for a command: arguments in, an engine or a failure out.

use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use gstgaze::core::attributes::{AttributeError, Stage};
use gstgaze::core::detect::{DetectError, FaceDetector, opening_size};
use gstgaze::core::estimator::GazeEstimator;
use gstgaze::core::geometry::Size;
use gstgaze::core::tensor::Engine;
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
        OpenError::Profile(why) => match role(path, options) {
            Some(Role::Detector(kind)) => about(
                path,
                format_args!(
                    "this is a face detector ({}), not a gaze model: give it with --face-model",
                    kind.name()
                ),
            ),
            Some(Role::Attribute(model)) => about(
                path,
                format_args!(
                    "this is {}, not a gaze model{}",
                    model.name(),
                    belongs(model.stage())
                ),
            ),
            _ => about(path, why),
        },
    })?;
    if model.source.is_guess() {
        note(&format!("'{}': profile {} {}", path.display(), model.profile.name, model.source));
    }
    GazeEstimator::new(model.engine, &model.profile, model.decoder).map_err(|why| about(path, why))
}

/// What a model is that is not what it was given as. Asked only for a better message.
fn role(path: &Path, options: &EngineOptions) -> Option<Role> {
    engine::open_any(path, None, options).ok().map(|model| model.role)
}

/// Where a model of a stage is given.
fn belongs(stage: Stage) -> &'static str {
    match stage {
        Stage::Landmarks => ": give it with --landmark-model",
        Stage::HeadPose => ": give it with --head-pose-model",
        Stage::EyeState => ", and no command needs it",
    }
}

/// Opens a face detector.
pub fn open_detector(path: &Path, options: &EngineOptions) -> Result<FaceDetector, Failure> {
    let options =
        EngineOptions { input_size: Some(opening_size(DETECTOR_SIZE)), ..options.clone() };
    let engine = engine::open(path, &options).map_err(|why| Failure::cannot(why.to_string()))?;
    FaceDetector::new(Box::new(engine), DETECTOR_SIZE).map_err(|why| match why {
        DetectError::GazeModel => about(
            path,
            "this looks like a gaze model: give it as MODEL, and --face-model a face detector, \
             such as YuNet",
        ),
        why => about(path, why),
    })
}

/// Opens a model that looks at single faces; `recognise` makes it of the engine.
pub fn open_attribute<T>(
    path: &Path,
    options: &EngineOptions,
    size: Size,
    recognise: impl FnOnce(Box<dyn Engine>) -> Result<T, AttributeError>,
) -> Result<T, Failure> {
    let options = EngineOptions { batch_size: 1, input_size: Some(size), ..options.clone() };
    let engine = engine::open(path, &options).map_err(|why| Failure::cannot(why.to_string()))?;
    recognise(Box::new(engine)).map_err(|why| about(path, why))
}
