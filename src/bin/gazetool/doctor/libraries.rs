//! Libraries by name, where the loader looks for them. This program loads none: that would run code of
//! libraries that may be broken.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use gstgaze::engine::provider::{ExecutionProvider, qnn};
use gstgaze::engine::runtime;

use super::{Check, State};

/// Where the loader looks beside its cache.
const FOLDERS: [&str; 6] = [
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
    "/lib64",
    "/usr/lib64",
    if cfg!(target_arch = "aarch64") {
        "/usr/lib/aarch64-linux-gnu"
    } else {
        "/usr/lib/x86_64-linux-gnu"
    },
];

/// The folders of DeepStream and JetPack; the plugin looks there as well.
const NVIDIA_FOLDERS: [&str; 3] = [
    "/opt/nvidia/deepstream/deepstream/lib",
    "/usr/lib/aarch64-linux-gnu/nvidia",
    "/usr/lib/aarch64-linux-gnu/tegra",
];

/// Finds libraries where the loader does.
pub struct Loader {
    /// The folders of `LD_LIBRARY_PATH`, then [`FOLDERS`].
    folders: Vec<PathBuf>,
    /// The loader's cache, by file name.
    cache: BTreeMap<String, PathBuf>,
}

impl Loader {
    /// Reads the loader's cache.
    pub fn new() -> Self {
        let path = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let set = env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty());
        Self { folders: set.chain(FOLDERS.map(PathBuf::from)).collect(), cache: cache() }
    }

    /// The first library with this file name, with or without a version behind it.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let set = self.folders.iter().find_map(|folder| find_in(folder, name));
        set.or_else(|| {
            self.cache.iter().find(|(file, _)| has_name(file, name)).map(|(_, path)| path.clone())
        })
    }
}

/// Whether a file name is `name`, with or without a version behind it.
fn has_name(file: &str, name: &str) -> bool {
    file.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn find_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|file| has_name(file, name)))
        .map(|entry| entry.path())
        .collect();
    // The longest name has the full version.
    found.sort_by_key(|path| path.as_os_str().len());
    found.pop()
}

/// The lines of `ldconfig -p`: `libc.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libc.so.6`.
fn cache() -> BTreeMap<String, PathBuf> {
    let run = |program: &str| Command::new(program).arg("-p").output().ok();
    let output = ["ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"].into_iter().find_map(run);
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    parse(&text.unwrap_or_default())
}

fn parse(text: &str) -> BTreeMap<String, PathBuf> {
    let entry = |line: &str| {
        let (name, path) = line.split_once(" => ")?;
        Some((name.split_whitespace().next()?.to_owned(), PathBuf::from(path.trim())))
    };
    text.lines().filter_map(entry).collect()
}

/// Looks for a library that only some pipelines need, also in `folders`.
fn library(loader: &Loader, folders: &[&Path], what: &str, name: &str) -> Check {
    let found = loader.find(name);
    match found.or_else(|| folders.iter().find_map(|folder| find_in(folder, name))) {
        Some(path) => Check::new(what, State::Ok, path.display().to_string()),
        None => Check::new(what, State::Absent, format!("no {name}")),
    }
}

/// The driver, CUDA, cuDNN and TensorRT.
pub fn nvidia(loader: &Loader, providers: &[ExecutionProvider]) -> Vec<Check> {
    let driver = fs::read_to_string("/proc/driver/nvidia/version").ok();
    let driver = driver.as_deref().and_then(|text| text.lines().next()).map(str::to_owned);
    let jetson = fs::read_to_string("/etc/nv_tegra_release").ok();
    let jetson = jetson.as_deref().and_then(|text| text.lines().next()).map(str::to_owned);
    let has_device = driver.is_some() || jetson.is_some();
    let mut checks = vec![match driver {
        Some(version) => Check::new("driver", State::Ok, version),
        None => library(loader, &[], "driver", "libcuda.so"),
    }];
    checks.extend(jetson.map(|release| Check::new("Jetson", State::Ok, release)));
    let wanted = [
        ("CUDA", "libcudart.so", ExecutionProvider::Cuda),
        ("cuDNN", "libcudnn.so", ExecutionProvider::Cuda),
        ("TensorRT", "libnvinfer.so", ExecutionProvider::TensorRt),
    ];
    for (what, name, provider) in wanted {
        let mut check = library(loader, &[], what, name);
        if check.state == State::Absent && has_device && providers.contains(&provider) {
            check.state = State::Problem;
            check = check.remedy(format!(
                "the execution provider {provider} needs it: install NVIDIA's package, or \
                 `pip install onnxruntime-gpu[cuda,cudnn]` and add its folders to LD_LIBRARY_PATH"
            ));
        }
        checks.push(check);
    }
    let folders = NVIDIA_FOLDERS.map(Path::new);
    for (what, name) in [
        ("NVMM", "libnvbufsurface.so"),
        ("NVMM layouts", "libnvbufsurftransform.so"),
        ("metadata", "libnvds_meta.so"),
        ("metadata, gst", "libnvdsgst_meta.so"),
    ] {
        checks.push(library(loader, &folders, what, name));
    }
    checks.extend(deepstream().map(|version| Check::new("DeepStream", State::Ok, version)));
    if has_device && !providers.contains(&ExecutionProvider::Cuda) {
        let found = "this ONNX Runtime does not support it";
        checks.push(Check::new("provider", State::Absent, found).remedy(
            "to use the NVIDIA device, `pip install onnxruntime-gpu` and set GAZE_ORT_LIBRARY to its \
             onnxruntime/capi/libonnxruntime.so.*",
        ));
    }
    checks
}

/// The version of the installed DeepStream.
fn deepstream() -> Option<String> {
    let text = fs::read_to_string("/opt/nvidia/deepstream/deepstream/version").ok()?;
    text.lines().next().map(str::to_owned)
}

/// Qualcomm AI Engine Direct, from the loader or beside the plug-in.
pub fn qualcomm(loader: &Loader, providers: &[ExecutionProvider]) -> Vec<Check> {
    let plug_in = runtime::get().ok().and_then(qnn::plug_in);
    let beside: Vec<&Path> = plug_in.as_deref().and_then(Path::parent).into_iter().collect();
    let mut checks = vec![
        library(loader, &beside, "NPU (HTP)", "libQnnHtp.so"),
        library(loader, &beside, "GPU", "libQnnGpu.so"),
        library(loader, &[], "DSP channel", "libcdsprpc.so"),
    ];
    let channel = ["/dev/adsprpc-smd", "/dev/fastrpc-cdsp"].iter().any(|d| Path::new(d).exists());
    if checks[0].state == State::Ok && !channel && cfg!(target_arch = "x86_64") {
        checks[0].found.push_str(", an emulator");
    }
    let has_device = channel || checks.iter().any(|check| check.state == State::Ok);
    if has_device && !providers.contains(&ExecutionProvider::Qnn) {
        let found = "this ONNX Runtime does not support it";
        checks.push(Check::new("provider", State::Absent, found).remedy(
            "to use the Qualcomm device or its SDK, `pip install onnxruntime-qnn` and set \
             GAZE_ORT_LIBRARY to its onnxruntime/capi/libonnxruntime.so.*",
        ));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_has_a_library_in_each_line() {
        let found = parse(
            "2 libs found in cache `/etc/ld.so.cache'\n\
             \tlibcuda.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcuda.so.1\n\
             \tlibQnnHtp.so (libc6,AArch64) => /opt/qnn libs/libQnnHtp.so\n\nCache generated by: x\n",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found["libQnnHtp.so"], Path::new("/opt/qnn libs/libQnnHtp.so"));
    }

    #[test]
    fn only_a_version_follows_a_name() {
        let cache = ["libcudart_static.so", "libcudart.so.12", "libcuda.so.1"]
            .map(|name| (name.to_owned(), Path::new("/x").join(name)));
        let loader = Loader { folders: Vec::new(), cache: cache.into() };
        assert_eq!(loader.find("libcudart.so"), Some(PathBuf::from("/x/libcudart.so.12")));
        assert_eq!(loader.find("libcuda.so"), Some(PathBuf::from("/x/libcuda.so.1")));
        assert_eq!(loader.find("libcud"), None);
    }
}
