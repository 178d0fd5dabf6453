//! The state of `gazemonitor` from frame to frame. Only the streaming thread and its serialised
//! events use it.

use std::time::Duration;

use super::media_clock::MediaClock;
use super::settings::FrameSettings;
use crate::core::gaze::FrameGaze;
use crate::core::latency::LatencyHistogram;
use crate::core::monitor::{
    Attention, Conditions, Monitor, MonitorConfig, MonitorEvent, MonitorStats,
};
use crate::plugin::clock::{FrameClock, TimeFault};

/// The monitor with its clocks.
pub(super) struct MonitorStream {
    monitor: Monitor,
    frame_clock: FrameClock,
    media_clock: MediaClock,
    /// Number and time of the last event with a speed.
    speed_heard: (u64, Duration),
    /// The event whose speed expired at the last frame.
    expired_speed: Option<u64>,
    /// The changes at the last frame; the memory is reused.
    events: Vec<MonitorEvent>,
    delays: DetectionDelays,
}

/// The time of a frame.
#[derive(Clone, Copy)]
pub(super) struct FrameTime {
    pub running_time: Option<gst::ClockTime>,
    pub rate: f64,
}

/// Histograms of how long the monitor took to detect a change.
#[derive(Clone, Default)]
pub(super) struct DetectionDelays {
    /// From the moment the gaze left the road to the change of zone.
    pub zone: LatencyHistogram,
    /// From the threshold of a rule to the message of its alarm.
    pub alarm: LatencyHistogram,
}

impl MonitorStream {
    pub fn new(config: MonitorConfig) -> Self {
        Self {
            monitor: Monitor::new(config),
            frame_clock: FrameClock::default(),
            media_clock: MediaClock::default(),
            speed_heard: (0, Duration::ZERO),
            expired_speed: None,
            events: Vec::with_capacity(16),
            delays: DetectionDelays::default(),
        }
    }

    /// Takes the framerate of new caps, which buffers without time stamps need.
    pub fn set_info(&mut self, info: &gst_video::VideoInfo) {
        self.frame_clock.set_info(info);
    }

    /// Judges a frame; `None` stands for one without `GazeMeta`.
    pub fn observe(
        &mut self,
        time: FrameTime,
        frame: Option<&FrameGaze>,
        settings: &FrameSettings,
    ) {
        let at = self.tick(time);
        let conditions = self.begin(at, settings);
        self.monitor.observe(at, frame, conditions, &mut self.events);
        self.record_delays();
    }

    /// Judges a frame that shows the picture of the last one again.
    pub fn repeat(&mut self, time: FrameTime, settings: &FrameSettings) {
        let at = self.tick(time);
        let conditions = self.begin(at, settings);
        self.monitor.repeat(at, conditions, &mut self.events);
        self.record_delays();
    }

    /// Lets time pass without frames, up to this time; a time that is over already changes nothing.
    pub fn pass(&mut self, time: FrameTime, settings: &FrameSettings) {
        self.events.clear();
        let media_time = time.running_time.map(|running| self.media_clock.at(running, time.rate));
        let Some(at) = media_time.and_then(|media_time| self.frame_clock.pass(media_time)) else {
            return;
        };
        let conditions = self.begin(at, settings);
        self.monitor.observe(at, None, conditions, &mut self.events);
        self.record_delays();
    }

    /// Returns once what was wrong with the time of the last frame, and how long a frame counts then.
    pub fn take_time_fault(&mut self) -> Option<(TimeFault, Duration)> {
        Some((self.frame_clock.take_fault()?, self.frame_clock.period()))
    }

    fn tick(&mut self, time: FrameTime) -> Duration {
        let media_time = time.running_time.map(|running| self.media_clock.at(running, time.rate));
        self.frame_clock.tick(media_time)
    }

    /// Begins the frame of this time, and returns its conditions.
    fn begin(&mut self, at: Duration, settings: &FrameSettings) -> Conditions {
        self.events.clear();
        self.monitor.set_driver(settings.driver_by());
        let mut conditions = settings.conditions();
        self.expired_speed = self.expire_speed(at, settings);
        if self.expired_speed.is_some() {
            conditions.speed = None;
        }
        conditions
    }

    /// Returns the event that set the speed if its time is over.
    fn expire_speed(&mut self, at: Duration, settings: &FrameSettings) -> Option<u64> {
        let event = settings.speed_event?;
        // The event is new, or time went back.
        if event != self.speed_heard.0 || at < self.speed_heard.1 {
            self.speed_heard = (event, at);
        }
        let timeout = settings.speed_timeout().filter(|timeout| at - self.speed_heard.1 > *timeout);
        timeout.map(|_| event)
    }

    /// The event whose speed was too old at the last frame.
    pub fn expired_speed(&self) -> Option<u64> {
        self.expired_speed
    }

    /// The changes at the last frame.
    pub fn events(&self) -> &[MonitorEvent] {
        &self.events
    }

    /// Forgets the past after a flush or a seek.
    pub fn flush(&mut self) {
        self.events.clear();
        self.frame_clock.reset();
        self.media_clock.reset();
        self.expired_speed = None;
        self.monitor.reset(&mut self.events);
    }

    /// Starts a new stream, perhaps of another camera: the monitor learns forward again.
    pub fn restart(&mut self) {
        self.events.clear();
        self.frame_clock.reset();
        self.media_clock.reset();
        self.expired_speed = None;
        self.monitor.new_stream(&mut self.events);
    }

    fn record_delays(&mut self) {
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

    /// The attention at the last frame.
    pub fn attention(&self) -> Attention {
        self.monitor.attention()
    }

    /// The monitor.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// The delays since the start.
    pub fn delays(&self) -> &DetectionDelays {
        &self.delays
    }

    /// The counts since the start.
    pub fn stats(&self) -> MonitorStats {
        self.monitor.stats()
    }
}
