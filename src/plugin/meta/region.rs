//! Face regions from anybody's metadata.
