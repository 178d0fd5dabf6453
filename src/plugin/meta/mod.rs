//! Metadata in and out.
