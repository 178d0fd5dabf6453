//! All attributes of a face, estimated in order.

use super::error::AttributeError;
use super::eye_state::EyeStateEstimator;
use super::head_pose::HeadPoseEstimator;
use super::landmarks::LandmarkEstimator;
use crate::core::face::region::FaceRegion;
use crate::core::image::frame::FrameView;

/// The estimators in use, in the order in which they run.
#[derive(Default)]
pub struct FaceAttributes {
    landmarks: Option<LandmarkEstimator>,
    head_pose: Option<HeadPoseEstimator>,
    eye_state: Option<EyeStateEstimator>,
}

impl FaceAttributes {
    /// Combines estimators.
    ///
    /// # Errors
    /// [`AttributeError::NoEyes`] for an eye state without a model that finds the corners of the eyes.
    pub fn new(
        landmarks: Option<LandmarkEstimator>,
        head_pose: Option<HeadPoseEstimator>,
        eye_state: Option<EyeStateEstimator>,
    ) -> Result<Self, AttributeError> {
        if eye_state.is_some() && !landmarks.as_ref().is_some_and(LandmarkEstimator::finds_eyes) {
            return Err(AttributeError::NoEyes);
        }
        Ok(Self { landmarks, head_pose, eye_state })
    }

    /// Whether there is no estimator.
    pub fn is_empty(&self) -> bool {
        self.landmarks.is_none() && self.head_pose.is_none() && self.eye_state.is_none()
    }

    /// Adds the estimates to `face`. An attribute without an estimate (a face outside the frame, a
    /// model that gives no finite number) keeps its value.
    ///
    /// # Errors
    /// Fails if a model does not run.
    pub fn annotate(
        &mut self,
        frame: &FrameView<'_>,
        face: &mut FaceRegion,
    ) -> Result<(), AttributeError> {
        if let Some(estimator) = &mut self.landmarks {
            estimator.annotate(frame, face)?;
        }
        if let Some(estimator) = &mut self.head_pose {
            estimator.annotate(frame, face)?;
        }
        if let Some(estimator) = &mut self.eye_state {
            estimator.annotate(frame, face)?;
        }
        Ok(())
    }
}
