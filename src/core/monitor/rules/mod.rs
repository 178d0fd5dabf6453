//! The rules: as data in a profile, and the watches that apply them.

pub mod conditions;
pub mod decision;
pub mod eye_watch;
pub mod glance_watch;
pub mod rule_profile;
mod rules_file;
pub mod sharing_watch;
