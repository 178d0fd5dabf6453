//! `gazetool`: looks at gaze models, times, compares, compiles and runs them, judges recordings, and
//! says what a machine has and lacks for them.
//!
//! Each command is a function from its arguments to an [`output::Answer`]; only [`main`] writes and
//! ends the process.
#![allow(missing_docs)] // a program has no documentation but its help

mod accuracy;
mod bench;
mod compare;
mod compile;
mod doctor;
mod faces;
mod images;
mod inspect;
mod models;
mod output;
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
     a budget is failed
  2  the command line is wrong
  3  it cannot be done: a file, ONNX Runtime, an execution provider, a picture or a pipeline is at
     fault";

/// Looks at gaze models, times, compares, compiles and runs them, and judges recordings.
#[derive(Parser)]
#[command(name = "gazetool", version, after_help = EXIT_CODES, term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// One JSON document on standard output in place of tables.
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
        Err(why) => return output::fail(&Failure::cannot(format!("standard output: {why}"))),
    };
    match cli.command.execute() {
        Ok(answer) => output::write(&answer, cli.command.name(), cli.json, &mut out),
        Err(failure) => output::fail(&failure),
    }
}
