use super::*;
use crate::core::face::FaceRegion;
use crate::core::geometry::{Gaze, Rect};
use crate::core::image::color::Colorimetry;
use crate::core::image::{PixelFormat, PlaneLayout};

const SIZE: Size = Size::new(320, 240);

fn face(rect: Rect) -> GazeEstimate {
    GazeEstimate {
        region: FaceRegion { rect, ..Default::default() },
        gaze: Some(Gaze::from_degrees(20.0, -30.0)),
        ..Default::default()
    }
}

/// Faces on a frame of one grey.
fn painted(faces: &[GazeEstimate], style: &Style, grey: u8) -> Vec<u8> {
    let mut data = vec![grey; (SIZE.width * SIZE.height * 3) as usize];
    let plane = PlaneLayout { offset: 0, stride: SIZE.width as usize * 3 };
    let mut painter = Painter::new().unwrap();
    painter.lay_out(faces, SIZE, style);
    let mut frame =
        FrameMut::new(PixelFormat::Rgb, SIZE, Colorimetry::default(), &[plane], &mut data).unwrap();
    painter.paint(&mut frame);
    data
}

fn pixel(data: &[u8], x: usize, y: usize) -> [u8; 3] {
    let at = (y * SIZE.width as usize + x) * 3;
    [data[at], data[at + 1], data[at + 2]]
}

#[test]
fn corners_have_their_colour_and_the_middle_is_free() {
    let style = Style {
        box_color: Argb(0xff00_ff00),
        line_thickness: 4,
        parts: crate::core::draw::Parts { arrows: false, text: false, ..Style::default().parts },
        ..Style::default()
    };
    let data = painted(&[face(Rect::new(100.0, 60.0, 100.0, 100.0))], &style, 128);
    for (x, y) in [(100, 60), (199, 60), (100, 159), (199, 159), (110, 60), (100, 70)] {
        assert_eq!(pixel(&data, x, y), [0, 255, 0], "{x},{y}");
    }
    for (x, y) in [(150, 60), (150, 110), (100, 110), (90, 60), (0, 0)] {
        assert_eq!(pixel(&data, x, y), [128; 3], "{x},{y}");
    }
    // The halo darkens what is next to the line.
    assert!(pixel(&data, 110, 56)[0] < 100, "{:?}", pixel(&data, 110, 56));
}

#[test]
fn text_is_bright_on_dark_whatever_the_picture() {
    for grey in [0, 128, 255] {
        let faces = [face(Rect::new(100.0, 100.0, 60.0, 60.0))];
        let data = painted(&faces, &Style::default(), grey);
        let mut painter = Painter::new().unwrap();
        let scene = painter.lay_out(&faces, SIZE, &Style::default());
        let plate = scene.items().iter().find_map(|item| match item.primitive {
            Primitive::Label { plate, .. } => Some(plate),
            _ => None,
        });
        let plate = plate.unwrap();
        let inside: Vec<u8> = (0..plate.height as usize)
            .flat_map(|y| (0..plate.width as usize).map(move |x| (x, y)))
            .map(|(x, y)| pixel(&data, plate.x as usize + x, plate.y as usize + y)[0])
            .collect();
        let bright = inside.iter().filter(|&&v| v > 200).count() as f32 / inside.len() as f32;
        let dark = inside.iter().filter(|&&v| v < 110).count() as f32 / inside.len() as f32;
        assert!((0.03..0.5).contains(&bright) && dark > 0.4, "{grey}: {bright} {dark}");
    }
}

#[test]
fn tiles_are_the_same_picture() {
    let style = Style { line_thickness: 3, ..Style::default() };
    let faces =
        [face(Rect::new(50.0, 60.0, 80.0, 90.0)), face(Rect::new(280.0, 200.0, 80.0, 90.0))];
    let direct = painted(&faces, &style, 90);
    let mut data = vec![90; direct.len()];
    let mut painter = Painter::new().unwrap();
    painter.lay_out(&faces, SIZE, &style);
    let mut tiles = Vec::new();
    painter.for_each_tile(|place, canvas| tiles.push((place, canvas.to_vec())));
    assert_eq!(tiles.len(), 2);
    for (place, canvas) in &tiles {
        assert_eq!(place.clipped(SIZE), *place);
        let plane = PlaneLayout { offset: 0, stride: SIZE.width as usize * 3 };
        FrameMut::new(PixelFormat::Rgb, SIZE, Colorimetry::default(), &[plane], &mut data)
            .unwrap()
            .blend(canvas, *place);
    }
    let worst = direct.iter().zip(&data).map(|(a, b)| a.abs_diff(*b)).max();
    // Where shapes overlap, rounding happens once more.
    assert!(worst <= Some(3), "{worst:?}");
    assert!(direct.iter().any(|&v| v != 90));
}

#[test]
fn vast_and_tiny_boxes_are_drawn_without_harm() {
    let wild = [
        Rect::new(-1e9, -1e9, 2e9, 2e9),
        Rect::new(0.0, 0.0, 0.01, 0.01),
        Rect::new(-1e30, -1e30, 3e30, 3e30),
        Rect::new(319.9, 239.9, 1.0, 1.0),
    ];
    let style = Style { line_thickness: 500, font_size: 400, ..Style::default() };
    painted(&wild.map(face), &Style::default(), 0);
    painted(&wild.map(face), &style, 0);
}

#[test]
fn boxes_and_points_of_any_size_are_drawn_as_far_as_they_show() {
    use crate::core::face::EyeCorners;
    use crate::core::geometry::HeadPose;

    let far = [-3.4e38, -4.3e9, -1e5, -1.0, 0.0, 100.0, 1e5, 4_294_967_295.0, 3.4e38];
    let parts = crate::core::draw::Parts {
        boxes: true,
        arrows: true,
        text: true,
        landmarks: true,
        head_pose: true,
    };
    let wide = Style { parts, line_thickness: 256, arrow_length: 65535, ..Style::default() };
    let mut faces = Vec::new();
    for (i, x) in far.into_iter().enumerate() {
        for (j, side) in far.into_iter().enumerate() {
            let point = Point { x: far[(i + 3 * j) % far.len()], y: far[(2 * i + j) % far.len()] };
            let region = FaceRegion {
                rect: Rect::new(x, far[(i + j) % far.len()], side, far[(i * j) % far.len()]),
                landmarks: Some([point; 5]),
                eyes: Some([EyeCorners { outer: point, inner: point }; 2]),
                head_pose: Some(HeadPose { pitch: x, yaw: side, roll: x }),
                track_id: Some(u64::MAX),
                ..Default::default()
            };
            faces.push(GazeEstimate {
                region,
                gaze: Some(Gaze::new(x, side)),
                ..face(region.rect)
            });
        }
    }
    for style in [Style { parts, ..Style::default() }, wide] {
        for face in &faces {
            painted(std::slice::from_ref(face), &style, 128);
        }
        painted(&faces, &style, 128);
    }
    // A box of 2^32 pixels with a corner in the frame shows this corner as any other.
    let style = Style {
        parts: crate::core::draw::Parts { arrows: false, text: false, ..Style::default().parts },
        line_thickness: 4,
        box_color: Argb(0xff00_ff00),
        ..Style::default()
    };
    let vast = painted(&[face(Rect::new(100.0, 60.0, 4e9, 4e9))], &style, 128);
    assert_eq!((pixel(&vast, 100, 60), pixel(&vast, 100, 239)), ([0, 255, 0], [0, 255, 0]));
}

#[test]
fn tiles_have_no_more_pixels_than_two_frames() {
    let mut painter = Painter::new().unwrap();
    let mut tiles = |faces: &[GazeEstimate]| {
        let (mut count, mut pixels) = (0, 0);
        painter.lay_out(faces, SIZE, &Style::default());
        painter.for_each_tile(|place, canvas| {
            assert_eq!(canvas.len(), (place.width * place.height * 4) as usize);
            (count, pixels) = (count + 1, pixels + place.width * place.height);
        });
        (count, pixels)
    };
    let apart = [10.0, 200.0].map(|x| face(Rect::new(x, 60.0, 60.0, 60.0)));
    assert_eq!(tiles(&apart).0, 2);
    let (count, pixels) = tiles(&[face(Rect::new(5.0, 5.0, 300.0, 220.0)); 256]);
    assert!(count == 1 && pixels <= SIZE.width * SIZE.height, "{count} tiles of {pixels} pixels");
}
