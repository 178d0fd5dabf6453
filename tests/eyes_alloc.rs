//! Once warm, feeding a model of both eyes and the head's pose allocates nothing, whatever the size
//! and the roll of the face.

use gstgaze::core::face::{EyeCorners, FaceRegion};
use gstgaze::core::gaze::decode::GazeDecoder;
use gstgaze::core::gaze::estimator::GazeEstimator;
use gstgaze::core::gaze::reuse::InferencePlan;
use gstgaze::core::geometry::{HeadPose, Point, Rect, Size};
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::inference::{
    ElementType, Engine, EngineError, ModelInfo, TensorInfo, TensorMut,
};
use gstgaze::core::profile::builtin;

/// Has the inputs and outputs of gaze-estimation-adas-0002 and always looks into the camera.
struct Straight {
    info: ModelInfo,
    shapes: [Vec<usize>; 4],
    inputs: [Vec<f32>; 3],
}

impl Straight {
    fn new() -> Self {
        let tensor = |name: &str, shape: &[usize]| TensorInfo {
            name: name.to_owned(),
            element: Some(ElementType::F32),
            shape: shape.iter().map(|side| Some(*side)).collect(),
        };
        let eye = [1, 3, 60, 60];
        let info = ModelInfo {
            inputs: vec![
                tensor("left_eye_image", &eye),
                tensor("right_eye_image", &eye),
                tensor("head_pose_angles", &[1, 3]),
            ],
            outputs: vec![tensor("gaze_vector", &[1, 3])],
            ..ModelInfo::default()
        };
        let shapes = [eye.to_vec(), eye.to_vec(), vec![1, 3], vec![1, 3]];
        Self { info, shapes, inputs: [vec![0.0; 10800], vec![0.0; 10800], vec![0.0; 3]] }
    }
}

impl Engine for Straight {
    fn info(&self) -> &ModelInfo {
        &self.info
    }
    fn provider(&self) -> &str {
        "none"
    }
    fn max_batch(&self) -> usize {
        1
    }
    fn input_shape(&self, index: usize) -> &[usize] {
        &self.shapes[index]
    }
    fn output_shape(&self, _: usize) -> &[usize] {
        &self.shapes[3]
    }
    fn input(&mut self, index: usize) -> TensorMut<'_> {
        TensorMut::F32(&mut self.inputs[index])
    }
    fn run(&mut self, _: usize) -> Result<(), EngineError> {
        Ok(())
    }
    fn output(&self, _: usize) -> &[f32] {
        &[0.0, 0.0, -1.0]
    }
}

fn face(x: f32, y: f32, width: f32, roll: f32) -> FaceRegion {
    let eye = |x: f32| EyeCorners { outer: Point { x, y }, inner: Point { x: x + width, y } };
    FaceRegion {
        rect: Rect::new(x, y, width * 4.0, width * 5.0),
        eyes: Some([eye(x), eye(x + 2.0 * width)]),
        head_pose: Some(HeadPose { roll, ..HeadPose::default() }),
        ..FaceRegion::default()
    }
}

#[test]
fn a_warm_estimator_of_eyes_allocates_nothing() {
    let engine = Straight::new();
    let profile =
        builtin::find("gaze-estimation-adas-0002").unwrap().resolve(&engine.info).unwrap();
    let decoder = GazeDecoder::new(&profile, &engine).unwrap();
    let mut estimator = GazeEstimator::new(Box::new(engine), &profile, decoder).unwrap();
    let size = Size::new(320, 240);
    let memory = vec![99; 320 * 240 * 3 / 2];
    let planes =
        [Plane { data: &memory, stride: 320 }, Plane { data: &memory[320 * 240..], stride: 320 }];
    let frame = FrameView::new(PixelFormat::Nv12, size, Colorimetry::default(), &planes).unwrap();
    let faces = [
        face(40.0, 50.0, 30.0, 0.2),
        face(100.0, 60.0, 7.0, -0.4),
        face(-5.0, 3.0, 20.0, 0.0),
        face(200.0, 100.0, 1.0, 3.0),
        FaceRegion::default(),
    ];
    let plans = [InferencePlan::Infer; 5];
    let mut out = Vec::new();
    let mut round = || estimator.estimate(&frame, faces, &plans, None, &mut out).unwrap().inferred;
    let first = allocation_counter::measure(|| {
        assert_eq!(round(), 4);
    });
    assert!(first.count_total > 0, "the counter counts");
    let warm = allocation_counter::measure(|| {
        round();
    });
    assert_eq!(warm.count_total, 0);
}
