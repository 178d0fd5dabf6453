//! Gaze models: any profile on any declared model, any numbers in its outputs, any face.
#![no_main]

use gstgaze::core::gaze::decode::GazeDecoder;
use gstgaze::core::gaze::estimator::GazeEstimator;
use gstgaze::core::geometry::{Point, Rect};
use gstgaze::core::profile::{builtin, find_profile};
use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::reuse::InferencePlan;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use sheet::{Declared, Frame, ProfileText, Sheet};

#[derive(Arbitrary, Debug)]
struct Input {
    profile: ProfileText,
    builtin: Option<u8>,
    #[arbitrary(with = Declared::gaze_model)]
    declared: Declared,
    batch: u8,
    numbers: Vec<f32>,
    frame: Frame,
    faces: Vec<([f32; 4], Option<[(f32, f32); 5]>)>,
    margin: Option<f64>,
}

fuzz_target!(|input: Input| {
    let info = input.declared.info();
    let read = |_: &str| Ok(Some(input.profile.0.clone()));
    let names = builtin::names();
    let name = input.builtin.map(|index| names[usize::from(index) % names.len()]);
    let profile = find_profile(&info, name.or(Some("profile.toml")), &[], read);
    let Ok((profile, _)) = profile else { return };
    let batch = usize::from(input.batch % 5) + 1;
    let Some(engine) = Sheet::new(info, batch, 32, &input.numbers) else { return };
    let Ok(decoder) = GazeDecoder::new(&profile, &engine) else { return };
    let Ok(mut estimator) = GazeEstimator::new(Box::new(engine), &profile, decoder) else { return };
    let faces = input.faces.iter().map(|([x, y, width, height], points)| FaceRegion {
        rect: Rect::new(*x, *y, *width, *height),
        landmarks: points.map(|points| points.map(|(x, y)| Point { x, y })),
        ..FaceRegion::default()
    });
    let plans = vec![InferencePlan::Infer; input.faces.len()];
    let mut estimates = Vec::new();
    input.frame.view(|frame| {
        if estimator.estimate(frame, faces.clone(), &plans, input.margin, &mut estimates).is_ok() {
            assert_eq!(estimates.len(), input.faces.len());
            for gaze in estimates.iter().filter_map(|estimate| estimate.gaze) {
                assert!(gaze.pitch.is_finite() && gaze.yaw.is_finite(), "{gaze:?}");
            }
        }
    });
});
