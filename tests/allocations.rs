//! No heap allocation per frame in our code once running.
//!
//! Counted by a global allocator around everything that happens to a frame: regions read, crop,
//! resample, run, decode, metadata. What the bare calls of the bindings allocate (ONNX Runtime's
//! for a run, GStreamer's for the name of a custom meta) is measured in the same process and
//! subtracted; GStreamer's own memory comes from GLib.
#![cfg(feature = "plugin")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::element::{caps, runtime};
use common::frames::read_png;
use gst::meta::CustomMeta;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::face::detect::{DetectSettings, FaceDetector};
use gstgaze::core::geometry::{PixelRect, Size};
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::inference::Engine;
use gstgaze::engine::{self, EngineOptions};
use gstgaze::plugin::meta::{faces, gaze};

/// Counts the allocations of the thread that asks; other threads are the runtime's.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

#[allow(unsafe_code)]
// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local
// without destructor and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    work();
    COUNT.with(Cell::get) - before
}

const FRAMES: u64 = 100;

#[test]
fn none_per_frame() {
    if !runtime("none_per_frame") {
        return;
    }
    let model = common::data("regression.onnx");
    let mut bare = engine::open(&model, &EngineOptions { batch_size: 8, ..Default::default() })
        .result
        .expect("the model opens");
    for count in [1usize, 3, 11] {
        let mut h = Harness::new_parse(&format!(
            "gazeinfer engine={} profile={} batch-size=8",
            model.display(),
            common::data("regression.toml").display()
        ));
        h.set_src_caps(caps(VideoFormat::Nv12, 320, 240));
        let mut buffer = gst::Buffer::with_size(320 * 240 * 3 / 2).unwrap();
        for face in 0..count as u32 {
            let rect = (face * 20, face * 10, 64, 80);
            VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "face", rect);
        }
        let push = |h: &mut Harness| {
            h.push(buffer.copy()).unwrap();
            h.pull().unwrap();
        };
        (0..20).for_each(|_| push(&mut h));
        let frames = allocations(|| (0..FRAMES).for_each(|_| push(&mut h)));
        // The same runs without us.
        let runs = |bare: &mut dyn Engine| {
            for batch in [8, 8, 8].iter().scan(count, |left, most| {
                let batch = (*left).min(*most);
                *left -= batch;
                (batch > 0).then_some(batch)
            }) {
                bare.run(batch).unwrap();
            }
        };
        (0..20).for_each(|_| runs(&mut bare));
        let runtime = allocations(|| (0..FRAMES).for_each(|_| runs(&mut bare)));
        // Asking for and adding a custom meta: the binding makes a C string of the name.
        let binding = allocations(|| {
            for _ in 0..FRAMES {
                let mut buffer = gst::Buffer::new();
                assert!(CustomMeta::from_buffer(&buffer, faces::NAME).is_err());
                assert!(CustomMeta::from_buffer(&buffer, gaze::NAME).is_err());
                CustomMeta::add(buffer.get_mut().unwrap(), gaze::NAME).unwrap();
            }
        });
        let ours = frames.saturating_sub(runtime + binding);
        println!(
            "{count} face(s), {FRAMES} frames: {frames} allocations: {runtime} by ONNX Runtime's \
             binding, {binding} by GStreamer's, {ours} by us"
        );
        assert_eq!(ours, 0);
    }
}

#[test]
fn none_per_frame_for_a_detector() {
    let test = "none_per_frame_for_a_detector";
    if !runtime(test) {
        return;
    }
    let (Some(model), Some(frame)) = (
        common::shared(test, "models/face/yunet_n_dynamic.onnx"),
        common::shared(test, "media/frames/uniface_meeting_f0.png"),
    ) else {
        return;
    };
    let (size, data) = read_png(&frame);
    let plane = Plane { data: &data, stride: size.width as usize * 3 };
    let view = FrameView::new(PixelFormat::Rgb, size, Colorimetry::default(), &[plane]).unwrap();
    let open = || {
        let options = EngineOptions { input_size: Some(Size::new(320, 224)), ..Default::default() };
        engine::open(&model, &options).result.unwrap()
    };
    let mut bare = open();
    let mut detector = FaceDetector::new(Box::new(open()), 320).unwrap();
    let mut faces = Vec::new();
    let mut detect = || {
        let (whole, settings) = (PixelRect::full(size), DetectSettings::default());
        detector.detect(&view, whole, &settings, &mut faces).unwrap();
        assert_eq!(faces.len(), 5);
    };
    (0..5).for_each(|_| detect());
    let frames = allocations(|| (0..20).for_each(|_| detect()));
    (0..5).for_each(|_| bare.run(1).unwrap());
    let runtime = allocations(|| (0..20).for_each(|_| bare.run(1).unwrap()));
    println!("20 frames: {frames} allocations, {runtime} of them by ONNX Runtime's binding");
    assert_eq!(frames, runtime);
}

#[test]
fn none_per_frame_for_the_embedded_detector() {
    let test = "none_per_frame_for_the_embedded_detector";
    let Some(frame) = common::shared(test, "media/frames/uniface_meeting_f0.png") else { return };
    let (size, data) = read_png(&frame);
    let plane = Plane { data: &data, stride: size.width as usize * 3 };
    let view = FrameView::new(PixelFormat::Rgb, size, Colorimetry::default(), &[plane]).unwrap();
    let mut detector = FaceDetector::embedded(640).unwrap();
    let mut faces = Vec::new();
    let mut detect = || {
        let (whole, settings) = (PixelRect::full(size), DetectSettings::default());
        detector.detect(&view, whole, &settings, &mut faces).unwrap();
        assert_eq!(faces.len(), 5);
    };
    (0..2).for_each(|_| detect());
    assert_eq!(allocations(|| (0..5).for_each(|_| detect())), 0);
}
