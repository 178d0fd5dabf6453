use super::*;
use crate::core::image::color::{ColorMatrix, ColorRange};

/// Whether a format has luma and chroma.
fn is_yuv(format: PixelFormat) -> bool {
    matches!(format.layout().components, Components::Yuv { .. })
}

/// The value of a level of eight bits in the format's own.
fn deep(format: PixelFormat, level: u16) -> u16 {
    level << (format.layout().samples.depth - 8)
}

/// A frame of any format with padded rows, an odd offset, and no two neighbours alike.
fn frame(format: PixelFormat, size: Size) -> (Vec<u8>, Vec<PlaneLayout>) {
    let mut planes = Vec::new();
    let mut end = 3;
    for plane in 0..format.planes() {
        let (row, rows) = format.plane_extent(plane, size);
        planes.push(PlaneLayout { offset: end, stride: row + 5 });
        end += (row + 5) * rows;
    }
    let data = (0..end).map(|i| (i * 37 % 251) as u8).collect();
    (data, planes)
}

/// The three components of one pixel, read independently of the table that is tested.
fn read(format: PixelFormat, data: &[u8], planes: &[PlaneLayout], x: usize, y: usize) -> [u16; 3] {
    let at = |plane: usize, column: usize, row: usize| {
        u16::from(data[planes[plane].offset + row * planes[plane].stride + column])
    };
    let word = |plane: usize, column: usize, row: usize| {
        let stored = at(plane, 2 * column, row) | at(plane, 2 * column + 1, row) << 8;
        match format {
            PixelFormat::P010 => stored >> 6,
            PixelFormat::P012 => stored >> 4,
            _ => stored,
        }
    };
    let pixel = |step: usize, order: [usize; 3]| order.map(|c| at(0, x * step + c, y));
    match format {
        PixelFormat::Gray8 => [at(0, x, y); 3],
        PixelFormat::Nv12 => [at(0, x, y), at(1, x / 2 * 2, y / 2), at(1, x / 2 * 2 + 1, y / 2)],
        PixelFormat::Nv21 => [at(0, x, y), at(1, x / 2 * 2 + 1, y / 2), at(1, x / 2 * 2, y / 2)],
        PixelFormat::I420 => [at(0, x, y), at(1, x / 2, y / 2), at(2, x / 2, y / 2)],
        PixelFormat::Yv12 => [at(0, x, y), at(2, x / 2, y / 2), at(1, x / 2, y / 2)],
        PixelFormat::Yuy2 => [at(0, x * 2, y), at(0, x / 2 * 4 + 1, y), at(0, x / 2 * 4 + 3, y)],
        PixelFormat::Uyvy => [at(0, x * 2 + 1, y), at(0, x / 2 * 4, y), at(0, x / 2 * 4 + 2, y)],
        PixelFormat::Yvyu => [at(0, x * 2, y), at(0, x / 2 * 4 + 3, y), at(0, x / 2 * 4 + 1, y)],
        PixelFormat::Vyuy => [at(0, x * 2 + 1, y), at(0, x / 2 * 4 + 2, y), at(0, x / 2 * 4, y)],
        PixelFormat::Nv16 => [at(0, x, y), at(1, x / 2 * 2, y), at(1, x / 2 * 2 + 1, y)],
        PixelFormat::Nv61 => [at(0, x, y), at(1, x / 2 * 2 + 1, y), at(1, x / 2 * 2, y)],
        PixelFormat::Nv24 => [at(0, x, y), at(1, x * 2, y), at(1, x * 2 + 1, y)],
        PixelFormat::Y42b => [at(0, x, y), at(1, x / 2, y), at(2, x / 2, y)],
        PixelFormat::Y444 => [at(0, x, y), at(1, x, y), at(2, x, y)],
        PixelFormat::Y41b => [at(0, x, y), at(1, x / 4, y), at(2, x / 4, y)],
        PixelFormat::P010 | PixelFormat::P012 | PixelFormat::P016 => {
            [word(0, x, y), word(1, x / 2 * 2, y / 2), word(1, x / 2 * 2 + 1, y / 2)]
        }
        PixelFormat::I420p10 | PixelFormat::I420p12 => {
            [word(0, x, y), word(1, x / 2, y / 2), word(2, x / 2, y / 2)]
        }
        PixelFormat::I422p10 | PixelFormat::I422p12 => {
            [word(0, x, y), word(1, x / 2, y), word(2, x / 2, y)]
        }
        PixelFormat::Y444p10 | PixelFormat::Y444p12 => [0, 1, 2].map(|plane| word(plane, x, y)),
        PixelFormat::Gray16 => [word(0, x, y); 3],
        PixelFormat::Rgb => pixel(3, [0, 1, 2]),
        PixelFormat::Bgr => pixel(3, [2, 1, 0]),
        PixelFormat::Rgba | PixelFormat::Rgbx => pixel(4, [0, 1, 2]),
        PixelFormat::Bgra | PixelFormat::Bgrx => pixel(4, [2, 1, 0]),
        PixelFormat::Argb | PixelFormat::Xrgb => pixel(4, [1, 2, 3]),
        PixelFormat::Abgr | PixelFormat::Xbgr => pixel(4, [3, 2, 1]),
    }
}

fn blend(
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    (data, planes): (&mut [u8], &[PlaneLayout]),
    canvas: &[u8],
    place: PixelRect,
) {
    FrameMut::new(format, size, colorimetry, planes, data).unwrap().blend(canvas, place);
}

#[test]
fn opaque_red_is_red_in_every_format_at_every_offset() {
    // ITU-R BT.601-7: 100 % red is Y 81, U 90, V 240 in eight bits, limited range.
    let size = Size::new(7, 5);
    for format in PixelFormat::ALL {
        let red = match format {
            PixelFormat::Gray8 | PixelFormat::Gray16 => [81; 3],
            f if is_yuv(f) => [81, 90, 240],
            _ => [255, 0, 0],
        };
        let red = red.map(|level| deep(format, level));
        // BT.601-7 gives levels of eight bits, rounded.
        let slack = deep(format, 1);
        for place in [
            PixelRect::new(0, 0, 7, 5),
            PixelRect::new(1, 1, 4, 3),
            PixelRect::new(-3, -2, 6, 4),
            PixelRect::new(6, 4, 9, 9),
        ] {
            let (mut data, planes) = frame(format, size);
            let before = data.clone();
            let canvas = [255, 0, 0, 255].repeat((place.width * place.height) as usize);
            let colors = Colorimetry::default();
            blend(format, size, colors, (&mut data, &planes), &canvas, place);
            let inside = place.clipped(size);
            for y in 0..5 {
                for x in 0..7 {
                    let hit = !PixelRect::new(x, y, 1, 1)
                        .to_rect()
                        .intersect(&inside.to_rect())
                        .is_empty();
                    let got = read(format, &data, &planes, x as usize, y as usize);
                    let was = read(format, &before, &planes, x as usize, y as usize);
                    if hit {
                        assert!(
                            got[0].abs_diff(red[0]) <= slack,
                            "{format:?} {place:?} {x},{y}: {got:?}"
                        );
                    } else {
                        assert_eq!(got[0], was[0], "{format:?} {place:?} {x},{y}");
                    }
                    // Chroma whose every pixel was hit, and whose none was. No format has cells of more
                    // columns than four and more rows than two.
                    let cell = PixelRect::new(x / 4 * 4, y / 2 * 2, 4, 2).clipped(size).to_rect();
                    let shared = cell.intersect(&inside.to_rect()).area();
                    if shared == cell.area() {
                        let near = got.iter().zip(red).all(|(a, b)| a.abs_diff(b) <= slack);
                        assert!(near, "{format:?} {place:?} {x},{y}: {got:?}");
                    } else if shared == 0.0 {
                        assert_eq!(got, was, "{format:?} {place:?} {x},{y}");
                    }
                }
            }
        }
    }
}

#[test]
fn padding_and_what_is_transparent_stay_as_they_are() {
    for format in PixelFormat::ALL {
        let size = Size::new(5, 3);
        let (mut data, planes) = frame(format, size);
        let before = data.clone();
        let colors = Colorimetry::default();
        let place = PixelRect::full(size);
        blend(format, size, colors, (&mut data, &planes), &[0; 5 * 3 * 4], place);
        assert_eq!(data, before, "{format:?}");
        blend(format, size, colors, (&mut data, &planes), &[255; 5 * 3 * 4], place);
        for (plane, layout) in planes.iter().enumerate() {
            let (row, rows) = format.plane_extent(plane, size);
            for y in 0..rows {
                let padding = layout.offset + y * layout.stride + row
                    ..layout.offset + (y + 1) * layout.stride;
                assert_eq!(data[padding.clone()], before[padding], "{format:?}");
            }
        }
        assert_eq!(data[..3], before[..3]);
    }
}

#[test]
fn half_transparent_is_half_way() {
    let size = Size::new(2, 2);
    let canvas = [128, 128, 128, 128].repeat(4);
    let place = PixelRect::full(size);
    let colors = Colorimetry { range: ColorRange::Full, matrix: ColorMatrix::Bt601 };
    for format in PixelFormat::ALL.into_iter().filter(|f| !is_yuv(*f)) {
        let (mut data, planes) = frame(format, size);
        data.fill(0);
        let alpha = match format {
            PixelFormat::Rgba | PixelFormat::Bgra => Some(3),
            PixelFormat::Argb | PixelFormat::Abgr => Some(0),
            _ => None,
        };
        if let Some(alpha) = alpha {
            data[planes[0].offset + alpha] = 255;
        }
        blend(format, size, colors, (&mut data, &planes), &canvas, place);
        let grey = if format == PixelFormat::Gray16 { 128 * 257 } else { 128 };
        assert_eq!(read(format, &data, &planes, 0, 0), [grey; 3], "{format:?}");
    }
}

#[test]
fn a_transparent_frame_becomes_as_opaque_as_what_is_drawn() {
    let planes = [PlaneLayout { offset: 0, stride: 4 }];
    let mut pixel = [9, 9, 9, 0];
    let canvas = [64, 0, 32, 128];
    let (size, colors) = (Size::new(1, 1), Colorimetry::default());
    blend(PixelFormat::Rgba, size, colors, (&mut pixel, &planes), &canvas, PixelRect::full(size));
    // Not premultiplied: 64 / 128 of full red.
    assert_eq!(pixel, [128, 0, 64, 128]);
}

#[test]
fn chroma_takes_the_mean_of_its_pixels() {
    // One of four pixels is blue (BT.709 full range: U 255, V 116): a quarter of the way.
    let size = Size::new(2, 2);
    let planes = [(0, 2), (4, 2)].map(|(offset, stride)| PlaneLayout { offset, stride });
    let mut data = [0, 0, 0, 0, 128, 128];
    let colors = Colorimetry { matrix: ColorMatrix::Bt709, range: ColorRange::Full };
    let place = PixelRect::new(1, 1, 1, 1);
    blend(PixelFormat::Nv12, size, colors, (&mut data, &planes), &[0, 0, 255, 255], place);
    assert_eq!(data[..4], [0, 0, 0, 18]);
    assert!(data[4].abs_diff(160) <= 1 && data[5].abs_diff(125) <= 1, "{data:?}");
}

#[test]
fn lies_are_refused() {
    let mut data = [0u8; 12];
    let size = Size::new(2, 2);
    let mut new = |offset, stride| {
        let plane = PlaneLayout { offset, stride };
        FrameMut::new(PixelFormat::Rgb, size, Colorimetry::default(), &[plane], &mut data).map(drop)
    };
    assert_eq!(new(0, 6), Ok(()));
    assert_eq!(new(1, 6), Err(FrameError::Short { plane: 0, needed: 12, got: 11 }));
    assert_eq!(new(usize::MAX, 6), Err(FrameError::Short { plane: 0, needed: 12, got: 0 }));
    assert_eq!(new(0, 5), Err(FrameError::Stride { plane: 0, stride: 5, row: 6 }));
}
