//! What a launch of a kernel is told: `GazePicture` of `kernels/preprocess.cu`, which says what each
//! field is.

use super::layout;

/// `KIND_GRAY`, `KIND_RGB`, `KIND_YUV`.
pub const KIND_GRAY: i32 = 0;
pub const KIND_RGB: i32 = 1;
pub const KIND_YUV: i32 = 2;

/// `GazePicture`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Picture {
    pub component: [u64; 3],
    pub out: u64,
    pub table: u64,
    pub column_starts: u64,
    pub column_weights: u64,
    pub row_starts: u64,
    pub row_weights: u64,
    pub stride: [i64; 3],
    pub to_source: [f64; 9],
    pub turn: [f32; 4],
    pub step: [i32; 3],
    pub shift_x: [i32; 3],
    pub shift_y: [i32; 3],
    pub kind: i32,
    /// Black, luma, V to red, U to green, V to green, U to blue.
    pub color: [i32; 6],
    pub frame: [i32; 2],
    pub channels: i32,
    pub layout: i32,
    pub element: i32,
    pub size: [i32; 2],
    /// Left, top, width, height.
    pub picture: [i32; 4],
    pub source: [i32; 4],
    pub black_border: i32,
    pub filter: i32,
    pub taps: [i32; 2],
    pub fill: i32,
    pub reserved: i32,
}
layout!(Picture, 336, component: 0, out: 24, table: 32, column_starts: 40, column_weights: 48,
    row_starts: 56, row_weights: 64, stride: 72, to_source: 96, turn: 168, step: 184, shift_x: 196,
    shift_y: 208, kind: 220, color: 224, frame: 248, channels: 256, layout: 260, element: 264,
    size: 268, picture: 276, source: 292, black_border: 308, filter: 312, taps: 316, fill: 324,
    reserved: 328);
