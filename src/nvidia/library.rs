//! NVIDIA's libraries, opened when a buffer needs them and kept until the process ends.
//!
//! A name without a folder comes first: where an NVIDIA element already loaded the library, the
//! loader gives that same one, and it must be the same one that made the buffer.

use std::path::Path;
use std::sync::OnceLock;

use libloading::Library;
use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use super::abi::{cuda, meta, surface, transform};
use super::surface::generation::Generation;

/// Where DeepStream and JetPack keep their libraries when the loader does not know them.
const FOLDERS: [&str; 3] = [
    "/opt/nvidia/deepstream/deepstream/lib",
    "/usr/lib/aarch64-linux-gnu/nvidia",
    "/usr/lib/aarch64-linux-gnu/tegra",
];

/// Why a library of NVIDIA's cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// Nowhere to be found, or it does not load.
    #[error(
        "{name}, which {purpose}, cannot be loaded ({reason}); {remedy}, or add its folder to \
         LD_LIBRARY_PATH"
    )]
    Missing {
        /// File name.
        name: &'static str,
        /// What it is needed for.
        purpose: &'static str,
        /// The loader's own words.
        reason: String,
        /// The package that installs it.
        remedy: &'static str,
    },
    /// It is there, and is not what it should be.
    #[error(
        "{name} has no function {symbol}: this version is not supported (DeepStream 6 to 9 are)"
    )]
    Symbol {
        /// File name.
        name: &'static str,
        /// What it lacks.
        symbol: &'static str,
    },
}

/// The libraries that did not load, so that not every buffer searches for them again.
struct Failures(Mutex<Vec<(&'static str, LibraryError)>>);

static FAILURES: Failures = Failures(Mutex::new(Vec::new()));

/// Forgets which libraries did not load: they may have been installed meanwhile. Elements call this when
/// they start.
pub fn retry() {
    FAILURES.0.lock().clear();
}

impl Failures {
    fn get_or_open<L>(
        &self,
        library: &'static OnceCell<L>,
        name: &'static str,
        open: impl FnOnce() -> Result<L, LibraryError>,
    ) -> Result<&'static L, LibraryError> {
        if let Some(library) = library.get() {
            return Ok(library);
        }
        let known =
            self.0.lock().iter().find(|(other, _)| *other == name).map(|(_, why)| why.clone());
        match known {
            Some(why) => Err(why),
            None => library
                .get_or_try_init(open)
                .inspect_err(|why| self.0.lock().push((name, why.clone()))),
        }
    }
}

/// Which library, and what it is for.
struct Wanted {
    name: &'static str,
    purpose: &'static str,
    remedy: &'static str,
}

const DEEPSTREAM: &str = "install DeepStream";
const DRIVER: &str = "install NVIDIA's driver";
const JETPACK: &str =
    "install DeepStream or, on Jetson, JetPack's multimedia package (nvidia-l4t-multimedia)";

impl Wanted {
    fn open(&self) -> Result<Library, LibraryError> {
        // SAFETY: the initialisers of NVIDIA's libraries have no preconditions: every
        // process that uses DeepStream loads the same files in the same way.
        let first = match unsafe { Library::new(self.name) } {
            Ok(library) => return Ok(library),
            Err(error) => error,
        };
        for folder in FOLDERS {
            // SAFETY: as above.
            if let Ok(library) = unsafe { Library::new(Path::new(folder).join(self.name)) } {
                return Ok(library);
            }
        }
        Err(LibraryError::Missing {
            name: self.name,
            purpose: self.purpose,
            reason: first.to_string(),
            remedy: self.remedy,
        })
    }

    /// The function `symbol` of the first of `libraries` that has it.
    ///
    /// # Safety
    /// `F` is the function's type.
    unsafe fn symbol<F: Copy>(
        &self,
        libraries: &[&Library],
        symbol: &'static str,
    ) -> Result<F, LibraryError> {
        libraries
            .iter()
            // SAFETY: the caller vouches for the type.
            .find_map(|library| unsafe { library.get::<F>(symbol.as_bytes()) }.ok())
            .map(|function| *function)
            .ok_or(LibraryError::Symbol { name: self.name, symbol })
    }
}

/// `libnvbufsurface.so`: frames in NVIDIA's memory.
pub(super) struct SurfaceLibrary {
    pub generation: Generation,
    pub map: surface::MapFn,
    pub unmap: surface::PlaneFn,
    pub sync_for_cpu: surface::PlaneFn,
    pub create: surface::CreateFn,
    pub destroy: surface::DestroyFn,
    /// Gives a frame as an EGL image, and takes it back; Jetson's library has them.
    pub egl: Option<(surface::EglFn, surface::EglFn)>,
    _library: Library,
}

impl SurfaceLibrary {
    /// The library, opened with the first call.
    pub fn get() -> Result<&'static Self, LibraryError> {
        static LIBRARY: OnceCell<SurfaceLibrary> = OnceCell::new();
        FAILURES.get_or_open(&LIBRARY, stringify!(SurfaceLibrary), Self::open)
    }

    fn open() -> Result<Self, LibraryError> {
        let wanted = Wanted {
            name: "libnvbufsurface.so",
            purpose: "frames in NVMM memory need",
            remedy: JETPACK,
        };
        let library = wanted.open()?;
        let of = [&library];
        // DeepStream's own scripts ask for this symbol, which came with the second layout.
        // SAFETY: its address is not used.
        let new = unsafe { library.get::<*const u8>(b"NvBufSurfaceGetDeviceInfo") }.is_ok();
        // SAFETY: the types are those of nvbufsurface.h.
        unsafe {
            Ok(Self {
                generation: if new { Generation::From8 } else { Generation::UpTo7 },
                map: wanted.symbol(&of, "NvBufSurfaceMap")?,
                unmap: wanted.symbol(&of, "NvBufSurfaceUnMap")?,
                sync_for_cpu: wanted.symbol(&of, "NvBufSurfaceSyncForCpu")?,
                create: wanted.symbol(&of, "NvBufSurfaceCreate")?,
                destroy: wanted.symbol(&of, "NvBufSurfaceDestroy")?,
                egl: wanted
                    .symbol(&of, "NvBufSurfaceMapEglImage")
                    .and_then(|map| Ok((map, wanted.symbol(&of, "NvBufSurfaceUnMapEglImage")?)))
                    .ok(),
                _library: library,
            })
        }
    }
}

/// `libnvbufsurftransform.so`: copies between layouts.
pub(super) struct TransformLibrary {
    pub set_session_params: transform::SetSessionParamsFn,
    pub transform: transform::TransformFn,
    _library: Library,
}

impl TransformLibrary {
    /// The library, opened with the first call.
    pub fn get() -> Result<&'static Self, LibraryError> {
        static LIBRARY: OnceCell<TransformLibrary> = OnceCell::new();
        FAILURES.get_or_open(&LIBRARY, stringify!(TransformLibrary), Self::open)
    }

    fn open() -> Result<Self, LibraryError> {
        let wanted = Wanted {
            name: "libnvbufsurftransform.so",
            purpose: "frames in block-linear layout need",
            remedy: JETPACK,
        };
        let library = wanted.open()?;
        let of = [&library];
        // SAFETY: the types are those of nvbufsurftransform.h.
        unsafe {
            Ok(Self {
                set_session_params: wanted.symbol(&of, "NvBufSurfTransformSetSessionParams")?,
                transform: wanted.symbol(&of, "NvBufSurfTransform")?,
                _library: library,
            })
        }
    }
}

/// `libcuda.so.1`, the driver: brings frames of a GPU's memory to the host, or the model's pictures
/// to be made on the GPU.
pub(super) struct CudaLibrary {
    pub init: cuda::InitFn,
    pub device_get: cuda::DeviceGetFn,
    pub primary_ctx_retain: cuda::PrimaryCtxRetainFn,
    pub ctx_push: cuda::CtxPushFn,
    pub ctx_pop: cuda::CtxPopFn,
    pub ctx_synchronize: cuda::CtxSynchronizeFn,
    pub memcpy_dtoh: cuda::MemcpyDtoHFn,
    pub memcpy_htod_async: cuda::MemcpyHtoDAsyncFn,
    pub memcpy_peer_async: cuda::MemcpyPeerAsyncFn,
    pub mem_alloc: cuda::MemAllocFn,
    pub mem_free: cuda::MemFreeFn,
    pub pointer_get_attribute: cuda::PointerGetAttributeFn,
    pub stream_create: cuda::StreamCreateFn,
    pub stream_synchronize: cuda::StreamFn,
    pub stream_destroy: cuda::StreamFn,
    pub module_load_data: cuda::ModuleLoadDataFn,
    pub module_get_function: cuda::ModuleGetFunctionFn,
    pub launch_kernel: cuda::LaunchKernelFn,
    /// Registers an image, gives its planes, gives it up again; absent from some drivers.
    pub egl: Option<(cuda::EglRegisterImageFn, cuda::EglMappedFrameFn, cuda::UnregisterResourceFn)>,
    _library: Library,
}

impl CudaLibrary {
    /// The library, opened with the first call.
    pub fn get() -> Result<&'static Self, LibraryError> {
        static LIBRARY: OnceCell<CudaLibrary> = OnceCell::new();
        FAILURES.get_or_open(&LIBRARY, stringify!(CudaLibrary), Self::open)
    }

    fn open() -> Result<Self, LibraryError> {
        let wanted = Wanted {
            name: "libcuda.so.1",
            purpose: "frames in a GPU's memory need",
            remedy: DRIVER,
        };
        let library = wanted.open()?;
        let of = [&library];
        // SAFETY: the types are those of cuda.h; `_v2` are the names behind its macros.
        unsafe {
            Ok(Self {
                init: wanted.symbol(&of, "cuInit")?,
                device_get: wanted.symbol(&of, "cuDeviceGet")?,
                primary_ctx_retain: wanted.symbol(&of, "cuDevicePrimaryCtxRetain")?,
                ctx_push: wanted.symbol(&of, "cuCtxPushCurrent_v2")?,
                ctx_pop: wanted.symbol(&of, "cuCtxPopCurrent_v2")?,
                ctx_synchronize: wanted.symbol(&of, "cuCtxSynchronize")?,
                memcpy_dtoh: wanted.symbol(&of, "cuMemcpyDtoH_v2")?,
                memcpy_htod_async: wanted.symbol(&of, "cuMemcpyHtoDAsync_v2")?,
                memcpy_peer_async: wanted.symbol(&of, "cuMemcpyPeerAsync")?,
                mem_alloc: wanted.symbol(&of, "cuMemAlloc_v2")?,
                mem_free: wanted.symbol(&of, "cuMemFree_v2")?,
                pointer_get_attribute: wanted.symbol(&of, "cuPointerGetAttribute")?,
                stream_create: wanted.symbol(&of, "cuStreamCreate")?,
                stream_synchronize: wanted.symbol(&of, "cuStreamSynchronize")?,
                stream_destroy: wanted.symbol(&of, "cuStreamDestroy_v2")?,
                module_load_data: wanted.symbol(&of, "cuModuleLoadData")?,
                module_get_function: wanted.symbol(&of, "cuModuleGetFunction")?,
                launch_kernel: wanted.symbol(&of, "cuLaunchKernel")?,
                egl: wanted
                    .symbol(&of, "cuGraphicsEGLRegisterImage")
                    .and_then(|register| {
                        let frame = wanted.symbol(&of, "cuGraphicsResourceGetMappedEglFrame")?;
                        let unregister = wanted.symbol(&of, "cuGraphicsUnregisterResource")?;
                        Ok((register, frame, unregister))
                    })
                    .ok(),
                _library: library,
            })
        }
    }
}

/// `libnvdsgst_meta.so` and `libnvds_meta.so`: DeepStream's metadata. Which of the two has a
/// function differs by version, so each is looked for in both.
pub(super) struct MetaLibrary {
    pub get_batch_meta: meta::GetBatchMetaFn,
    pub acquire_user_meta: meta::AcquireUserMetaFn,
    pub add_user_meta_to_obj: meta::AddUserMetaFn,
    pub user_meta_type: meta::UserMetaTypeFn,
    pub acquire_lock: meta::LockFn,
    pub release_lock: meta::LockFn,
    pub acquire_display_meta: meta::AcquireDisplayMetaFn,
    pub add_display_meta_to_frame: meta::AddDisplayMetaFn,
    _libraries: [Library; 2],
}

impl MetaLibrary {
    /// The libraries, opened with the first call.
    pub fn get() -> Result<&'static Self, LibraryError> {
        static LIBRARY: OnceCell<MetaLibrary> = OnceCell::new();
        FAILURES.get_or_open(&LIBRARY, stringify!(MetaLibrary), Self::open)
    }

    fn open() -> Result<Self, LibraryError> {
        let wanted = |name| Wanted {
            name,
            purpose: "DeepStream's batches and objects need",
            remedy: DEEPSTREAM,
        };
        // In this order: the second needs the first.
        let meta = wanted("libnvds_meta.so").open()?;
        let gst = wanted("libnvdsgst_meta.so").open()?;
        let of = [&gst, &meta];
        let from_meta = wanted("libnvds_meta.so");
        // SAFETY: the types are those of nvdsmeta.h and gstnvdsmeta.h.
        unsafe {
            Ok(Self {
                get_batch_meta: wanted("libnvdsgst_meta.so")
                    .symbol(&of, "gst_buffer_get_nvds_batch_meta")?,
                acquire_user_meta: from_meta.symbol(&of, "nvds_acquire_user_meta_from_pool")?,
                add_user_meta_to_obj: from_meta.symbol(&of, "nvds_add_user_meta_to_obj")?,
                user_meta_type: from_meta.symbol(&of, "nvds_get_user_meta_type")?,
                acquire_lock: from_meta.symbol(&of, "nvds_acquire_meta_lock")?,
                release_lock: from_meta.symbol(&of, "nvds_release_meta_lock")?,
                acquire_display_meta: from_meta
                    .symbol(&of, "nvds_acquire_display_meta_from_pool")?,
                add_display_meta_to_frame: from_meta
                    .symbol(&of, "nvds_add_display_meta_to_frame")?,
                _libraries: [gst, meta],
            })
        }
    }
}

/// DeepStream's version as `libnvds_utils.so` states it; `None` where it is not at hand. Asked only
/// where a structure does not tell which version it is of.
pub(super) fn deepstream_version() -> Option<(u32, u32)> {
    static VERSION: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    *VERSION.get_or_init(|| {
        let wanted = Wanted { name: "libnvds_utils.so", purpose: "", remedy: DEEPSTREAM };
        let library = wanted.open().ok()?;
        let (mut major, mut minor) = (0, 0);
        // SAFETY: the type is that of nvds_version.h; both pointers are valid for the call.
        unsafe {
            let version: meta::VersionFn = wanted.symbol(&[&library], "nvds_version").ok()?;
            version(&raw mut major, &raw mut minor);
        }
        Some((major, minor))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_missing_is_searched_again_after_a_restart_alone() {
        static LIBRARY: OnceCell<u32> = OnceCell::new();
        let failures = Failures(Mutex::default());
        let missing = LibraryError::Symbol { name: "libtest.so", symbol: "test" };
        let get = |open: &dyn Fn() -> Result<u32, LibraryError>| {
            failures.get_or_open(&LIBRARY, "test", open)
        };
        assert_eq!(get(&|| Err(missing.clone())), Err(missing.clone()));
        assert_eq!(get(&|| Ok(1)), Err(missing.clone()), "not for each buffer");
        failures.0.lock().clear();
        assert_eq!(get(&|| Ok(2)), Ok(&2));
        assert_eq!(get(&|| Ok(3)), Ok(&2));
    }
}
