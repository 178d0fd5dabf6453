//! What `gazemonitor` keeps from frame to frame. Touched only by the streaming thread and its
//! serialised events.

use std::time::Duration;

use super::settings::FrameSettings;
use super::time::MediaClock;
use crate::core::gaze::FrameGaze;
use crate::core::latency::LatencyHistogram;
use crate::core::monitor::{Attention, Monitor, MonitorConfig, MonitorEvent, MonitorStats};
use crate::plugin::clock::FrameClock;

/// The monitor and its time.
pub(super) struct Stream {
    monitor: Monitor,
    clock: FrameClock,
    media: MediaClock,
    /// The last event that told a speed, and since when.
    heard: (u64, Duration),
    /// The event whose speed was found too old at the last frame.
    stale: Option<u64>,
    /// What changed at the last frame; its memory is reused.
    events: Vec<MonitorEvent>,
    delays: Delays,
}

/// When a frame is, where that is known.
#[derive(Clone, Copy)]
pub(super) struct Stamp {
    pub running_time: Option<gst::ClockTime>,
    pub rate: f64,
}

/// How long it took to see that something changed.
#[derive(Clone, Default)]
pub(super) struct Delays {
    /// From the gaze's leaving the road to the zone's change.
    pub zone: LatencyHistogram,
    /// From a rule's threshold to the alarm's message.
    pub alarm: LatencyHistogram,
}

impl Stream {
    pub fn new(config: MonitorConfig) -> Self {
        Self {
            monitor: Monitor::new(config),
            clock: FrameClock::default(),
            media: MediaClock::default(),
            heard: (0, Duration::ZERO),
            stale: None,
            events: Vec::with_capacity(16),
            delays: Delays::default(),
        }
    }

    /// Takes the framerate of new caps, for buffers without stamps.
    pub fn set_info(&mut self, info: &gst_video::VideoInfo) {
        self.clock.set_info(info);
    }

    /// Judges a frame. `None` is one that nobody looked at.
    pub fn observe(&mut self, stamp: Stamp, frame: Option<&FrameGaze>, settings: &FrameSettings) {
        self.events.clear();
        self.monitor.set_driver(settings.driver_by());
        let time = stamp.running_time.map(|time| self.media.at(time, stamp.rate));
        let at = self.clock.tick(time);
        let mut conditions = settings.conditions();
        self.stale = self.too_old(at, settings);
        if self.stale.is_some() {
            conditions.speed = None;
        }
        self.monitor.observe(at, frame, conditions, &mut self.events);
        self.count();
    }

    /// The event that told the speed, where that was too long ago.
    fn too_old(&mut self, at: Duration, settings: &FrameSettings) -> Option<u64> {
        let event = settings.speed_event?;
        // It came before this frame, or time went back since.
        if event != self.heard.0 || at < self.heard.1 {
            self.heard = (event, at);
        }
        let timeout = settings.speed_timeout.filter(|timeout| at - self.heard.1 > *timeout);
        timeout.map(|_| event)
    }

    /// The event whose speed was too old at the last frame.
    pub fn stale(&self) -> Option<u64> {
        self.stale
    }

    /// What changed at the last frame.
    pub fn events(&self) -> &[MonitorEvent] {
        &self.events
    }

    /// What comes next does not continue what was before (flush, seek).
    pub fn flush(&mut self) {
        self.events.clear();
        self.clock.reset();
        self.media.reset();
        self.stale = None;
        self.monitor.reset(&mut self.events);
    }

    /// Another stream: another camera, perhaps, so forward is learned anew.
    pub fn restart(&mut self) {
        self.events.clear();
        self.clock.reset();
        self.media.reset();
        self.stale = None;
        self.monitor.new_stream(&mut self.events);
    }

    fn count(&mut self) {
        for event in &self.events {
            match event {
                MonitorEvent::Raised(record) => self.delays.alarm.record(record.delay()),
                MonitorEvent::Zone { left_road: true, left_at, at, .. } => {
                    self.delays.zone.record(at.saturating_sub(*left_at));
                }
                _ => {}
            }
        }
    }

    pub fn attention(&self) -> Attention {
        self.monitor.attention()
    }

    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    pub fn delays(&self) -> &Delays {
        &self.delays
    }

    /// Since the element was started.
    pub fn stats(&self) -> MonitorStats {
        self.monitor.stats()
    }
}
