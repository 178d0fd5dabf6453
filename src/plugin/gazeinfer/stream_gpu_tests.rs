//! Where a stream is preprocessed, over the stand-in for NVIDIA's libraries in `tests/nvstub`.
#![allow(clippy::unwrap_used)]

use crate::nvidia::surface::Access;
use std::sync::Arc;

use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;

use super::*;
use crate as gstgaze;
use crate::engine::{self, EngineOptions};
use crate::plugin::gazeinfer::settings::Settings;

/// Versions of the stand-in's structures, and whether its GPU is a real one.
const VERSIONS: (u32, u32) = (8, 9);
const REAL_GPU: bool = false;

#[path = "../../../tests/common/cuda.rs"]
mod cuda;
#[path = "../../../tests/common/on_gpu.rs"]
mod on_gpu;
#[path = "../../../tests/nvmm/stub.rs"]
mod stub;

#[allow(clippy::duplicate_mod)] // Two test modules of one program need it.
#[path = "../../../tests/common/requirements.rs"]
#[allow(dead_code)] // the part that concerns footage
mod requirements;

/// What the files above need from the tests that share them.
mod common {
    pub use super::requirements::left_out;

    pub mod element {
        use super::super::requirements;

        /// GStreamer, ready, and whether there is an ONNX Runtime.
        pub fn runtime(test: &str) -> bool {
            gst::init().unwrap();
            requirements::onnx_runtime(test)
        }
    }
}

const SIZE: Size = Size::new(64, 48);

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A stream with a model on the CPU, whose inputs may be in the "GPU's" memory where there is one.
fn stream(cuda: Option<&Arc<cuda::Cuda>>) -> Stream {
    let options = EngineOptions { batch_size: 4, threads: 1, ..EngineOptions::default() };
    let (model, profile) = (data("regression.onnx"), data("regression.toml"));
    let open = engine::open_model(model, Some(&profile), &options).result.unwrap();
    let engine: Box<dyn crate::core::inference::Engine> = match cuda {
        Some(cuda) => Box::new(on_gpu::OnGpu::new(open.engine, cuda)),
        None => open.engine,
    };
    Stream::new(
        GazeEstimator::new(engine, &open.profile, open.decoder).unwrap(),
        None,
        Arc::default(),
    )
}

/// A buffer that these elements make of one frame, and its caps.
fn made(elements: &str) -> (gst::Buffer, gst::Caps) {
    let caps = gst_video::VideoCapsBuilder::new()
        .format(VideoFormat::Nv12)
        .width(SIZE.width as i32)
        .height(SIZE.height as i32)
        .framerate(gst::Fraction::new(30, 1))
        .build();
    let bytes: Vec<u8> =
        (0..SIZE.width * SIZE.height * 3 / 2).map(|i| ((i * i) >> 5) as u8).collect();
    let mut h = Harness::new_parse(elements);
    h.set_src_caps(caps);
    h.push(gst::Buffer::from_slice(bytes)).unwrap();
    (h.pull().unwrap(), h.sinkpad().unwrap().current_caps().unwrap())
}

fn process(stream: &mut Stream, elements: &str) -> (Processed, FrameGaze) {
    let (mut buffer, caps) = made(elements);
    let mut settings = Settings::default().frame;
    settings.inference_region = InferenceRegion::FullFrame;
    let info = gst_video::VideoInfo::from_caps(&caps).unwrap();
    stream.set_info(info, NvmmCaps::of(&caps));
    let processed = stream.process(buffer.make_mut(), &settings, None, Reuse::default()).unwrap();
    assert!(processed.fault.is_none(), "{processed:?}");
    let mut result = stream.results()[0].clone();
    result.inference_time = 0;
    (processed, result)
}

#[test]
fn preprocessing_runs_where_frames_and_model_are() {
    if !stub::ready("gazeinfer::stream::preprocessing_runs_where_frames_and_model_are") {
        return;
    }
    let cuda = Arc::new(cuda::Cuda::open().unwrap());
    let (_, expected) = process(&mut stream(None), "identity");
    assert!(expected.faces[0].gaze.is_some());
    for (elements, gpu, access, word) in [
        ("nvstubmux mem-type=2 metadata=false", true, None, None),
        ("nvstubmux mem-type=4 layout=1", true, None, None),
        ("nvstubmux mem-type=3", true, None, None),
        ("nvstubupload", true, None, None),
        ("identity", false, None, None),
        ("nvstubmux mem-type=6", false, Some(Access::Direct), None),
        ("nvstubmux mem-type=4 fault=egl-array", false, Some(Access::Mapped), Some("array")),
        ("nvstubmux mem-type=2 fault=gpu-1", false, None, Some("GPU 1")),
    ] {
        let mut both = stream(Some(&cuda));
        let refusal = if elements.contains("gpu-1") {
            // There is no second GPU to download it from.
            let (mut buffer, caps) = made(elements);
            let info = gst_video::VideoInfo::from_caps(&caps).unwrap();
            both.set_info(info, NvmmCaps::of(&caps));
            let settings = Settings::default().frame;
            assert!(both.process(buffer.make_mut(), &settings, None, Reuse::default()).is_err());
            both.gpu.take_refusal()
        } else {
            let (Processed { counts, notices, .. }, found) = process(&mut both, elements);
            assert_eq!(found, expected, "{elements}");
            assert_eq!((counts.inferences, counts.gpu_pictures), (1, u64::from(gpu)), "{elements}");
            assert_eq!(notices.preprocessed_on, gpu.then_some(0), "{elements}");
            assert_eq!(notices.access, access, "{elements}");
            notices.gpu_refusal
        };
        match word {
            Some(word) => {
                assert!(refusal.as_ref().unwrap().contains(word), "{elements}: {refusal:?}");
            }
            None => assert_eq!(refusal, None, "{elements}"),
        }
        // A model on the CPU keeps to the CPU, and gives nothing to report.
        if !elements.contains("fault") {
            let mut host = stream(None);
            let (Processed { counts, notices, .. }, found) = process(&mut host, elements);
            assert_eq!((counts.gpu_pictures, notices.gpu_refusal), (0, None), "{elements}");
            assert_eq!(found, expected, "{elements}");
        }
    }
}
