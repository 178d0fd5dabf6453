//! The versions of NVIDIA's structures.

use crate::nvidia::abi::surface::{ParamsFrom8, ParamsUpTo7, SurfaceFrom8, SurfaceUpTo7};

/// Which layout of the structures is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Up to DeepStream 7.1 and JetPack 6.
    UpTo7,
    /// From DeepStream 8.0 and JetPack 7 on.
    From8,
}

impl Generation {
    /// Bytes of the descriptor, which a buffer maps to.
    pub(super) const fn descriptor(self) -> usize {
        match self {
            Self::UpTo7 => size_of::<SurfaceUpTo7>(),
            Self::From8 => size_of::<SurfaceFrom8>(),
        }
    }

    /// Bytes from one frame of a batch to the next.
    pub const fn stride(self) -> usize {
        match self {
            Self::UpTo7 => size_of::<ParamsUpTo7>(),
            Self::From8 => size_of::<ParamsFrom8>(),
        }
    }
}
