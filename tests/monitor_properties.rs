//! Properties of the rules on random drives.

mod common;

use std::time::Duration;

use common::drive::{Do, Drive, ROAD};
use gstgaze::core::monitor::{
    Alarm, AlarmRecord, DriverState, MonitorEvent, RuleProfile, Sense, UnavailableReason,
};
use proptest::prelude::*;

const SCREEN: Do = Do::Look(33.0, -20.0);
const LAP: Do = Do::Look(13.0, -50.0);
const MIRROR: Do = Do::Look(29.0, 16.0);

/// A part of a drive. Lengths are in fifths of a second, which all rates of the tests divide.
type Part = (Do, u64);

fn parts(acts: &'static [Do]) -> impl Strategy<Value = Vec<Part>> {
    prop::collection::vec((prop::sample::select(acts), 1..20u64), 1..25)
}

fn away(act: Do) -> bool {
    act != ROAD && matches!(act, Do::Look(..))
}

fn run(rules: &str, fps: u64, script: &[Part]) -> Drive {
    let mut drive = Drive::new(rules, fps);
    drive.eyes = true;
    for (act, fifths) in script {
        drive.frames(*act, fifths * fps / 5);
    }
    // The next frame ends the time of the last one.
    drive.frames(script.last().map_or(ROAD, |part| part.0), 1);
    drive
}

/// How much of the time from `from` to `to` the script looks away.
fn time_away(script: &[Part], from: Duration, to: Duration) -> Duration {
    let mut at = Duration::ZERO;
    let mut sum = Duration::ZERO;
    for (act, fifths) in script {
        let end = at + Duration::from_millis(200 * fifths);
        if away(*act) {
            sum += end.min(to).saturating_sub(at.max(from));
        }
        at = end;
    }
    sum
}

fn of_gaze(record: &AlarmRecord) -> bool {
    DriverState::of_alarms([record.alarm].into_iter().collect()) == Some(DriverState::Distracted)
}

/// The threshold of the first alarm of gaze.
fn first(drive: &Drive) -> Option<Duration> {
    drive.raised().iter().find(|record| of_gaze(record)).map(|record| record.threshold)
}

/// The alarms that come at an instant. Drowsiness, a share in time buckets of a second, does not.
fn timed(drive: &Drive) -> Vec<AlarmRecord> {
    drive.raised().into_iter().filter(|record| record.alarm != Alarm::Drowsy).collect()
}

/// Phones and other targets have one rule; at equal shares rounding decides its name.
fn kind(alarm: Alarm) -> Alarm {
    if alarm == Alarm::PhoneUse { Alarm::ShortDistraction } else { alarm }
}

/// The protocol's limit for reporting an unavailable driver.
const LIMIT: Duration = Duration::from_secs(10);

/// The state that the events imply, which must be that of the attention.
#[derive(Default)]
struct Told {
    on: std::collections::BTreeSet<Alarm>,
    reason: Option<UnavailableReason>,
}

impl Told {
    fn check(&mut self, drive: &Drive) -> Result<(), TestCaseError> {
        for event in &drive.events {
            match event {
                MonitorEvent::Raised(record) => {
                    self.on.insert(record.alarm);
                }
                MonitorEvent::Cleared { alarm, .. } => {
                    prop_assert!(self.on.remove(alarm), "{alarm} was not on");
                }
                MonitorEvent::Available { sense: Sense::Gaze, reason, .. } => {
                    prop_assert_ne!(reason.is_some(), self.reason.is_some(), "reported twice");
                    self.reason = *reason;
                }
                _ => {}
            }
        }
        let attention = drive.monitor.attention();
        prop_assert_eq!(
            attention.alarms.iter().collect::<Vec<_>>(),
            self.on.iter().copied().collect::<Vec<_>>()
        );
        let reason = attention.reason.filter(|reason| *reason != UnavailableReason::NoEyes);
        prop_assert_eq!(reason, self.reason);
        Ok(())
    }
}

/// Since when, by the stamps, the driver has been out of sight. Stamps within two seconds before the
/// last one are disorder; a stamp farther back starts time again.
#[derive(Debug, Default)]
struct Darkness {
    last: Option<Duration>,
    since: Option<Duration>,
}

impl Darkness {
    fn observe(&mut self, at: Duration, hidden: bool) {
        if let Some(last) = self.last {
            if at <= last && last - at <= Duration::from_secs(2) {
                return;
            }
            if at < last {
                self.since = None;
            }
        }
        self.last = Some(at);
        self.since = hidden.then(|| self.since.unwrap_or(at));
    }

    fn lasts(&self, at: Duration) -> Duration {
        self.since.map_or(Duration::ZERO, |since| at.saturating_sub(since))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    /// A driver who never looks away gets no warning, however often the camera loses the face.
    #[test]
    fn the_monitor_raises_no_alarm_without_time_off_road(script in parts(&[ROAD, Do::Hide])) {
        for rules in RuleProfile::builtin_names() {
            let drive = run(rules, 25, &script);
            prop_assert!(drive.raised().is_empty(), "{rules}: {:?}", drive.alarms());
        }
    }

    /// A long distraction has three seconds away since its start; a short one has ten in the last
    /// thirty.
    #[test]
    fn alarms_have_their_time_off_road(script in parts(&[ROAD, SCREEN, LAP, MIRROR])) {
        let drive = run("euroncap-2026", 30, &script);
        let slack = Duration::from_millis(2);
        for record in drive.raised() {
            let (from, least) = match kind(record.alarm) {
                Alarm::LongDistraction => (record.start, 3),
                Alarm::Unresponsive => (record.start, 3),
                Alarm::ShortDistraction => {
                    (record.at.saturating_sub(Duration::from_secs(30)), 10)
                }
                other => panic!("{other} of open eyes"),
            };
            let sum = time_away(&script, from, record.at) + slack;
            prop_assert!(sum >= Duration::from_secs(least), "{record:?}: {sum:?}");
        }
    }

    /// Every glance of three seconds or more in one piece raises an alarm, unless one is on already.
    #[test]
    fn the_monitor_misses_no_long_glance(script in parts(&[ROAD, SCREEN])) {
        let drive = run("euroncap-2026", 30, &script);
        let long = script.iter().any(|(act, fifths)| *act == SCREEN && *fifths >= 15);
        prop_assert!(!long || drive.raised().iter().any(of_gaze), "{:?}", drive.events);
    }

    /// More time away never delays the first alarm.
    #[test]
    fn alarms_are_monotonic_in_time_off_road(
        script in parts(&[ROAD, SCREEN, LAP, Do::Hide]),
        more in any::<prop::sample::Index>(),
    ) {
        let mut worse = script.clone();
        let chosen = more.index(worse.len());
        if worse[chosen].0 == ROAD {
            worse[chosen].0 = LAP;
        }
        for rules in RuleProfile::builtin_names() {
            let (before, after) = (first(&run(rules, 25, &script)), first(&run(rules, 25, &worse)));
            let later = match (before, after) {
                (Some(before), Some(after)) => after > before + Duration::from_millis(2),
                (Some(_), None) => true,
                _ => false,
            };
            prop_assert!(!later, "{rules}: {before:?}, with more time away {after:?}");
        }
    }

    /// The same drive gives the same alarms at any frame rate, to within a frame.
    #[test]
    fn alarms_do_not_depend_on_the_frame_rate(
        script in parts(&[ROAD, SCREEN, LAP, MIRROR, Do::Hide, Do::Close]),
    ) {
        for rules in RuleProfile::builtin_names() {
            let expected = timed(&run(rules, 60, &script));
            for fps in [15, 25, 30] {
                let found = timed(&run(rules, fps, &script));
                let names = |records: &[AlarmRecord]| {
                    records.iter().map(|r| (kind(r.alarm), r.level)).collect::<Vec<_>>()
                };
                prop_assert_eq!(names(&found), names(&expected), "{} at {}", rules, fps);
                for (found, expected) in found.iter().zip(&expected) {
                    let apart = found.threshold.abs_diff(expected.threshold);
                    prop_assert!(apart <= Duration::from_millis(67), "{found:?} {expected:?}");
                }
            }
        }
    }

    /// More frames that show the same change nothing.
    #[test]
    fn alarms_do_not_depend_on_how_frames_are_split(
        script in parts(&[ROAD, SCREEN, LAP, Do::Hide, Do::Close]),
        cuts in prop::collection::vec(1..4u32, 1..50),
    ) {
        let whole = run("euroncap-2026", 15, &script);
        let mut cut = Drive::new("euroncap-2026", 15);
        cut.eyes = true;
        let mut cuts = cuts.into_iter().cycle();
        for (act, fifths) in &script {
            for _ in 0..fifths * 3 {
                let at = cut.now();
                cut.frames(*act, 1);
                let step = cut.now() - at;
                let pieces = cuts.next().unwrap_or(1);
                for piece in 1..pieces {
                    let (frame, conditions) = (cut.show(*act), cut.conditions);
                    let at = at + step * piece / pieces;
                    cut.monitor.observe(at, Some(&frame), conditions, &mut cut.events);
                }
            }
        }
        cut.frames(script.last().map_or(ROAD, |part| part.0), 1);
        let told = |drive: &Drive| {
            timed(drive).iter().map(|r| (kind(r.alarm), r.level, r.start)).collect::<Vec<_>>()
        };
        prop_assert_eq!(told(&cut), told(&whole));
        for (cut, whole) in timed(&cut).iter().zip(timed(&whole)) {
            let apart = cut.threshold.abs_diff(whole.threshold);
            prop_assert!(apart <= Duration::from_millis(2), "{cut:?} {whole:?}");
            prop_assert!(cut.at <= whole.at);
        }
    }

    /// With any stamps and angles: no panic, the events agree with the attention, and a driver out of
    /// sight is reported within ten seconds of the stamps.
    #[test]
    fn the_monitor_survives_any_input(
        frames in prop::collection::vec(
            (0..40_000u64, -400f32..400.0, -400f32..400.0, prop::bool::weighted(0.7)), 1..200,
        ),
    ) {
        let mut drive = Drive::new("euroncap-2026", 30);
        let mut told = Told::default();
        let mut dark = Darkness::default();
        for (ms, yaw, pitch, hidden) in frames {
            let act = if hidden { Do::Hide } else { Do::Look(yaw, pitch) };
            let frame = drive.show(act);
            let at = Duration::from_millis(ms);
            let conditions = drive.conditions;
            drive.events.clear();
            drive.monitor.observe(at, Some(&frame), conditions, &mut drive.events);
            told.check(&drive)?;
            dark.observe(at, hidden);
            prop_assert!(told.reason.is_some() || dark.lasts(at) < LIMIT, "{at:?}: {dark:?}");
        }
    }

    /// With stamps that jump, stand still or leave a gap: a driver out of sight is reported within ten
    /// seconds, and one in sight for six seconds is available.
    #[test]
    fn availability_is_reported_in_time(
        script in prop::collection::vec(
            (prop::sample::select(&[0.0, 0.0, 0.0, -50.0, 60.0, 1.0, -1.0]), any::<bool>(), 1..60u64),
            1..20,
        ),
    ) {
        let mut drive = Drive::new("euroncap-2026", 15);
        let mut told = Told::default();
        let mut dark = Darkness::default();
        let (mut at, mut seen_since) = (Duration::from_secs(100), None);
        for (jump, hidden, fifths) in script {
            let frame = drive.show(if hidden { Do::Hide } else { ROAD });
            let by = Duration::from_secs_f64(f64::abs(jump));
            at = if jump < 0.0 { at.saturating_sub(by) } else { at + by };
            if hidden || jump != 0.0 {
                seen_since = None;
            }
            for _ in 0..3 * fifths {
                at += Duration::from_secs(1) / 15;
                drive.events.clear();
                drive.monitor.observe(at, Some(&frame), drive.conditions, &mut drive.events);
                told.check(&drive)?;
                dark.observe(at, hidden);
                prop_assert!(told.reason.is_some() || dark.lasts(at) < LIMIT, "{at:?}: {dark:?}");
                if !hidden {
                    let since = *seen_since.get_or_insert(at);
                    let steady = at.saturating_sub(since);
                    prop_assert!(told.reason.is_none() || steady < Duration::from_secs(6), "{at:?}");
                }
            }
        }
    }
}
