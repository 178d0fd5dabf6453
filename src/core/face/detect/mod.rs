//! Face detectors: the published families, recognised by their inputs and outputs, and the embedded
//! one.
//!
//! ```text
//! frame -- Preprocessor --> input -- Engine --> outputs -- DetectorKind::decode --> [Detection]
//!                                                                (tensor pixels)       |
//! [FaceRegion] <-- ToFrame (frame pixels) <-- nms::suppress <------------------------+
//! ```
//! | family | published by | picture | box | points |
//! |---|---|---|---|---|
//! | [`DetectorKind::YuNet`] | libfacedetection, OpenCV zoo (2023mar and later) | BGR 0..255 | per cell | 5 |
//! | [`DetectorKind::Scrfd`] | InsightFace | RGB (x - 127.5) / 128 | edges from the cell | 0 or 5 |
//! | [`DetectorKind::UltraFace`] | Ultra-Light-Fast-Generic-Face-Detector-1MB | RGB (x - 127) / 128 | ready | 0 |
//! | [`DetectorKind::RetinaFace`] | Pytorch_Retinaface, OpenSeeFace | BGR less its mean | priors | 5 |
//! | [`DetectorKind::BlazeFace`] | MediaPipe | RGB -1..1, channels last | anchors | none of five |
//! | [`DetectorKind::YoloV5Face`] | deepcam-cn/yolov5-face | RGB 0..1 | ready | 5 |
//! | [`DetectorKind::YoloV8Face`] | derronqi/yolov8-face and successors | RGB 0..1 | ready | 0 or 5 |
//!
//! [`FaceDetector::embedded`] needs neither an engine nor a file: [`frontal`] finds frontal faces in
//! a reduced grey picture.
//!
//! A decoder is a pure function of the outputs and the input's size. It computes anchors from the
//! row where it needs one, and keeps no table.

mod backend;
mod blazeface;
mod detection;
mod detector;
mod embedded;
mod error;
pub mod frontal;
mod kind;
mod nms;
mod published;
mod recognise;
mod retinaface;
mod scrfd;
mod settings;
mod ultraface;
mod yolo;
mod yunet;

pub use detection::Detection;
pub use detector::FaceDetector;
pub use error::DetectError;
pub use kind::DetectorKind;
pub use nms::suppress;
pub use published::opening_size;
pub use recognise::{DetectorMatch, recognise};
pub use settings::DetectSettings;
