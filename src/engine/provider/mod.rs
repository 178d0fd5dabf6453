//! Execution providers: who computes a model.
//!
//! Everything names providers by [`ExecutionProvider`]; each has a module that turns settings into
//! its options. What was asked for is what runs, or opening fails: a model never moves to the CPU
//! unasked, wholly or in part.
//!
//! | module | says |
//! |---|---|
//! | this one | which providers there are, how one gets into a session |
//! | `options` | options as such; which of them a provider knows |
//! | `cuda`, `tensorrt`, [`qnn`], `openvino`, `xnnpack` | settings as options of that provider |

mod cuda;
mod openvino;
pub(super) mod options;
pub mod qnn;
mod tensorrt;
mod xnnpack;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::MutexGuard;

use ort::device::Device;
use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider, ExecutionProvider as _};
use ort::session::builder::SessionBuilder;

pub(super) use cuda::has_graphs;
use options::{ProviderOptions, Task};
use qnn::QnnBackend;

use super::EngineOptions;
use super::device::DevicePlace;
use super::runtime::Runtime;
use crate::core::inference::EngineError;
use crate::core::onnx::epcontext::EngineKind;

/// Who computes a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExecutionProvider {
    /// The first of TensorRT, CUDA, QNN on an NPU and OpenVINO that ONNX Runtime has and that takes
    /// the whole model, else the CPU.
    #[default]
    Auto,
    /// ONNX Runtime's own kernels.
    Cpu,
    /// NVIDIA CUDA.
    Cuda,
    /// NVIDIA TensorRT.
    TensorRt,
    /// Qualcomm AI Engine Direct.
    Qnn,
    /// Intel OpenVINO.
    OpenVino,
    /// XNNPACK, for Arm and x86 CPUs.
    Xnnpack,
}

/// The numbers that a model is computed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// As the provider does by itself.
    #[default]
    Auto,
    /// 32-bit floats, nothing shorter.
    Fp32,
    /// 16-bit floats where the provider can lower a model to them.
    Fp16,
    /// 8-bit integers: the model must be quantised.
    Int8,
}

impl Precision {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Fp32, Self::Fp16, Self::Int8];

    /// Its name in properties and on command lines.
    pub const fn nick(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Int8 => "int8",
        }
    }
}

/// What [`ExecutionProvider::Auto`] tries before the CPU, the best first. XNNPACK is not among them:
/// it computes on the same processor as ONNX Runtime's own kernels, seldom faster.
const AUTOMATIC: [ExecutionProvider; 4] = [
    ExecutionProvider::TensorRt,
    ExecutionProvider::Cuda,
    ExecutionProvider::Qnn,
    ExecutionProvider::OpenVino,
];

impl ExecutionProvider {
    /// Every provider, in the order of the enumeration.
    pub const ALL: [Self; 7] = [
        Self::Auto,
        Self::Cpu,
        Self::Cuda,
        Self::TensorRt,
        Self::Qnn,
        Self::OpenVino,
        Self::Xnnpack,
    ];

    /// Its name in properties, on command lines and in messages.
    pub const fn nick(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::Qnn => "qnn",
            Self::OpenVino => "openvino",
            Self::Xnnpack => "xnnpack",
        }
    }

    /// Whether the loaded ONNX Runtime was built with it. That a device for it is there as well
    /// shows only when a model is opened.
    fn is_built_in(self) -> bool {
        match self {
            Self::Auto | Self::Cpu => Ok(true),
            Self::Cuda => ep::CUDA::is_available(),
            Self::TensorRt => ep::TensorRT::is_available(),
            Self::Qnn => ep::QNN::is_available(),
            Self::OpenVino => ep::OpenVINO::is_available(),
            Self::Xnnpack => ep::XNNPACK::is_available(),
        }
        .unwrap_or(false)
    }

    /// The providers that a loaded ONNX Runtime has: those that it was built with, and those whose
    /// plug-in is found.
    pub fn at_hand(runtime: &Runtime) -> Vec<Self> {
        let at_hand = |provider: &Self| {
            *provider != Self::Auto
                && (provider.is_built_in()
                    || (*provider == Self::Qnn && qnn::find(runtime).is_ok()))
        };
        Self::ALL.into_iter().filter(at_hand).collect()
    }

    /// The providers that are to be tried, in this order.
    pub(super) fn candidates(self, runtime: &Runtime) -> Vec<Self> {
        if self != Self::Auto {
            return vec![self];
        }
        let usable = |provider: &Self| match provider {
            // An emulator is no accelerator.
            Self::Qnn => cfg!(target_arch = "aarch64") && qnn::has_npu(runtime),
            provider => provider.is_built_in(),
        };
        AUTOMATIC.into_iter().filter(usable).chain([Self::Cpu]).collect()
    }

    /// The memory of its device that inputs may be in; `None` where they are in the host's.
    pub(super) fn place(self, options: &EngineOptions) -> Option<DevicePlace> {
        match self {
            Self::Cuda | Self::TensorRt => Some(cuda::place(options)),
            _ => None,
        }
    }

    /// Whether it compiles for shapes that are all known.
    pub(super) fn needs_fixed_shapes(self) -> bool {
        self == Self::Qnn
    }

    /// Whether what it compiled can be taken out as a model and kept.
    pub(super) fn gives_compiled_models(self) -> bool {
        self == Self::Qnn
    }

    /// Whether it compiles at all: what the others run is the model itself.
    pub const fn compiles(self) -> bool {
        matches!(self, Self::TensorRt | Self::Qnn | Self::OpenVino)
    }

    /// A file besides the model on which what it compiles depends, and which it wants in its folder.
    pub(super) fn companion(self, options: &[(String, String)]) -> Option<PathBuf> {
        match self {
            Self::TensorRt => tensorrt::calibration_table(options),
            _ => None,
        }
    }

    /// Whether it keeps what it compiled by itself, in a folder that it is given.
    pub(super) fn keeps_a_folder(self) -> bool {
        matches!(self, Self::TensorRt | Self::OpenVino)
    }

    /// The provider that runs engines of a kind.
    pub(super) fn of(kind: EngineKind) -> Self {
        match kind {
            EngineKind::TensorRtPlan => Self::TensorRt,
            EngineKind::QnnContext => Self::Qnn,
        }
    }

    /// Its options for a task.
    ///
    /// # Errors
    /// [`EngineError::Provider`] where it is not to be had, or cannot follow the settings.
    pub(super) fn configure(
        self,
        runtime: &Runtime,
        task: &Task<'_>,
    ) -> Result<Configured, EngineError> {
        let at_hand = self.is_built_in() || self == Self::Qnn;
        if !at_hand {
            return Err(self.missing(runtime));
        }
        let mut configured = Configured {
            provider: self,
            options: ProviderOptions::default(),
            versions: Vec::new(),
            plugin: None,
            backend: task.options.qnn_backend,
            allow_fallback: task.options.allow_fallback,
        };
        configured.options = match self {
            Self::Auto | Self::Cpu => {
                task.refuse_half(Self::Cpu)?;
                task.needs_quantised(Self::Cpu)?;
                let mut none = ProviderOptions::default();
                none.take(self, &[], &task.options.provider_options)?;
                none
            }
            Self::Cuda => cuda::options(task)?,
            Self::TensorRt => tensorrt::options(task)?,
            Self::OpenVino => openvino::options(task)?,
            Self::Xnnpack => xnnpack::options(task)?,
            Self::Qnn => {
                let origin = qnn::find(runtime)?;
                let options = qnn::options(task, &origin)?;
                configured.versions = qnn::versions(&origin, &options);
                if let qnn::Origin::Plugin(path) = origin {
                    configured.plugin = Some(path);
                }
                options
            }
        };
        Ok(configured)
    }

    fn missing(self, runtime: &Runtime) -> EngineError {
        let names: Vec<&str> = Self::at_hand(runtime).iter().map(|p| p.nick()).collect();
        let reason = format!(
            "the ONNX Runtime {} at '{}' is built without it, it has only: {}",
            runtime.version(),
            runtime.path().display(),
            names.join(", ")
        );
        let remedy = format!(
            "Set GAZE_ORT_LIBRARY to an ONNX Runtime that is built with {self}, or use \
             execution-provider=cpu"
        );
        options::refuse(self, reason, &remedy)
    }
}

/// Puts the CPU into a session's options. Where plug-ins are registered, by whomever in this process,
/// ONNX Runtime chooses among them for a session that names no provider.
pub(super) fn cpu(runtime: &Runtime, builder: SessionBuilder) -> ort::Result<SessionBuilder> {
    let is_cpu = |device: &Device<'_>| device.ep().is_ok_and(|name| name == ep::CPU::NAME);
    let device = runtime.environment().devices().find(is_cpu);
    builder.with_devices(device, None).map_err(|why| ort::Error::new(why.message()))
}

/// A provider with its options, ready for sessions.
#[derive(Clone, Debug)]
pub(super) struct Configured {
    pub(super) provider: ExecutionProvider,
    pub(super) options: ProviderOptions,
    /// Versions of its libraries, on which a compiled model depends.
    pub(super) versions: Vec<(String, String)>,
    plugin: Option<PathBuf>,
    backend: QnnBackend,
    allow_fallback: bool,
}

impl Configured {
    /// Puts the provider into a session's options. Unless nodes may go to the CPU, ONNX Runtime
    /// refuses, after it has divided the model's nodes among providers, a model of which some are
    /// the CPU's (`session.disable_cpu_ep_fallback`).
    ///
    /// # Errors
    /// [`EngineError::Provider`] where the provider cannot start.
    pub(super) fn register(
        &self,
        runtime: &Runtime,
        mut builder: SessionBuilder,
    ) -> Result<SessionBuilder, EngineError> {
        let refused = |why: ort::Error| {
            options::refuse(
                self.provider,
                why.message().to_owned(),
                "Check its driver, its libraries and provider-options, or use \
                 execution-provider=cpu",
            )
        };
        match self.provider {
            ExecutionProvider::Auto | ExecutionProvider::Cpu => {
                return cpu(runtime, builder).map_err(refused);
            }
            ExecutionProvider::Cuda => self.append(ep::CUDA::default(), &mut builder),
            ExecutionProvider::TensorRt => self.append(ep::TensorRT::default(), &mut builder),
            ExecutionProvider::OpenVino => self.append(ep::OpenVINO::default(), &mut builder),
            ExecutionProvider::Xnnpack => self.append(ep::XNNPACK::default(), &mut builder),
            ExecutionProvider::Qnn => match &self.plugin {
                None => self.append(ep::QNN::default(), &mut builder),
                Some(library) => {
                    let (backend, options) = (self.backend, &self.options);
                    builder = qnn::append_plugin(runtime, builder, library, backend, options)?;
                    Ok(())
                }
            },
        }
        .map_err(refused)?;
        if self.allow_fallback {
            return Ok(builder);
        }
        builder.with_disable_cpu_fallback().map_err(|why| refused(ort::Error::new(why.message())))
    }

    /// Held while a session opens, by providers of which only one may open at a time.
    pub(super) fn alone(&self) -> Option<MutexGuard<'static, ()>> {
        self.plugin.is_some().then(qnn::alone)
    }

    /// To be called when a session has opened.
    pub(super) fn opened(&self) {
        if self.plugin.is_some() {
            qnn::opened(&self.options);
        }
    }

    fn append<E>(&self, provider: E, builder: &mut SessionBuilder) -> ort::Result<()>
    where
        E: ep::ExecutionProvider + ArbitrarilyConfigurableExecutionProvider,
    {
        let options = self.options.iter();
        let provider = options
            .fold(provider, |provider, (name, value)| provider.with_arbitrary_config(name, value));
        provider.register(builder)
    }
}

impl fmt::Display for ExecutionProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.nick())
    }
}

impl FromStr for ExecutionProvider {
    type Err = EngineError;

    fn from_str(nick: &str) -> Result<Self, EngineError> {
        Self::ALL.into_iter().find(|provider| provider.nick() == nick).ok_or_else(|| {
            EngineError::Provider {
                provider: nick.to_owned(),
                reason: "there is no provider of this name".to_owned(),
                remedy: format!("Use one of: {}", Self::ALL.map(Self::nick).join(", ")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineOptions;

    pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// What a provider makes of settings, for a model in floating point whose shapes are fixed.
    pub(super) fn task_options(
        given: &EngineOptions,
        options: impl FnOnce(&Task<'_>) -> Result<ProviderOptions, EngineError>,
    ) -> Result<Vec<(String, String)>, EngineError> {
        let task = Task {
            options: given,
            inputs: &[],
            free_batch: false,
            quantised: false,
            compiled: false,
            folder: None,
        };
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(options(&task)?.iter().map(pair).collect())
    }

    #[test]
    fn nicks_are_unique_and_parse_back() {
        for provider in ExecutionProvider::ALL {
            assert_eq!(provider.nick().parse(), Ok(provider));
        }
        let error = "gpu".parse::<ExecutionProvider>().unwrap_err().to_string();
        assert!(error.contains("gpu") && error.contains("tensorrt"), "{error}");
    }
}
