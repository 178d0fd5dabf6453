//! Synthetic frames in every pixel format, and real ones from files.

use std::ops::Range;

use gstgaze::core::geometry::Size;
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::{FrameView, PixelFormat, Plane};

/// Bytes without a pattern, the same as `noise` in `tests/data/make_preprocess.py`.
pub fn noise(count: usize) -> Vec<u8> {
    (1..=count as u32)
        .map(|i| {
            let mut x = i.wrapping_mul(2_654_435_769);
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            (x >> 16) as u8
        })
        .collect()
}

/// Memory for a frame with `padding` bytes behind each row, and where its planes lie in it with
/// their strides.
pub fn split_planes(
    format: PixelFormat,
    size: Size,
    padding: usize,
    fill: impl Fn(usize) -> Vec<u8>,
) -> (Vec<u8>, Vec<(Range<usize>, usize)>) {
    let mut planes = Vec::new();
    let mut end = 0;
    for plane in 0..format.planes() {
        let (row, rows) = format.plane_extent(plane, size);
        let stride = row + padding;
        planes.push((end..end + stride * rows, stride));
        end += stride * rows;
    }
    (fill(end), planes)
}

/// An 8-bit RGB picture.
pub fn read_png(path: &std::path::Path) -> (Size, Vec<u8>) {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut data).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb, "{}", path.display());
    (Size::new(info.width, info.height), data)
}

/// A real frame in packed 8-bit RGB.
pub struct Picture {
    pub size: Size,
    pub rgb: Vec<u8>,
}

impl Picture {
    /// The frame `name`.png of the shared material; `None`, and the test is named as left out, where
    /// it is absent.
    pub fn shared(test: &str, name: &str) -> Option<Self> {
        let name = name.trim_end_matches(".png");
        let (size, rgb) = read_png(&super::shared(test, &format!("media/frames/{name}.png"))?);
        Some(Self { size, rgb })
    }

    pub fn view(&self) -> FrameView<'_> {
        let plane = Plane { data: &self.rgb, stride: self.size.width as usize * 3 };
        FrameView::new(PixelFormat::Rgb, self.size, Colorimetry::default(), &[plane]).unwrap()
    }
}
