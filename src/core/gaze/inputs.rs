//! The inputs of a gaze model: the face, the eyes, the head's pose.

use half::f16;

use super::eye_crop::EyeCropper;
use super::line_of_sight;
use super::missing_attributes::MissingAttributes;
use super::normalization::NormalizedView;
use crate::core::face::pnp::Pose;
use crate::core::face::region::FaceRegion;
use crate::core::geometry::camera::Camera;
use crate::core::geometry::matrix::{Mat3, transpose};
use crate::core::geometry::{Gaze, PixelRect, Raster, Size};
use crate::core::image::FrameView;
use crate::core::image::preprocess::{PreprocessError, Preprocessor};
use crate::core::inference::device::{DeviceFault, DeviceMemory, PreprocessDevice};
use crate::core::inference::{ElementType, Engine, EngineError, TensorMut};
use crate::core::profile::spec::{GazeAxes, Normalization, RegionPolicy};
use crate::core::profile::{InputRole, ResolvedInput, ResolvedProfile};

/// Why the inputs of a model cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum ModelInputsError {
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    #[error("input {0} of the model has no image specification in its profile")]
    NoImageSpec(usize),
}

/// Writes one input.
enum InputWriter {
    Face(Box<Preprocessor>),
    /// An eye; 0 is the one on the image's left.
    Eye(usize, Box<EyeCropper>),
    HeadPose,
}

/// The crop of one face: all that the inputs take of it, checked before any of them is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FaceCrop {
    face: PixelRect,
    eyes: [PixelRect; 2],
    /// Yaw, pitch and roll in degrees, as the model takes them.
    head_pose: [f32; 3],
    /// Rotation that makes the eyes level, radians.
    roll: f32,
    /// The virtual camera that looks at the face; `None` where the model takes a crop of the frame.
    view: Option<NormalizedView>,
}

/// Rotates a model's gaze back into the camera's axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct GazeRotation {
    /// Rotation that made the eyes level, radians.
    roll: f32,
    /// From the camera's axes to those of the model's answer; `None` where they are the same.
    axes: Option<Mat3>,
}

/// Why a face has no crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CropError {
    /// The face, or one of its eyes, lies outside the frame.
    OutOfFrame,
    /// The face lacks what the model needs.
    Missing(MissingAttributes),
}

/// Writes all inputs of a model.
pub(super) struct ModelInputs {
    /// The writers, each with the position of its input in the file.
    writers: Vec<(usize, InputWriter)>,
    region: RegionPolicy,
    normalization: Option<Normalization>,
    axes: GazeAxes,
    /// What the model needs besides the box.
    needs: MissingAttributes,
    needs_face: bool,
    levels_eyes: bool,
}

impl ModelInputs {
    pub fn new(profile: &ResolvedProfile) -> Result<Self, ModelInputsError> {
        let writer = |input: &ResolvedInput| {
            let image = input.image.as_ref().ok_or(ModelInputsError::NoImageSpec(input.index));
            let eye = |side| {
                let spec = input.eye.unwrap_or_default();
                let cropper = EyeCropper::new(spec, image.clone()?, input.element)?;
                Ok::<_, ModelInputsError>(InputWriter::Eye(side, Box::new(cropper)))
            };
            let writer = match input.role {
                InputRole::Face => {
                    InputWriter::Face(Box::new(Preprocessor::new(image?, input.element)?))
                }
                InputRole::LeftEye => eye(0)?,
                InputRole::RightEye => eye(1)?,
                InputRole::HeadPose => InputWriter::HeadPose,
            };
            Ok::<_, ModelInputsError>((input.index, writer))
        };
        let has = |wanted: fn(InputRole) -> bool| profile.inputs.iter().any(|i| wanted(i.role));
        Ok(Self {
            writers: profile.inputs.iter().map(writer).collect::<Result<_, _>>()?,
            region: profile.region,
            normalization: profile.normalization,
            axes: profile.axes,
            needs: MissingAttributes {
                eyes: has(InputRole::is_eye),
                head_pose: has(|role| role == InputRole::HeadPose),
            },
            needs_face: has(|role| role == InputRole::Face),
            levels_eyes: profile.inputs.iter().any(|i| i.eye.is_some_and(|eye| eye.rotate_by_roll)),
        })
    }

    /// The crop of `face` in a frame of this raster; `margin` replaces the profile's.
    pub fn crop(
        &self,
        frame: Raster,
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
        if self.levels_eyes {
            crop.roll = face.roll(frame.pixel_aspect);
        }
        if let Some(pose) = head_pose {
            let [yaw, pitch, roll] = pose.to_zoo();
            crop.head_pose = [yaw, pitch, if self.levels_eyes { 0.0 } else { roll }];
        }
        for (_, writer) in &self.writers {
            let InputWriter::Eye(side, cropper) = writer else { continue };
            let eye = face.eyes.as_ref().and_then(|eyes| cropper.square(&eyes[*side], frame));
            crop.eyes[*side] = eye.ok_or(CropError::OutOfFrame)?;
        }
        Ok(crop)
    }

    /// Writes a crop to item `item` of every input.
    pub fn fill(
        &mut self,
        frame: &FrameView<'_>,
        crop: &FaceCrop,
        engine: &mut dyn Engine,
        item: usize,
    ) -> Result<(), PreprocessError> {
        for (index, writer) in &mut self.writers {
            let mut input = engine.input(*index);
            match writer {
                InputWriter::Face(preprocessor) => {
                    let out = input.slot(item, preprocessor.item_len());
                    let border = self.region.border;
                    match &crop.view {
                        // Black outside the frame unless the profile asks for its edge, as `warpPerspective`.
                        Some(view) => {
                            preprocessor.fill_warped(frame, &view.to_source, border, out)?;
                        }
                        None => {
                            preprocessor.fill(frame, crop.face, border, out)?;
                        }
                    }
                }
                InputWriter::Eye(side, cropper) => {
                    let out = input.slot(item, cropper.item_len());
                    cropper.fill(frame, crop.eyes[*side], crop.roll, out)?;
                }
                InputWriter::HeadPose => write(crop.head_pose, &mut input.slot(item, 3)),
            }
        }
        Ok(())
    }

    /// Lets a device write a crop to item `item` of every input, for a run of `batch` items.
    pub fn fill_on<D: PreprocessDevice>(
        &mut self,
        device: &mut D,
        (frame, size): (&D::Frame<'_>, Size),
        crop: &FaceCrop,
        engine: &mut dyn Engine,
        (item, batch): (usize, usize),
    ) -> Result<(), FillError> {
        for (index, writer) in &mut self.writers {
            let input = engine.device_input(*index, batch)?;
            let memory = |bytes| item_memory(input, item, bytes);
            match writer {
                InputWriter::Face(preprocessor) => {
                    let border = self.region.border;
                    let job = match &crop.view {
                        Some(view) => preprocessor.warped_job(&view.to_source, border)?,
                        None => preprocessor.job(size, crop.face, border)?,
                    };
                    device.fill(frame, &job, memory(job.bytes())?)?;
                }
                InputWriter::Eye(side, cropper) => {
                    let job = cropper.job(size, crop.eyes[*side], crop.roll)?;
                    device.fill(frame, &job, memory(job.bytes())?)?;
                }
                InputWriter::HeadPose => {
                    let element = engine.info().inputs.get(*index).and_then(|info| info.element);
                    let (bytes, len) = in_memory(crop.head_pose, element);
                    device.write(&bytes[..len], memory(len)?)?;
                }
            }
        }
        Ok(())
    }

    /// The face as the model's virtual camera sees it; `None` for a model that takes crops, and
    /// for a face without a pose.
    pub fn normalized_view(&self, camera: &Camera, pose: Option<&Pose>) -> Option<NormalizedView> {
        let size = self.writers.iter().find_map(|(_, writer)| match writer {
            InputWriter::Face(preprocessor) => Some(preprocessor.size()),
            _ => None,
        });
        self.normalization?.view(camera, pose?, size?)
    }

    /// The rotation that brings the gaze of a crop of `face` back. Where the model wants a normalised
    /// face and the pose is unknown, the crop counts as seen by a camera that looks straight at it
    /// without roll.
    pub fn gaze_rotation(
        &self,
        camera: &Camera,
        face: &FaceRegion,
        crop: &FaceCrop,
    ) -> GazeRotation {
        let along_the_ray = self.axes == GazeAxes::Ray || self.normalization.is_some();
        match &crop.view {
            // The virtual camera rolls with the head, so the eyes are level in its picture.
            Some(view) => GazeRotation { roll: 0.0, axes: Some(view.rotation) },
            None => {
                let axes = along_the_ray.then(|| line_of_sight::rotation_to(camera, &face.rect));
                GazeRotation { roll: crop.roll, axes }
            }
        }
    }
}

impl GazeRotation {
    /// The model's gaze in the camera's axes; `None` where it is not finite.
    pub fn to_camera(self, gaze: Gaze) -> Option<Gaze> {
        let gaze = if self.roll == 0.0 { gaze } else { gaze.rolled(self.roll) };
        match &self.axes {
            Some(axes) => gaze.turned(&transpose(axes)),
            None => gaze.is_finite().then_some(gaze),
        }
    }
}

impl FaceCrop {
    /// The same crop, with the face as a virtual camera sees it.
    pub fn with_view(self, view: Option<NormalizedView>) -> Self {
        Self { view, ..self }
    }

    pub fn is_normalised(&self) -> bool {
        self.view.is_some()
    }
}

/// Why an input was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum FillError {
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Device(#[from] DeviceFault),
}

/// The memory of one item of an input.
fn item_memory(
    input: DeviceMemory,
    item: usize,
    bytes: usize,
) -> Result<DeviceMemory, PreprocessError> {
    let length = PreprocessError::Length { expected: bytes, got: input.bytes };
    input.item(item, bytes).ok_or(length)
}

/// Numbers as bytes of an input of floats, and the number of bytes.
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

/// Writes numbers to an input of floats; profiles allow no other element type for them.
fn write(values: [f32; 3], out: &mut TensorMut<'_>) {
    match out {
        TensorMut::F32(out) => out.iter_mut().zip(values).for_each(|(to, from)| *to = from),
        TensorMut::F16(out) => {
            out.iter_mut().zip(values).for_each(|(to, from)| *to = f16::from_f32(from));
        }
        TensorMut::U8(_) | TensorMut::I8(_) => {}
    }
}
