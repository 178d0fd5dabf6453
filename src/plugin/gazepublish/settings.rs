//! The properties of `gazepublish`: values, ranges, defaults and descriptions.

use std::sync::LazyLock;
use std::time::Duration;

use glib::prelude::*;

use super::line_file::FileLimits;
use super::output::FileOptions;
use crate::plugin::property::{Property, Table};

/// The values of the writable properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Destination of the lines; parsed when the element starts.
    pub location: String,
    /// Append to an existing file.
    pub append: bool,
    /// Largest size of a file, bytes; 0 for none.
    pub max_size_bytes: u64,
    /// Longest time that a file is written to, ns; 0 for ever.
    pub max_size_time_ns: u64,
    /// Most files, the current one included.
    pub max_files: u32,
    /// Write a line for a frame without faces too.
    pub add_empty_results: bool,
    /// Most lines that wait for the reader.
    pub queue_size: u32,
    /// How long EOS and stopping wait for the reader, ns.
    pub flush_timeout_ns: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            location: DEFAULT_LOCATION.into(),
            append: false,
            max_size_bytes: 0,
            max_size_time_ns: 0,
            max_files: 10,
            add_empty_results: false,
            queue_size: 256,
            flush_timeout_ns: 2_000_000_000,
        }
    }
}

/// The default destination: standard output.
const DEFAULT_LOCATION: &str = "-";

/// The longest queue: half an hour at one line for each frame of a 30 fps stream.
const MAX_QUEUE: u32 = 65536;

/// The most files: each new one renames the old ones.
const MAX_FILES: u32 = 1000;

/// The table of all properties.
pub(super) static PROPERTIES: LazyLock<Table<Settings>> = LazyLock::new(|| {
    type P = Property<Settings>;
    Table::new(vec![
        P::string(
            "location",
            |s| s.location.to_value(),
            |s, text| {
                s.location = text.unwrap_or(DEFAULT_LOCATION).to_owned();
                Ok(())
            },
        )
        .nick("Location")
        .blurb(
            "Destination of the lines: '-' or 'stdout', the path of a file, 'unix:PATH' \
                 (the reader's stream socket) or 'udp://HOST:PORT' (one datagram per line)",
        )
        .mutable_ready(),
        P::flag("append", |s| &mut s.append)
            .nick("Append")
            .blurb("Append to an existing file instead of overwriting it")
            .mutable_ready(),
        P::number("max-size-bytes", 0..=u64::MAX, |s| &mut s.max_size_bytes)
            .nick("Maximum size in bytes")
            .blurb(
                "Begin a new file before a line that would make the file larger, in bytes; the old file \
                 becomes NAME.1, the one before NAME.2, and so on; 0 for one file of any size",
            )
            .mutable_ready(),
        P::number("max-size-time", 0..=u64::MAX, |s| &mut s.max_size_time_ns)
            .nick("Maximum time")
            .blurb(
                "Begin a new file with the first line after this time, in ns; it counts from the opening \
                 of the file; 0 for one file for ever",
            )
            .mutable_ready(),
        P::number("max-files", 1..=MAX_FILES, |s| &mut s.max_files)
            .nick("Maximum number of files")
            .blurb(
                "Most files with max-size-bytes or max-size-time, the current one included; a new file \
                 removes the oldest",
            )
            .mutable_ready(),
        P::flag("add-empty-results", |s| &mut s.add_empty_results)
            .nick("Add empty results")
            .blurb("Write a line for a frame without faces too")
            .mutable_playing(),
        P::number("queue-size", 1..=MAX_QUEUE, |s| &mut s.queue_size)
            .nick("Queue size")
            .blurb("Most lines that wait for a slow reader; further lines are dropped")
            .mutable_ready(),
        P::number("flush-timeout", 0..=u64::MAX, |s| &mut s.flush_timeout_ns)
            .nick("Flush timeout")
            .blurb("How long EOS and stopping wait for the reader to take the lines, in ns")
            .mutable_playing(),
    ])
    .read_only(counter("written", "Written", "Lines written since the start"))
    .read_only(counter("dropped", "Dropped", "Lines dropped since the start"))
});

/// The description of a read-only counter.
fn counter(name: &str, nick: &str, blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecUInt64::builder(name).nick(nick).blurb(blurb).read_only().build()
}

impl Settings {
    /// How files are written.
    pub(super) fn file_options(&self) -> FileOptions {
        let time = Duration::from_nanos(self.max_size_time_ns);
        let limits = FileLimits { bytes: self.max_size_bytes, time, files: self.max_files };
        FileOptions { append: self.append, limits }
    }

    /// How long EOS and stopping wait for the reader.
    pub fn flush_timeout(&self) -> Duration {
        Duration::from_nanos(self.flush_timeout_ns)
    }
}
