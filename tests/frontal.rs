//! The embedded detector: against the code that its model was published with, on real frames, and on
//! anything else that may come.

mod common;

use common::frames::{Picture, noise, split_planes};
use common::reference::reference_frames;
use gstgaze::core::face::FaceRegion;
use gstgaze::core::face::detect::frontal::Cascade;
use gstgaze::core::face::detect::{DetectError, DetectSettings, FaceDetector};
use gstgaze::core::geometry::{PixelRect, Rect, Size};
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::{FrameView, PixelFormat, Plane};

/// Every second pixel of every second row, the mean of its colours.
fn half_grey(picture: &Picture) -> (Size, Vec<u8>) {
    let half = Size::new(picture.size.width / 2, picture.size.height / 2);
    let at = |x: u32, y: u32| {
        let first = 3 * (2 * y * picture.size.width + 2 * x) as usize;
        (picture.rgb[first..first + 3].iter().map(|&v| u32::from(v)).sum::<u32>() / 3) as u8
    };
    (half, (0..half.height).flat_map(|y| (0..half.width).map(move |x| at(x, y))).collect())
}

fn detect(detector: &mut FaceDetector, view: &FrameView<'_>, threshold: f32) -> Vec<FaceRegion> {
    let settings = DetectSettings { score_threshold: threshold, ..DetectSettings::default() };
    let mut faces = Vec::new();
    detector.detect(view, PixelRect::full(view.size()), &settings, &mut faces).unwrap();
    faces
}

/// Squares and votes by the crate `rustface`, whose model file the build script has put by.
fn by_rustface(size: Size, pixels: &[u8]) -> Vec<(PixelRect, f32)> {
    let bytes = include_bytes!(env!("GAZE_FRONTAL"));
    let mut detector =
        rustface::create_detector_with_model(rustface::read_model(&bytes[..]).unwrap());
    detector.set_score_thresh(1e-6);
    let found = detector.detect(&rustface::ImageData::new(pixels, size.width, size.height));
    let square = |b: &rustface::Rectangle| PixelRect::new(b.x(), b.y(), b.width(), b.height());
    found.iter().map(|face| (square(face.bbox()), face.score() as f32)).collect()
}

/// Every face that is found with more than one vote is found by both, in the same square to the
/// pixel and with the same votes but for rounding. (A window that leaves the picture to the left or
/// above is treated otherwise there, which may make or unmake a single vote.)
#[test]
fn rustface_finds_the_same_faces() {
    let test = "rustface_finds_the_same_faces";
    let mut cascade = Cascade::new().unwrap();
    let mut count = 0;
    for name in [
        "uniface_meeting_f0.png",
        "skimage_astronaut_f0.png",
        "yakhyo_in_video_f20.png",
        "yakhyo_in_video_f150.png",
        "hysts_image02_f0.png",
        "facenet_multiface_f0.png",
        "intel_car_noface_f0.png",
    ] {
        let Some(picture) = Picture::shared(test, name) else { return };
        let (size, pixels) = half_grey(&picture);
        let mut ours = Vec::new();
        cascade.find(&pixels, size, |square, votes| ours.push((square, votes)));
        let mut theirs = by_rustface(size, &pixels);
        for found in [&mut ours, &mut theirs] {
            found.retain(|(_, votes)| *votes > 1.0);
            found.sort_by_key(|(square, _)| (square.x, square.y));
        }
        assert_eq!(ours.len(), theirs.len(), "{name}: {ours:?} {theirs:?}");
        for ((square, votes), (their_square, their_votes)) in ours.iter().zip(&theirs) {
            assert_eq!(square, their_square, "{name}");
            assert!((votes - their_votes).abs() < 1e-3, "{name}: {votes} {their_votes}");
        }
        count += ours.len();
    }
    assert!(count > 20, "{count} faces in all");
}

#[derive(serde::Deserialize)]
struct ReferenceFace {
    box_float: [f32; 4],
}

/// Against the faces that YuNet finds in the 22 reference frames. What this detector must see are
/// nine in ten of those that are as wide as a face in its smallest window, 35 of 640 pixels; it is not
/// bound to see smaller ones (six in `yakhyo_in_video`) nor those in profile (one in `hysts_video00`
/// and one in `hysts_image02`). There is no face in the frames of the cat, the coffee and the cars, and
/// none may be found there.
#[test]
fn the_detector_finds_real_faces() {
    let test = "the_detector_finds_real_faces";
    let Some(frames) = reference_frames::<ReferenceFace>(test) else { return };
    let mut detector = FaceDetector::embedded(640).unwrap();
    let (mut all, mut seen, mut overlap, mut others) = (0, 0, 0.0, 0);
    let (mut due, mut due_seen) = (0, 0);
    for frame in &frames {
        let Some(picture) = Picture::shared(test, &frame.png) else { return };
        let found = detect(&mut detector, &picture.view(), 0.6);
        let expected = &frame.detectors["yunet"];
        assert!(!expected.is_empty() || found.is_empty(), "{}: {found:?}", frame.png);
        let mut matched = 0;
        for ReferenceFace { box_float: [x1, y1, x2, y2] } in expected {
            let rect = Rect::from_corners(*x1, *y1, *x2, *y2);
            let best = found.iter().map(|face| face.rect.iou(&rect)).fold(0.0, f32::max);
            let hit = best > 0.5;
            if hit {
                (matched, overlap) = (matched + 1, overlap + best);
            }
            if rect.width * 640.0 >= 35.0 * picture.size.width.max(picture.size.height) as f32 {
                (due, due_seen) = (due + 1, due_seen + usize::from(hit));
            }
        }
        assert!(found.iter().all(|face| face.confidence.is_some_and(|c| c > 0.6 && c <= 1.0)));
        assert!(found.iter().all(|face| face.landmarks.is_none()));
        println!("{}: {matched} of {}, {} more", frame.png, expected.len(), found.len() - matched);
        (all, seen, others) =
            (all + expected.len(), seen + matched, others + found.len() - matched);
    }
    let mean = overlap / seen as f32;
    println!("{seen} of {all}, {due_seen} of {due} due, {others} more, mean overlap {mean:.3}");
    assert!(due > 30 && due_seen * 10 >= due * 9, "{due_seen} of {due}");
    assert!(others * 20 <= all, "{others} more than {all}");
    assert!(mean > 0.75, "{mean}");
}

#[test]
fn the_detector_is_deterministic() {
    let test = "the_detector_is_deterministic";
    let Some(large) = Picture::shared(test, "uniface_meeting_f0.png") else { return };
    let Some(small) = Picture::shared(test, "skimage_astronaut_f0.png") else { return };
    let mut used = FaceDetector::embedded(640).unwrap();
    let first = detect(&mut used, &large.view(), 0.1);
    assert!(first.len() >= 5);
    for _ in 0..3 {
        let one = detect(&mut used, &small.view(), 0.6);
        assert_eq!(one.len(), 1, "{one:?}");
        assert_eq!(detect(&mut used, &large.view(), 0.1), first);
    }
    assert_eq!(detect(&mut FaceDetector::embedded(640).unwrap(), &large.view(), 0.1), first);
}

/// A face that touches or leaves each edge: cut frames of one whose face is found whole.
#[test]
fn the_detector_finds_faces_at_every_edge() {
    let test = "the_detector_finds_faces_at_every_edge";
    let Some(picture) = Picture::shared(test, "skimage_astronaut_f0.png") else { return };
    let mut detector = FaceDetector::embedded(640).unwrap();
    let face = detect(&mut detector, &picture.view(), 0.6)[0].rect;
    let (x, y) = (face.x as i32, face.y as i32);
    let (w, h) = (face.width as i32, face.height as i32);
    let mut faces = Vec::new();
    for (dx, dy) in [(0, 0), (w / 4, 0), (0, h / 4), (-w / 4, 0), (0, -h / 4), (w / 2, h / 2)] {
        let region = PixelRect::new(x + dx, y + dy, face.width as u32, face.height as u32);
        let settings = DetectSettings { score_threshold: 0.0, ..DetectSettings::default() };
        detector.detect(&picture.view(), region, &settings, &mut faces).unwrap();
        let inside = |face: &FaceRegion| !face.rect.intersect(&region.to_rect()).is_empty();
        assert!(faces.iter().all(inside), "{faces:?}");
    }
    // With a margin on three sides it is found where it is, whichever side has none.
    for region in [
        PixelRect::new(x, y - h, 3 * w as u32, 3 * h as u32),
        PixelRect::new(x - w, y, 3 * w as u32, 3 * h as u32),
        PixelRect::new(x + w - 3 * w, y - h, 3 * w as u32, 3 * h as u32),
        PixelRect::new(x - w, y + h - 3 * h, 3 * w as u32, 3 * h as u32),
    ] {
        let settings = DetectSettings::default();
        detector.detect(&picture.view(), region, &settings, &mut faces).unwrap();
        assert!(faces.iter().any(|f| f.rect.iou(&face) > 0.6), "{region:?}: {faces:?}");
    }
}

/// Noise in every format and many sizes: no panic, and nothing certain in what shows nothing.
#[test]
fn the_detector_survives_any_picture() {
    let mut detector = FaceDetector::embedded(640).unwrap();
    let sizes = [(1, 1), (2, 1), (16, 16), (39, 400), (40, 40), (41, 57), (8192, 3), (8192, 64)];
    for (width, height) in sizes {
        let size = Size::new(width, height);
        for format in PixelFormat::ALL {
            let (data, planes) = split_planes(format, size, 5, noise);
            let planes: Vec<Plane> = planes
                .iter()
                .map(|(range, stride)| Plane { data: &data[range.clone()], stride: *stride })
                .collect();
            let view = FrameView::new(format, size, Colorimetry::default(), &planes).unwrap();
            assert!(detect(&mut detector, &view, 0.6).is_empty(), "{format:?} {size}");
        }
    }
    let size = Size::new(640, 480);
    for data in [noise(640 * 480), vec![255; 640 * 480], vec![0; 640 * 480]] {
        let plane = Plane { data: &data, stride: 640 };
        let view = FrameView::new(PixelFormat::Gray8, size, Colorimetry::default(), &[plane]);
        assert!(detect(&mut detector, &view.unwrap(), 0.6).is_empty());
    }
}

#[test]
fn impossible_regions_and_sizes_are_refused() {
    let data = noise(64 * 48);
    let plane = Plane { data: &data, stride: 64 };
    let view =
        FrameView::new(PixelFormat::Gray8, Size::new(64, 48), Colorimetry::default(), &[plane])
            .unwrap();
    let mut detector = FaceDetector::embedded(640).unwrap();
    let (outside, settings) = (PixelRect::new(100, 0, 10, 10), DetectSettings::default());
    let error = detector.detect(&view, outside, &settings, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, DetectError::Preprocess(_)), "{error}");
    assert!(matches!(FaceDetector::embedded(0), Err(DetectError::Preprocess(_))));
}

#[test]
fn the_detector_names_itself() {
    let detector = FaceDetector::embedded(640).unwrap();
    assert_eq!(detector.provider(), "embedded");
    assert_eq!(detector.model_name(), "seeta_fd_frontal_v1.0");
    assert!(detector.name().contains("frontal"));
}
