//! NVIDIA CUDA. Option names are those of
//! <https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html>.

use super::options::{ProviderOptions, Task, refuse};
use super::{ExecutionProvider, Precision};
use crate::core::tensor::EngineError;

const PROVIDER: ExecutionProvider = ExecutionProvider::Cuda;

/// What a user may set. Pointers of the process (streams, allocators) are left out.
pub(super) const KNOWN: &[&str] = &[
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
    refuse_graphs(PROVIDER, &options, "enable_cuda_graph")?;
    Ok(options)
}

/// A CUDA graph replays with the addresses of its first run, so that inputs and outputs must stay
/// in device memory; here they are in host memory and copied to another place for each run.
pub(super) fn refuse_graphs(
    provider: ExecutionProvider,
    options: &ProviderOptions,
    name: &str,
) -> Result<(), EngineError> {
    if options.is_on(name) {
        let reason = "CUDA graphs need inputs and outputs in device memory, and this version of \
                      the plugin has them in host memory";
        return Err(refuse(provider, reason, &format!("Leave {name} out")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pairs, task_options};
    use super::*;
    use crate::engine::EngineOptions;

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
    fn what_it_cannot_do_is_refused() {
        for (given, part) in [
            (pairs(&[("enable_cuda_graph", "1")]), "device memory"),
            (pairs(&[("gpu_memory_limit", "1")]), "no option 'gpu_memory_limit'"),
        ] {
            let given = EngineOptions { provider_options: given, ..EngineOptions::default() };
            let error = task_options(&given, options).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let half = EngineOptions { precision: Precision::Fp16, ..EngineOptions::default() };
        assert!(task_options(&half, options).unwrap_err().to_string().contains("fp16"));
    }
}
