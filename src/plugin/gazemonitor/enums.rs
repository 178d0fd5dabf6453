//! Choices that are properties of `gazemonitor`.

/// What tells the driver's face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeMonitorDriver")]
#[repr(i32)]
pub enum DriverSelection {
    /// The largest.
    #[default]
    #[enum_value(name = "Size: the largest face", nick = "size")]
    Size,
    /// The largest in a part of the frame.
    #[enum_value(name = "Region: the largest face in driver-region", nick = "region")]
    Region,
    /// The one with a track id.
    #[enum_value(name = "Track: the face whose track-id is driver-track", nick = "track")]
    Track,
}

/// How forward comes to be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeMonitorForward")]
#[repr(i32)]
pub enum ForwardMode {
    /// Learned from where the driver looks most.
    #[default]
    #[enum_value(name = "Auto: learned from where the driver looks most", nick = "auto")]
    Auto,
    /// Given by two angles.
    #[enum_value(name = "Given: forward-pitch and forward-yaw", nick = "given")]
    Given,
}
