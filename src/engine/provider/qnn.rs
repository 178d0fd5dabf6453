//! Qualcomm AI Engine Direct (QNN): the Hexagon NPU (HTP), the Adreno GPU, and a reference CPU.
//!
//! The provider is either built into ONNX Runtime or a plug-in library of its own,
//! `libonnxruntime_providers_qnn.so`, as the Python package `onnxruntime-qnn` brings it. The
//! plug-in is looked for in this order, and the first place that has one decides:
//!
//! 1. the environment variable `GAZE_QNN_LIBRARY` (a file, or a directory that holds it), which is
//!    binding where it is set,
//! 2. beside the plugin and beside the executable,
//! 3. in the Python package `onnxruntime_qnn` next to the package of the ONNX Runtime that was
//!    loaded.
//!
//! On x86-64 the HTP backend is Qualcomm's emulator: the same compiler and the same results run
//! after run, at a thousandth of the speed. It computes floating point in 16 bits, as a chip does,
//! only where `soc_model` names the chip, and takes context binaries of every chip.
//!
//! Option names are those of
//! <https://onnxruntime.ai/docs/execution-providers/QNN-ExecutionProvider.html> and of version 2.7.0
//! of the plug-in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, fmt};

use ort::device::Device;
use ort::memory::DeviceType;
use ort::session::builder::SessionBuilder;

use super::options::{ProviderOptions, Task, Values, refuse};
use super::{ExecutionProvider, Precision};
use crate::core::inference::EngineError;
use crate::engine::cache::file_version;
use crate::engine::runtime::{Runtime, own_directories};

const PROVIDER: ExecutionProvider = ExecutionProvider::Qnn;

/// The variable that names the plug-in.
pub const VARIABLE: &str = "GAZE_QNN_LIBRARY";

const LIBRARY: &str = "libonnxruntime_providers_qnn.so";

/// Under this name the plug-in is registered, and it names its devices and contexts by it.
const EP_NAME: &str = "QNN";

/// What a user may set.
pub(super) const KNOWN: &[&str] = &[
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

/// What the plug-in takes for options whose values it does not check itself (2.7.0): it computes
/// with a default in their place and says nothing.
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

/// Which part of a Qualcomm chip computes.
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

    fn library(self) -> &'static str {
        match self {
            Self::Htp => "libQnnHtp.so",
            Self::Gpu => "libQnnGpu.so",
            Self::Cpu => "libQnnCpu.so",
        }
    }

    fn device(self) -> DeviceType {
        match self {
            Self::Htp => DeviceType::NPU,
            Self::Gpu => DeviceType::GPU,
            Self::Cpu => DeviceType::CPU,
        }
    }
}

/// Where the provider is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    BuiltIn,
    Plugin(PathBuf),
}

/// Finds the provider.
///
/// # Errors
/// [`EngineError::Provider`] with what was tried.
pub(super) fn find(runtime: &Runtime) -> Result<Origin, EngineError> {
    let package = runtime.path().canonicalize().ok().and_then(|path| package_beside(&path));
    let beside = own_directories().into_iter().chain(package).collect::<Vec<_>>();
    let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
    if variable.is_none() && PROVIDER.is_built_in() {
        return Ok(Origin::BuiltIn);
    }
    locate(variable, &beside).map(Origin::Plugin).map_err(|reason| {
        refuse(
            PROVIDER,
            reason,
            "Install the plug-in (`pip install onnxruntime-qnn` where ONNX Runtime's package is) \
             or set GAZE_QNN_LIBRARY to its libonnxruntime_providers_qnn.so, or use \
             execution-provider=cpu",
        )
    })
}

/// The plug-in that is found; `None` where there is none, or where the provider is built in.
pub fn plug_in(runtime: &Runtime) -> Option<PathBuf> {
    match find(runtime).ok()? {
        Origin::BuiltIn => None,
        Origin::Plugin(path) => Some(path),
    }
}

fn locate(variable: Option<OsString>, beside: &[PathBuf]) -> Result<PathBuf, String> {
    if let Some(value) = variable {
        let named = PathBuf::from(value);
        let path = if named.is_dir() { named.join(LIBRARY) } else { named };
        return match path.is_file() {
            true => Ok(path),
            false => Err(format!("{VARIABLE} leads to '{}', which is no file", path.display())),
        };
    }
    let found = beside.iter().map(|dir| dir.join(LIBRARY)).find(|path| path.is_file());
    found.ok_or_else(|| {
        let tried: Vec<String> = beside.iter().map(|dir| format!("'{}'", dir.display())).collect();
        format!(
            "the ONNX Runtime is built without it, {VARIABLE} is not set, and there is no {LIBRARY} \
             in {}",
            tried.join(", ")
        )
    })
}

/// `site-packages/onnxruntime_qnn` for `site-packages/onnxruntime/capi/libonnxruntime.so.1.32.0`.
fn package_beside(runtime: &Path) -> Option<PathBuf> {
    let packages = runtime.parent()?.parent()?.parent()?;
    Some(packages.join("onnxruntime_qnn"))
}

/// What of QNN there is one of in a process.
#[derive(Debug, Default)]
struct Process {
    /// The plug-in that is registered; one library has one name.
    library: Option<PathBuf>,
    /// How each backend's device was set up by the first session that opened: the plug-in shares it
    /// among all sessions, and what a later session says of the chip is lost or, worse, changes
    /// what others compute.
    setups: Vec<Setup>,
}

static PROCESS: Mutex<Process> = Mutex::new(Process { library: None, setups: Vec::new() });

/// Held while a session opens: of two that open at once one now and then fails, with nodes that the
/// plug-in has asked for and then not taken (2.7.0).
static OPENING: Mutex<()> = Mutex::new(());

/// Waits until no other session of the plug-in is being opened.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    OPENING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Options of the device, which all sessions of a backend share.
const DEVICE_OPTIONS: [&str; 3] = ["device_id", "htp_arch", "soc_model"];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Setup {
    backend: String,
    device: [Option<String>; 3],
}

impl Setup {
    fn of(options: &ProviderOptions) -> Self {
        let get = |name: &str| options.get(name).map(str::to_owned);
        let backend = get("backend_path").or_else(|| get("backend_type")).unwrap_or_default();
        Self { backend, device: DEVICE_OPTIONS.map(get) }
    }

    /// Whether this can run beside what runs already.
    fn check(&self, others: &[Self]) -> Result<(), EngineError> {
        match others.iter().find(|other| other.backend == self.backend) {
            Some(other) if other != self => Err(refuse(
                PROVIDER,
                format!("this process already uses its device with {other}, and not with {self}"),
                "Give every element the same device-id, htp_arch and soc_model, or use another \
                 process",
            )),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in DEVICE_OPTIONS.iter().zip(&self.device).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={}", value.as_deref().unwrap_or("default"))?;
        }
        Ok(())
    }
}

/// Remembers how the device is set up, now that a session has opened with it.
pub(super) fn opened(options: &ProviderOptions) {
    let setup = Setup::of(options);
    let mut process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    if !process.setups.contains(&setup) {
        process.setups.push(setup);
    }
}

fn register_library(runtime: &Runtime, path: &Path) -> Result<(), EngineError> {
    let registered = &mut PROCESS.lock().unwrap_or_else(PoisonError::into_inner).library;
    if registered.is_none() {
        runtime.environment().register_ep_library(EP_NAME, path).map_err(|why| {
            refuse(
                PROVIDER,
                format!("its plug-in '{}' cannot be used: {}", path.display(), why.message()),
                "Use the plug-in that belongs to this ONNX Runtime's version",
            )
        })?;
        *registered = Some(path.to_path_buf());
    }
    Ok(())
}

/// The plug-in's devices, once it is registered.
fn devices(runtime: &Runtime) -> impl Iterator<Item = Device<'_>> {
    let devices = runtime.environment().devices();
    devices.filter(|device| device.ep().is_ok_and(|name| name == EP_NAME))
}

/// Whether there is a Qualcomm NPU, and not only its emulator.
pub(super) fn has_npu(runtime: &Runtime) -> bool {
    match find(runtime) {
        Ok(Origin::BuiltIn) => true,
        Ok(Origin::Plugin(path)) => {
            register_library(runtime, &path).is_ok()
                && devices(runtime).any(|device| device.hardware_device().ty() == DeviceType::NPU)
        }
        Err(_) => false,
    }
}

/// Versions on which a compiled model depends.
pub(super) fn versions(origin: &Origin, options: &ProviderOptions) -> Vec<(String, String)> {
    let mut versions = Vec::new();
    if let Origin::Plugin(path) = origin {
        versions.push(("plug-in".to_owned(), file_version(path)));
    }
    if let Some(backend) = options.get("backend_path") {
        versions.push(("backend".to_owned(), file_version(Path::new(backend))));
    }
    versions
}

pub(super) fn options(task: &Task<'_>, origin: &Origin) -> Result<ProviderOptions, EngineError> {
    task.needs_quantised(PROVIDER)?;
    let mut options = ProviderOptions::default();
    let library = task.options.qnn_backend.library();
    let beside = match origin {
        Origin::Plugin(path) => path.parent().map(|dir| dir.join(library)).filter(|p| p.exists()),
        Origin::BuiltIn => None,
    };
    // Otherwise the loader's path decides, as on a device with Qualcomm's SDK installed.
    options.set("backend_path", beside.unwrap_or_else(|| library.into()).display());
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

/// Puts the plug-in's device into a session's options.
pub(super) fn append_plugin(
    runtime: &Runtime,
    builder: SessionBuilder,
    library: &Path,
    backend: QnnBackend,
    options: &ProviderOptions,
) -> Result<SessionBuilder, EngineError> {
    register_library(runtime, library)?;
    let setup = Setup::of(options);
    setup.check(&PROCESS.lock().unwrap_or_else(PoisonError::into_inner).setups)?;
    // The emulator calls itself a CPU.
    let device = devices(runtime)
        .find(|device| device.hardware_device().ty() == backend.device())
        .or_else(|| devices(runtime).next())
        .ok_or_else(|| refuse(PROVIDER, "it finds no device", "Use execution-provider=cpu"))?;
    let options: Vec<(String, String)> = options
        .iter()
        .map(|(name, value)| (format!("{EP_NAME}.{name}"), value.to_owned()))
        .collect();
    builder.with_devices([device], Some(&options)).map_err(|why| {
        refuse(PROVIDER, why.message(), "Check provider-options, or use execution-provider=cpu")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pairs, task_options};
    use super::*;
    use crate::engine::EngineOptions;

    #[test]
    fn settings_become_the_documented_options() {
        let dir = tempfile::tempdir().unwrap();
        let plugin = dir.path().join(LIBRARY);
        std::fs::write(dir.path().join("libQnnHtp.so"), "").unwrap();
        let of = |given: &EngineOptions| {
            task_options(given, |task| options(task, &Origin::Plugin(plugin.clone()))).unwrap()
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
    fn values_that_the_plug_in_would_pass_over_are_refused() {
        let of = |name: &str, value: &str| {
            let given = EngineOptions {
                provider_options: pairs(&[(name, value)]),
                ..EngineOptions::default()
            };
            task_options(&given, |task| options(task, &Origin::BuiltIn))
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

    #[test]
    fn a_process_has_one_setup_of_a_device() {
        let setup = |options: &[(&str, &str)]| {
            let mut given = ProviderOptions::default();
            options.iter().for_each(|(name, value)| given.set(name, value));
            Setup::of(&given)
        };
        let htp = ("backend_path", "libQnnHtp.so");
        let first = [setup(&[htp, ("soc_model", "57")])];
        assert!(setup(&[htp, ("soc_model", "57"), ("vtcm_mb", "8")]).check(&first).is_ok());
        assert!(setup(&[("backend_path", "libQnnGpu.so")]).check(&first).is_ok());
        let error = setup(&[htp, ("htp_arch", "73")]).check(&first).unwrap_err().to_string();
        assert!(error.contains("soc_model=57") && error.contains("htp_arch=73"), "{error}");
    }

    #[test]
    fn the_plugin_is_looked_for_where_it_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let (empty, full) = (dir.path().join("empty"), dir.path().join("full"));
        for dir in [&empty, &full] {
            std::fs::create_dir(dir).unwrap();
        }
        let library = full.join(LIBRARY);
        std::fs::write(&library, "").unwrap();
        let beside = [empty.clone(), full.clone()];
        assert_eq!(locate(None, &beside), Ok(library.clone()));
        assert_eq!(locate(Some(full.into_os_string()), &[]), Ok(library.clone()));
        assert_eq!(locate(Some(library.clone().into()), &[]), Ok(library));
        let error = locate(Some(empty.into_os_string()), &beside).unwrap_err();
        assert!(error.contains(VARIABLE), "a variable that is set is binding: {error}");
        assert!(locate(None, &beside[..1]).unwrap_err().contains("empty"));
        let runtime = Path::new("/v/site-packages/onnxruntime/capi/libonnxruntime.so.1.32.0");
        assert_eq!(package_beside(runtime), Some("/v/site-packages/onnxruntime_qnn".into()));
    }
}
