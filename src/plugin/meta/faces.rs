//! `GazeFaces`: the faces that `gazeface` found, and that it looked.
//!
//! The regions themselves are ordinary `GstVideoRegionOfInterestMeta`, which GStreamer scales and
//! which any element understands. This meta adds what gets lost on the way (region parameters do
//! not survive `videoconvert`), and it is there, with an empty list, when no face was found, which
//! a missing region cannot say.
//!
//! Fields: `width`, `height` (int) and `faces` (GstValueArray of GstStructure `face` with `x y w h`,
//! `confidence`, `landmarks`, `eyes`, `eye-openness`, `track-id`, `head-*` as in `GazeMeta`, and
//! `roi-id` (int), the id of the region that it belongs to).

use gst::meta::CustomMeta;

use super::structure;
use crate::core::face::FaceRegion;
use crate::core::geometry::Size;

/// Name under which the metadata is registered.
pub const NAME: &str = "GazeFaces";

/// What `gazeface` knows of a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundFaces {
    /// The frame that the boxes are measured in.
    pub size: Size,
    /// Each face with the id of its region of interest.
    pub faces: Vec<(i32, FaceRegion)>,
}

/// Says on the buffer that it was looked at, and what was found.
pub fn add(
    buffer: &mut gst::BufferRef,
    size: Size,
    faces: &[(i32, FaceRegion)],
) -> Result<(), glib::BoolError> {
    let mut meta = super::fresh(buffer, NAME)?;
    let s = meta.mut_structure();
    structure::set_size(s, size);
    structure::set_faces(
        s,
        faces.iter().map(|(id, face)| {
            let mut s = structure::from_region(face);
            s.set("roi-id", id);
            s
        }),
    );
    Ok(())
}

/// Reads it into `found`, whose memory is reused; `false` where `gazeface` did not look.
pub fn read_into(buffer: &gst::BufferRef, found: &mut FoundFaces) -> bool {
    found.faces.clear();
    let Ok(meta) = CustomMeta::from_buffer(buffer, NAME) else { return false };
    let s = meta.structure();
    let Some(size) = structure::size(s) else { return false };
    found.size = size;
    structure::for_each_face(s, |face| {
        if let Some(region) = structure::to_region(face) {
            found.faces.push((face.get("roi-id").unwrap_or(-1), region));
        }
    });
    true
}
