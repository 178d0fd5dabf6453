//! Runs pipelines and measures them.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::args::Args;
use super::budgets::evidence::Accuracy;
use super::budgets::face_pairs::{FacePairs, Side};
use super::budgets::mean_power::MeanPower;
use super::budgets::tally::Tally;
use super::clip::Clip;
use super::document::Input;
use super::launch::{Ended, Launched, SocketFolder, interrupt};
use super::measured::Measured;
use super::pipeline::{self, FrameSource};
use super::process::{ProcessUsage, ProcessWatch};
use super::rails::{self, Rail};
use super::{lines, machine, meter};
use crate::output::{Failure, spinner};
use crate::output_file::OutputFile;

/// Time between two readings of the process.
const PERIOD: Duration = Duration::from_millis(200);

/// Frames that may wait for those of the other side.
const AHEAD: usize = 64;

/// Where the kernel shows the power rails.
const SYS: &str = "/sys";

/// Compares the engines where a reference is given, then runs and measures the pipeline. The lines go to
/// `keep`.
pub fn measure(args: &Args, keep: Option<&OutputFile>) -> Result<Measured, Failure> {
    let clip = match args.video.as_deref() {
        Some(video) if !video.is_file() => {
            return Err(Failure::file(video, "there is no such file"));
        }
        video => video.map(|video| Clip::look_into(video, &args.gst_launch)),
    };
    let source = match (clip, &args.live) {
        (Some(clip), _) if args.every_frame => FrameSource::EveryFrame(clip),
        (Some(clip), _) => FrameSource::Video(clip),
        (None, Some(live)) => FrameSource::Live(live),
        (None, None) => return Err(Failure::usage("give --jsonl, --video or --live")),
    };
    let folder = SocketFolder::new()?;
    // Before the run: a model that does not open fails at once.
    let accuracy = match args.reference.as_deref().zip(clip) {
        Some((reference, clip)) => compare(args, clip, reference, &folder)?,
        None => Err("Give a reference model with --reference.".to_owned()),
    };
    let rail = match rails::choose(Path::new(SYS), args.rail.as_deref()) {
        Err(why) if args.rail.is_some() => return Err(Failure::cannot(why)),
        rail => rail,
    };
    // A meter beside the machine takes the place of its rails.
    let rail = if args.meter.is_some() { Err(String::new()) } else { rail };
    let idle = rail.as_ref().ok().and_then(|rail| idle(rail, args.idle_seconds));
    let mut tally = Tally::new(args.source_id, None);
    let played = play(args, source, rail.as_ref().ok(), &folder, keep, &mut tally)?;
    let Played { usage, power, ended } = played;
    if let Some((frames, seconds)) = ended.framerate {
        tally.time.set_interval(1_000_000_000u64.saturating_mul(seconds) / frames);
    }
    let zones = args.zones_of_run();
    let shown = pipeline::run(source, &args.elements, zones, Path::new("LINES"));
    let shown = format!("{} -e -v {}", args.gst_launch.display(), pipeline::shown(&shown));
    if let Some(fault) = ended.fault.as_ref().filter(|_| tally.lines().taken == 0) {
        return Err(Failure::cannot(format!("the pipeline failed: {fault}\npipeline: {shown}")));
    }
    // After the run: the meter writes the file meanwhile, and a broken file must not lose the run.
    let power = match (meter::above_idle_of(args), rail) {
        (Err(why), _) => Err(why.text().to_owned()),
        (Ok(Some(given)), _) => given,
        (Ok(None), Err(why)) => Err(why),
        (Ok(None), Ok(rail)) => match idle {
            Some(idle) => meter::above_idle(rail.name, idle, &power),
            None => Err(format!("{} gave no readings while the machine was idle.", rail.name)),
        },
    };
    let (kind, name) = match source {
        FrameSource::Video(clip) => ("video", clip.path.display().to_string()),
        FrameSource::EveryFrame(clip) => ("every-frame", clip.path.display().to_string()),
        FrameSource::Live(elements) => ("live", elements.to_owned()),
    };
    let input = Input {
        kind,
        names: vec![name],
        pipeline: Some(shown),
        machine: Some(machine::describe()),
    };
    Ok(Measured { input, tally, accuracy, power, usage: Ok(usage), ended_badly: ended.fault })
}

/// Mean power of the idle machine.
fn idle(rail: &Rail, seconds: f64) -> Option<f64> {
    let bar = spinner("measuring the idle machine");
    let begin = Instant::now();
    let mean = rail.measure(|| begin.elapsed().as_secs_f64() < seconds);
    bar.finish_and_clear();
    mean.watts()
}

struct Played {
    usage: ProcessUsage,
    power: MeanPower,
    ended: Ended,
}

/// Runs the pipeline to judge and counts its lines.
fn play(
    args: &Args,
    source: FrameSource<'_>,
    rail: Option<&Rail>,
    folder: &SocketFolder,
    output: Option<&OutputFile>,
    tally: &mut Tally,
) -> Result<Played, Failure> {
    let mut keep = output.map(|file| file.stream().map(BufWriter::new)).transpose()?;
    let (listener, socket) = folder.socket("lines")?;
    let words = pipeline::run(source, &args.elements, args.zones_of_run(), &socket);
    let mut launched = Launched::start(&args.gst_launch, &words)?;
    let (pid, over, bar) = (launched.pid(), AtomicBool::new(false), spinner("running"));
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
    if let Some((mut keep, file)) = keep.zip(output) {
        keep.flush().map_err(|why| Failure::file(file.path(), why))?;
    }
    Ok(Played { usage, power, ended })
}

/// Watches the process until it is `over`, and ends the stream at its time limit.
fn watch(
    pid: u32,
    limit: Option<f64>,
    begun: mpsc::Receiver<()>,
    over: &AtomicBool,
) -> ProcessUsage {
    let (mut watch, mut since, mut interrupted) = (ProcessWatch::new(pid), None, false);
    while !over.load(Ordering::Relaxed) {
        watch.read();
        if begun.try_recv().is_ok() {
            since = Some(Instant::now());
        }
        let past = since
            .zip(limit)
            .is_some_and(|(since, limit): (Instant, f64)| since.elapsed().as_secs_f64() >= limit);
        if past && !interrupted {
            interrupt(pid);
            interrupted = true;
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
    lines::each(BufReader::new(stream), |line| {
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

/// Runs both engines on the same faces of the video.
fn compare(
    args: &Args,
    clip: Clip<'_>,
    reference: &Path,
    folder: &SocketFolder,
) -> Result<Result<Accuracy, String>, Failure> {
    let (deployed_listener, deployed_socket) = folder.socket("deployed")?;
    let (reference_listener, reference_socket) = folder.socket("reference")?;
    let right = (reference, args.reference_profile.as_deref());
    let sockets = [&*deployed_socket, &*reference_socket];
    let words = pipeline::compare(clip, &args.elements, right, sockets);
    let mut launched = Launched::start(&args.gst_launch, &words)?;
    let bar = spinner("comparing with the reference");
    let streams = [&deployed_listener, &reference_listener].map(|l| launched.accept(l));
    let [deployed, reference_stream] = streams;
    let read = match (deployed, reference_stream) {
        (Ok(Some(deployed)), Ok(Some(reference))) => pair(deployed, reference),
        (Err(why), _) | (_, Err(why)) => Err(why),
        _ => Ok(FacePairs::default()),
    };
    bar.finish_and_clear();
    let (read, pairs) = match read {
        Ok(pairs) => (Ok(()), pairs),
        Err(why) => (Err(why), FacePairs::default()),
    };
    if let Some(fault) = launched.end(read).fault {
        let words = pipeline::shown(&words);
        let program = args.gst_launch.display();
        return Err(Failure::cannot(format!(
            "the comparison with the reference failed: {fault}\npipeline: {program} -e -v {words}"
        )));
    }
    let options = args.elements.gazeinfer.iter().map(|(name, value)| format!(" {name}={value}"));
    let deployed = format!("{}{}", args.elements.engine.display(), options.collect::<String>());
    Ok(Accuracy::new(deployed, reference.display().to_string(), pairs.summary()))
}

/// Pairs the faces of both streams as they come.
fn pair(deployed: UnixStream, reference: UnixStream) -> io::Result<FacePairs> {
    let (sender, frames) = mpsc::sync_channel(AHEAD);
    let reader = |side: Side, stream: UnixStream| {
        let sender = sender.clone();
        move || {
            lines::each(BufReader::new(stream), |line| {
                match line.and_then(lines::faces) {
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
        let mut pairs = FacePairs::default();
        for (side, faces) in frames {
            pairs.add(side, faces);
        }
        for thread in threads {
            thread.join().unwrap_or_else(|_| {
                Err(io::Error::other("the thread that reads the lines panicked"))
            })?;
        }
        Ok(pairs)
    })
}
