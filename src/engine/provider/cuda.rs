//! NVIDIA CUDA. Option names are those of
//! <https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html>.

use ort::memory::AllocationDevice;

use super::kind::{ExecutionProvider, Precision};
use super::options::{ProviderOptions, Task, is_on, refuse};
use crate::core::inference::EngineError;
use crate::engine::device_tensors::InputDevice;
use crate::engine::options::EngineOptions;

const PROVIDER: ExecutionProvider = ExecutionProvider::Cuda;

/// The options that a user may set. Pointers of the process (streams, allocators) are left out.
const KNOWN: &[&str] = &[
    "device_id",
    "gpu_mem_limit",
    "arena_extend_strategy",
    "cudnn_conv_algo_search",
    "cudnn_conv_use_max_workspace",
    "cudnn_conv1d_pad_to_nc1d",
    "do_copy_in_default_stream",
    "enable_cuda_graph",
    "enable_skip_layer_norm_strict_mode",
    "fuse_conv_bias",
    "prefer_nhwc",
    "sdpa_kernel",
    "tunable_op_enable",
    "tunable_op_max_tuning_duration_ms",
    "tunable_op_tuning_enable",
    "use_ep_level_unified_stream",
    "use_tf32",
];

pub(super) fn options(task: &Task<'_>) -> Result<ProviderOptions, EngineError> {
    task.refuse_half(PROVIDER)?;
    task.needs_quantised(PROVIDER)?;
    let mut options = ProviderOptions::default();
    options.set("device_id", task.options.device_id);
    if task.options.precision == Precision::Fp32 {
        // TF32 keeps 10 bits of a product's factors.
        options.flag("use_tf32", false);
    }
    options.take(PROVIDER, KNOWN, &task.options.provider_options)?;
    if options.is_on(GRAPHS) && task.options.allow_fallback {
        let reason = "CUDA graphs need all of the model on the GPU, and allow-fallback gives parts of \
                      it to the CPU";
        return Err(refuse(PROVIDER, reason, &format!("Leave {GRAPHS} or allow-fallback out")));
    }
    Ok(options)
}

/// The option that records a run and replays it.
const GRAPHS: &str = "enable_cuda_graph";

/// The device whose memory the inputs of a provider may be in; `None` for the host.
pub(in crate::engine) fn input_device(
    provider: ExecutionProvider,
    options: &EngineOptions,
) -> Option<InputDevice> {
    matches!(provider, ExecutionProvider::Cuda | ExecutionProvider::TensorRt)
        .then(|| device(options))
}

fn device(options: &EngineOptions) -> InputDevice {
    let given = |name: &str| {
        let found = options.provider_options.iter().rev().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    };
    let on = |name| given(name).is_some_and(is_on);
    let number = given("device_id").and_then(|number| number.parse().ok());
    InputDevice {
        kind: AllocationDevice::CUDA,
        number: number.unwrap_or(options.device_id),
        graphs: on(GRAPHS) || on(super::tensorrt::GRAPHS),
    }
}

/// Whether the options ask for CUDA graphs.
pub(in crate::engine) fn has_graphs(options: &EngineOptions) -> bool {
    device(options).graphs
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pairs, task_options};
    use super::*;
    use crate::engine::options::EngineOptions;

    #[test]
    fn settings_become_the_documented_options() {
        let given = EngineOptions {
            device_id: 1,
            precision: Precision::Fp32,
            provider_options: pairs(&[
                ("gpu_mem_limit", "2147483648"),
                ("cudnn_conv_algo_search", "HEURISTIC"),
            ]),
            ..EngineOptions::default()
        };
        let options = task_options(&given, options).unwrap();
        let expected = pairs(&[
            ("device_id", "1"),
            ("use_tf32", "0"),
            ("gpu_mem_limit", "2147483648"),
            ("cudnn_conv_algo_search", "HEURISTIC"),
        ]);
        assert_eq!(options, expected);
    }

    #[test]
    fn graphs_are_the_gpus_alone() {
        let graphs = EngineOptions {
            provider_options: pairs(&[("enable_cuda_graph", "true"), ("device_id", "1")]),
            ..EngineOptions::default()
        };
        assert!(task_options(&graphs, options).is_ok());
        let InputDevice { number, graphs: on, .. } = device(&graphs);
        assert_eq!((number, on), (1, true), "the option's number is the session's");
        let fallback = EngineOptions { allow_fallback: true, ..graphs };
        let error = task_options(&fallback, options).unwrap_err().to_string();
        assert!(error.contains("allow-fallback"), "{error}");
        assert!(!device(&EngineOptions::default()).graphs);
    }

    #[test]
    fn what_it_cannot_do_is_refused() {
        let given = EngineOptions {
            provider_options: pairs(&[("gpu_memory_limit", "1")]),
            ..EngineOptions::default()
        };
        let error = task_options(&given, options).unwrap_err().to_string();
        assert!(error.contains("no option 'gpu_memory_limit'"), "{error}");
        let half = EngineOptions { precision: Precision::Fp16, ..EngineOptions::default() };
        assert!(task_options(&half, options).unwrap_err().to_string().contains("fp16"));
    }
}
