//! Options of providers, and how settings become options.

use super::kind::{ExecutionProvider, Precision};
use crate::core::inference::EngineError;
use crate::engine::options::EngineOptions;

/// The values of an option, for providers that ignore what they do not understand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number up to this one.
    UpTo(u32),
    /// On or off.
    Flag,
}

impl Values {
    /// The value as the provider takes it.
    ///
    /// # Errors
    /// The values that it may have.
    fn check(self, value: &str) -> Result<&str, String> {
        match self {
            Self::OneOf(words) if words.contains(&value) => Ok(value),
            Self::OneOf(words) => Err(format!("one of {}", words.join(", "))),
            Self::UpTo(most) => match value.parse::<u32>() {
                Ok(number) if number <= most => Ok(value),
                _ => Err(format!("a whole number, 0 to {most}")),
            },
            Self::Flag => match value.to_ascii_lowercase().as_str() {
                "1" | "true" => Ok("1"),
                "0" | "false" => Ok("0"),
                _ => Err("0 or 1".to_owned()),
            },
        }
    }
}

/// Options of one provider, as it names them. A later value replaces an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct ProviderOptions(Vec<(String, String)>);

impl ProviderOptions {
    pub(super) fn set(&mut self, name: &str, value: impl ToString) {
        self.remove(name);
        self.0.push((name.to_owned(), value.to_string()));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }

    pub(super) fn flag(&mut self, name: &str, on: bool) {
        self.set(name, u8::from(on));
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(is_on)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(in crate::engine) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Checks the values of the options that `rules` names, and writes flags as numbers.
    ///
    /// # Errors
    /// [`EngineError::Provider`] with the possible values.
    pub(super) fn check_values(
        &mut self,
        provider: ExecutionProvider,
        rules: &[(&str, Values)],
    ) -> Result<(), EngineError> {
        for (name, value) in &mut self.0 {
            let Some((_, rule)) = rules.iter().find(|(of, _)| of == name) else { continue };
            match rule.check(value) {
                Ok(taken) => *value = taken.to_owned(),
                Err(wanted) => {
                    let reason = format!("its option {name}={value} has no such value");
                    return Err(refuse(provider, reason, &format!("Give {wanted}")));
                }
            }
        }
        Ok(())
    }

    /// Puts the user's options over those that follow from settings.
    ///
    /// # Errors
    /// [`EngineError::Provider`] for one that the provider does not know. Some providers silently ignore
    /// unknown options (QNN, XNNPACK), so that a misspelt option would be lost.
    pub(super) fn take(
        &mut self,
        provider: ExecutionProvider,
        known: &[&str],
        given: &[(String, String)],
    ) -> Result<(), EngineError> {
        for (name, value) in given {
            if !known.contains(&name.as_str()) {
                return Err(unknown(provider, name, known));
            }
            if value.contains('\0') {
                let reason = format!("the value of its option '{name}' has a zero byte");
                return Err(refuse(provider, reason, "Take it out"));
            }
            self.set(name, value);
        }
        Ok(())
    }
}

fn unknown(provider: ExecutionProvider, name: &str, known: &[&str]) -> EngineError {
    let remedy = if known.is_empty() {
        "Leave provider-options empty".to_owned()
    } else {
        format!("It knows: {}", known.join(", "))
    };
    refuse(provider, format!("it has no option '{name}'"), &remedy)
}

/// Whether the value of a flag is one that turns it on.
pub(super) fn is_on(value: &str) -> bool {
    matches!(value, "1" | "true" | "True")
}

/// The error of a provider that cannot follow a setting.
pub(super) fn refuse(
    provider: ExecutionProvider,
    reason: impl Into<String>,
    remedy: &str,
) -> EngineError {
    EngineError::Provider {
        provider: provider.nick().to_owned(),
        reason: reason.into(),
        remedy: remedy.to_owned(),
    }
}

/// A model that is to be opened on a provider.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Task<'a> {
    pub(in crate::engine) options: &'a EngineOptions,
    /// Names of the inputs with their shapes, the batch first, at its largest.
    pub(in crate::engine) inputs: &'a [(String, Vec<usize>)],
    /// Whether the model leaves its batch open.
    pub(in crate::engine) free_batch: bool,
    /// Whether the model is quantised (QDQ).
    pub(in crate::engine) quantised: bool,
    /// Whether it is compiled already.
    pub(in crate::engine) compiled: bool,
    /// The folder for the compiled models of a provider that writes them itself.
    pub(in crate::engine) folder: Option<&'a std::path::Path>,
}

impl Task<'_> {
    /// Refuses 8-bit integers for a model that is not quantised.
    pub(super) fn needs_quantised(&self, provider: ExecutionProvider) -> Result<(), EngineError> {
        if self.options.precision == Precision::Int8 && !self.quantised && !self.compiled {
            return Err(refuse(
                provider,
                "precision=int8 needs a quantised model, and this one has no QuantizeLinear and \
                 DequantizeLinear nodes",
                "Quantise it (onnxruntime.quantization, format QDQ), or use precision=auto",
            ));
        }
        Ok(())
    }

    /// Refuses fp16 for a provider that computes in the precision of the model.
    pub(super) fn refuse_half(&self, provider: ExecutionProvider) -> Result<(), EngineError> {
        if self.options.precision == Precision::Fp16 {
            return Err(refuse(
                provider,
                "it computes in the precision of the model and cannot lower it to fp16",
                "Convert the model to FP16, or use precision=auto",
            ));
        }
        Ok(())
    }

    /// Refuses a device number for a provider that takes none.
    pub(super) fn refuse_device(
        &self,
        provider: ExecutionProvider,
        remedy: &str,
    ) -> Result<(), EngineError> {
        if self.options.device_id != 0 {
            let reason = format!("it takes no device-id, and {} was given", self.options.device_id);
            return Err(refuse(provider, reason, remedy));
        }
        Ok(())
    }
}
