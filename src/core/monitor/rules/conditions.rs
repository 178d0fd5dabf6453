//! What the monitor knows of the car.

/// The car's speed and situation at one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// km/h; `None` where unknown, which the rules treat as the strictest speed.
    pub speed: Option<f32>,
    /// Whether the situation is nominal, in the sense of (EU) 2023/2590.
    pub nominal: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { speed: None, nominal: true }
    }
}

impl Conditions {
    /// Whether the car is at least this fast (km/h), or its speed is unknown.
    pub fn reaches(&self, speed: f64) -> bool {
        self.speed.is_none_or(|known| f64::from(known) >= speed)
    }
}
