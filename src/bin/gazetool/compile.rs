//! `gazetool compile`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fmt, fs};

use gstgaze::core::geometry::Size;
use gstgaze::engine::provider::ExecutionProvider;
use gstgaze::engine::{self, EngineOptions, OpenError};
use serde::Serialize;

use crate::bench::size;
use crate::models::{EngineArgs, about, tell};
use crate::output::{Answer, Failure, waiting};
use crate::table::Facts;

/// Compiles a model for an execution provider, so that not even the first start compiles.
///
/// The result is an ONNX file that only this provider runs, on the chip and with the versions that it
/// was compiled for: give it to `engine` in place of the model. It is opened and run once before it is
/// written.
#[derive(clap::Args)]
pub struct Args {
    /// ONNX file, of any kind.
    model: PathBuf,
    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Profile of a gaze model: a built-in name or a TOML file.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Size of the picture, where model and profile leave it open, e.g. 640x480.
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<Size>,
    /// Items of one run, where the model leaves it open and the provider takes more than one.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: u16,
    #[command(flatten)]
    engine: EngineArgs,
}

#[derive(Serialize)]
struct Report {
    model: String,
    output: String,
    provider: &'static str,
    bytes: usize,
    compile_ms: f64,
    /// Opening the result and running it once.
    open_ms: f64,
}

/// Runs the command.
pub fn execute(args: &Args) -> Result<Answer, Failure> {
    let options = EngineOptions {
        batch_size: usize::from(args.batch),
        input_size: args.size,
        ..args.engine.options()
    };
    if options.provider == ExecutionProvider::Auto {
        return Err(Failure::usage("name the execution provider to compile for with --provider"));
    }
    let failed = |why: OpenError| match why {
        OpenError::Engine(why) => Failure::cannot(why.to_string()),
        OpenError::Profile(why) => about(&args.model, why),
    };
    let bar = waiting(&format!("compiling for {}", options.provider));
    let begin = Instant::now();
    let opened = engine::compile(&args.model, args.profile.as_deref(), &options);
    let mut diagnostics = Vec::new();
    let compiled = opened.into_result(&mut diagnostics).map_err(failed)?;
    let compile_ms = begin.elapsed().as_secs_f64() * 1e3;
    bar.set_message("running it once");
    let begin = Instant::now();
    let name = args.output.display().to_string();
    engine::open_bytes(&name, &compiled, &options)
        .into_result(&mut diagnostics)
        .map_err(|why| Failure::cannot(why.to_string()))?;
    let open_ms = begin.elapsed().as_secs_f64() * 1e3;
    bar.finish_and_clear();
    tell(&diagnostics);
    write(&args.output, &compiled).map_err(|why| about(&args.output, why))?;
    Answer::new(&Report {
        model: args.model.display().to_string(),
        output: name,
        provider: options.provider.nick(),
        bytes: compiled.len(),
        compile_ms,
        open_ms,
    })
}

/// Under another name first: what is there under this one is whole.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let written = fs::File::create(&partial)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // The first error is the one that counts.
        let _ = fs::remove_file(&partial);
    }
    written
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = Facts(vec![
            ("model", self.model.clone()),
            ("for", self.provider.to_owned()),
            ("written", format!("{}, {:.1} MB", self.output, self.bytes as f64 / 1e6)),
            ("compiled", format!("in {:.0} ms", self.compile_ms)),
            ("opened", format!("in {:.0} ms, one run included", self.open_ms)),
        ]);
        write!(f, "{facts}")
    }
}
