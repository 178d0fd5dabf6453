//! Settings as options of QNN. Their names are those of
//! <https://onnxruntime.ai/docs/execution-providers/QNN-ExecutionProvider.html> and of version 2.7.0 of
//! the plug-in.

use super::library::QnnLibrary;
use crate::core::inference::EngineError;
use crate::engine::provider::kind::{ExecutionProvider, Precision, QnnBackend};
use crate::engine::provider::options::{ProviderOptions, Task, Values};

const PROVIDER: ExecutionProvider = ExecutionProvider::Qnn;

/// The options that a user may set.
const KNOWN: &[&str] = &[
    "backend_path",
    "backend_type",
    "device_id",
    "disable_file_mapped_weights",
    "dump_json_qnn_graph",
    "enable_htp_fp16_clamp_overflow",
    "enable_htp_fp16_precision",
    "enable_htp_shared_memory_allocator",
    "enable_htp_spill_fill_buffer",
    "enable_htp_weight_sharing",
    "enable_vtcm_backup_buffer_sharing",
    "extended_udma",
    "htp_arch",
    "htp_bf16_enable",
    "htp_graph_finalization_optimization_mode",
    "htp_performance_mode",
    "htp_share_resource_optimization",
    "json_qnn_graph_dir",
    "offload_graph_io_quantization",
    "op_packages",
    "profiling_file_path",
    "profiling_level",
    "qnn_context_priority",
    "qnn_saver_path",
    "rpc_control_latency",
    "skip_qnn_version_check",
    "soc_model",
    "vtcm_mb",
];

/// The values of options that the plug-in does not check itself (2.7.0): it silently computes with a
/// default instead of another value.
const VALUES: &[(&str, Values)] = &[
    ("backend_type", Values::OneOf(&["cpu", "gpu", "htp", "saver", "ir"])),
    ("enable_htp_fp16_precision", Values::Flag),
    ("enable_htp_shared_memory_allocator", Values::Flag),
    ("enable_htp_spill_fill_buffer", Values::Flag),
    ("enable_htp_weight_sharing", Values::Flag),
    // Hexagon's versions: 68, 69, 73, 75, 79, 81; 0 is the device's own.
    ("htp_arch", Values::UpTo(199)),
    ("htp_graph_finalization_optimization_mode", Values::UpTo(3)),
    (
        "htp_performance_mode",
        Values::OneOf(&[
            "burst",
            "balanced",
            "default",
            "extreme_power_saver",
            "high_performance",
            "high_power_saver",
            "low_balanced",
            "low_power_saver",
            "power_saver",
            "sustained_high_performance",
        ]),
    ),
    ("offload_graph_io_quantization", Values::Flag),
    ("profiling_level", Values::OneOf(&["off", "basic", "detailed", "optrace"])),
    ("qnn_context_priority", Values::OneOf(&["low", "normal", "normal_high", "high"])),
    ("rpc_control_latency", Values::UpTo(u32::MAX)),
    ("soc_model", Values::UpTo(u32::MAX)),
    ("vtcm_mb", Values::UpTo(1024)),
];

/// The library of a backend.
fn backend_library(backend: QnnBackend) -> &'static str {
    match backend {
        QnnBackend::Htp => "libQnnHtp.so",
        QnnBackend::Gpu => "libQnnGpu.so",
        QnnBackend::Cpu => "libQnnCpu.so",
    }
}

pub(in crate::engine::provider) fn options(
    task: &Task<'_>,
    library: &QnnLibrary,
) -> Result<ProviderOptions, EngineError> {
    task.needs_quantised(PROVIDER)?;
    let mut options = ProviderOptions::default();
    let backend = backend_library(task.options.qnn_backend);
    let beside = match library {
        QnnLibrary::Plugin(path) => {
            path.parent().map(|dir| dir.join(backend)).filter(|p| p.exists())
        }
        QnnLibrary::Runtime => None,
    };
    // Otherwise the loader's path decides, as on a device with Qualcomm's SDK installed.
    options.set("backend_path", beside.unwrap_or_else(|| backend.into()).display());
    if task.options.device_id != 0 {
        options.set("device_id", task.options.device_id);
    }
    match task.options.precision {
        Precision::Auto | Precision::Int8 => {}
        Precision::Fp32 => options.flag("enable_htp_fp16_precision", false),
        Precision::Fp16 => options.flag("enable_htp_fp16_precision", true),
    }
    options.take(PROVIDER, KNOWN, &task.options.provider_options)?;
    options.check_values(PROVIDER, VALUES)?;
    let given = |name: &str| task.options.provider_options.iter().any(|(other, _)| other == name);
    if given("backend_type") && !given("backend_path") {
        // The two exclude each other.
        options.remove("backend_path");
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::super::library::LIBRARY;
    use super::*;
    use crate::engine::options::EngineOptions;
    use crate::engine::provider::tests::{pairs, task_options};

    #[test]
    fn settings_become_the_documented_options() {
        let dir = tempfile::tempdir().unwrap();
        let plugin = dir.path().join(LIBRARY);
        std::fs::write(dir.path().join("libQnnHtp.so"), "").unwrap();
        let of = |given: &EngineOptions| {
            task_options(given, |task| options(task, &QnnLibrary::Plugin(plugin.clone()))).unwrap()
        };
        let htp = dir.path().join("libQnnHtp.so").display().to_string();
        assert_eq!(of(&EngineOptions::default()), pairs(&[("backend_path", &htp)]));
        let given = EngineOptions {
            device_id: 1,
            qnn_backend: QnnBackend::Gpu,
            precision: Precision::Fp32,
            provider_options: pairs(&[("htp_performance_mode", "burst"), ("soc_model", "69")]),
            ..EngineOptions::default()
        };
        let expected = pairs(&[
            ("backend_path", "libQnnGpu.so"),
            ("device_id", "1"),
            ("enable_htp_fp16_precision", "0"),
            ("htp_performance_mode", "burst"),
            ("soc_model", "69"),
        ]);
        assert_eq!(of(&given), expected);
        let by_type = EngineOptions {
            provider_options: pairs(&[("backend_type", "htp")]),
            ..EngineOptions::default()
        };
        assert_eq!(of(&by_type), pairs(&[("backend_type", "htp")]));
    }

    #[test]
    fn a_value_that_the_plug_in_would_ignore_is_refused() {
        let of = |name: &str, value: &str| {
            let given = EngineOptions {
                provider_options: pairs(&[(name, value)]),
                ..EngineOptions::default()
            };
            task_options(&given, |task| options(task, &QnnLibrary::Runtime))
        };
        for (name, value, wanted) in [
            ("htp_performance_mode", "nonsense", "sustained_high_performance"),
            ("qnn_context_priority", "urgent", "normal_high"),
            ("soc_model", "abc", "whole number"),
            ("htp_arch", "9999", "0 to 199"),
            ("vtcm_mb", "-3", "whole number"),
            ("enable_htp_fp16_precision", "maybe", "0 or 1"),
            ("htp_graph_finalization_optimization_mode", "4", "0 to 3"),
        ] {
            let error = of(name, value).unwrap_err().to_string();
            let told = [name, value, wanted].iter().all(|part| error.contains(part));
            assert!(told, "{name}={value}: {error}");
        }
        for (name, value, taken) in [
            ("htp_performance_mode", "burst", "burst"),
            ("qnn_context_priority", "high", "high"),
            ("htp_arch", "73", "73"),
            ("enable_htp_fp16_precision", "True", "1"),
        ] {
            let taken = (name.to_owned(), taken.to_owned());
            assert!(of(name, value).unwrap().contains(&taken), "{name}={value}");
        }
    }
}
