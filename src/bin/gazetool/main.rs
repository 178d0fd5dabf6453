//! `gazetool` inspects, times, runs, compares and compiles gaze models, judges recordings, and shows
//! what a machine lacks for them.
//!
//! Each command is a function from its arguments to an [`output::Answer`]; only [`main`] writes and
//! ends the process.
#![allow(missing_docs)] // users read the help, not rustdoc

mod accuracy;
mod bench;
mod compare;
mod compile;
mod doctor;
mod engine_args;
mod faces;
mod images;
mod inspect;
mod jpeg;
mod open;
mod output;
mod output_file;
mod printable;
mod report;
mod run;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Answer, Failure};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, and the answer is yes
  1  done, and the answer is no: models differ, a model does not run, something needed is missing,
     a recording fails a budget
  2  the command line is wrong
  3  failed: the message names the file, ONNX Runtime, the execution provider, the image or the
     pipeline that is at fault";

/// Inspects, times, runs, compares and compiles gaze models, and judges recordings.
#[derive(Parser)]
#[command(name = "gazetool", version, after_help = EXIT_CODES, term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON document in place of tables.
    #[arg(long, global = true, display_order = 900)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Inspect(inspect::Args),
    Bench(bench::Args),
    Run(run::Args),
    Compare(compare::Args),
    Compile(compile::Args),
    Report(Box<report::Args>),
    Doctor(doctor::Args),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Inspect(_) => "inspect",
            Self::Bench(_) => "bench",
            Self::Run(_) => "run",
            Self::Compare(_) => "compare",
            Self::Compile(_) => "compile",
            Self::Report(_) => "report",
            Self::Doctor(_) => "doctor",
        }
    }

    fn execute(&self) -> Result<Answer, Failure> {
        match self {
            Self::Inspect(args) => inspect::execute(args),
            Self::Bench(args) => bench::execute(args),
            Self::Run(args) => run::execute(args),
            Self::Compare(args) => compare::execute(args),
            Self::Compile(args) => compile::execute(args),
            Self::Report(args) => report::execute(args),
            Self::Doctor(args) => doctor::execute(args),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = match output::claim() {
        Ok(out) => out,
        Err(why) => {
            return output::fail(&Failure::cannot(format!("cannot use standard output: {why}")));
        }
    };
    match cli.command.execute() {
        Ok(answer) => output::write(&answer, cli.command.name(), cli.json, &mut out),
        Err(failure) => output::fail(&failure),
    }
}
