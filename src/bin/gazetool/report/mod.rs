//! `gazetool report`: whether a recording, or a run, keeps the project's budgets.

mod budgets;
mod document;
mod html;
#[cfg(test)]
mod html_tests;
mod launch;
mod machine;
mod meter;
mod pipeline;
mod plot;
mod plot_gaze;
mod plot_heat;
mod plot_latency;
mod plot_memory;
mod power;
mod process;
mod read;
mod run;
mod svg;

use std::fs;
use std::path::{Path, PathBuf};

use crate::report::budgets::budget::{Accuracy, Power};
use crate::report::budgets::pairs::{Pairs, Side};
use crate::report::budgets::power::MeanPower;
use crate::report::budgets::{Evidence, Tally};
use clap::ArgGroup;
use gstgaze::core::monitor::ZoneMap;

use crate::models::about;
use crate::output::{Answer, Failure};
use document::{Besides, Input, Report};
use html::Page;
use pipeline::ElementArgs;
use process::Usage;

/// Judges a recording, or a run, by the project's budgets, and writes an HTML report.
///
/// A recording is the JSON lines of gazepublish, best behind gazemonitor and with
/// add-empty-results. A video is played at its own speed, as a camera would show it, through
/// gazeface, gazeinfer, gazemonitor and gazepublish, for which gst-launch-1.0 is needed. The budgets
/// are this project's and no clause of Euro NCAP. What is not measured is said to be so. Exits with
/// 1 where a budget is failed.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("input").required(true).args(["jsonl", "video", "live"])))]
pub struct Args {
    /// Recordings, one after the other; `-` is standard input.
    #[arg(long, value_name = "FILE", num_args = 1.., required = false)]
    jsonl: Vec<PathBuf>,
    /// Video to play.
    #[arg(long, value_name = "FILE")]
    video: Option<PathBuf>,
    /// Look at every frame of the video, as fast as it goes: none is lost, and the latency from
    /// capture is not measured.
    #[arg(long, conflicts_with_all = ["jsonl", "live"])]
    every_frame: bool,
    /// Live source to run, in the words of gst-launch-1.0: "v4l2src device=/dev/video0".
    #[arg(long, value_name = "ELEMENTS")]
    live: Option<String>,
    /// How long to run; without it, to the end.
    #[arg(long, value_name = "S", value_parser = seconds, conflicts_with = "jsonl")]
    seconds: Option<f64>,
    /// HTML file to write; a JSON document goes beside it, under its name with .json.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// File that keeps the JSON lines of the run.
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    elements: ElementArgs,
    /// Zones of the car: a built-in name or a TOML file; of a recording, they are drawn [default:
    /// left-hand-drive for a run].
    #[arg(long, value_name = "ZONES")]
    zones: Option<String>,
    /// Gaze model in floats that the engine is compared with, on all frames of the video;
    /// `embedded` is the built-in one.
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["jsonl", "live"])]
    reference: Option<PathBuf>,
    /// Its profile.
    #[arg(long, value_name = "PROFILE", requires = "reference")]
    reference_profile: Option<String>,
    /// Recording of the same frames with the reference engine, in place of that.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["video", "live"])]
    reference_jsonl: Option<PathBuf>,
    /// Source of a batch that is judged [default: that of the first line].
    #[arg(long, value_name = "N")]
    source_id: Option<u32>,
    /// Frames a second of the camera, to tell lost ones by [default: that of most lines].
    #[arg(long, value_name = "RATE", value_parser = rate, conflicts_with_all = ["video", "live"])]
    fps: Option<f64>,
    /// Power rail to read during the run [default: the whole machine's, where there is one].
    #[arg(long, value_name = "RAIL", conflicts_with_all = ["jsonl", "meter"])]
    rail: Option<String>,
    /// How long the idle machine's power is read before a run.
    #[arg(long, value_name = "S", default_value_t = 10.0, value_parser = seconds, conflicts_with = "jsonl")]
    idle_seconds: f64,
    /// A meter's file of the run: seconds,watts in each line.
    #[arg(long, value_name = "FILE", requires = "idle_watts")]
    meter: Option<PathBuf>,
    /// What the meter shows while the machine is idle, on average.
    #[arg(long, value_name = "WATTS", value_parser = watts, requires = "meter")]
    idle_watts: Option<f64>,
    /// Memory of the process during a recording: seconds,megabytes in each line.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["video", "live"])]
    memory: Option<PathBuf>,
    /// Program that runs pipelines.
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "gst-launch-1.0",
        conflicts_with = "jsonl"
    )]
    gst_launch: PathBuf,
}

fn within(text: &str, from: f64, to: f64) -> Result<f64, String> {
    let value = text.parse::<f64>().map_err(|why| why.to_string())?;
    let allowed = (from..=to).contains(&value);
    allowed.then_some(value).ok_or_else(|| format!("{from} to {to} is allowed"))
}

fn seconds(text: &str) -> Result<f64, String> {
    within(text, 0.1, 1e7)
}

fn rate(text: &str) -> Result<f64, String> {
    within(text, 0.1, 10_000.0)
}

fn watts(text: &str) -> Result<f64, String> {
    within(text, 0.0, 100_000.0)
}

/// What was measured, of a recording or a run.
struct Measured {
    input: Input,
    tally: Tally,
    accuracy: Result<Accuracy, String>,
    power: Result<Power, String>,
    usage: Result<Usage, String>,
    ended_badly: Option<String>,
}

/// Runs the command.
pub fn execute(args: &Args) -> Result<Answer, Failure> {
    let files = files(&args.output)?;
    let zones = args.zones.as_deref().or(args.jsonl.is_empty().then_some(DEFAULT_ZONES));
    let zones = zones.map(open_zones).transpose()?;
    let measured = if args.jsonl.is_empty() { run::execute(args)? } else { recording(args)? };
    let Measured { input, tally, accuracy, power, usage, ended_badly } = measured;
    if tally.lines().taken == 0 {
        return Err(nothing(args, &tally));
    }
    let memory = usage.as_ref().map(|usage| &usage.memory).map_err(Clone::clone);
    let evidence = Evidence {
        tally: &tally,
        accuracy: accuracy.clone(),
        power: power.clone(),
        memory,
        ended_badly,
    };
    let findings = evidence.findings();
    // A file of somebody's measurements is no process that was looked at.
    let process = usage.as_ref().ok().filter(|usage| usage.threads.0 > 0);
    let besides =
        Besides { accuracy: accuracy.as_ref().ok(), power: power.as_ref().ok(), usage: process };
    let shown = files.each_ref().map(|path| path.display().to_string());
    let report = Report::new(input, findings, shown, &tally, &besides, machine::now());
    let page = Page {
        report: &report,
        tally: &tally,
        zones: zones.as_ref(),
        memory: usage.as_ref().ok().map(|usage| &usage.memory),
        usage: process,
    };
    let answer = Answer::new(&report)?.verdict(report.passed);
    let [html, json] = &files;
    put(html, &page.html())?;
    put(json, &format!("{}\n", answer.document("report")?))?;
    Ok(answer)
}

/// Zones of a run where nobody names others.
const DEFAULT_ZONES: &str = "left-hand-drive";

/// The files to write, which can be written: a run may take a day.
fn files(output: &Path) -> Result<[PathBuf; 2], Failure> {
    let json = output.with_extension("json");
    if json == output || output.file_name().is_none() {
        return Err(Failure::usage(
            "--output is the HTML file, and the JSON document goes beside it: name it report.html, \
             say",
        ));
    }
    for path in [output, &json] {
        let there = path.exists();
        let tried = fs::OpenOptions::new().create(true).append(true).open(path);
        let tried = tried.and_then(|_| if there { Ok(()) } else { fs::remove_file(path) });
        tried.map_err(|why| about(path, format_args!("cannot be written: {why}")))?;
    }
    Ok([output.to_path_buf(), json])
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|why| about(path, format_args!("cannot be written: {why}")))
}

fn open_zones(name: &str) -> Result<ZoneMap, Failure> {
    let found = match ZoneMap::builtin(name) {
        Some(found) => found,
        None => {
            let text = fs::read_to_string(name).map_err(|why| {
                Failure::cannot(format!(
                    "zones '{name}' are none of the built-in {}, and no file that can be read: {why}",
                    ZoneMap::builtin_names().join(", ")
                ))
            })?;
            ZoneMap::from_toml(&text)
        }
    };
    found.map_err(|why| Failure::cannot(format!("zones '{name}': {why}")))
}

/// Why there is nothing to judge.
fn nothing(args: &Args, tally: &Tally) -> Failure {
    let lines = tally.lines();
    let unread = lines.garbage + lines.foreign;
    Failure::cannot(match (lines.other_sources, unread) {
        (others @ 1.., _) => format!(
            "no line is of source {}: {others} are of others",
            args.source_id.unwrap_or_default()
        ),
        (0, 1..) => format!(
            "nothing to judge: none of the {unread} lines is one of gazepublish's (schema 1); {} are \
             no JSON",
            lines.garbage
        ),
        (0, 0) => "nothing to judge: the recording is empty".to_owned(),
    })
}

/// Reads recordings.
fn recording(args: &Args) -> Result<Measured, Failure> {
    let interval = args.fps.map(|rate| (1e9 / rate).round() as u64);
    let mut tally = Tally::new(args.source_id, interval);
    read::recordings(&args.jsonl, &mut tally)?;
    let accuracy = match &args.reference_jsonl {
        None => Err("A recording does not tell: --reference-jsonl, or --video with --reference, \
                     compares."
            .to_owned()),
        Some(path) => Ok(Accuracy {
            deployed: names(&args.jsonl),
            reference: path.display().to_string(),
            summary: compare(&args.jsonl, path)?.summary(),
        }),
    };
    let accuracy: Result<Accuracy, String> = accuracy.and_then(run::with_faces);
    let power = metered(args)?.unwrap_or_else(|| {
        Err("A recording does not tell: give a meter's file with --meter and --idle-watts."
            .to_owned())
    });
    let usage = match &args.memory {
        Some(path) => Ok(Usage { memory: meter::memory(path)?, ..Usage::default() }),
        None => Err("A recording does not tell: give a file with --memory.".to_owned()),
    };
    let input = Input {
        kind: "recording",
        names: args.jsonl.iter().map(|path| path.display().to_string()).collect(),
        pipeline: None,
        machine: None,
    };
    Ok(Measured { input, tally, accuracy, power, usage, ended_badly: None })
}

fn names(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    names.join(", ")
}

/// Pairs the faces of two recordings. One is read ahead of the other by no more than a frame.
fn compare(deployed: &[PathBuf], reference: &Path) -> Result<Pairs, Failure> {
    let wrong = |why| about(reference, format_args!("cannot read the recording: {why}"));
    let mut other = read::open(reference).map_err(wrong)?;
    let (mut pairs, mut line_there) = (Pairs::default(), Vec::new());
    for path in deployed {
        let reader = read::open(path).map_err(|why| about(path, why))?;
        read::lines(reader, |line| {
            if let Some(faces) = line.and_then(read::faces) {
                pairs.add(Side::Deployed, faces);
            }
            while pairs.wants() == Some(Side::Reference) {
                match read::next(&mut other, &mut line_there)? {
                    None => break,
                    Some(_) => {
                        if let Some(faces) = read::faces(&line_there) {
                            pairs.add(Side::Reference, faces);
                        }
                    }
                }
            }
            Ok(())
        })
        .map_err(|why| about(path, why))?;
    }
    Ok(pairs)
}

/// What a meter's file says, where there is one.
fn metered(args: &Args) -> Result<Option<Result<Power, String>>, Failure> {
    let Some((path, idle)) = args.meter.as_ref().zip(args.idle_watts) else { return Ok(None) };
    let mean = meter::power(path)?;
    Ok(Some(above_idle(path.display().to_string(), idle, &mean)))
}

fn above_idle(rail: String, idle: f64, mean: &MeanPower) -> Result<Power, String> {
    let load = mean.watts().ok_or_else(|| format!("{rail} could not be read during the run."))?;
    Ok(Power { rail, idle, load, seconds: mean.seconds() })
}
