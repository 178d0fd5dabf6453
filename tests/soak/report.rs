//! What came of it: a table, JSON, and whether it passes.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::STREAMS;
use super::faults::FAULTS;
use super::ledger::Ledger;
use super::measure::{Measures, Memory, Open, Progress, TENTHS, slope};

/// Memory may grow by so much in an hour of stream. A fault in each frame that keeps 64 bytes makes
/// 7 MB an hour, one a round that keeps a frame or a model's name less than the noise of a day.
const MOST_SLOPE: f64 = 0.5;

/// In less than an hour of stream a slope is mostly that of heaps that fill; memory may grow by so
/// much in all, MB.
const MOST_GROWTH: f64 = 32.0;

/// The part of the run in which caches fill: left out of the slope.
const WARM_UP: f64 = 0.1;

const FRAMES_AN_HOUR: f64 = 30.0 * 3600.0;

/// One criterion.
struct Criterion {
    name: &'static str,
    found: String,
    passed: bool,
}

/// The result.
pub struct Report<'a> {
    ledger: &'a Ledger,
    measures: &'a Measures,
    rounds: u64,
    /// Faults of a round.
    faults: u64,
    failed: bool,
    /// MB in an hour of stream, and of wall clock, after the warm-up.
    slopes: [f64; 2],
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl<'a> Report<'a> {
    pub fn new(
        ledger: &'a Ledger,
        measures: &'a Measures,
        progress: &Progress,
        [rounds, faults]: [u64; 2],
    ) -> Self {
        let end = measures.memory.last().map_or(0, |memory| memory.frames) as f64;
        let warm = |memory: &&Memory| memory.frames as f64 >= end * WARM_UP;
        let warm = measures.memory.iter().filter(warm);
        let of = |hours: fn(&Memory) -> f64| {
            slope(warm.clone().map(move |memory| (hours(memory), memory.bytes as f64 / 1e6)))
        };
        let slopes = [
            of(|memory| memory.frames as f64 / FRAMES_AN_HOUR),
            of(|memory| memory.at.as_secs_f64() / 3600.0),
        ];
        Self { ledger, measures, rounds, faults, failed: progress.failed(), slopes }
    }

    fn hours(&self) -> f64 {
        self.ledger.pushed as f64 / FRAMES_AN_HOUR
    }

    /// The first and the last count of what is open, after the warm-up.
    fn open(&self) -> (Open, Open) {
        let open = &self.measures.open;
        let nothing = Open { files: 0, threads: 0, sessions: 0 };
        let first = (open.len() as f64 * WARM_UP) as usize;
        let tenth = (open.len() / 10).max(1);
        let most = |open: &[Open]| {
            open.iter().fold(nothing, |most, open| Open {
                files: most.files.max(open.files),
                threads: most.threads.max(open.threads),
                sessions: most.sessions.max(open.sessions),
            })
        };
        let begin = open.get(first..(first + tenth).min(open.len())).unwrap_or_default();
        (most(begin), most(&open[open.len().saturating_sub(tenth)..]))
    }

    fn criteria(&self) -> Vec<Criterion> {
        let ledger = self.ledger;
        let zero =
            |name, count: i64| Criterion { name, found: count.to_string(), passed: count == 0 };
        let (first, last) = self.open();
        let flat = |name, first: u64, last: u64| Criterion {
            name,
            found: format!("{first} to {last}"),
            passed: last <= first && first > 0,
        };
        let growth = self.slopes[0] * self.hours() * (1.0 - WARM_UP);
        let memory = if self.hours() >= 1.0 {
            Criterion {
                name: "memory grows by less than 0.5 MB an hour of stream",
                found: format!("{:.3}", self.slopes[0]),
                passed: self.slopes[0] < MOST_SLOPE,
            }
        } else {
            Criterion {
                name: "memory grows by less than 32 MB in all",
                found: format!("{growth:.3}"),
                passed: growth < MOST_GROWTH,
            }
        };
        let came: u64 = ledger.faults.iter().map(|(came, _)| came).sum();
        let recovered: u64 = ledger.faults.iter().map(|(_, recovered)| recovered).sum();
        let scheduled = self.rounds * self.faults * STREAMS as u64;
        let errors: u64 = ledger.errors.values().sum();
        vec![
            zero("no frame is lost", ledger.lost_frames()),
            zero("no result is lost", ledger.lost_results()),
            zero("no line is lost", ledger.lost_lines()),
            zero("every line is JSON of schema 1", ledger.broken_lines as i64),
            zero("stamps keep their order", ledger.disorder as i64),
            Criterion {
                name: "every fault came and was recovered from",
                found: format!("{recovered} of {scheduled}"),
                passed: !self.failed && came == scheduled && recovered == scheduled,
            },
            Criterion {
                name: "errors are those of the engines that shall not start",
                found: format!("{errors} of {}", ledger.refused_starts),
                // gazeinfer's own, and no other element's.
                passed: errors == ledger.refused_starts,
            },
            zero("no warning but the faults' own", ledger.unexpected.values().sum::<u64>() as i64),
            memory,
            flat("files do not grow", first.files, last.files),
            flat("threads do not grow", first.threads, last.threads),
            flat("sessions do not grow", first.sessions, last.sessions),
        ]
    }

    /// Whether all criteria are met.
    pub fn passed(&self) -> bool {
        self.criteria().iter().all(|criterion| criterion.passed)
    }

    /// All of it for programs.
    pub fn json(&self) -> String {
        let ledger = self.ledger;
        let (first, last) = self.open();
        let open = |open: Open| json!({ "files": open.files, "threads": open.threads, "sessions": open.sessions });
        let latency = |tenth: usize| {
            let of = &ledger.latencies[tenth];
            json!({
                "p50_ms": milliseconds(of.percentile(0.5)),
                "p99_ms": milliseconds(of.percentile(0.99)),
                "max_ms": milliseconds(of.longest),
            })
        };
        let faults: serde_json::Map<String, Value> = FAULTS
            .iter()
            .zip(&ledger.faults)
            .map(|(fault, (came, recovered))| {
                (fault.name.to_owned(), json!({ "came": came, "recovered": recovered }))
            })
            .collect();
        let criteria: Vec<Value> = self
            .criteria()
            .into_iter()
            .map(|c| json!({ "name": c.name, "found": c.found, "passed": c.passed }))
            .collect();
        // A few hundred points are enough for a plot.
        let step = self.measures.memory.len().div_ceil(300).max(1);
        let memory: Vec<Value> = self
            .measures
            .memory
            .iter()
            .step_by(step)
            .map(|m| json!([rounded(m.at.as_secs_f64()), m.frames, m.bytes]))
            .collect();
        let document = json!({
            "schema": 1,
            "passed": self.passed(),
            "stream_hours": rounded(self.hours()),
            "wall_seconds": rounded(self.measures.wall.as_secs_f64()),
            "frames_a_second": rounded(ledger.pushed as f64 / self.measures.wall.as_secs_f64()),
            "streams": STREAMS,
            "rounds": self.rounds,
            "frames": {
                "in": ledger.pushed,
                "flushed_by_seeks": ledger.flushed,
                "out": ledger.out,
                "lost": ledger.lost_frames(),
            },
            "results": {
                "out": ledger.results,
                "unusable_frames": ledger.unusable,
                "on_unusable_frames": ledger.unusable_results,
                "with_face": ledger.faces,
                "with_gaze": ledger.gazes,
                "lost": ledger.lost_results(),
            },
            "lines": {
                "read": ledger.lines,
                "dropped": ledger.dropped,
                "broken": ledger.broken_lines,
                "lost": ledger.lost_lines(),
            },
            "inferences": { "detector": ledger.detections, "gaze": ledger.inferences },
            "changes": {
                "source_switches": ledger.source_switches,
                "caps_changes": ledger.caps_changes,
                "seeks": ledger.seeks,
                "reloads": ledger.reloads,
                "refused_reloads": ledger.refused_reloads,
                "restarts": ledger.restarts,
                "refused_starts": ledger.refused_starts,
                "reader_losses": ledger.reader_losses,
            },
            "faults": faults,
            "memory": {
                "mb_per_stream_hour": rounded(self.slopes[0]),
                "mb_per_wall_hour": rounded(self.slopes[1]),
                "peak_bytes": self.measures.memory.iter().map(|m| m.bytes).max(),
                "seconds_frames_bytes": memory,
            },
            "open_first": open(first),
            "open_last": open(last),
            "latency": (0..TENTHS).map(latency).collect::<Vec<_>>(),
            "warnings": ledger.warnings,
            "unexpected_warnings": ledger.unexpected,
            "errors": ledger.errors,
            "messages": ledger.messages,
            "criteria": criteria,
        });
        format!("{document:#}\n")
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ledger = self.ledger;
        let wall = self.measures.wall.as_secs_f64();
        let mut row = |name: &str, value: String| writeln!(f, "{name:<28} {value}");
        row(
            "stream",
            format!("{:.2} h at 30 frames a second, in {STREAMS} streams", self.hours()),
        )?;
        row(
            "wall clock",
            format!("{:.1} min, {:.0} frames a second", wall / 60.0, ledger.pushed as f64 / wall),
        )?;
        row(
            "frames",
            format!(
                "{} in, {} out, {} flushed by seeks, {} lost",
                ledger.pushed,
                ledger.out,
                ledger.flushed,
                ledger.lost_frames()
            ),
        )?;
        row(
            "results",
            format!(
                "{}, with a face {}, with a gaze {}; {} frames were none ({} of them carry a \
                 result), {} lost",
                ledger.results,
                ledger.faces,
                ledger.gazes,
                ledger.unusable,
                ledger.unusable_results,
                ledger.lost_results()
            ),
        )?;
        row(
            "lines",
            format!(
                "{} read, {} dropped without a reader, {} lost",
                ledger.lines,
                ledger.dropped,
                ledger.lost_lines()
            ),
        )?;
        row(
            "inferences",
            format!(
                "{} of the detector, {} of the gaze model",
                ledger.detections, ledger.inferences
            ),
        )?;
        row(
            "changes",
            format!(
                "{} source switches, {} caps changes, {} seeks, {} engine reloads, {} refused, {} \
                 restarts, {} refused, reader gone {} times",
                ledger.source_switches,
                ledger.caps_changes,
                ledger.seeks,
                ledger.reloads,
                ledger.refused_reloads,
                ledger.restarts,
                ledger.refused_starts,
                ledger.reader_losses
            ),
        )?;
        let peak = self.measures.memory.iter().map(|m| m.bytes).max().unwrap_or_default();
        row(
            "memory",
            format!(
                "{:+.3} MB an hour of stream, {:+.3} MB an hour of wall clock, peak {:.1} MB",
                self.slopes[0],
                self.slopes[1],
                peak as f64 / 1e6
            ),
        )?;
        let (first, last) = self.open();
        row("files", format!("{} to {}", first.files, last.files))?;
        row("threads", format!("{} to {}", first.threads, last.threads))?;
        row("sessions", format!("{} to {}", first.sessions, last.sessions))?;
        for (name, tenth) in [("latency, first tenth", 0), ("latency, last tenth", TENTHS - 1)] {
            let of = &ledger.latencies[tenth];
            row(
                name,
                format!(
                    "p50 {:.3} ms, p99 {:.3} ms, longest {:.1} ms",
                    milliseconds(of.percentile(0.5)),
                    milliseconds(of.percentile(0.99)),
                    milliseconds(of.longest)
                ),
            )?;
        }
        for (fault, (came, recovered)) in FAULTS.iter().zip(&ledger.faults) {
            row(&format!("  {}", fault.name), format!("{came}, recovered {recovered}"))?;
        }
        for (what, kinds) in [
            ("warning", &ledger.warnings),
            ("error", &ledger.errors),
            ("message", &ledger.messages),
        ] {
            for (kind, count) in kinds {
                row(what, format!("{count} {kind}"))?;
            }
        }
        for criterion in self.criteria() {
            let passed = if criterion.passed { "ok" } else { "FAILED" };
            row(passed, format!("{}: {}", criterion.name, criterion.found))?;
        }
        Ok(())
    }
}
