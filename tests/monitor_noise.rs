//! The rules with noisy gaze: tables of confusions, delays of alarms, and alerts an hour for an
//! attentive driver. Run with `--nocapture` to see the tables.

mod common;

use std::time::Duration;

use common::drive::{Do, Drive, Noise, ROAD, config};
use gstgaze::core::geometry::Gaze;
use gstgaze::core::monitor::zones::shape::ZoneShape;
use gstgaze::core::monitor::{Alarm, ForwardSource, MonitorConfig};

/// Deviation of an eye's openness, 0..=1. This project's choice: a third of the distance between
/// closed and open.
const LID_ERROR: f64 = 0.05;

/// Mean angular error of gaze in cars: 6.71 and 7.04 degrees (GazeDPTR and GazePTR on IVGaze).
const MEAN_ERROR: f64 = 6.7;

/// The error's deviation on each axis: the length of a vector of two normal errors has the mean
/// σ √(π/2).
fn deviation(mean_error: f64) -> f64 {
    mean_error / (std::f64::consts::PI / 2.0).sqrt()
}

/// Errors of neighbouring frames are alike: each axis is an autoregressive process with this
/// deviation (degrees) and correlation time (seconds).
struct Errors {
    noise: Noise,
    deviation: f64,
    keep: f64,
    state: [f64; 2],
}

impl Errors {
    fn new(seed: u64, deviation: f64, correlation: f64, fps: f64) -> Self {
        let keep = if correlation > 0.0 { (-1.0 / (fps * correlation)).exp() } else { 0.0 };
        Self { noise: Noise(seed), deviation, keep, state: [0.0; 2] }
    }

    fn next(&mut self) -> [f32; 2] {
        let fresh = self.deviation * (1.0 - self.keep * self.keep).sqrt();
        for value in &mut self.state {
            *value = *value * self.keep + fresh * self.noise.normal();
        }
        self.state.map(|v| v as f32)
    }
}

fn go(drive: &mut Drive, errors: &mut Errors, act: Do, frames: u64) {
    for _ in 0..frames {
        drive.noise = errors.next();
        if drive.eyes {
            drive.lid_noise = (LID_ERROR * errors.noise.normal()) as f32;
        }
        drive.frames(act, 1);
    }
}

/// The classes of the table: expected and raised.
const CLASSES: [&str; 4] = ["none", "long", "short", "phone"];

fn class_of(alarms: &[Alarm]) -> usize {
    alarms
        .iter()
        .find_map(|alarm| match alarm {
            Alarm::LongDistraction => Some(1),
            Alarm::ShortDistraction => Some(2),
            Alarm::PhoneUse => Some(3),
            _ => None,
        })
        .unwrap_or(0)
}

type Table = [[u32; 4]; 4];

fn print(title: &str, table: &Table) {
    println!(
        "\n{title}\n{:>10} | {:>6} {:>6} {:>6} {:>6}",
        "expected", "none", "long", "short", "phone"
    );
    for (name, row) in CLASSES.iter().zip(table) {
        println!("{name:>10} | {:>6} {:>6} {:>6} {:>6}", row[0], row[1], row[2], row[3]);
    }
}

/// Drives of each class at each target, with this mean error of the gaze.
fn confusion(mean_error: f64, correlation: f64) -> Table {
    let screens = [(33.0, -20.0), (-70.0, 0.0), (29.0, 16.0), (46.0, -6.0), (-39.0, -12.0)];
    let phones = [(13.0, -50.0), (30.0, -60.0), (38.0, -47.0)];
    let mut table = Table::default();
    let mut seed = 0;
    for fps in [15, 30] {
        let mut count = |expected: usize, script: &[(Do, f64)]| {
            for _ in 0..4 {
                seed += 1;
                let mut drive = Drive::new("euroncap-2026", fps);
                let mut errors = Errors::new(seed, deviation(mean_error), correlation, fps as f64);
                go(&mut drive, &mut errors, ROAD, 4 * fps);
                for (act, seconds) in script {
                    go(&mut drive, &mut errors, *act, (seconds * fps as f64) as u64);
                }
                table[expected][class_of(&drive.alarms())] += 1;
            }
        };
        for (yaw, pitch) in screens.iter().chain(&phones) {
            let away = Do::Look(*yaw, *pitch);
            count(0, &[(away, 2.0), (ROAD, 6.0)]);
            count(1, &[(away, 4.0), (ROAD, 6.0)]);
        }
        for (places, class) in [(&screens[..], 2), (&phones[..], 3)] {
            for (yaw, pitch) in places {
                let sharing = [(Do::Look(*yaw, *pitch), 2.0), (ROAD, 1.0)].repeat(6);
                count(class, &sharing);
            }
        }
        for _ in 0..6 {
            count(0, &[(ROAD, 30.0)]);
        }
    }
    table
}

#[test]
fn zones_are_told_apart_through_noise() {
    let exact = confusion(0.0, 0.0);
    print("gaze without error", &exact);
    for (expected, row) in exact.iter().enumerate() {
        for (found, count) in row.iter().enumerate() {
            assert!(
                found == expected || *count == 0,
                "{} taken for {}",
                CLASSES[expected],
                CLASSES[found]
            );
        }
        assert!(row[expected] > 0);
    }
    let noisy = confusion(MEAN_ERROR, 0.1);
    print("gaze that errs by 6.7 degrees, correlated over 0.1 s", &noisy);
    // Errors that are as slow as glances are not averaged out within one.
    let slow = confusion(MEAN_ERROR, 1.0);
    print("the same, correlated over 1 s", &slow);
    for table in [noisy, slow] {
        for (i, row) in table.iter().enumerate() {
            bound(CLASSES[i], row[i], row.iter().sum());
        }
    }
}

/// Checks that at least nineteen in twenty of a row are right, so that misses, confusions and false
/// alarms are bounded for each row and not only on average.
fn bound(what: &str, right: u32, all: u32) {
    assert!(f64::from(right) >= 0.95 * f64::from(all), "{what}: {right} of {all} right");
}

const LAP: Do = Do::Look(13.0, -50.0);
const CLUSTER: Do = Do::Look(4.0, -25.0);

/// The other rules: what the driver does for how long, and the last alarm expected of it.
const DEEDS: [(&str, &str, Do, f64, Option<Alarm>); 12] = [
    ("eu-addw", "2.5 s into the lap", LAP, 2.5, None),
    ("eu-addw", "4.5 s into the lap", LAP, 4.5, Some(Alarm::Distraction)),
    ("eu-addw", "8 s at the screen", Do::Look(33.0, -20.0), 8.0, None),
    ("eu-addw", "8 s at the mirror", Do::Look(29.0, 16.0), 8.0, None),
    ("un-r171", "4 s at the instruments", CLUSTER, 4.0, None),
    ("un-r171", "6.5 s at the instruments", CLUSTER, 6.5, Some(Alarm::EyesOff)),
    ("un-r171", "8 s at the mirror", Do::Look(29.0, 16.0), 8.0, None),
    ("euroncap-2026", "blinks of 0.35 s", Do::Close, 0.35, None),
    ("euroncap-2026", "closed for 0.8 s", Do::Close, 0.8, None),
    ("euroncap-2026", "closed for 1.5 s", Do::Close, 1.5, Some(Alarm::Microsleep)),
    ("euroncap-2026", "closed for 3.5 s", Do::Close, 3.5, Some(Alarm::Sleep)),
    ("euroncap-2026", "closed for 6.5 s", Do::Close, 6.5, Some(Alarm::Unresponsive)),
];

#[test]
fn the_other_rules_decide_through_noise() {
    println!("\ngaze that errs by 6.7 degrees, lids by 0.05: 50 drives each");
    println!(
        "{:>14} {:>26} | {:>5} {:>6} {:>5} {:>5}",
        "rules", "deed", "right", "missed", "false", "other"
    );
    for (rules, deed, act, seconds, expected) in DEEDS {
        let (mut right, mut missed, mut wrong, mut other) = (0, 0, 0, 0);
        for seed in 0..25 {
            for fps in [15, 30] {
                let mut drive = Drive::new(rules, fps);
                drive.eyes = true;
                let mut errors = Errors::new(seed, deviation(MEAN_ERROR), 0.1, fps as f64);
                go(&mut drive, &mut errors, ROAD, 4 * fps);
                go(&mut drive, &mut errors, act, (seconds * fps as f64).round() as u64);
                go(&mut drive, &mut errors, ROAD, 4 * fps);
                match (drive.alarms().last(), &expected) {
                    (found, expected) if found == expected.as_ref() => right += 1,
                    (None, _) => missed += 1,
                    (Some(_), None) => wrong += 1,
                    (Some(_), Some(_)) => other += 1,
                }
            }
        }
        println!("{rules:>14} {deed:>26} | {right:>5} {missed:>6} {wrong:>5} {other:>5}");
        bound(deed, right, 50);
    }
}

/// For glances of four seconds: the time from the gaze's leaving the road to the zone's change, and
/// from the threshold to the message, which the monitor adds to the rule's three. The project allows
/// two seconds for both together, and half a second for the latter.
#[test]
fn delays_stay_within_budget_through_noise() {
    let places =
        [(33.0, -20.0), (-70.0, 0.0), (46.0, -6.0), (-39.0, -12.0), (4.0, -25.0), (13.0, -50.0)];
    println!("\ndelays with gaze that errs by 6.7 degrees: glances of 4 s, p50/p95/max in ms");
    println!(
        "{:>12} {:>4} | {:>18} {:>18} {:>18} | told",
        "correlation", "fps", "zone", "alarm", "both"
    );
    for correlation in [0.0, 0.1, 0.3] {
        for fps in [15u64, 30] {
            let (mut zone, mut alarm, mut both, mut all) = (vec![], vec![], vec![], 0);
            for seed in 0..25 {
                for (yaw, pitch) in places {
                    let mut drive = Drive::new("euroncap-2026", fps);
                    let mut errors =
                        Errors::new(seed, deviation(MEAN_ERROR), correlation, fps as f64);
                    go(&mut drive, &mut errors, ROAD, 4 * fps);
                    go(&mut drive, &mut errors, Do::Look(yaw, pitch), 4 * fps);
                    go(&mut drive, &mut errors, ROAD, 1);
                    all += 1;
                    let raised = drive.raised();
                    let Some(record) = raised.first() else { continue };
                    zone.push(record.zone_delay);
                    alarm.push(record.delay());
                    both.push(record.zone_delay + record.delay());
                }
            }
            let [zone, alarm, both] = [zone, alarm, both].map(|mut delays: Vec<Duration>| {
                delays.sort();
                let at = |part: f64| delays[((delays.len() - 1) as f64 * part) as usize];
                [at(0.5), at(0.95), at(1.0), Duration::from_secs(delays.len() as u64)]
            });
            let show = |d: &[Duration]| {
                format!("{}/{}/{}", d[0].as_millis(), d[1].as_millis(), d[2].as_millis())
            };
            let told = both[3].as_secs();
            println!(
                "{correlation:>10.1} s {fps:>4} | {:>18} {:>18} {:>18} | {told} of {all}",
                show(&zone),
                show(&alarm),
                show(&both)
            );
            assert!(alarm[2] <= Duration::from_millis(500), "{alarm:?}");
            assert!(both[2] < Duration::from_secs(2), "{both:?}");
            bound("told", told as u32, all);
        }
    }
}

/// Where an attentive driver looks besides the road: target, mean and deviation of the glance's
/// length in seconds (Taoka 1990), and how often in a hundred.
const GLANCES: [((f32, f32), f64, f64, f64); 4] = [
    ((-39.0, -12.0), 1.10, 0.30, 30.0),
    ((46.0, -6.0), 0.75, 0.36, 10.0),
    ((4.0, -25.0), 0.62, 0.48, 45.0),
    ((33.0, -20.0), 1.44, 0.50, 15.0),
];

/// Alerts an hour of an attentive driver. Each is false: no glance is long, and glances are ten seconds
/// apart on average.
fn alerts(
    config: MonitorConfig,
    mean_error: f64,
    correlation: f64,
    hours: f64,
    seed: u64,
) -> (f64, Drive) {
    const FPS: u64 = 15;
    let mut drive = Drive::with(config, FPS);
    let mut errors = Errors::new(seed, deviation(mean_error), correlation, FPS as f64);
    let mut chance = Noise(seed + 4);
    let frames = (hours * 3600.0) as u64 * FPS;
    let mut done = 0;
    while done < frames {
        // On the road for 3 s at least, and exponentially longer.
        let road = ((3.0 - 7.0 * (1.0 - chance.uniform()).ln()) * FPS as f64) as u64;
        go(&mut drive, &mut errors, ROAD, road);
        let mut pick = chance.uniform() * 100.0;
        let (place, mean, spread, _) = GLANCES
            .into_iter()
            .find(|glance| {
                pick -= glance.3;
                pick < 0.0
            })
            .unwrap_or(GLANCES[0]);
        let length = (mean + spread * chance.normal()).clamp(0.2, 2.5);
        let glance = (length * FPS as f64) as u64;
        go(&mut drive, &mut errors, Do::Look(place.0, place.1), glance);
        done += road + glance;
        // Keeps only the alarms of hours of events.
        drive
            .events
            .retain(|event| matches!(event, gstgaze::core::monitor::MonitorEvent::Raised(_)));
    }
    (drive.raised().len() as f64 / hours, drive)
}

fn with_road(radii: [f32; 2]) -> MonitorConfig {
    let mut config = config("euroncap-2026");
    config.zones.zones[0].shape =
        Some(ZoneShape::Ellipse { centre: [0.0; 2], radii: radii.map(f32::to_radians) });
    config
}

/// Four drivers with different errors and glances, side by side.
const SEEDS: [u64; 4] = [7, 1001, 2003, 3005];

#[test]
fn false_alerts_are_rare() {
    println!("\nfalse alerts an hour of an attentive driver, mean (least..most of 4 drivers)");
    println!(
        "real driving has 0.89 long and 0.21 short distractions an hour (Mulhall et al. 2023)"
    );
    println!(
        "{:>12} {:>8} {:>12} {:>6} | {:>10}",
        "road zone", "error", "correlation", "hours", "alerts/h"
    );
    let rate = |radii: [f32; 2], error: f64, correlation: f64, hours: f64| {
        let each = hours / SEEDS.len() as f64;
        let rates = std::thread::scope(|scope| {
            let drivers = SEEDS.map(|seed| {
                scope.spawn(move || alerts(with_road(radii), error, correlation, each, seed).0)
            });
            drivers.map(|driver| driver.join().unwrap())
        });
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let most = rates.iter().copied().fold(0.0, f64::max);
        let zone = format!("{} x {}", radii[0], radii[1]);
        println!(
            "{zone:>12} {error:>8.1} {correlation:>10.1} s {hours:>6} | \
             {mean:>6.2} ({least:.1}..{most:.1})"
        );
        mean
    };
    let (wide, narrow) = ([22.0, 14.0], [15.0, 10.0]);
    assert_eq!(rate(wide, 0.0, 0.0, 20.0), 0.0, "a gaze without error has no false alert");
    let mut sums = [0.0; 2];
    for (zone, sum) in [wide, narrow].into_iter().zip(&mut sums) {
        for error in [MEAN_ERROR, 10.0] {
            for correlation in [0.1, 1.0, 3.0] {
                // No more than in real driving, for errors that are not slower than glances. The bound
                // needs enough hours: 20 h at a rate of 0.89 are 18 alerts.
                let bounded = zone == wide && error == MEAN_ERROR && correlation <= 1.0;
                let rate = rate(zone, error, correlation, if bounded { 20.0 } else { 2.0 });
                *sum += rate;
                assert!(!bounded || rate <= 0.89, "{rate}");
            }
        }
    }
    assert!(sums[0] < sums[1], "a wide zone is no better: {sums:?}");
}

/// The monitor learns forward through the noise.
#[test]
fn learns_forward_through_noise() {
    let mut automatic = config("euroncap-2026");
    automatic.forward = ForwardSource::Auto;
    let (_, drive) = alerts(automatic, MEAN_ERROR, 0.3, 0.2, 7);
    let attention = drive.monitor.attention();
    let found = attention.forward.expect("twelve minutes are enough");
    let error = found.angle_to(Gaze::default()).to_degrees();
    println!(
        "\nforward after 12 min: {error:.2} degrees off, confidence {:.2}",
        attention.confidence
    );
    assert!(error < 2.5, "{error}");
    assert!(attention.confidence > 0.5, "{}", attention.confidence);
}
