//! What `gazeinfer` remembers of one source of a stream, and the sources of a batch.

use std::time::Duration;

use crate::core::gaze::GazeEstimate;
use crate::core::gaze::reuse::ReusePlanner;
use crate::core::gaze::smooth::{OneEuro, Smoother};
use crate::plugin::clock::FrameClock;

/// The past of one source.
#[derive(Default)]
pub(super) struct Source {
    pub schedule: ReusePlanner,
    pub smoother: Smoother,
    pub clock: FrameClock,
    /// Whether somebody upstream detects: once seen, a frame without regions has no face.
    pub detector_seen: bool,
}

impl Source {
    /// Forgets the past, keeps what the caps said.
    fn flush(&mut self) {
        self.schedule.reset();
        self.smoother.reset();
        self.clock.reset();
    }

    /// Smooths what was inferred now; what is carried was smoothed when it was inferred.
    pub fn smooth(&mut self, faces: &mut [GazeEstimate], at: Duration, filter: OneEuro) {
        for face in faces.iter_mut().filter(|face| face.age == 0) {
            if let (Some(track), Some(gaze)) = (face.region.track_id, face.gaze) {
                face.gaze = Some(self.smoother.smooth(track, at, gaze, filter));
            }
        }
    }
}

/// The sources seen so far; outside batches there is one.
#[derive(Default)]
pub(super) struct Sources {
    known: Vec<(u32, Source)>,
    info: Option<gst_video::VideoInfo>,
}

impl Sources {
    /// Takes what the caps say of the framerate.
    pub fn set_info(&mut self, info: &gst_video::VideoInfo) {
        for (_, source) in &mut self.known {
            source.clock.set_info(info);
        }
        self.info = Some(info.clone());
    }

    /// The source of this id, a new one where it was not seen before.
    pub fn get(&mut self, id: u32) -> &mut Source {
        let index = self.known.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
            let mut source = Source::default();
            if let Some(info) = &self.info {
                source.clock.set_info(info);
            }
            self.known.push((id, source));
            self.known.len() - 1
        });
        &mut self.known[index].1
    }

    /// Forgets the past of all, keeps what the caps said.
    pub fn flush(&mut self) {
        self.known.iter_mut().for_each(|(_, source)| source.flush());
    }

    /// Carries nothing over to the next frames.
    pub fn infer_anew(&mut self) {
        self.known.iter_mut().for_each(|(_, source)| source.schedule.reset());
    }

    /// Forgets all: a new stream may come from other elements, and have other sources.
    pub fn start_over(&mut self) {
        self.known.clear();
    }
}
