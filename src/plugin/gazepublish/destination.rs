//! Where lines go, as the property `location` names it.

use std::path::PathBuf;
use std::str::FromStr;

/// The parsed value of the property `location`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `-` or `stdout`.
    Stdout,
    /// A path: a file, a FIFO or a device.
    File(PathBuf),
    /// `unix:PATH`: a stream socket on which the reader listens.
    Unix(PathBuf),
    /// `udp://HOST:PORT`: one datagram for each line.
    Udp(String),
}

/// Why parsing the property `location` failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// The text, or the path after `unix:`, is empty.
    #[error("location {0:?} is empty: {FORMS}")]
    Empty(String),
    /// No `HOST:PORT` after `udp://`.
    #[error("location {0:?} has no HOST:PORT: {FORMS}")]
    Address(String),
    /// The scheme of the URI is unknown.
    #[error("location {0:?} has an unknown scheme: {FORMS}")]
    Scheme(String),
}

const FORMS: &str =
    "set `-` (standard output), the path of a file, `unix:PATH` or `udp://HOST:PORT`";

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let given = || text.to_owned();
        if text == "-" || text == "stdout" {
            Ok(Self::Stdout)
        } else if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err(DestinationError::Empty(given()));
            }
            Ok(Self::Unix(path.into()))
        } else if let Some(address) = text.strip_prefix("udp://") {
            match address.rsplit_once(':') {
                Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                    Ok(Self::Udp(address.to_owned()))
                }
                _ => Err(DestinationError::Address(given())),
            }
        } else if text.contains("://") {
            Err(DestinationError::Scheme(given()))
        } else if text.is_empty() {
            Err(DestinationError::Empty(given()))
        } else {
            Ok(Self::File(text.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_form_of_a_location() {
        let parse = |text: &str| text.parse::<Destination>();
        assert_eq!(parse("-"), Ok(Destination::Stdout));
        assert_eq!(parse("stdout"), Ok(Destination::Stdout));
        assert_eq!(parse("./stdout"), Ok(Destination::File("./stdout".into())));
        assert_eq!(parse("a:b.jsonl"), Ok(Destination::File("a:b.jsonl".into())));
        assert_eq!(parse("unix:/run/gaze"), Ok(Destination::Unix("/run/gaze".into())));
        assert_eq!(parse("udp://[::1]:5000"), Ok(Destination::Udp("[::1]:5000".into())));
        for bad in ["udp://host", "udp://:1", "udp://host:99999", "udp://"] {
            assert_eq!(parse(bad), Err(DestinationError::Address(bad.into())));
        }
        for bad in ["", "unix:"] {
            assert_eq!(parse(bad), Err(DestinationError::Empty(bad.into())));
        }
        for bad in ["tcp://h:1", "http://h/"] {
            assert_eq!(parse(bad), Err(DestinationError::Scheme(bad.into())));
        }
    }
}
