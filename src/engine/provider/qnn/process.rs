//! What a process has one of: the registered plug-in, and the setup of each backend's device.

use std::fmt;
use std::path::{Path, PathBuf};

use ort::device::Device;
use ort::memory::DeviceType;
use ort::session::builder::SessionBuilder;
use parking_lot::{Mutex, MutexGuard};

use super::library::{QnnLibrary, find};
use crate::core::inference::EngineError;
use crate::engine::provider::kind::{ExecutionProvider, QnnBackend};
use crate::engine::provider::options::{ProviderOptions, refuse};
use crate::engine::runtime::Runtime;

const PROVIDER: ExecutionProvider = ExecutionProvider::Qnn;

/// The plug-in registers under this name and gives it to its devices and contexts.
const EP_NAME: &str = "QNN";

/// The state of QNN in a process.
#[derive(Debug, Default)]
struct Process {
    /// The registered plug-in; one library has one name.
    library: Option<PathBuf>,
    /// The setup of each backend's device by the first session that opened. All sessions share the
    /// device; another setup of a later session would be lost or change what the others compute.
    setups: Vec<DeviceSetup>,
}

static PROCESS: Mutex<Process> = Mutex::new(Process { library: None, setups: Vec::new() });

/// Held while a session opens: of two that open at once one sometimes fails, with nodes that the plug-in
/// has claimed and then not taken (2.7.0).
static OPENING: Mutex<()> = Mutex::new(());

/// Waits until no other session of the plug-in opens.
pub(in crate::engine::provider) fn exclusive() -> MutexGuard<'static, ()> {
    OPENING.lock()
}

/// The options of the device, which all sessions of a backend share.
const DEVICE_OPTIONS: [&str; 3] = ["device_id", "htp_arch", "soc_model"];

#[derive(Clone, Debug, PartialEq, Eq)]
struct DeviceSetup {
    backend: String,
    device: [Option<String>; 3],
}

impl DeviceSetup {
    fn of(options: &ProviderOptions) -> Self {
        let get = |name: &str| options.get(name).map(str::to_owned);
        let backend = get("backend_path").or_else(|| get("backend_type")).unwrap_or_default();
        Self { backend, device: DEVICE_OPTIONS.map(get) }
    }

    /// Whether a session with this setup can run beside the others.
    fn check(&self, others: &[Self]) -> Result<(), EngineError> {
        match others.iter().find(|other| other.backend == self.backend) {
            Some(other) if other != self => Err(refuse(
                PROVIDER,
                format!("this process already uses its device with {other}, not with {self}"),
                "Give every element the same device-id, htp_arch and soc_model, or use another \
                 process",
            )),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for DeviceSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in DEVICE_OPTIONS.iter().zip(&self.device).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={}", value.as_deref().unwrap_or("default"))?;
        }
        Ok(())
    }
}

/// Remembers the setup of the device after a session has opened with it.
pub(in crate::engine::provider) fn opened(options: &ProviderOptions) {
    let setup = DeviceSetup::of(options);
    let mut process = PROCESS.lock();
    if !process.setups.contains(&setup) {
        process.setups.push(setup);
    }
}

fn register_library(runtime: &Runtime, path: &Path) -> Result<(), EngineError> {
    let registered = &mut PROCESS.lock().library;
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

/// The devices of the registered plug-in.
fn devices(runtime: &Runtime) -> impl Iterator<Item = Device<'_>> {
    let devices = runtime.environment().devices();
    devices.filter(|device| device.ep().is_ok_and(|name| name == EP_NAME))
}

/// Whether there is a Qualcomm NPU, and not only its emulator.
pub(in crate::engine::provider) fn has_npu(runtime: &Runtime) -> bool {
    match find(runtime) {
        Ok(QnnLibrary::Runtime) => true,
        Ok(QnnLibrary::Plugin(path)) => {
            register_library(runtime, &path).is_ok()
                && devices(runtime).any(|device| device.hardware_device().ty() == DeviceType::NPU)
        }
        Err(_) => false,
    }
}

/// The device type of a backend.
fn device_type(backend: QnnBackend) -> DeviceType {
    match backend {
        QnnBackend::Htp => DeviceType::NPU,
        QnnBackend::Gpu => DeviceType::GPU,
        QnnBackend::Cpu => DeviceType::CPU,
    }
}

/// Puts the plug-in's device into a session's options.
pub(in crate::engine::provider) fn append_plugin(
    runtime: &Runtime,
    builder: SessionBuilder,
    library: &Path,
    backend: QnnBackend,
    options: &ProviderOptions,
) -> Result<SessionBuilder, EngineError> {
    register_library(runtime, library)?;
    let setup = DeviceSetup::of(options);
    setup.check(&PROCESS.lock().setups)?;
    // The emulator calls itself a CPU.
    let device = devices(runtime)
        .find(|device| device.hardware_device().ty() == device_type(backend))
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
    use super::*;

    #[test]
    fn a_process_has_one_setup_of_a_device() {
        let setup = |options: &[(&str, &str)]| {
            let mut given = ProviderOptions::default();
            options.iter().for_each(|(name, value)| given.set(name, value));
            DeviceSetup::of(&given)
        };
        let htp = ("backend_path", "libQnnHtp.so");
        let first = [setup(&[htp, ("soc_model", "57")])];
        assert!(setup(&[htp, ("soc_model", "57"), ("vtcm_mb", "8")]).check(&first).is_ok());
        assert!(setup(&[("backend_path", "libQnnGpu.so")]).check(&first).is_ok());
        let error = setup(&[htp, ("htp_arch", "73")]).check(&first).unwrap_err().to_string();
        assert!(error.contains("soc_model=57") && error.contains("htp_arch=73"), "{error}");
    }
}
