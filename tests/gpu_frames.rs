//! Gaze of frames in a GPU's memory, from whichever memory they come in, against that of the same
//! frames in the host's: surfaces, CUDA memory and the estimator for real, the "GPU" that of
//! `tests/nvstub`, and a model whose inputs are in its memory. That model is ONNX Runtime's on the
//! CPU, to which a wrapper brings the inputs (`common::on_gpu`): the one thing that is not the plugin's own.
#![cfg(all(feature = "plugin", target_os = "linux"))]
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

mod nvmm {
    use crate::common;

    /// Version of the surfaces' structures, and of the metadata's.
    pub const VERSIONS: (u32, u32) = (7, 8);
    /// Whether surfaces are in the memory of a real GPU.
    pub const REAL_GPU: bool = false;

    pub mod stub;
}

use std::sync::Arc;

use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};
use gstgaze::core::face::{EyeCorners, FaceRegion};
use gstgaze::core::gaze::GazeEstimate;
use gstgaze::core::gaze::estimator::GazeEstimator;
use gstgaze::core::gaze::reuse::InferencePlan;
use gstgaze::core::geometry::{Point, Rect, Size};
use gstgaze::core::image::{FrameView, Plane};
use gstgaze::engine::{self, EngineOptions};
use gstgaze::nvidia::gpu::{GpuFrame, GpuFrameError, GpuPreprocessor};
use gstgaze::nvidia::surface::Staging;
use gstgaze::plugin::format::{colorimetry, pixel_format};
use gstgaze::plugin::frame;
use gstgaze::plugin::nvidia_buffer::{NvmmBuffer, NvmmCaps};

use common::cuda::Cuda;
use common::element::{caps, says};
use common::frames::noise;
use common::on_gpu::OnGpu;
use nvmm::stub::ready;

const SIZE: Size = Size::new(64, 48);

/// A model of both eyes, turned level, and of the head's pose.
const EYES: &str = r#"
name = "test-eyes"
[[input]]
tensor = "left_eye"
role = "left-eye"
image = { channels = "bgr", scale = 0.00392156862745098, resample = "opencv-cubic" }
[[input]]
tensor = "right_eye"
role = "right-eye"
image = { channels = "rgb", scale = 0.00392156862745098, resample = "pil-bilinear" }
[[input]]
tensor = "head"
role = "head-pose"
[output]
decoder = "direction"
tensor = "vector"
"#;

/// The model twice: with inputs in the host, and on the "GPU" as well.
fn estimators(cuda: &Arc<Cuda>, model: &str, profile: &str) -> [GazeEstimator; 2] {
    [false, true].map(|on_gpu| {
        let options = EngineOptions { batch_size: 4, threads: 1, ..EngineOptions::default() };
        let profile = match profile {
            EYES => {
                let path = format!("{}/eyes.toml", env!("CARGO_TARGET_TMPDIR"));
                std::fs::write(&path, EYES).unwrap();
                path
            }
            name => common::data(name).display().to_string(),
        };
        let open =
            engine::open_model(common::data(model), Some(&profile), &options).result.unwrap();
        let engine = match on_gpu {
            true => Box::new(OnGpu::new(open.engine, cuda)),
            false => open.engine,
        };
        GazeEstimator::new(engine, &open.profile, open.decoder).unwrap()
    })
}

/// More faces than a batch has room for, some of them partly outside, one wholly.
fn faces() -> Vec<FaceRegion> {
    let at = |x: f32, y: f32| Point { x, y };
    let eye = |x: f32, y: f32| EyeCorners { outer: at(x, y), inner: at(x + 9.0, y + 1.0) };
    [(4.0, 4.0, 20.0, 24.0), (-8.0, 10.0, 30.0, 30.0), (40.0, 20.0, 40.0, 40.0)]
        .into_iter()
        .chain([(200.0, 200.0, 20.0, 20.0), (0.0, 0.0, 64.0, 48.0), (30.5, 7.5, 9.0, 11.0)])
        .map(|(x, y, width, height)| FaceRegion {
            rect: Rect::new(x, y, width, height),
            head_pose: Some(gstgaze::core::geometry::HeadPose { pitch: 0.1, yaw: -0.2, roll: 0.3 }),
            eyes: Some([eye(x + 2.0, y + 6.0), eye(x + 12.0, y + 7.0)]),
            landmarks: Some([
                at(20.0, 15.0),
                at(30.0, 15.5),
                at(25.0, 20.0),
                at(21.0, 26.0),
                at(29.0, 26.0),
            ]),
            ..FaceRegion::default()
        })
        .collect()
}

/// What the host makes of a frame of these bytes.
fn expected(estimator: &mut GazeEstimator, info: &VideoInfo, bytes: &[u8]) -> Vec<GazeEstimate> {
    let format = pixel_format(info.format()).unwrap();
    let plane = |index: usize| Plane {
        data: &bytes[info.offset()[index]..],
        stride: usize::try_from(info.stride()[index]).unwrap(),
    };
    let planes: Vec<_> = (0..format.planes()).map(plane).collect();
    let view = FrameView::new(format, SIZE, colorimetry(info), &planes).unwrap();
    let (faces, mut out) = (faces(), Vec::new());
    let plans = vec![InferencePlan::Infer; faces.len()];
    estimator.estimate(&view, faces, &plans, None, &mut out).unwrap();
    out
}

/// The same of a frame on the "GPU".
fn found(
    estimator: &mut GazeEstimator,
    preprocessor: &mut GpuPreprocessor,
    frame: GpuFrame<'_>,
) -> Vec<GazeEstimate> {
    let frame = preprocessor.make_readable(frame).unwrap();
    let (faces, mut out) = (faces(), Vec::new());
    let plans = vec![InferencePlan::Infer; faces.len()];
    let of = (&frame, frame.size());
    let counts = estimator.estimate_on(preprocessor, of, faces, &plans, None, &mut out).unwrap();
    assert!(counts.inferred >= 4, "{counts:?}");
    out
}

fn frame_of(format: VideoFormat) -> (VideoInfo, Vec<u8>) {
    let info = VideoInfo::from_caps(&caps(format, SIZE.width, SIZE.height)).unwrap();
    let bytes = noise(info.size());
    (info, bytes)
}

/// The buffer that a chain of the stand-in's elements makes of one frame, and its caps.
fn made(elements: &str, format: VideoFormat, bytes: &[u8]) -> (gst::Buffer, gst::Caps) {
    let mut h = Harness::new_parse(elements);
    h.set_src_caps(caps(format, SIZE.width, SIZE.height));
    h.push(gst::Buffer::from_slice(bytes.to_vec())).unwrap();
    let buffer = h.pull().unwrap();
    let caps = h.sinkpad().unwrap().current_caps().unwrap();
    (buffer, caps)
}

#[test]
fn gaze_is_the_hosts_from_every_memory_and_format() {
    if !ready("gaze_is_the_hosts_from_every_memory_and_format") {
        return;
    }
    let cuda = Arc::new(Cuda::open().unwrap());
    let [mut host, mut gpu] = estimators(&cuda, "regression.onnx", "regression.toml");
    assert_eq!((host.device(), gpu.device()), (None, Some(0)));
    gpu.prepare_device().unwrap();
    let mut preprocessor = GpuPreprocessor::new(0).unwrap();
    let mut staging = Staging::default();
    let formats = gstgaze::plugin::format::surface_caps();
    let formats = formats.structure(0).unwrap().get::<gst::List>("format").unwrap();
    assert_eq!(formats.len(), 17);
    for format in formats.iter() {
        let format = VideoFormat::from_string(format.get::<&str>().unwrap());
        let (info, bytes) = frame_of(format);
        let wanted = expected(&mut host, &info, &bytes);
        assert!(wanted.iter().filter(|face| face.gaze.is_some()).count() >= 4);
        // Default, pinned, device, unified, surface array in rows and in blocks.
        for (memory, layout) in [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (4, 1)] {
            let mux = format!("nvstubmux mem-type={memory} layout={layout}");
            let (buffer, caps) = made(&mux, format, &bytes);
            let nvmm = NvmmBuffer::map(&buffer, NvmmCaps::of(&caps).unwrap()).unwrap();
            let surfaces = nvmm.surfaces().unwrap();
            let frame = surfaces.on_gpu(0, 0, &mut staging).unwrap();
            assert_eq!((frame.size(), frame.gpu()), (SIZE, 0));
            let got = found(&mut gpu, &mut preprocessor, frame);
            assert_eq!(got, wanted, "{format} {mux}");
        }
        let (buffer, _) = made("nvstubupload", format, &bytes);
        let mut map = None;
        let frame = frame::on_gpu(&buffer, &info, &mut map, 0).unwrap();
        assert_eq!(found(&mut gpu, &mut preprocessor, frame), wanted, "{format}, CUDA memory");
    }
}

#[test]
fn a_frame_without_faces_is_released() {
    if !ready("a_frame_without_faces_is_released") {
        return;
    }
    let cuda = Arc::new(Cuda::open().unwrap());
    let [_, mut gpu] = estimators(&cuda, "regression.onnx", "regression.toml");
    let mut preprocessor = GpuPreprocessor::new(0).unwrap();
    let (info, bytes) = frame_of(VideoFormat::Nv12);
    // The stand-in ends the test where memory is freed that a stream is still to copy.
    let (buffer, _) = made("nvstubupload", VideoFormat::Nv12, &bytes);
    let mut map = None;
    let frame =
        preprocessor.make_readable(frame::on_gpu(&buffer, &info, &mut map, 0).unwrap()).unwrap();
    let outside = FaceRegion { rect: Rect::new(500.0, 500.0, 9.0, 9.0), ..FaceRegion::default() };
    let mut out = Vec::new();
    let of = (&frame, frame.size());
    let plans = [InferencePlan::Infer];
    let counts = gpu.estimate_on(&mut preprocessor, of, [outside], &plans, None, &mut out).unwrap();
    assert_eq!((counts.inferred, counts.invalid), (0, 1));
    drop(frame);
    drop(map);
    drop(buffer);
}

#[test]
fn models_of_every_kind_match_the_host() {
    if !ready("models_of_every_kind_match_the_host") {
        return;
    }
    let cuda = Arc::new(Cuda::open().unwrap());
    let (info, bytes) = frame_of(VideoFormat::Nv12);
    let (buffer, _) = made("nvstubupload", VideoFormat::Nv12, &bytes);
    let mut preprocessor = GpuPreprocessor::new(0).unwrap();
    for (model, profile) in [
        ("eyes_and_head.onnx", EYES),
        // A virtual camera.
        ("regression.onnx", "normalized.toml"),
        ("regression_f16.onnx", "regression.toml"),
        ("regression_u8.onnx", "regression.toml"),
        ("regression_i8.onnx", "regression.toml"),
        ("regression_batch4.onnx", "regression.toml"),
    ] {
        let [mut host, mut gpu] = estimators(&cuda, model, profile);
        let wanted = expected(&mut host, &info, &bytes);
        for _ in 0..2 {
            let mut map = None;
            let frame = frame::on_gpu(&buffer, &info, &mut map, 0).unwrap();
            assert_eq!(found(&mut gpu, &mut preprocessor, frame), wanted, "{model}");
        }
    }
}

#[test]
fn frames_that_no_gpu_reads_give_the_reason() {
    if !ready("frames_that_no_gpu_reads_give_the_reason") {
        return;
    }
    let mut preprocessor = GpuPreprocessor::new(0).unwrap();
    let mut staging = Staging::default();
    let (info, bytes) = frame_of(VideoFormat::Nv12);
    for (mux, words) in [
        ("mem-type=6", &["host's memory"][..]),
        ("mem-type=2 fault=gpu-1", &["GPU 1", "model runs on GPU 0"]),
        ("mem-type=4 fault=egl-array", &["rows", "array"]),
        ("mem-type=5", &["Handle"]),
        ("mem-type=2 layout=1", &["layout 1"]),
        ("mem-type=2 fault=no-data", &["no memory"]),
        ("mem-type=2 fault=long-pitch", &["exceeds"]),
        // More than is there: the structure agrees with itself, the driver does not.
        ("mem-type=2 fault=data-size", &["one allocation", "GPU 0"]),
        ("mem-type=1 fault=data-size", &["one allocation"]),
        ("mem-type=2 fault=format", &["9999"]),
    ] {
        let (buffer, caps) = made(&format!("nvstubmux {mux}"), VideoFormat::Nv12, &bytes);
        let nvmm = NvmmBuffer::map(&buffer, NvmmCaps::of(&caps).unwrap()).unwrap();
        let surfaces = nvmm.surfaces().unwrap();
        let refused = surfaces
            .on_gpu(0, 0, &mut staging)
            .and_then(|frame| preprocessor.make_readable(frame))
            .err()
            .unwrap_or_else(|| panic!("{mux}"));
        says(&refused.to_string(), words);
    }
    let (buffer, _) = made("identity", VideoFormat::Nv12, &bytes);
    assert!(matches!(frame::on_gpu(&buffer, &info, &mut None, 0), Err(GpuFrameError::OnHost)));
    let (buffer, _) = made("nvstubupload", VideoFormat::Nv12, &bytes);
    let larger = VideoInfo::builder(VideoFormat::Nv12, 640, 480).build().unwrap();
    let error = frame::on_gpu(&buffer, &larger, &mut None, 0).err().unwrap().to_string();
    says(&error, &["plane 0"]);
    let error = GpuPreprocessor::new(7).err().unwrap().to_string();
    says(&error, &["cuDeviceGet", "GPU 7"]);
}
