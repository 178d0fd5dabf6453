//! NVIDIA TensorRT. Option names are those of
//! <https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html>.
//!
//! The provider keeps engines and timings by itself, in the folder that it is given. It finds one
//! by the model, the device's compute capability and its own version.

use std::path::{Path, PathBuf};

use super::kind::{ExecutionProvider, Precision};
use super::options::{ProviderOptions, Task, refuse};
use crate::core::inference::EngineError;

const PROVIDER: ExecutionProvider = ExecutionProvider::TensorRt;

const TABLE: &str = "trt_int8_calibration_table_name";

/// The option that records a run and replays it.
pub(super) const GRAPHS: &str = "trt_cuda_graph_enable";

/// The options that a user may set. Pointers of the process (streams) are left out.
const KNOWN: &[&str] = &[
    "device_id",
    "trt_auxiliary_streams",
    "trt_bf16_enable",
    "trt_build_heuristics_enable",
    "trt_builder_optimization_level",
    "trt_context_memory_sharing_enable",
    "trt_cuda_graph_enable",
    "trt_detailed_build_log",
    "trt_dla_core",
    "trt_dla_enable",
    "trt_dump_ep_context_model",
    "trt_dump_subgraphs",
    "trt_engine_cache_enable",
    "trt_engine_cache_path",
    "trt_engine_cache_prefix",
    "trt_engine_decryption_enable",
    "trt_engine_decryption_lib_path",
    "trt_engine_hw_compatible",
    "trt_ep_context_embed_mode",
    "trt_ep_context_file_path",
    "trt_extra_plugin_lib_paths",
    "trt_force_sequential_engine_build",
    "trt_force_timing_cache",
    "trt_fp16_enable",
    "trt_int8_calibration_table_name",
    "trt_int8_enable",
    "trt_int8_use_native_calibration_table",
    "trt_layer_norm_fp32_fallback",
    "trt_load_user_initializer",
    "trt_max_partition_iterations",
    "trt_max_workspace_size",
    "trt_min_subgraph_size",
    "trt_onnx_model_folder_path",
    "trt_op_types_to_exclude",
    "trt_preview_features",
    "trt_profile_max_shapes",
    "trt_profile_min_shapes",
    "trt_profile_opt_shapes",
    "trt_sparsity_enable",
    "trt_tactic_sources",
    "trt_timing_cache_enable",
    "trt_timing_cache_path",
    "trt_weight_stripped_engine_enable",
];

pub(super) fn options(task: &Task<'_>) -> Result<ProviderOptions, EngineError> {
    let mut options = ProviderOptions::default();
    options.set("device_id", task.options.device_id);
    match task.options.precision {
        Precision::Auto => {}
        Precision::Fp32 => options.flag("trt_fp16_enable", false),
        Precision::Fp16 => options.flag("trt_fp16_enable", true),
        Precision::Int8 => {
            options.flag("trt_int8_enable", true);
            // Layers that stay in floating point need not be slower than fp16.
            options.flag("trt_fp16_enable", true);
        }
    }
    if let Some(folder) = task.folder.filter(|_| !task.compiled) {
        for name in ["engine", "timing"] {
            options.flag(&format!("trt_{name}_cache_enable"), true);
            options.set(&format!("trt_{name}_cache_path"), folder.display());
        }
    }
    if task.free_batch && !task.compiled {
        // All three have to be given. Most frames have few faces: the batch of one is the shortest
        // and the largest is what the kernels are chosen for.
        options.set("trt_profile_min_shapes", shapes(task, 1));
        options.set("trt_profile_opt_shapes", shapes(task, usize::MAX));
        options.set("trt_profile_max_shapes", shapes(task, usize::MAX));
    }
    options.take(PROVIDER, KNOWN, &task.options.provider_options)?;
    match calibration_table(&task.options.provider_options) {
        // It says what quantised nodes would say.
        Some(table) => place_table(&mut options, &table, task.folder)?,
        None => task.needs_quantised(PROVIDER)?,
    }
    let low = ["trt_fp16_enable", "trt_bf16_enable", "trt_int8_enable"];
    if options.is_on("trt_dla_enable") && !low.iter().any(|name| options.is_on(name)) {
        // The provider leaves the accelerator out without a word.
        let reason = "the deep learning accelerator computes in fp16 and int8 alone";
        return Err(refuse(PROVIDER, reason, "Set precision=fp16 or precision=int8"));
    }
    let several = task.inputs.iter().any(|(_, shape)| shape.first().is_some_and(|n| *n > 1));
    if options.is_on(GRAPHS) && task.free_batch && several {
        // It keeps one graph, whatever the batch.
        let reason = "its CUDA graphs are of one batch size, and this model leaves its batch open";
        return Err(refuse(PROVIDER, reason, &format!("Set batch-size=1, or leave {GRAPHS} out")));
    }
    Ok(options)
}

/// The calibration table that the options name.
pub(super) fn calibration_table(options: &[(String, String)]) -> Option<PathBuf> {
    let named = options.iter().rfind(|(name, _)| name == TABLE);
    named.map(|(_, path)| PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty())
}

/// The provider looks for the table in the folder of its engines and takes only a name: the table is
/// laid into that folder before the model is opened; without one, its own folder is named.
fn place_table(
    options: &mut ProviderOptions,
    table: &Path,
    folder: Option<&Path>,
) -> Result<(), EngineError> {
    let name = table.file_name().filter(|_| table.is_file()).ok_or_else(|| {
        let reason = format!("its calibration table '{}' is no file", table.display());
        refuse(PROVIDER, reason, &format!("Give {TABLE} the path of a table"))
    })?;
    options.set(TABLE, name.display());
    if folder.is_none() && !options.is_set("trt_engine_cache_path") {
        let own = table.parent().filter(|path| !path.as_os_str().is_empty());
        options.set("trt_engine_cache_path", own.unwrap_or(Path::new(".")).display());
    }
    Ok(())
}

/// `name:1x3x224x224,other:1x3`, with at most `batch` items.
fn shapes(task: &Task<'_>, batch: usize) -> String {
    let shape = |(name, dims): &(String, Vec<usize>)| {
        let dims = dims.iter().enumerate().map(|(i, dim)| match i {
            0 => dim.min(&batch).to_string(),
            _ => dim.to_string(),
        });
        format!("{name}:{}", dims.collect::<Vec<_>>().join("x"))
    };
    task.inputs.iter().map(shape).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pairs, task_options};
    use super::*;
    use crate::engine::options::EngineOptions;

    #[test]
    fn settings_become_the_documented_options() {
        let given = EngineOptions {
            precision: Precision::Fp16,
            provider_options: pairs(&[("trt_dla_enable", "1"), ("trt_dla_core", "0")]),
            ..EngineOptions::default()
        };
        let inputs = [("face".to_owned(), vec![8, 3, 224, 224]), ("head".to_owned(), vec![8, 3])];
        let task = Task {
            options: &given,
            inputs: &inputs,
            free_batch: true,
            quantised: false,
            compiled: false,
            folder: Some(Path::new("/cache/x")),
        };
        let found = options(&task).unwrap();
        let found: Vec<(&str, &str)> = found.iter().collect();
        assert_eq!(
            found,
            [
                ("device_id", "0"),
                ("trt_fp16_enable", "1"),
                ("trt_engine_cache_enable", "1"),
                ("trt_engine_cache_path", "/cache/x"),
                ("trt_timing_cache_enable", "1"),
                ("trt_timing_cache_path", "/cache/x"),
                ("trt_profile_min_shapes", "face:1x3x224x224,head:1x3"),
                ("trt_profile_opt_shapes", "face:8x3x224x224,head:8x3"),
                ("trt_profile_max_shapes", "face:8x3x224x224,head:8x3"),
                ("trt_dla_enable", "1"),
                ("trt_dla_core", "0"),
            ]
        );
        let wrapped = options(&Task { compiled: true, ..task }).unwrap();
        assert!(!wrapped.is_set("trt_engine_cache_enable"));
        assert!(!wrapped.is_set("trt_profile_min_shapes"));
    }

    #[test]
    fn eight_bits_need_numbers_from_somewhere() {
        let int8 = EngineOptions { precision: Precision::Int8, ..EngineOptions::default() };
        let error = task_options(&int8, options).unwrap_err().to_string();
        assert!(error.contains("quantised"), "{error}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.flatbuffers").display().to_string();
        let table = EngineOptions {
            provider_options: pairs(&[("trt_int8_calibration_table_name", &path)]),
            ..int8
        };
        let error = task_options(&table, options).unwrap_err().to_string();
        assert!(error.contains(&path) && error.contains("no file"), "{error}");
        std::fs::write(&path, "a table").unwrap();
        let found = task_options(&table, options).unwrap();
        // The provider takes a name, and looks for it in the folder of engines.
        for (name, value) in [
            ("trt_int8_enable", "1"),
            ("trt_int8_calibration_table_name", "table.flatbuffers"),
            ("trt_engine_cache_path", dir.path().to_str().unwrap()),
        ] {
            assert!(found.contains(&(name.to_owned(), value.to_owned())), "{name}: {found:?}");
        }
        let task = Task {
            options: &table,
            inputs: &[],
            free_batch: false,
            quantised: false,
            compiled: false,
            folder: Some(Path::new("/cache/x")),
        };
        assert_eq!(options(&task).unwrap().get("trt_engine_cache_path"), Some("/cache/x"));
        let graphs = EngineOptions {
            provider_options: pairs(&[("trt_cuda_graph_enable", "true")]),
            ..EngineOptions::default()
        };
        assert!(task_options(&graphs, options).is_ok());
        let inputs = [("face".to_owned(), vec![8, 3, 224, 224])];
        let mut task = Task {
            options: &graphs,
            inputs: &inputs,
            free_batch: true,
            quantised: false,
            compiled: false,
            folder: None,
        };
        let error = options(&task).unwrap_err().to_string();
        assert!(error.contains("batch-size=1"), "{error}");
        task.free_batch = false;
        assert!(options(&task).is_ok());
    }

    #[test]
    fn the_accelerator_computes_in_few_bits() {
        let dla = |precision| EngineOptions {
            precision,
            provider_options: pairs(&[("trt_dla_enable", "1")]),
            ..EngineOptions::default()
        };
        assert!(task_options(&dla(Precision::Fp16), options).is_ok());
        let error = task_options(&dla(Precision::Auto), options).unwrap_err().to_string();
        assert!(error.contains("precision=fp16"), "{error}");
    }
}
