//! Pixels to tensor in one pass.
//!
//! ```text
//! a row of the frame, YUV, RGB or grey
//!     -- convert -->    packed pixels, 64 bits each (packed)
//!     -- horizontal --> the last few resampled rows (interpolation, ring)
//!     -- vertical -->   one row of bytes for each channel (interpolation)
//!     -- lookup -->     the tensor, through a table of 256 values for each channel
//! ```
//! A row of the tensor needs only the source rows of its filter window, and of those only the
//! columns of the crop. Each source row is converted once and kept as long as later windows need
//! it. There is no intermediate picture. A warp ([`Preprocessor::fill_warped`]) samples the four
//! neighbours of each pixel of a row instead, and then goes on in the same way. The
//! [`Preprocessor`] owns all memory and reuses it: after the first item of a given shape it
//! allocates nothing.
//!
//! Every step up to the last works on bytes, as the pipelines do that the models were trained with.
//! [`Resample`](super::spec::Resample) names them; the bytes equal theirs, with these notes:
//!
//! - `OpencvLinear` equals `cv2.resize` (checked with 4.11 and 5.0, with IPP and without).
//! - `OpencvCubic` equals OpenCV's own x86 code. The packages from PyPI hand cubic to Intel's IPP,
//!   whose code is closed: one value in 25 then differs by one grey level.
//! - `PilBilinear` equals Pillow up to version 12, which resamples columns first. Version 13 takes
//!   rows first where the height shrinks more than the width, and differs there by a grey level.

mod convert;
mod error;
mod filter;
mod interpolation;
mod job;
mod lookup;
mod mapping;
mod packed;
mod preprocessor;
mod resample;
mod ring;
mod sampler;
mod warp;
mod yuv;

pub use error::{MAX_SIDE, PreprocessError};
pub use mapping::CropMapping;
pub use preprocessor::Preprocessor;
