//! Profiles of published models.
//!
//! Each profile follows the publisher's code, as far as a profile can; the entry names exceptions. The
//! memory layout of a file depends on its export and not on the training, so the layout of a built-in
//! profile follows the file ([`ModelProfile::with_layout_of`]).

use super::model::{
    AngleRef, AngleUnit, InputRole, InputSpec, ModelProfile, OutputSpec, TensorRef,
};
use super::spec::{EyeSpec, FaceCenter, GazeAxes, Normalization, RegionPolicy};
use crate::core::image::spec::{Channels, ImageSpec, Layout, Resample};
use crate::core::inference::tensor::ModelInfo;

/// Mean of ImageNet's red, green and blue in 0..=1, as torchvision uses it.
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];

/// Standard deviation of the same.
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// The normalised camera of ETH-XGaze's face, which UniGaze shares.
const ETH_XGAZE_CAMERA: Normalization =
    Normalization { focal_length: 960.0, distance: 600.0, center: FaceCenter::EyesAndNose };

/// One built-in profile.
struct BuiltinProfile {
    name: &'static str,
    description: &'static str,
    normalization: Option<Normalization>,
    inputs: fn() -> Vec<InputSpec>,
    output: fn() -> OutputSpec,
}

/// Of entries with the same effect, a recognised model takes the name of the first.
const TABLE: [BuiltinProfile; 8] = [
    // Muksimova et al., Sensors 2025, 25(4), 1224: faces from SCRFD, cropped and resized to
    // 224x224. Neither code nor weights are public; ImageNet's normalisation (its backbones are
    // torchvision's) and two angles in radians are this project's reading. The paper mentions
    // detection and cropping only, so this profile normalises no face; a model trained on
    // normalised faces needs a profile of its own.
    BuiltinProfile {
        name: "gazecapsnet",
        description: "GazeCapsNet (Sensors 2025, 1224): 224x224 face, pitch and yaw in radians",
        normalization: None,
        inputs: || face(224, rgb_imagenet()),
        output: pitch_then_yaw,
    },
    // xucong-zhang/ETH-XGaze, demo.py: 224x224 normalised face, BGR turned to RGB, ToTensor and
    // ImageNet's normalisation; `draw_gaze` reads [pitch, yaw] with the project's signs. The angles
    // belong to the normalised camera: focal length 960, distance 600 mm, 224 pixels
    // (`normalizeData_face` there; ptgaze/data/calib/normalized_camera_params_eth-xgaze.yaml of
    // hysts/pytorch_mpiigaze_demo). `normalization_example.py` writes 448 pixels from 300 mm, the
    // same 140 mm of the face, and may shrink them to 224.
    BuiltinProfile {
        name: "eth-xgaze",
        description: "ETH-XGaze baseline (ECCV 2020): 224x224 normalised face, pitch and yaw in \
                      radians",
        normalization: Some(ETH_XGAZE_CAMERA),
        inputs: || face(224, rgb_imagenet()),
        output: pitch_then_yaw,
    },
    // ut-vision/UniGaze, unigaze/predict_gaze_video.py: the same normalised face as ETH-XGaze's
    // (`focal_norm`, `distance_norm`, `roi_size`, the centre of eyes and nose), turned to RGB, ImageNet's
    // normalisation ("basic_imagenet"); `pred_gaze` is (pitch, yaw) in radians with the project's signs.
    BuiltinProfile {
        name: "unigaze",
        description: "UniGaze (WACV 2026): 224x224 normalised face, pitch and yaw in radians",
        normalization: Some(ETH_XGAZE_CAMERA),
        inputs: || face(224, rgb_imagenet()),
        output: pitch_then_yaw,
    },
    // yakhyo/gaze-estimation, onnx_inference.py and config.py: box without margin, cv2.resize to
    // 448x448 without keeping the aspect, RGB, ImageNet's normalisation; 90 bins of 4 degrees from -180.
    // Files before 2026-02-14 call output 0 "pitch" and later ones "yaw"; it is the yaw in both.
    BuiltinProfile {
        name: "mobilegaze",
        description: "MobileGaze (yakhyo/gaze-estimation), Gaze360 weights: 448x448 face, 90 bins \
                      of 4 degrees, output 0 is yaw whatever its name",
        normalization: None,
        inputs: || face(448, rgb_imagenet()),
        output: || yaw_then_pitch(90, 4.0, -180.0),
    },
    // The same code, configuration "mpiigaze" of config.py: 28 bins of 3 degrees from -42.
    BuiltinProfile {
        name: "mobilegaze-mpiigaze",
        description: "MobileGaze (yakhyo/gaze-estimation), MPIIGaze weights: 448x448 face, 28 bins \
                      of 3 degrees, output 0 is yaw whatever its name",
        normalization: None,
        inputs: || face(448, rgb_imagenet()),
        output: || yaw_then_pitch(28, 3.0, -42.0),
    },
    // Ahmednull/L2CS-Net, l2cs/pipeline.py and l2cs/model.py: box without margin, RGB, Resize(448),
    // ImageNet's normalisation; `forward` returns the yaw head first (its callers call it pitch,
    // see issue 32 there); `* 4 - 180`; `gazeto3d` has the project's signs. Some versions shrink
    // the crop to 224 before, which a profile cannot express.
    BuiltinProfile {
        name: "l2cs-net",
        description: "L2CS-Net (arXiv 2203.03339), Gaze360 weights: 448x448 face, 90 bins of 4 \
                      degrees, output 0 is yaw",
        normalization: None,
        inputs: || face(448, rgb_imagenet()),
        output: || yaw_then_pitch(90, 4.0, -180.0),
    },
    // hysts/pytorch_mpiigaze_demo, ptgaze/transforms.py and ptgaze/data/configs/mpiifacegaze.yaml:
    // cv2.resize of the normalised face to 224x224, BGR kept, mean and deviation in that order.
    // The output is (pitch, yaw) in radians of the normalised camera: distance 1 m
    // (`normalized_camera_distance` there), focal length 1600 for 224 pixels
    // (hysts/pytorch_mpiigaze, data/calib/normalized_camera_params_face.yaml): 140 mm of the face,
    // as ETH-XGaze's. The centre is the mean of six corners (`compute_face_eye_centers`).
    BuiltinProfile {
        name: "mpiifacegaze",
        description: "MPIIFaceGaze by hysts (ptgaze): 224x224 normalised face in BGR, pitch and \
                      yaw in radians",
        normalization: Some(Normalization {
            focal_length: 1600.0,
            distance: 1000.0,
            center: FaceCenter::EyesAndMouth,
        }),
        inputs: || {
            let reversed = |[r, g, b]: [f32; 3]| [b, g, r];
            let image = ImageSpec {
                channels: Channels::Bgr,
                mean: reversed(IMAGENET_MEAN),
                std: reversed(IMAGENET_STD),
                ..rgb_imagenet()
            };
            face(224, image)
        },
        output: pitch_then_yaw,
    },
    // Open Model Zoo, models/intel/gaze-estimation-adas-0002 and demos/gaze_estimation_demo: eyes
    // 60x60 BGR 0..255 by cubic resize, head pose in degrees. The vector has x to the image's
    // right, y up and z away from the camera (about -0.9 when looking into it, whatever the README
    // says), so only y changes its sign. The demo rotates both eyes by the head's roll and the
    // vector back, and cuts squares of 1.8 times the distance between an eye's corners.
    BuiltinProfile {
        name: "gaze-estimation-adas-0002",
        description: "Intel Open Model Zoo gaze-estimation-adas-0002: two 60x60 eyes and the \
                      head's pose, direction vector",
        normalization: None,
        inputs: || {
            let eye = |name: &str, role| InputSpec {
                tensor: TensorRef::Name(name.to_owned()),
                role,
                image: Some(ImageSpec {
                    width: 60,
                    height: 60,
                    channels: Channels::Bgr,
                    resample: Resample::OpencvCubic,
                    ..ImageSpec::default()
                }),
                eye: Some(EyeSpec { scale: 1.8, rotate_by_roll: true }),
            };
            vec![
                eye("left_eye_image", InputRole::LeftEye),
                eye("right_eye_image", InputRole::RightEye),
                InputSpec {
                    tensor: TensorRef::Name("head_pose_angles".to_owned()),
                    role: InputRole::HeadPose,
                    image: None,
                    eye: None,
                },
            ]
        },
        output: || OutputSpec::Direction { tensor: TensorRef::Index(0), axes: [1.0, -1.0, 1.0] },
    },
];

fn rgb_imagenet() -> ImageSpec {
    ImageSpec { scale: 1.0 / 255.0, mean: IMAGENET_MEAN, std: IMAGENET_STD, ..ImageSpec::default() }
}

fn face(side: u32, image: ImageSpec) -> Vec<InputSpec> {
    vec![InputSpec {
        tensor: TensorRef::Index(0),
        role: InputRole::Face,
        image: Some(ImageSpec { width: side, height: side, ..image }),
        eye: None,
    }]
}

fn angle(output: usize, column: usize) -> AngleRef {
    AngleRef { tensor: TensorRef::Index(output), column, negate: false }
}

fn pitch_then_yaw() -> OutputSpec {
    OutputSpec::Regression { unit: AngleUnit::Radians, pitch: angle(0, 0), yaw: angle(0, 1) }
}

fn yaw_then_pitch(bins: usize, bin_width: f32, offset: f32) -> OutputSpec {
    OutputSpec::Binned { bins, bin_width, offset, pitch: angle(1, 0), yaw: angle(0, 0) }
}

impl BuiltinProfile {
    fn profile(&self) -> ModelProfile {
        ModelProfile {
            name: self.name.to_owned(),
            description: self.description.to_owned(),
            // Gaze360's labels are in the axes of the ray, but the publishers of models trained with
            // them draw the angles unrotated, and comparisons use them so.
            axes: GazeAxes::Camera,
            region: RegionPolicy::default(),
            normalization: self.normalization,
            inputs: (self.inputs)(),
            output: (self.output)(),
        }
    }
}

/// Names of the built-in profiles.
pub fn names() -> Vec<&'static str> {
    TABLE.iter().map(|entry| entry.name).collect()
}

/// The built-in profile of this name.
pub fn find(name: &str) -> Option<ModelProfile> {
    TABLE.iter().find(|entry| entry.name == name).map(BuiltinProfile::profile)
}

/// All built-in profiles.
pub fn all() -> Vec<ModelProfile> {
    TABLE.iter().map(BuiltinProfile::profile).collect()
}

impl ModelProfile {
    /// The profile with the layout of a file's image inputs, which follows from the position of their
    /// channels.
    #[must_use]
    pub fn with_layout_of(mut self, info: &ModelInfo) -> Self {
        for input in &mut self.inputs {
            let Some(image) = &mut input.image else { continue };
            let tensor = match &input.tensor {
                TensorRef::Index(index) => info.inputs.get(*index),
                TensorRef::Name(name) => info.inputs.iter().find(|tensor| tensor.name == *name),
            };
            let channels = Some(image.channels.count());
            if let Some([_, first, _, last]) = tensor.map(|tensor| &tensor.shape[..]) {
                image.layout = match (*first == channels, *last == channels) {
                    (false, true) => Layout::Nhwc,
                    _ => Layout::Nchw,
                };
            }
        }
        self
    }
}
