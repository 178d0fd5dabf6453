//! The kernels of `kernels/preprocess.cu`, as the driver compiled them for each GPU that was used.
//!
//! PTX is what is shipped: the driver alone makes code of it for whatever GPU is there and keeps that
//! in its own cache, so that neither CUDA's toolkit nor NVRTC is needed where the plugin runs.

use parking_lot::Mutex;
use std::ffi::{CStr, c_void};

use super::context::{DeviceError, Gpu, Handle};
use crate::nvidia::abi::picture::Picture;

/// Compiled for compute capability 5.0, which newer GPUs take.
const PTX: &str = concat!(include_str!("../kernels/preprocess.ptx"), "\0");

/// Threads of a block: a warp across, so that neighbours write beside each other.
const BLOCK: [u32; 2] = [32, 8];

/// One kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// `gaze_resize`
    Resize,
    /// `gaze_warp`
    Warp,
    /// `gaze_turn`
    Rotate,
}

/// The kernels on one GPU; never unloaded.
#[derive(Clone, Copy)]
pub(super) struct Kernels {
    functions: [Handle; 3],
}

static LOADED: Mutex<Vec<(u32, Kernels)>> = Mutex::new(Vec::new());

impl Kernels {
    /// The kernels of a GPU, compiled at their first use. Its context is the current one.
    pub fn of(gpu: &Gpu) -> Result<Self, DeviceError> {
        let mut loaded = LOADED.lock();
        if let Some((_, kernels)) = loaded.iter().find(|(of, _)| *of == gpu.number) {
            return Ok(*kernels);
        }
        let mut module = std::ptr::null_mut();
        // SAFETY: the image is a text that ends in a zero byte, and the pointer is valid for the
        // call.
        let code = unsafe { (gpu.cuda.module_load_data)(&raw mut module, PTX.as_ptr().cast()) };
        gpu.check("cuModuleLoadData", code)?;
        let function = |name: &CStr| {
            let mut function = std::ptr::null_mut();
            // SAFETY: the module was just loaded; the pointers are valid for the call.
            let code =
                unsafe { (gpu.cuda.module_get_function)(&raw mut function, module, name.as_ptr()) };
            gpu.check("cuModuleGetFunction", code)?;
            Ok::<_, DeviceError>(Handle(function))
        };
        let functions =
            [function(c"gaze_resize")?, function(c"gaze_warp")?, function(c"gaze_turn")?];
        let kernels = Self { functions };
        loaded.push((gpu.number, kernels));
        Ok(kernels)
    }

    /// Puts one launch, a thread for each pixel of the picture, into a stream of the GPU, whose
    /// context is the current one.
    ///
    /// # Safety
    /// What the picture says is true: each address is of memory of this GPU that holds what the
    /// sizes, strides and lengths make of it, until the stream has done this.
    pub unsafe fn launch(
        &self,
        gpu: &Gpu,
        stream: Handle,
        kernel: Kernel,
        picture: &Picture,
    ) -> Result<(), DeviceError> {
        let [width, height] = picture.size.map(|side| u32::try_from(side).unwrap_or(0));
        let mut parameters = [(&raw const *picture).cast_mut().cast::<c_void>()];
        // SAFETY: the function takes one parameter of this type, which the driver copies before it
        // returns; the caller vouches for what it says.
        let code = unsafe {
            (gpu.cuda.launch_kernel)(
                self.functions[kernel as usize].0,
                width.div_ceil(BLOCK[0]),
                height.div_ceil(BLOCK[1]),
                1,
                BLOCK[0],
                BLOCK[1],
                1,
                0,
                stream.0,
                parameters.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        };
        gpu.check("cuLaunchKernel", code)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_ptx_is_of_the_source() {
        let source = include_str!("../kernels/preprocess.cu");
        let digest = Sha256::digest(source.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let first = PTX.lines().next().unwrap();
        assert!(first.ends_with(&hex), "run src/nvidia/kernels/make_ptx.py: {first}");
        assert!(PTX.contains("\n.version 6.0\n.target sm_50\n"));
        for entry in ["gaze_resize", "gaze_warp", "gaze_turn"] {
            let parameter = format!(".align 8 .b8 {entry}_param_0[{}]", size_of::<Picture>());
            assert!(PTX.contains(&parameter), "{entry} takes another structure");
        }
        assert_eq!(PTX.matches('\0').count(), 1, "a text that ends in a zero byte");
        // Fused operations round once where the CPU rounds twice; the assembler makes them of
        // operations that do not name their rounding.
        for fused in ["fma.", "mad.f", "mul.f", "add.f", "sub.f", "div.f"] {
            assert!(!PTX.contains(fused), "{fused}");
        }
    }
}
