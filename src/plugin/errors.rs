//! Errors of the core and the engine as GStreamer's: domain, code, and a text that names the cause
//! and the remedy.

use crate::core::tensor::EngineError;
use crate::engine::OpenError;

/// The error message with which an element refuses to start.
pub fn engine_error(error: &EngineError) -> gst::ErrorMessage {
    let text = error.to_string();
    match error {
        EngineError::NotFound { .. } => {
            gst::error_msg!(gst::ResourceError::NotFound, ("{text}"))
        }
        EngineError::Load { .. } => gst::error_msg!(gst::ResourceError::OpenRead, ("{text}")),
        EngineError::Runtime { .. } | EngineError::Provider { .. } => {
            gst::error_msg!(gst::LibraryError::Init, ("{text}"))
        }
        EngineError::Unsupported(_) => gst::error_msg!(gst::StreamError::WrongType, ("{text}")),
        EngineError::Run(_) => gst::error_msg!(gst::LibraryError::Failed, ("{text}")),
    }
}

/// The same for a gaze model with its profile.
pub fn open_error(path: &str, error: &OpenError) -> gst::ErrorMessage {
    match error {
        OpenError::Engine(error) => engine_error(error),
        OpenError::Profile(error) => {
            gst::error_msg!(gst::ResourceError::Settings, ("'{path}': {error}"))
        }
    }
}
