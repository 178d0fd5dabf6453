//! How a model is executed, as properties that every element with a model has.

use std::path::PathBuf;
use std::sync::Arc;

use glib::prelude::*;
use gst::prelude::*;

use super::enums::{ExecutionProvider, Precision, QnnBackend};
use super::property::{get, text};
use crate::engine::{EngineCache, EngineOptions};

/// See [the module](self).
#[derive(Clone, Debug, Default)]
pub struct Execution {
    provider: ExecutionProvider,
    device_id: u32,
    precision: Precision,
    /// `None`: the user's cache; empty: none at all.
    engine_cache: Option<Arc<str>>,
    qnn_backend: QnnBackend,
    provider_options: Option<Arc<str>>,
    allow_fallback: bool,
}

/// Descriptions of the properties.
pub fn properties() -> [glib::ParamSpec; 7] {
    let d = Execution::default();
    [
        glib::ParamSpecEnum::builder_with_default("execution-provider", d.provider)
            .nick("Execution provider")
            .blurb(
                "Who runs the model; one that was asked for by name and is missing, or cannot run \
                 all of the model, is an error",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("device-id")
            .nick("Device")
            .blurb("Which of several devices of the execution provider (CUDA, TensorRT, QNN)")
            .maximum(255)
            .default_value(d.device_id)
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("precision", d.precision)
            .nick("Precision")
            .blurb("The numbers that the model is computed with")
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("engine-cache")
            .nick("Engine cache")
            .blurb(
                "Directory where compiled models are kept, so that only the first start compiles \
                 (TensorRT, QNN, OpenVINO); unset: gst-plugin-gaze in XDG_CACHE_HOME or ~/.cache; \
                 empty: none is kept",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("qnn-backend", d.qnn_backend)
            .nick("QNN backend")
            .blurb("Which part of a Qualcomm chip computes, for execution-provider=qnn")
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("provider-options")
            .nick("Provider options")
            .blurb(
                "Further options of the execution provider, as ONNX Runtime documents them, in the \
                 form of a GstStructure: 'trt_dla_enable=true,trt_dla_core=0', \
                 'htp_performance_mode=burst'; an unknown one is an error",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("allow-fallback")
            .nick("Allow fallback")
            .blurb(
                "Let the CPU run what the execution provider cannot, in place of refusing the \
                 model",
            )
            .default_value(d.allow_fallback)
            .mutable_ready()
            .build(),
    ]
}

impl Execution {
    /// On the CPU, whatever else there is.
    pub fn on_cpu() -> Self {
        Self { provider: ExecutionProvider::Cpu, ..Self::default() }
    }

    /// Who was asked for.
    pub fn provider(&self) -> ExecutionProvider {
        self.provider
    }

    /// Sets one property; `false` where it is not among these.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<bool, String> {
        match name {
            "execution-provider" => self.provider = get(value)?,
            "device-id" => self.device_id = get(value)?,
            "precision" => self.precision = get(value)?,
            "engine-cache" => self.engine_cache = get::<Option<&str>>(value)?.map(Arc::from),
            "qnn-backend" => self.qnn_backend = get(value)?,
            "provider-options" => self.provider_options = text(value),
            "allow-fallback" => self.allow_fallback = get(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The value of one property; `None` where it is not among these.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "execution-provider" => self.provider.to_value(),
            "device-id" => self.device_id.to_value(),
            "precision" => self.precision.to_value(),
            "engine-cache" => self.engine_cache.as_deref().to_value(),
            "qnn-backend" => self.qnn_backend.to_value(),
            "provider-options" => self.provider_options.as_deref().to_value(),
            "allow-fallback" => self.allow_fallback.to_value(),
            _ => return None,
        })
    }

    /// The same for the engine.
    ///
    /// # Errors
    /// What is wrong with `provider-options`.
    pub fn for_engine(&self) -> Result<EngineOptions, String> {
        Ok(EngineOptions {
            provider: self.provider.into(),
            device_id: self.device_id,
            precision: self.precision.into(),
            cache: match self.engine_cache.as_deref() {
                None => EngineCache::User,
                Some("") => EngineCache::Off,
                Some(path) => EngineCache::Directory(PathBuf::from(path)),
            },
            qnn_backend: self.qnn_backend.into(),
            provider_options: self.provider_options.as_deref().map_or(Ok(Vec::new()), pairs)?,
            allow_fallback: self.allow_fallback,
            ..EngineOptions::default()
        })
    }
}

const INTEGERS: [glib::Type; 4] =
    [glib::Type::I32, glib::Type::U32, glib::Type::I64, glib::Type::U64];

/// The fields of a structure whose name may be left out.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let wrong = |what: String| format!("provider-options=\"{text}\" {what}");
    let named = text.split(',').next().is_some_and(|first| !first.contains('='));
    let whole = if named { text.to_owned() } else { format!("options,{text}") };
    let structure: gst::Structure = whole.parse().map_err(|_| {
        wrong(
            "is no structure: write name=value,other=value, and words with blanks in quotes".into(),
        )
    })?;
    let pair = |(name, value): (&glib::GStr, &glib::SendValue)| {
        let value = if let Ok(on) = value.get::<bool>() {
            // Providers take flags as numbers.
            Some(u8::from(on).to_string())
        } else if let Ok(text) = value.get::<Option<String>>() {
            text
        } else if let Ok(number) = value.get::<f64>() {
            // What has more than 32 bits is read as one; without a fraction none is written.
            Some(number.to_string())
        } else if INTEGERS.contains(&value.type_()) {
            value.transform::<String>().ok().and_then(|text| text.get().ok())
        } else {
            None
        };
        let value = value.ok_or_else(|| wrong(format!("has no text or number for '{name}'")))?;
        Ok((name.to_string(), value))
    };
    structure.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_options_are_a_structure_with_or_without_a_name() {
        gst::init().unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = vec![
            pair("trt_fp16_enable", "1"),
            pair("trt_dla_core", "2"),
            pair("trt_engine_cache_prefix", "two words"),
        ];
        for text in [
            "trt_fp16_enable=true,trt_dla_core=2,trt_engine_cache_prefix=\"two words\"",
            "any, trt_fp16_enable=(boolean)true, trt_dla_core=(int)2, \
             trt_engine_cache_prefix=(string)\"two words\";",
        ] {
            assert_eq!(pairs(text).as_ref(), Ok(&expected), "{text}");
        }
        for text in ["gpu_mem_limit=(guint64)17179869184", "gpu_mem_limit=17179869184"] {
            assert_eq!(pairs(text).unwrap(), [pair("gpu_mem_limit", "17179869184")], "{text}");
        }
        for text in ["a=", "=1", "a=1,,b", "a=[1,2]"] {
            let error = pairs(text).unwrap_err();
            assert!(error.contains("provider-options"), "{error}");
        }
    }
}
