//! What sample values mean: matrix and range of luma and chroma.

/// Which luma weights a YUV frame was made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// ITU-R BT.601-7: standard definition, JPEG, and most webcams.
    #[default]
    Bt601,
    /// ITU-R BT.709-6: high definition.
    Bt709,
    /// ITU-R BT.2020-2, non-constant luminance.
    Bt2020,
}

/// Which byte values are black and white.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Range {
    /// Luma 16..=235, chroma 16..=240 ("TV", "video").
    #[default]
    Limited,
    /// 0..=255 ("PC", JPEG).
    Full,
}

/// Matrix and range of a YUV or grey frame. Ignored for RGB formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Colorimetry {
    /// Luma weights.
    pub matrix: Matrix,
    /// Black and white levels.
    pub range: Range,
}
