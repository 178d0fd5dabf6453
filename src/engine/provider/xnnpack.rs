//! XNNPACK. Option names are those of
//! <https://onnxruntime.ai/docs/execution-providers/Xnnpack-ExecutionProvider.html>.

use super::kind::ExecutionProvider;
use super::options::{ProviderOptions, Task};
use crate::core::inference::EngineError;

const PROVIDER: ExecutionProvider = ExecutionProvider::Xnnpack;

/// The options that a user may set.
const KNOWN: &[&str] = &["intra_op_num_threads"];

pub(super) fn options(task: &Task<'_>) -> Result<ProviderOptions, EngineError> {
    task.refuse_half(PROVIDER)?;
    task.refuse_device(PROVIDER, "Leave device-id out")?;
    task.needs_quantised(PROVIDER)?;
    let mut options = ProviderOptions::default();
    options.set("intra_op_num_threads", task.options.effective_threads());
    options.take(PROVIDER, KNOWN, &task.options.provider_options)?;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pairs, task_options};
    use super::*;
    use crate::engine::options::EngineOptions;

    #[test]
    fn it_has_threads_of_its_own() {
        let given = EngineOptions { threads: 2, ..EngineOptions::default() };
        let found = task_options(&given, options).unwrap();
        assert_eq!(found, pairs(&[("intra_op_num_threads", "2")]));
    }
}
