//! Counting lines.

use std::time::Duration;

use super::tally::{AlarmSpan, LineCounts, MAX_NAMES, MAX_SPANS, Named, Tally, class_index};
use gstgaze::core::monitor::zones::zone::ZoneClass;
use gstgaze::core::monitor::{Alarm, DriverState};

fn line(frame: u64, attention: &str) -> String {
    let pts = frame * 40_000_000;
    format!(
        r#"{{"schema":1,"frame":{frame},"pts":{pts},"source_id":1,"width":8,"height":8,"model":"m","inference_time_ns":5000000,"latency_ns":{},"faces":[{{"pitch":0.1,"yaw":0.2,"age":0}}]{attention}}}"#,
        (10 + frame) * 1_000_000
    )
}

fn judged(frame: u64, alarms: &str, more: &str) -> String {
    line(
        frame,
        &format!(
            r#","attention":{{"state":"distracted","alarms":[{alarms}],"zone":"lap","zone_class":"phone-basic","pitch":-0.5,"yaw":0.25,"rules":"r"{more}}}"#
        ),
    )
}

#[test]
fn lines_to_numbers() {
    let mut tally = Tally::new(None, None);
    let raised = r#","left_road_ns":400000000,"raised":{"alarm":"phone-use","level":"warning","delay_ns":50000000,"zone_delay_ns":400000000}"#;
    for frame in 0..100 {
        let text = match frame {
            30 => judged(30, r#""phone-use""#, raised),
            31..60 => judged(frame, r#""phone-use""#, ""),
            _ => judged(frame, "", ""),
        };
        tally.line(text.as_bytes());
    }
    for odd in ["", "  \n", "{\"schema\":1,\"fr", "\u{1b}[0m", "[1,2]"] {
        tally.line(odd.as_bytes());
    }
    tally.line(line(100, "").replace("\"source_id\":1", "\"source_id\":2").as_bytes());
    let counts = LineCounts { taken: 100, garbage: 2, foreign: 1, other_sources: 1 };
    assert_eq!((tally.lines(), tally.source()), (counts, 1));
    assert_eq!((tally.judged(), tally.faces(), tally.time.frames()), (100, 100, 100));
    assert_eq!(tally.time.length(), Duration::from_millis(99 * 40));
    assert_eq!((tally.capture.count(), tally.capture.max_ns()), (100, 109_000_000));
    assert_eq!(tally.inference.max_ns(), 5_000_000);
    let ms = 1_000_000;
    let delays = &tally.delays;
    let largest = [&delays.left_road, &delays.alarm, &delays.total].map(|h| h.max_ns() / ms);
    assert_eq!((largest, delays.total.count()), ([400, 50, 450], 1));
    let span = AlarmSpan { alarm: Alarm::PhoneUse, from: 1200 * ms, to: 2400 * ms };
    assert_eq!(tally.spans(), [span]);
    assert!(tally.raised().eq([(Alarm::PhoneUse, 1)]));
    assert!(tally.states().eq([(DriverState::Distracted, 100)]));
    let lap = Named { name: "lap".into(), class: Some(ZoneClass::PhoneBasic), frames: 100 };
    assert_eq!(tally.zones(), [lap]);
    assert_eq!((tally.models().len(), tally.rules().len()), (1, 1));
    let (gaze, of_road) = tally.gaze();
    assert!(of_road && gaze.heat.total() == 100);
    let bins: u32 = gaze.over_time.iter().map(|(_, bin)| bin.frames).sum();
    let classes: Vec<_> = gaze.over_time.iter().filter_map(|(_, bin)| bin.class()).collect();
    assert_eq!((bins, classes.len()), (100, 100));
    assert!(classes.iter().all(|class| *class == class_index(Some(ZoneClass::PhoneBasic))));
}

#[test]
fn lines_without_a_judgement() {
    let mut tally = Tally::new(Some(1), None);
    (0..10).for_each(|frame| tally.line(line(frame, "").as_bytes()));
    let (gaze, of_road) = tally.gaze();
    assert!(!of_road && gaze.heat.total() == 10);
    assert_eq!((tally.judged(), tally.spans().len()), (0, 0));
}

/// Only counts grow with the recording.
#[test]
fn alarms_and_names_without_end() {
    let mut tally = Tally::new(None, None);
    for frame in 0..6000 {
        let alarms = if frame % 2 == 0 { r#""phone-use""# } else { "" };
        let text = judged(frame, alarms, "").replace("\"lap\"", &format!("\"{frame}\""));
        tally.line(text.as_bytes());
    }
    assert!(tally.raised().eq([(Alarm::PhoneUse, 3000)]));
    assert_eq!((tally.spans().len(), tally.zones().len()), (MAX_SPANS, MAX_NAMES));
}
