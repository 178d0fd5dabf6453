//! What can be set on a `gazepublish`.

use std::sync::LazyLock;
use std::time::Duration;

use gst::prelude::*;

/// The values of the writable properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the lines go; parsed when the element starts.
    pub location: String,
    /// Keep what a file already holds.
    pub append: bool,
    /// Write a line also for a frame in which no face was found.
    pub add_empty_results: bool,
    /// Lines that may wait for the reader.
    pub queue_size: u32,
    /// How long the end of the stream waits for the reader.
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

/// The longest queue; at one line for each frame of a 30 fps stream it is half an hour.
const MAX_QUEUE: u32 = 65536;

/// Every property of the element.
pub fn properties() -> &'static [glib::ParamSpec] {
    static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let defaults = Settings::default();
        vec![
            glib::ParamSpecString::builder("location")
                .nick("Location")
                .blurb(
                    "Where the lines go: '-' or 'stdout', a file's path, 'unix:PATH' (a stream \
                     socket that somebody listens at) or 'udp://HOST:PORT' (one datagram a line)",
                )
                .default_value(Some(defaults.location.as_str()))
                .mutable_ready()
                .build(),
            glib::ParamSpecBoolean::builder("append")
                .nick("Append")
                .blurb("Add to a file that exists instead of starting it anew")
                .default_value(defaults.append)
                .mutable_ready()
                .build(),
            glib::ParamSpecBoolean::builder("add-empty-results")
                .nick("Add empty results")
                .blurb("Write a line also for a frame in which no face was found")
                .default_value(defaults.add_empty_results)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("queue-size")
                .nick("Queue size")
                .blurb("Lines that may wait for a slow reader; what does not fit is dropped")
                .minimum(1)
                .maximum(MAX_QUEUE)
                .default_value(defaults.queue_size)
                .mutable_ready()
                .build(),
            glib::ParamSpecUInt64::builder("flush-timeout")
                .nick("Flush timeout")
                .blurb("How long EOS and stopping wait for the lines to be written (ns)")
                .default_value(nanoseconds(defaults.flush_timeout))
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt64::builder("written")
                .nick("Written")
                .blurb("Lines written since the element started")
                .read_only()
                .build(),
            glib::ParamSpecUInt64::builder("dropped")
                .nick("Dropped")
                .blurb("Lines dropped since the element started")
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
