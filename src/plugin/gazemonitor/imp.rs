//! Virtual methods of `gazemonitor`; what is done with a frame is in [`super::stream`].
//!
//! Locks: `settings` and `told` (any thread, held to copy in and out), `stream` (streaming thread
//! and its serialised events). No two are held together, and none while something is posted or
//! pushed.

use std::sync::{LazyLock, Mutex};

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use super::message;
use super::settings::{FrameSettings, MAX_SPEED, PROPERTIES, Settings, UNKNOWN_SPEED};
use super::stream::{Delays, Stream};
use crate::core::monitor::{Attention, MonitorStats};
use crate::plugin::meta::{attention, gaze};
use crate::plugin::{format, lock};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("gazemonitor", gst::DebugColorFlags::empty(), Some("Driver attention"))
});

/// Name of the custom events that tell of the car.
const VEHICLE: &str = "GazeVehicle";

/// See [`super::GazeMonitor`].
#[derive(Default)]
pub struct GazeMonitor {
    settings: Mutex<Settings>,
    told: Mutex<Told>,
    stream: Mutex<Option<Stream>>,
}

/// What properties tell of the stream.
struct Told {
    attention: Attention,
    stats: gst::Structure,
}

impl Default for Told {
    fn default() -> Self {
        let stats = message::stats(&MonitorStats::default(), &Delays::default());
        Self { attention: Attention::default(), stats }
    }
}

impl Told {
    fn of(stream: &Stream) -> Self {
        let stats = message::stats(&stream.stats(), stream.delays());
        Self { attention: stream.attention(), stats }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for GazeMonitor {
    const NAME: &'static str = "GstGazeMonitor";
    type Type = super::GazeMonitor;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for GazeMonitor {
    fn properties() -> &'static [glib::ParamSpec] {
        static ALL: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let read_only = |name: &'static str, nick: &'static str, blurb: &'static str| {
                glib::ParamSpecBoxed::builder::<gst::Structure>(name)
                    .nick(nick)
                    .blurb(blurb)
                    .read_only()
                    .build()
            };
            let told = [
                read_only(
                    "attention",
                    "Attention",
                    "The driver's attention at the last frame: the fields of AttentionMeta",
                ),
                read_only(
                    "stats",
                    "Statistics",
                    "Since the element was started: frames judged, unusable (without a usable \
                     gaze), ignored (stamps that went back), restarts (gaps), alarms (uint64); \
                     zone-delay-p95 and -max from the gaze's leaving the road to the zone's \
                     change, alarm-delay-p95 and -max from a rule's threshold to its message \
                     (uint64, ns)",
                ),
            ];
            PROPERTIES.iter().cloned().chain(told).collect()
        });
        &ALL
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = lock(&self.settings).set(pspec.name(), value);
        if let Err(reason) = result {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{reason}"));
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "attention" => {
                let attention = lock(&self.told).attention.clone();
                attention::to_structure("attention", &attention).to_value()
            }
            "stats" => {
                let stats = lock(&self.told).stats.clone();
                stats.to_value()
            }
            name => {
                let value = lock(&self.settings).get(name);
                value.unwrap_or_else(|| pspec.default_value().clone())
            }
        }
    }
}

impl GstObjectImpl for GazeMonitor {}

impl ElementImpl for GazeMonitor {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Driver attention monitor",
                "Filter/Analyzer/Video",
                "Judges from gaze whether the driver pays attention, by the rules of Euro NCAP, \
                 (EU) 2023/2590 or UN R171",
                "The gst-plugin-gaze authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| format::pad_templates(&gst::Caps::new_any()));
        &TEMPLATES
    }
}

impl BaseTransformImpl for GazeMonitor {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let config = settings
            .open()
            .map_err(|why| gst::error_msg!(gst::ResourceError::Settings, ("{why}")))?;
        gst::info!(
            CAT,
            imp = self,
            "rules {} ({}), zones {}",
            config.rules.name,
            config.rules.version,
            config.zones.name
        );
        let stream = Stream::new(config);
        *lock(&self.told) = Told::of(&stream);
        *lock(&self.stream) = Some(stream);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.stream) = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _out: &gst::Caps) -> Result<(), gst::LoggableError> {
        gst::debug!(CAT, imp = self, "caps {incaps}");
        // Any caps will do; those of video tell the framerate, for buffers without stamps.
        if let (Ok(info), Some(stream)) =
            (gst_video::VideoInfo::from_caps(incaps), lock(&self.stream).as_mut())
        {
            stream.set_info(&info);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::FlushStop(_) => {
                self.step(None, |stream, _| stream.flush());
            }
            gst::EventView::StreamStart(_) => {
                self.step(None, |stream, _| stream.restart());
            }
            gst::EventView::Gap(gap) => {
                // Time goes on without frames.
                let (start, duration) = gap.get();
                let end = start + duration.unwrap_or(gst::ClockTime::ZERO);
                if let Some(time) = self.media_time(end) {
                    self.step(Some(end), |stream, s| stream.observe(Some(time), None, s));
                }
            }
            _ => self.vehicle(&event),
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        self.vehicle(&event);
        self.parent_src_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let frame = match buffer.flags().contains(gst::BufferFlags::GAP) {
            // Neutral content: there is nobody in it.
            true => None,
            false => gaze::read(buffer),
        };
        let pts = buffer.pts();
        let time = pts.and_then(|pts| self.media_time(pts));
        let attention = self
            .step(pts, |stream, settings| stream.observe(time, frame.as_ref(), settings))
            .ok_or(gst::FlowError::Flushing)?;
        if let Err(error) = attention::add(buffer, &attention) {
            gst::element_imp_error!(self, gst::LibraryError::Failed, ("{error}"));
            return Err(gst::FlowError::Error);
        }
        if let Some(frame) = &frame {
            attention::set_source(buffer, frame.source_id);
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl GazeMonitor {
    /// Does something to the stream, and tells what changed by it. `None` where nothing runs.
    fn step(
        &self,
        pts: Option<gst::ClockTime>,
        f: impl FnOnce(&mut Stream, &FrameSettings),
    ) -> Option<Attention> {
        let settings = lock(&self.settings).frame;
        let (told, mut messages) = {
            let mut stream = lock(&self.stream);
            let stream = stream.as_mut()?;
            f(stream, &settings);
            let told = Told::of(stream);
            let events = stream.events().iter().filter(|_| settings.post_messages);
            let messages: Vec<_> = events
                .map(|event| message::of_event(event, &told.attention, stream.monitor()))
                .collect();
            (told, messages)
        };
        let attention = told.attention.clone();
        *lock(&self.told) = told;
        for structure in &mut messages {
            gst::info!(CAT, imp = self, "{structure}");
            structure.set("pts", pts);
            structure.set("running-time", pts.and_then(|pts| self.running_time(pts)));
        }
        for structure in messages {
            let message = gst::message::Element::builder(structure).src(&*self.obj()).build();
            // An element without a bus (a harness) has nobody to tell.
            let _ = self.obj().post_message(message);
        }
        Some(attention)
    }

    fn running_time(&self, pts: gst::ClockTime) -> Option<gst::ClockTime> {
        self.obj().segment().downcast_ref::<gst::ClockTime>()?.to_running_time(pts)
    }

    /// The monitor's time: running time, which goes on over segments, at the speed of the media. A
    /// glance is as long at twice the speed as it was in the car.
    fn media_time(&self, pts: gst::ClockTime) -> Option<gst::ClockTime> {
        let running_time = self.running_time(pts)?;
        let rate = self.obj().segment().rate().abs();
        if rate == 1.0 {
            return Some(running_time);
        }
        Some(gst::ClockTime::from_nseconds((running_time.nseconds() as f64 * rate) as u64))
    }

    /// Takes what a custom event tells of the car.
    fn vehicle(&self, event: &gst::Event) {
        let Some(structure) = event.structure().filter(|s| s.name() == VEHICLE) else { return };
        gst::debug!(CAT, imp = self, "{structure}");
        let mut settings = lock(&self.settings);
        if let Ok(speed) = structure.get::<f64>("speed")
            && speed.is_finite()
        {
            settings.frame.speed = if speed < 0.0 { UNKNOWN_SPEED } else { speed.min(MAX_SPEED) };
        }
        if let Ok(nominal) = structure.get::<bool>("nominal") {
            settings.frame.nominal = nominal;
        }
    }
}
