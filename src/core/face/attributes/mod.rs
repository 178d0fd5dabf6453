//! Attributes of a face besides its box: landmarks, head pose and eye state, by further models.
//!
//! ```text
//! FaceRegion -- landmarks --> eyes, five points --+-- eye state --> openness
//!            \- head pose --> pitch, yaw, roll ---+
//! ```
//! | estimator | published models | crop | gives |
//! |---|---|---|---|
//! | [`LandmarkEstimator`] | PFLD with 98 points (ProxylessGaze) | square about the box, BGR 0..1 | corners of the eyes, five points |
//! | | landmarks-regression-retail-0009 (Open Model Zoo) | the box, BGR | five points |
//! | [`HeadPoseEstimator`] | head-pose-estimation-adas-0001 (Open Model Zoo) | larger square, BGR | head pose |
//! | [`EyeStateEstimator`] | open-closed-eye-0001 (Open Model Zoo) | each eye, level, BGR | openness |
//!
//! A model is recognised by its inputs and outputs. The estimators own all memory, and allocate
//! nothing after the first face.

mod crop_model;
mod error;
mod eye_state;
mod face_attributes;
mod head_pose;
mod landmarks;
mod model;
mod recognise;

pub use error::AttributeError;
pub use eye_state::EyeStateEstimator;
pub use face_attributes::FaceAttributes;
pub use head_pose::HeadPoseEstimator;
pub use landmarks::LandmarkEstimator;
pub use model::{Attribute, AttributeModel};
pub use recognise::recognise_any;
