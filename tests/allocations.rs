//! What a frame allocates once the elements run: our code nothing, GLib's heap the metadata alone.
//!
//! Two counters watch the thread that works; other threads are the runtime's. One is the Rust
//! allocator. The other stands in for the C library's `malloc`, which GLib, GStreamer and ONNX Runtime
//! call (and the Rust allocator too): the difference is what C and C++ allocate. GLib before 2.76 takes
//! small blocks from slices of its own, so the tests run in a process with `G_SLICE=always-malloc`.
//!
//! What the bare calls allocate is measured in the same process, and a frame must cost their sum, no
//! more and no less: a reference that counts too much fails as one that counts too little. Models run in one thread,
//! so that the counters see all that they allocate.
#![cfg(all(feature = "plugin", target_os = "linux", target_env = "gnu"))]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::c_void;
use std::ops::Add;
use std::process::Command;

use common::element::{caps, runtime};
use common::frames::Picture;
use gst::meta::CustomMeta;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::face::detect::{DetectSettings, FaceDetector};
use gstgaze::core::geometry::{PixelRect, Size};
use gstgaze::core::inference::Engine;
use gstgaze::engine::{self, EngineOptions};
use gstgaze::plugin::meta::{faces, gaze, input_region, region};

thread_local! {
    static RUST: Cell<u64> = const { Cell::new(0) };
    static HEAP: Cell<u64> = const { Cell::new(0) };
}

/// Counts what Rust code allocates.
struct Counting;

#[allow(unsafe_code)]
// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local
// without destructor and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = RUST.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = RUST.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// `malloc` and its like for the whole process: the dynamic linker prefers a program's functions to a
/// library's. Memory is glibc's as before, and so `free` stays glibc's.
#[allow(unsafe_code)]
mod interposed {
    use super::{HEAP, c_void};

    unsafe extern "C" {
        fn __libc_malloc(size: usize) -> *mut c_void;
        fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
        fn __libc_realloc(pointer: *mut c_void, size: usize) -> *mut c_void;
        fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
    }

    fn count() {
        let _ = HEAP.try_with(|count| count.set(count.get() + 1));
    }

    // SAFETY: each function has the signature and the meaning of the one that it replaces, and passes
    // its arguments to glibc's own.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
        count();
        // SAFETY: as above.
        unsafe { __libc_malloc(size) }
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn calloc(items: usize, size: usize) -> *mut c_void {
        count();
        // SAFETY: as above.
        unsafe { __libc_calloc(items, size) }
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(pointer: *mut c_void, size: usize) -> *mut c_void {
        count();
        // SAFETY: as above.
        unsafe { __libc_realloc(pointer, size) }
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
        count();
        // SAFETY: as above.
        unsafe { __libc_memalign(alignment, size) }
    }

    // SAFETY: as above; ENOMEM is 12 on Linux.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn posix_memalign(
        to: *mut *mut c_void,
        alignment: usize,
        size: usize,
    ) -> i32 {
        count();
        // SAFETY: as above, and the caller gives a valid pointer.
        unsafe {
            let memory = __libc_memalign(alignment, size);
            if memory.is_null() {
                return 12;
            }
            *to = memory;
        }
        0
    }
}

/// Allocations by Rust code, and by all other code that this thread ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allocations {
    rust: u64,
    c: u64,
}

const NONE: Allocations = Allocations { rust: 0, c: 0 };

impl Add for Allocations {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { rust: self.rust + other.rust, c: self.c + other.c }
    }
}

fn allocations(work: impl FnOnce()) -> Allocations {
    let (rust, heap) = (RUST.get(), HEAP.get());
    work();
    let (rust, heap) = (RUST.get() - rust, HEAP.get() - heap);
    Allocations { rust, c: heap - rust }
}

/// Asserts that two measurements of [`warm`] agree: Rust's exactly, those in C to within two blocks in
/// all frames, either way. Measured: ONNX Runtime takes one block more in one run of a hundred and more,
/// with or without our code around it.
#[track_caller]
fn assert_same(frames: Allocations, reference: Allocations) {
    assert_eq!(frames.rust, reference.rust, "{frames:?}, {reference:?}");
    assert!(frames.c.abs_diff(reference.c) <= 2, "{frames:?}, {reference:?}");
}

/// Runs `body` where GLib takes every block from `malloc`: in a process of its own.
fn without_slices(test: &str, body: impl FnOnce()) {
    const SLICES: (&str, &str) = ("G_SLICE", "always-malloc");
    if std::env::var(SLICES.0).is_ok_and(|value| value == SLICES.1) {
        return body();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command.args(["--exact", test, "--nocapture"]).env(SLICES.0, SLICES.1);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{test} fails in a process of its own: {output:?}");
    // Not the harness's own lines, which tests/run.sh counts.
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| line.contains("frames:")).for_each(|line| println!("{line}"));
}

#[test]
fn the_counters_see_rust_and_glib() {
    without_slices("the_counters_see_rust_and_glib", || {
        common::element::init();
        assert_eq!(allocations(|| ()), NONE);
        let boxed = allocations(|| drop(std::hint::black_box(Box::new([0u8; 64]))));
        assert_eq!(boxed, Allocations { rust: 1, c: 0 });
        let zeroed = allocations(|| drop(std::hint::black_box(vec![0u8; 1 << 20])));
        assert_eq!(zeroed, Allocations { rust: 1, c: 0 });
        // A buffer without memory is one block of GLib's.
        let buffer = allocations(|| drop(gst::Buffer::new()));
        assert_eq!(buffer, Allocations { rust: 0, c: 1 });
        let structure = allocations(|| drop(gst::Structure::new_empty("empty")));
        assert!(structure.c > 0, "{structure:?}");
    });
}

const FRAMES: u64 = 100;

/// What so many frames allocate once the first ones have passed.
fn warm(mut frame: impl FnMut()) -> Allocations {
    (0..20).for_each(|_| frame());
    allocations(|| (0..FRAMES).for_each(|_| frame()))
}

#[test]
fn gazeinfer_allocates_its_metadata_alone() {
    let test = "gazeinfer_allocates_its_metadata_alone";
    without_slices(test, || {
        if runtime(test) {
            [1, 3, 11].into_iter().for_each(gazeinfer_with_faces);
        }
    });
}

fn gazeinfer_with_faces(count: usize) {
    let model = common::data("regression.onnx");
    let options = EngineOptions { batch_size: 8, threads: 1, ..Default::default() };
    let mut bare = engine::open(&model, &options).result.expect("the model opens");
    let mut h = Harness::new_parse(&format!(
        "gazeinfer engine={} profile={} batch-size=8 threads=1",
        model.display(),
        common::data("regression.toml").display()
    ));
    let mut idle = Harness::new("identity");
    for harness in [&mut h, &mut idle] {
        harness.set_src_caps(caps(VideoFormat::Nv12, 320, 240));
    }
    let mut buffer = gst::Buffer::with_size(320 * 240 * 3 / 2).unwrap();
    for face in 0..count as u32 {
        let rect = (face * 20, face * 10, 64, 80);
        VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "face", rect);
    }
    let push = |h: &mut Harness| {
        h.push(buffer.copy()).unwrap();
        h.pull().unwrap()
    };
    let frames = warm(|| drop(push(&mut h)));
    // The same runs without the element.
    let runtime = warm(|| {
        let mut left = count;
        while left > 0 {
            let batch = left.min(8);
            bare.run(batch).unwrap();
            left -= batch;
        }
    });
    // The same frames through an element that does nothing, and the same metadata on them.
    let found = gaze::read(&push(&mut h)).unwrap();
    assert_eq!(found.faces.len(), count);
    let metadata = warm(|| {
        let mut out = push(&mut idle);
        let out = out.get_mut().unwrap();
        // The element asks for this one, and the binding makes a C string of its name.
        assert!(CustomMeta::from_buffer(out, faces::NAME).is_err());
        gaze::add(out, &found).unwrap();
        for (index, face) in found.faces.iter().enumerate() {
            region::annotate(out, input_region::MetaHandle::Roi { index }, face);
        }
    });
    println!(
        "{count} face(s), {FRAMES} frames: {frames:?}; a bare run: {runtime:?}; metadata: {metadata:?}"
    );
    assert_same(frames, runtime + metadata);
}

/// The picture of the tests on detectors, with five faces.
fn meeting(test: &str) -> Option<Picture> {
    Picture::shared(test, "uniface_meeting_f0")
}

/// One look at the whole picture, into the same list each time.
fn detect(
    detector: &mut FaceDetector,
    picture: &Picture,
    faces: &mut Vec<gstgaze::core::face::FaceRegion>,
) {
    let settings = DetectSettings::default();
    detector.detect(&picture.view(), PixelRect::full(picture.size), &settings, faces).unwrap();
    assert_eq!(faces.len(), 5);
}

#[test]
fn a_detector_allocates_what_a_bare_run_does() {
    let test = "a_detector_allocates_what_a_bare_run_does";
    without_slices(test, || {
        if !runtime(test) {
            return;
        }
        let (Some(model), Some(picture)) =
            (common::shared(test, "models/face/yunet_n_dynamic.onnx"), meeting(test))
        else {
            return;
        };
        let open = || {
            let size = Some(Size::new(320, 224));
            let options = EngineOptions { input_size: size, threads: 1, ..Default::default() };
            engine::open(&model, &options).result.unwrap()
        };
        let mut bare = open();
        let mut detector = FaceDetector::new(Box::new(open()), 320).unwrap();
        let mut faces = Vec::new();
        let frames = warm(|| detect(&mut detector, &picture, &mut faces));
        let runtime = warm(|| bare.run(1).unwrap());
        println!("{FRAMES} frames: {frames:?}; a bare run: {runtime:?}");
        assert_same(frames, runtime);
    });
}

#[test]
fn the_embedded_detector_allocates_nothing() {
    let Some(picture) = meeting("the_embedded_detector_allocates_nothing") else { return };
    let mut detector = FaceDetector::embedded(640).unwrap();
    let mut faces = Vec::new();
    let mut look = || detect(&mut detector, &picture, &mut faces);
    (0..2).for_each(|_| look());
    assert_eq!(allocations(|| (0..5).for_each(|_| look())), NONE);
}
