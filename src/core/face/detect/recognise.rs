//! Recognises a detector by the shapes of its input and outputs.
//!
//! Names do not count: exporters and optimisers rename tensors, and InsightFace's files have numbers
//! for names. Shapes are those of the bound engine, so a file may leave its own open.

use super::detection::STRIDES;
use super::error::DetectError;
use super::kind::DetectorKind;
use super::{blazeface, retinaface, ultraface, yolo};
use crate::core::geometry::rect::Size;
use crate::core::image::spec::Layout;
use crate::core::inference::engine::Engine;
use crate::core::inference::tensor::{ElementType, ModelInfo, TensorInfo, list};
use crate::core::profile::{ProfileError, find_profile};

/// The family that a model matches, and the order of its outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectorMatch {
    /// The family.
    pub kind: DetectorKind,
    /// Positions of the outputs in the order that the family's decoder reads.
    pub outputs: Vec<usize>,
    /// Size of the bound input.
    pub size: Size,
    /// Whether the file leaves the height and the width open.
    pub free_size: bool,
}

/// The shape of an output: rows of a fixed number of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OutputShape {
    rows: usize,
    columns: usize,
}

/// Recognises an opened model.
///
/// # Errors
/// [`DetectError::GazeModel`] for a gaze model, [`DetectError::Unrecognised`] for any other.
pub fn recognise(engine: &dyn Engine) -> Result<DetectorMatch, DetectError> {
    let info = engine.info();
    let shapes: Vec<&[usize]> = (0..info.outputs.len()).map(|i| engine.output_shape(i)).collect();
    let found = match info.inputs.as_slice() {
        [input] if finds_faces(info) => recognise_shapes(input, engine.input_shape(0), &shapes),
        _ => None,
    };
    found.ok_or_else(|| unrecognised(info))
}

/// Whether the classes of a model, where its file names them as Ultralytics' exports do
/// (`{0: 'face'}`), are faces. Detectors of other things have the same outputs.
fn finds_faces(info: &ModelInfo) -> bool {
    info.metadata.get("names").is_none_or(|names| names.to_ascii_lowercase().contains("face"))
}

fn unrecognised(info: &ModelInfo) -> DetectError {
    if is_gaze(info) {
        return DetectError::GazeModel;
    }
    DetectError::Unrecognised {
        inputs: list(&info.inputs),
        outputs: list(&info.outputs),
        known: DetectorKind::ALL.map(DetectorKind::signature).to_vec(),
    }
}

/// Whether a model estimates gaze: a profile fits it, or its outputs are named for it. A model that
/// also names a roll is a head pose model.
fn is_gaze(info: &ModelInfo) -> bool {
    let fits = match find_profile(info, None, &[], |_| Ok(None)) {
        Ok(_) => true,
        Err(error) => matches!(error, ProfileError::Ambiguous { .. }),
    };
    let named = |part| info.outputs.iter().any(|o| o.name.to_ascii_lowercase().contains(part));
    fits || named("gaze") || (named("pitch") && named("yaw") && !named("roll"))
}

fn recognise_shapes(
    input: &TensorInfo,
    bound: &[usize],
    outputs: &[&[usize]],
) -> Option<DetectorMatch> {
    if !matches!(input.element, Some(ElementType::F32 | ElementType::F16)) {
        return None;
    }
    let (layout, rows, columns) = match *bound {
        [1, 3, rows, columns] => (Layout::Nchw, rows, columns),
        [1, rows, columns, 3] => (Layout::Nhwc, rows, columns),
        _ => return None,
    };
    let size = Size::new(u32::try_from(columns).ok()?, u32::try_from(rows).ok()?);
    let shapes: Vec<OutputShape> =
        outputs.iter().map(|shape| output_shape(shape)).collect::<Option<_>>()?;
    let (kind, outputs) = DetectorKind::ALL.into_iter().find_map(|kind| {
        let outputs = find(kind, size, &shapes)?;
        // The decoder reads every output, and each only once.
        let complete = outputs.len() == shapes.len()
            && (0..shapes.len()).all(|index| outputs.contains(&index));
        (complete && kind.image(size).layout == layout).then_some((kind, outputs))
    })?;
    let declared = |dim: usize| input.shape.get(dim).copied().flatten();
    let free_size = match layout {
        Layout::Nchw => declared(2).is_none() && declared(3).is_none(),
        Layout::Nhwc => declared(1).is_none() && declared(2).is_none(),
    };
    Some(DetectorMatch { kind, outputs, size, free_size })
}

/// `[1, rows, columns]`, or `[rows, columns]` as InsightFace exports it.
fn output_shape(shape: &[usize]) -> Option<OutputShape> {
    match *shape {
        [1, rows, columns] | [rows, columns] => Some(OutputShape { rows, columns }),
        _ => None,
    }
}

/// Positions of the outputs of `kind` in the order of its decoder; `None` if one is missing.
fn find(kind: DetectorKind, size: Size, shapes: &[OutputShape]) -> Option<Vec<usize>> {
    // The n-th output with as many rows and columns.
    let nth = |rows: usize, columns: usize, n: usize| {
        let wanted = OutputShape { rows, columns };
        (0..shapes.len()).filter(|index| shapes[*index] == wanted).nth(n)
    };
    let cells =
        STRIDES.map(|stride| (size.width / stride) as usize * (size.height / stride) as usize);
    match kind {
        // The first two are class and objectness in either order: the decoder multiplies them.
        DetectorKind::YuNet => [(1, 0), (1, 1), (4, 0), (10, 0)]
            .into_iter()
            .flat_map(|(columns, n)| cells.map(|rows| nth(rows, columns, n)))
            .collect(),
        DetectorKind::Scrfd => {
            let points = shapes.len() == 9;
            // All published models have two rows for each cell. The trainer's default, a single anchor
            // scale, gives one.
            [2, 1].into_iter().find_map(|per_cell| {
                let columns: &[usize] = if points { &[1, 4, 10] } else { &[1, 4] };
                columns
                    .iter()
                    .flat_map(|columns| cells.map(|rows| nth(rows * per_cell, *columns, 0)))
                    .collect()
            })
        }
        DetectorKind::UltraFace => {
            let rows = ultraface::rows(size);
            [2, 4].into_iter().map(|columns| nth(rows, columns, 0)).collect()
        }
        DetectorKind::RetinaFace => {
            let rows = retinaface::rows(size);
            [4, 2, 10].into_iter().map(|columns| nth(rows, columns, 0)).collect()
        }
        DetectorKind::BlazeFace => {
            let grids = blazeface::GRIDS.map(|(side, anchors)| side * side * anchors);
            let joined = [grids.iter().sum()];
            let rows: &[usize] = if shapes.len() == 2 { &joined } else { &grids };
            [1, blazeface::VALUES]
                .into_iter()
                .flat_map(|columns| rows.iter().map(move |rows| nth(*rows, columns, 0)))
                .collect()
        }
        DetectorKind::YoloV5Face => Some(vec![nth(3 * yolo::cells(size), yolo::V5_VALUES, 0)?]),
        DetectorKind::YoloV8Face => {
            let boxes = yolo::cells(size);
            yolo::V8_VALUES.iter().find_map(|values| Some(vec![nth(*values, boxes, 0)?]))
        }
        DetectorKind::YoloV8FaceSuppressed | DetectorKind::YoloV8BoxSuppressed => {
            let values = usize::from(kind == DetectorKind::YoloV8BoxSuppressed);
            let columns = yolo::SUPPRESSED_VALUES[values];
            (shapes.len() == 1 && shapes[0].columns == columns).then(|| vec![0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(shape: [Option<usize>; 4]) -> TensorInfo {
        TensorInfo {
            name: "any".to_owned(),
            element: Some(ElementType::F32),
            shape: shape.to_vec(),
        }
    }

    fn recognised(bound: [usize; 4], outputs: &[[usize; 3]]) -> Option<DetectorMatch> {
        let outputs: Vec<&[usize]> = outputs.iter().map(|shape| &shape[..]).collect();
        recognise_shapes(&input(bound.map(Some)), &bound, &outputs)
    }

    /// Shapes of an output for each of three strides of a 320x320 input.
    fn levels(per_cell: usize, columns: usize) -> [[usize; 3]; 3] {
        [1600, 400, 100].map(|rows| [1, rows * per_cell, columns])
    }

    #[test]
    fn families_by_shape_in_any_order() {
        let yunet = [levels(1, 1), levels(1, 1), levels(1, 4), levels(1, 10)].concat();
        let found = recognised([1, 3, 320, 320], &yunet).unwrap();
        assert_eq!(found.kind, DetectorKind::YuNet);
        assert_eq!(found.outputs, (0..12).collect::<Vec<_>>());
        assert!(!found.free_size);

        let scrfd = [levels(2, 10), levels(2, 4), levels(2, 1)].concat();
        let found = recognised([1, 3, 320, 320], &scrfd).unwrap();
        assert_eq!(found.kind, DetectorKind::Scrfd);
        assert_eq!(found.outputs, [6, 7, 8, 3, 4, 5, 0, 1, 2]);
        let found = recognised([1, 3, 320, 320], &scrfd[3..]).unwrap();
        assert_eq!((found.kind, found.outputs.len()), (DetectorKind::Scrfd, 6));

        let ultraface = [[1, 4420, 4], [1, 4420, 2]];
        let found = recognised([1, 3, 240, 320], &ultraface).unwrap();
        assert_eq!((found.kind, found.outputs), (DetectorKind::UltraFace, vec![1, 0]));
        assert_eq!(found.size, Size::new(320, 240));

        let retinaface = [[1, 16800, 10], [1, 16800, 4], [1, 16800, 2]];
        let found = recognised([1, 3, 640, 640], &retinaface).unwrap();
        assert_eq!((found.kind, found.outputs), (DetectorKind::RetinaFace, vec![1, 2, 0]));

        for (output, kind) in [
            ([1, 25200, 16], DetectorKind::YoloV5Face),
            ([1, 20, 8400], DetectorKind::YoloV8Face),
            ([1, 5, 8400], DetectorKind::YoloV8Face),
            ([1, 300, 21], DetectorKind::YoloV8FaceSuppressed),
            ([1, 300, 6], DetectorKind::YoloV8BoxSuppressed),
        ] {
            let found = recognised([1, 3, 640, 640], &[output]).unwrap();
            assert_eq!((found.kind, found.outputs), (kind, vec![0]));
        }
        // Of the COCO classes, and of another input size.
        assert_eq!(recognised([1, 3, 640, 640], &[[1, 84, 8400]]), None);
        assert_eq!(recognised([1, 3, 320, 320], &[[1, 20, 8400]]), None);

        let front = [[1, 896, 16], [1, 896, 1]];
        let found = recognised([1, 128, 128, 3], &front).unwrap();
        assert_eq!((found.kind, found.outputs), (DetectorKind::BlazeFace, vec![1, 0]));
    }

    #[test]
    fn other_models_match_no_family() {
        // Rows of another input size, an output too many, planes where pixels are expected.
        assert_eq!(recognised([1, 3, 240, 320], &[[1, 17640, 2], [1, 17640, 4]]), None);
        let extra = [[1, 4420, 2], [1, 4420, 4], [1, 4420, 4]];
        assert_eq!(recognised([1, 3, 240, 320], &extra), None);
        assert_eq!(recognised([1, 3, 128, 128], &[[1, 896, 1], [1, 896, 16]]), None);
        assert_eq!(recognised([1, 3, 448, 448], &[[1, 1, 90], [1, 1, 90]]), None);
    }

    #[test]
    fn a_detector_of_other_things_is_not_taken() {
        let named = |names: &str| {
            let metadata = [("names".to_owned(), names.to_owned())].into();
            finds_faces(&ModelInfo { metadata, ..ModelInfo::default() })
        };
        assert!(named("{0: 'face'}") && named("{0: 'Human-face'}"));
        assert!(!named("{0: 'person', 1: 'bicycle'}"));
        assert!(finds_faces(&ModelInfo::default()), "most files name no classes");
    }

    #[test]
    fn a_free_input_size_is_recognised() {
        let outputs = [levels(2, 1), levels(2, 4)].concat();
        let outputs: Vec<&[usize]> = outputs.iter().map(|shape| &shape[..]).collect();
        let open = input([Some(1), Some(3), None, None]);
        let found = recognise_shapes(&open, &[1, 3, 320, 320], &outputs).unwrap();
        assert!(found.free_size);
    }
}
