//! Errors of the core and the engine as GStreamer's: domain, code, and a text that names the cause
//! and the remedy.

use crate::core::inference::EngineError;
use crate::engine::OpenError;

/// Why a model is not used. An element that starts posts it as an error
/// ([`gst::ErrorMessage`]); one that runs already goes on and warns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    kind: Kind,
    /// Cause and remedy.
    pub text: String,
}

/// Which of GStreamer's errors it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NotFound,
    Unreadable,
    Settings,
    Library,
    Failed,
    WrongType,
}

impl Refusal {
    /// A property is wrong or lacking.
    pub fn settings(text: impl Into<String>) -> Self {
        Self { kind: Kind::Settings, text: text.into() }
    }

    /// The model is none for this purpose.
    pub fn wrong_type(text: impl Into<String>) -> Self {
        Self { kind: Kind::WrongType, text: text.into() }
    }

    /// Of a gaze model with its profile.
    pub fn of_model(path: &str, error: &OpenError) -> Self {
        match error {
            OpenError::Engine(error) => error.into(),
            OpenError::Profile(error) => Self::settings(format!("'{path}': {error}")),
        }
    }
}

impl From<&EngineError> for Refusal {
    fn from(error: &EngineError) -> Self {
        let kind = match error {
            EngineError::NotFound { .. } => Kind::NotFound,
            EngineError::Load { .. } => Kind::Unreadable,
            EngineError::Runtime { .. } | EngineError::Provider { .. } => Kind::Library,
            EngineError::Unsupported(_) => Kind::WrongType,
            EngineError::Run(_) => Kind::Failed,
        };
        Self { kind, text: error.to_string() }
    }
}

impl From<Refusal> for gst::ErrorMessage {
    fn from(Refusal { kind, text }: Refusal) -> Self {
        match kind {
            Kind::NotFound => gst::error_msg!(gst::ResourceError::NotFound, ("{text}")),
            Kind::Unreadable => gst::error_msg!(gst::ResourceError::OpenRead, ("{text}")),
            Kind::Settings => gst::error_msg!(gst::ResourceError::Settings, ("{text}")),
            Kind::Library => gst::error_msg!(gst::LibraryError::Init, ("{text}")),
            Kind::Failed => gst::error_msg!(gst::LibraryError::Failed, ("{text}")),
            Kind::WrongType => gst::error_msg!(gst::StreamError::WrongType, ("{text}")),
        }
    }
}

/// The error message with which an element refuses to start.
pub fn engine_error(error: &EngineError) -> gst::ErrorMessage {
    Refusal::from(error).into()
}
