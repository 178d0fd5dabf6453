//! Recognises an attribute model by the shapes of its input and outputs.

use super::error::AttributeError;
use super::model::{Attribute, AttributeModel};
use crate::core::face::detect;
use crate::core::inference::engine::Engine;
use crate::core::inference::tensor::{ElementType, list};

/// The family that a model matches, and the positions of the outputs to read.
pub(super) struct AttributeMatch {
    pub model: AttributeModel,
    pub outputs: Vec<usize>,
}

fn find(engine: &dyn Engine) -> Option<AttributeMatch> {
    let [input] = engine.info().inputs.as_slice() else { return None };
    let float = matches!(input.element, Some(ElementType::F32 | ElementType::F16));
    if !float || !matches!(*engine.input_shape(0), [1, 3, _, _]) {
        return None;
    }
    AttributeModel::ALL
        .into_iter()
        .find_map(|model| Some(AttributeMatch { model, outputs: model.outputs(engine)? }))
}

/// The family of a model that was opened for one item, whatever its attribute.
pub fn recognise_any(engine: &dyn Engine) -> Option<AttributeModel> {
    find(engine).map(|found| found.model)
}

/// Recognises a model for `attribute` that was opened for one item.
///
/// # Errors
/// Fails for a model of another attribute or element, which the message names, and for an unknown one.
pub(super) fn recognise(
    engine: &dyn Engine,
    attribute: Attribute,
) -> Result<AttributeMatch, AttributeError> {
    let (property, wanted) = (attribute.property(), attribute.wanted());
    let info = engine.info();
    match find(engine) {
        Some(found) if found.model.attribute() == attribute => return Ok(found),
        Some(AttributeMatch { model, .. }) => {
            let (name, belongs) = (model.name(), model.attribute().property());
            return Err(AttributeError::OtherAttribute { name, belongs, property, wanted });
        }
        None => {}
    }
    match detect::recognise(engine) {
        Ok(detector) => {
            Err(AttributeError::Detector { name: detector.kind.name(), property, wanted })
        }
        Err(detect::DetectError::GazeModel) => Err(AttributeError::GazeModel { property, wanted }),
        Err(_) => Err(AttributeError::Unrecognised {
            property,
            inputs: list(&info.inputs),
            outputs: list(&info.outputs),
            known: AttributeModel::ALL
                .into_iter()
                .filter(|model| model.attribute() == attribute)
                .map(AttributeModel::signature)
                .collect(),
        }),
    }
}
