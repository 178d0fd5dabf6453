//! A model whose inputs are in a GPU's memory, where there is no ONNX Runtime for GPUs.

use std::sync::Arc;

use half::f16;

use super::cuda::Cuda;
// The crate's own tests have it under the same name.
use super::gstgaze::core::inference::device::DeviceMemory;
use super::gstgaze::core::inference::{Engine, EngineError, ModelInfo, TensorMut};

/// A model on the CPU whose inputs may be in the memory of "GPU 0" as well.
pub struct OnGpu {
    model: Box<dyn Engine>,
    cuda: Arc<Cuda>,
    /// One for each input, leaked: a test ends soon.
    memory: Vec<DeviceMemory>,
}

impl OnGpu {
    pub fn new(mut model: Box<dyn Engine>, cuda: &Arc<Cuda>) -> Self {
        let memory = (0..model.info().inputs.len()).map(|index| {
            let bytes = match model.input(index) {
                TensorMut::F32(v) => size_of_val(v),
                TensorMut::F16(v) => size_of_val(v),
                TensorMut::U8(v) => size_of_val(v),
                TensorMut::I8(v) => size_of_val(v),
            };
            let memory = std::mem::ManuallyDrop::new(cuda.alloc(bytes));
            DeviceMemory { address: memory.address, bytes, device: 0 }
        });
        let memory = memory.collect();
        Self { model, cuda: cuda.clone(), memory }
    }
}

impl Engine for OnGpu {
    fn info(&self) -> &ModelInfo {
        self.model.info()
    }
    fn provider(&self) -> &str {
        self.model.provider()
    }
    fn max_batch(&self) -> usize {
        self.model.max_batch()
    }
    fn input_shape(&self, index: usize) -> &[usize] {
        self.model.input_shape(index)
    }
    fn output_shape(&self, index: usize) -> &[usize] {
        self.model.output_shape(index)
    }
    fn input(&mut self, index: usize) -> TensorMut<'_> {
        self.model.input(index)
    }
    fn run(&mut self, batch: usize) -> Result<(), EngineError> {
        self.model.run(batch)
    }
    fn output(&self, index: usize) -> &[f32] {
        self.model.output(index)
    }
    fn device(&self) -> Option<u32> {
        Some(0)
    }
    fn device_input(&mut self, index: usize, batch: usize) -> Result<DeviceMemory, EngineError> {
        assert!((1..=self.max_batch()).contains(&batch));
        Ok(self.memory[index])
    }
    fn run_on_device(&mut self, batch: usize) -> Result<(), EngineError> {
        for (index, memory) in self.memory.iter().enumerate() {
            let mut bytes = vec![0; memory.bytes];
            self.cuda.download(memory.address, &mut bytes);
            match self.model.input(index) {
                TensorMut::F32(to) => {
                    let values = bytes.as_chunks::<4>().0.iter();
                    to.iter_mut().zip(values).for_each(|(to, v)| *to = f32::from_ne_bytes(*v));
                }
                TensorMut::F16(to) => {
                    let values = bytes.as_chunks::<2>().0.iter();
                    to.iter_mut().zip(values).for_each(|(to, v)| *to = f16::from_ne_bytes(*v));
                }
                TensorMut::U8(to) => to.copy_from_slice(&bytes),
                TensorMut::I8(to) => {
                    to.iter_mut().zip(bytes).for_each(|(to, v)| *to = v.cast_signed());
                }
            }
        }
        self.model.run(batch)
    }
}
