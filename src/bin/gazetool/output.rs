//! Answers and failures of commands, and how they reach the user.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

use crate::printable;

/// Version of the JSON documents: it grows when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

const NO: u8 = 1;
const USAGE: u8 = 2;
const CANNOT: u8 = 3;

/// A command's answer, for people and for programs.
pub struct Answer {
    text: String,
    json: Value,
    code: u8,
}

impl Answer {
    /// An answer that is yes.
    pub fn new(report: &(impl Serialize + fmt::Display)) -> Result<Self, Failure> {
        let json = serde_json::to_value(report).map_err(|why| Failure::cannot(why.to_string()))?;
        Ok(Self { text: report.to_string(), json, code: 0 })
    }

    /// The same answer as a yes or a no.
    pub fn verdict(mut self, yes: bool) -> Self {
        self.code = if yes { 0 } else { NO };
        self
    }

    /// The same answer; unless `complete`, the exit code says that a part could not be done.
    pub fn complete(mut self, complete: bool) -> Self {
        self.code = if complete { self.code } else { CANNOT };
        self
    }

    /// The JSON document.
    pub fn document(&self, command: &'static str) -> Result<String, Failure> {
        let version = env!("CARGO_PKG_VERSION");
        let document = Document { schema: SCHEMA, command, version, answer: &self.json };
        serde_json::to_string_pretty(&document)
            .map(|text| printable::json(&text).into_owned())
            .map_err(|why| Failure::cannot(why.to_string()))
    }
}

/// Why a command gives no answer. The text says what to do.
#[derive(Debug)]
pub struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    /// The command cannot do its work.
    pub fn cannot(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: CANNOT }
    }

    /// The same about a file.
    pub fn file(path: &Path, why: impl fmt::Display) -> Self {
        Self::cannot(format!("'{}': {why}", path.display()))
    }

    /// The arguments contradict each other.
    pub fn usage(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: USAGE }
    }

    /// The message for the user.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    version: &'static str,
    #[serde(flatten)]
    answer: &'a Value,
}

/// Takes standard output for the answer alone: what the libraries of execution providers print there,
/// while they work and when they are unloaded, goes to standard error.
///
/// # Errors
/// Where the process has no file descriptor left.
pub fn claim() -> io::Result<File> {
    let own = io::stdout().as_fd().try_clone_to_owned()?;
    nix::unistd::dup2_stdout(io::stderr())?;
    Ok(File::from(own))
}

/// Writes an answer to `out` and gives the exit code.
pub fn write(answer: &Answer, command: &'static str, json: bool, out: &mut File) -> ExitCode {
    let written = match json.then(|| answer.document(command)) {
        Some(Err(why)) => return fail(&why),
        Some(Ok(text)) => put(&text, out),
        None => put(&printable::lines(answer.text.trim_end()), out),
    };
    match written {
        // A reader may close the pipe early (`| head`); that is no failure.
        Err(why) if why.kind() != ErrorKind::BrokenPipe => {
            fail(&Failure::cannot(format!("cannot write the answer: {why}")))
        }
        _ => ExitCode::from(answer.code),
    }
}

fn put(text: &str, out: &mut File) -> io::Result<()> {
    // One write: a file has no buffer.
    out.write_all(format!("{text}\n").as_bytes())
}

/// Writes a failure to standard error and gives the exit code.
pub fn fail(failure: &Failure) -> ExitCode {
    note(&format!("error: {}", failure.text));
    ExitCode::from(failure.code)
}

/// Writes a text to standard error; a closed standard error is no failure.
pub fn note(text: &str) {
    // Indented, so that no line of a stranger's text passes for one of this program.
    let text = printable::lines(text).replace('\n', "\n  ");
    let _ = writeln!(io::stderr(), "gazetool: {text}");
}

/// A progress bar for work of known length, shown on standard error where that is a terminal.
pub fn progress(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    match ProgressStyle::with_template("{bar:40} {percent}% {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The same for work of unknown length.
pub fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    match ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
