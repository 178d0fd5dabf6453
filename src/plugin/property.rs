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
