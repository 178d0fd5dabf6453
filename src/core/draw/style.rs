//! The style of a drawing: colours, sizes, and the parts to draw.

use crate::core::geometry::rect::Size;

/// A colour as GStreamer's properties write it: `0xAARRGGBB`, not premultiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argb(pub u32);

impl Argb {
    /// Red, green, blue and alpha.
    pub const fn rgba(self) -> [u8; 4] {
        let [a, r, g, b] = self.0.to_be_bytes();
        [r, g, b, a]
    }

    /// The same colour with its alpha multiplied by `factor`, 0..=1.
    pub fn faded(self, factor: f32) -> Self {
        let alpha = (f32::from(self.rgba()[3]) * factor).round() as u32;
        Self(self.0 & 0x00ff_ffff | alpha.min(255) << 24)
    }
}

/// The parts of a face to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The corners of the face's box.
    pub boxes: bool,
    /// The direction of gaze.
    pub arrows: bool,
    /// Track and angles, in degrees.
    pub text: bool,
    /// The five points of the detector.
    pub landmarks: bool,
    /// The axes of the head: red to its side, green up, blue forwards.
    pub head_pose: bool,
}

/// Colours and sizes. Sizes are pixels of the frame; 0 scales with the frame, so that a drawing looks
/// the same at every resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colour of boxes and landmarks.
    pub box_color: Argb,
    /// Colour of arrows.
    pub arrow_color: Argb,
    /// Colour of text; its plate is always dark.
    pub text_color: Argb,
    /// Width of lines; 0 is a 400th of the frame's shorter side, at least 1.
    pub line_thickness: u32,
    /// Length of the arrow of a gaze at right angles to the camera's axis; 0 is 1.25 times the
    /// face's mean side.
    pub arrow_length: u32,
    /// Size of the font's em square; 0 is a 45th of the frame's shorter side, at least 12.
    pub font_size: u32,
    /// The parts to draw.
    pub parts: Parts,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            box_color: Argb(0xffff_ffff),
            arrow_color: Argb(0xffff_b000),
            text_color: Argb(0xffff_ffff),
            line_thickness: 0,
            arrow_length: 0,
            font_size: 0,
            parts: Parts {
                boxes: true,
                arrows: true,
                text: true,
                landmarks: false,
                head_pose: false,
            },
        }
    }
}

impl Style {
    /// Width of lines in a frame of `size`.
    pub fn line(&self, size: Size) -> f32 {
        match self.line_thickness {
            0 => (shorter_side(size) / 400.0).max(1.0),
            set => set as f32,
        }
    }

    /// Size of the font's em square in a frame of `size`, in whole pixels.
    pub fn font(&self, size: Size) -> u32 {
        match self.font_size {
            0 => ((shorter_side(size) / 45.0).round() as u32).max(12),
            set => set,
        }
    }

    /// Length of the arrow of a gaze at right angles to the camera's axis, for a face of
    /// `width` x `height` pixels.
    pub fn arrow(&self, width: f32, height: f32) -> f32 {
        match self.arrow_length {
            0 => (width + height) / 2.0 * 1.25,
            set => set as f32,
        }
    }
}

fn shorter_side(size: Size) -> f32 {
    size.width.min(size.height) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_gstreamers() {
        assert_eq!(Argb(0x8010_2030).rgba(), [0x10, 0x20, 0x30, 0x80]);
        assert_eq!(Argb(0x8010_2030).faded(0.5), Argb(0x4010_2030));
        assert_eq!(Argb(0xff10_2030).faded(2.0), Argb(0xff10_2030));
    }

    #[test]
    fn automatic_sizes_follow_the_frame_and_set_ones_do_not() {
        let style = Style::default();
        let (hd, uhd) = (Size::new(1280, 720), Size::new(3840, 2160));
        assert_eq!(style.font(uhd), 3 * style.font(hd));
        assert!((style.line(uhd) - 3.0 * style.line(hd)).abs() < 1e-5);
        assert_eq!(style.font(Size::new(720, 1280)), style.font(hd));
        let set = Style { line_thickness: 7, arrow_length: 50, font_size: 9, ..style };
        assert_eq!((set.line(hd), set.font(uhd), set.arrow(10.0, 10.0)), (7.0, 9, 50.0));
    }
}
