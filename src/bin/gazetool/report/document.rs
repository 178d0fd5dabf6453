//! The report as a JSON document and as a table.

use std::fmt;

use gstgaze::core::latency::LatencyHistogram;
use serde::Serialize;

use super::budgets::evidence::{Accuracy, PowerAboveIdle};
use super::budgets::finding::{BudgetVerdict, Finding};
use super::budgets::format::duration;
use super::budgets::tally::{Named, Tally};
use super::process::ProcessUsage;
use crate::table::Table;

/// The report.
#[derive(Serialize)]
pub struct Report {
    /// The time of the report, UTC.
    pub made: String,
    /// The source of the lines.
    pub input: Input,
    /// Whether no budget failed.
    pub passed: bool,
    pub budgets: Vec<Budget>,
    /// The HTML file and the JSON file.
    pub files: [String; 2],
    lines: Lines,
    frames: Frames,
    /// Milliseconds.
    latency: Latency,
    /// Seconds.
    distraction: Distraction,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<Degrees>,
    #[serde(skip_serializing_if = "Option::is_none")]
    power: Option<Watts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<Process>,
    models: Vec<String>,
    rules: Vec<String>,
    zones: Vec<Share>,
    states: Vec<Share>,
    alarms: Vec<Times>,
}

/// The source of the lines.
#[derive(Serialize)]
pub struct Input {
    /// `recording`, `video`, `every-frame` or `live`.
    pub kind: &'static str,
    /// Files, or the elements of a live source.
    pub names: Vec<String>,
    /// The pipeline of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// The machine of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
}

/// A [`Finding`].
#[derive(Serialize)]
pub struct Budget {
    pub key: &'static str,
    pub title: &'static str,
    pub budget: String,
    pub measured: String,
    pub verdict: &'static str,
    pub note: String,
}

impl From<Finding> for Budget {
    fn from(finding: Finding) -> Self {
        let Finding { key, title, budget, measured, verdict, note } = finding;
        Self { key, title, budget, measured, verdict: verdict.name(), note }
    }
}

#[derive(Serialize)]
struct Lines {
    taken: u64,
    not_json: u64,
    foreign: u64,
    of_other_sources: u64,
}

#[derive(Serialize)]
struct Frames {
    source_id: u32,
    with_a_line: u64,
    without_a_line: u64,
    lost: u64,
    restarts: u64,
    seeks: u64,
    gaps: u64,
    seconds: f64,
    per_second: f64,
    faces: u64,
    judged: u64,
}

#[derive(Serialize)]
struct Latency {
    capture_to_line: Percentiles,
    pixels_to_angles: Percentiles,
}

#[derive(Serialize)]
struct Distraction {
    off_road_to_zone_change: Percentiles,
    threshold_to_message: Percentiles,
    sum: Percentiles,
}

#[derive(Serialize)]
struct Percentiles {
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Values>,
}

#[derive(Serialize)]
struct Values {
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
}

impl Percentiles {
    fn of(histogram: &LatencyHistogram, unit: f64) -> Self {
        let share = |share| histogram.percentile_ns(share) as f64 / unit;
        let values = (histogram.count() > 0).then(|| Values {
            p50: share(0.5),
            p95: share(0.95),
            p99: share(0.99),
            max: histogram.max_ns() as f64 / unit,
        });
        Self { count: histogram.count(), values }
    }
}

#[derive(Serialize)]
struct Degrees {
    deployed: String,
    reference: String,
    faces: usize,
    faces_of_one_only: usize,
    mean_degrees: f64,
    median_degrees: f64,
    p95_degrees: f64,
    max_degrees: f64,
}

#[derive(Serialize)]
struct Watts {
    rail: String,
    idle_watts: f64,
    load_watts: f64,
    seconds: f64,
}

#[derive(Serialize)]
struct Process {
    seconds: f64,
    cpu_seconds: f64,
    memory_megabytes: f64,
    memory_megabytes_max: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_megabytes_per_hour: Option<f64>,
    threads: u64,
    threads_max: u64,
    open_files: u64,
    open_files_max: u64,
}

impl From<&ProcessUsage> for Process {
    fn from(usage: &ProcessUsage) -> Self {
        Self {
            seconds: usage.seconds,
            cpu_seconds: usage.cpu_seconds,
            memory_megabytes: usage.memory.last().map_or(0.0, |(_, megabytes)| megabytes),
            memory_megabytes_max: usage.memory.max(),
            memory_megabytes_per_hour: usage.memory.line().map(|line| line.slope),
            threads: usage.threads.0,
            threads_max: usage.threads.1,
            open_files: usage.files.0,
            open_files_max: usage.files.1,
        }
    }
}

#[derive(Serialize)]
struct Share {
    name: String,
    frames: u64,
}

#[derive(Serialize)]
struct Times {
    name: &'static str,
    times: u64,
}

/// The measurements besides the lines.
pub struct Measurements<'a> {
    pub accuracy: Option<&'a Accuracy>,
    pub power: Option<&'a PowerAboveIdle>,
    pub usage: Option<&'a ProcessUsage>,
}

impl Report {
    /// Puts the report together.
    pub fn new(
        input: Input,
        findings: Vec<Finding>,
        files: [String; 2],
        tally: &Tally,
        measurements: &Measurements<'_>,
        made: String,
    ) -> Self {
        let passed = findings.iter().all(|finding| finding.verdict != BudgetVerdict::Failed);
        let (lines, time, delays) = (tally.lines(), &tally.time, &tally.delays);
        let names = |named: &[Named]| named.iter().map(|named| named.name.clone()).collect();
        let share = |name: &str, frames: u64| Share { name: name.to_owned(), frames };
        Self {
            made,
            input,
            passed,
            budgets: findings.into_iter().map(Budget::from).collect(),
            files,
            lines: Lines {
                taken: lines.taken,
                not_json: lines.garbage,
                foreign: lines.foreign,
                of_other_sources: lines.other_sources,
            },
            frames: Frames {
                source_id: tally.source(),
                with_a_line: time.frames(),
                without_a_line: time.without_line(),
                lost: time.lost(),
                restarts: time.restarts(),
                seeks: time.seeks(),
                gaps: time.gaps().0,
                seconds: time.length().as_secs_f64(),
                per_second: 1e9 / time.interval() as f64,
                faces: tally.faces(),
                judged: tally.judged(),
            },
            latency: Latency {
                capture_to_line: Percentiles::of(&tally.capture, 1e6),
                pixels_to_angles: Percentiles::of(&tally.inference, 1e6),
            },
            distraction: Distraction {
                off_road_to_zone_change: Percentiles::of(&delays.left_road, 1e9),
                threshold_to_message: Percentiles::of(&delays.alarm, 1e9),
                sum: Percentiles::of(&delays.total, 1e9),
            },
            accuracy: measurements.accuracy.map(|Accuracy { deployed, reference, summary }| {
                Degrees {
                    deployed: deployed.clone(),
                    reference: reference.clone(),
                    faces: summary.faces,
                    faces_of_one_only: summary.unpaired,
                    mean_degrees: summary.mean,
                    median_degrees: summary.median,
                    p95_degrees: summary.p95,
                    max_degrees: summary.max,
                }
            }),
            power: measurements.power.map(|PowerAboveIdle { rail, idle, load, seconds }| Watts {
                rail: rail.clone(),
                idle_watts: *idle,
                load_watts: *load,
                seconds: *seconds,
            }),
            process: measurements.usage.map(Process::from),
            models: names(tally.models()),
            rules: names(tally.rules()),
            zones: tally.zones().iter().map(|zone| share(&zone.name, zone.frames)).collect(),
            states: tally.states().map(|(state, frames)| share(state.name(), frames)).collect(),
            alarms: tally
                .raised()
                .map(|(alarm, times)| Times { name: alarm.name(), times })
                .collect(),
        }
    }

    /// The lines and frames in a sentence.
    pub fn summary(&self) -> String {
        let Frames { with_a_line, seconds, per_second, faces, .. } = self.frames;
        let mut text = format!(
            "{with_a_line} frames with {faces} faces, {} at {per_second:.2} frames/s",
            duration(std::time::Duration::from_secs_f64(seconds))
        );
        let Lines { not_json, foreign, of_other_sources, .. } = self.lines;
        for (count, what) in [
            (not_json, "lines are not JSON or cut off"),
            (foreign, "lines are JSON of another kind"),
            (of_other_sources, "lines are from other sources"),
        ] {
            if count > 0 {
                text += &format!("; {count} {what} and do not count");
            }
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.summary())?;
        let mut table = Table::new(&["project budget", "limit", "", "measured"]);
        for Budget { title, budget, verdict, measured, note, .. } in &self.budgets {
            let measured = match measured.as_str() {
                "" => note.lines().next().unwrap_or_default().to_owned(),
                measured => measured.to_owned(),
            };
            let row = [(*title).to_owned(), budget.clone(), (*verdict).to_owned(), measured];
            table.row(row);
        }
        writeln!(f, "{table}")?;
        let verdict = if self.passed { "passed: no budget failed" } else { "failed" };
        writeln!(f, "{verdict}\nwritten: {}, {}", self.files[0], self.files[1])
    }
}
