//! `gazetool bench`: how long a model runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gstgaze::core::geometry::Size;
use gstgaze::core::inference::{Engine as _, TensorMut};
use gstgaze::core::latency::LatencyHistogram;
use gstgaze::engine::OrtEngine;
use gstgaze::engine::provider::ExecutionProvider;
use gstgaze::engine::{EngineOptions, OpenError, open_any};
use half::f16;
use serde::Serialize;

use crate::engine_args::{EngineArgs, provider};
use crate::open::warn;
use crate::output::{Answer, Failure, progress};
use crate::table::Table;

/// Times a model, or two against each other.
///
/// Two models take turns, so that other work of the machine slows both alike. Times cover the model
/// alone, without decoding and preprocessing. Percentiles come from a histogram and are up to 6 % too
/// high; minimum, mean and maximum are exact.
#[derive(clap::Args)]
pub struct Args {
    /// File of any model.
    model: PathBuf,
    /// Model file to compare with it.
    #[arg(long, value_name = "OTHER")]
    compare: Option<PathBuf>,
    /// Execution provider to compare with; without --compare it runs the same model. --precision,
    /// --provider-option and the like then apply to this provider alone.
    #[arg(long, value_name = "PROVIDER", value_parser = provider())]
    compare_provider: Option<ExecutionProvider>,
    /// Profile of a gaze model: a built-in name or a TOML file.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Batch size, where the model leaves it open.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: u16,
    /// Size of the input image, where model and profile leave it open, e.g. 640x480.
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<Size>,
    /// Seconds to measure each model.
    #[arg(long, value_name = "S", default_value_t = 3.0, value_parser = seconds)]
    seconds: f64,
    /// Number of runs to measure, in place of a time.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// Number of runs before the measurement.
    #[arg(long, value_name = "N", default_value_t = 10)]
    warm_up: u32,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Parses `WxH`.
pub fn size(text: &str) -> Result<Size, String> {
    let sides = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match sides {
        Some((width @ 1..=8192, height @ 1..=8192)) => Ok(Size::new(width, height)),
        _ => Err("give WIDTHxHEIGHT, each from 1 to 8192".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().map_err(|why| why.to_string())?;
    let allowed = (0.001..=86_400.0).contains(&seconds);
    allowed.then_some(seconds).ok_or_else(|| "give seconds from 0.001 to 86400".to_owned())
}

/// The times of all models.
#[derive(Serialize)]
struct Report {
    threads: usize,
    models: Vec<Timing>,
    /// Mean of the first divided by the mean of the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    speedup: Option<f64>,
}

/// The times of one model.
#[derive(Serialize)]
struct Timing {
    model: String,
    provider: String,
    batch: usize,
    open_ms: f64,
    runs: u64,
    min_ms: f64,
    mean_ms: f64,
    p50_ms: f64,
    p90_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    items_per_second: f64,
}

/// A model under measurement.
struct Measurement {
    model: PathBuf,
    engine: OrtEngine,
    open: Duration,
    histogram: LatencyHistogram,
    total: Duration,
    min: Duration,
}

/// Runs the command.
pub fn execute(args: &Args) -> Result<Answer, Failure> {
    let sized = |options| EngineOptions {
        batch_size: usize::from(args.batch),
        engine_batch: usize::from(args.batch),
        input_size: args.size,
        ..options
    };
    let (first, second) = args.engine.for_two(args.compare_provider);
    let mut measurements = vec![Measurement::open(&args.model, args, &sized(first))?];
    if args.compare.is_some() || args.compare_provider.is_some() {
        let other = args.compare.as_ref().unwrap_or(&args.model);
        measurements.push(Measurement::open(other, args, &sized(second))?);
    }
    measure(&mut measurements, args)?;
    let models: Vec<Timing> = measurements.iter().map(Measurement::timing).collect();
    let speedup = match models.as_slice() {
        [first, second] if second.mean_ms > 0.0 => Some(first.mean_ms / second.mean_ms),
        _ => None,
    };
    Answer::new(&Report { threads: args.engine.options().effective_threads(), models, speedup })
}

/// Runs the models in turns; their order changes from turn to turn.
fn measure(measurements: &mut [Measurement], args: &Args) -> Result<(), Failure> {
    for _ in 0..args.warm_up {
        for measurement in measurements.iter_mut() {
            measurement.run()?;
        }
    }
    let enough = Duration::from_secs_f64(args.seconds) * measurements.len() as u32;
    let goal = args.runs.map_or(enough.as_millis() as u64, u64::from);
    let bar = progress(goal);
    let begin = Instant::now();
    let mut turns = 0;
    loop {
        for measurement in measurements.iter_mut() {
            measurement.measure()?;
        }
        measurements.reverse();
        turns += 1;
        let done = match args.runs {
            Some(_) => turns,
            None => begin.elapsed().as_millis() as u64,
        };
        bar.set_position(done.min(goal));
        if done >= goal {
            break;
        }
    }
    if turns % 2 == 1 {
        measurements.reverse();
    }
    bar.finish_and_clear();
    Ok(())
}

impl Measurement {
    fn open(path: &Path, args: &Args, options: &EngineOptions) -> Result<Self, Failure> {
        let begin = Instant::now();
        let opened = open_any(path, args.profile.as_deref(), options);
        let model = opened.result.map_err(|why| match why {
            OpenError::Engine(why) => Failure::cannot(why.to_string()),
            OpenError::Profile(why) => Failure::file(path, why),
        })?;
        let open = begin.elapsed();
        warn(&opened.diagnostics);
        let mut engine = model.engine;
        for index in 0..engine.info().inputs.len() {
            fill(engine.input(index));
        }
        Ok(Self {
            model: path.to_path_buf(),
            engine,
            open,
            histogram: LatencyHistogram::default(),
            total: Duration::ZERO,
            min: Duration::MAX,
        })
    }

    fn run(&mut self) -> Result<(), Failure> {
        let batch = self.engine.max_batch();
        self.engine.run(batch).map_err(|why| Failure::file(&self.model, why))
    }

    fn measure(&mut self) -> Result<(), Failure> {
        let begin = Instant::now();
        self.run()?;
        let took = begin.elapsed();
        self.histogram.record(took);
        self.total += took;
        self.min = self.min.min(took);
        Ok(())
    }

    fn timing(&self) -> Timing {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let percentile = |share| self.histogram.percentile_ns(share) as f64 / 1e6;
        let runs = self.histogram.count();
        let items = runs as f64 * self.engine.max_batch() as f64;
        Timing {
            model: self.model.display().to_string(),
            provider: self.engine.provider().to_owned(),
            batch: self.engine.max_batch(),
            open_ms: ms(self.open),
            runs,
            min_ms: ms(self.min),
            mean_ms: ms(self.total) / runs as f64,
            p50_ms: percentile(0.5),
            p90_ms: percentile(0.9),
            p95_ms: percentile(0.95),
            p99_ms: percentile(0.99),
            max_ms: self.histogram.max_ns() as f64 / 1e6,
            items_per_second: items / self.total.as_secs_f64(),
        }
    }
}

/// Fills an input with the values of an image, the same in every run: zeros are faster on some devices.
fn fill(input: TensorMut<'_>) {
    // The linear congruential generator of Numerical Recipes; its high bits are random enough.
    let mut state = 1u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    match input {
        TensorMut::F32(values) => values.fill_with(|| f32::from(byte()) / 255.0),
        TensorMut::F16(values) => values.fill_with(|| f16::from_f32(f32::from(byte()) / 255.0)),
        TensorMut::U8(values) => values.fill_with(byte),
        TensorMut::I8(values) => values.fill_with(|| byte() as i8),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "model", "on", ">batch", ">open ms", ">runs", ">min", ">mean", ">p50", ">p90", ">p95",
            ">p99", ">max ms", ">items/s",
        ]);
        for timing in &self.models {
            let times = [
                timing.min_ms,
                timing.mean_ms,
                timing.p50_ms,
                timing.p90_ms,
                timing.p95_ms,
                timing.p99_ms,
                timing.max_ms,
            ];
            let name = [timing.model.clone(), timing.provider.clone()];
            let counts = [
                timing.batch.to_string(),
                format!("{:.0}", timing.open_ms),
                timing.runs.to_string(),
            ];
            let times = times.map(|ms| format!("{ms:.3}"));
            let rate = [format!("{:.1}", timing.items_per_second)];
            table.row(name.into_iter().chain(counts).chain(times).chain(rate));
        }
        write!(f, "{table}")?;
        if let Some(speedup) = self.speedup {
            writeln!(f, "\nspeedup (mean of the first / mean of the second): {speedup:.2}")?;
        }
        Ok(())
    }
}
