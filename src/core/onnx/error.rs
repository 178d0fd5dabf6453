//! Why a file is not a readable ONNX model.

use super::wire::WireError;

/// The deepest nesting of graphs (the branches of `If`, the bodies of `Loop`).
pub(super) const MAX_DEPTH: usize = 16;

/// Why some bytes are not a readable ONNX model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnnxError {
    /// The bytes break off, or have another format.
    #[error(
        "it is not an ONNX model, or not a complete one: {0}. Compare its size with the original's, and copy or \
         download it again"
    )]
    Wire(#[from] WireError),
    /// The bytes may be a protocol buffer, but hold no graph.
    #[error("it is not an ONNX model: it has no graph. Give a model in ONNX format")]
    NoGraph,
    /// The graphs are nested too deep.
    #[error("its graphs are nested more than {MAX_DEPTH} deep; export it without such nesting")]
    TooDeep,
}
