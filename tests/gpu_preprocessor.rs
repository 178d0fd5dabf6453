//! The pictures that the CUDA kernels make against those of the CPU, to the bit.
//!
//! There need not be a GPU: the kernels' own source is compiled for the host (`tests/nvstub`, whose
//! "GPU" has memory at addresses that cannot be read, and does what it is told when it is waited
//! for). So everything is real but NVIDIA's compiler, driver and hardware: the checks of frames and
//! tensors, what a launch is told, the kernels' arithmetic.
#![cfg(all(feature = "plugin", target_os = "linux"))]
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

mod nvmm {
    use crate::common;

    /// Version of the surfaces' structures, and of the metadata's.
    pub const VERSIONS: (u32, u32) = (8, 9);
    /// Whether surfaces are in the memory of a real GPU.
    pub const REAL_GPU: bool = false;

    pub mod stub;
}

use gst_check::Harness;
use gst_video::{VideoFormat, VideoMeta};
use gstgaze::core::gaze::eye_crop::EyeCropper;
use gstgaze::core::geometry::matrix::Mat3;
use gstgaze::core::geometry::{PixelRect, Size};
use gstgaze::core::image::color::{ColorMatrix, ColorRange, Colorimetry};
use gstgaze::core::image::preprocess::Preprocessor;
use gstgaze::core::image::spec::{Aspect, Border, Channels, ImageSpec, Layout, Resample};
use gstgaze::core::image::{FrameView, PixelFormat, Plane, PlaneLayout};
use gstgaze::core::inference::device::{
    DeviceMemory, PreprocessDevice, PreprocessJob, RigidTransform, Sampling,
};
use gstgaze::core::inference::{ElementType, TensorMut};
use gstgaze::core::profile::spec::EyeSpec;
use gstgaze::nvidia::gpu::{GpuFrame, GpuFrameError, GpuPreprocessor};
use gstgaze::plugin::format::{self, pixel_format};
use gstgaze::plugin::nvidia_buffer::CudaMap;
use half::f16;

use common::cuda::{Cuda, Memory};
use common::element::caps;
use common::frames::{noise, read_png, split_planes};
use nvmm::stub::ready;

const RESAMPLES: [Resample; 3] =
    [Resample::OpencvLinear, Resample::OpencvCubic, Resample::PilBilinear];
const CHANNELS: [Channels; 3] = [Channels::Rgb, Channels::Bgr, Channels::Gray];
const LAYOUTS: [Layout; 2] = [Layout::Nchw, Layout::Nhwc];
const ELEMENTS: [ElementType; 4] =
    [ElementType::F32, ElementType::F16, ElementType::U8, ElementType::I8];
const BORDERS: [Border; 3] = [Border::Clip, Border::Replicate, Border::Black];
const ASPECTS: [Aspect; 3] = [Aspect::Stretch, Aspect::Letterbox, Aspect::LetterboxTopLeft];

/// All that colours may mean.
fn colorimetries() -> Vec<Colorimetry> {
    let matrices = [ColorMatrix::Bt601, ColorMatrix::Bt709, ColorMatrix::Bt2020];
    let with =
        |matrix| [ColorRange::Limited, ColorRange::Full].map(|range| Colorimetry { matrix, range });
    matrices.into_iter().flat_map(with).collect()
}

/// The same bytes in the host's memory and in the "GPU's".
struct Twin {
    format: PixelFormat,
    size: Size,
    bytes: Vec<u8>,
    planes: Vec<(std::ops::Range<usize>, usize)>,
    buffer: gst::Buffer,
    layouts: Vec<PlaneLayout>,
}

impl Twin {
    fn new(format: VideoFormat, size: Size, bytes: Vec<u8>) -> Self {
        let ours = pixel_format(format).unwrap();
        let (bytes, planes) = split_planes(ours, size, 0, |length| {
            assert!(bytes.len() >= length);
            bytes[..length].to_vec()
        });
        let mut h = Harness::new_parse("nvstubupload");
        h.set_src_caps(caps(format, size.width, size.height));
        let mut buffer = gst::Buffer::from_slice(bytes.clone());
        let (offsets, strides): (Vec<usize>, Vec<i32>) =
            planes.iter().map(|(range, stride)| (range.start, *stride as i32)).unzip();
        let writable = buffer.get_mut().unwrap();
        let flags = gst_video::VideoFrameFlags::empty();
        let (width, height) = (size.width, size.height);
        VideoMeta::add_full(writable, flags, format, width, height, &offsets, &strides).unwrap();
        h.push(buffer).unwrap();
        let buffer = h.pull().unwrap();
        let meta = buffer.meta::<VideoMeta>().unwrap();
        let layout = |(&offset, &stride): (&usize, &i32)| PlaneLayout {
            offset,
            stride: usize::try_from(stride).unwrap(),
        };
        let layouts = meta.offset().iter().zip(meta.stride()).map(layout).collect();
        Self { format: ours, size, bytes, planes, buffer, layouts }
    }

    fn host(&self, colorimetry: Colorimetry) -> FrameView<'_> {
        let plane = |(range, stride): &(std::ops::Range<usize>, usize)| Plane {
            data: &self.bytes[range.clone()],
            stride: *stride,
        };
        let planes: Vec<Plane> = self.planes.iter().map(plane).collect();
        FrameView::new(self.format, self.size, colorimetry, &planes).unwrap()
    }

    /// The "GPU's" bytes, mapped.
    fn map(&self) -> CudaMap<'_> {
        CudaMap::of(&self.buffer).unwrap()
    }

    fn gpu<'m>(
        &self,
        map: &'m CudaMap<'_>,
        preprocessor: &mut GpuPreprocessor,
        colorimetry: Colorimetry,
    ) -> GpuFrame<'m> {
        let facts = (self.format, self.size, colorimetry);
        preprocessor.make_readable(map.frame(facts, &self.layouts, 0).unwrap()).unwrap()
    }
}

/// A tensor of the host, as bytes.
fn on_host(element: ElementType, length: usize, fill: impl FnOnce(TensorMut<'_>)) -> Vec<u8> {
    match element {
        ElementType::F32 => {
            let mut out = vec![0f32; length];
            fill(TensorMut::F32(&mut out));
            out.iter().flat_map(|v| v.to_ne_bytes()).collect()
        }
        ElementType::F16 => {
            let mut out = vec![f16::ZERO; length];
            fill(TensorMut::F16(&mut out));
            out.iter().flat_map(|v| v.to_ne_bytes()).collect()
        }
        ElementType::U8 => {
            let mut out = vec![0u8; length];
            fill(TensorMut::U8(&mut out));
            out
        }
        ElementType::I8 => {
            let mut out = vec![0i8; length];
            fill(TensorMut::I8(&mut out));
            out.iter().flat_map(|v| v.to_ne_bytes()).collect()
        }
    }
}

/// The item that a job makes, in the second slot of a tensor of three: neither of the others may
/// change.
fn on_gpu(
    preprocessor: &mut GpuPreprocessor,
    memory: &Memory<'_>,
    frame: &GpuFrame<'_>,
    job: &PreprocessJob<'_>,
) -> Vec<u8> {
    let bytes = job.bytes();
    let whole = DeviceMemory { address: memory.address, bytes: 3 * bytes, device: 0 };
    assert!(3 * bytes <= memory.bytes);
    let before = memory.read(3 * bytes);
    preprocessor.fill(frame, job, whole.item(1, bytes).unwrap()).unwrap();
    preprocessor.finish().unwrap();
    let after = memory.read(3 * bytes);
    assert_eq!(after[..bytes], before[..bytes], "the slot before");
    assert_eq!(after[2 * bytes..], before[2 * bytes..], "the slot behind");
    after[bytes..2 * bytes].to_vec()
}

/// The GPU, and room for three items of the largest tensor here.
fn open(cuda: &Cuda) -> (GpuPreprocessor, Memory<'_>) {
    (GpuPreprocessor::new(0).unwrap(), cuda.alloc(3 * 4 * 3 * 448 * 448))
}

const SIZE: Size = Size::new(37, 27);

/// Regions of such a frame: whole, one pixel, a line, about each edge, beside it, larger than it.
const REGIONS: [PixelRect; 10] = [
    PixelRect::new(0, 0, 37, 27),
    PixelRect::new(5, 3, 17, 19),
    PixelRect::new(36, 26, 1, 1),
    PixelRect::new(3, 7, 30, 1),
    PixelRect::new(-9, -5, 20, 20),
    PixelRect::new(25, 15, 31, 33),
    PixelRect::new(-40, 2, 20, 9),
    PixelRect::new(2, 60, 9, 9),
    PixelRect::new(-300, -200, 700, 500),
    PixelRect::new(7, 2, 1, 23),
];

fn spec(resample: Resample, n: usize) -> ImageSpec {
    // Small and odd; an exact half of the first region's width; larger than any region.
    let [width, height] = [[19, 11], [74, 9], [5, 54], [1, 1]][n % 4];
    ImageSpec {
        width,
        height,
        layout: LAYOUTS[n % 2],
        channels: CHANNELS[n % 3],
        resample,
        aspect: ASPECTS[n / 2 % 3],
        fill: 114,
        scale: 1.0 / 255.0,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    }
}

/// Values that bytes and halves hold apart.
fn byte_spec(spec: ImageSpec, element: ElementType) -> ImageSpec {
    match element {
        ElementType::F32 | ElementType::F16 => spec,
        ElementType::U8 => ImageSpec { scale: 1.0, mean: [0.0; 3], std: [1.0; 3], ..spec },
        ElementType::I8 => ImageSpec { scale: 1.0, mean: [128.0; 3], std: [1.0; 3], ..spec },
    }
}

/// The formats that the GPU reads, those of one byte a sample, and those that the CPU reads for it.
fn split_formats() -> [Vec<VideoFormat>; 2] {
    let all = format::caps();
    let list = all.structure(0).unwrap().get::<gst::List>("format").unwrap();
    let formats = list.iter().map(|f| VideoFormat::from_string(f.get::<&str>().unwrap()));
    let bytes = |f: &VideoFormat| pixel_format(*f).unwrap().layout().samples.bytes == 1;
    let (read, refused): (Vec<_>, Vec<_>) = formats.partition(bytes);
    assert_eq!((read.len(), refused.len()), (25, PixelFormat::ALL.len() - 25));
    [read, refused]
}

fn formats() -> Vec<VideoFormat> {
    let [read, _] = split_formats();
    read
}

#[test]
fn more_than_eight_bits_are_left_to_the_cpu() {
    if !ready("more_than_eight_bits_are_left_to_the_cpu") {
        return;
    }
    let [_, refused] = split_formats();
    for format in refused {
        let twin = Twin::new(format, SIZE, noise(6 * 38 * 28));
        let map = twin.map();
        let facts = (twin.format, twin.size, Colorimetry::default());
        let frame = map.frame(facts, &twin.layouts, 0);
        let format = twin.format;
        assert!(matches!(frame, Err(GpuFrameError::Format(f)) if f == format), "{format:?}");
    }
}

#[test]
fn every_format_size_and_element_type_matches_the_cpu() {
    if !ready("every_format_size_and_element_type_matches_the_cpu") {
        return;
    }
    let cuda = Cuda::open().unwrap();
    let (mut preprocessor, memory) = open(&cuda);
    let mut n = 0;
    for format in formats() {
        let twin = Twin::new(format, SIZE, noise(4 * 38 * 28));
        for colorimetry in colorimetries() {
            let host = twin.host(colorimetry);
            let map = twin.map();
            let gpu = twin.gpu(&map, &mut preprocessor, colorimetry);
            for resample in RESAMPLES {
                for region in REGIONS {
                    // Each of these is with each other in some of the rounds: their counts share no
                    // factor with the ten regions, or walk with a step of their own.
                    n += 1;
                    let element = ELEMENTS[n / 3 % 4];
                    let border = BORDERS[n / 7 % 3];
                    let spec = byte_spec(spec(resample, n / 5), element);
                    let mut cpu = Preprocessor::new(&spec, element).unwrap();
                    let Ok(job) = cpu.job(SIZE, region, border) else {
                        let mut out = vec![0f32; cpu.item_len()];
                        let made = cpu.fill(&host, region, border, TensorMut::F32(&mut out));
                        assert!(made.is_err(), "{region:?}");
                        continue;
                    };
                    let found = on_gpu(&mut preprocessor, &memory, &gpu, &job);
                    let length = cpu.item_len();
                    let expected = on_host(element, length, |out| {
                        cpu.fill(&host, region, border, out).unwrap();
                    });
                    assert!(
                        found == expected,
                        "{format} {colorimetry:?} {element} {border:?} {region:?} {spec:?}"
                    );
                }
            }
        }
    }
    assert_eq!(n, 25 * 6 * 3 * 10);
}

#[test]
fn warps_match_the_cpu() {
    if !ready("warps_match_the_cpu") {
        return;
    }
    let cuda = Cuda::open().unwrap();
    let (mut preprocessor, memory) = open(&cuda);
    let matrices: [Mat3; 6] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.91, -0.32, 4.2], [0.32, 0.91, -3.1], [0.0, 0.0, 1.0]],
        [[2.3, 0.1, -20.0], [-0.2, 1.9, 11.0], [0.004, -0.003, 1.0]],
        // Through the horizon; and far outside.
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-0.05, 0.02, 0.5]],
        [[1e9, 0.0, 1e12], [0.0, 1e9, -1e12], [0.0, 0.0, 1.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
    ];
    let mut n = 0;
    for format in formats() {
        let twin = Twin::new(format, SIZE, noise(4 * 38 * 28));
        for colorimetry in colorimetries() {
            let host = twin.host(colorimetry);
            let map = twin.map();
            let gpu = twin.gpu(&map, &mut preprocessor, colorimetry);
            for matrix in &matrices {
                for border in BORDERS {
                    n += 1;
                    let element = ELEMENTS[n / 3 % 4];
                    let spec = byte_spec(spec(Resample::OpencvLinear, n / 5), element);
                    let mut cpu = Preprocessor::new(&spec, element).unwrap();
                    let job = cpu.warped_job(matrix, border).unwrap();
                    let found = on_gpu(&mut preprocessor, &memory, &gpu, &job);
                    let length = cpu.item_len();
                    let expected = on_host(element, length, |out| {
                        cpu.fill_warped(&host, matrix, border, out).unwrap();
                    });
                    assert!(found == expected, "{format} {colorimetry:?} {matrix:?} {border:?}");
                }
            }
        }
    }
}

#[test]
fn eyes_match_the_cpu() {
    if !ready("eyes_match_the_cpu") {
        return;
    }
    let cuda = Cuda::open().unwrap();
    let (mut preprocessor, memory) = open(&cuda);
    let mut n = 0;
    for format in formats() {
        let twin = Twin::new(format, SIZE, noise(4 * 38 * 28));
        let colorimetry = colorimetries()[n % 6];
        let host = twin.host(colorimetry);
        let map = twin.map();
        let gpu = twin.gpu(&map, &mut preprocessor, colorimetry);
        for (square, roll) in [
            (PixelRect::new(9, 4, 15, 15), 0.3f32),
            (PixelRect::new(-4, -6, 22, 22), -1.2),
            (PixelRect::new(30, 20, 11, 11), 3.1),
            (PixelRect::new(12, 12, 1, 1), 0.5),
            (PixelRect::new(1, 1, 24, 24), 0.0),
        ] {
            for rotate_by_roll in [true, false] {
                n += 1;
                let element = ELEMENTS[n % 4];
                let spec = byte_spec(spec(RESAMPLES[n % 3], n), element);
                let eye = EyeSpec { rotate_by_roll, ..EyeSpec::default() };
                let mut cpu = EyeCropper::new(eye, &spec, element).unwrap();
                let job = cpu.job(SIZE, square, roll).unwrap();
                let found = on_gpu(&mut preprocessor, &memory, &gpu, &job);
                let length = cpu.item_len();
                let expected =
                    on_host(element, length, |out| cpu.fill(&host, square, roll, out).unwrap());
                assert!(found == expected, "{format} {square:?} {roll} {spec:?}");
            }
        }
    }
}

#[test]
fn faces_of_real_frames_match_the_cpu() {
    if !ready("faces_of_real_frames_match_the_cpu") {
        return;
    }
    let Some(folder) = common::shared("faces_of_real_frames_match_the_cpu", "media/frames") else {
        return;
    };
    let cuda = Cuda::open().unwrap();
    let (mut preprocessor, memory) = open(&cuda);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20);
    for (n, file) in files.iter().enumerate() {
        let (size, rgb) = read_png(file);
        let twin = Twin::new(VideoFormat::Rgb, size, rgb);
        let host = twin.host(Colorimetry::default());
        let map = twin.map();
        let gpu = twin.gpu(&map, &mut preprocessor, Colorimetry::default());
        let (w, h) = (size.width, size.height);
        // As a detector would cut: a third of the frame, partly outside, with a model's own sizes.
        let region = PixelRect::new(w as i32 / 2, -(h as i32) / 8, w / 3 + n as u32, h / 2);
        for resample in RESAMPLES {
            let side = [448, 224, 160][n % 3];
            let spec = ImageSpec { width: side, height: side, ..spec(resample, 0) };
            let mut cpu = Preprocessor::new(&spec, ElementType::F32).unwrap();
            let job = cpu.job(size, region, Border::Replicate).unwrap();
            let found = on_gpu(&mut preprocessor, &memory, &gpu, &job);
            let length = cpu.item_len();
            let expected = on_host(ElementType::F32, length, |out| {
                cpu.fill(&host, region, Border::Replicate, out).unwrap();
            });
            assert!(found == expected, "{} {resample:?}", file.display());
        }
    }
}

#[test]
fn nothing_is_allocated_once_the_largest_picture_was_made() {
    if !ready("nothing_is_allocated_once_the_largest_picture_was_made") {
        return;
    }
    let cuda = Cuda::open().unwrap();
    let (mut preprocessor, memory) = open(&cuda);
    let twin = Twin::new(VideoFormat::Nv12, SIZE, noise(4 * 38 * 28));
    let spec = ImageSpec { width: 64, height: 64, ..ImageSpec::default() };
    let mut cpu = Preprocessor::new(&spec, ElementType::F32).unwrap();
    let mut frame = |region: PixelRect| {
        let map = twin.map();
        let frame = twin.gpu(&map, &mut preprocessor, Colorimetry::default());
        let job = cpu.job(SIZE, region, Border::Replicate).unwrap();
        let out = DeviceMemory { address: memory.address, bytes: job.bytes(), device: 0 };
        preprocessor.fill(&frame, &job, out).unwrap();
        preprocessor.finish().unwrap();
    };
    // Two, because the windows of one job are kept while those of the next are made.
    frame(REGIONS[0]);
    frame(REGIONS[1]);
    let allocations = allocation_counter::measure(|| {
        for region in REGIONS {
            frame(region);
        }
    });
    assert_eq!(allocations.count_total, 0);
}

#[test]
fn inconsistent_arguments_are_refused() {
    if !ready("inconsistent_arguments_are_refused") {
        return;
    }
    let cuda = Cuda::open().unwrap();
    let (mut preprocessor, memory) = open(&cuda);
    let twin = Twin::new(VideoFormat::Nv12, SIZE, noise(4 * 38 * 28));
    let map = twin.map();
    let frame = twin.gpu(&map, &mut preprocessor, Colorimetry::default());
    let spec = ImageSpec { width: 8, height: 8, ..ImageSpec::default() };
    let mut cpu = Preprocessor::new(&spec, ElementType::F32).unwrap();
    let job = cpu.job(SIZE, PixelRect::full(SIZE), Border::Clip).unwrap();
    let bytes = job.bytes();
    let good = DeviceMemory { address: memory.address, bytes, device: 0 };
    preprocessor.fill(&frame, &job, good).unwrap();
    preprocessor.finish().unwrap();

    let mut refused = |job: &PreprocessJob<'_>, out: DeviceMemory, word: &str| {
        let error = preprocessor.fill(&frame, job, out).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    refused(&job, DeviceMemory { device: 1, ..good }, "another GPU");
    refused(&job, DeviceMemory { bytes: bytes - 4, ..good }, "another length");
    // No address of any memory; one of the host; one beyond the end of an allocation.
    refused(&job, DeviceMemory { address: 4096, ..good }, "one allocation");
    let own = vec![0u8; bytes];
    refused(&job, DeviceMemory { address: own.as_ptr() as u64, ..good }, "one allocation");
    let end = memory.address + memory.bytes as u64 - 8;
    refused(&job, DeviceMemory { address: end, ..good }, "one allocation");
    refused(&PreprocessJob { table: &[], ..job }, good, "table");
    refused(&PreprocessJob { element_bytes: 3, ..job }, good, "another length");
    let Sampling::Resize { source, border, transform, picture, filter, columns, rows, fill } =
        job.sampling
    else {
        unreachable!()
    };
    let with = |source, picture, transform, columns, filter| PreprocessJob {
        sampling: Sampling::Resize {
            source,
            border,
            transform,
            picture,
            filter,
            columns,
            rows,
            fill,
        },
        ..job
    };
    let empty = PixelRect::new(0, 0, 0, 5);
    refused(&with(empty, picture, transform, columns, filter), good, "source");
    let outside = PixelRect::new(1, 0, 8, 8);
    refused(&with(source, outside, transform, columns, filter), good, "outside");
    let mut short = columns;
    short.starts = &short.starts[..7];
    refused(&with(source, picture, transform, short, filter), good, "windows");
    let cubic = Resample::OpencvCubic;
    refused(&with(source, picture, transform, columns, cubic), good, "windows");
    let turned = Some(RigidTransform { cos: 1.0, sin: 0.0, left: 0.0, top: 0.0 });
    refused(&with(source, picture, turned, columns, filter), good, "square");
    let error = preprocessor.write(&[0; 12], DeviceMemory { bytes: 11, ..good }).unwrap_err();
    assert!(error.to_string().contains("another length"), "{error}");
}
