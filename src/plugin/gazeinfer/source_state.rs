//! The state of `gazeinfer` for each source of a stream or batch.

use std::time::Duration;

use crate::core::gaze::GazeEstimate;
use crate::core::gaze::reuse::ReusePlanner;
use crate::core::gaze::smooth::{OneEuro, Smoother};
use crate::core::geometry::Raster;
use crate::plugin::clock::FrameClock;

/// The state of one source.
#[derive(Default)]
pub(super) struct SourceState {
    pub reuse: ReusePlanner,
    pub smoother: Smoother,
    pub clock: FrameClock,
    /// Of the last frame.
    raster: Option<Raster>,
}

impl SourceState {
    /// Forgets all frames, keeps the caps.
    fn flush(&mut self) {
        self.reuse.reset();
        self.smoother.reset();
        self.clock.reset();
    }

    /// Takes the raster of the next frame. Where the picture is the same in another resolution, the last
    /// boxes move along; another picture gets results of its own.
    pub fn set_raster(&mut self, raster: Raster) {
        let last = self.raster.replace(raster);
        let Some(last) = last.filter(|last| last.size != raster.size) else { return };
        if last.shows_shape_of(&raster) {
            self.reuse.rescale(last.size, raster.size);
        } else {
            self.reuse.reset();
        }
    }

    /// Smooths new results; a reused one was smoothed when it was inferred.
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
pub(super) struct SourceStates {
    known: Vec<(u32, SourceState)>,
    info: Option<gst_video::VideoInfo>,
}

impl SourceStates {
    /// Takes the frame rate from the caps.
    pub fn set_info(&mut self, info: &gst_video::VideoInfo) {
        for (_, source) in &mut self.known {
            source.clock.set_info(info);
        }
        self.info = Some(info.clone());
    }

    /// Returns the source of this id, and creates it if it is new.
    pub fn get(&mut self, id: u32) -> &mut SourceState {
        let index = self.known.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
            let mut source = SourceState::default();
            if let Some(info) = &self.info {
                source.clock.set_info(info);
            }
            self.known.push((id, source));
            self.known.len() - 1
        });
        &mut self.known[index].1
    }

    /// Forgets all frames of all sources, keeps the caps.
    pub fn flush(&mut self) {
        self.known.iter_mut().for_each(|(_, source)| source.flush());
    }

    /// Whether a source has results of an earlier frame.
    pub fn have_results(&self) -> bool {
        self.known.iter().any(|(_, source)| source.reuse.has_results())
    }

    /// Reuses no result in the next frames.
    pub fn infer_anew(&mut self) {
        self.known.iter_mut().for_each(|(_, source)| source.reuse.reset());
    }

    /// Forgets all sources: a new stream may come from other elements.
    pub fn start_over(&mut self) {
        self.known.clear();
    }
}
