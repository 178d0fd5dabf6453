//! The providers that the loaded ONNX Runtime offers.

use super::kind::ExecutionProvider;
use super::options::refuse;
use super::qnn;
use crate::core::inference::EngineError;
use crate::engine::runtime::Runtime;

/// The providers that [`ExecutionProvider::Auto`] tries before the CPU, the best first. XNNPACK is not
/// one of them: it computes on the same processor as ONNX Runtime's own kernels, seldom faster.
const AUTOMATIC: [ExecutionProvider; 4] = [
    ExecutionProvider::TensorRt,
    ExecutionProvider::Cuda,
    ExecutionProvider::Qnn,
    ExecutionProvider::OpenVino,
];

impl ExecutionProvider {
    /// The providers of a loaded ONNX Runtime: those that it was built with, and those whose plug-in is
    /// found.
    pub fn available(runtime: &Runtime) -> Vec<Self> {
        let available = |provider: &Self| {
            *provider != Self::Auto
                && (provider.is_built_in()
                    || (*provider == Self::Qnn && qnn::library::find(runtime).is_ok()))
        };
        Self::ALL.into_iter().filter(available).collect()
    }

    /// The providers to try, in this order.
    pub(in crate::engine) fn candidates(self, runtime: &Runtime) -> Vec<Self> {
        if self != Self::Auto {
            return vec![self];
        }
        let usable = |provider: &Self| match provider {
            // An emulator is no accelerator.
            Self::Qnn => cfg!(target_arch = "aarch64") && qnn::process::has_npu(runtime),
            provider => provider.is_built_in(),
        };
        AUTOMATIC.into_iter().filter(usable).chain([Self::Cpu]).collect()
    }

    /// The error of a provider that the runtime does not offer.
    pub(super) fn missing(self, runtime: &Runtime) -> EngineError {
        let names: Vec<&str> = Self::available(runtime).iter().map(|p| p.nick()).collect();
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
        refuse(self, reason, &remedy)
    }
}
