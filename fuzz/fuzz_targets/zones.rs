//! Zone files: what is accepted has every gaze in one of its zones, or elsewhere.
#![no_main]

use std::sync::OnceLock;

use gstgaze::core::geometry::Gaze;
use gstgaze::core::monitor::ZoneMap;
use gstgaze::core::monitor::zones::zone::ZoneClass;
use libfuzzer_sys::arbitrary::{self, Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sheet::Edited;

#[derive(Arbitrary, Debug)]
struct Input {
    #[arbitrary(with = zones)]
    text: Edited,
    looks: Vec<(f32, f32, Option<[f32; 3]>)>,
}

fn zones(u: &mut Unstructured<'_>) -> Result<Edited> {
    static BASES: OnceLock<Vec<String>> = OnceLock::new();
    let bases = BASES.get_or_init(|| {
        [
            include_str!("../../pipelines/zones/left-hand-drive.toml"),
            include_str!("../../pipelines/zones/right-hand-drive.toml"),
            // Short: an edit in it hits something that counts.
            "name = 'a'\n[[zone]]\nname = 'road'\nclass = 'forward'\nellipse = { centre = [0, 0], \
             radii = [22, 14] }\n[[zone]]\nname = 'lap'\nclass = 'phone-basic'\narea = 3\npolygon = \
             [[5, -60], [20, -60], [20, -40]]\n[camera]\nposition = [650, -20, 900]\nlooks-at = [0, \
             0, 1200]\n[[zone]]\nname = 'screen'\nclass = 'non-driving'\nplane = [[700, -200, \
             1050], [700, -400, 1050], [700, -400, 950], [700, -200, 950]]\n",
        ]
        .map(str::to_owned)
        .to_vec()
    });
    Edited::of(u, bases)
}

fuzz_target!(|input: Input| {
    let Ok(map) = ZoneMap::from_toml(&input.text.0) else { return };
    assert!(map.zones.iter().any(|zone| zone.class == ZoneClass::Forward));
    let mut last = None;
    for (yaw, pitch, origin) in input.looks {
        let eye = map.eye_position(origin);
        let hit = map.find(Gaze::new(pitch, yaw), eye, last);
        match hit.zone {
            Some(zone) => assert_eq!(map.zones[usize::from(zone)].class, hit.class),
            None => assert_eq!(hit.class, ZoneClass::NonDriving),
        }
        assert!(!map.zone_name(hit.zone).is_empty());
        last = hit.zone;
    }
});
