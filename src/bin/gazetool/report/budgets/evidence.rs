//! Judges measurements by the budgets.

use std::time::Duration;

use gstgaze::core::latency::LatencyHistogram;

use super::finding::{BudgetVerdict, Finding};
use super::format::{counted, duration, percentiles, seconds};
use super::limits::{
    DISTRACTION_DELAY, LATENCY, LOST_FRAMES, MEMORY_SECONDS, MEMORY_SLOPE, POWER_WATTS, UPTIME,
};
use super::memory::{MemoryRecord, WARM_UP_SECONDS};
use super::tally::Tally;
use crate::accuracy::{DifferenceSummary, LIMIT_DEGREES};

/// The differences between two engines on the same faces.
#[derive(Clone, Debug, PartialEq)]
pub struct Accuracy {
    /// The engine to judge.
    pub deployed: String,
    /// The reference.
    pub reference: String,
    /// The differences.
    pub summary: DifferenceSummary,
}

impl Accuracy {
    /// The differences of two engines.
    ///
    /// # Errors
    /// Where the engines share no face: a note for the report.
    pub fn new(
        deployed: String,
        reference: String,
        summary: DifferenceSummary,
    ) -> Result<Self, String> {
        if summary.faces + summary.unpaired == 0 {
            return Err(format!(
                "{deployed} and {reference} give no gaze for a face of the same frame."
            ));
        }
        Ok(Self { deployed, reference, summary })
    }
}

/// Power with and without the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerAboveIdle {
    /// The power rail, or the file of a meter.
    pub rail: String,
    /// Mean watts without the pipeline.
    pub idle: f64,
    /// Mean watts with the pipeline.
    pub load: f64,
    /// Seconds of measurement with the pipeline.
    pub seconds: f64,
}

/// All measurements. An `Err` says why one is missing.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The recording.
    pub tally: &'a Tally,
    /// The accuracy of the deployed engine.
    pub accuracy: Result<Accuracy, String>,
    /// The power of the machine.
    pub power: Result<PowerAboveIdle, String>,
    /// The memory of the process.
    pub memory: Result<&'a MemoryRecord, String>,
    /// How the pipeline failed.
    pub ended_badly: Option<String>,
}

impl Evidence<'_> {
    /// The verdict on every budget, in the order of the report.
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
            0 => "The model ran on no frame.".to_owned(),
            _ => format!("From the pixels to the last angle: {}.", percentiles(inference)),
        };
        let (verdict, measured, note) = if capture.count() > 0 {
            let kept = Duration::from_nanos(capture.percentile_ns(0.99)) < LATENCY;
            (BudgetVerdict::of(kept), percentiles(capture), part)
        } else {
            // A part above the limit puts the whole above it.
            let over = Duration::from_nanos(inference.percentile_ns(0.99)) >= LATENCY;
            let over = over && inference.count() > 0;
            let verdict = if over { BudgetVerdict::Failed } else { BudgetVerdict::NotMeasured };
            let why = "Only the lines of a live stream have latency_ns.";
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
            (false, _) => BudgetVerdict::Failed,
            (true, 0) => BudgetVerdict::NotMeasured,
            (true, _) => BudgetVerdict::Passed,
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
            "The lines have no attention: put gazemonitor before gazepublish.".to_owned()
        } else if alarms + zones == 0 {
            "The gaze did not leave the road for long, or an old gazepublish wrote the lines without \
             delays."
                .to_owned()
        } else {
            let raised = match alarms {
                0 => "no alarm".to_owned(),
                _ => format!("threshold to message max {}", seconds(longest(&delays.alarm))),
            };
            format!(
                "Gaze off the road to zone change max {} of {}, of which 0.4 s let the gaze settle; \
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
            Err(why) => (BudgetVerdict::NotMeasured, String::new(), why.clone()),
            Ok(Accuracy { deployed, reference, summary }) => {
                let lost = match summary.unpaired {
                    0 => String::new(),
                    faces => format!(" {faces} faces have a gaze from one of them only."),
                };
                let DifferenceSummary { mean, p95, max, faces, .. } = *summary;
                (
                    BudgetVerdict::of(summary.passes(LIMIT_DEGREES)),
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
            Err(why) => (BudgetVerdict::NotMeasured, String::new(), why.clone()),
            Ok(PowerAboveIdle { rail, idle, load, seconds }) => {
                let above = load - idle;
                (
                    BudgetVerdict::of(above < POWER_WATTS),
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
        let time = &self.tally.time;
        let length = time.length();
        // The last frame lasts as long as the others; a second interval allows for rounded timestamps.
        let ends = length + 2 * Duration::from_nanos(time.interval());
        let broken = self.ended_badly.is_some() || time.restarts() > 0;
        let verdict = match (broken, ends >= UPTIME) {
            (true, _) => BudgetVerdict::Failed,
            (false, true) => BudgetVerdict::Passed,
            (false, false) => BudgetVerdict::NotMeasured,
        };
        let note = match (&self.ended_badly, verdict) {
            (Some(why), _) => format!("The pipeline failed: {why}"),
            (None, BudgetVerdict::NotMeasured) => "The stream is shorter than that.".to_owned(),
            _ => "In stream time: a recording of a file may run faster.".to_owned(),
        };
        Finding {
            key: "uptime",
            title: "Stability: uptime",
            budget: format!("\u{2265} {} h without a break", UPTIME.as_secs() / 3600),
            measured: duration(length),
            verdict,
            note,
        }
    }

    fn restarts(&self) -> Finding {
        let time = &self.tally.time;
        let note = match time.seeks() {
            0 => String::new(),
            seeks => format!("Timestamps go back in {} (seeks).", counted(seeks, "place")),
        };
        Finding {
            key: "restarts",
            title: "Stability: restarts",
            budget: "none".to_owned(),
            measured: time.restarts().to_string(),
            verdict: BudgetVerdict::of(time.restarts() == 0),
            note,
        }
    }

    fn lost(&self) -> Finding {
        let time = &self.tally.time;
        let (lost, without_line) = (time.lost(), time.without_line());
        let all = time.frames() + without_line + lost;
        let part = lost as f64 / all.max(1) as f64;
        let rate = 1e9 / time.interval() as f64;
        let mut note = format!("From the lines and their timestamps, at {rate:.4} frames/s.");
        if let (gaps @ 1.., sum) = time.gaps() {
            note += &format!(" {} without frames, {} in all.", counted(gaps, "gap"), duration(sum));
        }
        if without_line > 0 {
            note += &format!(
                " {} without a line: they showed no face (add-empty-results writes a line all the \
                 same), or the reader was too slow.",
                counted(without_line, "more frame")
            );
        }
        let few = time.frames() < 2;
        Finding {
            key: "frames-lost",
            title: "Stability: frames lost",
            budget: format!("< {} %", LOST_FRAMES * 100.0),
            measured: format!("{lost} of {all} ({:.2} %)", part * 100.0),
            verdict: if few {
                BudgetVerdict::NotMeasured
            } else {
                BudgetVerdict::of(part < LOST_FRAMES)
            },
            note,
        }
    }

    fn memory(&self) -> Finding {
        let (verdict, measured, note) = match &self.memory {
            Err(why) => (BudgetVerdict::NotMeasured, String::new(), why.clone()),
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

fn judge_memory(memory: &MemoryRecord) -> (BudgetVerdict, String, String) {
    let (seconds, megabytes) = memory.last().unwrap_or_default();
    let largest = format!("Maximum {:.1} MB, {megabytes:.1} MB at the end.", memory.max());
    let line = memory.line().filter(|_| seconds >= MEMORY_SECONDS);
    let Some(line) = line else {
        let why = format!(
            "A slope needs {:.0} minutes of measurement; the first minute does not count.",
            MEMORY_SECONDS / 60.0
        );
        return (BudgetVerdict::NotMeasured, String::new(), format!("{why} {largest}"));
    };
    // Twice the standard error: 95 of 100 repetitions lie within it.
    let error = 2.0 * line.error;
    let verdict = if line.slope + error < MEMORY_SLOPE {
        BudgetVerdict::Passed
    } else if line.slope - error >= MEMORY_SLOPE {
        BudgetVerdict::Failed
    } else {
        BudgetVerdict::NotMeasured
    };
    let measured = format!("{:+.2} \u{b1} {error:.2} MB/h", line.slope);
    let hours = (seconds - WARM_UP_SECONDS) / 3600.0;
    let advice = match verdict {
        BudgetVerdict::NotMeasured => " The error is too large for a verdict: measure for longer.",
        _ => "",
    };
    (verdict, measured, format!("Least squares over {hours:.2} h. {largest}{advice}"))
}
