//! The memory of a model's inputs and outputs.

use std::fmt;

use half::f16;
use half::slice::HalfFloatSliceExt as _;
use ort::memory::Allocator;
use ort::session::{
    HasSelectedOutputs, OutputSelector, RunOptions, SessionInputValue, SessionOutputs,
};
use ort::value::{DynValue, PrimitiveTensorElementType, Shape, Tensor, TensorRef};

use crate::core::inference::{ElementType, EngineError, ModelInfo, TensorInfo, TensorMut};

/// The most bytes of one input; more is a mistake in a shape.
const MAX_INPUT_BYTES: usize = 1 << 30;

/// An input's memory, as long as the largest batch.
#[derive(Debug)]
enum InputTensor {
    F32(Tensor<f32>),
    F16(Tensor<f16>),
    U8(Tensor<u8>),
    I8(Tensor<i8>),
}

/// An input, bound.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) shape: Vec<usize>,
    tensor: InputTensor,
}

impl Input {
    pub(super) fn new(
        info: &TensorInfo,
        batch: usize,
        item: &[usize],
    ) -> Result<Self, EngineError> {
        let unsupported = |what: &str| EngineError::Unsupported(format!("input {info} {what}"));
        let element = info.element.ok_or_else(|| {
            unsupported("is of another type than float32, float16, uint8 and int8")
        })?;
        let declared = info.shape.iter().skip(1);
        if declared.clone().count() != item.len()
            || declared.zip(item).any(|(declared, dim)| declared.is_some_and(|d| d != *dim))
        {
            return Err(unsupported(&format!("cannot be bound as {item:?} per item")));
        }
        let shape: Vec<usize> = [batch].iter().chain(item).copied().collect();
        let bytes =
            shape.iter().try_fold(element.bytes(), |product, dim| product.checked_mul(*dim));
        match bytes {
            Some(1..=MAX_INPUT_BYTES) => {}
            _ => return Err(unsupported(&format!("cannot be allocated as {shape:?}"))),
        }
        let tensor = InputTensor::new(element, &Allocator::default(), &shape)
            .map_err(|why| unsupported(&format!("cannot be allocated: {why}")))?;
        Ok(Self { shape, tensor })
    }

    /// Another one of the same type for a batch of `batch`, in an allocator's memory.
    /// [`values`](Self::values) needs the host's memory.
    pub(super) fn like(&self, allocator: &Allocator, batch: usize) -> ort::Result<Self> {
        let mut shape = self.shape.clone();
        if let Some(first) = shape.first_mut() {
            *first = batch;
        }
        let tensor = InputTensor::new(self.tensor.element(), allocator, &shape)?;
        Ok(Self { shape, tensor })
    }

    /// The address of its memory, on the host or a device, and its bytes.
    pub(super) fn address(&mut self) -> (u64, usize) {
        let elements: usize = self.shape.iter().product();
        let address = match &mut self.tensor {
            InputTensor::F32(tensor) => tensor.data_ptr_mut(),
            InputTensor::F16(tensor) => tensor.data_ptr_mut(),
            InputTensor::U8(tensor) => tensor.data_ptr_mut(),
            InputTensor::I8(tensor) => tensor.data_ptr_mut(),
        };
        (address as u64, elements * self.tensor.element().bytes())
    }

    /// Copies it to another one of the same shape, on the host or a device.
    ///
    /// The tensor must own its memory, as all of these do: otherwise `ort` makes a copy first, for which
    /// it waits for a lock that it holds (2.0.0-rc.15).
    pub(super) fn copy_into(&self, to: &mut Self) -> ort::Result<()> {
        match (&self.tensor, &mut to.tensor) {
            (InputTensor::F32(from), InputTensor::F32(to)) => from.copy_into(to),
            (InputTensor::F16(from), InputTensor::F16(to)) => from.copy_into(to),
            (InputTensor::U8(from), InputTensor::U8(to)) => from.copy_into(to),
            (InputTensor::I8(from), InputTensor::I8(to)) => from.copy_into(to),
            _ => Err(ort::Error::new("inputs of different types")),
        }
    }

    /// Copies the first values of another one, as many as this has; both are in the host's memory.
    pub(super) fn take_values(&mut self, from: &mut Self) {
        match (self.values(), from.values()) {
            (TensorMut::F32(to), TensorMut::F32(from)) => to.copy_from_slice(&from[..to.len()]),
            (TensorMut::F16(to), TensorMut::F16(from)) => to.copy_from_slice(&from[..to.len()]),
            (TensorMut::U8(to), TensorMut::U8(from)) => to.copy_from_slice(&from[..to.len()]),
            (TensorMut::I8(to), TensorMut::I8(from)) => to.copy_from_slice(&from[..to.len()]),
            _ => {}
        }
    }

    /// The memory, mutable.
    pub(super) fn values(&mut self) -> TensorMut<'_> {
        match &mut self.tensor {
            InputTensor::F32(tensor) => TensorMut::F32(tensor.extract_tensor_mut().1),
            InputTensor::F16(tensor) => TensorMut::F16(tensor.extract_tensor_mut().1),
            InputTensor::U8(tensor) => TensorMut::U8(tensor.extract_tensor_mut().1),
            InputTensor::I8(tensor) => TensorMut::I8(tensor.extract_tensor_mut().1),
        }
    }

    /// The memory as it is.
    pub(super) fn whole(&self) -> SessionInputValue<'_> {
        match &self.tensor {
            InputTensor::F32(tensor) => tensor.into(),
            InputTensor::F16(tensor) => tensor.into(),
            InputTensor::U8(tensor) => tensor.into(),
            InputTensor::I8(tensor) => tensor.into(),
        }
    }

    /// The first `batch` items of it.
    pub(super) fn part(&self, batch: usize) -> ort::Result<SessionInputValue<'_>> {
        match &self.tensor {
            InputTensor::F32(tensor) => view(tensor, batch),
            InputTensor::F16(tensor) => view(tensor, batch),
            InputTensor::U8(tensor) => view(tensor, batch),
            InputTensor::I8(tensor) => view(tensor, batch),
        }
    }
}

impl InputTensor {
    fn new(element: ElementType, allocator: &Allocator, shape: &[usize]) -> ort::Result<Self> {
        Ok(match element {
            ElementType::F32 => Self::F32(Tensor::new(allocator, shape)?),
            ElementType::F16 => Self::F16(Tensor::new(allocator, shape)?),
            ElementType::U8 => Self::U8(Tensor::new(allocator, shape)?),
            ElementType::I8 => Self::I8(Tensor::new(allocator, shape)?),
        })
    }

    fn element(&self) -> ElementType {
        match self {
            Self::F32(_) => ElementType::F32,
            Self::F16(_) => ElementType::F16,
            Self::U8(_) => ElementType::U8,
            Self::I8(_) => ElementType::I8,
        }
    }
}

fn allocate<T>(shape: &[usize]) -> ort::Result<Tensor<T>>
where
    T: PrimitiveTensorElementType + fmt::Debug,
{
    Tensor::new(&Allocator::default(), shape)
}

fn view<T>(tensor: &Tensor<T>, batch: usize) -> ort::Result<SessionInputValue<'_>>
where
    T: PrimitiveTensorElementType + fmt::Debug + Clone + 'static,
{
    let (shape, data) = tensor.extract_tensor();
    let mut shape: Shape = shape.clone();
    let item: usize = shape.iter().skip(1).map(|dim| *dim as usize).product();
    if let Some(first) = shape.first_mut() {
        *first = batch as i64;
    }
    TensorRef::from_array_view((shape, &data[..batch * item])).map(SessionInputValue::from)
}

/// The element types of outputs that are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum OutputElement {
    F32,
    F16,
}

impl OutputElement {
    pub(super) fn of(info: &TensorInfo) -> Option<Self> {
        match info.element {
            Some(ElementType::F32) => Some(Self::F32),
            Some(ElementType::F16) => Some(Self::F16),
            _ => None,
        }
    }
}

/// An output, for the largest batch.
#[derive(Debug)]
pub(super) struct Output {
    /// `None` for a type that is not read; a run does not fetch such an output.
    element: Option<OutputElement>,
    pub(super) shape: Vec<usize>,
    /// Whether the first dimension follows the batch.
    batched: bool,
    /// The converted values of the last run, for types other than `f32`.
    converted: Vec<f32>,
}

impl Output {
    /// An output that had this shape in a run of the largest batch.
    pub(super) fn new(info: &TensorInfo, shape: Vec<usize>, batched: bool) -> Self {
        let element = OutputElement::of(info);
        let converted = match element {
            Some(OutputElement::F16) => vec![0.0; shape.iter().product()],
            _ => Vec::new(),
        };
        Self { element, shape, batched, converted }
    }

    /// An output of the shape that its file declares; `None` if the file leaves it open.
    pub(super) fn declared(info: &TensorInfo, batch: usize, free: bool) -> Option<Self> {
        let batched = free && info.shape.first() == Some(&None);
        let mut shape = info.shape.clone();
        if batched && let Some(first) = shape.first_mut() {
            *first = Some(batch);
        }
        let shape: Option<Vec<usize>> = shape.into_iter().collect();
        match OutputElement::of(info) {
            Some(_) => Some(Self::new(info, shape?, batched)),
            None => Some(Self::new(info, Vec::new(), false)),
        }
    }

    /// Converts the values of a run to 32-bit floats, if they are not.
    pub(super) fn convert(&mut self, tensor: Option<&OutputTensor>) {
        if let Some(OutputTensor::F16(tensor)) = tensor {
            let (_, halves) = tensor.extract_tensor();
            halves.convert_to_f32_slice(&mut self.converted[..halves.len()]);
        }
    }

    /// The values that the last run wrote into `tensor`.
    pub(super) fn values<'a>(&'a self, tensor: Option<&'a OutputTensor>) -> &'a [f32] {
        match tensor {
            Some(OutputTensor::F32(tensor)) => tensor.extract_tensor().1,
            Some(OutputTensor::F16(tensor)) => &self.converted[..tensor.shape().num_elements()],
            None => &[],
        }
    }

    fn shape_for(&self, batch: usize) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if let (true, Some(first)) = (self.batched, shape.first_mut()) {
            *first = batch;
        }
        shape
    }
}

/// An output's memory for one batch size.
#[derive(Debug)]
pub(super) enum OutputTensor {
    F32(Tensor<f32>),
    F16(Tensor<f16>),
}

impl OutputTensor {
    fn new(element: OutputElement, shape: &[usize]) -> ort::Result<Self> {
        Ok(match element {
            OutputElement::F32 => Self::F32(allocate(shape)?),
            OutputElement::F16 => Self::F16(allocate(shape)?),
        })
    }

    /// Copies it to another one, on the host or a device.
    pub(super) fn copy_into(&self, to: &mut Self) -> ort::Result<()> {
        match (self, to) {
            (Self::F32(from), Self::F32(to)) => from.copy_into(to),
            (Self::F16(from), Self::F16(to)) => from.copy_into(to),
            _ => Err(ort::Error::new("outputs of different types")),
        }
    }

    fn from_value(value: DynValue, element: OutputElement) -> ort::Result<Self> {
        Ok(match element {
            OutputElement::F32 => Self::F32(value.downcast()?),
            OutputElement::F16 => Self::F16(value.downcast()?),
        })
    }
}

/// Output memory for one batch size.
pub(super) struct OutputBinding {
    pub(super) options: RunOptions<HasSelectedOutputs>,
    /// Handles to the memory that `options` holds, in the file's order; filled by the first run,
    /// because `ort` hands them out only with results.
    pub(super) tensors: Vec<Option<OutputTensor>>,
}

impl fmt::Debug for OutputBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputBinding").field("tensors", &self.tensors).finish_non_exhaustive()
    }
}

impl OutputBinding {
    pub(super) fn new(info: &ModelInfo, outputs: &[Output], batch: usize) -> ort::Result<Self> {
        Self::within(&Allocator::default(), info, outputs, batch)
    }

    /// The same in an allocator's memory.
    pub(super) fn within(
        allocator: &Allocator,
        info: &ModelInfo,
        outputs: &[Output],
        batch: usize,
    ) -> ort::Result<Self> {
        let mut selector = OutputSelector::no_default();
        for (output, info) in outputs.iter().zip(&info.outputs) {
            let Some(element) = output.element else { continue };
            let shape = output.shape_for(batch);
            let name = info.name.as_str();
            selector = match element {
                OutputElement::F32 => {
                    selector.preallocate(name, Tensor::<f32>::new(allocator, &shape[..])?)
                }
                OutputElement::F16 => {
                    selector.preallocate(name, Tensor::<f16>::new(allocator, &shape[..])?)
                }
            }
            .with(name);
        }
        Ok(Self { options: RunOptions::new()?.with_outputs(selector), tensors: Vec::new() })
    }

    /// Tensors in the host's memory for the outputs that are read.
    pub(super) fn host_tensors(
        outputs: &[Output],
        batch: usize,
    ) -> ort::Result<Vec<Option<OutputTensor>>> {
        let tensor = |output: &Output| {
            output.element.map(|element| OutputTensor::new(element, &output.shape_for(batch)))
        };
        outputs.iter().map(|output| tensor(output).transpose()).collect()
    }

    /// Takes the handles out of the results of the first run.
    pub(super) fn take_handles(
        info: &ModelInfo,
        outputs: &[Output],
        mut values: SessionOutputs<'_>,
    ) -> ort::Result<Vec<Option<OutputTensor>>> {
        let handle = |(output, info): (&Output, &TensorInfo)| {
            let element = output.element?;
            let value = values.remove(&info.name)?;
            Some(OutputTensor::from_value(value, element))
        };
        outputs.iter().zip(&info.outputs).map(handle).map(Option::transpose).collect()
    }
}
