//! Pixels to tensor: any frame, any rectangle, any picture specification, any homography.
#![no_main]

use gstgaze::core::geometry::PixelRect;
use gstgaze::core::image::preprocess::Preprocessor;
use gstgaze::core::image::spec::{Aspect, Channels, ImageSpec, Layout, Resample, Border};
use gstgaze::core::inference::{ElementType, TensorMut};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use sheet::Frame;

#[derive(Arbitrary, Debug)]
struct Input {
    frame: Frame,
    rect: (i32, i32, u32, u32),
    near: bool,
    width: u8,
    height: u8,
    choices: [u8; 5],
    scale: f64,
    mean: [f32; 3],
    std: [f32; 3],
    matrix: [[f64; 3]; 3],
    wrong_len: u8,
}

fn pick<T: Copy>(all: &[T], choice: u8) -> T {
    all[usize::from(choice) % all.len()]
}

fuzz_target!(|input: Input| {
    let [layout, channels, resample, aspect, border] = input.choices;
    let spec = ImageSpec {
        width: input.width.into(),
        height: input.height.into(),
        layout: pick(&[Layout::Nchw, Layout::Nhwc], layout),
        channels: pick(&[Channels::Rgb, Channels::Bgr, Channels::Gray], channels),
        scale: input.scale,
        mean: input.mean,
        std: input.std,
        resample: pick(
            &[Resample::OpencvLinear, Resample::OpencvCubic, Resample::PilBilinear],
            resample,
        ),
        aspect: pick(&[Aspect::Stretch, Aspect::Letterbox, Aspect::LetterboxTopLeft], aspect),
        fill: input.width,
    };
    let border = pick(&[Border::Clip, Border::Black, Border::Replicate], border);
    let (x, y, width, height) = input.rect;
    let rect = if input.near {
        PixelRect::new(x % 300, y % 300, width % 600, height % 600)
    } else {
        PixelRect::new(x, y, width, height)
    };
    let Ok(mut preprocessor) = Preprocessor::new(&spec, ElementType::F32) else { return };
    let len = preprocessor.item_len() + usize::from(input.wrong_len % 16 == 1);
    let mut tensor = vec![0.0_f32; len];
    input.frame.view(|frame| {
        let _ = preprocessor.fill(frame, rect, border, TensorMut::F32(&mut tensor));
        let _ = preprocessor.fill_warped(frame, &input.matrix, border, TensorMut::F32(&mut tensor));
    });
});
