//! NVIDIA's structures as they lie in memory (64-bit Linux, x86-64 and aarch64 alike), written from
//! the facts of the DeepStream 9 headers (Apache-2.0, `NVIDIA/DeepStream`, tags v9.0.0 and v9.1.0)
//! and, for what differed before, of the headers of DeepStream 4 to 8 and L4T r35 and r36.
//!
//! Only fields that are used have names; what lies between them is reserved. Each size and each
//! offset that is relied on is checked when this is compiled.

pub mod cuda;
pub mod meta;
pub mod osd;
pub mod picture;
pub mod surface;
pub mod transform;

/// Checks size and offsets of a structure at compile time. Tests print the same numbers beside those
/// of NVIDIA's headers.
macro_rules! layout {
    ($type:ty, $size:literal $(, $field:ident: $offset:literal)* $(,)?) => {
        const _: () = {
            assert!(size_of::<$type>() == $size);
            $(assert!(core::mem::offset_of!($type, $field) == $offset);)*
        };
        #[cfg(test)]
        impl $crate::nvidia::abi::tests::Laid for $type {
            const OFFSETS: &'static [usize] = &[$(core::mem::offset_of!($type, $field)),*];
        }
    };
}
pub(super) use layout;

#[cfg(test)]
pub(in crate::nvidia) mod tests;
