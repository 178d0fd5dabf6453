//! What goes into each input of a gaze model: the face, the eyes, the head's pose.

use half::f16;

use super::eye_crop::EyeCropper;
use super::line_of_sight;
use super::normalization::NormalizedView;
use crate::core::face::FaceRegion;
use crate::core::face::pnp::Pose;
use crate::core::geometry::camera::Camera;
use crate::core::geometry::matrix::{Mat3, transpose};
use crate::core::geometry::{Gaze, PixelRect, Size};
use crate::core::image::FrameView;
use crate::core::image::preprocess::{PreprocessError, Preprocessor};
use crate::core::inference::device::{DeviceFault, DeviceMemory, PreprocessDevice};
use crate::core::inference::{ElementType, Engine, EngineError, TensorMut};
use crate::core::profile::spec::{GazeAxes, Normalization, RegionPolicy};
use crate::core::profile::{InputRole, ResolvedInput, ResolvedProfile};

/// What a gaze model needs of a face besides its box, and the face lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissingAttributes {
    /// The corners of the eyes.
    pub eyes: bool,
    /// The head's pose.
    pub head_pose: bool,
}

impl MissingAttributes {
    /// Whether anything is.
    pub const fn any(self) -> bool {
        self.eyes || self.head_pose
    }

    /// What one or the other lacks.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { eyes: self.eyes || other.eyes, head_pose: self.head_pose || other.head_pose }
    }
}

/// Why a model cannot be fed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum ModelInputsError {
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    #[error("input {0} of the model has no picture in its profile")]
    NoPicture(usize),
}

/// Fills one input.
enum InputWriter {
    Face(Box<Preprocessor>),
    /// The eye on the image's left is 0.
    Eye(usize, Box<EyeCropper>),
    HeadPose,
}

/// What one face puts into the inputs, checked before any is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FaceCrop {
    face: PixelRect,
    eyes: [PixelRect; 2],
    /// Yaw, pitch and roll in degrees, as the model takes them.
    head_pose: [f32; 3],
    /// By how much the eyes are turned level, radians.
    roll: f32,
    /// The virtual camera that looks at the face; `None` where it is cropped.
    view: Option<NormalizedView>,
}

/// How the gaze of a crop is turned back into the camera's axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct GazeRotation {
    /// By how much the eyes were turned level, radians.
    roll: f32,
    /// From the camera's axes to those that the model answers in; `None` where they are the same.
    axes: Option<Mat3>,
}

/// Why a face puts nothing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CropError {
    /// Nothing of it, or of one of its eyes, lies in the frame.
    OutOfFrame,
    /// Something is not known of it.
    Missing(MissingAttributes),
}

/// Fills all inputs of a model.
pub(super) struct ModelInputs {
    /// Each with its position in the file.
    inputs: Vec<(usize, InputWriter)>,
    region: RegionPolicy,
    normalization: Option<Normalization>,
    frame: GazeAxes,
    /// What is needed besides the box.
    needs: MissingAttributes,
    needs_face: bool,
    rotates: bool,
}

impl ModelInputs {
    pub fn new(profile: &ResolvedProfile) -> Result<Self, ModelInputsError> {
        let feed = |input: &ResolvedInput| {
            let image = input.image.as_ref().ok_or(ModelInputsError::NoPicture(input.index));
            let eye = |side| {
                let spec = input.eye.unwrap_or_default();
                let cropper = EyeCropper::new(spec, image.clone()?, input.element)?;
                Ok::<_, ModelInputsError>(InputWriter::Eye(side, Box::new(cropper)))
            };
            let feed = match input.role {
                InputRole::Face => {
                    InputWriter::Face(Box::new(Preprocessor::new(image?, input.element)?))
                }
                InputRole::LeftEye => eye(0)?,
                InputRole::RightEye => eye(1)?,
                InputRole::HeadPose => InputWriter::HeadPose,
            };
            Ok::<_, ModelInputsError>((input.index, feed))
        };
        let has = |wanted: fn(InputRole) -> bool| profile.inputs.iter().any(|i| wanted(i.role));
        Ok(Self {
            inputs: profile.inputs.iter().map(feed).collect::<Result<_, _>>()?,
            region: profile.region,
            normalization: profile.normalization,
            frame: profile.frame,
            needs: MissingAttributes {
                eyes: has(InputRole::is_eye),
                head_pose: has(|role| role == InputRole::HeadPose),
            },
            needs_face: has(|role| role == InputRole::Face),
            rotates: profile.inputs.iter().any(|i| i.eye.is_some_and(|eye| eye.rotate_by_roll)),
        })
    }

    /// What `face` of a frame of this size puts into the inputs; `margin` replaces the profile's.
    pub fn crop(
        &self,
        frame: Size,
        face: &FaceRegion,
        margin: Option<f64>,
    ) -> Result<FaceCrop, CropError> {
        let mut crop = FaceCrop::default();
        let policy = RegionPolicy { margin: margin.unwrap_or(self.region.margin), ..self.region };
        match policy.pixels(&face.rect, frame) {
            Some(pixels) => crop.face = pixels,
            None if self.needs_face => return Err(CropError::OutOfFrame),
            None => {}
        }
        let head_pose = face.head_pose.filter(|pose| pose.is_finite());
        let missing = MissingAttributes {
            eyes: self.needs.eyes && face.eyes.is_none(),
            head_pose: self.needs.head_pose && head_pose.is_none(),
        };
        if missing.any() {
            return Err(CropError::Missing(missing));
        }
        if self.rotates {
            crop.roll = face.roll();
        }
        if let Some(pose) = head_pose {
            let [yaw, pitch, roll] = pose.to_zoo();
            crop.head_pose = [yaw, pitch, if self.rotates { 0.0 } else { roll }];
        }
        for (_, feed) in &self.inputs {
            let InputWriter::Eye(side, cropper) = feed else { continue };
            let eye = face.eyes.as_ref().and_then(|eyes| cropper.square(&eyes[*side], frame));
            crop.eyes[*side] = eye.ok_or(CropError::OutOfFrame)?;
        }
        Ok(crop)
    }

    /// Writes a crop to slot `slot` of every input.
    pub fn fill(
        &mut self,
        frame: &FrameView<'_>,
        crop: &FaceCrop,
        engine: &mut dyn Engine,
        slot: usize,
    ) -> Result<(), PreprocessError> {
        for (index, feed) in &mut self.inputs {
            let mut input = engine.input(*index);
            match feed {
                InputWriter::Face(preprocessor) => {
                    let out = input.slot(slot, preprocessor.item_len());
                    let border = self.region.border;
                    match &crop.view {
                        // Black unless the profile asks for the edge, as `warpPerspective`.
                        Some(view) => {
                            preprocessor.fill_warped(frame, &view.to_source, border, out)?;
                        }
                        None => {
                            preprocessor.fill(frame, crop.face, border, out)?;
                        }
                    }
                }
                InputWriter::Eye(side, cropper) => {
                    let out = input.slot(slot, cropper.item_len());
                    cropper.fill(frame, crop.eyes[*side], crop.roll, out)?;
                }
                InputWriter::HeadPose => write(crop.head_pose, &mut input.slot(slot, 3)),
            }
        }
        Ok(())
    }

    /// Has a device write a crop to slot `slot` of every input, for a run of `batch` items.
    pub fn fill_on<D: PreprocessDevice>(
        &mut self,
        device: &mut D,
        (frame, size): (&D::Frame<'_>, Size),
        crop: &FaceCrop,
        engine: &mut dyn Engine,
        (slot, batch): (usize, usize),
    ) -> Result<(), FillError> {
        for (index, feed) in &mut self.inputs {
            let input = engine.device_input(*index, batch)?;
            let slot = |bytes| item(input, slot, bytes);
            match feed {
                InputWriter::Face(preprocessor) => {
                    let border = self.region.border;
                    let job = match &crop.view {
                        Some(view) => preprocessor.warped_job(&view.to_source, border)?,
                        None => preprocessor.job(size, crop.face, border)?,
                    };
                    device.fill(frame, &job, slot(job.bytes())?)?;
                }
                InputWriter::Eye(side, cropper) => {
                    let job = cropper.job(size, crop.eyes[*side], crop.roll)?;
                    device.fill(frame, &job, slot(job.bytes())?)?;
                }
                InputWriter::HeadPose => {
                    let element = engine.info().inputs.get(*index).and_then(|info| info.element);
                    let (bytes, len) = in_memory(crop.head_pose, element);
                    device.write(&bytes[..len], slot(len)?)?;
                }
            }
        }
        Ok(())
    }

    /// The face as the model's virtual camera sees it; `None` for a model that takes crops, and
    /// for a face whose pose is not known.
    pub fn view(&self, camera: &Camera, pose: Option<&Pose>) -> Option<NormalizedView> {
        let size = self.inputs.iter().find_map(|(_, feed)| match feed {
            InputWriter::Face(preprocessor) => Some(preprocessor.size()),
            _ => None,
        });
        self.normalization?.view(camera, pose?, size?)
    }

    /// How the gaze of a crop of `face` is turned back. A face that was cropped for want of a
    /// pose, although the model wants it normalised, is taken for one that a camera without roll
    /// looked straight at.
    pub fn turn(&self, camera: &Camera, face: &FaceRegion, crop: &FaceCrop) -> GazeRotation {
        let along_the_ray = self.frame == GazeAxes::Ray || self.normalization.is_some();
        match &crop.view {
            // It rolls with the head, so the eyes are level in it.
            Some(view) => GazeRotation { roll: 0.0, axes: Some(view.rotation) },
            None => {
                let axes = along_the_ray.then(|| line_of_sight::rotation_to(camera, &face.rect));
                GazeRotation { roll: crop.roll, axes }
            }
        }
    }
}

impl GazeRotation {
    /// The model's gaze in the camera's axes; `None` for one that is no number.
    pub fn to_camera(self, gaze: Gaze) -> Option<Gaze> {
        let gaze = if self.roll == 0.0 { gaze } else { gaze.rolled(self.roll) };
        match &self.axes {
            Some(axes) => gaze.turned(&transpose(axes)),
            None => gaze.is_finite().then_some(gaze),
        }
    }
}

impl FaceCrop {
    /// The same with the face seen by a virtual camera.
    pub fn seen_from(self, view: Option<NormalizedView>) -> Self {
        Self { view, ..self }
    }

    pub fn is_normalised(&self) -> bool {
        self.view.is_some()
    }
}

/// Why a device was not given a crop.
#[derive(Debug, thiserror::Error)]
pub(super) enum FillError {
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Device(#[from] DeviceFault),
}

/// One item of an input.
fn item(input: DeviceMemory, slot: usize, bytes: usize) -> Result<DeviceMemory, PreprocessError> {
    let length = PreprocessError::Length { expected: bytes, got: input.bytes };
    input.item(slot, bytes).ok_or(length)
}

/// Numbers as they lie in the memory of an input of floats, and how many bytes that are.
fn in_memory(values: [f32; 3], element: Option<ElementType>) -> ([u8; 12], usize) {
    let mut bytes = [0; 12];
    let half = element == Some(ElementType::F16);
    let size = if half { 2 } else { 4 };
    for (to, value) in bytes.chunks_exact_mut(size).zip(values) {
        match half {
            true => to.copy_from_slice(&f16::from_f32(value).to_ne_bytes()),
            false => to.copy_from_slice(&value.to_ne_bytes()),
        }
    }
    (bytes, 3 * size)
}

/// Numbers into an input of floats; profiles allow no other element type for them.
fn write(values: [f32; 3], out: &mut TensorMut<'_>) {
    match out {
        TensorMut::F32(out) => out.iter_mut().zip(values).for_each(|(to, from)| *to = from),
        TensorMut::F16(out) => {
            out.iter_mut().zip(values).for_each(|(to, from)| *to = f16::from_f32(from));
        }
        TensorMut::U8(_) | TensorMut::I8(_) => {}
    }
}
