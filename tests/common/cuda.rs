//! The CUDA driver, as far as tests need it: memory of a GPU, filled and read. Serves a real driver
//! and the stand-in in `tests/nvstub` alike: whichever this process finds as `libcuda.so.1`.
#![allow(unsafe_code)] // C functions of a library
#![allow(dead_code)] // each test crate uses its own part of this

use std::ffi::c_void;

use libloading::{Library, Symbol};

/// GPU 0, whose primary context is the current one of the thread that opened it.
pub struct Cuda {
    driver: Library,
}

/// Memory of a GPU; freed when dropped.
pub struct Memory<'a> {
    cuda: &'a Cuda,
    pub address: u64,
    pub bytes: usize,
}

type Alloc = unsafe extern "C" fn(*mut u64, usize) -> i32;
type Free = unsafe extern "C" fn(u64) -> i32;
type Download = unsafe extern "C" fn(*mut c_void, u64, usize) -> i32;
type Upload = unsafe extern "C" fn(u64, *const c_void, usize) -> i32;

impl Cuda {
    /// The driver and GPU 0; otherwise why there is none.
    pub fn open() -> Result<Self, String> {
        // SAFETY: the driver's initialiser has no precondition.
        let driver = unsafe { Library::new("libcuda.so.1") }.map_err(|why| why.to_string())?;
        let cuda = Self { driver };
        let (mut device, mut context) = (0i32, std::ptr::null_mut::<c_void>());
        // SAFETY: the types are those of cuda.h, and the pointers are valid for the calls.
        unsafe {
            let init: Symbol<unsafe extern "C" fn(u32) -> i32> = cuda.symbol("cuInit");
            let get: Symbol<unsafe extern "C" fn(*mut i32, i32) -> i32> =
                cuda.symbol("cuDeviceGet");
            let retain: Symbol<unsafe extern "C" fn(*mut *mut c_void, i32) -> i32> =
                cuda.symbol("cuDevicePrimaryCtxRetain");
            let push: Symbol<unsafe extern "C" fn(*mut c_void) -> i32> =
                cuda.symbol("cuCtxPushCurrent_v2");
            for (name, code) in [
                ("cuInit", init(0)),
                ("cuDeviceGet", get(&raw mut device, 0)),
                ("cuDevicePrimaryCtxRetain", retain(&raw mut context, device)),
                ("cuCtxPushCurrent", push(context)),
            ] {
                if code != 0 {
                    return Err(format!("{name} gives {code}"));
                }
            }
        }
        Ok(cuda)
    }

    unsafe fn symbol<F>(&self, name: &str) -> Symbol<'_, F> {
        // SAFETY: who calls names the function's type.
        unsafe { self.driver.get(name.as_bytes()) }.unwrap()
    }

    pub fn alloc(&self, bytes: usize) -> Memory<'_> {
        let mut address = 0;
        // SAFETY: the pointer is valid for the call.
        let code = unsafe { self.symbol::<Alloc>("cuMemAlloc_v2")(&raw mut address, bytes) };
        assert_eq!(code, 0);
        Memory { cuda: self, address, bytes }
    }

    /// Brings bytes from the GPU.
    pub fn download(&self, address: u64, to: &mut [u8]) {
        // SAFETY: the target is as long; the driver checks the source.
        let code = unsafe {
            self.symbol::<Download>("cuMemcpyDtoH_v2")(to.as_mut_ptr().cast(), address, to.len())
        };
        assert_eq!(code, 0);
    }

    /// Brings bytes to the GPU.
    pub fn upload(&self, from: &[u8], address: u64) {
        // SAFETY: the source is as long; the driver checks the target.
        let code = unsafe {
            self.symbol::<Upload>("cuMemcpyHtoD_v2")(address, from.as_ptr().cast(), from.len())
        };
        assert_eq!(code, 0);
    }
}

impl Memory<'_> {
    pub fn read(&self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.cuda.download(self.address, &mut bytes);
        bytes
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        // SAFETY: allocated by `alloc`.
        unsafe { self.cuda.symbol::<Free>("cuMemFree_v2")(self.address) };
    }
}
