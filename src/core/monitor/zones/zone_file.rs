//! Zone files: TOML, angles in degrees, lengths in millimetres.
//!
//! ```toml
//! name = "my-car"
//! hysteresis = 2.0                  # degrees; 0..=15
//!
//! [camera]                          # for planes, and as a first guess of forward
//! position = [650, -20, 900]        # ISO 8855: x forward, y left, z up
//! looks-at = [0, 0, 1200]           # a point on its axis: the driver's head
//!
//! [[zone]]                          # the first that the gaze hits counts
//! name = "road-ahead"
//! class = "forward"                 # mirror, cluster, non-driving, phone-basic, phone-advanced
//! ellipse = { centre = [0, 0], radii = [22, 14] }     # yaw to the driver's right, pitch up
//!
//! [[zone]]
//! name = "centre-screen"
//! class = "non-driving"
//! polygon = [[24, -30], [42, -30], [42, -12], [24, -12]]
//! plane = [[700, -200, 1050], [700, -400, 1050], [700, -400, 950], [700, -200, 950]]
//! area = 2                          # of (EU) 2023/2590, where the angles give another one
//! ```

use std::collections::HashSet;

use serde::Deserialize;

use super::shape::{CabinPlane, ZoneShape};
use super::zone::{CameraExtrinsics, Zone, ZoneClass, ZoneMap};
use crate::core::monitor::config_file::{MonitorFileError, parse};

/// Most zones of a file.
const MAX_ZONES: usize = 256;

/// The built-in zone files, by name.
const BUILTIN: [(&str, &str); 2] = [
    ("left-hand-drive", include_str!("../../../../pipelines/zones/left-hand-drive.toml")),
    ("right-hand-drive", include_str!("../../../../pipelines/zones/right-hand-drive.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ZoneFile {
    name: String,
    #[serde(default = "default_hysteresis")]
    hysteresis: f32,
    camera: Option<CameraEntry>,
    #[serde(default)]
    zone: Vec<ZoneEntry>,
}

/// A third of the 6 degrees of gaze noise in a car: less makes zones flicker at their edges, more
/// holds the gaze in the wrong zone.
fn default_hysteresis() -> f32 {
    2.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CameraEntry {
    position: [f64; 3],
    looks_at: [f64; 3],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ZoneEntry {
    name: String,
    class: ZoneClass,
    polygon: Option<Vec<[f32; 2]>>,
    ellipse: Option<Ellipse>,
    plane: Option<Vec<[f64; 3]>>,
    area: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ellipse {
    centre: [f32; 2],
    radii: [f32; 2],
}

impl ZoneMap {
    /// Reads a zone file.
    ///
    /// # Errors
    /// [`MonitorFileError::Syntax`] with the line, [`MonitorFileError::Invalid`] with the key.
    pub fn from_toml(text: &str) -> Result<Self, MonitorFileError> {
        let file: ZoneFile = parse(text, "zone file")?;
        let invalid = |key: &str, reason: &str| Err(MonitorFileError::invalid(key, reason));
        if file.name.trim().is_empty() {
            return invalid("name", "is empty");
        }
        if !(0.0..=15.0).contains(&file.hysteresis) {
            return invalid("hysteresis", "must be an angle of 0..=15 degrees");
        }
        if file.zone.len() > MAX_ZONES {
            return invalid("zone", "the file has more than 256 zones");
        }
        if !file.zone.iter().any(|zone| zone.class == ZoneClass::Forward) {
            return invalid("zone", "no zone has the class \"forward\"; add the road ahead");
        }
        let camera = file.camera.map(camera).transpose()?;
        let mut names = HashSet::new();
        for zone in &file.zone {
            if !names.insert(zone.name.as_str()) {
                return invalid("zone.name", &format!("two zones have the name '{}'", zone.name));
            }
        }
        let zones = file.zone.iter().enumerate().map(|(i, entry)| zone(i, entry));
        let zones = zones.collect::<Result<Vec<_>, _>>()?;
        if camera.is_none() && zones.iter().any(|zone| zone.plane.is_some() && zone.shape.is_none())
        {
            return invalid(
                "camera",
                "is missing; zones with a plane alone need the camera's position",
            );
        }
        Ok(Self::new(&file.name, zones, file.hysteresis.to_radians(), camera))
    }

    /// A built-in map by its name.
    pub fn builtin(name: &str) -> Option<Result<Self, MonitorFileError>> {
        let (_, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
        Some(Self::from_toml(text))
    }

    /// The names of the built-in maps.
    pub fn builtin_names() -> [&'static str; 2] {
        BUILTIN.map(|(name, _)| name)
    }
}

fn camera(entry: CameraEntry) -> Result<CameraExtrinsics, MonitorFileError> {
    CameraExtrinsics::new(entry.position, entry.looks_at).ok_or_else(|| {
        MonitorFileError::invalid(
            "camera.looks-at",
            "must not be the camera's position, nor straight above or below it",
        )
    })
}

fn zone(index: usize, entry: &ZoneEntry) -> Result<Zone, MonitorFileError> {
    let invalid = |key: &str, reason: &str| {
        let key = format!("zone[{index}].{key}");
        Err(MonitorFileError::invalid(&key, &format!("{reason} (zone '{}')", entry.name)))
    };
    if entry.name.trim().is_empty() || entry.name == super::zone::ELSEWHERE {
        return invalid("name", "must not be empty, nor \"elsewhere\"");
    }
    let shape = match (&entry.polygon, &entry.ellipse) {
        (Some(_), Some(_)) => {
            return invalid("polygon", "the zone has an ellipse as well; keep one of them");
        }
        (Some(corners), None) => {
            if !(3..=64).contains(&corners.len()) {
                return invalid("polygon", "must have 3..=64 corners");
            }
            if !corners.iter().all(|corner| is_direction(*corner)) {
                return invalid("polygon", "has a corner outside yaw -180..=180, pitch -90..=90");
            }
            Some(ZoneShape::Polygon(corners.iter().map(|c| c.map(f32::to_radians)).collect()))
        }
        (None, Some(Ellipse { centre, radii })) => {
            if !is_direction(*centre) {
                return invalid("ellipse.centre", "must be yaw -180..=180 and pitch -90..=90");
            }
            if !radii.iter().all(|radius| *radius > 0.0 && *radius <= 180.0) {
                return invalid("ellipse.radii", "must be angles above 0 and up to 180 degrees");
            }
            Some(ZoneShape::Ellipse {
                centre: centre.map(f32::to_radians),
                radii: radii.map(f32::to_radians),
            })
        }
        (None, None) => None,
    };
    let plane = match entry.plane.clone().map(CabinPlane::new) {
        Some(Ok(plane)) => Some(plane),
        Some(Err(reason)) => return invalid("plane", reason),
        None => None,
    };
    if shape.is_none() && plane.is_none() {
        return invalid(
            "polygon",
            "is missing; the zone needs a 'polygon', an 'ellipse' or a 'plane'",
        );
    }
    if entry.area.is_some_and(|area| !(1..=3).contains(&area)) {
        return invalid("area", "must be 1, 2 or 3");
    }
    Ok(Zone {
        name: entry.name.as_str().into(),
        class: entry.class,
        shape,
        plane,
        area: entry.area,
    })
}

fn is_direction([yaw, pitch]: [f32; 2]) -> bool {
    (-180.0..=180.0).contains(&yaw) && (-90.0..=90.0).contains(&pitch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::Gaze;

    fn at(map: &ZoneMap, yaw: f32, pitch: f32) -> &str {
        let hit = map.find(Gaze::from_degrees(pitch, yaw), None, None);
        hit.zone.map_or("elsewhere", |zone| &map.zones[usize::from(zone)].name)
    }

    /// The targets of a typical left-hand drive car in the literature: zone, yaw, pitch.
    const TARGETS: [(&str, f32, f32); 20] = [
        ("road-ahead", 0.0, 0.0),
        ("road-ahead", 1.0, -3.0),
        ("instrument-cluster", 4.0, -25.0),
        ("instrument-cluster", 5.0, -24.0),
        ("phone-dash", 23.0, -13.0),
        ("centre-screen", 33.0, -20.0),
        ("rear-view-mirror", 29.0, 16.0),
        ("visor", 5.0, 32.0),
        ("driver-mirror", -39.0, -12.0),
        ("passenger-mirror", 46.0, -6.0),
        ("phone-lap", 13.0, -50.0),
        ("phone-inboard-knee", 30.0, -60.0),
        ("phone-charging-place", 38.0, -47.0),
        ("glovebox", 53.0, -23.0),
        ("passenger-footwell", 53.0, -40.0),
        ("driver-window", -63.0, 0.0),
        ("driver-window", -80.0, 0.0),
        ("passenger-face", 82.0, 4.0),
        ("passenger-window", 65.0, 4.0),
        ("rear-passenger", 130.0, -5.0),
    ];

    #[test]
    fn the_built_in_maps_place_every_target() {
        let left = ZoneMap::builtin("left-hand-drive").unwrap().unwrap();
        let right = ZoneMap::builtin("right-hand-drive").unwrap().unwrap();
        for (name, yaw, pitch) in TARGETS {
            assert_eq!(at(&left, yaw, pitch), name, "{yaw} {pitch}");
            assert_eq!(at(&right, -yaw, pitch), name, "right-hand drive {yaw} {pitch}");
        }
        assert_eq!(left.zones.len(), right.zones.len());
        for name in ZoneMap::builtin_names() {
            assert_eq!(&*ZoneMap::builtin(name).unwrap().unwrap().name, name);
        }
        assert_eq!(ZoneMap::builtin("flying-car"), None);
    }

    #[test]
    fn hysteresis_holds_at_the_edge() {
        let map = ZoneMap::builtin("left-hand-drive").unwrap().unwrap();
        let road = Some(0);
        let just_out = Gaze::from_degrees(0.0, 23.0);
        assert_eq!(map.find(just_out, None, road).zone, road);
        assert_eq!(map.find(just_out, None, None).zone, None);
        assert_eq!(map.find(Gaze::from_degrees(0.0, 24.5), None, road).zone, None);
    }

    #[test]
    fn errors_name_the_key() {
        let road = "[[zone]]\nname = \"road\"\nclass = \"forward\"\n";
        let ellipse = "ellipse = { centre = [0, 0], radii = [22, 14] }\n";
        for (text, says) in [
            ("name = \"a\"\n".to_owned(), "road ahead"),
            (format!("name = \"\"\n{road}{ellipse}"), "'name'"),
            (format!("name = \"a\"\nhysteresis = 20\n{road}{ellipse}"), "'hysteresis'"),
            (format!("name = \"a\"\n{road}"), "zone[0].polygon"),
            (format!("name = \"a\"\n{road}{ellipse}area = 4\n"), "zone[0].area"),
            (format!("name = \"a\"\n{road}{ellipse}{road}{ellipse}"), "two zones"),
            (format!("name = \"a\"\n{road}polygon = [[0, 0], [1, 1]]\n"), "corners"),
            (format!("name = \"a\"\n{road}polygon = [[0, 0], [1, 1], [0, nan]]\n"), "corner"),
            (
                format!("name = \"a\"\n{road}plane = [[1, 0, 0], [1, 1, 0], [1, 1, 1]]\n"),
                "'camera'",
            ),
            (format!("name = \"a\"\n{road}{ellipse}colour = 3\n"), "line 6"),
            (
                format!(
                    "name = \"a\"\n{road}{ellipse}[camera]\nposition = [0, 0, 0]\nlooks-at = [0, 0, 0]"
                ),
                "camera.looks-at",
            ),
        ] {
            let error = ZoneMap::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
        }
    }
}
