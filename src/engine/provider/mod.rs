//! Execution providers: what computes a model.
//!
//! The provider that the options name runs the model, or opening fails: a model never moves to the CPU
//! unasked, wholly or in part.
//!
//! | file | subject |
//! |---|---|
//! | `kind` | the providers, number formats and QNN backends as plain data |
//! | `available` | the providers that the loaded ONNX Runtime offers |
//! | `options` | options as such; which of them a provider knows |
//! | `cuda`, `tensorrt`, [`qnn`], `openvino`, `xnnpack` | settings as options of that provider |
//! | `configured` | a provider with its options, put into a session |

pub(super) mod available;
pub(super) mod configured;
pub(super) mod cuda;
pub(super) mod kind;
mod openvino;
pub(super) mod options;
pub mod qnn;
mod tensorrt;
mod xnnpack;

pub use kind::{ExecutionProvider, Precision, QnnBackend};

#[cfg(test)]
mod tests {
    use super::options::{ProviderOptions, Task};
    use crate::core::inference::EngineError;
    use crate::engine::options::EngineOptions;

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
}
