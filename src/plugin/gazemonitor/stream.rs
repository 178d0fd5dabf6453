//! What `gazemonitor` keeps from frame to frame. Touched only by the streaming thread and its
//! serialised events.

use super::settings::FrameSettings;
use crate::core::estimator::FrameGaze;
use crate::core::latency::LatencyHistogram;
use crate::core::monitor::{Attention, Event, Monitor, MonitorConfig, MonitorStats};
use crate::plugin::clock::FrameClock;

/// The monitor and its time.
pub(super) struct Stream {
    monitor: Monitor,
    clock: FrameClock,
    /// What changed at the last frame; its memory is reused.
    events: Vec<Event>,
    delays: Delays,
    /// Counts of the streams before this one.
    before: MonitorStats,
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
            events: Vec::with_capacity(16),
            delays: Delays::default(),
            before: MonitorStats::default(),
        }
    }

    /// Takes the framerate of new caps, for buffers without stamps.
    pub fn set_info(&mut self, info: &gst_video::VideoInfo) {
        self.clock.set_info(info);
    }

    /// Judges a frame whose time in the stream is known or not. `None` is a frame that nobody looked
    /// at.
    pub fn observe(
        &mut self,
        time: Option<gst::ClockTime>,
        frame: Option<&FrameGaze>,
        settings: &FrameSettings,
    ) {
        self.events.clear();
        self.monitor.set_driver(settings.driver_by());
        let at = self.clock.tick(time);
        self.monitor.observe(at, frame, settings.conditions(), &mut self.events);
        self.count();
    }

    /// What changed at the last frame.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What comes next does not continue what was before (flush, seek).
    pub fn flush(&mut self) {
        self.events.clear();
        self.clock.reset();
        self.monitor.reset(&mut self.events);
    }

    /// Another stream: another camera, perhaps, so forward is learned anew.
    pub fn restart(&mut self) {
        self.flush();
        self.before = self.stats();
        self.monitor = Monitor::new(self.monitor.config().clone());
    }

    fn count(&mut self) {
        for event in &self.events {
            match event {
                Event::Raised(record) => self.delays.alarm.record(record.delay()),
                Event::Zone { left_road: true, left_at, at, .. } => {
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
        let (a, b) = (self.before, self.monitor.stats());
        MonitorStats {
            frames: a.frames + b.frames,
            ignored: a.ignored + b.ignored,
            restarts: a.restarts + b.restarts,
            unusable: a.unusable + b.unusable,
            alarms: a.alarms + b.alarms,
        }
    }
}
