//! The monitor under faults: faces that come and go, missing gaze or eyes, wrong stamps. Alarms must
//! end with their evidence, and an unavailable driver must be reported in time.

mod common;

use std::time::Duration;

use common::drive::{Do, Drive, ROAD, config};
use gstgaze::core::gaze::FrameGaze;
use gstgaze::core::geometry::Gaze;
use gstgaze::core::monitor::{
    Alarm, Conditions, DriverCriterion, DriverState, ForwardSource, Level, MonitorEvent, Sense,
};

const SCREEN: Do = Do::Look(33.0, -20.0);
const LAP: Do = Do::Look(13.0, -50.0);

fn s(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A reason, the time until its report, and the stamp of the report.
type Report = (Option<&'static str>, Duration, Duration);

fn reports_of(drive: &Drive, wanted: Sense) -> Vec<Report> {
    let told = drive.events.iter().filter_map(|event| match event {
        MonitorEvent::Available { sense, reason, since, at } if *sense == wanted => {
            Some((reason.map(|reason| reason.name()), at.saturating_sub(*since), *at))
        }
        _ => None,
    });
    told.collect()
}

/// The reports of the availability of gaze.
fn availability(drive: &Drive) -> Vec<Report> {
    reports_of(drive, Sense::Gaze)
}

/// The alarms that ended, and why.
fn cleared(drive: &Drive) -> Vec<(Alarm, &'static str)> {
    let told = drive.events.iter().filter_map(|event| match event {
        MonitorEvent::Cleared { alarm, why, .. } => Some((*alarm, why.name())),
        _ => None,
    });
    told.collect()
}

fn state(drive: &Drive) -> DriverState {
    drive.monitor.attention().state
}

/// A driver, and a passenger at the right whose face is smaller by a fifth; either may be out of sight.
/// The passenger is the first face.
fn two(drive: &Drive, driver: Do, passenger: Do, ids: Option<(u64, u64)>) -> FrameGaze {
    let mut frame = drive.show(driver);
    for face in &mut frame.faces {
        face.region.track_id = ids.map(|ids| ids.0);
    }
    if let Some(mut face) = drive.show(passenger).faces.pop() {
        face.region.rect.x = 450.0;
        face.region.rect.width = 160.0;
        face.region.rect.height = 160.0;
        face.region.track_id = ids.map(|ids| ids.1);
        frame.faces.insert(0, face);
    }
    frame
}

/// The driver is out of sight for a second, as in a glance to the side that a frontal detector loses.
/// The passenger does not replace him, with track ids or without, and a new track id does not make
/// him another person.
#[test]
fn a_driver_who_is_lost_for_a_second_stays_the_driver() {
    for (before, after) in
        [(Some((1, 2)), Some((1, 2))), (Some((1, 2)), Some((3, 2))), (None, None)]
    {
        let mut drive = Drive::new("euroncap-2026", 30);
        let what = format!("{before:?} {after:?}");
        let both = two(&drive, ROAD, SCREEN, before);
        drive.push(Some(&both), 4.0);
        assert_eq!(drive.monitor.attention().face, Some(1), "{what}");
        let alone = two(&drive, Do::Hide, SCREEN, before);
        for _ in 0..30 {
            drive.push(Some(&alone), 0.034);
            assert_eq!(drive.monitor.attention().face, None, "{what}");
        }
        let back = two(&drive, ROAD, SCREEN, after);
        for _ in 0..60 {
            drive.push(Some(&back), 0.034);
            assert_eq!(drive.monitor.attention().face, Some(1), "{what}");
        }
        drive.push(Some(&back), 5.0);
        assert_eq!((drive.alarms(), availability(&drive)), (vec![], vec![]), "{what}");
    }
}

/// A driver who stays away is reported as unavailable. Then the passenger stands in, as another person,
/// until the driver is back in his position.
#[test]
fn a_driver_who_stays_away_is_reported_and_replaced_until_he_is_back() {
    for ids in [Some((1, 2)), None] {
        let mut drive = Drive::new("euroncap-2026", 30);
        let both = two(&drive, ROAD, SCREEN, ids);
        drive.push(Some(&both), 4.0);
        let away = two(&drive, SCREEN, ROAD, ids);
        drive.push(Some(&away), 2.5);
        let alone = two(&drive, Do::Hide, SCREEN, ids);
        drive.push(Some(&alone), 7.5);
        let told = availability(&drive);
        assert_eq!(told[0].0, Some("no-face"), "{ids:?}: {told:?}");
        assert!(told[0].1 <= s(10.0) && told[1].0.is_none(), "{ids:?}: {told:?}");
        assert_eq!(drive.monitor.attention().face, Some(0), "{ids:?}");
        // The driver's 2.5 s are not the passenger's.
        assert_eq!(drive.alarms(), [], "{ids:?}");
        drive.push(Some(&both), 1.0);
        assert_eq!(drive.monitor.attention().face, Some(1), "{ids:?}");
        drive.push(Some(&away), 2.9);
        assert_eq!(drive.alarms(), [], "{ids:?}");
    }
}

/// The criterion selects another driver in the midst of a glance, whose time starts at zero.
#[test]
fn another_track_is_another_person() {
    let mut other = config("euroncap-2026");
    other.driver = DriverCriterion::Track(1);
    let mut drive = Drive::with(other, 30);
    let both = two(&drive, SCREEN, SCREEN, Some((1, 2)));
    drive.push(Some(&both), 2.0);
    drive.monitor.set_driver(DriverCriterion::Track(2));
    drive.push(Some(&both), 2.9);
    assert_eq!(drive.alarms(), []);
    drive.push(Some(&both), 0.2);
    assert_eq!(drive.alarms(), [Alarm::LongDistraction]);
    // The alarm belongs to that person and ends with him.
    drive.monitor.set_driver(DriverCriterion::Track(1));
    drive.push(Some(&both), 0.1);
    assert_eq!(cleared(&drive), [(Alarm::LongDistraction, "other-driver")]);
    assert_eq!(drive.monitor.attention().level, Level::None);
    // Another criterion that selects the same person changes nothing.
    drive.monitor.set_driver(DriverCriterion::Region([0.0, 0.0, 0.6, 1.0]));
    drive.push(Some(&both), 3.0);
    assert_eq!(drive.alarms().len(), 2);
}

/// While the car may have to act for a driver who does not respond, no other person replaces him.
#[test]
fn no_person_replaces_an_unresponsive_driver() {
    let mut drive = Drive::new("euroncap-2026", 30);
    let away = two(&drive, SCREEN, ROAD, None);
    drive.push(Some(&away), 7.0);
    assert_eq!(state(&drive), DriverState::Unresponsive);
    let alone = two(&drive, Do::Hide, ROAD, None);
    drive.push(Some(&alone), 30.0);
    let attention = drive.monitor.attention();
    assert_eq!((attention.state, attention.face), (DriverState::Unresponsive, None));
    assert_eq!(attention.reason.map(|reason| reason.name()), Some("no-face"));
    let back = two(&drive, ROAD, ROAD, None);
    drive.push(Some(&back), 2.0);
    assert_eq!(state(&drive), DriverState::Attentive);
}

/// Drowsiness is a share of time with visible eyes; without visible eyes it ends.
#[test]
fn drowsiness_ends_with_its_evidence() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.eyes = true;
    for _ in 0..20 {
        drive.seconds(Do::Close, 0.8).seconds(ROAD, 3.2);
    }
    assert_eq!(state(&drive), DriverState::Drowsy);
    drive.eyes = false;
    drive.seconds(ROAD, 70.0);
    assert_eq!((state(&drive), drive.monitor.attention().perclos), (DriverState::Attentive, None));
    assert_eq!(cleared(&drive), [(Alarm::Drowsy, "unavailable")]);
}

/// Sunglasses, or a lost eye engine: gaze goes on, the eyes are reported as unavailable within ten
/// seconds, and their alarms end.
#[test]
fn lost_eyes_are_reported_and_end_their_alarms() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.eyes = true;
    drive.seconds(ROAD, 4.0).seconds(Do::Close, 1.5).seconds(ROAD, 0.1);
    assert_eq!(state(&drive), DriverState::Asleep);
    drive.eyes = false;
    drive.seconds(ROAD, 10.0);
    let attention = drive.monitor.attention();
    assert_eq!((attention.state, attention.closed), (DriverState::Attentive, Duration::ZERO));
    assert_eq!(attention.reason.map(|reason| reason.name()), Some("no-eyes"));
    assert_eq!(cleared(&drive), [(Alarm::Microsleep, "unavailable")]);
    let told = reports_of(&drive, Sense::Eyes);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, Some("no-eyes"));
    assert!(told[0].1 <= s(10.0), "{told:?}");
    // The rules of gaze still work.
    drive.seconds(SCREEN, 3.1);
    assert_eq!(state(&drive), DriverState::Distracted);
    drive.eyes = true;
    drive.seconds(ROAD, 2.0);
    assert_eq!(drive.monitor.attention().reason, None);
    assert_eq!(reports_of(&drive, Sense::Eyes).last().map(|told| told.0), Some(None));
    assert_eq!(availability(&drive), []);
}

/// An intervention for closed eyes ends with a steady gaze ahead once the eyes are invisible.
#[test]
fn an_intervention_ends_though_the_eyes_are_invisible() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.eyes = true;
    drive.seconds(ROAD, 4.0).seconds(Do::Close, 6.5);
    drive.eyes = false;
    drive.seconds(SCREEN, 2.5).seconds(ROAD, 1.9);
    assert_eq!(state(&drive), DriverState::Unresponsive);
    drive.seconds(ROAD, 0.5);
    assert_eq!(state(&drive), DriverState::Attentive);
    // The same long after the eyes became unavailable.
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.eyes = true;
    drive.seconds(ROAD, 4.0).seconds(Do::Close, 6.5);
    drive.eyes = false;
    for _ in 0..10 {
        drive.seconds(SCREEN, 1.0).seconds(ROAD, 1.0);
    }
    assert_eq!(state(&drive), DriverState::Unresponsive);
    drive.seconds(ROAD, 2.0);
    assert_eq!(drive.monitor.attention().level, Level::None);
}

/// A closure of ten minutes ago and a blink make no microsleep.
#[test]
fn an_old_closure_and_a_blink_make_no_microsleep() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.eyes = true;
    drive.seconds(ROAD, 4.0).seconds(Do::Close, 0.6);
    drive.eyes = false;
    drive.seconds(ROAD, 600.0);
    drive.eyes = true;
    drive.seconds(Do::Close, 0.2).seconds(ROAD, 1.0);
    assert_eq!(drive.alarms(), []);
}

/// Behind a covered camera a warning ends with its evidence.
#[test]
fn warnings_end_where_the_driver_is_unavailable() {
    // The driver has looked back before.
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.seconds(ROAD, 4.0).seconds(SCREEN, 4.0).seconds(ROAD, 0.5);
    assert_eq!(state(&drive), DriverState::Distracted);
    drive.seconds(Do::Hide, 10.0);
    assert_eq!(state(&drive), DriverState::Unavailable);
    assert_eq!(cleared(&drive), [(Alarm::LongDistraction, "unavailable")]);
    // A rule without escalation.
    let mut drive = Drive::new("eu-addw", 30);
    drive.seconds(ROAD, 4.0).seconds(LAP, 4.0).seconds(Do::Hide, 10.0);
    assert_eq!(state(&drive), DriverState::Unavailable);
    assert_eq!(cleared(&drive), [(Alarm::Distraction, "unavailable")]);
    // Frames without analysis show neither a response of the driver nor the lack of one.
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.seconds(ROAD, 4.0).seconds(SCREEN, 4.0).push(None, 10.0);
    assert_eq!(state(&drive), DriverState::Unavailable);
    assert_eq!(drive.alarms(), [Alarm::LongDistraction]);
}

/// A driver who slumps out of sight after a warning has not looked ahead within three seconds of it.
#[test]
fn a_driver_who_slumps_out_of_sight_does_not_respond() {
    for fps in [15, 30] {
        let mut drive = Drive::new("euroncap-2026", fps);
        drive.seconds(ROAD, 4.0).seconds(SCREEN, 3.5).seconds(Do::Hide, 60.0);
        let told: Vec<_> = drive.raised().iter().map(|r| (r.alarm, r.level, r.at)).collect();
        assert_eq!(told.len(), 2, "at {fps}: {told:?}");
        assert_eq!((told[1].0, told[1].1), (Alarm::Unresponsive, Level::Intervention));
        assert!(told[1].2.abs_diff(s(10.0)) < s(0.07), "at {fps}: {told:?}");
        assert_eq!(
            state(&drive),
            DriverState::Unresponsive,
            "the intervention stays until he looks ahead"
        );
        drive.seconds(ROAD, 2.0);
        assert_eq!(state(&drive), DriverState::Attentive);

        let mut drive = Drive::new("un-r171", fps);
        drive.seconds(ROAD, 4.0).seconds(LAP, 6.0).seconds(Do::Hide, 60.0);
        let told: Vec<_> = drive.raised().iter().map(|r| (r.alarm, r.level)).collect();
        let expected = [
            (Alarm::EyesOff, Level::Warning),
            (Alarm::EyesOff, Level::Urgent),
            (Alarm::Unresponsive, Level::Intervention),
        ];
        assert_eq!(told, expected, "at {fps}");

        // Asleep and then out of sight: time out of sight leads to "unresponsive".
        let mut drive = Drive::new("euroncap-2026", fps);
        drive.eyes = true;
        drive.seconds(ROAD, 4.0).seconds(Do::Close, 3.2).seconds(Do::Hide, 60.0);
        assert_eq!(
            drive.alarms(),
            [Alarm::Microsleep, Alarm::Sleep, Alarm::Unresponsive],
            "at {fps}"
        );
        // Without a warning before, time out of sight raises no alarm.
        let mut drive = Drive::new("euroncap-2026", fps);
        drive.eyes = true;
        drive.seconds(ROAD, 4.0).seconds(SCREEN, 2.5).seconds(Do::Hide, 60.0);
        assert_eq!(drive.alarms(), [], "at {fps}");
    }
}

/// Stamps go back while the face is lost: the report comes within ten seconds of the new stamps.
#[test]
fn a_lost_driver_is_reported_though_stamps_go_back() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.seconds(ROAD, 100.0).seconds(Do::Hide, 1.0).rewind().seconds(Do::Hide, 10.0);
    let told = availability(&drive);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1 <= s(10.0) && told[0].2 <= s(10.0), "{told:?}");
    // The report holds over another jump, until the driver is in sight.
    drive.rewind().seconds(Do::Hide, 3.0);
    assert_eq!(state(&drive), DriverState::Unavailable);
    drive.rewind().seconds(ROAD, 1.5);
    assert_eq!(state(&drive), DriverState::Attentive);
    assert_eq!(availability(&drive).len(), 2);
}

/// A stream with a gap of a minute: the first frame after it reports the gap.
#[test]
fn a_gap_is_time_without_a_driver() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.seconds(ROAD, 4.0).skip(60.0).seconds(ROAD, 0.1);
    let told = availability(&drive);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, Some("no-data"));
    assert!(told[0].1.abs_diff(s(60.0)) < s(0.1), "{told:?}");
    drive.seconds(ROAD, 1.0);
    assert_eq!(state(&drive), DriverState::Attentive);
    // A short gap is not reported.
    drive.skip(3.0).seconds(ROAD, 3.0);
    assert_eq!(availability(&drive).len(), 2);
}

/// Stamps that stand still, and a loop shorter than the tolerated disorder: no time passes, so the
/// driver is reported unavailable.
#[test]
fn stamps_that_do_not_advance_are_reported() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.seconds(ROAD, 4.0).seconds(SCREEN, 3.2);
    assert_eq!(state(&drive), DriverState::Distracted);
    let (frame, conditions, at) = (drive.show(ROAD), drive.conditions, drive.now());
    for _ in 0..300 {
        drive.monitor.observe(at, Some(&frame), conditions, &mut drive.events);
    }
    assert_eq!(state(&drive), DriverState::Unavailable);
    assert_eq!(availability(&drive).last().and_then(|told| told.0), Some("no-data"));

    let mut drive = Drive::new("euroncap-2026", 30);
    drive.seconds(ROAD, 1.5);
    let mut unavailable = 0;
    for _ in 0..10 {
        for frame in 0..45 {
            let at = s(1.0) * frame / 30;
            let frame = drive.show(SCREEN);
            drive.monitor.observe(at, Some(&frame), conditions, &mut drive.events);
            unavailable += usize::from(state(&drive) == DriverState::Unavailable);
        }
    }
    assert!(unavailable > 400, "{unavailable} of 450 frames");
}

/// A face in one frame of many does not make the driver available.
#[test]
fn a_face_that_flickers_is_not_available() {
    // Frames at 30 a second: with a face, without one, and whether that is enough.
    for (seen, lost, enough) in [(1, 12, false), (18, 132, false), (1, 7, true), (60, 60, true)] {
        let what = format!("{seen} seen, {lost} not");
        let mut drive = Drive::new("euroncap-2026", 30);
        drive.seconds(ROAD, 30.0);
        while drive.now() < s(90.0) {
            drive.frames(ROAD, seen).frames(Do::Hide, lost);
        }
        let told = availability(&drive);
        assert_eq!(told.is_empty(), enough, "{what}: {told:?}");
        let Some(first) = told.first() else { continue };
        assert_eq!((first.0, told.len()), (Some("no-face"), 1), "{what}: {told:?}");
        assert!(first.2 <= s(40.5), "{what}: {told:?}");
        drive.seconds(ROAD, 10.0);
        assert_eq!(state(&drive), DriverState::Attentive, "{what}");
    }
}

/// Below 20 km/h no alarm is raised, but PERCLOS and closures go on counting.
#[test]
fn slow_driving_counts_and_raises_no_alarm() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.conditions.speed = Some(10.0);
    drive.eyes = true;
    for _ in 0..20 {
        drive.seconds(ROAD, 3.2).seconds(Do::Close, 0.8);
    }
    let perclos = drive.monitor.attention().perclos.unwrap();
    assert!((perclos - 0.2).abs() < 0.03, "{perclos}");
    drive.seconds(Do::Close, 4.0);
    let attention = drive.monitor.attention();
    assert!(attention.closed.abs_diff(s(4.8)) < s(0.1), "{:?}", attention.closed);
    assert_eq!(drive.alarms(), []);
    // After driving off with closed eyes the rule has its full time.
    drive.conditions.speed = Some(30.0);
    drive.seconds(Do::Close, 0.9);
    assert_eq!(drive.alarms(), []);
    drive.seconds(Do::Close, 0.2);
    assert_eq!(drive.alarms(), [Alarm::Microsleep]);
}

/// A driver who looks into the lap has lowered lids and no microsleep: a lowered head, or a gaze that
/// had settled there before, shows it. A head that nods after the eyes closed is asleep.
#[test]
fn lowered_lids_are_no_microsleep() {
    let lap = Do::Lower(13.0, -50.0);
    let mut owl = Drive::new("euroncap-2026", 30);
    (owl.eyes, owl.head) = (true, Some(0.7));
    owl.seconds(ROAD, 4.0).seconds(lap, 2.5).seconds(ROAD, 4.0);
    assert_eq!(owl.alarms(), []);
    owl.seconds(lap, 3.2);
    assert_eq!(owl.alarms(), [Alarm::LongDistraction]);

    let mut settled = Drive::new("euroncap-2026", 30);
    settled.eyes = true;
    settled.seconds(ROAD, 4.0).seconds(LAP, 0.6).seconds(lap, 2.2).seconds(ROAD, 4.0);
    assert_eq!(settled.alarms(), []);

    // A reused gaze under closed lids is no evidence.
    let mut reused = Drive::new("euroncap-2026", 30);
    reused.eyes = true;
    reused.seconds(ROAD, 4.0).seconds(LAP, 0.6);
    let mut frame = reused.show(lap);
    frame.faces[0].age = 1;
    reused.push(Some(&frame), 1.2);
    assert_eq!(reused.alarms(), [Alarm::Microsleep]);

    // Without evidence of lowered lids it is a microsleep.
    let mut eyes = Drive::new("euroncap-2026", 30);
    eyes.eyes = true;
    eyes.seconds(ROAD, 4.0).seconds(lap, 1.2);
    assert_eq!(eyes.alarms(), [Alarm::Microsleep]);
    let mut nod = Drive::new("euroncap-2026", 30);
    (nod.eyes, nod.head) = (true, Some(0.2));
    nod.seconds(ROAD, 4.0).seconds(Do::Close, 0.7);
    nod.head = Some(0.7);
    nod.seconds(lap, 0.5);
    assert_eq!(nod.alarms(), [Alarm::Microsleep]);
}

/// An empty seat is not attentive, and the first zone is reported like every other.
#[test]
fn the_monitor_reports_nothing_before_the_first_face() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.seconds(Do::Hide, 2.0);
    assert_eq!(state(&drive), DriverState::Calibrating);
    drive.seconds(SCREEN, 1.0);
    let zones = |drive: &Drive| {
        drive.events.iter().filter(|event| matches!(event, MonitorEvent::Zone { .. })).count()
    };
    assert_eq!((zones(&drive), state(&drive)), (1, DriverState::LookingAway));
    // The same after a reset, which also drops the earlier delay.
    drive.seconds(ROAD, 2.0).seconds(SCREEN, 1.0);
    drive.monitor.reset(&mut drive.events);
    drive.events.clear();
    drive.rewind().seconds(SCREEN, 3.2);
    assert_eq!(zones(&drive), 1);
    assert_eq!(drive.raised()[0].zone_delay, Duration::ZERO);
}

/// A reset does not make the driver available.
#[test]
fn a_reset_keeps_the_availability() {
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.seconds(Do::Hide, 6.0);
    drive.monitor.reset(&mut drive.events);
    drive.rewind().seconds(Do::Hide, 0.1);
    assert_eq!(state(&drive), DriverState::Unavailable);
    drive.seconds(ROAD, 1.2);
    let told: Vec<_> = availability(&drive).iter().map(|told| told.0).collect();
    assert_eq!(told, [Some("no-face"), None]);
}

/// Below the speed of a rule its warning ends. An intervention does not, because a car that stops is no
/// response of the driver.
#[test]
fn a_warning_ends_below_its_speed_and_an_intervention_does_not() {
    for rules in ["euroncap-2026", "euroncap-2023", "un-r171"] {
        let away = if rules == "un-r171" { 5.5 } else { 3.5 };
        let mut drive = Drive::new(rules, 30);
        drive.seconds(ROAD, 4.0).seconds(LAP, away);
        assert_eq!(state(&drive), DriverState::Distracted, "{rules}");
        drive.conditions.speed = Some(5.0);
        drive.seconds(LAP, 1.0);
        assert_eq!(state(&drive), DriverState::LookingAway, "{rules}");
        assert_eq!(cleared(&drive).last().map(|(_, why)| *why), Some("inactive"), "{rules}");

        let mut drive = Drive::new(rules, 30);
        drive.seconds(ROAD, 4.0).seconds(LAP, 16.0);
        assert_eq!(state(&drive), DriverState::Unresponsive, "{rules}");
        drive.conditions.speed = Some(0.0);
        drive.seconds(LAP, 5.0);
        assert_eq!(drive.monitor.attention().level, Level::Intervention, "{rules}");
        drive.seconds(ROAD, 3.0);
        assert_eq!(drive.monitor.attention().level, Level::None, "{rules}");
    }
    let mut drive = Drive::new("euroncap-2026", 30);
    drive.eyes = true;
    drive.seconds(ROAD, 4.0).seconds(Do::Close, 3.5);
    drive.conditions.speed = Some(5.0);
    drive.seconds(Do::Close, 0.1);
    assert_eq!(cleared(&drive).last(), Some(&(Alarm::Sleep, "inactive")));
}

/// The speed and the situation may change in the midst of a glance: the present threshold applies.
#[test]
fn the_threshold_follows_the_moment() {
    let conditions = |speed, nominal| Conditions { speed: Some(speed), nominal };
    // 4 s are allowed at 30 km/h and too long at 60.
    let mut drive = Drive::new("eu-addw", 30);
    drive.conditions = conditions(30.0, true);
    drive.seconds(ROAD, 4.0).seconds(LAP, 4.0);
    assert_eq!(drive.alarms(), []);
    drive.conditions = conditions(60.0, true);
    drive.seconds(LAP, 0.1);
    assert_eq!(drive.alarms(), [Alarm::Distraction]);
    assert!(drive.raised()[0].delay() <= s(0.6), "{:?}", drive.raised());
    // From 60 to 30 km/h the limit becomes six seconds.
    let mut drive = Drive::new("eu-addw", 30);
    drive.conditions = conditions(60.0, true);
    drive.seconds(ROAD, 4.0).seconds(LAP, 3.0);
    drive.conditions = conditions(30.0, true);
    drive.seconds(LAP, 2.9);
    assert_eq!(drive.alarms(), []);
    drive.seconds(LAP, 0.2);
    assert_eq!(drive.alarms(), [Alarm::Distraction]);
    // 1.5 s longer while not nominal; once nominal again, the alarm comes at once.
    let mut drive = Drive::new("eu-addw", 30);
    drive.conditions = conditions(60.0, true);
    drive.seconds(ROAD, 4.0).seconds(LAP, 3.0);
    drive.conditions = conditions(60.0, false);
    drive.seconds(LAP, 1.5);
    assert_eq!(drive.alarms(), []);
    drive.conditions = conditions(60.0, true);
    drive.seconds(LAP, 0.1);
    assert_eq!(drive.alarms(), [Alarm::Distraction]);
}

/// The monitor reports once that it has learned forward.
#[test]
fn forward_is_reported_once() {
    let mut automatic = config("euroncap-2026");
    automatic.forward = ForwardSource::Auto;
    let mut drive = Drive::with(automatic, 30);
    drive.seconds(ROAD, 40.0);
    drive.monitor.reset(&mut drive.events);
    drive.rewind().seconds(ROAD, 40.0);
    let told = drive.events.iter().filter(|event| matches!(event, MonitorEvent::Calibrated { .. }));
    assert_eq!(told.count(), 1);
    let found = drive.monitor.attention().forward.unwrap();
    assert!(found.angle_to(Gaze::default()).to_degrees() < 1.5, "{found:?}");
}

/// UN R171: 200 ms of relevant gaze re-engage a driver, and one frame less does not.
#[test]
fn r171_is_over_after_200_ms_of_road() {
    for fps in [15u64, 25, 30, 60] {
        let enough = fps / 5;
        for (frames, over) in [(enough, true), (enough - 1, false)] {
            let mut drive = Drive::new("un-r171", fps);
            drive.seconds(ROAD, 4.0).seconds(LAP, 6.0).frames(ROAD, frames).frames(LAP, 1);
            let what = format!("{frames} frames of road at {fps}");
            assert_eq!(state(&drive) != DriverState::Distracted, over, "{what}");
        }
    }
}
