//! One table of video formats.
