//! The gaze model that the library contains, for options that name none.
//!
//! `models/MODEL_CARD.md` says how it was made and how accurate it is.

use super::provider::kind::{ExecutionProvider, Precision};

/// Its name in messages, and on `gazetool`'s command line.
pub const NAME: &str = "embedded";

/// In 32-bit floats.
const FLOAT: &[u8] = include_bytes!("../../models/gaze-student.onnx");

/// In 8-bit integers, with QDQ nodes.
const INT8: &[u8] = include_bytes!("../../models/gaze-student.int8.onnx");

/// The file for a provider and a precision. By default an NPU gets integers, for which it is built, and
/// any other processor gets floats.
pub(super) fn model(provider: ExecutionProvider, precision: Precision) -> &'static [u8] {
    match (precision, provider) {
        (Precision::Int8, _) | (Precision::Auto, ExecutionProvider::Qnn) => INT8,
        _ => FLOAT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::onnx::{OnnxModel, Precision as Numbers};
    use crate::core::profile::METADATA_TOML;

    #[test]
    fn both_files_are_what_they_should_be() {
        for (bytes, precision) in [(FLOAT, Numbers::Float32), (INT8, Numbers::QuantizedQdq)] {
            let model = OnnxModel::parse(bytes).unwrap();
            assert_eq!(model.precision(), precision);
            assert!(model.metadata.contains_key(METADATA_TOML), "it needs no profile");
            assert!(model.parameters() <= 1_500_000);
        }
        assert!(FLOAT.len() + INT8.len() <= 8 << 20);
    }

    #[test]
    fn an_npu_gets_integers() {
        use ExecutionProvider::{Auto, Cpu, Qnn};
        let is_int8 = |provider, precision| model(provider, precision).len() == INT8.len();
        assert!(is_int8(Qnn, Precision::Auto) && is_int8(Cpu, Precision::Int8));
        assert!(!is_int8(Auto, Precision::Auto) && !is_int8(Qnn, Precision::Fp16));
    }
}
