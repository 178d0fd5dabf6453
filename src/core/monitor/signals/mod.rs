//! What a driver does, read from frame after frame: availability, eyes, glances, head movement.

pub mod availability;
pub mod driver_selector;
pub mod eye_closure;
pub mod glance;
pub mod head_movement;
pub mod observation;
pub mod sample_hold;
pub mod threshold;
pub mod time_sharing;
pub mod timestamps;
pub mod windowed_share;
pub mod zone_hysteresis;
