//! Execution providers: who computes a model.
//!
//! One place turns a provider into session options (`ExecutionProvider::register`); everything
//! else names providers by [`ExecutionProvider`]. What was asked for is what runs, or opening
//! fails: a model never moves to the CPU unasked.

use std::fmt;
use std::str::FromStr;

use ort::ep::{self, ExecutionProvider as _};
use ort::session::builder::SessionBuilder;

use super::runtime::Runtime;
use crate::core::tensor::EngineError;

/// Who computes a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExecutionProvider {
    /// The best that is known to work everywhere; at present the CPU.
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

    /// The providers that a loaded ONNX Runtime was built with.
    pub fn built_in(_runtime: &Runtime) -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|provider| *provider != Self::Auto && provider.is_built_in())
            .collect()
    }

    /// Puts the provider into a session's options and answers which one will run.
    ///
    /// # Errors
    /// [`EngineError::Provider`] where it is not to be had.
    pub(super) fn register(
        self,
        runtime: &Runtime,
        builder: SessionBuilder,
    ) -> Result<(SessionBuilder, Self), EngineError> {
        match self {
            // The CPU is what a session uses without being told.
            Self::Auto | Self::Cpu => Ok((builder, Self::Cpu)),
            other => Err(other.missing(runtime)),
        }
    }

    fn missing(self, runtime: &Runtime) -> EngineError {
        let built_in = Self::built_in(runtime);
        let (reason, remedy) = if built_in.contains(&self) {
            let reason = "this version of the plugin does not run models on it yet";
            (reason.to_owned(), "Use execution-provider=cpu".to_owned())
        } else {
            let names: Vec<&str> = built_in.iter().map(|provider| provider.nick()).collect();
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
            (reason, remedy)
        };
        EngineError::Provider { provider: self.nick().to_owned(), reason, remedy }
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

    #[test]
    fn nicks_are_unique_and_parse_back() {
        for provider in ExecutionProvider::ALL {
            assert_eq!(provider.nick().parse(), Ok(provider));
        }
        let error = "gpu".parse::<ExecutionProvider>().unwrap_err().to_string();
        assert!(error.contains("gpu") && error.contains("tensorrt"), "{error}");
    }
}
