//! The arguments that choose how a model runs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use gstgaze::engine::provider::QnnBackend;
use gstgaze::engine::provider::{ExecutionProvider, Precision};
use gstgaze::engine::{EngineCache, EngineOptions};

/// Chooses how a model runs.
#[derive(clap::Args)]
pub struct EngineArgs {
    /// Execution provider that runs the model.
    #[arg(long, value_name = "PROVIDER", default_value = "auto", value_parser = provider())]
    pub provider: ExecutionProvider,
    /// Threads on the CPU; 0 chooses.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Number format that the provider computes in.
    #[arg(long, value_name = "NUMBERS", default_value = "auto", value_parser = named(Precision::ALL, Precision::nick))]
    pub precision: Precision,
    /// Device number, where the provider has several.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub device_id: u32,
    /// Part of a Qualcomm chip that runs the model.
    #[arg(long, value_name = "BACKEND", default_value = "htp", value_parser = named(QnnBackend::ALL, QnnBackend::nick))]
    pub qnn_backend: QnnBackend,
    /// Further option of the provider, as ONNX Runtime documents it; may be repeated.
    #[arg(long = "provider-option", value_name = "NAME=VALUE", value_parser = name_value)]
    pub provider_options: Vec<(String, String)>,
    /// Folder that keeps compiled models; "" keeps none [default: the user's cache folder].
    #[arg(long, value_name = "DIR", value_parser = clap::builder::OsStringValueParser::new())]
    pub engine_cache: Option<OsString>,
    /// Let the CPU run the nodes that the provider cannot run.
    #[arg(long)]
    pub allow_fallback: bool,
}

/// Parses the name of an execution provider.
pub fn provider() -> impl clap::builder::TypedValueParser<Value = ExecutionProvider> {
    named(ExecutionProvider::ALL, ExecutionProvider::nick)
}

/// Parses a value by the name that `nick` gives it.
fn named<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    nick: fn(T) -> &'static str,
) -> impl clap::builder::TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.map(nick)).try_map(move |found| {
        all.into_iter().find(|value| nick(*value) == found).ok_or("unknown name")
    })
}

/// Parses `NAME=VALUE`.
fn name_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

impl EngineArgs {
    /// The engine's options.
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

    /// The options of two models that are compared. Where the second has a provider of its own, the
    /// provider's arguments apply to that one alone.
    pub fn for_two(&self, second: Option<ExecutionProvider>) -> (EngineOptions, EngineOptions) {
        match second {
            None => (self.options(), self.options()),
            Some(provider) => {
                (self.plain(self.provider), EngineOptions { provider, ..self.options() })
            }
        }
    }

    /// The options of the models that find faces: the CPU runs them, whatever runs the gaze model.
    pub fn for_faces(&self) -> EngineOptions {
        self.plain(ExecutionProvider::Cpu)
    }

    fn plain(&self, provider: ExecutionProvider) -> EngineOptions {
        EngineOptions { provider, threads: self.threads, ..EngineOptions::default() }
    }
}
