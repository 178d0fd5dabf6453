//! How bright a frame is, to tell a picture that shows nothing from one without faces.

use super::frame::FrameView;
use super::pixel_format::{Components, SampleLayout};

/// Rows between two that are looked at: a light of a few pixels is enough to be seen.
const ROW_STEP: usize = 8;

/// The brightest sample of every eighth row, in grey levels, 0 (black) to 255: of luma, of grey, or of
/// red, green and blue.
pub fn brightest(frame: &FrameView<'_>) -> f64 {
    let layout = frame.format().layout();
    let SampleLayout { bytes, depth, shift } = layout.samples;
    let levels = frame.colorimetry().range.levels(depth);
    let (places, step, black, range) = match layout.components {
        Components::Rgb { step, rgb, .. } => (rgb, step, 0.0, 255.0),
        Components::Gray(luma) | Components::Yuv { luma, .. } => {
            ([luma.first; 3], luma.step, levels.black, levels.luma)
        }
    };
    let mut most = 0;
    for y in (0..frame.size().height as usize).step_by(ROW_STEP) {
        for pixel in frame.row(0, y).chunks_exact(step * bytes) {
            for place in places {
                most = most.max(match pixel[place * bytes..][..bytes] {
                    [low, high] => u16::from_le_bytes([low, high]) >> shift,
                    _ => u16::from(pixel[place]),
                });
            }
        }
    }
    ((f64::from(most) - black) / range * 255.0).clamp(0.0, 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::rect::Size;
    use crate::core::image::color::{ColorMatrix, ColorRange, Colorimetry};
    use crate::core::image::frame::Plane;
    use crate::core::image::pixel_format::PixelFormat;

    fn of(format: PixelFormat, range: ColorRange, data: &[u8]) -> f64 {
        let size = Size::new(2, 1);
        let planes: Vec<Plane> = (0..format.planes())
            .map(|plane| Plane { data, stride: format.plane_extent(plane, size).0 })
            .collect();
        let colors = Colorimetry { matrix: ColorMatrix::Bt709, range };
        brightest(&FrameView::new(format, size, colors, &planes).unwrap())
    }

    #[test]
    fn every_kind_of_sample_has_its_black_and_white() {
        use ColorRange::{Full, Limited};
        assert_eq!(of(PixelFormat::Nv12, Limited, &[16, 235, 0, 0]), 255.0);
        assert_eq!(of(PixelFormat::Nv12, Full, &[0, 0, 255, 255]), 0.0);
        assert_eq!(of(PixelFormat::Uyvy, Full, &[255, 3, 255, 4]), 4.0);
        assert_eq!(of(PixelFormat::Bgr, Limited, &[0, 0, 7, 0, 0, 1]), 7.0);
        assert_eq!(of(PixelFormat::Xrgb, Limited, &[255, 0, 0, 9, 255, 0, 0, 0]), 9.0);
        // 940 of ten bits, at the high end.
        let p010 = (940u16 << 6).to_le_bytes();
        assert_eq!(of(PixelFormat::P010, Limited, &[p010[0], p010[1], 0, 0]), 255.0);
        let ten = 1023u16.to_le_bytes();
        let dark = of(PixelFormat::Gray16, Full, &[ten[0], ten[1], 0, 0]);
        assert!((3.9..4.0).contains(&dark), "{dark}");
    }
}
