//! The execution providers, their number formats, and what each can do.

use std::fmt;
use std::str::FromStr;

use ort::ep::{self, ExecutionProvider as _};

use crate::core::inference::EngineError;
use crate::core::onnx::epcontext::EngineKind;

/// What computes a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExecutionProvider {
    /// The first of TensorRT, CUDA, QNN on an NPU and OpenVINO that ONNX Runtime has and that runs the
    /// whole model, else the CPU.
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

    /// Whether the loaded ONNX Runtime was built with it. Only opening a model shows whether it has a
    /// device.
    pub(super) fn is_built_in(self) -> bool {
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

    /// Whether it compiles for fixed shapes alone.
    pub(in crate::engine) fn needs_fixed_shapes(self) -> bool {
        self == Self::Qnn
    }

    /// Whether it gives its compiled models out, to be kept.
    pub(in crate::engine) fn gives_compiled_models(self) -> bool {
        self == Self::Qnn
    }

    /// Whether it compiles at all; the others run the model as it is.
    pub const fn compiles(self) -> bool {
        matches!(self, Self::TensorRt | Self::Qnn | Self::OpenVino)
    }

    /// Whether it writes its compiled models into a folder itself.
    pub(in crate::engine) fn keeps_a_folder(self) -> bool {
        matches!(self, Self::TensorRt | Self::OpenVino)
    }

    /// The provider that runs compiled engines of a kind.
    pub(in crate::engine) fn of(kind: EngineKind) -> Self {
        match kind {
            EngineKind::TensorRtPlan => Self::TensorRt,
            EngineKind::QnnContext => Self::Qnn,
        }
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
                reason: "no provider has this name".to_owned(),
                remedy: format!("Use one of: {}", Self::ALL.map(Self::nick).join(", ")),
            }
        })
    }
}

/// The number format that a model is computed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// That of the provider's own choice.
    #[default]
    Auto,
    /// 32-bit floats, nothing shorter.
    Fp32,
    /// 16-bit floats, if the provider can lower a model to them.
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

/// The part of a Qualcomm chip that computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum QnnBackend {
    /// The Hexagon NPU.
    #[default]
    Htp,
    /// The Adreno GPU.
    Gpu,
    /// The reference implementation on the CPU.
    Cpu,
}

impl QnnBackend {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Htp, Self::Gpu, Self::Cpu];

    /// Its name in properties and on command lines.
    pub const fn nick(self) -> &'static str {
        match self {
            Self::Htp => "htp",
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
        }
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
