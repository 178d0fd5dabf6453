//! What `gazeinfer` keeps from frame to frame, and what it does with one. Touched only by the
//! streaming thread and its serialised events.

use std::time::{Duration, Instant};

use super::settings::FrameSettings;
use crate::core::camera::{Camera, Optics};
use crate::core::estimator::{EstimateError, FrameGaze, GazeEstimator, Missing};
use crate::core::geometry::{Rect, Size};
use crate::core::region::FaceRegion;
use crate::core::schedule::{Plan, Schedule};
use crate::core::smooth::{OneEuro, Smoother};
use crate::plugin::clock::FrameClock;
use crate::plugin::enums::InferenceRegion;
use crate::plugin::frame::{MapError, MappedFrame};
use crate::plugin::meta::gaze;
use crate::plugin::meta::region::{self, Origin, RegionReader, SourcedRegion};
use crate::plugin::stats::Outcome;

/// The model and what is remembered of the stream.
pub(super) struct Stream {
    estimator: GazeEstimator,
    /// The camera, where a file says what it is.
    calibration: Option<Camera>,
    info: Option<gst_video::VideoInfo>,
    reader: RegionReader,
    schedule: Schedule,
    smoother: Smoother,
    clock: FrameClock,
    /// Whether somebody upstream detects: once seen, a frame without regions has no face.
    detector_seen: bool,
    /// Whether the last frame had faces that the model wants normalised and that could not be.
    unaligned: bool,
    // Reused from frame to frame.
    regions: Vec<SourcedRegion>,
    plans: Vec<Plan>,
    result: FrameGaze,
    /// What faces of the last frame lacked.
    missing: Missing,
}

/// Why a frame could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameFault {
    /// No caps yet.
    #[error("no caps before the first buffer")]
    NotNegotiated,
    /// This buffer is broken; the next may be well.
    #[error(transparent)]
    Buffer(#[from] MapError),
    /// The model does not run.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// The metadata could not be attached.
    #[error(transparent)]
    Meta(#[from] glib::BoolError),
}

impl Stream {
    pub fn new(estimator: GazeEstimator, calibration: Option<Camera>) -> Self {
        let result = FrameGaze { model: estimator.model_name().to_owned(), ..FrameGaze::default() };
        Self {
            estimator,
            calibration,
            info: None,
            reader: RegionReader::default(),
            schedule: Schedule::default(),
            smoother: Smoother::default(),
            clock: FrameClock::default(),
            detector_seen: false,
            unaligned: false,
            regions: Vec::new(),
            plans: Vec::new(),
            result,
            missing: Missing::default(),
        }
    }

    pub fn set_info(&mut self, info: gst_video::VideoInfo) {
        self.clock.set_info(&info);
        self.info = Some(info);
    }

    /// The size that the camera was calibrated at, where the frames have another shape.
    pub fn foreign_calibration(&self) -> Option<Size> {
        let (camera, info) = (self.calibration?, self.info.as_ref()?);
        let size = Size::new(info.width(), info.height());
        let pixel = info.par();
        let aspect = f64::from(pixel.numer()) / f64::from(pixel.denom());
        (!camera.has_shape_of(size, aspect)).then_some(camera.size)
    }

    /// Forgets the past, keeps what the caps said.
    pub fn flush(&mut self) {
        self.schedule.reset();
        self.smoother.reset();
        self.clock.reset();
    }

    /// A new stream may come from other elements.
    pub fn start_over(&mut self) {
        self.flush();
        self.detector_seen = false;
    }

    /// The last frame's result, for messages.
    pub fn result(&self) -> &FrameGaze {
        &self.result
    }

    /// Whether faces of the last frame were cropped although the model wants them normalised.
    pub fn unaligned(&self) -> bool {
        self.unaligned
    }

    /// What the model needs and one face or another of the last frame lacked.
    pub fn missing(&self) -> Missing {
        self.missing
    }

    /// Looks at one frame, due at `running_time`, and attaches what was seen. `late` says that there
    /// is no time to infer.
    pub fn process(
        &mut self,
        buffer: &mut gst::BufferRef,
        settings: &FrameSettings,
        running_time: Option<gst::ClockTime>,
        late: bool,
    ) -> Result<Outcome, FrameFault> {
        let begin = Instant::now();
        let info = self.info.as_ref().ok_or(FrameFault::NotNegotiated)?;
        let size = Size::new(info.width(), info.height());
        let at = self.clock.tick(running_time);
        self.collect_regions(buffer, size, settings);
        let eyes_closed = self.schedule.plan(
            self.regions.iter().map(|region| region.face),
            settings.policy,
            late,
            &mut self.plans,
        );
        let mut outcome = Outcome { eyes_closed, ..Outcome::default() };
        self.estimator.set_optics(match self.calibration {
            Some(camera) => Optics::Calibrated(camera),
            None => Optics::FieldOfView(settings.field_of_view),
        });
        self.result.size = size;
        self.unaligned = false;
        self.missing = Missing::default();
        if self.plans.contains(&Plan::Infer) {
            let info = self.info.as_ref().ok_or(FrameFault::NotNegotiated)?;
            let frame = MappedFrame::map(buffer, info)?;
            let view = frame.view().map_err(MapError::from)?;
            let margin = (settings.region_margin >= 0.0).then_some(settings.region_margin);
            let counts = self.estimator.estimate(
                &view,
                self.regions.iter().map(|region| region.face),
                &self.plans,
                margin,
                &mut self.result.faces,
            )?;
            (outcome.inferences, outcome.invalid) = (counts.inferred, counts.invalid);
            self.unaligned = counts.unaligned > 0;
            self.missing = counts.missing;
            outcome.latency = Some(begin.elapsed());
        } else {
            self.estimator.carry(size, &self.plans, &mut self.result.faces);
            outcome.carried = !self.plans.is_empty();
        }
        if settings.smoothing {
            self.smooth(at, settings.filter);
        } else {
            self.smoother.reset();
        }
        outcome.faces = self.result.faces.len() as u64;
        self.result.inference_time = outcome
            .latency
            .map_or(0, |latency| u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
        self.schedule.remember(&self.result.faces);
        gaze::add(buffer, &self.result)?;
        for (sourced, estimate) in self.regions.iter().zip(&self.result.faces) {
            region::annotate(buffer, sourced.origin, estimate);
        }
        Ok(outcome)
    }

    /// Smooths what was inferred now; what is carried was smoothed when it was inferred.
    fn smooth(&mut self, at: Duration, filter: OneEuro) {
        for face in self.result.faces.iter_mut().filter(|face| face.age == 0) {
            if let (Some(track), Some(gaze)) = (face.region.track_id, face.gaze) {
                face.gaze = Some(self.smoother.smooth(track, at, gaze, filter));
            }
        }
    }

    fn collect_regions(&mut self, buffer: &gst::BufferRef, size: Size, settings: &FrameSettings) {
        self.regions.clear();
        let whole = |rect: Rect| SourcedRegion {
            face: FaceRegion { rect, ..FaceRegion::default() },
            origin: Origin::Frame,
        };
        match settings.inference_region {
            InferenceRegion::FullFrame => self.regions.push(whole(Rect::full(size))),
            InferenceRegion::Fixed => self.regions.push(whole(settings.fixed_region(size))),
            mode @ (InferenceRegion::Auto | InferenceRegion::RoiList) => {
                let class = &settings.object_class;
                let looked = self.reader.read(buffer, size, class, &mut self.regions);
                self.detector_seen |= looked;
                if mode == InferenceRegion::Auto && !self.detector_seen {
                    self.regions.push(whole(Rect::full(size)));
                }
                self.regions.retain(|region| {
                    settings.is_large_enough(&region.face.rect)
                        && !region.face.rect.intersect(&Rect::full(size)).is_empty()
                });
            }
        }
    }
}
