//! The messages of the engine and of ONNX Runtime, and where they go.

use std::fmt;

use parking_lot::RwLock;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOrigin {
    /// This crate's engine: its decisions, few and worth reading.
    Engine,
    /// ONNX Runtime, which tells every step.
    OnnxRuntime,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Every step.
    Verbose,
    /// Decisions.
    Info,
    /// What may be wrong.
    Warning,
    /// Failures, which are returned as errors as well.
    Error,
}

impl From<ort::logging::LogLevel> for LogLevel {
    fn from(level: ort::logging::LogLevel) -> Self {
        use ort::logging::LogLevel as Ort;
        match level {
            Ort::Verbose => Self::Verbose,
            Ort::Info => Self::Info,
            Ort::Warning => Self::Warning,
            Ort::Error | Ort::Fatal => Self::Error,
        }
    }
}

impl From<LogLevel> for ort::logging::LogLevel {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Verbose => Self::Verbose,
            LogLevel::Info => Self::Info,
            LogLevel::Warning => Self::Warning,
            LogLevel::Error => Self::Error,
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verbose => "verbose",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Takes a message: who speaks, its level, for ONNX Runtime the location in its sources, the text. Any
/// thread calls it, also while a model runs; it must not block, and a panic in it ends the process.
pub type LogSink = fn(origin: LogOrigin, level: LogLevel, location: &str, message: &str);

#[derive(Clone, Copy)]
struct Log {
    sink: Option<LogSink>,
    level: LogLevel,
}

static LOG: RwLock<Log> = RwLock::new(Log { sink: None, level: LogLevel::Warning });

/// Sends the messages of the engine, and those of ONNX Runtime from `level` on, to `sink`. Without a sink they are dropped: a
/// library keeps off its host's standard error, and failures come back as errors.
///
/// The level holds for models that are opened after the call.
pub fn set_log_sink(sink: LogSink, level: LogLevel) {
    *LOG.write() = Log { sink: Some(sink), level };
}

/// The level with which sessions open.
pub(super) fn level() -> LogLevel {
    LOG.read().level
}

/// Sends a message of ONNX Runtime.
pub(super) fn send(level: LogLevel, location: &str, message: &str) {
    let Log { sink, level: least } = *LOG.read();
    if let Some(sink) = sink.filter(|_| level >= least) {
        sink(LogOrigin::OnnxRuntime, level, location, message);
    }
}

/// Sends a message of the engine.
pub(super) fn tell(level: LogLevel, message: &str) {
    let sink = LOG.read().sink;
    if let Some(sink) = sink {
        sink(LogOrigin::Engine, level, "", message);
    }
}
