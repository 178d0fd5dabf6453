//! How the CPU reads a frame.

/// How the CPU came to a frame's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// They were in its memory.
    Direct,
    /// They were mapped into it.
    Mapped,
    /// They were copied from a GPU's memory.
    Downloaded,
    /// They were copied out of a block-linear layout, and mapped.
    Linearised,
}
