//! The zones of a cabin: an ordered list, of which the first zone that the gaze hits counts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::forward::Forward;
use super::shape::{CabinPlane, ZoneShape, cabin_direction};
use crate::core::geometry::angles::Gaze;
use crate::core::geometry::matrix::{Mat3, Vec3, add, apply, cross, sub, transpose, unit};

/// The class of a zone, after Euro NCAP Safe Driving, Driver Engagement v1.1 (driving and non-driving
/// targets, basic and advanced phone positions).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneClass {
    /// The road ahead.
    Forward,
    /// A mirror: driving-related, but not the road.
    Mirror,
    /// Instruments behind the wheel: driving-related for Euro NCAP, but not for UN R171.
    Cluster,
    /// Anything else in or beside the car.
    #[default]
    NonDriving,
    /// Where a phone is held or lies, head or eyes turned to it.
    PhoneBasic,
    /// Where a phone is held in the view of the road or of the instruments.
    PhoneAdvanced,
}

impl ZoneClass {
    /// The name in zone files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Mirror => "mirror",
            Self::Cluster => "cluster",
            Self::NonDriving => "non-driving",
            Self::PhoneBasic => "phone-basic",
            Self::PhoneAdvanced => "phone-advanced",
        }
    }

    /// The inverse of [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Forward,
            Self::Mirror,
            Self::Cluster,
            Self::NonDriving,
            Self::PhoneBasic,
            Self::PhoneAdvanced,
        ]
        .into_iter()
        .find(|class| class.name() == name)
    }

    /// Whether a phone may be there.
    pub fn is_phone(self) -> bool {
        matches!(self, Self::PhoneBasic | Self::PhoneAdvanced)
    }
}

/// Lateral limit of Area 1 of (EU) 2023/2590: two vertical planes at 55 degrees through the ocular
/// reference point. Second hand.
const AREA_1_LATERAL: f64 = 55.0;

/// Area 3 of (EU) 2023/2590 lies below a plane 30 degrees down through the ocular reference point.
/// Second hand.
const AREA_3_DOWN: f64 = 30.0;

/// Whether a gaze relative to forward falls into Area 3 of (EU) 2023/2590 by its angles: below the
/// plane that falls 30 degrees towards the front, and between the vertical planes at 55 degrees.
/// Windows that reach so low belong to Area 2, which the zone's `area` says.
pub fn is_area_3(gaze: Gaze) -> bool {
    let [forward, left, up] = cabin_direction(gaze);
    left.abs() <= forward * AREA_1_LATERAL.to_radians().tan()
        && up < -forward * AREA_3_DOWN.to_radians().tan()
}

/// One zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Unique, short: `centre-screen`.
    pub name: Arc<str>,
    /// Its class.
    pub class: ZoneClass,
    /// Its shape in angles, radians.
    pub shape: Option<ZoneShape>,
    /// Its plane in the cabin; replaces the shape where the position of the eyes is known.
    pub plane: Option<CabinPlane>,
    /// Its area (1, 2 or 3) of (EU) 2023/2590, where the angles give another one.
    pub area: Option<u8>,
}

/// Position and rotation of the camera in the cabin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraExtrinsics {
    position: Vec3,
    /// Rotates camera coordinates to cabin coordinates.
    rotation: Mat3,
}

impl CameraExtrinsics {
    /// A camera at `position` with level rows whose axis goes through `target`; cabin coordinates,
    /// millimetres. `None` where the two are one point, or one is straight above the other.
    pub fn new(position: Vec3, target: Vec3) -> Option<Self> {
        let axis = unit(sub(target, position))?;
        let right = unit(cross([0.0, 0.0, -1.0], axis))?;
        let down = cross(axis, right);
        Some(Self { position, rotation: transpose(&[right, down, axis]) })
    }

    /// A point in camera coordinates, in cabin coordinates.
    pub fn to_cabin(&self, point: Vec3) -> Vec3 {
        add(self.position, apply(&self.rotation, point))
    }

    /// The forward direction for a driver who looks along the car.
    pub fn forward(&self) -> Forward {
        let ahead = apply(&transpose(&self.rotation), [1.0, 0.0, 0.0]);
        Gaze::from_direction(ahead.map(|v| v as f32)).map_or_else(Forward::default, Forward::new)
    }
}

/// The zone that a gaze hits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZoneHit {
    /// Index of the zone; `None` is elsewhere.
    pub zone: Option<u16>,
    /// Class of the zone; elsewhere is not the road.
    pub class: ZoneClass,
    /// Whether the gaze is in Area 3 of (EU) 2023/2590.
    pub area_3: bool,
}

/// The zones of a vehicle.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneMap {
    /// Name of the map.
    pub name: Arc<str>,
    /// The zones in order: the first that the gaze hits counts.
    pub zones: Vec<Zone>,
    /// How far the gaze must leave its zone to change it, radians.
    pub hysteresis: f32,
    /// The camera in the cabin, where the file has it.
    pub camera: Option<CameraExtrinsics>,
    elsewhere: Arc<str>,
}

/// Name of the gaze outside all zones.
pub const ELSEWHERE: &str = "elsewhere";

impl ZoneMap {
    /// A map of these zones, with its hysteresis in radians and the camera.
    pub fn new(
        name: &str,
        zones: Vec<Zone>,
        hysteresis: f32,
        camera: Option<CameraExtrinsics>,
    ) -> Self {
        Self { name: name.into(), zones, hysteresis, camera, elsewhere: ELSEWHERE.into() }
    }

    /// The zone that a gaze relative to forward hits. `eye` is where the gaze starts, in cabin
    /// coordinates; `last` is the zone of the frame before, whose edge moves out by the hysteresis.
    pub fn find(&self, gaze: Gaze, eye: Option<Vec3>, last: Option<u16>) -> ZoneHit {
        let hit = |zone: &Zone, margin: f32| match (&zone.plane, eye, &zone.shape) {
            (Some(plane), Some(eye), _) => plane.is_hit(eye, cabin_direction(gaze), margin.into()),
            (_, _, Some(shape)) => shape.contains(gaze, margin),
            _ => false,
        };
        let stays = last.filter(|last| {
            self.zones.get(usize::from(*last)).is_some_and(|zone| hit(zone, self.hysteresis))
        });
        let first = || self.zones.iter().position(|zone| hit(zone, 0.0));
        let zone = stays.or_else(|| first().and_then(|i| u16::try_from(i).ok()));
        let found = zone.and_then(|zone| self.zones.get(usize::from(zone)));
        let by_angle = || is_area_3(gaze);
        ZoneHit {
            zone,
            class: found.map_or(ZoneClass::NonDriving, |zone| zone.class),
            area_3: found.and_then(|zone| zone.area).map_or_else(by_angle, |area| area == 3),
        }
    }

    /// Name of a zone; `None` is elsewhere.
    pub fn zone_name(&self, zone: Option<u16>) -> Arc<str> {
        zone.and_then(|zone| self.zones.get(usize::from(zone)))
            .map_or_else(|| self.elsewhere.clone(), |zone| zone.name.clone())
    }

    /// Position of the eyes in the cabin, from the origin of the gaze in camera coordinates.
    pub fn eye_position(&self, origin: Option<[f32; 3]>) -> Option<Vec3> {
        let origin = origin.filter(|origin| origin.iter().all(|v| v.is_finite()))?;
        self.camera.map(|camera| camera.to_cabin(origin.map(f64::from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_3_is_below_a_plane_and_between_two() {
        let at = |pitch, yaw| is_area_3(Gaze::from_degrees(pitch, yaw));
        assert!(!at(-29.0, 0.0) && at(-31.0, 0.0));
        assert!(at(-60.0, 30.0) && !at(-60.0, 56.0) && at(-60.0, -54.0));
        // The plane's slope is 30 degrees straight ahead and less to the side: tan 30 cos 50 is
        // tan 20.4.
        assert!(at(-21.0, 50.0) && !at(-20.0, 50.0));
        assert!(!at(40.0, 0.0) && !at(-40.0, 180.0));
    }

    #[test]
    fn extrinsics_lead_into_the_cabin() {
        // On the centre screen, 300 mm right of the driver, 700 mm ahead, 200 mm below the eyes.
        let extrinsics =
            CameraExtrinsics::new([700.0, -300.0, 1000.0], [0.0, 0.0, 1200.0]).expect("a camera");
        let away = (700f64 * 700.0 + 300.0 * 300.0 + 200.0 * 200.0).sqrt();
        let eye = extrinsics.to_cabin([0.0, 0.0, away]);
        assert!(sub(eye, [0.0, 0.0, 1200.0]).iter().all(|v| v.abs() < 1e-6), "{eye:?}");
        // The camera faces the driver: the image's right is the driver's left.
        assert!(extrinsics.to_cabin([100.0, 0.0, away])[1] > 90.0);
        assert!(extrinsics.to_cabin([0.0, 100.0, away])[2] < 1200.0);
        // A gaze ahead passes the camera above and to the image's right.
        let ahead = extrinsics.forward().direction();
        assert!(ahead.pitch > 0.2 && ahead.yaw < -0.3, "{ahead:?}");
        // A gaze into the lens goes right and down.
        let lens = extrinsics.forward().relative(Gaze::default()).unwrap();
        assert!((lens.yaw.to_degrees() - 23.2).abs() < 0.1, "{lens:?}");
        assert!((lens.pitch.to_degrees() + 14.7).abs() < 0.1, "{lens:?}");
        assert_eq!(CameraExtrinsics::new([0.0; 3], [0.0; 3]), None);
        assert_eq!(CameraExtrinsics::new([0.0; 3], [0.0, 0.0, 1.0]), None);
    }

    #[test]
    fn planes_follow_the_head_and_angles_do_not() {
        let screen = Zone {
            name: "screen".into(),
            class: ZoneClass::NonDriving,
            shape: Some(ZoneShape::Ellipse { centre: [0.4, -0.3], radii: [0.1, 0.1] }),
            plane: CabinPlane::new(vec![
                [700.0, -200.0, 1050.0],
                [700.0, -400.0, 1050.0],
                [700.0, -400.0, 950.0],
                [700.0, -200.0, 950.0],
            ])
            .ok(),
            area: None,
        };
        let camera = CameraExtrinsics::new([700.0, 0.0, 1000.0], [0.0, 0.0, 1200.0]);
        let map = ZoneMap::new("test", vec![screen], 0.0, camera);
        // 300 mm to the right, 200 mm down, 700 mm ahead.
        let gaze = Gaze::new(-0.2559, 0.4049);
        let eye = [0.0, 0.0, 1200.0];
        assert_eq!(map.find(gaze, Some(eye), None).zone, Some(0));
        // For a driver who sits 150 mm farther back and higher, the same angles miss the screen.
        assert_eq!(map.find(gaze, Some([-150.0, 0.0, 1350.0]), None).zone, None);
        assert_eq!(map.find(gaze, None, None).zone, Some(0));
        assert!(map.eye_position(Some([0.0, 0.0, 700.0])).is_some());
        assert_eq!(map.eye_position(Some([0.0, f32::NAN, 700.0])), None);
    }
}
