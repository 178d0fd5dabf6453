//! What a driver does, read from frame after frame: presence, eyes, glances, movement.

pub mod driver;
pub mod eyes;
pub mod glance;
pub mod movement;
pub mod presence;
pub mod settle;
pub mod share;
pub mod sharing;
pub mod sight;
pub mod timeline;
