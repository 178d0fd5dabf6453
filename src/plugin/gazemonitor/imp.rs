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
use super::settings::{FrameSettings, PROPERTIES, Settings};
use super::stream::{Delays, Stamp, Stream};
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

/// A GAP event that is long is looked at once a second, so that what it brings is told at its time,
/// but not more often than this: the rest of it is one jump.
const GAP_STEPS: u64 = 30;

/// What properties tell of the stream.
#[derive(Default)]
struct Told {
    attention: Attention,
    stats: MonitorStats,
    delays: Delays,
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
                let told = lock(&self.told);
                message::stats(&told.stats, &told.delays).to_value()
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
        *lock(&self.told) = Told { attention: stream.attention(), ..Told::default() };
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
                let (start, duration) = gap.get();
                self.gap(start, duration.unwrap_or_default());
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
        let stamp = self.stamp(pts);
        let attention = self
            .step(pts, |stream, settings| stream.observe(stamp, frame.as_ref(), settings))
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
        let (attention, stats, delays, stale, mut messages) = {
            let mut stream = lock(&self.stream);
            let stream = stream.as_mut()?;
            f(stream, &settings);
            let attention = stream.attention();
            let events = stream.events().iter().filter(|_| settings.post_messages);
            let messages: Vec<_> = events
                .map(|event| message::of_event(event, &attention, stream.monitor()))
                .collect();
            let delays = (!stream.events().is_empty()).then(|| stream.delays().clone());
            (attention, stream.stats(), delays, stream.stale(), messages)
        };
        {
            let mut told = lock(&self.told);
            (told.attention, told.stats) = (attention.clone(), stats);
            if let Some(delays) = delays {
                told.delays = delays;
            }
        }
        if stale.is_some_and(|event| lock(&self.settings).forget_speed(event)) {
            gst::info!(CAT, imp = self, "The speed was told too long ago: unknown now");
            self.obj().notify("speed");
        }
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

    /// When a frame is.
    fn stamp(&self, pts: Option<gst::ClockTime>) -> Stamp {
        Stamp {
            running_time: pts.and_then(|pts| self.running_time(pts)),
            rate: self.obj().segment().rate(),
        }
    }

    /// Lets time pass without frames. It ends just before `start + duration`, where a buffer may
    /// begin; a gap that does not say how long it is ends before its start.
    fn gap(&self, start: gst::ClockTime, duration: gst::ClockTime) {
        let last = start.saturating_add(duration).saturating_sub(gst::ClockTime::from_nseconds(1));
        let steps = (0..GAP_STEPS).map(|i| start.saturating_add(gst::ClockTime::SECOND * i));
        for at in steps.take_while(|at| *at < last).chain([last]) {
            let stamp = self.stamp(Some(at));
            // What lies outside the segment is not played.
            if stamp.running_time.is_some() {
                self.step(Some(at), |stream, s| stream.observe(stamp, None, s));
            }
        }
    }

    /// Takes what a custom event tells of the car.
    fn vehicle(&self, event: &gst::Event) {
        let Some(structure) = event.structure().filter(|s| s.name() == VEHICLE) else { return };
        gst::debug!(CAT, imp = self, "{structure}");
        let speed = structure.value("speed").ok().and_then(number);
        let nominal = structure.get::<bool>("nominal").ok();
        let heard = {
            let mut settings = lock(&self.settings);
            if let Some(nominal) = nominal {
                settings.frame.nominal = nominal;
            }
            speed.is_some_and(|speed| settings.hear_speed(speed))
        };
        if heard {
            self.obj().notify("speed");
        }
        if nominal.is_some() {
            self.obj().notify("nominal");
        }
    }
}

/// A number of any type.
fn number(value: &glib::SendValue) -> Option<f64> {
    value.transform::<f64>().ok()?.get().ok()
}
