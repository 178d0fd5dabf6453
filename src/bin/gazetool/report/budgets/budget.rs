//! The budgets, and whether what was measured keeps them.

use std::fmt;
use std::time::Duration;

use super::memory::{MemoryRecord, WARM_UP_SECONDS};
use super::tally::Tally;
use super::words::{counted, long, percentiles, seconds};
use crate::accuracy::{LIMIT_DEGREES, Summary};
use gstgaze::core::latency::LatencyHistogram;

/// From a frame's capture to its metadata: 99 % of the frames take less.
pub const LATENCY: Duration = Duration::from_millis(30);

/// From the gaze's leaving the road to the zone's change, and from a rule's threshold to the message:
/// less together. The rule's own time does not count: a long distraction is three seconds by
/// definition.
pub const DISTRACTION_DELAY: Duration = Duration::from_secs(2);

/// Mean power above idle, watts: less.
pub const POWER_WATTS: f64 = 5.0;

/// Time without a restart.
pub const UPTIME: Duration = Duration::from_secs(24 * 3600);

/// Growth of memory, megabytes (10^6 bytes) an hour: less. Over a day it is less than the pictures
/// of ten 1080p frames.
pub const MEMORY_SLOPE: f64 = 1.0;

/// A slope of memory tells nothing before as many seconds.
pub const MEMORY_SECONDS: f64 = 600.0;

/// Part of the frames that may be lost: less.
pub const LOST_FRAMES: f64 = 0.001;

/// Whether a budget is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Passed,
    /// It is not.
    Failed,
    /// Nobody knows: the recording or the machine does not tell.
    NotMeasured,
}

impl Verdict {
    /// As reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed => "fail",
            Self::NotMeasured => "not measured",
        }
    }

    fn of(kept: bool) -> Self {
        if kept { Self::Passed } else { Self::Failed }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One budget, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// For programs.
    pub key: &'static str,
    /// What is judged.
    pub title: &'static str,
    /// What is allowed.
    pub budget: String,
    /// What was measured; empty where nothing was.
    pub measured: String,
    /// Whether that is allowed.
    pub verdict: Verdict,
    /// What else is to be known of it, or why it was not measured.
    pub note: String,
}

/// Two engines on the same faces.
#[derive(Clone, Debug, PartialEq)]
pub struct Accuracy {
    /// What is judged.
    pub deployed: String,
    /// What is taken for right.
    pub reference: String,
    /// Differences, degrees.
    pub summary: Summary,
}

/// Power with and without the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Power {
    /// Where it was measured.
    pub rail: String,
    /// Watts without.
    pub idle: f64,
    /// Watts with.
    pub load: f64,
    /// How long it was measured with.
    pub seconds: f64,
}

/// All that is judged. What was not measured says why.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The recording.
    pub tally: &'a Tally,
    /// Of the deployed engine.
    pub accuracy: Result<Accuracy, String>,
    /// Of the whole.
    pub power: Result<Power, String>,
    /// Of the process.
    pub memory: Result<&'a MemoryRecord, String>,
    /// How the pipeline ended, where it was not meant to.
    pub ended_badly: Option<String>,
}

impl Evidence<'_> {
    /// Every budget, in the order of the report.
    pub fn findings(&self) -> Vec<Finding> {
        vec![
            self.latency(),
            self.distraction(),
            self.accuracy(),
            self.power(),
            self.uptime(),
            self.restarts(),
            self.lost(),
            self.memory(),
        ]
    }

    fn latency(&self) -> Finding {
        let (capture, inference) = (&self.tally.capture, &self.tally.inference);
        let part = match inference.count() {
            0 => "No frame was inferred.".to_owned(),
            _ => format!("Of it, from the pixels to the last angle: {}.", percentiles(inference)),
        };
        let (verdict, measured, note) = if capture.count() > 0 {
            let kept = Duration::from_nanos(capture.percentile_ns(0.99)) < LATENCY;
            (Verdict::of(kept), percentiles(capture), part)
        } else {
            // A part that is too long makes the whole too long.
            let over = Duration::from_nanos(inference.percentile_ns(0.99)) >= LATENCY;
            let over = over && inference.count() > 0;
            let verdict = if over { Verdict::Failed } else { Verdict::NotMeasured };
            let why = "The lines have no latency_ns: the stream was not live.";
            (verdict, String::new(), format!("{why} {part}"))
        };
        Finding {
            key: "latency",
            title: "Latency, capture to metadata",
            budget: format!("p99 < {} ms", LATENCY.as_millis()),
            measured,
            verdict,
            note,
        }
    }

    fn distraction(&self) -> Finding {
        let delays = &self.tally.delays;
        let longest = |histogram: &LatencyHistogram| Duration::from_nanos(histogram.max_ns());
        let kept = longest(&delays.left_road).max(longest(&delays.total)) < DISTRACTION_DELAY;
        let (alarms, zones) = (delays.total.count(), delays.left_road.count());
        let verdict = match (kept, alarms) {
            (false, _) => Verdict::Failed,
            (true, 0) => Verdict::NotMeasured,
            (true, _) => Verdict::Passed,
        };
        let measured = match (alarms, zones) {
            (0, 0) => String::new(),
            (0, _) => format!("zone change alone: max {}", seconds(longest(&delays.left_road))),
            _ => format!(
                "p95 {}, max {} of {}",
                seconds(Duration::from_nanos(delays.total.percentile_ns(0.95))),
                seconds(longest(&delays.total)),
                counted(alarms, "alarm")
            ),
        };
        let note = if self.tally.judged() == 0 {
            "Nobody judged the driver: put gazemonitor before gazepublish.".to_owned()
        } else if alarms + zones == 0 {
            "The gaze never left the road for long, or the lines were written before they told \
             delays."
                .to_owned()
        } else {
            let raised = match alarms {
                0 => "no alarm was raised".to_owned(),
                _ => format!("threshold to message max {}", seconds(longest(&delays.alarm))),
            };
            format!(
                "Gaze off the road to zone change max {} of {} (0.4 s of settling on purpose); \
                 {raised}. The rule's own time does not count.",
                seconds(longest(&delays.left_road)),
                counted(zones, "change")
            )
        };
        Finding {
            key: "distraction-delay",
            title: "Distraction delay: zone change + threshold to message",
            budget: format!("sum < {} s", DISTRACTION_DELAY.as_secs()),
            measured,
            verdict,
            note,
        }
    }

    fn accuracy(&self) -> Finding {
        let (verdict, measured, note) = match &self.accuracy {
            Err(why) => (Verdict::NotMeasured, String::new(), why.clone()),
            Ok(Accuracy { deployed, reference, summary }) => {
                let lost = match summary.unpaired {
                    0 => String::new(),
                    faces => format!(" {faces} faces got a gaze of one of them only."),
                };
                let Summary { mean, p95, max, faces, .. } = *summary;
                (
                    Verdict::of(summary.passes(LIMIT_DEGREES)),
                    format!("mean {mean:.2}\u{b0}, p95 {p95:.2}\u{b0}, max {max:.2}\u{b0}"),
                    format!("{deployed} against {reference}, {faces} faces.{lost}"),
                )
            }
        };
        Finding {
            key: "accuracy-loss",
            title: "Accuracy loss against the reference engine",
            budget: format!("mean < {LIMIT_DEGREES}\u{b0}"),
            measured,
            verdict,
            note,
        }
    }

    fn power(&self) -> Finding {
        let (verdict, measured, note) = match &self.power {
            Err(why) => (Verdict::NotMeasured, String::new(), why.clone()),
            Ok(Power { rail, idle, load, seconds }) => {
                let above = load - idle;
                (
                    Verdict::of(above < POWER_WATTS),
                    format!("{above:+.2} W above idle"),
                    format!("{rail}: {load:.2} W over {seconds:.0} s, idle {idle:.2} W."),
                )
            }
        };
        Finding {
            key: "power",
            title: "Power above idle",
            budget: format!("mean < {POWER_WATTS} W"),
            measured,
            verdict,
            note,
        }
    }

    fn uptime(&self) -> Finding {
        let timeline = &self.tally.timeline;
        let length = timeline.length();
        // The last frame lasts as long as the others, and stamps are rounded.
        let ends = length + 2 * Duration::from_nanos(timeline.interval());
        let broken = self.ended_badly.is_some() || timeline.restarts() > 0;
        let verdict = match (broken, ends >= UPTIME) {
            (true, _) => Verdict::Failed,
            (false, true) => Verdict::Passed,
            (false, false) => Verdict::NotMeasured,
        };
        let note = match (&self.ended_badly, verdict) {
            (Some(why), _) => format!("The pipeline broke: {why}"),
            (None, Verdict::NotMeasured) => "Too short to tell.".to_owned(),
            _ => {
                "Time of the stream: a recording may be played faster than it was made.".to_owned()
            }
        };
        Finding {
            key: "uptime",
            title: "Stability: uptime",
            budget: format!("\u{2265} {} h in one piece", UPTIME.as_secs() / 3600),
            measured: long(length),
            verdict,
            note,
        }
    }

    fn restarts(&self) -> Finding {
        let timeline = &self.tally.timeline;
        let note = match timeline.jumps() {
            0 => String::new(),
            jumps => format!("Time went back in {} (seeks).", counted(jumps, "place")),
        };
        Finding {
            key: "restarts",
            title: "Stability: restarts",
            budget: "none".to_owned(),
            measured: timeline.restarts().to_string(),
            verdict: Verdict::of(timeline.restarts() == 0),
            note,
        }
    }

    fn lost(&self) -> Finding {
        let timeline = &self.tally.timeline;
        let (lost, silent) = (timeline.lost(), timeline.silent());
        let all = timeline.frames() + silent + lost;
        let part = lost as f64 / all.max(1) as f64;
        let rate = 1e9 / timeline.interval() as f64;
        let mut note = format!("Told by the stamps, at {rate:.4} frames/s.");
        if let (gaps @ 1.., time) = timeline.gaps() {
            note += &format!(" {} without frames, {} together.", counted(gaps, "gap"), long(time));
        }
        if silent > 0 {
            note += &format!(
                " {} came and have no line: nobody was seen (add-empty-results writes lines all \
                 the same), or the reader was too slow.",
                counted(silent, "more frame")
            );
        }
        let few = timeline.frames() < 2;
        Finding {
            key: "frames-lost",
            title: "Stability: frames lost",
            budget: format!("< {} %", LOST_FRAMES * 100.0),
            measured: format!("{lost} of {all} ({:.2} %)", part * 100.0),
            verdict: if few { Verdict::NotMeasured } else { Verdict::of(part < LOST_FRAMES) },
            note,
        }
    }

    fn memory(&self) -> Finding {
        let (verdict, measured, note) = match &self.memory {
            Err(why) => (Verdict::NotMeasured, String::new(), why.clone()),
            Ok(memory) => judge_memory(memory),
        };
        Finding {
            key: "memory",
            title: "Stability: growth of memory",
            budget: format!("< {MEMORY_SLOPE} MB/h"),
            measured,
            verdict,
            note,
        }
    }
}

fn judge_memory(memory: &MemoryRecord) -> (Verdict, String, String) {
    let (seconds, megabytes) = memory.last().unwrap_or_default();
    let largest = format!("At most {:.1} MB, {megabytes:.1} MB at the end.", memory.max());
    let slope = memory.slope().filter(|_| seconds >= MEMORY_SECONDS);
    let Some(slope) = slope else {
        let why = format!(
            "A slope is judged from {:.0} minutes on, the first minute left out.",
            MEMORY_SECONDS / 60.0
        );
        return (Verdict::NotMeasured, String::new(), format!("{why} {largest}"));
    };
    // Twice the standard error: what 95 of 100 repetitions do not exceed.
    let error = 2.0 * slope.error;
    let verdict = if slope.slope + error < MEMORY_SLOPE {
        Verdict::Passed
    } else if slope.slope - error >= MEMORY_SLOPE {
        Verdict::Failed
    } else {
        Verdict::NotMeasured
    };
    let measured = format!("{:+.2} \u{b1} {error:.2} MB/h", slope.slope);
    let hours = (seconds - WARM_UP_SECONDS) / 3600.0;
    let unsure = match verdict {
        Verdict::NotMeasured => " The error is too large to tell: measure for longer.",
        _ => "",
    };
    (verdict, measured, format!("Least squares over {hours:.2} h. {largest}{unsure}"))
}
