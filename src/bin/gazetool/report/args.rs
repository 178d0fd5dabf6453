//! The arguments of the command.

use std::path::PathBuf;

use clap::ArgGroup;

use super::pipeline::ElementArgs;
use crate::output_file::files_of_model;

/// The zones of a run without `--zones`.
const DEFAULT_ZONES: &str = "left-hand-drive";

/// Judges a recording or a run by the project's budgets, and writes an HTML report.
///
/// A recording is the JSON lines of gazepublish, best behind gazemonitor and with add-empty-results.
/// For a run, gst-launch-1.0 plays a video at its own speed, as a camera shows it, or a live source
/// through gazeface, gazeinfer, gazemonitor and gazepublish. The budgets are this project's, not Euro
/// NCAP's. A budget without a measurement is "not measured". Exits with 1 where a budget fails.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("input").required(true).args(["jsonl", "video", "live"])))]
pub struct Args {
    /// Recordings, in this order; `-` is standard input.
    #[arg(long, value_name = "FILE", num_args = 1.., required = false)]
    pub jsonl: Vec<PathBuf>,
    /// Video to play.
    #[arg(long, value_name = "FILE")]
    pub video: Option<PathBuf>,
    /// Play every frame of the video, as fast as the elements go: the run loses no frame and does not
    /// measure the latency from capture.
    #[arg(long, conflicts_with_all = ["jsonl", "live"])]
    pub every_frame: bool,
    /// Live source, as gst-launch-1.0 takes it: "v4l2src device=/dev/video0".
    #[arg(long, value_name = "ELEMENTS")]
    pub live: Option<String>,
    /// Seconds to run [default: to the end].
    #[arg(long, value_name = "S", value_parser = seconds, conflicts_with = "jsonl")]
    pub seconds: Option<f64>,
    /// HTML file to write; the JSON document goes beside it, with the extension .json.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// File for the JSON lines of the run.
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub keep: Option<PathBuf>,
    #[command(flatten)]
    pub elements: ElementArgs,
    /// Zones of the car: a built-in name or a TOML file; the report draws them [default:
    /// left-hand-drive for a run, none for a recording].
    #[arg(long, value_name = "ZONES")]
    pub zones: Option<String>,
    /// Reference model (float32) to compare the engine with, on all frames of the video; `embedded` is
    /// the built-in one.
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["jsonl", "live"])]
    pub reference: Option<PathBuf>,
    /// Profile of the reference model.
    #[arg(long, value_name = "PROFILE", requires = "reference")]
    pub reference_profile: Option<String>,
    /// Recording of the same frames with the reference model, to compare a recording with.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["video", "live"])]
    pub reference_jsonl: Option<PathBuf>,
    /// Number of the source to judge [default: the source of the first line].
    #[arg(long, value_name = "N")]
    pub source_id: Option<u32>,
    /// Frames per second of the camera; lost frames follow from it [default: the median of the
    /// recording].
    #[arg(long, value_name = "RATE", value_parser = rate, conflicts_with_all = ["video", "live"])]
    pub fps: Option<f64>,
    /// Power rail to read during the run [default: that of the whole machine].
    #[arg(long, value_name = "RAIL", conflicts_with_all = ["jsonl", "meter"])]
    pub rail: Option<String>,
    /// Seconds to measure the power of the idle machine before the run.
    #[arg(long, value_name = "S", default_value_t = 10.0, value_parser = seconds, conflicts_with = "jsonl")]
    pub idle_seconds: f64,
    /// File of a power meter: seconds,watts in each line.
    #[arg(long, value_name = "FILE", requires = "idle_watts")]
    pub meter: Option<PathBuf>,
    /// Mean power that the meter shows for the idle machine.
    #[arg(long, value_name = "WATTS", value_parser = watts, requires = "meter")]
    pub idle_watts: Option<f64>,
    /// File of the memory of the process during the recording: seconds,megabytes in each line.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["video", "live"])]
    pub memory: Option<PathBuf>,
    /// Program that runs the pipelines.
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "gst-launch-1.0",
        conflicts_with = "jsonl"
    )]
    pub gst_launch: PathBuf,
}

impl Args {
    /// The files that the command or its pipeline may read.
    pub fn inputs(&self) -> Vec<PathBuf> {
        let elements = &self.elements;
        let models = [&elements.engine, &elements.face_model].into_iter().chain(&self.reference);
        let files = self.jsonl.iter().chain(&self.video).chain(&self.reference_jsonl);
        let files = files.chain(&self.meter).chain(&self.memory).chain([&self.gst_launch]);
        let texts = [&elements.profile, &self.reference_profile, &self.zones].into_iter().flatten();
        let texts = texts.chain([&elements.rules]);
        let properties = [&elements.gazeface, &elements.gazeinfer, &elements.gazemonitor];
        let values = properties.into_iter().flatten().map(|(_, value)| value.as_str());
        // `filesrc location=V.mp4`
        let live = self.live.iter().flat_map(|live| live.split_whitespace());
        let live = live.filter_map(|word| Some(word.split_once('=')?.1.trim_matches('"')));
        let texts = texts.map(String::as_str).chain(values).chain(live).map(PathBuf::from);
        let models = models.flat_map(|model| files_of_model(model));
        models.chain(files.cloned()).chain(texts).collect()
    }

    /// The zones that a run gives to gazemonitor.
    pub fn zones_of_run(&self) -> &str {
        self.zones.as_deref().unwrap_or(DEFAULT_ZONES)
    }

    /// The zones that the report draws.
    pub fn drawn_zones(&self) -> Option<&str> {
        if self.jsonl.is_empty() { Some(self.zones_of_run()) } else { self.zones.as_deref() }
    }
}

fn within(text: &str, from: f64, to: f64) -> Result<f64, String> {
    let value = text.parse::<f64>().map_err(|why| why.to_string())?;
    let allowed = (from..=to).contains(&value);
    allowed.then_some(value).ok_or_else(|| format!("give a number from {from} to {to}"))
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
