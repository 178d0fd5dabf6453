//! Times the embedded detector and YuNet on a 720p frame, through `FaceDetector` and through the whole
//! element. `compare_detectors.py` times OpenCV on the same frame.
//!
//! The frame comes from `$GAZE_SHARED` or `../shared`; without it the bench takes a pattern. The time does
//! not depend on the content of the frame, the printed count of faces does.

use std::path::{Path, PathBuf};
use std::time::Instant;

use criterion::Criterion;
use gst_check::Harness;
use gst_video::VideoFormat;
use gstgaze::core::face::FaceRegion;
use gstgaze::core::face::detect::{DetectSettings, FaceDetector};
use gstgaze::core::geometry::{PixelRect, Size};
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::inference::Engine;
use gstgaze::engine::{self, EngineOptions};

const SIZE: Size = Size::new(1280, 720);
const ROUNDS: usize = 100;

fn shared(path: &str) -> PathBuf {
    std::env::var_os("GAZE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join(path)
}

/// A 720p frame in RGB.
fn frame() -> Vec<u8> {
    let pattern = || (0..1280 * 720 * 3).map(|i: usize| ((i * 31) ^ (i >> 9)) as u8).collect();
    let Ok(file) = std::fs::File::open(shared("media/frames/yakhyo_in_video_f20.png")) else {
        return pattern();
    };
    let mut reader =
        png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG file");
    let mut data = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut data).expect("pixels");
    let fits = (info.width, info.height) == (SIZE.width, SIZE.height);
    if fits && info.color_type == png::ColorType::Rgb { data } else { pattern() }
}

/// A detector and its faces.
struct Case {
    name: String,
    detector: FaceDetector,
    faces: Vec<FaceRegion>,
}

impl Case {
    fn new(name: String, engine: impl Engine + 'static, input_size: u32) -> Self {
        Self::of(name, FaceDetector::new(Box::new(engine), input_size).expect("a detector"))
    }

    fn of(name: String, detector: FaceDetector) -> Self {
        Self { name, detector, faces: Vec::new() }
    }

    fn detect(&mut self, data: &[u8]) {
        let plane = Plane { data, stride: SIZE.width as usize * 3 };
        let view = FrameView::new(PixelFormat::Rgb, SIZE, Colorimetry::default(), &[plane]);
        let (view, whole) = (view.expect("a frame"), PixelRect::full(SIZE));
        let settings = DetectSettings::default();
        self.detector.detect(&view, whole, &settings, &mut self.faces).expect("runs");
    }
}

fn cases() -> Vec<Case> {
    let opening = Size::new(640, 384);
    let embedded = FaceDetector::embedded(640).expect("the embedded model");
    let mut cases = vec![Case::of("embedded_640".to_owned(), embedded)];
    let file = shared("models/face/yunet_n_dynamic.onnx");
    for threads in [1, 2] {
        let options =
            EngineOptions { threads, input_size: Some(opening), ..EngineOptions::default() };
        match engine::open(&file, &options).result {
            Ok(engine) => {
                cases.push(Case::new(format!("onnxruntime_640_threads_{threads}"), engine, 640));
            }
            Err(error) => println!("leaving out YuNet with ONNX Runtime: {error}"),
        }
    }
    cases
}

/// Times the whole element.
fn element(criterion: &mut Criterion, data: &[u8]) {
    let model = shared("models/face/yunet_n_dynamic.onnx");
    let description = format!("gazeface engine={} threads=1 qos=false", model.display());
    let mut h = Harness::new_parse(&description);
    let caps = gst_video::VideoCapsBuilder::new()
        .format(VideoFormat::Rgb)
        .width(SIZE.width as i32)
        .height(SIZE.height as i32)
        .framerate(gst::Fraction::new(30, 1))
        .build();
    h.set_src_caps(caps);
    let buffer = gst::Buffer::from_slice(data.to_vec());
    criterion.bench_function("gazeface/element", |b| {
        b.iter(|| {
            h.push(buffer.copy()).expect("flows");
            h.pull().expect("a frame")
        });
    });
}

fn main() {
    gst::init().expect("GStreamer");
    gstgaze::plugin::plugin_register_static().expect("our elements");
    let data = frame();
    let mut criterion = Criterion::default().configure_from_args().sample_size(30);
    let mut cases = cases();
    for case in &mut cases {
        criterion.bench_function(&format!("gazeface/{}", case.name), |b| {
            b.iter(|| case.detect(&data));
        });
    }
    if cases.len() > 1 {
        element(&mut criterion, &data);
    }

    // In turns, so that other work of the machine slows all of them alike.
    let mut times = vec![Vec::with_capacity(ROUNDS); cases.len()];
    for _ in 0..ROUNDS {
        for (case, times) in cases.iter_mut().zip(&mut times) {
            let begin = Instant::now();
            case.detect(&data);
            times.push(begin.elapsed());
        }
    }
    println!("\n| detector | ms a 720p frame | frames a second | times real time at 30 | faces |");
    println!("|---|---|---|---|---|");
    for (case, times) in cases.iter().zip(&mut times) {
        times.sort_unstable();
        let seconds = times[times.len() / 2].as_secs_f64();
        let (rate, faces) = (1.0 / seconds, case.faces.len());
        println!(
            "| {} | {:.2} | {rate:.0} | {:.1} | {faces} |",
            case.name,
            seconds * 1e3,
            rate / 30.0
        );
    }
}
