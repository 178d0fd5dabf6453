//! `GazeFaces`: the faces that `gazeface` found, on every frame that it processed.
//!
//! The regions themselves are ordinary `GstVideoRegionOfInterestMeta`, which GStreamer scales and
//! which any element understands. This meta keeps what gets lost on the way (region parameters do
//! not survive `videoconvert`). With an empty list it also tells a frame without faces from one that
//! no detector saw.
//!
//! Fields: `width`, `height` (int) and `faces` (GstValueArray of GstStructure `face` with `x y w h`,
//! `confidence`, `landmarks`, `eyes`, `eye-openness`, `track-id`, `head-*` as in `GazeMeta`, and
//! `roi-id` (int), the id of its region).

use gst::meta::CustomMeta;

use super::{custom, structure};
use crate::core::face::FaceRegion;
use crate::core::geometry::Size;

/// The registered name of the metadata.
pub const NAME: &str = "GazeFaces";

/// The content of a `GazeFaces`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GazeFaces {
    /// The size of the frame that the boxes refer to.
    pub size: Size,
    /// The faces, each with the id of its region of interest.
    pub faces: Vec<(i32, FaceRegion)>,
}

/// Puts a `GazeFaces` on the buffer, in place of one that is there already.
pub fn add(
    buffer: &mut gst::BufferRef,
    size: Size,
    faces: &[(i32, FaceRegion)],
) -> Result<(), glib::BoolError> {
    let mut meta = custom::add_or_clear(buffer, NAME, |_| ())?;
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

/// Reads the meta into `out` and reuses its memory, the first [`MAX_FACES`](super::MAX_FACES) faces;
/// returns `false` without the meta, or without a frame size in it.
pub fn read_into(buffer: &gst::BufferRef, out: &mut GazeFaces) -> bool {
    out.faces.clear();
    let Ok(meta) = CustomMeta::from_buffer(buffer, NAME) else { return false };
    let s = meta.structure();
    let Some(size) = structure::size(s) else { return false };
    out.size = size;
    structure::for_each_face(s, |face| {
        if let Some(region) = structure::to_region(face) {
            out.faces.push((face.get("roi-id").unwrap_or(-1), region));
        }
    });
    true
}
