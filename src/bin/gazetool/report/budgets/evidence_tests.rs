//! Budgets at their edges.

use std::time::Duration;

use super::evidence::{Accuracy, Evidence, PowerAboveIdle};
use super::finding::{BudgetVerdict, Finding};
use super::limits::MEMORY_SECONDS;
use super::memory::MemoryRecord;
use super::tally::Tally;
use crate::accuracy::DifferenceSummary;

const MS: u64 = 1_000_000;

fn evidence(tally: &Tally) -> Evidence<'_> {
    let no = || "because".to_owned();
    Evidence { tally, accuracy: Err(no()), power: Err(no()), memory: Err(no()), ended_badly: None }
}

fn finding(evidence: &Evidence<'_>, key: &str) -> Finding {
    evidence.findings().into_iter().find(|finding| finding.key == key).unwrap()
}

fn verdict(tally: &Tally, key: &str) -> BudgetVerdict {
    finding(&evidence(tally), key).verdict
}

fn line(frame: u64, pts: u64, more: &str) -> String {
    format!(r#"{{"schema":1,"frame":{frame},"pts":{pts},"faces":[]{more}}}"#)
}

fn with(lines: impl IntoIterator<Item = String>) -> Tally {
    let mut tally = Tally::new(None, Some(40 * MS));
    lines.into_iter().for_each(|line| tally.line(line.as_bytes()));
    tally
}

#[test]
fn a_finding_without_a_measurement_gives_its_reason() {
    let tally = with([]);
    for finding in evidence(&tally).findings() {
        assert_ne!(finding.verdict, BudgetVerdict::Failed, "{finding:?}");
        let silent = finding.verdict == BudgetVerdict::NotMeasured && finding.note.is_empty();
        assert!(!silent, "the finding gives no reason: {finding:?}");
    }
}

/// 29.7 ms lies a bucket below 30, and 30 ms are not less than 30.
#[test]
fn latency_at_the_edge() {
    let of = |p99: f64| {
        let late = |frame: u64| if frame >= 98 { p99 } else { 5.0 };
        with((0..100).map(|frame| {
            let latency = (late(frame) * 1e6) as u64;
            line(frame, frame * 40 * MS, &format!(r#","latency_ns":{latency}"#))
        }))
    };
    assert_eq!(verdict(&of(29.7), "latency"), BudgetVerdict::Passed);
    assert_eq!(verdict(&of(30.0), "latency"), BudgetVerdict::Failed);
    let one_is_late = with((0..100).map(|frame| {
        let latency = if frame == 50 { 900 } else { 5 } * MS;
        line(frame, frame * 40 * MS, &format!(r#","latency_ns":{latency}"#))
    }));
    assert_eq!(verdict(&one_is_late, "latency"), BudgetVerdict::Passed);
}

#[test]
fn a_part_of_the_latency_can_fail_but_not_pass() {
    let of = |ms: u64| {
        with((0..9).map(|frame| {
            let more = format!(r#","inference_time_ns":{}"#, ms * MS);
            line(frame, frame * 40 * MS, &more)
        }))
    };
    let quick = of(5);
    let found = finding(&evidence(&quick), "latency");
    assert_eq!(found.verdict, BudgetVerdict::NotMeasured);
    assert!(found.note.contains("p99 5.0") && found.note.contains("latency_ns"), "{found:?}");
    assert_eq!(verdict(&of(31), "latency"), BudgetVerdict::Failed);
}

#[test]
fn the_sum_of_both_delays_is_judged() {
    let of = |left: u64, alarms: &[(u64, u64)]| {
        let mut lines = vec![line(
            0,
            0,
            &format!(r#","attention":{{"state":"attentive","left_road_ns":{}}}"#, left * MS),
        )];
        for (i, (delay, zone)) in alarms.iter().enumerate() {
            let frame = i as u64 + 1;
            let raised = format!(
                r#","attention":{{"state":"distracted","raised":{{"alarm":"sleep","level":"urgent","delay_ns":{},"zone_delay_ns":{}}}}}"#,
                delay * MS,
                zone * MS
            );
            lines.push(line(frame, frame * 40 * MS, &raised));
        }
        with(lines)
    };
    assert_eq!(
        verdict(&of(400, &[(40, 400), (1500, 499)]), "distraction-delay"),
        BudgetVerdict::Passed
    );
    assert_eq!(
        verdict(&of(400, &[(40, 400), (1500, 500)]), "distraction-delay"),
        BudgetVerdict::Failed
    );
    // Without an alarm only one of the two is known; above the limit it fails all the same.
    assert_eq!(verdict(&of(400, &[]), "distraction-delay"), BudgetVerdict::NotMeasured);
    assert_eq!(verdict(&of(2000, &[]), "distraction-delay"), BudgetVerdict::Failed);
}

#[test]
fn accuracy_and_power_at_the_edge() {
    let tally = with([]);
    let of = |mean: f64, unpaired: usize| {
        let summary =
            DifferenceSummary { faces: 10, mean, unpaired, ..DifferenceSummary::default() };
        let accuracy = Ok(Accuracy { deployed: "a".into(), reference: "b".into(), summary });
        let power = Ok(PowerAboveIdle {
            rail: "r".into(),
            idle: 3.0,
            load: 3.0 + mean * 5.0,
            seconds: 9.0,
        });
        let evidence = Evidence { accuracy, power, ..evidence(&tally) };
        ["accuracy-loss", "power"].map(|key| finding(&evidence, key).verdict)
    };
    assert_eq!(of(0.999, 0), [BudgetVerdict::Passed; 2]);
    assert_eq!(of(1.0, 0), [BudgetVerdict::Failed; 2]);
    assert_eq!(of(0.5, 1)[0], BudgetVerdict::Failed);
}

#[test]
fn a_day_in_one_piece() {
    let day = 24 * 3600 * 1000 * MS;
    let frames = |end: u64| (0..=100).map(move |i| line(i * 21_600, i * (end / 100), ""));
    let whole = with(frames(day));
    let keys = ["uptime", "restarts", "frames-lost"];
    assert_eq!(keys.map(|key| verdict(&whole, key)), [BudgetVerdict::Passed; 3]);
    let last = day - 40 * MS - 100;
    assert_eq!(
        verdict(&with(frames(last)), "uptime"),
        BudgetVerdict::Passed,
        "the last frame counts"
    );
    assert_eq!(verdict(&with(frames(day - 100 * MS)), "uptime"), BudgetVerdict::NotMeasured);
    let again = with(frames(day).chain([line(0, 0, "")]));
    assert_eq!(["uptime", "restarts"].map(|key| verdict(&again, key)), [BudgetVerdict::Failed; 2]);
    let broken = Evidence { ended_badly: Some("boom".into()), ..evidence(&whole) };
    let found = finding(&broken, "uptime");
    assert!(found.verdict == BudgetVerdict::Failed && found.note.contains("boom"), "{found:?}");
}

#[test]
fn one_frame_in_a_thousand_is_one_too_many() {
    let of = |lost: u64| {
        with((0..2000 - lost).map(|frame| {
            let place = frame + if frame >= 500 { lost } else { 0 };
            line(frame, place * 40 * MS, "")
        }))
    };
    let kept = of(1);
    let found = finding(&evidence(&kept), "frames-lost");
    assert_eq!((found.verdict, &*found.measured), (BudgetVerdict::Passed, "1 of 2000 (0.05 %)"));
    assert_eq!(verdict(&of(2), "frames-lost"), BudgetVerdict::Failed);
    assert_eq!(verdict(&with([line(0, 0, "")]), "frames-lost"), BudgetVerdict::NotMeasured);
}

#[test]
fn memory_that_grows_and_memory_with_too_much_noise() {
    let of = |per_hour: f64, noise: f64, length: f64| {
        let mut memory = MemoryRecord::default();
        for i in 0..600 {
            let t = length * f64::from(i) / 599.0;
            memory.add(t, 100.0 + per_hour * t / 3600.0 + if i % 2 == 0 { noise } else { -noise });
        }
        let tally = with([]);
        let evidence = Evidence { memory: Ok(&memory), ..evidence(&tally) };
        finding(&evidence, "memory").verdict
    };
    assert_eq!(of(0.9, 0.0, MEMORY_SECONDS), BudgetVerdict::Passed);
    assert_eq!(of(1.1, 0.0, MEMORY_SECONDS), BudgetVerdict::Failed);
    assert_eq!(of(-3.0, 0.0, MEMORY_SECONDS), BudgetVerdict::Passed);
    assert_eq!(of(0.9, 5.0, MEMORY_SECONDS), BudgetVerdict::NotMeasured);
    assert_eq!(of(50.0, 0.0, MEMORY_SECONDS - 1.0), BudgetVerdict::NotMeasured);
}

#[test]
fn lengths_have_their_unit() {
    let of = |seconds| super::format::duration(Duration::from_secs(seconds));
    assert_eq!(
        (of(10), of(600), of(86_400)),
        ("10.0 s".into(), "10.0 min".into(), "24.00 h".into())
    );
}
