//! The faces of an image.

use std::path::PathBuf;

use gstgaze::core::face::FaceRegion;
use gstgaze::core::face::attributes::{
    Attribute, FaceAttributes, HeadPoseEstimator, LandmarkEstimator,
};
use gstgaze::core::face::detect::{DetectSettings, FaceDetector};
use gstgaze::core::gaze::missing_attributes::MissingAttributes;
use gstgaze::core::geometry::{PixelRect, Rect};
use gstgaze::core::image::FrameView;
use gstgaze::engine::EngineOptions;

use crate::open::{open_attribute, open_detector};
use crate::output::Failure;

/// Chooses the faces.
#[derive(clap::Args)]
pub struct FaceArgs {
    /// Face detector; `embedded` is the built-in one. Without a detector the whole image is the face.
    #[arg(long, value_name = "MODEL")]
    pub face_model: Option<PathBuf>,
    /// Landmark model; gaze models that read eye crops need one.
    #[arg(long, value_name = "MODEL")]
    pub landmark_model: Option<PathBuf>,
    /// Head pose model; gaze models that read the head pose need one.
    #[arg(long, value_name = "MODEL")]
    pub head_pose_model: Option<PathBuf>,
    /// Faces must score above this, from 0 to 1.
    #[arg(long, value_name = "SCORE", default_value_t = 0.6, value_parser = score)]
    pub score_threshold: f32,
}

fn score(text: &str) -> Result<f32, String> {
    let score = text.parse::<f32>().map_err(|why| why.to_string())?;
    (0.0..=1.0)
        .contains(&score)
        .then_some(score)
        .ok_or_else(|| "give a score from 0 to 1".to_owned())
}

/// Finds faces and their attributes.
pub struct FaceFinder {
    detector: Option<FaceDetector>,
    attributes: FaceAttributes,
    settings: DetectSettings,
}

impl FaceFinder {
    /// Opens the models.
    pub fn open(args: &FaceArgs, options: &EngineOptions) -> Result<Self, Failure> {
        let detector = args.face_model.as_deref().map(|path| open_detector(path, options));
        let landmarks = args.landmark_model.as_deref().map(|path| {
            open_attribute(path, options, Attribute::Landmarks, LandmarkEstimator::new)
        });
        let head_pose = args
            .head_pose_model
            .as_deref()
            .map(|path| open_attribute(path, options, Attribute::HeadPose, HeadPoseEstimator::new));
        let attributes = FaceAttributes::new(landmarks.transpose()?, head_pose.transpose()?, None)
            .map_err(|why| Failure::cannot(why.to_string()))?;
        let settings =
            DetectSettings { score_threshold: args.score_threshold, ..DetectSettings::default() };
        Ok(Self { detector: detector.transpose()?, attributes, settings })
    }

    /// Finds the faces of an image, the best first; without a detector, the whole image.
    pub fn find(&mut self, frame: &FrameView<'_>) -> Result<Vec<FaceRegion>, String> {
        let mut faces = Vec::new();
        match &mut self.detector {
            Some(detector) => detector
                .detect(frame, PixelRect::full(frame.size()), &self.settings, &mut faces)
                .map_err(|why| why.to_string())?,
            None => {
                let rect = Rect::full(frame.size());
                faces.push(FaceRegion { rect, ..FaceRegion::default() });
            }
        }
        for face in &mut faces {
            self.attributes.annotate(frame, face).map_err(|why| why.to_string())?;
        }
        Ok(faces)
    }
}

/// The arguments that provide what a gaze model lacks.
pub fn remedy(missing: MissingAttributes) -> Option<&'static str> {
    match (missing.eyes, missing.head_pose) {
        (true, true) => Some(
            "the gaze model needs the eye corners and the head pose: pass a landmark model of 98 \
             points, such as PFLD, with --landmark-model and a head pose model, such as \
             head-pose-estimation-adas-0001, with --head-pose-model",
        ),
        (true, false) => Some(
            "the gaze model needs the eye corners: pass a landmark model of 98 points, such as PFLD, \
             with --landmark-model",
        ),
        (false, true) => Some(
            "the gaze model needs the head pose: pass a head pose model, such as \
             head-pose-estimation-adas-0001, with --head-pose-model",
        ),
        (false, false) => None,
    }
}
