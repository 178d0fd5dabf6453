//! Opens a camera calibration for an element: a path in, a camera or an error message out.

use std::path::Path;

use crate::core::geometry::camera::Camera;
use crate::engine::user_file::{self, FileError};

/// Reads a calibration file.
pub fn open(path: &str) -> Result<Camera, gst::ErrorMessage> {
    let text = user_file::read_text(Path::new(path)).map_err(|why| match why {
        FileError::NotFound => gst::error_msg!(
            gst::ResourceError::NotFound,
            ("The camera calibration '{path}' does not exist; correct or unset the property 'camera'")
        ),
        FileError::NotText => gst::error_msg!(
            gst::ResourceError::OpenRead,
            ("The camera calibration '{path}' is not a text file; set 'camera' to a YAML file of \
                 OpenCV or ROS, or to a TOML file")
        ),
        why => gst::error_msg!(
            gst::ResourceError::OpenRead,
            ("Cannot read the camera calibration '{path}': {why}")
        ),
    })?;
    Camera::from_text(&text).map_err(|why| {
        gst::error_msg!(gst::ResourceError::Settings, ("Camera calibration '{path}': {why}"))
    })
}
