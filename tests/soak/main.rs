//! The soak: the whole pipeline for hours of stream, as fast as it goes, with faults on a schedule.
//!
//! Run by `tests/soak.sh`, which says what is run and what passes. In `cargo test` it says so and
//! ends: a soak is asked for by its length.
#![cfg(feature = "plugin")]

mod bus;
mod changes;
mod faults;
mod ledger;
mod materials;
mod measure;
mod pictures;
mod reader;
mod report;
mod seen;
mod stream;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use faults::{FAULTS, Fault};
use ledger::Ledger;
use materials::Materials;
use measure::{Measures, Progress};
use stream::Stream;

/// Streams side by side; they share one loaded gaze model.
const STREAMS: usize = 2;

/// Frames that a stream gets from one round of faults to the next: two minutes at 30 a second.
const ROUND: u64 = 3600;

/// What was asked for.
#[derive(Clone)]
struct Wanted {
    hours: f64,
    json: PathBuf,
    /// Faults by name; all where it is empty.
    only: Vec<String>,
}

impl Wanted {
    fn has(&self, fault: &Fault) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == fault.name)
    }
}

fn wanted() -> Option<Wanted> {
    let mut arguments = std::env::args().skip(1);
    let (mut hours, mut json) = (None, PathBuf::from("out/soak.json"));
    let mut only = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--hours" => hours = arguments.next().and_then(|value| value.parse().ok()),
            "--json" => json = arguments.next()?.into(),
            "--only" => only.push(arguments.next()?),
            // cargo test's own.
            _ => {}
        }
    }
    let hours = hours.filter(|hours: &f64| *hours > 0.0 && *hours <= 10_000.0)?;
    Some(Wanted { hours, json, only })
}

fn main() -> ExitCode {
    let Some(wanted) = wanted() else {
        println!("soak: left to tests/soak.sh HOURS");
        return ExitCode::SUCCESS;
    };
    match soak(&wanted) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("soak: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs it all; whether it passes.
fn soak(wanted: &Wanted) -> Result<bool, String> {
    gst::init().map_err(|why| why.to_string())?;
    gstgaze::plugin::plugin_register_static().map_err(|why| why.to_string())?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().map_err(|why| why.to_string())?;
    let materials = Arc::new(Materials::prepare(root, folder.path())?);
    // Whole rounds of every stream.
    let rounds = (wanted.hours * 3600.0 * 30.0 / (ROUND * STREAMS as u64) as f64).round().max(1.0);
    let rounds = rounds as u64;
    let total = rounds * ROUND * STREAMS as u64;
    let faults = FAULTS.iter().filter(|fault| wanted.has(fault)).count();
    println!(
        "soak: {total} frames ({:.2} h at 30 a second), {STREAMS} streams, {rounds} rounds of {} \
         faults each",
        total as f64 / 30.0 / 3600.0,
        faults
    );
    let progress = Arc::new(Progress::new(total));
    let mut workers = Vec::new();
    for number in 0..STREAMS {
        let (materials, progress) = (materials.clone(), progress.clone());
        let socket = folder.path().join(format!("{number}.socket"));
        let wanted = wanted.clone();
        let worker = move || work(number, rounds, &wanted, &materials, &socket, &progress);
        workers.push(std::thread::spawn(worker));
    }
    let begin = Instant::now();
    let mut measures = Measures::new(begin);
    let mut said = Instant::now();
    let mut round = 0;
    // The streams wait for this thread at the end of each round, drained and playing.
    while round < rounds && !progress.failed() {
        if progress.waiting() == STREAMS {
            measures.quiet();
            progress.go_on();
            round += 1;
        } else {
            std::thread::sleep(Duration::from_millis(5));
        }
        measures.memory(progress.frames(), false);
        if said.elapsed() > Duration::from_secs(30) {
            said = Instant::now();
            println!("{}", measures.line(&progress));
        }
    }
    measures.memory(progress.frames(), true);
    let ledgers: Result<Vec<Ledger>, String> = workers
        .into_iter()
        .map(|worker| worker.join().map_err(|_| "a stream panicked".to_owned())?)
        .collect();
    let ledger = ledgers?.into_iter().fold(Ledger::default(), Ledger::and);
    measures.over();
    let result = report::Report::new(&ledger, &measures, &progress, [rounds, faults as u64]);
    println!("{result}");
    if let Some(folder) = wanted.json.parent() {
        std::fs::create_dir_all(folder).map_err(|why| why.to_string())?;
    }
    std::fs::write(&wanted.json, result.json()).map_err(|why| why.to_string())?;
    println!("soak: {}", wanted.json.display());
    Ok(result.passed())
}

/// One stream from its start to its end. A fault that is not recovered from ends the soak.
fn work(
    number: usize,
    rounds: u64,
    wanted: &Wanted,
    materials: &Materials,
    socket: &Path,
    progress: &Arc<Progress>,
) -> Result<Ledger, String> {
    let run = || {
        let mut stream = Stream::start(number, materials, socket, progress.clone())?;
        for round in 0..rounds {
            let end = (round + 1) * ROUND;
            stream.steady(ROUND / 8)?;
            // Another order in each round and each stream.
            for fault in 0..FAULTS.len() {
                let turn = (fault as u64 * 5 + round + number as u64 * 3) as usize % FAULTS.len();
                if wanted.has(&FAULTS[turn]) {
                    stream.fault(&FAULTS[turn], round)?;
                }
            }
            stream.steady(end.saturating_sub(stream.frames()))?;
            stream.settle()?;
            progress.meet()?;
        }
        stream.end()
    };
    run()
        .inspect_err(|why: &String| {
            eprintln!("soak: stream {number}: {why}");
            progress.fail();
        })
        .map_err(|why| format!("stream {number}: {why}"))
}
