//! Values of properties, taken out.

use std::sync::Arc;

/// GObject has checked the type against the property's description; this says what went wrong
/// anyway.
pub fn get<'v, T: glib::value::FromValue<'v>>(value: &'v glib::Value) -> Result<T, String> {
    value.get::<T>().map_err(|error| error.to_string())
}

/// A string that is there and not empty.
pub fn text(value: &glib::Value) -> Option<Arc<str>> {
    let text = value.get::<Option<&str>>().ok().flatten().filter(|s| !s.is_empty());
    text.map(Arc::from)
}

/// Checks a number that did not come through GObject against the property's range.
pub fn in_range(property: &glib::ParamSpec, value: &glib::Value) -> Result<(), String> {
    let (value, least, most) = if let Some(spec) = property.downcast_ref::<glib::ParamSpecUInt>() {
        let value: u32 = get(value)?;
        (i64::from(value), i64::from(spec.minimum()), i64::from(spec.maximum()))
    } else if let Some(spec) = property.downcast_ref::<glib::ParamSpecInt>() {
        let value: i32 = get(value)?;
        (i64::from(value), i64::from(spec.minimum()), i64::from(spec.maximum()))
    } else {
        return Ok(());
    };
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(format!("{} is not {least} to {most}: {value}", property.name()))
}
