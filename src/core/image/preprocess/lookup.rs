//! Bytes to the model's values through lookup tables, in the model's layout and element type.
//!
//! A byte has 256 values, so each channel has a table of 256 results. Rounding happens once, and
//! every element type takes the same path.

use half::f16;

use super::error::PreprocessError;
use crate::core::image::spec::{ImageSpec, Layout};
use crate::core::inference::tensor::{ElementType, TensorMut};

/// 256 values for each channel.
type Table<T> = Box<[[T; 256]; 3]>;

/// The value of each byte, for each channel, in the input's element type.
#[derive(Debug)]
pub(super) enum LookupTables {
    F32(Table<f32>),
    F16(Table<f16>),
    U8(Table<u8>),
    I8(Table<i8>),
}

/// The shape of one item of the tensor.
#[derive(Clone, Copy, Debug)]
pub(super) struct ItemShape {
    pub(super) layout: Layout,
    pub(super) channels: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl ItemShape {
    pub(super) fn len(&self) -> usize {
        self.width * self.height * self.channels
    }
}

impl LookupTables {
    /// Tables of `(byte * scale - mean) / std`. Each step is rounded to single precision as in the
    /// publishers' numpy code, so the values equal theirs to the bit. Integer elements are then
    /// rounded to nearest and saturate.
    pub(super) fn new(spec: &ImageSpec, element: ElementType) -> Self {
        let value = |channel: usize, byte: usize| {
            ((byte as f64 * spec.scale) as f32 - spec.mean[channel]) / spec.std[channel]
        };
        match element {
            ElementType::F32 => Self::F32(table(value)),
            ElementType::F16 => Self::F16(table(|c, b| f16::from_f32(value(c, b)))),
            ElementType::U8 => Self::U8(table(|c, b| value(c, b).round() as u8)),
            ElementType::I8 => Self::I8(table(|c, b| value(c, b).round() as i8)),
        }
    }

    /// Checks that `out` has the tables' element type and `expected` elements.
    pub(super) fn check(
        &self,
        expected: usize,
        out: &TensorMut<'_>,
    ) -> Result<(), PreprocessError> {
        let (want, got) = match (self, out) {
            (Self::F32(_), TensorMut::F32(_))
            | (Self::F16(_), TensorMut::F16(_))
            | (Self::U8(_), TensorMut::U8(_))
            | (Self::I8(_), TensorMut::I8(_))
                if out.len() == expected =>
            {
                return Ok(());
            }
            (Self::F32(_), TensorMut::F32(_))
            | (Self::F16(_), TensorMut::F16(_))
            | (Self::U8(_), TensorMut::U8(_))
            | (Self::I8(_), TensorMut::I8(_)) => {
                return Err(PreprocessError::Length { expected, got: out.len() });
            }
            _ => (self.element(), element_of(out)),
        };
        Err(PreprocessError::Element { expected: want, got })
    }

    /// Bytes of one value.
    pub(super) fn element_bytes(&self) -> usize {
        self.element().bytes()
    }

    /// The tables, one channel after the other, as they lie in memory.
    pub(super) fn table_bytes(&self) -> Vec<u8> {
        match self {
            Self::F32(t) => t.iter().flatten().flat_map(|v| v.to_ne_bytes()).collect(),
            Self::F16(t) => t.iter().flatten().flat_map(|v| v.to_ne_bytes()).collect(),
            Self::U8(t) => t.iter().flatten().copied().collect(),
            Self::I8(t) => t.iter().flatten().flat_map(|v| v.to_ne_bytes()).collect(),
        }
    }

    fn element(&self) -> ElementType {
        match self {
            Self::F32(_) => ElementType::F32,
            Self::F16(_) => ElementType::F16,
            Self::U8(_) => ElementType::U8,
            Self::I8(_) => ElementType::I8,
        }
    }

    /// Writes the values of `bytes`, one run of columns for each channel, to row `y` from column `x`
    /// on.
    pub(super) fn row(
        &self,
        arch: pulp::Arch,
        shape: &ItemShape,
        (x, y): (usize, usize),
        bytes: &[u8],
        out: &mut TensorMut<'_>,
    ) {
        match (self, out) {
            (Self::F32(table), TensorMut::F32(out)) => {
                arch.dispatch(Row { table, shape, x, y, bytes, out });
            }
            (Self::F16(table), TensorMut::F16(out)) => {
                arch.dispatch(Row { table, shape, x, y, bytes, out });
            }
            (Self::U8(table), TensorMut::U8(out)) => {
                arch.dispatch(Row { table, shape, x, y, bytes, out });
            }
            (Self::I8(table), TensorMut::I8(out)) => {
                arch.dispatch(Row { table, shape, x, y, bytes, out });
            }
            _ => {}
        }
    }

    /// Fills the columns `x` of row `y` with the value of one byte.
    pub(super) fn fill(
        &self,
        shape: &ItemShape,
        x: std::ops::Range<usize>,
        y: usize,
        byte: u8,
        out: &mut TensorMut<'_>,
    ) {
        match (self, out) {
            (Self::F32(t), TensorMut::F32(out)) => fill(t, shape, x, y, byte, out),
            (Self::F16(t), TensorMut::F16(out)) => fill(t, shape, x, y, byte, out),
            (Self::U8(t), TensorMut::U8(out)) => fill(t, shape, x, y, byte, out),
            (Self::I8(t), TensorMut::I8(out)) => fill(t, shape, x, y, byte, out),
            _ => {}
        }
    }
}

fn element_of(out: &TensorMut<'_>) -> ElementType {
    match out {
        TensorMut::F32(_) => ElementType::F32,
        TensorMut::F16(_) => ElementType::F16,
        TensorMut::U8(_) => ElementType::U8,
        TensorMut::I8(_) => ElementType::I8,
    }
}

fn table<T: Copy + Default>(value: impl Fn(usize, usize) -> T) -> Table<T> {
    Box::new(std::array::from_fn(|channel| std::array::from_fn(|byte| value(channel, byte))))
}

/// One row of bytes and its place in the tensor.
struct Row<'a, T> {
    table: &'a [[T; 256]; 3],
    shape: &'a ItemShape,
    x: usize,
    y: usize,
    bytes: &'a [u8],
    out: &'a mut [T],
}

impl<T: Copy> pulp::WithSimd for Row<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { table, shape, x, y, bytes, out } = self;
        let columns = bytes.len() / shape.channels;
        if shape.layout == Layout::Nhwc && shape.channels == 3 {
            let first = (y * shape.width + x) * 3;
            let pixels = out[first..first + 3 * columns].as_chunks_mut::<3>().0;
            let (c0, rest) = bytes.split_at(columns);
            let (c1, c2) = rest.split_at(columns);
            for (((out, &a), &b), &c) in pixels.iter_mut().zip(c0).zip(c1).zip(c2) {
                *out =
                    [table[0][usize::from(a)], table[1][usize::from(b)], table[2][usize::from(c)]];
            }
            return;
        }
        // Planes; one channel is the same in both layouts.
        for ((channel, table), run) in table.iter().enumerate().zip(bytes.chunks_exact(columns)) {
            let first = (channel * shape.height + y) * shape.width + x;
            for (out, &byte) in out[first..first + columns].iter_mut().zip(run) {
                *out = table[usize::from(byte)];
            }
        }
    }
}

fn fill<T: Copy>(
    table: &[[T; 256]; 3],
    shape: &ItemShape,
    x: std::ops::Range<usize>,
    y: usize,
    byte: u8,
    out: &mut [T],
) {
    if x.is_empty() {
        return;
    }
    for (channel, table) in table.iter().enumerate().take(shape.channels) {
        let value = table[usize::from(byte)];
        match shape.layout {
            Layout::Nchw => {
                let first = (channel * shape.height + y) * shape.width;
                out[first + x.start..first + x.end].fill(value);
            }
            Layout::Nhwc => {
                let first = (y * shape.width + x.start) * shape.channels + channel;
                let values = out[first..].iter_mut().step_by(shape.channels);
                values.take(x.len()).for_each(|out| *out = value);
            }
        }
    }
}
