//! Strings in metadata that other programs wrote: they may be absent where the bindings expect one, and
//! need not be UTF-8.
//!
//! The type of a region of interest is a quark, and C code may leave it at 0
//! (`gst_buffer_add_video_region_of_interest_meta (buffer, NULL, ...)`). The bindings make a string of
//! its null pointer, and take any bytes for UTF-8. They also panic over a string that is not UTF-8, which
//! GStreamer refuses as a field and not within an array. So the elements read metadata of others through
//! this file, which holds the only unsafe code for it.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{CStr, c_char};

use glib::translate::*;
use gst_video::VideoRegionOfInterestMeta;

/// The longest string that is taken from metadata, in bytes. Names of models, classes and zones are
/// shorter; a longer string is cut.
pub const MAX_TEXT: usize = 1024;

/// Returns the type of a region; `None` if it has none. Bytes that are no UTF-8 become U+FFFD, so that
/// such a type equals no class.
pub fn region_type(roi: &VideoRegionOfInterestMeta) -> Option<Cow<'_, str>> {
    let meta: *const VideoRegionOfInterestMeta = roi;
    // SAFETY: the type is a transparent wrapper of GstVideoRegionOfInterestMeta, and the reference
    // keeps it alive and readable.
    let quark = unsafe { (*meta.cast::<gst_video::ffi::GstVideoRegionOfInterestMeta>()).roi_type };
    of_quark(quark)
}

/// Returns the name of a quark; `None` if it has none (0).
fn of_quark<'a>(quark: glib::ffi::GQuark) -> Option<Cow<'a, str>> {
    // SAFETY: GLib looks the quark up and gives null for one without a string; it never frees the
    // strings of quarks.
    unsafe { text_at(glib::ffi::g_quark_to_string(quark)) }
}

/// Returns the class of a GstAnalytics object, as [`region_type`].
#[cfg(feature = "v1_24")]
pub fn quark_name(quark: glib::Quark) -> Option<Cow<'static, str>> {
    of_quark(quark.into_glib())
}

/// Returns the string in a value; `None` if the value has another type or is NULL.
pub fn of_value(value: &glib::Value) -> Option<Cow<'_, str>> {
    if !value.type_().is_a(glib::Type::STRING) {
        return None;
    }
    // SAFETY: the value holds a string, which lives as long as the value and ends with a zero.
    unsafe { text_at(glib::gobject_ffi::g_value_get_string(value.to_glib_none().0)) }
}

/// Returns the string in a field; `None` if the field is absent, has another type or is NULL.
pub fn of_field<'a>(s: &'a gst::StructureRef, name: &str) -> Option<Cow<'a, str>> {
    of_value(s.value(name).ok()?)
}

/// # Safety
/// `text` is null, or points to bytes that end with a zero and stay unchanged for `'a`.
unsafe fn text_at<'a>(text: *const c_char) -> Option<Cow<'a, str>> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    Some(match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(&text[..text.floor_char_boundary(MAX_TEXT)]),
        Err(_) => String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT)]),
    })
}

#[cfg(test)]
mod tests {
    use glib::prelude::*;

    use super::*;

    /// A value with these bytes as its string, as C code may write it.
    fn string_value(bytes: &CStr) -> glib::Value {
        let mut value = glib::Value::from_type(glib::Type::STRING);
        // SAFETY: the value is of the string type; GLib copies the bytes.
        unsafe {
            glib::gobject_ffi::g_value_set_string(value.to_glib_none_mut().0, bytes.as_ptr());
        }
        value
    }

    #[test]
    fn a_region_without_a_type_has_none() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::new();
        let raw = buffer.get_mut().unwrap().as_mut_ptr();
        // SAFETY: the buffer is writable; 0 is the quark of NULL.
        unsafe {
            gst_video::ffi::gst_buffer_add_video_region_of_interest_meta_id(raw, 0, 1, 2, 3, 4);
        }
        let latin = glib::Quark::from_str("placeholder");
        assert_eq!(of_quark(latin.into_glib()).as_deref(), Some("placeholder"));
        let roi = buffer.meta::<VideoRegionOfInterestMeta>().unwrap();
        assert_eq!(region_type(&roi), None);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced() {
        assert_eq!(of_value(&string_value(c"a\xffb")).as_deref(), Some("a\u{fffd}b"));
        assert_eq!(of_value(&"text".to_value()).as_deref(), Some("text"));
        assert_eq!(of_value(&None::<&str>.to_value()), None);
        assert_eq!(of_value(&1u32.to_value()), None);
        // SAFETY: the bytes are static and end with a zero.
        let quark = unsafe { glib::ffi::g_quark_from_static_string(c"fa\xe7e".as_ptr()) };
        assert_eq!(of_quark(quark).as_deref(), Some("fa\u{fffd}e"));
    }

    #[test]
    fn long_strings_are_cut_at_a_character() {
        let long = "é".repeat(MAX_TEXT);
        assert_eq!(of_value(&long.to_value()).unwrap().len(), MAX_TEXT);
        let odd = format!("x{long}");
        assert_eq!(of_value(&odd.to_value()).unwrap().len(), MAX_TEXT - 1);
    }
}
