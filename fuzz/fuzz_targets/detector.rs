//! Face detectors: any declared model, any numbers in its outputs, any frame.
#![no_main]

use gstgaze::core::face::detect::{DetectSettings, FaceDetector};
use gstgaze::core::geometry::{PixelRect, Rect};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use sheet::{Declared, Frame, Sheet};

#[derive(Arbitrary, Debug)]
struct Input {
    #[arbitrary(with = Declared::detector)]
    declared: Declared,
    side: u8,
    numbers: Vec<f32>,
    frame: Frame,
    region: (i16, i16, u16, u16),
    threshold: f32,
    nms: f32,
    most: u8,
}

fuzz_target!(|input: Input| {
    let side = usize::from(input.side).max(1) * 4;
    let Some(engine) = Sheet::new(input.declared.info(), 1, side, &input.numbers) else { return };
    let Ok(mut detector) = FaceDetector::new(Box::new(engine), side as u32) else { return };
    let settings = DetectSettings {
        score_threshold: input.threshold,
        nms_threshold: input.nms,
        max_faces: usize::from(input.most),
        min_face_size: u32::from(input.most),
    };
    let (x, y, width, height) = input.region;
    let region = PixelRect::new(x.into(), y.into(), width.into(), height.into());
    let mut faces = Vec::new();
    input.frame.view(|frame| {
        for _ in 0..2 {
            if detector.detect(frame, region, &settings, &mut faces).is_ok() {
                for face in &faces {
                    let visible = face.rect.intersect(&Rect::full(frame.size()));
                    assert!(visible.area() > 0.0, "{face:?}");
                }
            }
        }
    });
});
