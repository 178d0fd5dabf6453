//! What opening a model has to say besides success or failure: which provider was taken and why,
//! what became of the engine cache.

use std::sync::{Arc, Mutex, PoisonError};

use super::runtime::{self, LogLevel};

/// One thing to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// [`LogLevel::Info`] for what was decided, [`LogLevel::Warning`] for what its user may want to
    /// change.
    pub level: LogLevel,
    /// A sentence.
    pub text: String,
}

/// Where notes are collected. Clones share one list, so that whoever made the options reads them
/// after the model was opened. Each also goes to the [sink](runtime::set_log_sink) at once.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Vec<Note>>>);

impl Notes {
    /// Takes what has been collected.
    pub fn take(&self) -> Vec<Note> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn info(&self, text: String) {
        self.push(LogLevel::Info, text);
    }

    pub(super) fn warning(&self, text: String) {
        self.push(LogLevel::Warning, text);
    }

    fn push(&self, level: LogLevel, text: String) {
        runtime::log(level, "engine", &text);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Note { level, text });
    }
}
