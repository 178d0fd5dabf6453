//! Measures recordings: files of JSON lines.

use std::path::{Path, PathBuf};

use super::args::Args;
use super::budgets::evidence::Accuracy;
use super::budgets::face_pairs::{FacePairs, Side};
use super::budgets::tally::Tally;
use super::document::Input;
use super::measured::Measured;
use super::process::ProcessUsage;
use super::{lines, meter};
use crate::output::Failure;

/// Measures recordings.
pub fn measure(args: &Args) -> Result<Measured, Failure> {
    let interval = args.fps.map(|rate| (1e9 / rate).round() as u64);
    let mut tally = Tally::new(args.source_id, interval);
    read(&args.jsonl, &mut tally)?;
    let accuracy = match &args.reference_jsonl {
        None => {
            Err("Give a recording of the reference model with --reference-jsonl, or run a video \
                     with --reference."
                .to_owned())
        }
        Some(path) => Accuracy::new(
            names(&args.jsonl),
            path.display().to_string(),
            compare(&args.jsonl, path)?.summary(),
        ),
    };
    let power = meter::above_idle_of(args)?
        .unwrap_or_else(|| Err("Give a meter's file with --meter and --idle-watts.".to_owned()));
    let usage = match &args.memory {
        Some(path) => Ok(ProcessUsage { memory: meter::memory(path)?, ..ProcessUsage::default() }),
        None => Err("Give a file with --memory.".to_owned()),
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

/// Pairs the faces of two recordings, frame by frame.
fn compare(deployed: &[PathBuf], reference: &Path) -> Result<FacePairs, Failure> {
    let failed = |why| Failure::file(reference, format_args!("cannot read the recording: {why}"));
    let mut other = lines::open(reference).map_err(failed)?;
    let (mut pairs, mut other_line) = (FacePairs::default(), Vec::new());
    for path in deployed {
        let reader = lines::open(path).map_err(|why| Failure::file(path, why))?;
        lines::each(reader, |line| {
            if let Some(faces) = line.and_then(lines::faces) {
                pairs.add(Side::Deployed, faces);
            }
            while pairs.wants() == Some(Side::Reference) {
                match lines::next(&mut other, &mut other_line)? {
                    None => break,
                    Some(_) => {
                        if let Some(faces) = lines::faces(&other_line) {
                            pairs.add(Side::Reference, faces);
                        }
                    }
                }
            }
            Ok(())
        })
        .map_err(|why| Failure::file(path, why))?;
    }
    Ok(pairs)
}

/// Counts the lines of recordings.
fn read(paths: &[PathBuf], tally: &mut Tally) -> Result<(), Failure> {
    for path in paths {
        let taken = |line: Option<&[u8]>| {
            match line {
                Some(line) => tally.line(line),
                None => tally.oversized(),
            }
            Ok(())
        };
        lines::open(path)
            .and_then(|reader| lines::each(reader, taken))
            .map_err(|why| Failure::file(path, format_args!("cannot read the recording: {why}")))?;
    }
    Ok(())
}
