//! The number format of a model.

use super::model::OnnxModel;

/// The number format of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats throughout.
    Float32,
    /// Weights are 16-bit floats.
    Float16,
    /// Weights are bfloat16.
    BFloat16,
    /// Integers between `QuantizeLinear` and `DequantizeLinear` nodes, for accelerators and CPUs.
    QuantizedQdq,
    /// Integer operators such as `QLinearConv`, for CPUs.
    QuantizedOperators,
    /// Integer weights; activations are quantised at run time, or not at all.
    QuantizedDynamic,
    /// Compiled for one device, with a format that the file does not show.
    Compiled,
}

impl Precision {
    /// Its name, for messages and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::BFloat16 => "bfloat16",
            Self::QuantizedQdq => "quantised (QDQ)",
            Self::QuantizedOperators => "quantised (integer operators)",
            Self::QuantizedDynamic => "quantised (dynamic)",
            Self::Compiled => "compiled",
        }
    }

    /// Whether the model is quantised to integers.
    pub const fn is_quantized(self) -> bool {
        matches!(self, Self::QuantizedQdq | Self::QuantizedOperators | Self::QuantizedDynamic)
    }
}

impl OnnxModel {
    /// The number format, as far as nodes and weights show it.
    pub fn precision(&self) -> Precision {
        let has = |wanted: fn(&str) -> bool| {
            self.operators.keys().any(|name| wanted(name.rsplit('.').next().unwrap_or(name)))
        };
        if !self.compiled.is_empty() {
            return Precision::Compiled;
        }
        if has(|name| name.starts_with("QLinear") || name.starts_with("QGemm")) {
            return Precision::QuantizedOperators;
        }
        if has(|name| {
            name.starts_with("DynamicQuantize")
                || name.ends_with("Integer")
                || name == "MatMulNBits"
        }) {
            return Precision::QuantizedDynamic;
        }
        match (has(|name| name == "QuantizeLinear"), has(|name| name == "DequantizeLinear")) {
            (true, _) => return Precision::QuantizedQdq,
            (false, true) => return Precision::QuantizedDynamic,
            (false, false) => {}
        }
        let weights = |name| self.weights.get(name).copied().unwrap_or(0);
        let (single, half, brain) = (weights("float32"), weights("float16"), weights("bfloat16"));
        match half.max(brain) {
            most if most <= single => Precision::Float32,
            most if most == half => Precision::Float16,
            _ => Precision::BFloat16,
        }
    }
}
