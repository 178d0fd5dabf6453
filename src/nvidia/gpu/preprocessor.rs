//! The core's port to a GPU: it fills a model's input tensors from frames in the GPU's memory.
//!
//! All work goes into one stream of our own; [`finish`](PreprocessDevice::finish) waits for it before
//! the model runs. ONNX Runtime's stream is another one,
//! which does not wait for ours; it could be given ours (`user_compute_stream`), but then sessions
//! that several elements share would all wait in it, and it would have to outlive them. Waiting costs
//! the host some microseconds for each batch, while a model takes milliseconds. The other way round
//! nothing is needed: a run has ended, outputs included, when ONNX Runtime returns.

use super::context::{DeviceError, Gpu, Handle};
use super::frame::{GpuFrame, GpuFrameError, GpuPlane};
use super::job;
use super::kernels::{Kernel, Kernels};
use super::memory::{self, Buffer};
use crate::core::geometry::PixelRect;
use crate::core::image::spec::Border;
use crate::core::inference::device::{
    DeviceFault, DeviceMemory, FilterCoefficients, PreprocessDevice, PreprocessJob, RigidTransform,
    Sampling,
};
use crate::nvidia::abi::cuda::STREAM_DEFAULT;
use crate::nvidia::abi::picture::Picture;

/// Most tables of values that are kept; a model has one for each input.
const MAX_TABLES: usize = 8;

impl From<DeviceError> for DeviceFault {
    fn from(error: DeviceError) -> Self {
        Self(error.to_string())
    }
}

/// Preprocesses on one GPU. It owns a stream and all memory that this takes, and allocates nothing once
/// it has seen the largest picture.
pub struct GpuPreprocessor {
    gpu: Gpu,
    kernels: Kernels,
    stream: Handle,
    /// The windows and weights that the GPU has.
    windows: Buffer,
    /// The same in the host.
    known: Vec<i32>,
    /// Those of the job at hand.
    next: Vec<i32>,
    /// Tables of values in the host and on the GPU.
    tables: Vec<(Vec<u8>, Buffer)>,
    /// A rotated square.
    square: Buffer,
    /// A frame out of another context.
    copy: Buffer,
}

impl GpuPreprocessor {
    /// For one GPU; its kernels are compiled at their first use.
    ///
    /// # Errors
    /// [`DeviceError`]: where there is no such GPU, or it takes no kernel of ours.
    pub fn new(gpu: u32) -> Result<Self, DeviceError> {
        let gpu = Gpu::get(gpu)?;
        let _entered = gpu.enter()?;
        let kernels = Kernels::of(&gpu)?;
        let mut stream = std::ptr::null_mut();
        // SAFETY: the pointer is valid for the call.
        let code = unsafe { (gpu.cuda.stream_create)(&raw mut stream, STREAM_DEFAULT) };
        gpu.check("cuStreamCreate", code)?;
        Ok(Self {
            gpu,
            kernels,
            stream: Handle(stream),
            windows: Buffer::new(gpu),
            known: Vec::new(),
            next: Vec::new(),
            tables: Vec::new(),
            square: Buffer::new(gpu),
            copy: Buffer::new(gpu),
        })
    }

    /// Number of the GPU.
    pub fn gpu(&self) -> u32 {
        self.gpu.number
    }

    /// Makes a frame fit to be read: waits for its producer, and copies it within the GPU if it
    /// belongs to another context.
    ///
    /// # Errors
    /// Where the frame is on another GPU, or is not there, or the driver refuses.
    pub fn make_readable<'f>(
        &mut self,
        mut frame: GpuFrame<'f>,
    ) -> Result<GpuFrame<'f>, GpuFrameError> {
        let model = self.gpu.number;
        let other = |frame| GpuFrameError::OtherGpu { frame, model };
        if frame.gpu != model {
            return Err(other(frame.gpu));
        }
        if frame.is_the_drivers() {
            return Ok(frame);
        }
        let entered = self.gpu.enter()?;
        for plane in frame.planes() {
            memory::check_readable(&self.gpu, plane.address, plane.bytes)?;
        }
        if !frame.may_be_written() {
            return Ok(frame);
        }
        let first = frame.planes[0].address;
        let info = memory::address_info(&self.gpu, first);
        if let Some(info) = info.filter(|info| info.gpu != model) {
            return Err(other(info.gpu));
        }
        let own = self.gpu.context;
        let context = memory::context(&self.gpu, first).unwrap_or(own);
        {
            // SAFETY: the driver gave the context of memory that the frame holds, and with it the
            // context.
            let _other = unsafe { self.gpu.enter_other(context)? };
            // SAFETY: the call needs a current context only.
            let code = unsafe { (self.gpu.cuda.ctx_synchronize)() };
            self.gpu.check("cuCtxSynchronize", code)?;
        }
        if context != own {
            self.copy_planes(&mut frame, context)?;
        }
        drop(entered);
        Ok(frame)
    }

    /// Copies a frame's planes, which are checked, out of another context.
    fn copy_planes(
        &mut self,
        frame: &mut GpuFrame<'_>,
        context: Handle,
    ) -> Result<(), DeviceError> {
        let padded = |plane: &GpuPlane| plane.bytes.next_multiple_of(256);
        let bytes = frame.planes().iter().map(padded).sum();
        self.wait()?;
        self.copy.reserve(bytes)?;
        let count = frame.planes().len();
        let mut to = self.copy.address();
        for plane in &mut frame.planes[..count] {
            let own = self.gpu.context;
            // SAFETY: the source is as long, as was checked, and so is what was reserved; both
            // contexts live.
            let code = unsafe {
                (self.gpu.cuda.memcpy_peer_async)(
                    to,
                    own.0,
                    plane.address,
                    context.0,
                    plane.bytes,
                    self.stream.0,
                )
            };
            self.gpu.check("cuMemcpyPeerAsync", code)?;
            plane.address = to;
            to += padded(plane) as u64;
        }
        Ok(())
    }

    /// The GPU's context is the current one.
    fn wait(&self) -> Result<(), DeviceError> {
        // SAFETY: the stream is ours.
        let code = unsafe { (self.gpu.cuda.stream_synchronize)(self.stream.0) };
        self.gpu.check("cuStreamSynchronize", code)
    }

    fn upload(&self, bytes: &[u8], to: u64) -> Result<(), DeviceError> {
        // SAFETY: the source is `bytes`, which the driver has read when it returns, because it is no
        // memory of the driver's own (cuda.h, "API synchronization behavior"); the caller checked
        // or reserved the target.
        let code = unsafe {
            let stream = self.stream.0;
            (self.gpu.cuda.memcpy_htod_async)(to, bytes.as_ptr().cast(), bytes.len(), stream)
        };
        self.gpu.check("cuMemcpyHtoDAsync", code)
    }

    /// Where the GPU has a table of values.
    fn table(&mut self, table: &[u8]) -> Result<u64, DeviceError> {
        if let Some((_, buffer)) = self.tables.iter().find(|(known, _)| known == table) {
            return Ok(buffer.address());
        }
        if self.tables.len() == MAX_TABLES {
            self.wait()?;
            self.tables.clear();
        }
        let mut buffer = Buffer::new(self.gpu);
        buffer.reserve(table.len())?;
        self.upload(table, buffer.address())?;
        let address = buffer.address();
        self.tables.push((table.to_vec(), buffer));
        Ok(address)
    }

    /// Gives the GPU the windows of a picture, and says where it has them.
    fn windows(
        &mut self,
        picture: &mut Picture,
        columns: &FilterCoefficients<'_>,
        rows: &FilterCoefficients<'_>,
    ) -> Result<(), DeviceError> {
        let parts = [columns.starts, columns.weights, rows.starts, rows.weights];
        self.next.clear();
        parts.iter().for_each(|part| self.next.extend_from_slice(part));
        if self.next != self.known {
            let bytes = size_of_val(&self.next[..]);
            if bytes > self.windows.bytes() {
                // A running kernel may still read the old ones.
                self.wait()?;
                self.windows.reserve(bytes)?;
            }
            self.known.clear();
            self.upload(as_bytes(&self.next), self.windows.address())?;
            std::mem::swap(&mut self.known, &mut self.next);
        }
        let mut at = self.windows.address();
        let places = parts.map(|part| {
            let here = at;
            at += 4 * part.len() as u64;
            here
        });
        [picture.column_starts, picture.column_weights, picture.row_starts, picture.row_weights] =
            places;
        Ok(())
    }

    fn begin(
        &mut self,
        frame: &GpuFrame<'_>,
        job: &PreprocessJob<'_>,
        out: DeviceMemory,
    ) -> Result<(), DeviceError> {
        let gpu = self.gpu;
        let _entered = gpu.enter()?;
        if frame.gpu != gpu.number || out.device != gpu.number {
            return Err(DeviceError::Job("frame or tensor on another GPU"));
        }
        if out.bytes != job.bytes() {
            return Err(DeviceError::Job("a tensor of another length"));
        }
        memory::check_writable(&gpu, out.address, out.bytes)?;
        if !frame.is_the_drivers() {
            for plane in frame.planes() {
                memory::check_readable(&gpu, plane.address, plane.bytes)?;
            }
        }
        let mut picture = job::begin(frame, job)?;
        picture.out = out.address;
        picture.table = self.table(job.table)?;
        let kernel = match &job.sampling {
            Sampling::Warp { to_source, border } => {
                picture.to_source.copy_from_slice(to_source.as_flattened());
                // What lies around the frame is black to a warp, unless its edge is asked for.
                picture.black_border = i32::from(*border != Border::Replicate);
                Kernel::Warp
            }
            Sampling::Resize {
                source,
                border,
                transform,
                picture: target,
                filter,
                columns,
                rows,
                fill,
            } => {
                job::resize(&mut picture, (*source, *target), (columns, rows), *filter)?;
                picture.black_border = i32::from(*border == Border::Black);
                picture.fill = i32::from(*fill);
                self.windows(&mut picture, columns, rows)?;
                if let Some(transform) = transform {
                    self.rotate(&mut picture, *source, *transform)?;
                }
                Kernel::Resize
            }
        };
        // SAFETY: tensor and planes are checked to lie in memory of this GPU, or are the driver's own
        // answer for an image that the frame holds; their strides and sizes by the code that made the
        // frame, everything else by `job` or just put there. Table, windows and square live in
        // buffers that are kept until the stream was awaited. The caller keeps frame and tensor
        // until `finish` returns.
        unsafe { self.kernels.launch(&gpu, self.stream, kernel, &picture) }
    }

    /// Cuts the source, a square, out and rotates it; the kernel then reads the rotated square.
    fn rotate(
        &mut self,
        picture: &mut Picture,
        square: PixelRect,
        transform: RigidTransform,
    ) -> Result<(), DeviceError> {
        if square.width != square.height {
            return Err(DeviceError::Job("the rotated source is not square"));
        }
        let side = square.width;
        let bytes = side as usize * side as usize * 3;
        if bytes > self.square.bytes() {
            self.wait()?;
            self.square.reserve(bytes)?;
        }
        let cut = job::rotate(picture, square, transform, self.square.address());
        // SAFETY: the frame was checked as `begin` says; the square's buffer is long enough.
        unsafe { self.kernels.launch(&self.gpu, self.stream, Kernel::Rotate, &cut)? };
        job::read_square(picture, side, self.square.address());
        Ok(())
    }
}

/// Numbers as they lie in memory.
fn as_bytes(numbers: &[i32]) -> &[u8] {
    // SAFETY: numbers are bytes without padding, and a byte needs no alignment.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

impl PreprocessDevice for GpuPreprocessor {
    type Frame<'f> = GpuFrame<'f>;

    fn fill(
        &mut self,
        frame: &GpuFrame<'_>,
        job: &PreprocessJob<'_>,
        out: DeviceMemory,
    ) -> Result<(), DeviceFault> {
        Ok(self.begin(frame, job, out)?)
    }

    fn write(&mut self, bytes: &[u8], out: DeviceMemory) -> Result<(), DeviceFault> {
        let _entered = self.gpu.enter()?;
        if out.device != self.gpu.number || out.bytes != bytes.len() {
            return Err(DeviceError::Job("numbers for memory of another length").into());
        }
        memory::check_writable(&self.gpu, out.address, out.bytes)?;
        Ok(self.upload(bytes, out.address)?)
    }

    fn finish(&mut self) -> Result<(), DeviceFault> {
        let _entered = self.gpu.enter()?;
        Ok(self.wait()?)
    }
}

impl Drop for GpuPreprocessor {
    fn drop(&mut self) {
        let Ok(_entered) = self.gpu.enter() else { return };
        // SAFETY: the stream is ours; what it did is done before its buffers are freed.
        unsafe {
            (self.gpu.cuda.stream_synchronize)(self.stream.0);
            (self.gpu.cuda.stream_destroy)(self.stream.0);
        }
    }
}
