use super::*;
use crate::core::face::FaceRegion;

const HD: Size = Size::new(1280, 720);
const METRICS: Metrics = Metrics { advance: 10, cap_height: 12, em: 16 };

fn face(rect: Rect) -> GazeEstimate {
    GazeEstimate {
        region: FaceRegion { rect, ..Default::default() },
        gaze: Some(Gaze::from_degrees(12.34, -4.5)),
        ..Default::default()
    }
}

fn lay_out(faces: &[GazeEstimate], size: Size, style: &Style) -> Scene {
    let mut scene = Scene::default();
    scene.lay_out(faces, size, style, METRICS);
    scene
}

fn arrow_of(gaze: Gaze) -> (Point, Point) {
    let face = GazeEstimate { gaze: Some(gaze), ..face(Rect::new(600.0, 300.0, 100.0, 100.0)) };
    let style = Style { arrow_length: 200, ..Style::default() };
    let scene = lay_out(&[face], HD, &style);
    let mut arrows = scene.items().iter().filter_map(|item| match item.primitive {
        Primitive::Arrow { from, to } => Some((from, to)),
        _ => None,
    });
    arrows.next().unwrap()
}

fn labels(scene: &Scene) -> Vec<(PixelRect, String)> {
    let label = |item: &Item| match &item.primitive {
        Primitive::Label { plate, text, .. } => Some((*plate, scene.text(text).to_owned())),
        _ => None,
    };
    scene.items().iter().filter_map(label).collect()
}

#[test]
fn arrows_point_where_people_look() {
    let (from, up) = arrow_of(Gaze::from_degrees(30.0, 0.0));
    assert!((up.y - (from.y - 100.0)).abs() < 1e-3 && (up.x - from.x).abs() < 1e-3);
    let (from, image_left) = arrow_of(Gaze::from_degrees(0.0, 30.0));
    assert!((image_left.x - (from.x - 100.0)).abs() < 1e-3);
    let (from, down_right) = arrow_of(Gaze::from_degrees(-60.0, -90.0));
    assert!((down_right.x - (from.x + 100.0)).abs() < 1e-3);
    assert!((down_right.y - (from.y + 200.0 * 0.866_025_4)).abs() < 1e-3);
}

#[test]
fn a_gaze_into_the_camera_is_a_dot() {
    let mut looking = face(Rect::new(600.0, 300.0, 100.0, 100.0));
    looking.gaze = Some(Gaze::default());
    let scene = lay_out(&[looking], HD, &Style::default());
    assert!(!scene.items().iter().any(|i| matches!(i.primitive, Primitive::Arrow { .. })));
    assert!(scene.items().iter().any(|i| matches!(i.primitive, Primitive::Dot { .. })));
}

#[test]
fn arrows_start_between_the_eyes() {
    let (from, _) = arrow_of(Gaze::from_degrees(30.0, 0.0));
    assert_eq!(from, Point { x: 650.0, y: 340.0 });
    let mut known = face(Rect::new(600.0, 300.0, 100.0, 100.0));
    let mut points = [Point { x: 0.0, y: 0.0 }; 5];
    points[0] = Point { x: 610.0, y: 320.0 };
    points[1] = Point { x: 650.0, y: 330.0 };
    known.region.landmarks = Some(points);
    assert_eq!(eyes(&known), Point { x: 630.0, y: 325.0 });
    points[0].x = f32::NAN;
    known.region.landmarks = Some(points);
    assert_eq!(eyes(&known), Point { x: 650.0, y: 340.0 });
}

#[test]
fn labels_say_degrees_with_sign_and_track() {
    let rect = Rect::new(600.0, 300.0, 400.0, 100.0);
    let mut tracked = face(rect);
    tracked.region.track_id = Some(7);
    tracked.gaze = Some(Gaze::from_degrees(-0.04, -12.96));
    let unknown = GazeEstimate { gaze: None, ..face(Rect::new(100.0, 300.0, 50.0, 50.0)) };
    let mut narrow = tracked;
    narrow.gaze = Some(Gaze::from_degrees(-1.0, 102.0));
    narrow.region.rect.width = 100.0;
    let scene = lay_out(&[face(rect), tracked, unknown, narrow], HD, &Style::default());
    let texts: Vec<_> = labels(&scene).into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        texts,
        [
            "pitch +12.3\u{b0}  yaw \u{2212}4.5\u{b0}",
            "#7 pitch +0.0\u{b0}  yaw \u{2212}13.0\u{b0}",
            "no gaze",
            "#7 pitch  \u{2212}1.0\u{b0}\n   yaw   +102.0\u{b0}",
        ]
    );
    let heights: Vec<_> = labels(&scene).iter().map(|(plate, _)| plate.height).collect();
    assert_eq!(heights, [26, 26, 26, 26 + METRICS.line()]);
}

#[test]
fn labels_stay_in_the_frame_and_off_each_other() {
    let rects = [
        Rect::new(600.0, 300.0, 100.0, 100.0),
        Rect::new(600.0, 300.0, 100.0, 100.0),
        Rect::new(-50.0, -50.0, 100.0, 100.0),
        Rect::new(1250.0, 690.0, 100.0, 100.0),
        Rect::new(300.0, -20.0, 300.0, 800.0),
    ];
    let scene = lay_out(&rects.map(face), HD, &Style::default());
    let plates: Vec<_> = labels(&scene).into_iter().map(|(plate, _)| plate).collect();
    assert_eq!(plates.len(), rects.len());
    for (i, plate) in plates.iter().enumerate() {
        assert_eq!(plate.clipped(HD), *plate, "{i}");
        assert!(plates[..i].iter().all(|other| !overlap(other, plate)), "{i}");
    }
    assert!(plates[0].y + (plates[0].height as i32) < 300, "above its box");
    assert!(plates[1].y > 400, "below its box, where the first label is above it");
}

#[test]
fn a_frame_without_room_has_no_label() {
    let small =
        lay_out(&[face(Rect::new(0.0, 0.0, 16.0, 16.0))], Size::new(16, 16), &Style::default());
    assert!(labels(&small).is_empty());
    assert!(small.items().iter().any(|i| matches!(i.primitive, Primitive::Corner { .. })));
}

#[test]
fn faces_outside_the_frame_draw_nothing() {
    let rects = [
        Rect::new(2000.0, 0.0, 50.0, 50.0),
        Rect::new(-60.0, 10.0, 50.0, 50.0),
        Rect::new(f32::NAN, 0.0, 5.0, 5.0),
        Rect::new(5.0, 5.0, 0.0, 10.0),
    ];
    let scene = lay_out(&rects.map(face), HD, &Style::default());
    assert!(scene.items().is_empty() && scene.faces().count() == 0);
}

#[test]
fn bounds_lie_in_the_frame_whatever_the_box() {
    let rects = [
        Rect::new(-1e30, -1e30, 3e30, 3e30),
        Rect::new(1270.0, 700.0, 1e9, 1e9),
        Rect::new(-5.0, -5.0, 10.0, 10.0),
    ];
    let scene = lay_out(&rects.map(face), HD, &Style::default());
    for item in scene.items() {
        let bounds = item.bounds(HD);
        assert_eq!(bounds.clipped(HD), bounds, "{item:?}");
    }
}

#[test]
fn parts_can_be_left_out_and_reused_results_are_fainter() {
    let style = Style::default();
    let only = |parts| {
        let mut face = face(Rect::new(600.0, 300.0, 100.0, 100.0));
        face.region.landmarks = Some([Point { x: 650.0, y: 350.0 }; 5]);
        face.region.head_pose = Some(HeadPose::default());
        lay_out(&[face], HD, &Style { parts, ..style }).items().len()
    };
    let none = crate::core::draw::Parts {
        boxes: false,
        arrows: false,
        text: false,
        landmarks: false,
        head_pose: false,
    };
    assert_eq!(only(none), 0);
    assert_eq!(only(crate::core::draw::Parts { boxes: true, ..none }), 4);
    assert_eq!(only(crate::core::draw::Parts { arrows: true, ..none }), 2);
    assert_eq!(only(crate::core::draw::Parts { text: true, ..none }), 1);
    assert_eq!(only(crate::core::draw::Parts { landmarks: true, ..none }), 5);
    assert_eq!(only(crate::core::draw::Parts { head_pose: true, ..none }), 3);
    let carried = GazeEstimate { age: 1, ..face(Rect::new(600.0, 300.0, 100.0, 100.0)) };
    let scene = lay_out(&[carried], HD, &style);
    assert!(scene.items().iter().all(|i| i.color.rgba()[3] == 191 && i.opacity == REUSED));
}

#[test]
fn the_heads_axes() {
    let near = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).abs() < 1e-6 && (a[1] - b[1]).abs() < 1e-6;
    let quarter = std::f32::consts::FRAC_PI_2;
    let [side, up, forward] = head_axes(HeadPose::default());
    assert!(near(side, [1.0, 0.0]) && near(up, [0.0, -1.0]) && near(forward, [0.0, 0.0]));
    // A quarter clockwise: up points right, the side down.
    let [side, up, _] = head_axes(HeadPose { roll: quarter, ..Default::default() });
    assert!(near(side, [0.0, 1.0]) && near(up, [1.0, 0.0]));
    let [side, up, forward] = head_axes(HeadPose { yaw: quarter, ..Default::default() });
    assert!(near(side, [0.0, 0.0]) && near(up, [0.0, -1.0]) && near(forward, [-1.0, 0.0]));
    let [_, up, forward] = head_axes(HeadPose { pitch: quarter, ..Default::default() });
    assert!(near(up, [0.0, 0.0]) && near(forward, [0.0, -1.0]));
}
