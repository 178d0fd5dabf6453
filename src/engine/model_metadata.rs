//! The metadata of a model that ONNX Runtime has opened.

use std::collections::BTreeMap;

use ort::session::Session;

use crate::core::profile::metadata_keys::{METADATA_NAME, METADATA_TOML};

/// Most entries that are read in full. `ModelMetadataLookupCustomMetadataMap` of ONNX Runtime 1.32 copies
/// the whole map for each key: 20,000 entries took 26 s.
const MAX_ENTRIES: usize = 256;

/// Reads the metadata: all of it up to [`MAX_ENTRIES`], else the entries that carry a profile.
pub(super) fn read(session: &Session) -> BTreeMap<String, String> {
    let Ok(metadata) = session.metadata() else { return BTreeMap::new() };
    // A key that is not UTF-8 fails the list of all keys, and must not hide the profile.
    let keys = metadata.custom_keys().ok().filter(|keys| keys.len() <= MAX_ENTRIES);
    let keys = keys.unwrap_or_default();
    let profile = [METADATA_NAME, METADATA_TOML].into_iter();
    let pairs = keys.iter().map(String::as_str).chain(profile).filter_map(|key| {
        let value = metadata.custom(key)?;
        Some((key.to_owned(), value))
    });
    pairs.collect()
}
