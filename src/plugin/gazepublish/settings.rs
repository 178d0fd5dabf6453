//! The properties of `gazepublish`: values, ranges, defaults and descriptions.

use std::sync::LazyLock;
use std::time::Duration;

use gst::prelude::*;

/// The values of the writable properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Destination of the lines; parsed when the element starts.
    pub location: String,
    /// Append to an existing file.
    pub append: bool,
    /// Write a line for a frame without faces too.
    pub add_empty_results: bool,
    /// Most lines that wait for the reader.
    pub queue_size: u32,
    /// How long EOS and stopping wait for the reader.
    pub flush_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            location: "-".into(),
            append: false,
            add_empty_results: false,
            queue_size: 256,
            flush_timeout: Duration::from_secs(2),
        }
    }
}

/// The longest queue: half an hour at one line for each frame of a 30 fps stream.
const MAX_QUEUE: u32 = 65536;

/// Every property of the element.
pub fn properties() -> &'static [glib::ParamSpec] {
    static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let defaults = Settings::default();
        vec![
            glib::ParamSpecString::builder("location")
                .nick("Location")
                .blurb(
                    "Destination of the lines: '-' or 'stdout', the path of a file, 'unix:PATH' (the \
                     reader's stream socket) or 'udp://HOST:PORT' (one datagram per line)",
                )
                .default_value(Some(defaults.location.as_str()))
                .mutable_ready()
                .build(),
            glib::ParamSpecBoolean::builder("append")
                .nick("Append")
                .blurb("Append to an existing file instead of overwriting it")
                .default_value(defaults.append)
                .mutable_ready()
                .build(),
            glib::ParamSpecBoolean::builder("add-empty-results")
                .nick("Add empty results")
                .blurb("Write a line for a frame without faces too")
                .default_value(defaults.add_empty_results)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("queue-size")
                .nick("Queue size")
                .blurb("Most lines that wait for a slow reader; further lines are dropped")
                .minimum(1)
                .maximum(MAX_QUEUE)
                .default_value(defaults.queue_size)
                .mutable_ready()
                .build(),
            glib::ParamSpecUInt64::builder("flush-timeout")
                .nick("Flush timeout")
                .blurb("How long EOS and stopping wait for the reader to take the lines, in ns")
                .default_value(nanoseconds(defaults.flush_timeout))
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt64::builder("written")
                .nick("Written")
                .blurb("Lines written since the start")
                .read_only()
                .build(),
            glib::ParamSpecUInt64::builder("dropped")
                .nick("Dropped")
                .blurb("Lines dropped since the start")
                .read_only()
                .build(),
        ]
    });
    &PROPERTIES
}

impl Settings {
    /// Sets the property `name`; `value` is of its type.
    pub fn set(&mut self, name: &str, value: &glib::Value) {
        match name {
            "location" => {
                let text = value.get::<Option<String>>().ok().flatten();
                self.location = text.unwrap_or_else(|| Self::default().location);
            }
            "append" => assign(&mut self.append, value),
            "add-empty-results" => assign(&mut self.add_empty_results, value),
            "queue-size" => assign(&mut self.queue_size, value),
            "flush-timeout" => {
                let mut time = nanoseconds(self.flush_timeout);
                assign(&mut time, value);
                self.flush_timeout = Duration::from_nanos(time);
            }
            _ => {}
        }
    }

    /// The value of the writable property `name`.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "location" => self.location.to_value(),
            "append" => self.append.to_value(),
            "add-empty-results" => self.add_empty_results.to_value(),
            "queue-size" => self.queue_size.to_value(),
            "flush-timeout" => nanoseconds(self.flush_timeout).to_value(),
            _ => return None,
        })
    }
}

/// GObject has checked the type already.
fn assign<T: for<'a> glib::value::FromValue<'a> + 'static>(field: &mut T, value: &glib::Value) {
    if let Ok(new) = value.get_owned() {
        *field = new;
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
