//! Matches a profile with a model file: names become positions, open sizes get a value, and a
//! contradiction is an error that names what is expected and what was found.

use super::error::ProfileError;
use super::model::{
    AngleRef, AngleUnit, InputRole, InputSpec, ModelProfile, OutputSpec, TensorRef,
};
use super::spec::{EyeSpec, GazeAxes, Normalization, RegionPolicy};
use crate::core::image::spec::{ImageSpec, Layout};
use crate::core::inference::tensor::{ElementType, ModelInfo, TensorInfo, list};

/// Most columns of a regression output: more are classes or features.
const MAX_REGRESSION_COLUMNS: usize = 16;

/// A profile that fits a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedProfile {
    /// Name of the profile.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The axes of the angles of a model that takes crops.
    pub axes: GazeAxes,
    /// Which pixels of a face the model takes.
    pub region: RegionPolicy,
    /// The virtual camera that looks at the face; `None` where the model takes a crop.
    pub normalization: Option<Normalization>,
    /// The model's inputs in the file's order.
    pub inputs: Vec<ResolvedInput>,
    /// How the outputs become a gaze.
    pub output: ResolvedOutput,
}

/// One input of the model and what goes into it.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedInput {
    /// Position in the file.
    pub index: usize,
    /// What goes into it.
    pub role: InputRole,
    /// Type of its elements.
    pub element: ElementType,
    /// How pixels become values, with width and height; `None` for a head pose.
    pub image: Option<ImageSpec>,
    /// Which pixels of an eye; `None` for other inputs.
    pub eye: Option<EyeSpec>,
    /// Dimensions without the batch.
    pub item_shape: Vec<usize>,
}

/// The column of one angle, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AngleColumn {
    /// Position of the output in the file.
    pub output: usize,
    /// First column in an item's row.
    pub column: usize,
    /// Whether the model's sign is opposite to [`Gaze`](crate::core::geometry::Gaze)'s.
    pub negate: bool,
}

/// [`OutputSpec`] with positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResolvedOutput {
    /// Two angles as numbers.
    Regression {
        /// Unit of both.
        unit: AngleUnit,
        /// The vertical angle.
        pitch: AngleColumn,
        /// The horizontal angle.
        yaw: AngleColumn,
    },
    /// Two rows of logits.
    Binned {
        /// Classes per angle.
        bins: usize,
        /// Degrees per class.
        bin_width: f32,
        /// Degrees of class 0.
        offset: f32,
        /// The vertical angle.
        pitch: AngleColumn,
        /// The horizontal angle.
        yaw: AngleColumn,
    },
    /// A direction vector of any length.
    Direction {
        /// Position of the output in the file.
        output: usize,
        /// Factors to camera coordinates.
        axes: [f32; 3],
    },
}

impl ModelProfile {
    /// Matches the profile with a model.
    ///
    /// # Errors
    /// [`ProfileError::Mismatch`] for the first part that does not fit, and the errors of
    /// [`validate`](Self::validate).
    pub fn resolve(&self, info: &ModelInfo) -> Result<ResolvedProfile, ProfileError> {
        self.validate()?;
        let resolver = Resolver { profile: &self.name, info };
        let mut inputs =
            self.inputs.iter().map(|spec| resolver.input(spec)).collect::<Result<Vec<_>, _>>()?;
        inputs.sort_by_key(|input| input.index);
        for (index, tensor) in info.inputs.iter().enumerate() {
            match inputs.iter().filter(|input| input.index == index).count() {
                1 => {}
                0 => {
                    let what = format!("input {tensor}");
                    let roles = "an [[input]] with the role face, left-eye, right-eye or head-pose";
                    let found = "none: gazeinfer cannot fill it".to_owned();
                    return Err(resolver.mismatch(&what, roles, found));
                }
                _ => {
                    let what = format!("input {tensor}");
                    return Err(resolver.mismatch(&what, "one role", "two".to_owned()));
                }
            }
        }
        Ok(ResolvedProfile {
            name: self.name.clone(),
            description: self.description.clone(),
            axes: self.axes,
            region: self.region,
            normalization: self.normalization,
            inputs,
            output: resolver.output(&self.output)?,
        })
    }
}

impl ResolvedProfile {
    /// Whether the profile reads every column of every output, as far as the file declares them.
    pub(super) fn reads_all_of(&self, info: &ModelInfo) -> bool {
        let read = match self.output {
            ResolvedOutput::Regression { .. } => 2,
            ResolvedOutput::Binned { bins, .. } => 2 * bins,
            ResolvedOutput::Direction { .. } => 3,
        };
        let columns = info.outputs.iter().map(|output| output.shape.iter().skip(1).copied());
        columns.map(Iterator::product::<Option<usize>>).sum::<Option<usize>>() == Some(read)
    }

    /// Whether another profile gives the same angles.
    pub(super) fn does_the_same_as(&self, other: &Self) -> bool {
        self.axes == other.axes
            && self.region == other.region
            && self.normalization == other.normalization
            && self.inputs == other.inputs
            && self.output == other.output
    }
}

struct Resolver<'a> {
    profile: &'a str,
    info: &'a ModelInfo,
}

impl Resolver<'_> {
    fn mismatch(&self, what: &str, expected: &str, found: String) -> ProfileError {
        ProfileError::Mismatch {
            profile: self.profile.to_owned(),
            what: what.to_owned(),
            expected: expected.to_owned(),
            found,
        }
    }

    fn find<'t>(
        &self,
        kind: &str,
        tensors: &'t [TensorInfo],
        wanted: &TensorRef,
    ) -> Result<(usize, &'t TensorInfo), ProfileError> {
        let found = match wanted {
            TensorRef::Index(index) => tensors.get(*index).map(|tensor| (*index, tensor)),
            TensorRef::Name(name) => {
                tensors.iter().enumerate().find(|(_, tensor)| tensor.name == *name)
            }
        };
        found.ok_or_else(|| {
            self.mismatch(
                &format!("{kind} {wanted}"),
                &format!("an {kind} of that name or position"),
                list(tensors),
            )
        })
    }

    fn input(&self, spec: &InputSpec) -> Result<ResolvedInput, ProfileError> {
        let (index, tensor) = self.find("input", &self.info.inputs, &spec.tensor)?;
        let what = format!("input {}", spec.tensor);
        let element = tensor.element.ok_or_else(|| {
            self.mismatch(&what, "float32, float16, uint8 or int8", tensor.to_string())
        })?;
        let (image, item_shape) = match &spec.image {
            Some(image) => {
                let (image, shape) = self.image(&what, image, tensor)?;
                (Some(image), shape.to_vec())
            }
            None => (None, self.head_pose(&what, tensor)?),
        };
        let eye = spec.role.is_eye().then(|| spec.eye.unwrap_or_default());
        Ok(ResolvedInput { index, role: spec.role, element, image, eye, item_shape })
    }

    fn image(
        &self,
        what: &str,
        spec: &ImageSpec,
        tensor: &TensorInfo,
    ) -> Result<(ImageSpec, [usize; 3]), ProfileError> {
        let channels = spec.channels.count();
        let side = |side: u32| if side == 0 { "any".to_owned() } else { side.to_string() };
        let (width, height) = (side(spec.width), side(spec.height));
        let (layout, expected) = match spec.layout {
            Layout::Nchw => ("nchw", format!("batch,{channels},{height},{width}")),
            Layout::Nhwc => ("nhwc", format!("batch,{height},{width},{channels}")),
        };
        let refuse =
            || self.mismatch(what, &format!("[{expected}] (layout {layout})"), tensor.to_string());
        let [_, a, b, c] = tensor.shape[..] else { return Err(refuse()) };
        let (depth, rows, columns) = match spec.layout {
            Layout::Nchw => (a, b, c),
            Layout::Nhwc => (c, a, b),
        };
        // The file's size, or the profile's where the file leaves it open; two sizes must agree.
        let agree = |declared: Option<usize>, wanted: u32| match (declared, wanted as usize) {
            (Some(declared), 0) => Some(declared),
            (Some(declared), wanted) => (declared == wanted).then_some(declared),
            (None, 0) => None,
            (None, wanted) => Some(wanted),
        };
        if depth.is_some_and(|depth| depth != channels) {
            return Err(refuse());
        }
        if spec.width == 0 && (rows.is_none() || columns.is_none()) {
            let found = format!("{tensor}, which leaves them open");
            return Err(self.mismatch(what, "width and height in the profile or the model", found));
        }
        let rows = agree(rows, spec.height).ok_or_else(refuse)?;
        let columns = agree(columns, spec.width).ok_or_else(refuse)?;
        let (Ok(width), Ok(height)) = (u32::try_from(columns), u32::try_from(rows)) else {
            return Err(refuse());
        };
        let shape = match spec.layout {
            Layout::Nchw => [channels, rows, columns],
            Layout::Nhwc => [rows, columns, channels],
        };
        Ok((ImageSpec { width, height, ..spec.clone() }, shape))
    }

    fn head_pose(&self, what: &str, tensor: &TensorInfo) -> Result<Vec<usize>, ProfileError> {
        let refuse = || self.mismatch(what, "[batch,3] of floats", tensor.to_string());
        if !matches!(tensor.element, Some(ElementType::F32 | ElementType::F16)) {
            return Err(refuse());
        }
        let item: Option<Vec<usize>> = tensor.shape.iter().skip(1).copied().collect();
        item.filter(|item| elements(item.iter().copied().map(Some)) == Some(3) && !item.is_empty())
            .ok_or_else(refuse)
    }

    fn output(&self, spec: &OutputSpec) -> Result<ResolvedOutput, ProfileError> {
        match spec {
            OutputSpec::Regression { unit, pitch, yaw } => {
                let columns = |what: &str, angle: &AngleRef| {
                    let expected = format!(
                        "up to {MAX_REGRESSION_COLUMNS} columns, {what} in column {}",
                        angle.column
                    );
                    self.angle(angle, &expected, |width| {
                        angle.column < width && width <= MAX_REGRESSION_COLUMNS
                    })
                };
                let (pitch, yaw) = (columns("pitch", pitch)?, columns("yaw", yaw)?);
                Ok(ResolvedOutput::Regression { unit: *unit, pitch, yaw })
            }
            OutputSpec::Binned { bins, bin_width, offset, pitch, yaw } => {
                let (p, y) = (
                    self.find("output", &self.info.outputs, &pitch.tensor)?.0,
                    self.find("output", &self.info.outputs, &yaw.tensor)?.0,
                );
                // All columns are classes: another number means other bins.
                let total = if p == y { 2 * bins } else { *bins };
                let columns = |angle: &AngleRef| {
                    let expected = format!("[batch,{total}] ({bins} bins per angle)");
                    self.angle(angle, &expected, |width| {
                        width == total && angle.column.is_multiple_of(*bins) && angle.column < width
                    })
                };
                let (pitch, yaw) = (columns(pitch)?, columns(yaw)?);
                let (bins, bin_width, offset) = (*bins, *bin_width, *offset);
                Ok(ResolvedOutput::Binned { bins, bin_width, offset, pitch, yaw })
            }
            OutputSpec::Direction { tensor, axes } => {
                let whole = AngleRef { tensor: tensor.clone(), column: 0, negate: false };
                let angle = self.angle(&whole, "[batch,3]", |width| width == 3)?;
                Ok(ResolvedOutput::Direction { output: angle.output, axes: *axes })
            }
        }
    }

    /// Finds an output, and checks the columns of its rows where the file declares them.
    fn angle(
        &self,
        angle: &AngleRef,
        expected: &str,
        fits: impl FnOnce(usize) -> bool,
    ) -> Result<AngleColumn, ProfileError> {
        let (output, tensor) = self.find("output", &self.info.outputs, &angle.tensor)?;
        let what = format!("output {}", angle.tensor);
        if !matches!(tensor.element, Some(ElementType::F32 | ElementType::F16)) {
            return Err(self.mismatch(&what, "float32 or float16", tensor.to_string()));
        }
        let width = elements(tensor.shape.iter().skip(1).copied());
        if tensor.shape.is_empty() || width.is_some_and(|width| !fits(width)) {
            return Err(self.mismatch(&what, expected, tensor.to_string()));
        }
        Ok(AngleColumn { output, column: angle.column, negate: angle.negate })
    }
}

/// Number of values of these dimensions; `None` where one is open. Saturates, because a file may
/// declare more than fits.
fn elements(dims: impl IntoIterator<Item = Option<usize>>) -> Option<usize> {
    dims.into_iter().try_fold(1, |count: usize, dim| Some(count.saturating_mul(dim?)))
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
