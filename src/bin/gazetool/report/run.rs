//! Runs the pipelines of a report and measures them.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::report::budgets::Tally;
use crate::report::budgets::budget::Accuracy;
use crate::report::budgets::pairs::{Pairs, Side};
use crate::report::budgets::power::MeanPower;

use super::document::Input;
use super::launch::{Ended, Folder, Launched, interrupt};
use super::pipeline::{self, Source};
use super::power::{self, Rail};
use super::process::{Usage, Watch};
use super::{Args, DEFAULT_ZONES, Measured, above_idle, machine, metered, read};
use crate::models::about;
use crate::output::{Failure, waiting};

/// Time between two looks at the process.
const PERIOD: Duration = Duration::from_millis(200);

/// Frames of each side that may wait for the other's.
const AHEAD: usize = 64;

/// Where the kernel shows what it measures.
const SYS: &str = "/sys";

/// Compares, runs, and says what was measured.
pub fn execute(args: &Args) -> Result<Measured, Failure> {
    let source = match (&args.video, &args.live) {
        (Some(video), _) if !video.is_file() => return Err(about(video, "there is no such file")),
        (Some(video), _) if args.every_frame => Source::EveryFrame(video),
        (Some(video), _) => Source::Video(video),
        (None, Some(live)) => Source::Live(live),
        (None, None) => return Err(Failure::usage("--jsonl, --video or --live is needed")),
    };
    let folder = Folder::new()?;
    // First: where a model does not open, nobody has waited for the rest.
    let accuracy = match args.reference.as_deref().zip(args.video.as_deref()) {
        Some((reference, video)) => with_faces(compare(args, video, reference, &folder)?),
        None => Err("No --reference to compare with.".to_owned()),
    };
    let rail = match power::choose(Path::new(SYS), args.rail.as_deref()) {
        Err(why) if args.rail.is_some() => return Err(Failure::cannot(why)),
        rail => rail,
    };
    // Who has a meter beside the machine does not ask the machine.
    let rail = if args.meter.is_some() { Err("There is a meter.".to_owned()) } else { rail };
    let idle = rail.as_ref().ok().and_then(|rail| idle(rail, args.idle_seconds));
    let mut tally = Tally::new(args.source_id, None);
    let played = play(args, source, rail.as_ref().ok(), &folder, &mut tally)?;
    let Played { usage, power, ended } = played;
    if let Some((frames, seconds)) = ended.framerate {
        tally.timeline.set_interval(1_000_000_000u64.saturating_mul(seconds) / frames);
    }
    let zones = args.zones.as_deref().unwrap_or(DEFAULT_ZONES);
    let shown = pipeline::run(source, &args.elements, zones, Path::new("LINES"));
    let shown = format!("{} -e -v {}", args.gst_launch.display(), pipeline::shown(&shown));
    if let Some(fault) = ended.fault.as_ref().filter(|_| tally.lines().taken == 0) {
        return Err(Failure::cannot(format!("the pipeline failed: {fault}\nit was: {shown}")));
    }
    // Read now: the meter wrote it during the run, which is not to be lost for a broken file.
    let power = match (metered(args), rail) {
        (Err(why), _) => Err(why.text().to_owned()),
        (Ok(Some(given)), _) => given,
        (Ok(None), Err(why)) => Err(why),
        (Ok(None), Ok(rail)) => match idle {
            Some(idle) => above_idle(rail.name, idle, &power),
            None => Err(format!("{} could not be read while idle.", rail.name)),
        },
    };
    let (kind, name) = match source {
        Source::Video(path) => ("video", path.display().to_string()),
        Source::EveryFrame(path) => ("every-frame", path.display().to_string()),
        Source::Live(elements) => ("live", elements.to_owned()),
    };
    let input = Input {
        kind,
        names: vec![name],
        pipeline: Some(shown),
        machine: Some(machine::describe()),
    };
    Ok(Measured { input, tally, accuracy, power, usage: Ok(usage), ended_badly: ended.fault })
}

/// Mean power of the machine that does nothing of ours.
fn idle(rail: &Rail, seconds: f64) -> Option<f64> {
    let bar = waiting("power while idle");
    let begin = Instant::now();
    let mean = rail.measure(|| begin.elapsed().as_secs_f64() < seconds);
    bar.finish_and_clear();
    mean.watts()
}

struct Played {
    usage: Usage,
    power: MeanPower,
    ended: Ended,
}

/// Runs the pipeline that is judged and takes its lines.
fn play(
    args: &Args,
    source: Source<'_>,
    rail: Option<&Rail>,
    folder: &Folder,
    tally: &mut Tally,
) -> Result<Played, Failure> {
    let mut keep = args
        .keep
        .as_deref()
        .map(|path| File::create(path).map(BufWriter::new).map_err(|why| about(path, why)))
        .transpose()?;
    let (listener, socket) = folder.socket("lines")?;
    let zones = args.zones.as_deref().unwrap_or(DEFAULT_ZONES);
    let words = pipeline::run(source, &args.elements, zones, &socket);
    let mut launched = Launched::start(&args.gst_launch, &words)?;
    let (pid, over, bar) = (launched.pid(), AtomicBool::new(false), waiting("running"));
    let (connected, begun) = mpsc::channel();
    let (read, usage, power) = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(pid, args.seconds, begun, &over));
        let stream = launched.accept(&listener);
        let _ = connected.send(());
        let meter = rail.map(|rail| scope.spawn(|| rail.measure(|| !over.load(Ordering::Relaxed))));
        let read = stream.and_then(|stream| match stream {
            Some(stream) => take(stream, tally, &mut keep),
            None => Ok(()),
        });
        over.store(true, Ordering::Relaxed);
        let power = meter.and_then(|meter| meter.join().ok()).unwrap_or_default();
        (read, watch.join().unwrap_or_default(), power)
    });
    bar.finish_and_clear();
    let ended = launched.end(read);
    if let Some((mut keep, path)) = keep.zip(args.keep.as_deref()) {
        keep.flush().map_err(|why| about(path, why))?;
    }
    Ok(Played { usage, power, ended })
}

/// Looks at the process until it is `over`, and ends the stream when its time has come.
fn watch(pid: u32, limit: Option<f64>, begun: mpsc::Receiver<()>, over: &AtomicBool) -> Usage {
    let (mut watch, mut since, mut told) = (Watch::new(pid), None, false);
    while !over.load(Ordering::Relaxed) {
        watch.look();
        if begun.try_recv().is_ok() {
            since = Some(Instant::now());
        }
        let past = since
            .zip(limit)
            .is_some_and(|(since, limit): (Instant, f64)| since.elapsed().as_secs_f64() >= limit);
        if past && !told {
            interrupt(pid);
            told = true;
        }
        thread::sleep(PERIOD);
    }
    watch.end()
}

fn take(
    stream: UnixStream,
    tally: &mut Tally,
    keep: &mut Option<BufWriter<File>>,
) -> io::Result<()> {
    read::lines(BufReader::new(stream), |line| {
        match line {
            Some(line) => {
                tally.line(line);
                if let Some(keep) = keep {
                    keep.write_all(line)?;
                }
            }
            None => tally.oversized(),
        }
        Ok(())
    })
}

/// Both engines on the same faces of the video.
fn compare(
    args: &Args,
    video: &Path,
    reference: &Path,
    folder: &Folder,
) -> Result<Accuracy, Failure> {
    let (deployed_listener, deployed_socket) = folder.socket("deployed")?;
    let (reference_listener, reference_socket) = folder.socket("reference")?;
    let right = (reference, args.reference_profile.as_deref());
    let sockets = [&*deployed_socket, &*reference_socket];
    let words = pipeline::compare(video, &args.elements, right, sockets);
    let mut launched = Launched::start(&args.gst_launch, &words)?;
    let bar = waiting("comparing with the reference");
    let streams = [&deployed_listener, &reference_listener].map(|l| launched.accept(l));
    let [deployed, reference_stream] = streams;
    let read = match (deployed, reference_stream) {
        (Ok(Some(deployed)), Ok(Some(reference))) => pair(deployed, reference),
        (Err(why), _) | (_, Err(why)) => Err(why),
        _ => Ok(Pairs::default()),
    };
    bar.finish_and_clear();
    let (read, pairs) = match read {
        Ok(pairs) => (Ok(()), pairs),
        Err(why) => (Err(why), Pairs::default()),
    };
    if let Some(fault) = launched.end(read).fault {
        let words = pipeline::shown(&words);
        let program = args.gst_launch.display();
        return Err(Failure::cannot(format!(
            "the comparison with the reference failed: {fault}\nit was: {program} -e -v {words}"
        )));
    }
    let options = args.elements.gazeinfer.iter().map(|(name, value)| format!(" {name}={value}"));
    Ok(Accuracy {
        deployed: format!("{}{}", args.elements.engine.display(), options.collect::<String>()),
        reference: reference.display().to_string(),
        summary: pairs.summary(),
    })
}

/// Reads both as they come.
fn pair(deployed: UnixStream, reference: UnixStream) -> io::Result<Pairs> {
    let (sender, frames) = mpsc::sync_channel(AHEAD);
    let reader = |side: Side, stream: UnixStream| {
        let sender = sender.clone();
        move || {
            read::lines(BufReader::new(stream), |line| {
                match line.and_then(read::faces) {
                    // The receiver waits for both senders to end.
                    Some(faces) => sender.send((side, faces)).map_err(io::Error::other),
                    None => Ok(()),
                }
            })
        }
    };
    let readers = [reader(Side::Deployed, deployed), reader(Side::Reference, reference)];
    drop(sender);
    thread::scope(|scope| {
        let threads = readers.map(|reader| scope.spawn(reader));
        let mut pairs = Pairs::default();
        for (side, faces) in frames {
            pairs.add(side, faces);
        }
        for thread in threads {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a reader broke")))?;
        }
        Ok(pairs)
    })
}

/// A comparison of nothing is none.
pub fn with_faces(accuracy: Accuracy) -> Result<Accuracy, String> {
    if accuracy.summary.faces + accuracy.summary.unpaired > 0 {
        return Ok(accuracy);
    }
    let Accuracy { deployed, reference, .. } = accuracy;
    Err(format!("No face got a gaze of both {deployed} and {reference} in the same frame."))
}
