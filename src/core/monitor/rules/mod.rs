//! The rules: as data, and at work.

pub mod eye_watch;
mod file;
pub mod gaze_watch;
pub mod profile;

pub use profile::RuleProfile;
