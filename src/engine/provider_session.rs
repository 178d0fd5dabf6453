//! A session on the execution provider that the options name, or on the best one.

use ort::session::Session;

use super::cached_session;
use super::candidate::{Candidate, Shapes, session_builder};
use super::diagnostics::Diagnostics;
use super::model_source::ModelSource;
use super::options::EngineOptions;
use super::provider::configured;
use super::provider::kind::ExecutionProvider;
use super::runtime::Runtime;
use crate::core::inference::EngineError;

/// Why the CPU does not run a compiled model.
const COMPILED: &str = "it was compiled for another execution provider: name that one, or \
                                   give the original model";

/// Opens a session on the CPU, without options of the provider.
///
/// # Errors
/// [`EngineError::Load`] with the message of ONNX Runtime.
pub(super) fn open_on_cpu(
    runtime: &Runtime,
    source: &ModelSource,
    options: &EngineOptions,
) -> Result<Session, EngineError> {
    let builder = session_builder(runtime, source.format, options)
        .and_then(|builder| configured::cpu(runtime, builder))
        .map_err(|why| source.error(why.to_string()))?;
    source.commit(builder).map_err(|why| {
        let message = why.message();
        // A compiled model's only node, for which the CPU has no kernel.
        if message.contains("EPContext") {
            return source.error(COMPILED);
        }
        source.refused(runtime, message)
    })
}

/// Opens a session on the provider that the options name, or on the best one.
///
/// # Errors
/// [`EngineError::Provider`] if the named provider is missing or would leave a part of the model to the
/// CPU, [`EngineError::Load`] if it refuses the model.
pub(super) fn open(
    runtime: &Runtime,
    source: &ModelSource,
    options: &EngineOptions,
    items: &[Vec<usize>],
    diagnostics: &Diagnostics,
) -> Result<(Session, ExecutionProvider), EngineError> {
    let asked = options.provider;
    if asked == ExecutionProvider::Auto && !options.provider_options.is_empty() {
        return Err(EngineError::Provider {
            provider: asked.nick().to_owned(),
            reason: "provider-options belong to one provider".to_owned(),
            remedy: "Name it with execution-provider".to_owned(),
        });
    }
    let mut last = None;
    for provider in asked.candidates(runtime) {
        let candidate = Candidate { runtime, source, options, provider, diagnostics };
        match candidate_session(&candidate, items) {
            Ok(session) => {
                diagnostics.info(taken(&source.shown, asked, provider, runtime));
                return Ok((session, provider));
            }
            Err(why) if asked == ExecutionProvider::Auto => {
                diagnostics.info(format!("{provider} is passed over: {why}"));
                last = Some(why);
            }
            Err(why) => return Err(why),
        }
    }
    Err(last.unwrap_or_else(|| source.error("there is no execution provider")))
}

/// Says which provider runs a model, and why it does.
pub(super) fn taken(
    model: &str,
    asked: ExecutionProvider,
    provider: ExecutionProvider,
    runtime: &Runtime,
) -> String {
    let why = if asked == provider {
        format!("execution-provider={provider} names it")
    } else {
        let has: Vec<&str> =
            ExecutionProvider::available(runtime).iter().map(|found| found.nick()).collect();
        format!(
            "execution-provider=auto takes the first that runs the whole model of those that \
             ONNX Runtime {} at '{}' has here, accelerators first; it has {}",
            runtime.version(),
            runtime.path().display(),
            has.join(", ")
        )
    };
    format!("'{model}' runs on {provider}: {why}")
}

/// Opens a session on one provider.
fn candidate_session(
    candidate: &Candidate<'_>,
    items: &[Vec<usize>],
) -> Result<Session, EngineError> {
    let compiled = !candidate.source.declared.compiled.is_empty();
    if compiled && candidate.provider == ExecutionProvider::Cpu {
        return Err(candidate.source.error(COMPILED));
    }
    let Shapes { inputs, sizes } = candidate.shapes(items);
    let task = candidate.task(&inputs);
    let configured = candidate.provider.configure(candidate.runtime, &task)?;
    let exclusive = configured.exclusive();
    let session = cached_session::open(candidate, &task, &configured, &sizes)?;
    configured.opened();
    drop(exclusive);
    Ok(session)
}

/// Compiles a model for the provider that the options name; the result is a model of its own.
///
/// # Errors
/// As [`open`]; [`EngineError::Provider`] if the provider gives no compiled models out.
pub(super) fn compile(
    runtime: &Runtime,
    source: &ModelSource,
    options: &EngineOptions,
    items: &[Vec<usize>],
    diagnostics: &Diagnostics,
) -> Result<Vec<u8>, EngineError> {
    if let Some(part) = source.declared.compiled.first() {
        return Err(source.error(format!("it is compiled already, for '{}'", part.source)));
    }
    let candidate = Candidate { runtime, source, options, provider: options.provider, diagnostics };
    let Shapes { inputs, sizes } = candidate.shapes(items);
    let configured = candidate.provider.configure(runtime, &candidate.task(&inputs))?;
    let exclusive = configured.exclusive();
    let compiled = candidate.compile(&configured, &sizes)?;
    configured.opened();
    drop(exclusive);
    Ok(compiled.to_vec())
}
