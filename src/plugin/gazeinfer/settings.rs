//! The properties of `gazeinfer`: values and defaults.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::deepstream_properties::DeepStream;
use super::nvinfer_config::{self, NvinferConfig};
use super::properties::PROPERTIES;
use crate::core::gaze::reuse::ReusePolicy;
use crate::core::gaze::smooth::OneEuro;
use crate::core::geometry::{Rect, Size, camera};
use crate::plugin::enums::InferenceRegion;
use crate::plugin::execution::Execution;
use crate::plugin::model::Options;

/// When a new engine replaces the running one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeInferEngineReload")]
#[repr(i32)]
pub enum EngineReload {
    /// At the next start.
    #[default]
    #[enum_value(name = "Never: a new engine takes effect at the next start", nick = "never")]
    Never,
    /// When the property changes.
    #[enum_value(name = "Property: when the property engine is set", nick = "property")]
    Property,
    /// When the property or the file changes.
    #[enum_value(
        name = "File: when the property engine is set, or its file is replaced",
        nick = "file"
    )]
    File,
}

/// Everything that a user can set. The element copies it out of its lock; shared strings keep the
/// copy per frame from allocating.
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
    /// Whether the property or the configuration file set it.
    pub batch_size_is_set: bool,
    /// Milliseconds.
    pub batch_timeout: u32,
    /// Whether the answer to LATENCY queries includes the measured time.
    pub latency_report: bool,
    /// Elements with the same ID share one session.
    pub instance: Option<Arc<str>>,
    /// A file in nvinfer's form, read at the start.
    pub config_file: Option<Arc<str>>,
    /// Names of the properties that were set; they override the file.
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
    pub policy: ReusePolicy,
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
            batch_size_is_set: false,
            batch_timeout: 0,
            latency_report: true,
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
                policy: ReusePolicy::default(),
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

    /// Returns whether the limits of an object's size admit the face.
    pub fn has_right_size(&self, rect: &Rect) -> bool {
        let right = |v: f32, min: u32, max: u32| v >= min as f32 && (max == 0 || v <= max as f32);
        right(rect.width, self.min_object_width, self.max_object_width)
            && right(rect.height, self.min_object_height, self.max_object_height)
    }
}

impl Settings {
    /// How to run the model.
    pub fn options(&self) -> Options {
        Options {
            batch_size: self.batch_size,
            // The default is a limit for other models; most compiled engines take one face.
            engine_batch: if self.batch_size_is_set { self.batch_size } else { 1 },
            batch_timeout: Duration::from_millis(u64::from(self.batch_timeout)),
            instance: self.instance.clone(),
            ..Options::new(self.execution.clone(), self.threads)
        }
    }

    /// Returns how long a frame may wait for those of other streams.
    pub fn longest_wait(&self) -> gst::ClockTime {
        let batches = self.batch_size > 1;
        gst::ClockTime::from_mseconds(if batches { self.batch_timeout.into() } else { 0 })
    }

    /// Reads the configuration file, if there is one.
    pub fn read_config(&self) -> Result<NvinferConfig, String> {
        match self.config_file.as_deref() {
            Some(path) => nvinfer_config::read(path, self.set_by_hand.contains("engine")),
            None => Ok(NvinferConfig::default()),
        }
    }

    /// Sets the properties of the configuration file that were not set otherwise. Returns the keys that
    /// gazeinfer ignores.
    pub fn apply_config(&mut self, config: NvinferConfig) -> Result<Vec<String>, String> {
        let path = self.config_file.as_deref().unwrap_or_default().to_owned();
        for (name, value) in config.values {
            if !self.set_by_hand.contains(name) {
                PROPERTIES.set(self, name, &value).map_err(|why| format!("'{path}': {why}"))?;
            }
        }
        Ok(config.ignored)
    }

    /// Returns the properties after a configuration file of this name and with these contents.
    #[cfg(fuzzing)]
    pub fn configured(
        bytes: &[u8],
        path: &str,
    ) -> Result<Vec<(glib::ParamSpec, glib::Value)>, String> {
        let mut settings = Self::default();
        settings.apply_config(nvinfer_config::parse(bytes, path, false)?)?;
        let value =
            |p: &glib::ParamSpec| Some((p.clone(), PROPERTIES.get(&mut settings, p.name())?));
        Ok(PROPERTIES.specs().iter().filter_map(value).collect())
    }

    /// Sets one property. A value that is refused leaves the old one.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), String> {
        PROPERTIES.set(self, name, value)?;
        self.set_by_hand.insert(name.to_owned());
        Ok(())
    }
}
