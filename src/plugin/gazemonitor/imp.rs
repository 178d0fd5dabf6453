//! Virtual methods of `gazemonitor`; [`super::stream`] judges the frames.
//!
//! Locks: any thread takes `settings` and `published`, to copy values in or out; the streaming thread
//! and its serialised events take `stream`. The element holds one lock at a time, and none while it
//! posts or pushes.

use std::sync::LazyLock;

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use parking_lot::Mutex;

use super::message;
use super::settings::{FrameSettings, PROPERTIES, Settings};
use super::stream::{DetectionDelays, FrameTime, MonitorStream};
use crate::core::monitor::{Attention, MonitorStats};
use crate::plugin::bus;
use crate::plugin::format;
use crate::plugin::lost_results::LostResults;
use crate::plugin::meta::{attention, gaze};
use crate::plugin::picture::Picture;
use crate::plugin::qos::QosGate;
use crate::plugin::time_warnings::TimeWarnings;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("gazemonitor", gst::DebugColorFlags::empty(), Some("Driver attention"))
});

/// The name of the custom events with the state of the car.
const VEHICLE: &str = "GazeVehicle";

/// What the element does with results, for warnings.
const VERB: &str = "judge";

/// See [`super::GazeMonitor`].
#[derive(Default)]
pub struct GazeMonitor {
    settings: Mutex<Settings>,
    published: Mutex<Published>,
    stream: Mutex<Option<MonitorStream>>,
    qos_gate: QosGate,
    time_warnings: TimeWarnings,
    lost_results: LostResults,
}

/// A long GAP event advances the monitor second by second, so that it reports changes at their time.
/// After this many steps the rest of the gap is one step.
const MAX_GAP_STEPS: u64 = 30;

/// The values of the read-only properties.
#[derive(Default)]
struct Published {
    attention: Attention,
    stats: MonitorStats,
    delays: DetectionDelays,
}

#[glib::object_subclass]
impl ObjectSubclass for GazeMonitor {
    const NAME: &'static str = "GstGazeMonitor";
    type Type = super::GazeMonitor;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for GazeMonitor {
    fn properties() -> &'static [glib::ParamSpec] {
        PROPERTIES.specs()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = PROPERTIES.set(&mut self.settings.lock(), pspec.name(), value);
        if let Err(reason) = result {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{reason}"));
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "attention" => {
                let attention = self.published.lock().attention.clone();
                attention::to_structure("attention", &attention).to_value()
            }
            "stats" => {
                let published = self.published.lock();
                message::stats(&published.stats, &published.delays).to_value()
            }
            name => {
                let value = PROPERTIES.get(&mut self.settings.lock(), name);
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

    fn post_message(&self, message: gst::Message) -> bool {
        bus::log(*CAT, &*self.obj(), &message);
        self.parent_post_message(message)
    }
}

impl BaseTransformImpl for GazeMonitor {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = self.settings.lock().clone();
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
        self.qos_gate.reset();
        let stream = MonitorStream::new(config);
        *self.published.lock() =
            Published { attention: stream.attention(), ..Published::default() };
        *self.stream.lock() = Some(stream);
        self.time_warnings.reset();
        self.lost_results.reset();
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *self.stream.lock() = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _out: &gst::Caps) -> Result<(), gst::LoggableError> {
        gst::debug!(CAT, imp = self, "caps {incaps}");
        // The element takes any caps. Those of video have the framerate, which buffers without time
        // stamps need.
        if let (Ok(info), Some(stream)) =
            (gst_video::VideoInfo::from_caps(incaps), self.stream.lock().as_mut())
        {
            stream.set_info(&info);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::FlushStop(_) => {
                self.update(None, |stream, _| stream.flush());
            }
            gst::EventView::StreamStart(_) => {
                self.qos_gate.forget_liveness();
                self.lost_results.reset();
                self.update(None, |stream, _| stream.restart());
            }
            gst::EventView::Eos(_) => self.lost_results.finish(&*self.obj(), VERB),
            gst::EventView::Gap(gap) => {
                let (start, duration) = gap.get();
                self.gap(start, duration.unwrap_or_default());
            }
            _ => self.vehicle(&event),
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if !self.qos_gate.take_src_event(&*self.obj(), &event, None) {
            return true;
        }
        self.vehicle(&event);
        self.parent_src_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let picture = Picture::of(buffer);
        let frame = if picture == Picture::Absent { None } else { gaze::read(buffer) };
        let faces = frame.as_ref().map(|frame| frame.faces.len());
        self.lost_results.count(&*self.obj(), VERB, buffer, faces);
        let pts = buffer.pts();
        let frame_time = self.frame_time(pts);
        let mut time_fault = None;
        let attention = self
            .update(pts, |stream, settings| {
                match picture {
                    Picture::Repeated => stream.repeat(frame_time, settings),
                    _ => stream.observe(frame_time, frame.as_ref(), settings),
                }
                time_fault = stream.take_time_fault();
            })
            .ok_or(gst::FlowError::Flushing)?;
        if let Some((fault, period)) = time_fault {
            let uses = ("the length of glances and closures", period);
            self.time_warnings.warn(&*self.obj(), fault, uses);
        }
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
    /// Updates the stream by `f`, then publishes and posts the changes. `None` if the element is
    /// stopped.
    fn update(
        &self,
        pts: Option<gst::ClockTime>,
        f: impl FnOnce(&mut MonitorStream, &FrameSettings),
    ) -> Option<Attention> {
        let settings = self.settings.lock().frame;
        let (attention, stats, delays, expired_speed, mut messages) = {
            let mut stream = self.stream.lock();
            let stream = stream.as_mut()?;
            f(stream, &settings);
            let attention = stream.attention();
            let events = stream.events().iter().filter(|_| settings.post_messages);
            let messages: Vec<_> = events
                .map(|event| message::of_event(event, &attention, stream.monitor()))
                .collect();
            let delays = (!stream.events().is_empty()).then(|| stream.delays().clone());
            (attention, stream.stats(), delays, stream.expired_speed(), messages)
        };
        {
            let mut published = self.published.lock();
            (published.attention, published.stats) = (attention.clone(), stats);
            if let Some(delays) = delays {
                published.delays = delays;
            }
        }
        if expired_speed.is_some_and(|event| self.settings.lock().expire_speed(event)) {
            gst::info!(CAT, imp = self, "speed-timeout is over: the speed is unknown now");
            self.obj().notify("speed");
        }
        for structure in &mut messages {
            gst::info!(CAT, imp = self, "{structure}");
            structure.set("pts", pts);
            structure.set("running-time", pts.and_then(|pts| self.running_time(pts)));
        }
        for structure in messages {
            let message = gst::message::Element::builder(structure).src(&*self.obj()).build();
            // Posting fails without a bus, as in a test harness.
            let _ = self.obj().post_message(message);
        }
        Some(attention)
    }

    fn running_time(&self, pts: gst::ClockTime) -> Option<gst::ClockTime> {
        self.obj().segment().downcast_ref::<gst::ClockTime>()?.to_running_time(pts)
    }

    /// The time of a frame.
    fn frame_time(&self, pts: Option<gst::ClockTime>) -> FrameTime {
        FrameTime {
            running_time: pts.and_then(|pts| self.running_time(pts)),
            rate: self.obj().segment().rate(),
        }
    }

    /// Advances the monitor without frames. The gap ends just before `start + duration`, where a buffer
    /// may start; a gap without a duration ends before its start.
    fn gap(&self, start: gst::ClockTime, duration: gst::ClockTime) {
        let last = start.saturating_add(duration).saturating_sub(gst::ClockTime::from_nseconds(1));
        let steps = (0..MAX_GAP_STEPS).map(|i| start.saturating_add(gst::ClockTime::SECOND * i));
        for at in steps.take_while(|at| *at < last).chain([last]) {
            let frame_time = self.frame_time(Some(at));
            // Time outside the segment is not played.
            if frame_time.running_time.is_some() {
                self.update(Some(at), |stream, settings| stream.pass(frame_time, settings));
            }
        }
    }

    /// Takes speed and nominal of a custom event.
    fn vehicle(&self, event: &gst::Event) {
        let Some(structure) = event.structure().filter(|s| s.name() == VEHICLE) else { return };
        gst::debug!(CAT, imp = self, "{structure}");
        let speed = structure.value("speed").ok().and_then(number);
        let nominal = structure.get::<bool>("nominal").ok();
        let speed_changed = {
            let mut settings = self.settings.lock();
            if let Some(nominal) = nominal {
                settings.frame.nominal = nominal;
            }
            speed.is_some_and(|speed| settings.set_speed_by_event(speed))
        };
        if speed_changed {
            self.obj().notify("speed");
        }
        if nominal.is_some() {
            self.obj().notify("nominal");
        }
    }
}

/// The value of a number of any type.
fn number(value: &glib::SendValue) -> Option<f64> {
    value.transform::<f64>().ok()?.get().ok()
}
