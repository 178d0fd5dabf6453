//! Opens a camera calibration for an element: a path in, a camera or an error message out.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};

use crate::core::geometry::camera::Camera;

/// The longest file that is read as a calibration, in bytes.
const MAX_LENGTH: u64 = 1 << 20;

/// Reads a calibration file.
pub fn open(path: &str) -> Result<Camera, gst::ErrorMessage> {
    let text = read(path).map_err(|why| match why.kind() {
        ErrorKind::NotFound => gst::error_msg!(
            gst::ResourceError::NotFound,
            ("The camera calibration '{path}' does not exist; correct or unset the property 'camera'")
        ),
        ErrorKind::InvalidData => gst::error_msg!(
            gst::ResourceError::OpenRead,
            ("The camera calibration '{path}' is not a text file; set 'camera' to a YAML file of \
                 OpenCV or ROS, or to a TOML file")
        ),
        _ => gst::error_msg!(
            gst::ResourceError::OpenRead,
            ("Cannot read the camera calibration '{path}': {why}")
        ),
    })?;
    Camera::from_text(&text).map_err(|why| {
        gst::error_msg!(gst::ResourceError::Settings, ("Camera calibration '{path}': {why}"))
    })
}

fn read(path: &str) -> io::Result<String> {
    // Checked before it opens: opening a pipe waits for its writer.
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if meta.len() > MAX_LENGTH {
        let length = meta.len();
        let why = format!("it has {length} bytes; a calibration has at most {MAX_LENGTH}");
        return Err(io::Error::other(why));
    }
    let mut text = String::new();
    File::open(path)?.take(MAX_LENGTH).read_to_string(&mut text)?;
    Ok(text)
}
