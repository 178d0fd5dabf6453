//! `NvDsDisplayMeta` and the arrows in it (`nvdsmeta.h`, `nvll_osd_struct.h`), which `nvdsosd` draws.
//!
//! Rectangles come before the arrows and grew by 8 bytes at DeepStream 9.0.

use super::layout;
use super::meta::BaseMeta;

/// Elements of each kind in one display meta (`MAX_ELEMENTS_IN_DISPLAY_META`).
pub const MAX_ELEMENTS: usize = 16;

/// `arrow_head`: at the end.
pub const END_HEAD: i32 = 1;

/// `NvOSD_ColorParams`: 0..=1 each.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ColorParams {
    pub red: f64,
    pub green: f64,
    pub blue: f64,
    pub alpha: f64,
}
layout!(ColorParams, 32, red: 0, green: 8, blue: 16, alpha: 24);

/// `NvOSD_ArrowParams`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ArrowParams {
    pub x1: u32,
    pub y1: u32,
    pub x2: u32,
    pub y2: u32,
    pub width: u32,
    pub head: i32,
    pub color: ColorParams,
    reserved: u32,
}
layout!(ArrowParams, 64, x1: 0, y1: 4, x2: 8, y2: 12, width: 16, head: 20, color: 24, reserved: 56);

impl ArrowParams {
    /// An arrow with its head at the end.
    pub fn new(from: [u32; 2], to: [u32; 2], width: u32, color: ColorParams) -> Self {
        let ([x1, y1], [x2, y2]) = (from, to);
        Self { x1, y1, x2, y2, width, head: END_HEAD, color, reserved: 0 }
    }
}

/// `NvDsDisplayMeta` as far as all versions agree.
#[repr(C)]
pub struct DisplayMetaHead {
    pub base: BaseMeta,
    pub num_rects: u32,
    pub num_labels: u32,
    pub num_lines: u32,
    pub num_arrows: u32,
    pub num_circles: u32,
}
layout!(DisplayMetaHead, 64, base: 0, num_rects: 40, num_labels: 44, num_lines: 48, num_arrows: 52,
    num_circles: 56);

/// `NvDsDisplayMeta` with rectangles of so many words of 8 bytes.
#[repr(C)]
pub struct DisplayMeta<const RECT: usize> {
    pub head: DisplayMetaHead,
    rects: [[u64; RECT]; MAX_ELEMENTS],
    texts: [[u64; 13]; MAX_ELEMENTS],
    lines: [[u64; 7]; MAX_ELEMENTS],
    pub arrows: [ArrowParams; MAX_ELEMENTS],
    circles: [[u64; 12]; MAX_ELEMENTS],
    misc: [i64; 4],
    reserved: [i64; 4],
}

/// DeepStream 5 to 8.
pub type DisplayMetaUpTo8 = DisplayMeta<13>;
/// DeepStream 9.
pub type DisplayMetaFrom9 = DisplayMeta<14>;
layout!(DisplayMetaUpTo8, 6912, head: 0, rects: 64, texts: 1728, lines: 3392, arrows: 4288,
    circles: 5312, misc: 6848);
layout!(DisplayMetaFrom9, 7040, head: 0, rects: 64, texts: 1856, lines: 3520, arrows: 4416,
    circles: 5440, misc: 6976);
