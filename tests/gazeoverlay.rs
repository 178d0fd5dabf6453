//! The overlay as an element: every format and size, nothing touched without need, and who blends.

#![cfg(feature = "plugin")]

mod common;

use common::element::{caps, convert, init};
use gst::prelude::*;

use gst_video::{VideoFormat, VideoFrameRef, VideoInfo, VideoMeta, VideoOverlayCompositionMeta};
use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::{FrameGaze, GazeEstimate};
use gstgaze::core::geometry::{Gaze, Point, Rect, Size};
use gstgaze::plugin::gazeoverlay::DrawFlags;
use gstgaze::plugin::meta::gaze;

const FORMATS: [VideoFormat; 35] = [
    VideoFormat::Nv12,
    VideoFormat::Nv21,
    VideoFormat::I420,
    VideoFormat::Yv12,
    VideoFormat::Yuy2,
    VideoFormat::Uyvy,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
    VideoFormat::Rgba,
    VideoFormat::Bgra,
    VideoFormat::Rgbx,
    VideoFormat::Bgrx,
    VideoFormat::Xrgb,
    VideoFormat::Xbgr,
    VideoFormat::Argb,
    VideoFormat::Abgr,
    VideoFormat::Gray8,
    VideoFormat::Nv16,
    VideoFormat::Nv61,
    VideoFormat::Nv24,
    VideoFormat::Y42b,
    VideoFormat::Y444,
    VideoFormat::Y41b,
    VideoFormat::Yvyu,
    VideoFormat::Vyuy,
    VideoFormat::P01010le,
    VideoFormat::P012Le,
    VideoFormat::P016Le,
    VideoFormat::I42010le,
    VideoFormat::I42210le,
    VideoFormat::Y44410le,
    VideoFormat::I42012le,
    VideoFormat::I42212le,
    VideoFormat::Y44412le,
    VideoFormat::Gray16Le,
];
const OVERLAY: &str = "meta:GstVideoOverlayComposition";

fn harness(format: VideoFormat, width: u32, height: u32) -> gst_check::Harness {
    init();
    let mut h = gst_check::Harness::new("gazeoverlay");
    let caps = caps(format, width, height);
    h.set_sink_caps(caps.clone());
    h.set_src_caps(caps);
    h
}

/// A frame of one grey, without meta.
fn grey(format: VideoFormat, width: u32, height: u32) -> gst::Buffer {
    let stride = (width as usize * 3).next_multiple_of(4);
    let rgb = gst::Buffer::from_mut_slice(vec![128u8; stride * height as usize]);
    if format == VideoFormat::Rgb {
        return rgb;
    }
    convert(rgb, VideoFormat::Rgb, format, width, height)
}

fn face(rect: Rect) -> GazeEstimate {
    GazeEstimate {
        region: FaceRegion { rect, track_id: Some(3), ..Default::default() },
        gaze: Some(Gaze::from_degrees(20.0, -30.0)),
        ..Default::default()
    }
}

fn with_faces(mut buffer: gst::Buffer, size: Size, rects: &[Rect]) -> gst::Buffer {
    let faces = rects.iter().copied().map(face).collect();
    gaze::add(buffer.make_mut(), &FrameGaze { size, faces, ..Default::default() }).unwrap();
    buffer
}

/// The pixels as GStreamer's own converter sees them.
struct Picture {
    rgb: Vec<u8>,
    stride: usize,
}

impl Picture {
    fn of(buffer: &gst::Buffer, format: VideoFormat, width: u32, height: u32) -> Self {
        let rgb = match format {
            VideoFormat::Rgb => buffer.clone(),
            _ => convert(buffer.clone(), format, VideoFormat::Rgb, width, height),
        };
        let stride = (width as usize * 3).next_multiple_of(4);
        Self { rgb: rgb.map_readable().unwrap().to_vec(), stride }
    }

    fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let at = y as usize * self.stride + x as usize * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }
}

fn memory(buffer: &gst::BufferRef) -> *const u8 {
    buffer.map_readable().unwrap().as_ptr()
}

fn near(a: [u8; 3], b: [u8; 3], tolerance: u8) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= tolerance)
}

#[test]
fn every_format_is_drawn_on_in_the_right_colour_and_place() {
    for format in FORMATS {
        for (width, height) in [(320, 240), (321, 241)] {
            let mut h = harness(format, width, height);
            let element = h.element().unwrap();
            element.set_property("box-color", 0xff00_c000_u32);
            element.set_property("line-thickness", 6u32);
            element.set_property("draw", DrawFlags::BOXES);
            let rect = Rect::new(101.0, 61.0, 100.0, 120.0);
            let plain = grey(format, width, height);
            let before = Picture::of(&plain, format, width, height);
            h.push(with_faces(plain, Size::new(width, height), &[rect])).unwrap();
            let out = h.pull().unwrap();
            let after = Picture::of(&out, format, width, height);
            // Luma of the green, BT.601: 0.587 * 192 = 113.
            let gray = matches!(format, VideoFormat::Gray8 | VideoFormat::Gray16Le);
            let green = if gray { [113; 3] } else { [0, 192, 0] };
            for (x, y) in [(110, 61), (101, 70), (190, 61), (200, 170), (110, 181)] {
                let got = after.at(x, y);
                assert!(near(got, green, 4), "{format:?} {width} {x},{y}: {got:?}");
            }
            for y in 0..height {
                for x in 0..width {
                    // Ends of the corners are 20 pixels away, line and halo at most 8.
                    let column = x.abs_diff(101).min(x.abs_diff(201));
                    let row = y.abs_diff(61).min(y.abs_diff(181));
                    if column.min(row) > 9 || column.max(row) > 30 {
                        assert_eq!(after.at(x, y), before.at(x, y), "{format:?} {width} {x},{y}");
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_to_draw_touches_nothing() {
    let size = Size::new(64, 48);
    let plain = || grey(VideoFormat::Nv12, 64, 48);
    let outside = [Rect::new(100.0, 0.0, 50.0, 50.0), Rect::new(0.0, -80.0, 20.0, 20.0)];
    for buffer in [plain(), with_faces(plain(), size, &[]), with_faces(plain(), size, &outside)] {
        let mut h = harness(VideoFormat::Nv12, 64, 48);
        // Another owner holds it: a write map would have to copy the pixels.
        let held = buffer.clone();
        let bytes = held.map_readable().unwrap().to_vec();
        h.push(buffer).unwrap();
        let out = h.pull().unwrap();
        assert_eq!(memory(&out), memory(&held));
        assert_eq!(out.map_readable().unwrap().as_slice(), bytes);
    }
}

#[test]
fn a_shared_frame_stays_unchanged() {
    let mut h = harness(VideoFormat::I420, 64, 48);
    let buffer = with_faces(
        grey(VideoFormat::I420, 64, 48),
        Size::new(64, 48),
        &[Rect::new(10.0, 10.0, 30.0, 30.0)],
    );
    let held = buffer.clone();
    let before = held.map_readable().unwrap().to_vec();
    h.push(buffer).unwrap();
    let out = h.pull().unwrap();
    assert_eq!(held.map_readable().unwrap().as_slice(), before);
    assert_ne!(out.map_readable().unwrap().as_slice(), before);
}

#[test]
fn an_unshared_frame_is_drawn_on_in_place() {
    let mut h = harness(VideoFormat::Rgb, 64, 48);
    let rect = Rect::new(10.0, 10.0, 30.0, 30.0);
    let buffer = with_faces(grey(VideoFormat::Rgb, 64, 48), Size::new(64, 48), &[rect]);
    let at = memory(&buffer);
    h.push(buffer).unwrap();
    assert_eq!(memory(&h.pull().unwrap()), at);
}

#[test]
fn every_size_from_one_pixel_to_4k_is_drawn_on() {
    for (width, height) in [(1, 1), (16, 16), (3, 500), (640, 480), (3840, 2160)] {
        for format in [VideoFormat::Nv12, VideoFormat::Yuy2, VideoFormat::Bgra] {
            let mut h = harness(format, width, height);
            let (w, h_) = (width as f32, height as f32);
            // Half outside at each corner, and the whole frame.
            let rects = [
                Rect::new(-w / 4.0, -h_ / 4.0, w / 2.0, h_ / 2.0),
                Rect::new(w * 0.75, h_ * 0.75, w / 2.0, h_ / 2.0),
                Rect::new(0.0, 0.0, w, h_),
            ];
            let plain = grey(format, width, height);
            let before = plain.map_readable().unwrap().to_vec();
            h.push(with_faces(plain, Size::new(width, height), &rects)).unwrap();
            let out = h.pull().unwrap();
            assert_ne!(
                out.map_readable().unwrap().as_slice(),
                before,
                "{format:?} {width}x{height}"
            );
        }
    }
}

#[test]
fn boxes_and_landmarks_follow_a_frame_that_was_scaled() {
    let mut h = harness(VideoFormat::Rgb, 320, 240);
    let element = h.element().unwrap();
    element.set_property("line-thickness", 4u32);
    element.set_property("draw", DrawFlags::BOXES | DrawFlags::LANDMARKS);
    let mut buffer = grey(VideoFormat::Rgb, 320, 240);
    let mut found = face(Rect::new(400.0, 200.0, 400.0, 600.0));
    found.region.landmarks = Some([Point { x: 640.0, y: 480.0 }; 5]);
    let size = Size::new(1280, 960);
    let frame = FrameGaze { size, faces: vec![found], ..Default::default() };
    gaze::add(buffer.make_mut(), &frame).unwrap();
    h.push(buffer).unwrap();
    let out = h.pull().unwrap();
    let picture = Picture::of(&out, VideoFormat::Rgb, 320, 240);
    for (x, y) in [(105, 50), (195, 200), (160, 120)] {
        assert_eq!(picture.at(x, y), [255; 3], "{x},{y}");
    }
    assert_eq!(picture.at(150, 120), [128; 3]);
    // The metadata itself stays what it was.
    assert_eq!(gaze::read(&out), Some(frame));
}

#[test]
fn properties_and_caps_change_between_frames() {
    let mut h = harness(VideoFormat::Rgb, 320, 240);
    let element = h.element().unwrap();
    element.set_property("draw", DrawFlags::BOXES);
    element.set_property("line-thickness", 4u32);
    let rect = Rect::new(100.0, 60.0, 100.0, 100.0);
    let corner = |h: &mut gst_check::Harness, format, width, height| {
        let plain = grey(format, width, height);
        h.push(with_faces(plain, Size::new(width, height), &[rect])).unwrap();
        Picture::of(&h.pull().unwrap(), format, width, height).at(105, 60)
    };
    assert_eq!(corner(&mut h, VideoFormat::Rgb, 320, 240), [255; 3]);
    element.set_property("box-color", 0xffff_0000_u32);
    assert_eq!(corner(&mut h, VideoFormat::Rgb, 320, 240), [255, 0, 0]);
    element.set_property("draw", DrawFlags::empty());
    assert_eq!(corner(&mut h, VideoFormat::Rgb, 320, 240), [128; 3]);
    element.set_property("draw", DrawFlags::BOXES);
    let next = caps(VideoFormat::Nv12, 640, 360);
    h.set_sink_caps(next.clone());
    h.set_src_caps(next);
    let got = corner(&mut h, VideoFormat::Nv12, 640, 360);
    assert!(near(got, [255, 0, 0], 4), "{got:?}");
}

#[test]
fn the_overlay_draws_a_crowd() {
    let mut h = harness(VideoFormat::Nv12, 1280, 720);
    let rect = |i: u32| Rect::new((i % 20 * 64) as f32, (i / 20 * 72) as f32, 50.0, 60.0);
    let rects: Vec<_> = (0..200).map(rect).collect();
    let plain = grey(VideoFormat::Nv12, 1280, 720);
    let before = Picture::of(&plain, VideoFormat::Nv12, 1280, 720);
    h.push(with_faces(plain, Size::new(1280, 720), &rects)).unwrap();
    let after = Picture::of(&h.pull().unwrap(), VideoFormat::Nv12, 1280, 720);
    for (i, rect) in rects.iter().enumerate() {
        let (x, y) = (rect.x as u32 + 25, rect.y as u32 + 24);
        assert_ne!(after.at(x, y), before.at(x, y), "no arrow starts in face {i}");
    }
}

#[test]
fn separate_planes_and_wide_strides_are_drawn_on() {
    let (width, height) = (64usize, 48usize);
    let mut h = harness(VideoFormat::Nv12, 64, 48);
    h.element().unwrap().set_property("line-thickness", 4u32);
    let mut buffer = gst::Buffer::new();
    let stride = width + 32;
    {
        let buffer = buffer.get_mut().unwrap();
        for (rows, value) in [(height, 126u8), (height / 2, 128)] {
            buffer.append_memory(gst::Memory::from_mut_slice(vec![value; stride * rows]));
        }
        let offsets = [0, stride * height];
        let strides = [stride as i32; 2];
        let flags = gst_video::VideoFrameFlags::empty();
        VideoMeta::add_full(buffer, flags, VideoFormat::Nv12, 64, 48, &offsets, &strides).unwrap();
    }
    let rect = Rect::new(10.0, 10.0, 30.0, 30.0);
    h.push(with_faces(buffer, Size::new(64, 48), &[rect])).unwrap();
    let out = h.pull().unwrap();
    let info = VideoInfo::builder(VideoFormat::Nv12, 64, 48).build().unwrap();
    let frame = VideoFrameRef::from_buffer_ref_readable(&out, &info).unwrap();
    let luma = frame.plane_data(0).unwrap();
    assert_eq!(luma[10 * stride + 13], 235);
    assert_eq!(luma[25 * stride + 2], 126);
    assert!(luma.chunks(stride).all(|row| row[width..].iter().all(|&v| v == 126)));
}

#[test]
fn a_broken_buffer_passes_and_is_reported_once() {
    let mut h = harness(VideoFormat::Rgb, 64, 48);
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    for _ in 0..2 {
        let rects = [Rect::new(10.0, 10.0, 30.0, 30.0)];
        let short = gst::Buffer::from_mut_slice(vec![7u8; 100]);
        h.push(with_faces(short, Size::new(64, 48), &rects)).unwrap();
        let out = h.pull().unwrap();
        assert_eq!(out.map_readable().unwrap().as_slice(), [7; 100]);
    }
    let warnings = bus.iter_filtered(&[gst::MessageType::Warning]).count();
    assert_eq!(warnings, 1);
}

/// A harness whose sink takes the caps of overlays, and perhaps overlays.
fn overlay_harness(sink_caps: &str, takes: bool) -> gst_check::Harness {
    init();
    let mut h = gst_check::Harness::new("gazeoverlay");
    if takes {
        h.add_propose_allocation_meta(VideoOverlayCompositionMeta::meta_api(), None);
    }
    h.set_sink_caps(sink_caps.parse().unwrap());
    h.set_src_caps(caps(VideoFormat::Nv12, 320, 240));
    h
}

fn src_has_overlay_caps(h: &gst_check::Harness) -> bool {
    let caps = h.element().unwrap().static_pad("src").unwrap().current_caps().unwrap();
    caps.features(0).unwrap().contains(OVERLAY)
}

#[test]
fn downstream_that_blends_gets_overlays_and_untouched_pixels() {
    let both = format!("video/x-raw({OVERLAY}); video/x-raw");
    let mut h = overlay_harness(&both, true);
    let rects = [Rect::new(50.0, 80.0, 100.0, 100.0), Rect::new(280.0, 80.0, 100.0, 100.0)];
    for _ in 0..2 {
        let plain = grey(VideoFormat::Nv12, 320, 240);
        let before = plain.map_readable().unwrap().to_vec();
        let held = plain.clone();
        h.push(with_faces(plain, Size::new(320, 240), &rects)).unwrap();
        let out = h.pull().unwrap();
        assert!(src_has_overlay_caps(&h));
        assert_eq!(memory(&out), memory(&held));
        assert_eq!(out.map_readable().unwrap().as_slice(), before);
        let meta = out.meta::<VideoOverlayCompositionMeta>().unwrap();
        assert_eq!(meta.overlay().n_rectangles(), 2);
        // What GStreamer blends from it is what is drawn without it, but for rounding.
        let mut attached = out.copy_deep().unwrap();
        let info = VideoInfo::builder(VideoFormat::Nv12, 320, 240).build().unwrap();
        {
            let buffer = attached.get_mut().unwrap();
            let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, &info).unwrap();
            meta.overlay().blend(&mut frame).unwrap();
        }
        let mut plain = harness(VideoFormat::Nv12, 320, 240);
        plain
            .push(with_faces(grey(VideoFormat::Nv12, 320, 240), Size::new(320, 240), &rects))
            .unwrap();
        let drawn = plain.pull().unwrap();
        let (attached, drawn) = (attached.map_readable().unwrap(), drawn.map_readable().unwrap());
        let luma = 320 * 240;
        let differing =
            attached[..luma].iter().zip(&drawn[..luma]).filter(|(a, b)| a.abs_diff(**b) > 8);
        assert!(differing.count() < luma / 1000);
        assert_ne!(attached[..luma], before[..luma]);
    }
}

#[test]
fn overlays_that_are_already_there_stay() {
    let promised = format!("video/x-raw({OVERLAY})");
    let mut h = overlay_harness(&promised, true);
    let rects = [Rect::new(50.0, 80.0, 100.0, 100.0)];
    h.push(with_faces(grey(VideoFormat::Nv12, 320, 240), Size::new(320, 240), &rects)).unwrap();
    let once = h.pull().unwrap();
    // The frame comes by once more, as from a second overlay.
    h.push(once.copy()).unwrap();
    let twice = h.pull().unwrap();
    let count = |buffer: &gst::Buffer| {
        buffer.meta::<VideoOverlayCompositionMeta>().unwrap().overlay().n_rectangles()
    };
    assert_eq!((count(&once), count(&twice)), (1, 2));
    assert_eq!(twice.iter_meta::<VideoOverlayCompositionMeta>().count(), 1);
}

#[test]
fn downstream_that_takes_any_caps_gets_pixels() {
    let mut h = overlay_harness("ANY", false);
    for round in 0..2 {
        let rects = [Rect::new(50.0, 80.0, 100.0, 100.0)];
        let plain = grey(VideoFormat::Nv12, 320, 240);
        let before = plain.map_readable().unwrap().to_vec();
        h.push(with_faces(plain, Size::new(320, 240), &rects)).unwrap();
        let out = h.pull().unwrap();
        assert!(out.meta::<VideoOverlayCompositionMeta>().is_none());
        assert_ne!(out.map_readable().unwrap().as_slice(), before);
        if round > 0 {
            assert!(!src_has_overlay_caps(&h));
        }
    }
}

#[test]
fn gazeoverlay_restarts_and_takes_properties_as_text() {
    init();
    let overlay = gst::ElementFactory::make("gazeoverlay").build().unwrap();
    for _ in 0..2 {
        overlay.set_state(gst::State::Paused).unwrap();
        overlay.set_state(gst::State::Null).unwrap();
    }
    let drawn = DrawFlags::BOXES | DrawFlags::ARROWS | DrawFlags::TEXT;
    assert_eq!(overlay.property::<DrawFlags>("draw"), drawn);
    overlay.set_property_from_str("draw", "head-pose+landmarks");
    assert_eq!(overlay.property::<DrawFlags>("draw"), DrawFlags::HEAD_POSE | DrawFlags::LANDMARKS);
    overlay.set_property_from_str("text-color", "0xff112233");
    assert_eq!(overlay.property::<u32>("text-color"), 0xff11_2233);
}
