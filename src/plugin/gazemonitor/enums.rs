//! Enumerations of the properties of `gazemonitor`.

/// How the monitor picks the driver's face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeMonitorDriver")]
#[repr(i32)]
pub enum DriverSelection {
    /// The largest face.
    #[default]
    #[enum_value(name = "Size: the largest face", nick = "size")]
    Size,
    /// The largest face in a part of the frame.
    #[enum_value(name = "Region: the largest face in driver-region", nick = "region")]
    Region,
    /// The face with a track id.
    #[enum_value(name = "Track: the face whose track-id is driver-track", nick = "track")]
    Track,
}

/// How the monitor knows the direction of the road ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeMonitorForward")]
#[repr(i32)]
pub enum ForwardMode {
    /// It learns the direction in which the driver looks most.
    #[default]
    #[enum_value(name = "Auto: learn the direction in which the driver looks most", nick = "auto")]
    Auto,
    /// Two properties give the angles.
    #[enum_value(name = "Given: the angles forward-pitch and forward-yaw", nick = "given")]
    Given,
}
