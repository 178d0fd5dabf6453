//! Intel OpenVINO. Option names are those of
//! <https://onnxruntime.ai/docs/execution-providers/OpenVINO-ExecutionProvider.html>.

use super::kind::{ExecutionProvider, Precision};
use super::options::{ProviderOptions, Task};
use crate::core::inference::EngineError;

const PROVIDER: ExecutionProvider = ExecutionProvider::OpenVino;

/// The options that a user may set.
const KNOWN: &[&str] = &[
    "cache_dir",
    "device_type",
    "disable_dynamic_shapes",
    "enable_causallm",
    "enable_opencl_throttling",
    "enable_qdq_optimizer",
    "layout",
    "load_config",
    "model_priority",
    "num_of_threads",
    "num_streams",
    "precision",
    "reshape_input",
];

pub(super) fn options(task: &Task<'_>) -> Result<ProviderOptions, EngineError> {
    task.refuse_device(
        PROVIDER,
        "Name the device with provider-options=\"device_type=GPU.1\" in its place",
    )?;
    task.needs_quantised(PROVIDER)?;
    let mut options = ProviderOptions::default();
    options.set("device_type", "CPU");
    options.set("num_of_threads", task.options.effective_threads());
    match task.options.precision {
        Precision::Auto => {}
        Precision::Fp32 => options.set("precision", "FP32"),
        Precision::Fp16 => options.set("precision", "FP16"),
        // Quantised nodes run as they are.
        Precision::Int8 => options.set("precision", "ACCURACY"),
    }
    if let Some(folder) = task.folder {
        options.set("cache_dir", folder.display());
    }
    options.take(PROVIDER, KNOWN, &task.options.provider_options)?;
    // The one provider whose flags are words.
    for name in [
        "disable_dynamic_shapes",
        "enable_causallm",
        "enable_opencl_throttling",
        "enable_qdq_optimizer",
    ] {
        if options.is_set(name) {
            let on = options.is_on(name);
            options.set(name, if on { "true" } else { "false" });
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pairs, task_options};
    use super::*;
    use crate::engine::options::EngineOptions;

    #[test]
    fn settings_become_the_documented_options() {
        let given = EngineOptions {
            threads: 3,
            precision: Precision::Fp16,
            provider_options: pairs(&[("device_type", "GPU.0"), ("enable_opencl_throttling", "1")]),
            ..EngineOptions::default()
        };
        let expected = pairs(&[
            ("num_of_threads", "3"),
            ("precision", "FP16"),
            ("device_type", "GPU.0"),
            ("enable_opencl_throttling", "true"),
        ]);
        assert_eq!(task_options(&given, options).unwrap(), expected);
        let device = EngineOptions { device_id: 1, ..EngineOptions::default() };
        assert!(task_options(&device, options).unwrap_err().to_string().contains("device_type"));
    }
}
