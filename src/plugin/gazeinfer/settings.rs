//! The properties of `gazeinfer`: values, ranges, defaults, and what they say to people.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use glib::prelude::*;
use gst::prelude::*;

use super::deepstream::{self, Config, DeepStream};
use crate::core::camera;
use crate::core::geometry::{Rect, Size};
use crate::core::schedule::Policy;
use crate::core::smooth::OneEuro;
use crate::engine::notes::Notes;
use crate::plugin::enums::InferenceRegion;
use crate::plugin::execution::{self, Execution};
use crate::plugin::model::Options;
use crate::plugin::property::{get, in_range, text};

/// When another model takes the place of the one that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeInferEngineReload")]
#[repr(i32)]
pub enum EngineReload {
    /// At the next start.
    #[default]
    #[enum_value(name = "Never: another engine is taken at the next start", nick = "never")]
    Never,
    /// When the property changes.
    #[enum_value(name = "Property: when the property engine is set", nick = "property")]
    Property,
    /// When the property or the file changes.
    #[enum_value(
        name = "File: when the property engine is set, or its file replaced",
        nick = "file"
    )]
    File,
}

/// Everything that a user can set. Copied out of its lock before it is used; strings are shared so
/// that a copy per frame allocates nothing.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub engine: Option<Arc<str>>,
    pub reload: EngineReload,
    pub profile: Option<Arc<str>>,
    /// Calibration file.
    pub camera: Option<Arc<str>>,
    pub execution: Execution,
    pub threads: u32,
    pub batch_size: u32,
    /// Milliseconds.
    batch_timeout: u32,
    /// Which session it shares with others.
    instance: Option<Arc<str>>,
    /// nvinfer's kind of file; what it says is taken over at the start.
    config_file: Option<Arc<str>>,
    /// Names of the properties that somebody set; they overrule the file.
    set_by_hand: BTreeSet<String>,
    pub frame: FrameSettings,
}

/// The part that may change from frame to frame.
#[derive(Clone, Debug)]
pub(super) struct FrameSettings {
    pub inference_region: InferenceRegion,
    /// x, y, width and height as fractions of the frame.
    pub region: [f64; 4],
    pub object_class: Arc<str>,
    /// Negative: as the profile says.
    pub region_margin: f64,
    /// Degrees, horizontally; without a calibration.
    pub field_of_view: f64,
    pub min_object_width: u32,
    pub min_object_height: u32,
    /// 0: no limit.
    pub max_object_width: u32,
    /// 0: no limit.
    pub max_object_height: u32,
    pub deepstream: DeepStream,
    pub policy: Policy,
    pub smoothing: bool,
    pub filter: OneEuro,
    pub qos: bool,
    pub post_messages: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: None,
            reload: EngineReload::Never,
            profile: None,
            camera: None,
            execution: Execution::default(),
            threads: 0,
            batch_size: 8,
            batch_timeout: 0,
            instance: None,
            config_file: None,
            set_by_hand: BTreeSet::new(),
            frame: FrameSettings {
                inference_region: InferenceRegion::Auto,
                region: [0.0, 0.0, 1.0, 1.0],
                object_class: Arc::from("face"),
                region_margin: -1.0,
                field_of_view: camera::DEFAULT_FIELD_OF_VIEW,
                min_object_width: 0,
                min_object_height: 0,
                max_object_width: 0,
                max_object_height: 0,
                deepstream: DeepStream::default(),
                policy: Policy::default(),
                smoothing: false,
                filter: OneEuro::default(),
                qos: true,
                post_messages: false,
            },
        }
    }
}

impl FrameSettings {
    /// The fixed region in pixels of a frame of `size`.
    pub fn fixed_region(&self, size: Size) -> Rect {
        let [x, y, w, h] = self.region;
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        Rect::new((x * width) as f32, (y * height) as f32, (w * width) as f32, (h * height) as f32)
    }

    /// Whether a face is neither too small nor too large to be looked at.
    pub fn has_right_size(&self, rect: &Rect) -> bool {
        let right = |v: f32, min: u32, max: u32| v >= min as f32 && (max == 0 || v <= max as f32);
        right(rect.width, self.min_object_width, self.max_object_width)
            && right(rect.height, self.min_object_height, self.max_object_height)
    }
}

/// Description of every property but `stats`, which is not a setting.
pub(super) static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
    let d = Settings::default();
    let own = vec![
        glib::ParamSpecString::builder("engine")
            .nick("Engine")
            .blurb(
                "Model file of the gaze network: ONNX (.onnx), ONNX Runtime format (.ort), a \
                 TensorRT engine (.engine, .plan) or a QNN context binary (.bin); the latter two \
                 need a profile that names their tensors. Unset: the embedded model. Set while frames \
                 flow, it is taken as engine-reload says",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("engine-reload", d.reload)
            .nick("Engine reload")
            .blurb(
                "When another engine takes the running one's place: it is opened beside it and \
                 swapped in between two frames (message gaze-engine), or refused with a warning",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("profile")
            .nick("Model profile")
            .blurb(
                "What the model expects and returns: a built-in name (mobilegaze, l2cs-net, \
                 gazecapsnet, ...) or a TOML file; unset: MODEL.gaze.toml, then the model's own \
                 metadata, then its inputs and outputs; taken with the next engine",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("threads")
            .nick("Threads")
            .blurb("Threads that one inference may use on the CPU (0 = automatic)")
            .maximum(1024)
            .default_value(d.threads)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("batch-size")
            .nick("Batch size")
            .blurb(
                "Most faces of a frame in one inference, where the model's batch is free; a model \
                 with a fixed batch keeps its own",
            )
            .minimum(1)
            .maximum(1024)
            .default_value(d.batch_size)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("batch-timeout")
            .nick("Batch timeout")
            .blurb(
                "Milliseconds that an inference waits for those of other elements with the same \
                 model, to run with them in one batch of batch-size at most (0 = each by itself)",
            )
            .maximum(1000)
            .default_value(d.batch_timeout)
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("model-instance-id")
            .nick("Model instance ID")
            .blurb(
                "Elements with the same engine and settings share one loaded model; those with \
                 different ids do not, and those with the same id must have the same engine and \
                 settings (unset: shared with those that have no id)",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("inference-region", d.frame.inference_region)
            .nick("Inference region")
            .blurb("Which pixels of a frame are looked at")
            .mutable_playing()
            .build(),
        gst::ParamSpecArray::builder("region")
            .nick("Fixed region")
            .blurb(
                "The face's place for inference-region=fixed: x, y, width, height as fractions of \
                 the frame, e.g. '<0.5, 0.0, 0.5, 1.0>' for the right half (default: all of it)",
            )
            .element_spec(
                &glib::ParamSpecDouble::builder("fraction")
                    .nick("Fraction")
                    .blurb("Fraction of the frame's width or height")
                    .minimum(0.0)
                    .maximum(1.0)
                    .build(),
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("object-class")
            .nick("Object class")
            .blurb("Label of the regions that are faces; other regions are ignored (empty = all)")
            .default_value(Some(&*d.frame.object_class))
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("region-margin")
            .nick("Region margin")
            .blurb(
                "How much wider and higher than the face's box the model's picture is, as a \
                 fraction of the box (0.2 = a tenth on each side; -1 = as the model's profile says)",
            )
            .minimum(-1.0)
            .maximum(4.0)
            .default_value(d.frame.region_margin)
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("camera")
            .nick("Camera calibration")
            .blurb(
                "Calibration file of the camera, for head poses, normalised faces and models that \
                 answer relative to the line of sight: YAML as OpenCV or ROS writes it, or TOML \
                 (camera matrix, distortion coefficients, image size); unset: field-of-view",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecDouble::builder("field-of-view")
            .nick("Field of view")
            .blurb("Degrees that the camera sees horizontally, where no calibration (camera) is set")
            .minimum(camera::FIELD_OF_VIEW_RANGE[0])
            .maximum(camera::FIELD_OF_VIEW_RANGE[1])
            .default_value(d.frame.field_of_view)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("min-object-width")
            .nick("Minimum object width")
            .blurb("Faces narrower than this many pixels are not looked at")
            .maximum(u32::from(u16::MAX))
            .default_value(d.frame.min_object_width)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("min-object-height")
            .nick("Minimum object height")
            .blurb("Faces lower than this many pixels are not looked at")
            .maximum(u32::from(u16::MAX))
            .default_value(d.frame.min_object_height)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("max-object-width")
            .nick("Maximum object width")
            .blurb("Faces wider than this many pixels are not looked at (0 = no limit)")
            .maximum(u32::from(u16::MAX))
            .default_value(d.frame.max_object_width)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("max-object-height")
            .nick("Maximum object height")
            .blurb("Faces higher than this many pixels are not looked at (0 = no limit)")
            .maximum(u32::from(u16::MAX))
            .default_value(d.frame.max_object_height)
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("config-file-path")
            .nick("Configuration file")
            .blurb(
                "Configuration in nvinfer's form ([property] with gie-unique-id, \
                 operate-on-gie-id, ...), read at the start; properties that are set overrule it",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("inference-interval")
            .nick("Inference interval")
            .blurb("Infer on every n-th frame; between them the last result is carried")
            .minimum(1)
            .default_value(d.frame.policy.inference_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("reclassify-interval")
            .nick("Reclassify interval")
            .blurb(
                "Infer a tracked face again after this many frames (1 = on every frame, 0 = once \
                 per track); faces without track-id are not affected",
            )
            .default_value(d.frame.policy.reclassify_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("min-eye-openness")
            .nick("Minimum eye openness")
            .blurb(
                "A face both of whose eyes are less open than this (0 = closed, 1 = open) keeps \
                 its last gaze instead of getting a new one; needs gazeface's eye-state-engine \
                 upstream (0 = all faces are inferred)",
            )
            .minimum(0.0)
            .maximum(1.0)
            .default_value(d.frame.policy.min_eye_openness)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("smoothing")
            .nick("Smoothing")
            .blurb(
                "Smooth the gaze of tracked faces over time with a One Euro filter, which delays \
                 it; faces without track-id are not affected",
            )
            .default_value(d.frame.smoothing)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("smoothing-min-cutoff")
            .nick("Smoothing: minimum cutoff")
            .blurb("Cutoff frequency in Hz for a gaze at rest: lower is smoother and slower")
            .minimum(0.01)
            .maximum(100.0)
            .default_value(d.frame.filter.min_cutoff)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("smoothing-beta")
            .nick("Smoothing: beta")
            .blurb(
                "How much the cutoff rises with the speed of the gaze, Hz per rad/s: higher \
                 follows glances faster",
            )
            .minimum(0.0)
            .maximum(100.0)
            .default_value(d.frame.filter.beta)
            .mutable_playing()
            .build(),
        // The base class has this property and drops late frames. Here a late frame goes on and
        // carries the last result.
        glib::ParamSpecOverride::for_class::<gst_base::BaseTransform>("qos"),
        glib::ParamSpecBoolean::builder("post-messages")
            .nick("Post messages")
            .blurb("Post an element message 'gaze' with the result of each frame")
            .default_value(d.frame.post_messages)
            .mutable_playing()
            .build(),
    ];
    own.into_iter().chain(execution::properties()).chain(deepstream::properties()).collect()
});

impl Settings {
    /// How the model is run.
    pub fn options(&self) -> Options {
        Options {
            execution: self.execution.clone(),
            threads: self.threads,
            batch_size: self.batch_size,
            batch_timeout: Duration::from_millis(u64::from(self.batch_timeout)),
            instance: self.instance.clone(),
            notes: Notes::default(),
        }
    }

    /// Takes over what the configuration file says of properties that nobody set. Returns the keys
    /// that mean nothing here.
    pub fn read_config(&mut self) -> Result<Vec<String>, String> {
        let Some(path) = self.config_file.clone() else { return Ok(Vec::new()) };
        self.take_config(deepstream::read_config(&path)?, &path)
    }

    fn take_config(&mut self, config: Config, path: &str) -> Result<Vec<String>, String> {
        for (name, value) in config.values {
            if !self.set_by_hand.contains(name) {
                let property = PROPERTIES.iter().find(|property| property.name() == name);
                property
                    .map_or(Ok(()), |property| in_range(property, &value))
                    .and_then(|()| self.apply(name, &value))
                    .map_err(|why| format!("'{path}': {why}"))?;
            }
        }
        Ok(config.ignored)
    }

    /// The properties after a configuration file with these contents.
    #[cfg(fuzzing)]
    pub fn configured(bytes: &[u8]) -> Result<Vec<(glib::ParamSpec, glib::Value)>, String> {
        let mut settings = Self::default();
        settings.take_config(deepstream::parse_config(bytes, "config.txt")?, "config.txt")?;
        let values = PROPERTIES.iter().map(|p| (p.clone(), settings.get(p.name())));
        Ok(values.filter_map(|(property, value)| Some((property, value?))).collect())
    }

    /// Sets one property; what cannot be taken is said and leaves the old value.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), String> {
        self.apply(name, value)?;
        self.set_by_hand.insert(name.to_owned());
        Ok(())
    }

    fn apply(&mut self, name: &str, value: &glib::Value) -> Result<(), String> {
        match name {
            "config-file-path" => self.config_file = text(value),
            "max-object-width" => self.frame.max_object_width = get(value)?,
            "max-object-height" => self.frame.max_object_height = get(value)?,
            "engine" => self.engine = text(value),
            "engine-reload" => self.reload = get(value)?,
            "profile" => self.profile = text(value),
            "threads" => self.threads = get(value)?,
            "batch-size" => self.batch_size = get(value)?,
            "batch-timeout" => self.batch_timeout = get(value)?,
            "model-instance-id" => self.instance = text(value),
            "inference-region" => self.frame.inference_region = get(value)?,
            "region" => self.frame.region = fractions(value)?,
            "object-class" => self.frame.object_class = text(value).unwrap_or_default(),
            "camera" => self.camera = text(value),
            "field-of-view" => self.frame.field_of_view = get(value)?,
            "region-margin" => self.frame.region_margin = get(value)?,
            "min-object-width" => self.frame.min_object_width = get(value)?,
            "min-object-height" => self.frame.min_object_height = get(value)?,
            "inference-interval" => self.frame.policy.inference_interval = get(value)?,
            "reclassify-interval" => self.frame.policy.reclassify_interval = get(value)?,
            "min-eye-openness" => self.frame.policy.min_eye_openness = get(value)?,
            "smoothing" => self.frame.smoothing = get(value)?,
            "smoothing-min-cutoff" => self.frame.filter.min_cutoff = get(value)?,
            "smoothing-beta" => self.frame.filter.beta = get(value)?,
            "qos" => self.frame.qos = get(value)?,
            "post-messages" => self.frame.post_messages = get(value)?,
            _ if self.execution.set(name, value)? || self.frame.deepstream.set(name, value)? => {}
            _ => return Err(format!("there is no property '{name}'")),
        }
        Ok(())
    }

    /// The value of one property; `None` for one that is not a setting.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "engine" => self.engine.as_deref().to_value(),
            "engine-reload" => self.reload.to_value(),
            "profile" => self.profile.as_deref().to_value(),
            "threads" => self.threads.to_value(),
            "batch-size" => self.batch_size.to_value(),
            "batch-timeout" => self.batch_timeout.to_value(),
            "model-instance-id" => self.instance.as_deref().to_value(),
            "inference-region" => self.frame.inference_region.to_value(),
            "region" => gst::Array::new(self.frame.region).to_value(),
            "object-class" => (*self.frame.object_class).to_value(),
            "camera" => self.camera.as_deref().to_value(),
            "field-of-view" => self.frame.field_of_view.to_value(),
            "region-margin" => self.frame.region_margin.to_value(),
            "min-object-width" => self.frame.min_object_width.to_value(),
            "min-object-height" => self.frame.min_object_height.to_value(),
            "inference-interval" => self.frame.policy.inference_interval.to_value(),
            "reclassify-interval" => self.frame.policy.reclassify_interval.to_value(),
            "min-eye-openness" => self.frame.policy.min_eye_openness.to_value(),
            "smoothing" => self.frame.smoothing.to_value(),
            "smoothing-min-cutoff" => self.frame.filter.min_cutoff.to_value(),
            "smoothing-beta" => self.frame.filter.beta.to_value(),
            "qos" => self.frame.qos.to_value(),
            "post-messages" => self.frame.post_messages.to_value(),
            "config-file-path" => self.config_file.as_deref().to_value(),
            "max-object-width" => self.frame.max_object_width.to_value(),
            "max-object-height" => self.frame.max_object_height.to_value(),
            _ => return self.execution.get(name).or_else(|| self.frame.deepstream.get(name)),
        })
    }
}

/// Four fractions that lie in the frame.
fn fractions(value: &glib::Value) -> Result<[f64; 4], String> {
    let array = get::<gst::ArrayRef<'_>>(value)?;
    let numbers: Option<Vec<f64>> = array.as_slice().iter().map(|v| v.get().ok()).collect();
    let region = numbers.and_then(|n| <[f64; 4]>::try_from(n).ok());
    let [x, y, w, h] = region.ok_or("region takes four numbers: x, y, width, height")?;
    let inside =
        |start: f64, extent: f64| start >= 0.0 && extent > 0.0 && start + extent <= 1.0 + 1e-9;
    if inside(x, w) && inside(y, h) {
        Ok([x, y, w, h])
    } else {
        Err(format!("region <{x}, {y}, {w}, {h}> does not lie in the frame (0..1)"))
    }
}
