//! What the targets share: models whose every declaration and every number the fuzzer chooses, and
//! frames, drives.

pub mod drive;
#[cfg(feature = "plugin")]
pub mod metadata;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use gstgaze::core::image::color::{ColorMatrix, ColorRange, Colorimetry};
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::geometry::Size;
use gstgaze::core::profile::builtin;
use gstgaze::core::inference::{ElementType, Engine, EngineError, ModelInfo, TensorInfo, TensorMut};
use libfuzzer_sys::arbitrary::{self, Arbitrary, Result, Unstructured};

/// Elements that one tensor of a [`Sheet`] may have: more is slow and shows nothing new.
const MOST_ELEMENTS: usize = 1 << 20;

/// One declared tensor. Small positive sides are likely, as in real files, so that the checks of a
/// recognised model are reached at all.
#[derive(Debug, Clone)]
pub struct Tensor(pub TensorInfo);

impl<'a> Arbitrary<'a> for Tensor {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        const SIDES: [usize; 19] =
            [0, 1, 2, 3, 4, 10, 16, 28, 60, 68, 90, 112, 128, 160, 224, 320, 448, 640, 896];
        let name = match u.int_in_range(0..=3)? {
            0 => String::arbitrary(u)?,
            _ => (*u.choose(&["input", "image", "gaze", "yaw", "pitch", "boxes", "loc"])?).into(),
        };
        let element = match u.int_in_range(0..=7)? {
            0 => None,
            1 => Some(ElementType::F16),
            2 => Some(ElementType::U8),
            3 => Some(ElementType::I8),
            _ => Some(ElementType::F32),
        };
        let rank = u.int_in_range(0..=5)?;
        let mut shape = Vec::with_capacity(rank);
        for _ in 0..rank {
            shape.push(match u.int_in_range(0..=9)? {
                0 => None,
                1 => Some(usize::arbitrary(u)?),
                2 => Some(usize::from(u16::arbitrary(u)?)),
                _ => Some(*u.choose(&SIDES)?),
            });
        }
        Ok(Self(TensorInfo { name, element, shape }))
    }
}

/// A model file's declarations.
#[derive(Debug, Arbitrary)]
pub struct Declared {
    name: String,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    metadata: BTreeMap<String, String>,
}

impl Declared {
    pub fn info(&self) -> ModelInfo {
        let infos = |tensors: &[Tensor]| tensors.iter().map(|tensor| tensor.0.clone()).collect();
        ModelInfo {
            name: self.name.clone(),
            inputs: infos(&self.inputs),
            outputs: infos(&self.outputs),
            metadata: self.metadata.clone(),
        }
    }
}

/// Memory of one input.
enum Memory {
    F32(Vec<f32>),
    F16(Vec<half::f16>),
    U8(Vec<u8>),
    I8(Vec<i8>),
}

/// A model that computes nothing: its outputs repeat what the fuzzer wrote on a sheet.
pub struct Sheet {
    info: ModelInfo,
    batch: usize,
    shapes: [Vec<Vec<usize>>; 2],
    inputs: Vec<Memory>,
    outputs: Vec<Vec<f32>>,
}

impl Sheet {
    /// Binds the tensors as a session would: open sides become the batch (the first) or `side`.
    /// `None` where a session would refuse: no element, an unknown type, or too much memory.
    pub fn new(info: ModelInfo, batch: usize, side: usize, numbers: &[f32]) -> Option<Self> {
        let bind = |tensors: &[TensorInfo]| -> Option<Vec<Vec<usize>>> {
            let one = |tensor: &TensorInfo| {
                let dims = tensor.shape.iter().enumerate();
                let open = |axis| if axis == 0 { batch } else { side };
                let shape: Vec<_> = dims.map(|(axis, dim)| dim.unwrap_or(open(axis))).collect();
                let all = shape.iter().try_fold(1_usize, |all, dim| all.checked_mul(*dim))?;
                (1..=MOST_ELEMENTS).contains(&all).then_some(shape)
            };
            tensors.iter().map(one).collect()
        };
        let shapes = [bind(&info.inputs)?, bind(&info.outputs)?];
        let count = |shape: &Vec<usize>| shape.iter().product::<usize>();
        let memory = |(tensor, shape): (&TensorInfo, &Vec<usize>)| {
            let len = count(shape);
            Some(match tensor.element? {
                ElementType::F32 => Memory::F32(vec![0.0; len]),
                ElementType::F16 => Memory::F16(vec![half::f16::ZERO; len]),
                ElementType::U8 => Memory::U8(vec![0; len]),
                ElementType::I8 => Memory::I8(vec![0; len]),
            })
        };
        let inputs = info.inputs.iter().zip(&shapes[0]).map(memory).collect::<Option<_>>()?;
        let numbers = if numbers.is_empty() { &[0.0] } else { numbers };
        let outputs = shapes[1]
            .iter()
            .map(|shape| numbers.iter().copied().cycle().take(count(shape)).collect());
        let outputs = outputs.collect();
        let batch = match info.inputs.first().and_then(|input| input.shape.first()) {
            Some(Some(fixed)) => (*fixed).max(1),
            _ => batch,
        };
        Some(Self { info, batch, shapes, inputs, outputs })
    }
}

impl Engine for Sheet {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn provider(&self) -> &str {
        "sheet"
    }

    fn max_batch(&self) -> usize {
        self.batch
    }

    fn input_shape(&self, index: usize) -> &[usize] {
        &self.shapes[0][index]
    }

    fn output_shape(&self, index: usize) -> &[usize] {
        &self.shapes[1][index]
    }

    fn input(&mut self, index: usize) -> TensorMut<'_> {
        match &mut self.inputs[index] {
            Memory::F32(values) => TensorMut::F32(values),
            Memory::F16(values) => TensorMut::F16(values),
            Memory::U8(values) => TensorMut::U8(values),
            Memory::I8(values) => TensorMut::I8(values),
        }
    }

    fn run(&mut self, _batch: usize) -> std::result::Result<(), EngineError> {
        Ok(())
    }

    fn output(&self, index: usize) -> &[f32] {
        &self.outputs[index]
    }
}

/// A frame whose planes are as the fuzzer says, lies included.
#[derive(Debug)]
pub struct Frame {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    strides: [usize; 3],
    missing: usize,
    bytes: Vec<u8>,
}

impl<'a> Arbitrary<'a> for Frame {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let format = *u.choose(&PixelFormat::ALL)?;
        let size = Size::new(u.int_in_range(0..=200)?, u.int_in_range(0..=200)?);
        let colorimetry = Colorimetry {
            matrix: *u.choose(&[ColorMatrix::Bt601, ColorMatrix::Bt709])?,
            range: *u.choose(&[ColorRange::Limited, ColorRange::Full])?,
        };
        let lies = u.ratio(1_u8, 8_u8)?;
        let mut strides = [0; 3];
        for stride in &mut strides {
            // A row of the widest format, padded; or whatever.
            let padding = usize::from(u8::arbitrary(u)?);
            *stride = if lies { padding * 4 } else { size.width as usize * 4 + padding };
        }
        let missing = if u.ratio(1_u8, 8_u8)? { u.int_in_range(0..=64)? } else { 0 };
        let bytes = u.bytes(u.len().min(64))?.to_vec();
        Ok(Self { format, size, colorimetry, strides, missing, bytes })
    }
}

impl Frame {
    /// Calls `look` with the frame if it is one.
    pub fn view(&self, look: impl FnOnce(&FrameView<'_>)) {
        let count = self.format.planes();
        let height = self.size.height as usize;
        let planes: Vec<Vec<u8>> = self.strides[..count]
            .iter()
            .map(|stride| {
                let len = (stride * height).saturating_sub(self.missing);
                self.bytes.iter().copied().cycle().take(len).collect()
            })
            .collect();
        let planes: Vec<Plane<'_>> =
            planes.iter().zip(self.strides).map(|(data, stride)| Plane { data, stride }).collect();
        if let Ok(view) = FrameView::new(self.format, self.size, self.colorimetry, &planes) {
            look(&view);
        }
    }
}

/// A text that means something, with a few edits: reaches what lies behind the parser.
#[derive(Debug)]
pub struct Edited(pub String);

impl Edited {
    /// One of `bases`, or any text, with at most seven places overwritten.
    pub fn of(u: &mut Unstructured<'_>, bases: &[String]) -> Result<Self> {
        const WORDS: [&str; 16] = [
            "0",
            "-1",
            "1e400",
            "nan",
            "-inf",
            "65536",
            "\"",
            "[",
            "]",
            "{",
            "}",
            "\n",
            "=",
            ":",
            "true",
            "9999999999999999999",
        ];
        if bases.is_empty() || u.ratio(1_u8, 10_u8)? {
            return Ok(Self(String::arbitrary(u)?));
        }
        let mut text = u.choose(bases)?.clone();
        for _ in 0..u.int_in_range(0..=7)? {
            let at = u.int_in_range(0..=text.len())?;
            let end = at.saturating_add(u.int_in_range(0..=12)?).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                let word = if u.arbitrary()? { u.choose(&WORDS)? } else { <&str>::arbitrary(u)? };
                text.replace_range(at..end, word);
            }
        }
        Ok(Self(text))
    }
}

/// The text of a built-in profile, edited.
#[derive(Debug)]
pub struct ProfileText(pub String);

impl<'a> Arbitrary<'a> for ProfileText {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        static BUILTIN: OnceLock<Vec<String>> = OnceLock::new();
        let bases = BUILTIN.get_or_init(|| {
            builtin::all().iter().map(|profile| toml::to_string(profile).expect("TOML")).collect()
        });
        Edited::of(u, bases).map(|text| Self(text.0))
    }
}

/// One tensor of 32-bit floats; a side of 0 is open.
pub fn tensor(name: &str, shape: &[usize]) -> Tensor {
    let shape = shape.iter().map(|side| (*side > 0).then_some(*side)).collect();
    Tensor(TensorInfo { name: name.to_owned(), element: Some(ElementType::F32), shape })
}

impl Declared {
    fn published(inputs: Vec<Tensor>, outputs: Vec<Tensor>) -> Self {
        Self { name: "published".to_owned(), inputs, outputs, metadata: BTreeMap::new() }
    }

    /// A gaze model as published, or any.
    pub fn gaze_model(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(match u.int_in_range(0..=5)? {
            0 => Self::arbitrary(u)?,
            1 => Self::published(
                vec![tensor("input", &[0, 3, 448, 448])],
                vec![tensor("yaw", &[0, 90]), tensor("pitch", &[0, 90])],
            ),
            2 => Self::published(
                vec![tensor("input", &[1, 448, 448, 3])],
                vec![tensor("yaw", &[1, 28]), tensor("pitch", &[1, 28])],
            ),
            3 => Self::published(
                vec![
                    tensor("left_eye_image", &[1, 3, 60, 60]),
                    tensor("right_eye_image", &[1, 3, 60, 60]),
                    tensor("head_pose_angles", &[1, 3]),
                ],
                vec![tensor("gaze_vector", &[1, 3])],
            ),
            _ => Self::published(
                vec![tensor("image", &[0, 3, 224, 224])],
                vec![tensor("gaze", &[0, 2])],
            ),
        })
    }

    /// A face detector as published, its outputs in any order, or any model.
    pub fn detector(u: &mut Unstructured<'_>) -> Result<Self> {
        let levels = |per_cell: usize, columns: usize| {
            [1600, 400, 100].map(|rows| [1, rows * per_cell, columns])
        };
        let (input, mut outputs): ([usize; 4], Vec<[usize; 3]>) = match u.int_in_range(0..=6)? {
            0 => return Self::arbitrary(u),
            1 => (
                [1, 3, 320, 320],
                [levels(1, 1), levels(1, 1), levels(1, 4), levels(1, 10)].concat(),
            ),
            2 => ([1, 3, 320, 320], [levels(2, 1), levels(2, 4), levels(2, 10)].concat()),
            3 => ([1, 3, 320, 320], [levels(2, 1), levels(2, 4)].concat()),
            4 => ([1, 3, 240, 320], vec![[1, 4420, 2], [1, 4420, 4]]),
            5 => ([1, 3, 640, 640], vec![[1, 16800, 4], [1, 16800, 2], [1, 16800, 10]]),
            _ => ([1, 128, 128, 3], vec![[1, 896, 16], [1, 896, 1]]),
        };
        for last in (1..outputs.len()).rev() {
            outputs.swap(last, u.int_in_range(0..=last)?);
        }
        let outputs = outputs.iter().enumerate();
        let outputs = outputs.map(|(index, shape)| tensor(&index.to_string(), shape));
        Ok(Self::published(vec![tensor("input", &input)], outputs.collect()))
    }
}
