//! Opening models for a command: arguments in, an engine or a failure out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use gstgaze::core::face::attributes::{Attribute, AttributeError};
use gstgaze::core::face::detect::{FaceDetector, opening_size};
use gstgaze::core::gaze::estimator::GazeEstimator;
use gstgaze::core::inference::{Engine, EngineError};
use gstgaze::engine::provider::qnn::QnnBackend;
use gstgaze::engine::provider::{ExecutionProvider, Precision};
use gstgaze::engine::runtime::LogLevel;
use gstgaze::engine::{self, Diagnostic, EngineCache, EngineOptions, OpenError, Role, embedded};

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
    /// Numbers that the model is computed with.
    #[arg(long, value_name = "NUMBERS", default_value = "auto", value_parser = named(Precision::ALL, Precision::nick))]
    pub precision: Precision,
    /// Which of several devices of the provider.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub device_id: u32,
    /// Which part of a Qualcomm chip computes.
    #[arg(long, value_name = "BACKEND", default_value = "htp", value_parser = named(QnnBackend::ALL, QnnBackend::nick))]
    pub qnn_backend: QnnBackend,
    /// A further option of the provider, as ONNX Runtime documents it; may be repeated.
    #[arg(long = "provider-option", value_name = "NAME=VALUE", value_parser = name_value)]
    pub provider_options: Vec<(String, String)>,
    /// Directory where compiled models are kept; an empty one for nowhere [default: the user's].
    #[arg(long, value_name = "DIR", value_parser = clap::builder::OsStringValueParser::new())]
    pub engine_cache: Option<OsString>,
    /// Let the CPU run what the provider cannot.
    #[arg(long)]
    pub allow_fallback: bool,
}

/// Names of execution providers.
pub fn provider() -> impl clap::builder::TypedValueParser<Value = ExecutionProvider> {
    named(ExecutionProvider::ALL, ExecutionProvider::nick)
}

/// Those whose name, as `nick` gives it, is on the command line.
fn named<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    nick: fn(T) -> &'static str,
) -> impl clap::builder::TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.map(nick)).try_map(move |found| {
        all.into_iter().find(|value| nick(*value) == found).ok_or("there is none of this name")
    })
}

/// The two sides of `NAME=VALUE`.
fn name_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

impl EngineArgs {
    /// The same for the engine.
    pub fn options(&self) -> EngineOptions {
        EngineOptions {
            provider: self.provider,
            threads: self.threads,
            precision: self.precision,
            device_id: self.device_id,
            qnn_backend: self.qnn_backend,
            provider_options: self.provider_options.clone(),
            cache: match &self.engine_cache {
                None => EngineCache::User,
                Some(path) if path.is_empty() => EngineCache::Off,
                Some(path) => EngineCache::Directory(PathBuf::from(path)),
            },
            allow_fallback: self.allow_fallback,
            ..EngineOptions::default()
        }
    }

    /// The same for two models that are compared. Where the second has a provider of its own, what
    /// was said of providers is for that one.
    pub fn for_two(&self, second: Option<ExecutionProvider>) -> (EngineOptions, EngineOptions) {
        match second {
            None => (self.options(), self.options()),
            Some(provider) => {
                (self.plain(self.provider), { EngineOptions { provider, ..self.options() } })
            }
        }
    }

    /// For the models that find faces, whatever runs the gaze model.
    pub fn for_faces(&self) -> EngineOptions {
        self.plain(ExecutionProvider::Cpu)
    }

    fn plain(&self, provider: ExecutionProvider) -> EngineOptions {
        EngineOptions { provider, threads: self.threads, ..EngineOptions::default() }
    }
}

/// Prints the warnings among the diagnostics of opening a model.
pub fn tell(diagnostics: &[Diagnostic]) {
    for Diagnostic { text, .. } in diagnostics.iter().filter(|d| d.level == LogLevel::Warning) {
        note(&format!("warning: {text}"));
    }
}

/// A failure about a file.
pub fn about(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::cannot(format!("'{}': {why}", path.display()))
}

/// Opens a gaze model with its profile, or the embedded one by its name.
pub fn open_gaze(
    path: &Path,
    profile: Option<&str>,
    options: &EngineOptions,
) -> Result<GazeEstimator, Failure> {
    if path.as_os_str() == embedded::NAME && profile.is_none() {
        let opened = engine::open_embedded(options);
        let model = opened.result.map_err(|why| about(path, why))?;
        tell(&opened.diagnostics);
        return GazeEstimator::new(model.engine, &model.profile, model.decoder)
            .map_err(|why| about(path, why));
    }
    let opened = engine::open_model(path, profile, options);
    let model = opened.result.map_err(|why| match why {
        OpenError::Engine(why) => Failure::cannot(why.to_string()),
        OpenError::Profile(why) => {
            elsewhere(path, options, "a gaze model").unwrap_or_else(|| about(path, why))
        }
    })?;
    tell(&opened.diagnostics);
    if model.source.is_guess() {
        note(&format!("'{}': profile {} {}", path.display(), model.profile.name, model.source));
    }
    GazeEstimator::new(model.engine, &model.profile, model.decoder).map_err(|why| about(path, why))
}

/// Where a model belongs that is not `wanted`; `None` for one that nobody knows. Looked into only
/// for a better message.
fn elsewhere(path: &Path, options: &EngineOptions, wanted: &str) -> Option<Failure> {
    let role = engine::open_any(path, None, options).result.ok()?.role;
    let place = match &role {
        Role::Gaze(..) => "give it as MODEL",
        Role::Detector(_) => "give it with --face-model",
        Role::Attribute(model) => match model.attribute() {
            Attribute::Landmarks => "give it with --landmark-model",
            Attribute::HeadPose => "give it with --head-pose-model",
            Attribute::EyeState => "no command needs it",
        },
        Role::Unknown(_) => return None,
    };
    Some(about(path, format_args!("this is {}, not {wanted}: {place}", role.name())))
}

/// Opens a face detector, or the embedded one by its name.
pub fn open_detector(path: &Path, options: &EngineOptions) -> Result<FaceDetector, Failure> {
    if path.as_os_str() == embedded::NAME {
        return FaceDetector::embedded(DETECTOR_SIZE).map_err(|why| about(path, why));
    }
    let options =
        EngineOptions { input_size: Some(opening_size(DETECTOR_SIZE)), ..options.clone() };
    let engine = engine::open(path, &options).result;
    let sent = || elsewhere(path, &options, "a face detector");
    let engine = engine.map_err(|why| other_shape(&why, sent))?;
    FaceDetector::new(Box::new(engine), DETECTOR_SIZE)
        .map_err(|why| sent().unwrap_or_else(|| about(path, why)))
}

/// Opens a model that looks at single faces; `recognise` makes it of the engine.
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
    let sent = || elsewhere(path, options, wanted);
    let opened = EngineOptions {
        batch_size: 1,
        input_size: Some(attribute.input_size()),
        ..options.clone()
    };
    let engine = engine::open(path, &opened).result.map_err(|why| other_shape(&why, sent))?;
    recognise(Box::new(engine)).map_err(|why| sent().unwrap_or_else(|| about(path, why)))
}

/// A model that belongs elsewhere may not even run at the size that is tried.
fn other_shape(why: &EngineError, sent: impl Fn() -> Option<Failure>) -> Failure {
    let shape = matches!(why, EngineError::Run(_) | EngineError::Unsupported(_));
    shape.then(sent).flatten().unwrap_or_else(|| Failure::cannot(why.to_string()))
}
