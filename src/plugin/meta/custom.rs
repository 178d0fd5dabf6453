//! Adding a GstCustomMeta to a buffer.

use gst::meta::CustomMeta;

/// Returns the buffer's meta `name` with an empty structure: a new one, or the present one cleared,
/// after `cleared` has seen it.
pub(super) fn add_or_clear<'a>(
    buffer: &'a mut gst::BufferRef,
    name: &str,
    cleared: impl FnOnce(&gst::StructureRef),
) -> Result<gst::MetaRefMut<'a, CustomMeta, gst::meta::Standalone>, glib::BoolError> {
    // The lookup comes before the mutable borrow, as the borrow checker demands.
    if CustomMeta::from_buffer(buffer, name).is_ok() {
        let mut meta = CustomMeta::from_mut_buffer(buffer, name)?;
        cleared(meta.structure());
        meta.mut_structure().remove_all_fields();
        return Ok(meta);
    }
    CustomMeta::add(buffer, name)
}
