//! What the publishers' own pipelines found in the reference frames.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// One frame: the name of its picture, and the faces `F` that each detector found.
#[derive(Deserialize)]
pub struct ReferenceFrame<F> {
    pub png: String,
    pub detectors: BTreeMap<String, Vec<F>>,
}

/// Every reference frame, with the part `F` of each face that the test reads; `None`, and the test
/// is named as left out, where the material is absent.
pub fn reference_frames<F: DeserializeOwned>(test: &str) -> Option<Vec<ReferenceFrame<F>>> {
    let path = super::shared(test, "models/reference/reference.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}
