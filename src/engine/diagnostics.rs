//! What opening a model reports besides success or failure: which provider was taken and why, and
//! what the engine cache did.

use std::cell::RefCell;

use super::log::{self, LogLevel};

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// [`LogLevel::Info`] for a decision, [`LogLevel::Warning`] for what the user may want to change.
    pub level: LogLevel,
    /// One or more sentences.
    pub text: String,
}

/// What opening gives: the model or why there is none, and the diagnostics on the way.
#[derive(Debug)]
#[must_use]
pub struct Opened<T, E> {
    /// The model, or why it cannot run.
    pub result: Result<T, E>,
    /// In the order in which they came up.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T, E> Opened<T, E> {
    /// Runs `open` and collects its diagnostics.
    pub(super) fn collect(open: impl FnOnce(&Diagnostics) -> Result<T, E>) -> Self {
        let diagnostics = Diagnostics::default();
        let result = open(&diagnostics);
        Self { result, diagnostics: diagnostics.0.into_inner() }
    }

    /// The result; its diagnostics are appended to `list`.
    ///
    /// # Errors
    /// That of the result.
    pub fn into_result(mut self, list: &mut Vec<Diagnostic>) -> Result<T, E> {
        list.append(&mut self.diagnostics);
        self.result
    }
}

/// Collects diagnostics while a model opens. Each also goes to the
/// [log sink](log::set_log_sink) at once, because opening may take minutes.
#[derive(Debug, Default)]
pub(super) struct Diagnostics(RefCell<Vec<Diagnostic>>);

impl Diagnostics {
    pub(super) fn info(&self, text: String) {
        self.push(LogLevel::Info, text);
    }

    pub(super) fn warning(&self, text: String) {
        self.push(LogLevel::Warning, text);
    }

    fn push(&self, level: LogLevel, text: String) {
        log::tell(level, &text);
        self.0.borrow_mut().push(Diagnostic { level, text });
    }
}
