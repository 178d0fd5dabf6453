//! `gazetool compile`.

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use gstgaze::core::geometry::Size;
use gstgaze::engine::provider::ExecutionProvider;
use gstgaze::engine::{self, EngineOptions, OpenError};
use serde::Serialize;

use crate::bench::size;
use crate::engine_args::EngineArgs;
use crate::open::warn;
use crate::output::{Answer, Failure, spinner};
use crate::output_file::{OutputFiles, files_of_model};
use crate::table::Facts;

/// Compiles a model for an execution provider, so that the first start need not.
///
/// Writes an ONNX file that runs on this provider alone, on the chip and with the versions of this
/// machine. Set `engine` to it in place of the model. The command opens and runs the result once before
/// it writes the file.
#[derive(clap::Args)]
pub struct Args {
    /// ONNX file of any model.
    model: PathBuf,
    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Profile of a gaze model: a built-in name or a TOML file.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Size of the input image, where model and profile leave it open, e.g. 640x480.
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<Size>,
    /// Batch size, where the model leaves it open and the provider takes more than 1.
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
    /// Milliseconds to open the result and run it once.
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
        return Err(Failure::usage("name the execution provider to compile for: --provider"));
    }
    let failed = |why: OpenError| match why {
        OpenError::Engine(why) => Failure::cannot(why.to_string()),
        OpenError::Profile(why) => Failure::file(&args.model, why),
    };
    let profile = args.profile.iter().map(PathBuf::from);
    let inputs = files_of_model(&args.model).into_iter().chain(profile);
    let output = OutputFiles::beside(inputs).claim(&args.output)?;
    let bar = spinner(&format!("compiling for {}", options.provider));
    let begin = Instant::now();
    let opened = engine::compile(&args.model, args.profile.as_deref(), &options);
    let mut diagnostics = Vec::new();
    let compiled = opened.into_result(&mut diagnostics).map_err(failed)?;
    let compile_ms = begin.elapsed().as_secs_f64() * 1e3;
    bar.set_message("running the result once");
    let begin = Instant::now();
    let name = args.output.display().to_string();
    engine::open_bytes(&name, &compiled, &options)
        .into_result(&mut diagnostics)
        .map_err(|why| Failure::cannot(why.to_string()))?;
    let open_ms = begin.elapsed().as_secs_f64() * 1e3;
    bar.finish_and_clear();
    warn(&diagnostics);
    output.write(&compiled)?;
    Answer::new(&Report {
        model: args.model.display().to_string(),
        output: name,
        provider: options.provider.nick(),
        bytes: compiled.len(),
        compile_ms,
        open_ms,
    })
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
