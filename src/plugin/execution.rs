//! The properties of every element with a model that say how ONNX Runtime executes it.

use std::path::PathBuf;
use std::sync::Arc;

use glib::prelude::*;

use super::enums::{ExecutionProvider, Precision, QnnBackend};
use super::property::{self, Property};
use crate::engine::{EngineCache, EngineOptions};

type P = Property<Execution>;

/// How a model is executed.
#[derive(Clone, Debug, Default)]
pub struct Execution {
    provider: ExecutionProvider,
    device_id: u32,
    precision: Precision,
    /// `None`: the cache in the user's home; empty: no cache.
    engine_cache: Option<Arc<str>>,
    qnn_backend: QnnBackend,
    provider_options: Option<Arc<str>>,
    allow_fallback: bool,
}

/// The properties, as a part of an element's table.
pub fn properties() -> Vec<P> {
    vec![
        P::choice("execution-provider", |s| &mut s.provider)
            .nick("Execution provider")
            .blurb(
                "Execution provider of ONNX Runtime that runs the model. The element refuses to \
                 start where the named provider is missing or cannot run the whole model, unless \
                 allow-fallback is set",
            )
            .mutable_ready(),
        P::number("device-id", 0..=255, |s| &mut s.device_id)
            .nick("Device")
            .blurb("Number of the execution provider's device (CUDA, TensorRT, QNN)")
            .mutable_ready(),
        P::choice("precision", |s| &mut s.precision)
            .nick("Precision")
            .blurb("Number format that the execution provider computes in")
            .mutable_ready(),
        P::string(
            "engine-cache",
            |s| s.engine_cache.as_deref().to_value(),
            |s, path| {
                s.engine_cache = path.map(Arc::from);
                Ok(())
            },
        )
        .nick("Engine cache")
        .blurb(
            "Directory that keeps compiled models, so that only the first start compiles (TensorRT, \
             QNN, OpenVINO). Unset: gst-plugin-gaze in XDG_CACHE_HOME or ~/.cache; empty: no cache",
        )
        .mutable_ready(),
        P::choice("qnn-backend", |s| &mut s.qnn_backend)
            .nick("QNN backend")
            .blurb("Part of a Qualcomm chip that runs the model, for execution-provider=qnn")
            .mutable_ready(),
        P::text("provider-options", |s| &mut s.provider_options)
            .nick("Provider options")
            .blurb(
                "Further options of the execution provider, named as in ONNX Runtime, in the form \
                 of a GstStructure: 'trt_dla_enable=true,trt_dla_core=0', \
                 'htp_performance_mode=burst'. The element refuses an unknown option",
            )
            .mutable_ready(),
        P::flag("allow-fallback", |s| &mut s.allow_fallback)
            .nick("Allow fallback")
            .blurb("Let the CPU run the parts of the model that the execution provider cannot run")
            .mutable_ready(),
    ]
}

impl Execution {
    /// On the CPU.
    pub fn on_cpu() -> Self {
        Self { provider: ExecutionProvider::Cpu, ..Self::default() }
    }

    /// The provider that the user named.
    pub fn provider(&self) -> ExecutionProvider {
        self.provider
    }

    /// The options for the engine.
    ///
    /// # Errors
    /// A text that says what is wrong with `provider-options`.
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

/// The fields of a GstStructure; its name may be missing.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let wrong = |what: String| format!("provider-options=\"{text}\" {what}");
    let named = text.split(',').next().is_some_and(|first| !first.contains('='));
    let whole = if named { text.to_owned() } else { format!("options,{text}") };
    let structure: gst::Structure = whole.parse().map_err(|_| {
        wrong(
            "is not a GstStructure: write name=value,other=value, and quote values with blanks"
                .into(),
        )
    })?;
    let pair = |(name, value): (&glib::GStr, &glib::SendValue)| {
        let value = if let Ok(on) = value.get::<bool>() {
            // Providers take flags as numbers.
            Some(u8::from(on).to_string())
        } else if value.is_type(glib::Type::STRING) {
            property::text(value).map_err(|why| wrong(format!("gives {name}{why}")))?
        } else if let Ok(number) = value.get::<f64>() {
            // GStreamer reads an integer of more than 32 bits as a double.
            Some(number.to_string())
        } else if INTEGERS.contains(&value.type_()) {
            value.transform::<String>().ok().and_then(|text| text.get().ok())
        } else {
            None
        };
        let value =
            value.ok_or_else(|| wrong(format!("gives '{name}' neither a text nor a number")))?;
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
