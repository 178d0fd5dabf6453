//! A provider with its options, put into a session.

use std::path::{Path, PathBuf};
use std::{env, fs};

use ort::device::Device;
use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider, ExecutionProvider as _};
use ort::session::builder::SessionBuilder;
use parking_lot::MutexGuard;

use super::kind::{ExecutionProvider, QnnBackend};
use super::options::{ProviderOptions, Task, refuse};
use super::{cuda, openvino, qnn, tensorrt, xnnpack};
use crate::core::inference::EngineError;
use crate::engine::runtime::Runtime;

/// A provider with its options, ready for sessions.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Configured {
    pub(in crate::engine) provider: ExecutionProvider,
    pub(in crate::engine) options: ProviderOptions,
    /// The versions of its libraries, on which a compiled model depends.
    pub(in crate::engine) versions: Vec<(String, String)>,
    plugin: Option<PathBuf>,
    backend: QnnBackend,
    allow_fallback: bool,
}

impl Configured {
    /// Puts the provider into a session's options. Without fallback ONNX Runtime refuses a model of which
    /// it has assigned some nodes to the CPU (`session.disable_cpu_ep_fallback`).
    ///
    /// # Errors
    /// [`EngineError::Provider`] if the provider cannot start.
    pub(in crate::engine) fn register(
        &self,
        runtime: &Runtime,
        mut builder: SessionBuilder,
    ) -> Result<SessionBuilder, EngineError> {
        let refused = |why: ort::Error| {
            let nvidia =
                matches!(self.provider, ExecutionProvider::Cuda | ExecutionProvider::TensorRt);
            let folders = if nvidia { pip_libraries(runtime.path()) } else { Vec::new() };
            let remedy = match folders.is_empty() {
                true => "Check its driver, its libraries and provider-options, or use \
                         execution-provider=cpu"
                    .to_owned(),
                false => format!(
                    "Its libraries that pip installed are not on the loader's path: start the process \
                     with LD_LIBRARY_PATH={}",
                    folders.join(":")
                ),
            };
            refuse(self.provider, why.message().to_owned(), &remedy)
        };
        match self.provider {
            ExecutionProvider::Auto | ExecutionProvider::Cpu => {
                return cpu(runtime, builder).map_err(refused);
            }
            ExecutionProvider::Cuda => self.append(ep::CUDA::default(), &mut builder),
            ExecutionProvider::TensorRt => self.append(ep::TensorRT::default(), &mut builder),
            ExecutionProvider::OpenVino => self.append(ep::OpenVINO::default(), &mut builder),
            ExecutionProvider::Xnnpack => self.append(ep::XNNPACK::default(), &mut builder),
            ExecutionProvider::Qnn => match &self.plugin {
                None => self.append(ep::QNN::default(), &mut builder),
                Some(library) => {
                    let (backend, options) = (self.backend, &self.options);
                    builder =
                        qnn::process::append_plugin(runtime, builder, library, backend, options)?;
                    Ok(())
                }
            },
        }
        .map_err(refused)?;
        if self.allow_fallback {
            return Ok(builder);
        }
        builder.with_disable_cpu_fallback().map_err(|why| refused(ort::Error::new(why.message())))
    }

    /// A lock to hold while a session opens, for providers that open one session at a time.
    pub(in crate::engine) fn exclusive(&self) -> Option<MutexGuard<'static, ()>> {
        self.plugin.is_some().then(qnn::process::exclusive)
    }

    /// Call this when a session has opened.
    pub(in crate::engine) fn opened(&self) {
        if self.plugin.is_some() {
            qnn::process::opened(&self.options);
        }
    }

    fn append<E>(&self, provider: E, builder: &mut SessionBuilder) -> ort::Result<()>
    where
        E: ep::ExecutionProvider + ArbitrarilyConfigurableExecutionProvider,
    {
        let options = self.options.iter();
        let provider = options
            .fold(provider, |provider, (name, value)| provider.with_arbitrary_config(name, value));
        provider.register(builder)
    }
}

/// The folders of CUDA's libraries that `pip install onnxruntime-gpu[cuda,cudnn]` puts beside
/// ONNX Runtime: `nvidia/*/lib` of the same site-packages, unless LD_LIBRARY_PATH has them.
fn pip_libraries(runtime: &Path) -> Vec<String> {
    // site-packages/onnxruntime/capi/libonnxruntime.so.1.32
    let Some(packages) = runtime.ancestors().nth(3) else { return Vec::new() };
    let path = env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let entries = fs::read_dir(packages.join("nvidia")).into_iter().flatten().flatten();
    let mut folders: Vec<String> = entries
        .map(|entry| entry.path().join("lib"))
        .filter(|folder| folder.is_dir())
        .map(|folder| folder.display().to_string())
        .filter(|folder| !path.split(':').any(|known| known == folder))
        .collect();
    folders.sort();
    folders
}

impl ExecutionProvider {
    /// The file beside the model on which its compiled form depends, and which its folder must contain.
    pub(in crate::engine) fn companion(self, options: &[(String, String)]) -> Option<PathBuf> {
        match self {
            Self::TensorRt => tensorrt::calibration_table(options),
            _ => None,
        }
    }

    /// Its options for a task.
    ///
    /// # Errors
    /// [`EngineError::Provider`] if it is missing, or cannot follow the settings.
    pub(in crate::engine) fn configure(
        self,
        runtime: &Runtime,
        task: &Task<'_>,
    ) -> Result<Configured, EngineError> {
        if !self.is_built_in() && self != Self::Qnn {
            return Err(self.missing(runtime));
        }
        let mut configured = Configured {
            provider: self,
            options: ProviderOptions::default(),
            versions: Vec::new(),
            plugin: None,
            backend: task.options.qnn_backend,
            allow_fallback: task.options.allow_fallback,
        };
        configured.options = match self {
            Self::Auto | Self::Cpu => {
                task.refuse_half(Self::Cpu)?;
                task.needs_quantised(Self::Cpu)?;
                let mut none = ProviderOptions::default();
                none.take(self, &[], &task.options.provider_options)?;
                none
            }
            Self::Cuda => cuda::options(task)?,
            Self::TensorRt => tensorrt::options(task)?,
            Self::OpenVino => openvino::options(task)?,
            Self::Xnnpack => xnnpack::options(task)?,
            Self::Qnn => {
                let library = qnn::library::find(runtime)?;
                let options = qnn::options::options(task, &library)?;
                configured.versions = qnn::library::versions(&library, &options);
                if let qnn::library::QnnLibrary::Plugin(path) = library {
                    configured.plugin = Some(path);
                }
                options
            }
        };
        Ok(configured)
    }
}

/// Puts the CPU into a session's options. Without that ONNX Runtime chooses among the plug-ins that are
/// registered in this process.
pub(in crate::engine) fn cpu(
    runtime: &Runtime,
    builder: SessionBuilder,
) -> ort::Result<SessionBuilder> {
    let is_cpu = |device: &Device<'_>| device.ep().is_ok_and(|name| name == ep::CPU::NAME);
    let device = runtime.environment().devices().find(is_cpu);
    builder.with_devices(device, None).map_err(|why| ort::Error::new(why.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_pip_are_found_beside_the_runtime() {
        let packages = tempfile::tempdir().unwrap();
        let at = |name: &str| packages.path().join(name);
        for name in ["onnxruntime/capi", "nvidia/cudnn/lib", "nvidia/cublas/lib", "nvidia/empty"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let found = pip_libraries(&at("onnxruntime/capi/libonnxruntime.so.1.32"));
        let expected = ["nvidia/cublas/lib", "nvidia/cudnn/lib"];
        assert_eq!(found, expected.map(|name| at(name).display().to_string()));
        assert!(pip_libraries(Path::new("libonnxruntime.so")).is_empty());
    }
}
