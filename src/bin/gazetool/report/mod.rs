//! `gazetool report`: whether a recording, or a run, keeps the project's budgets.

mod args;
mod budgets;
mod clip;
mod document;
mod launch;
mod lines;
mod machine;
mod measured;
mod meter;
mod page;
#[cfg(test)]
mod page_tests;
mod pipeline;
mod pipeline_run;
mod plots;
mod process;
mod rails;
mod recording;

use std::path::Path;

use gstgaze::core::monitor::ZoneMap;
use gstgaze::engine::user_file;

pub use args::Args;
use budgets::evidence::Evidence;
use budgets::tally::Tally;
use document::{Measurements, Report};
use measured::Measured;
use page::Page;

use crate::output::{Answer, Failure};
use crate::output_file::{OutputFile, OutputFiles};

/// Runs the command.
pub fn execute(args: &Args) -> Result<Answer, Failure> {
    let mut outputs = OutputFiles::beside(args.inputs());
    let files = files(&args.output, &mut outputs)?;
    let keep = args.keep.as_deref().map(|path| outputs.claim(path)).transpose()?;
    let zones = args.drawn_zones().map(open_zones).transpose()?;
    let measured = match args.jsonl.as_slice() {
        [] => pipeline_run::measure(args, keep.as_ref())?,
        _ => recording::measure(args)?,
    };
    let Measured { input, tally, accuracy, power, usage, ended_badly } = measured;
    if tally.lines().taken == 0 {
        return Err(nothing_to_judge(args, &tally));
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
    // A file of --memory tells of memory alone.
    let process = usage.as_ref().ok().filter(|usage| usage.threads.0 > 0);
    let measurements = Measurements {
        accuracy: accuracy.as_ref().ok(),
        power: power.as_ref().ok(),
        usage: process,
    };
    let names = files.each_ref().map(|file| file.path().display().to_string());
    let report = Report::new(input, findings, names, &tally, &measurements, machine::now());
    let page = Page {
        report: &report,
        tally: &tally,
        zones: zones.as_ref(),
        memory: usage.as_ref().ok().map(|usage| &usage.memory),
        usage: process,
    };
    let answer = Answer::new(&report)?.verdict(report.passed);
    let [html, json] = &files;
    html.write(page.html().as_bytes())?;
    json.write(format!("{}\n", answer.document("report")?).as_bytes())?;
    Ok(answer)
}

/// The files to write. The command claims them first: a run may take a day.
fn files(output: &Path, outputs: &mut OutputFiles) -> Result<[OutputFile; 2], Failure> {
    let json = output.with_extension("json");
    if json == output || output.file_name().is_none() {
        return Err(Failure::usage(
            "--output names the HTML file, and the JSON document goes beside it with the extension \
             .json: give another name, such as report.html",
        ));
    }
    Ok([outputs.claim(output)?, outputs.claim(&json)?])
}

fn open_zones(name: &str) -> Result<ZoneMap, Failure> {
    let found = match ZoneMap::builtin(name) {
        Some(found) => found,
        None => {
            let text = user_file::read_text(Path::new(name)).map_err(|why| {
                Failure::cannot(format!(
                    "zones '{name}': no built-in name ({}), and the file cannot be read: {why}",
                    ZoneMap::builtin_names().join(", ")
                ))
            })?;
            ZoneMap::from_toml(&text)
        }
    };
    found.map_err(|why| Failure::cannot(format!("zones '{name}': {why}")))
}

/// Why a recording holds nothing to judge.
fn nothing_to_judge(args: &Args, tally: &Tally) -> Failure {
    let lines = tally.lines();
    let unread = lines.garbage + lines.foreign;
    Failure::cannot(match (lines.other_sources, unread) {
        (others @ 1.., _) => format!(
            "no line is from source {}: {others} lines are from other sources",
            args.source_id.unwrap_or_default()
        ),
        (0, 1..) => format!(
            "nothing to judge: none of the {unread} lines comes from gazepublish (schema 1), and {} are \
             not JSON",
            lines.garbage
        ),
        (0, 0) => "nothing to judge: the recording is empty".to_owned(),
    })
}
