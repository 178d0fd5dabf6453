//! Turns errors of the core and the engine into GStreamer's: domain, code, and a text with the cause
//! and the remedy.

use crate::core::inference::EngineError;
use crate::engine::OpenError;

/// Why a model does not open. An element that starts posts it as an error ([`gst::ErrorMessage`]); an
/// element that runs warns and keeps its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelOpenError {
    code: ErrorCode,
    /// Cause and remedy.
    pub text: String,
}

/// The code among GStreamer's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorCode {
    NotFound,
    Unreadable,
    Settings,
    Library,
    Failed,
    WrongType,
}

impl ModelOpenError {
    /// A property is wrong or missing.
    pub fn settings(text: impl Into<String>) -> Self {
        Self { code: ErrorCode::Settings, text: text.into() }
    }

    /// The file holds a model of another kind.
    pub fn wrong_type(text: impl Into<String>) -> Self {
        Self { code: ErrorCode::WrongType, text: text.into() }
    }

    /// The error of opening a gaze model with its profile.
    pub fn of_model(path: &str, error: &OpenError) -> Self {
        match error {
            OpenError::Engine(error) => error.into(),
            OpenError::Profile(error) => Self::settings(format!("'{path}': {error}")),
        }
    }
}

impl From<&EngineError> for ModelOpenError {
    fn from(error: &EngineError) -> Self {
        let code = match error {
            EngineError::NotFound { .. } => ErrorCode::NotFound,
            EngineError::Load { .. } => ErrorCode::Unreadable,
            EngineError::Runtime { .. } | EngineError::Provider { .. } => ErrorCode::Library,
            EngineError::Unsupported(_) => ErrorCode::WrongType,
            EngineError::Run(_) => ErrorCode::Failed,
        };
        Self { code, text: error.to_string() }
    }
}

impl From<ModelOpenError> for gst::ErrorMessage {
    fn from(ModelOpenError { code, text }: ModelOpenError) -> Self {
        match code {
            ErrorCode::NotFound => gst::error_msg!(gst::ResourceError::NotFound, ("{text}")),
            ErrorCode::Unreadable => gst::error_msg!(gst::ResourceError::OpenRead, ("{text}")),
            ErrorCode::Settings => gst::error_msg!(gst::ResourceError::Settings, ("{text}")),
            ErrorCode::Library => gst::error_msg!(gst::LibraryError::Init, ("{text}")),
            ErrorCode::Failed => gst::error_msg!(gst::LibraryError::Failed, ("{text}")),
            ErrorCode::WrongType => gst::error_msg!(gst::StreamError::WrongType, ("{text}")),
        }
    }
}

/// The error message with which an element refuses to start.
pub fn engine_error(error: &EngineError) -> gst::ErrorMessage {
    ModelOpenError::from(error).into()
}
