//! A face region as an element reads it from metadata, with a handle to that metadata.

use crate::core::face::FaceRegion;

/// A face region and the metadata that it came from, to which the gaze goes back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputRegion {
    /// The face.
    pub face: FaceRegion,
    /// The metadata of the region.
    pub meta: MetaHandle,
}

/// A handle to the metadata of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaHandle {
    /// A `GstVideoRegionOfInterestMeta`. Several may have the same id, so the position counts.
    Roi {
        /// Position among the regions of the buffer.
        index: usize,
    },
    /// A GstAnalytics object detection.
    #[cfg(feature = "v1_24")]
    Analytics {
        /// Id of the object detection within its relation metadata.
        id: u32,
    },
    /// An object of DeepStream.
    Object {
        /// Position among the objects of its frame.
        position: usize,
    },
    /// No metadata: the region is the whole frame or the property `region`.
    None,
}
