//! What only a GPU shows: the kernels as NVIDIA's compiler and hardware run them, ONNX Runtime's CUDA
//! provider with inputs in the GPU's memory, CUDA graphs, GStreamer's own CUDA memory.
//!
//! Left out, by name, where there is no driver, no CUDA provider, or no `cudaupload`. Surfaces come
//! from the stand-in for `libnvbufsurface`, in the GPU's real memory (`tests/nvstub/real.c`).
#![cfg(all(feature = "plugin", target_os = "linux"))]
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

mod nvmm {
    use crate::common;

    /// Version of the surfaces' structures, and of the metadata's.
    pub const VERSIONS: (u32, u32) = (7, 8);
    /// Whether surfaces are in the memory of a real GPU.
    pub const REAL_GPU: bool = true;

    pub mod stub;
}

use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo};
use gstgaze::core::gaze::FrameGaze;
use gstgaze::core::geometry::{PixelRect, Size};
use gstgaze::core::image::preprocess::Preprocessor;
use gstgaze::core::image::spec::{Border, ImageSpec, Resample};
use gstgaze::core::image::{FrameView, Plane};
use gstgaze::core::inference::device::{DeviceMemory, PreprocessDevice};
use gstgaze::core::inference::{ElementType, TensorMut};
use gstgaze::engine::provider::ExecutionProvider;
use gstgaze::nvidia::gpu::GpuPreprocessor;
use gstgaze::nvidia::surface::Staging;
use gstgaze::plugin::format::{colorimetry, pixel_format};
use gstgaze::plugin::meta::gaze;
use gstgaze::plugin::nvidia_buffer::{NvmmBuffer, NvmmCaps};

use common::cuda::Cuda;
use common::element::{caps, says};
use common::engines;
use common::frames::noise;
use nvmm::stub;

const SIZE: Size = Size::new(640, 480);

/// The most that a value of a tensor, or an angle in radians, may differ from the CPU's.
const TOLERANCE: f32 = 1e-3;

/// The GPU's driver; the test is named as left out where there is none.
fn driver(test: &str) -> Option<Cuda> {
    match Cuda::open() {
        Ok(cuda) => stub::ready(test).then_some(cuda),
        Err(why) => {
            common::left_out(test, &format!("there is no NVIDIA GPU: {why}"));
            None
        }
    }
}

fn frame_of(format: VideoFormat) -> (VideoInfo, Vec<u8>) {
    let info = VideoInfo::from_caps(&caps(format, SIZE.width, SIZE.height)).unwrap();
    let bytes = noise(info.size());
    (info, bytes)
}

#[test]
fn pictures_of_surfaces_match_the_cpu() {
    let Some(cuda) = driver("pictures_of_surfaces_match_the_cpu") else { return };
    let mut preprocessor = GpuPreprocessor::new(0).unwrap();
    let mut staging = Staging::default();
    for format in [
        VideoFormat::Nv12,
        VideoFormat::I420,
        VideoFormat::Uyvy,
        VideoFormat::Rgba,
        VideoFormat::Bgr,
        VideoFormat::Gray8,
    ] {
        let (info, bytes) = frame_of(format);
        let ours = pixel_format(format).unwrap();
        let plane = |index: usize| Plane {
            data: &bytes[info.offset()[index]..],
            stride: usize::try_from(info.stride()[index]).unwrap(),
        };
        let planes: Vec<_> = (0..ours.planes()).map(plane).collect();
        let host = FrameView::new(ours, SIZE, colorimetry(&info), &planes).unwrap();
        let mut h = Harness::new_parse("nvstubmux mem-type=2");
        h.set_src_caps(caps(format, SIZE.width, SIZE.height));
        h.push(gst::Buffer::from_slice(bytes.clone())).unwrap();
        let buffer = h.pull().unwrap();
        let nvmm_caps = h.sinkpad().unwrap().current_caps().unwrap();
        let nvmm = NvmmBuffer::map(&buffer, NvmmCaps::of(&nvmm_caps).unwrap()).unwrap();
        let surfaces = nvmm.surfaces().unwrap();
        let frame = surfaces.on_gpu(0, 0, &mut staging).unwrap();
        let frame = preprocessor.make_readable(frame).unwrap();
        for resample in [Resample::OpencvLinear, Resample::OpencvCubic, Resample::PilBilinear] {
            let spec = ImageSpec {
                width: 224,
                height: 224,
                scale: 1.0 / 255.0,
                mean: [0.485, 0.456, 0.406],
                std: [0.229, 0.224, 0.225],
                resample,
                ..ImageSpec::default()
            };
            let mut cpu = Preprocessor::new(&spec, ElementType::F32).unwrap();
            let mut expected = vec![0f32; cpu.item_len()];
            let warp = [[2.1, 0.3, -40.0], [-0.2, 1.9, 30.0], [0.0004, -0.0003, 1.0]];
            for region in [
                Some(PixelRect::new(100, 50, 300, 400)),
                Some(PixelRect::new(-60, -40, 200, 300)),
                None,
            ] {
                let job = match region {
                    Some(region) => cpu.job(SIZE, region, Border::Replicate).unwrap(),
                    None => cpu.warped_job(&warp, Border::Black).unwrap(),
                };
                let memory = cuda.alloc(job.bytes());
                let out = DeviceMemory { address: memory.address, bytes: job.bytes(), device: 0 };
                preprocessor.fill(&frame, &job, out).unwrap();
                preprocessor.finish().unwrap();
                let found = memory.read(out.bytes);
                let out = TensorMut::F32(&mut expected);
                match region {
                    Some(region) => {
                        cpu.fill(&host, region, Border::Replicate, out).unwrap();
                    }
                    None => cpu.fill_warped(&host, &warp, Border::Black, out).unwrap(),
                }
                let found = found.as_chunks::<4>().0.iter().map(|b| f32::from_ne_bytes(*b));
                let worst = found
                    .zip(&expected)
                    .map(|(a, b)| (a - b).abs())
                    .fold(0f32, |worst, difference| worst.max(difference));
                println!("{format} {resample:?} {region:?}: {worst}");
                assert!(worst <= TOLERANCE, "{format} {resample:?} {region:?}: {worst}");
            }
        }
    }
}

/// `gazeinfer` with the embedded model on CUDA, whole frames.
fn infer(before: &str, properties: &str) -> (Harness, gst::Element, gst::Bus) {
    let description = format!(
        "{before} gazeinfer name=gaze execution-provider=cuda inference-region=full-frame \
         {properties}"
    );
    let bin = gst::parse::bin_from_description(&description, true).unwrap();
    let bus = gst::Bus::new();
    bin.set_bus(Some(&bus));
    let gaze = bin.by_name("gaze").unwrap();
    (Harness::with_element(&bin, Some("sink"), Some("src")), gaze, bus)
}

fn look(h: &mut Harness, format: VideoFormat, frames: usize) -> FrameGaze {
    h.set_src_caps(caps(format, SIZE.width, SIZE.height));
    let (_, bytes) = frame_of(format);
    for _ in 1..frames {
        h.push(gst::Buffer::from_slice(bytes.clone())).unwrap();
        h.pull().unwrap();
    }
    h.push(gst::Buffer::from_slice(bytes)).unwrap();
    gaze::read(&h.pull().unwrap()).unwrap()
}

#[track_caller]
fn same(found: &FrameGaze, expected: &FrameGaze) {
    assert_eq!(found.faces.len(), expected.faces.len());
    for (found, expected) in found.faces.iter().zip(&expected.faces) {
        let (found, expected) = (found.gaze.unwrap(), expected.gaze.unwrap());
        assert!((found.pitch - expected.pitch).abs() <= TOLERANCE, "{found:?} {expected:?}");
        assert!((found.yaw - expected.yaw).abs() <= TOLERANCE, "{found:?} {expected:?}");
    }
}

/// Frames on the GPU, by these elements, against frames in the host's memory; in both cases the
/// model runs on CUDA.
fn gaze_is_the_same(before: &str) {
    for format in [VideoFormat::Nv12, VideoFormat::Rgba] {
        let (mut host, _, _bus) = infer("identity !", "");
        let expected = look(&mut host, format, 1);
        for graphs in ["", "provider-options=\"enable_cuda_graph=true\""] {
            let (mut h, element, bus) = infer(before, graphs);
            // Recorded with the first frames, replayed with the last.
            same(&look(&mut h, format, 5), &expected);
            let stats = element.property::<gst::Structure>("stats");
            assert_eq!(stats.get::<u64>("gpu-pictures"), Ok(5), "{graphs}: {stats}");
            let info = bus.pop_filtered(&[gst::MessageType::Info]).unwrap();
            let gst::MessageView::Info(info) = info.view() else { unreachable!() };
            says(info.error().message(), &["stay in the GPU's memory", "GPU 0"]);
            // And with frames of the host, which are copied to the same addresses.
            let (mut h, _, _bus) = infer("identity !", graphs);
            same(&look(&mut h, format, 5), &expected);
        }
    }
}

#[test]
fn gaze_of_surfaces_on_the_gpu_matches_the_cpu() {
    let test = "gaze_of_surfaces_on_the_gpu_matches_the_cpu";
    if driver(test).is_none() || !engines::provider(test, ExecutionProvider::Cuda) {
        return;
    }
    gaze_is_the_same("nvstubmux mem-type=2 metadata=false !");
}

#[test]
fn gaze_of_gstreamers_cuda_memory_matches_the_cpu() {
    let test = "gaze_of_gstreamers_cuda_memory_matches_the_cpu";
    if driver(test).is_none() || !engines::provider(test, ExecutionProvider::Cuda) {
        return;
    }
    if gst::ElementFactory::find("cudaupload").is_none() {
        common::left_out(test, "there is no cudaupload (GStreamer's nvcodec plugin)");
        return;
    }
    gaze_is_the_same("cudaupload !");
}
