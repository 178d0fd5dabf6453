//! What `gazeface` keeps from frame to frame, and what it does with one. Touched only by the
//! streaming thread and its serialised events.

use std::time::{Duration, Instant};

use super::settings::FrameSettings;
use crate::core::face::FaceRegion;
use crate::core::face::attributes::{AttributeError, FaceAttributes};
use crate::core::face::detect::{DetectError, FaceDetector};
use crate::core::face::track::Tracker;
use crate::core::geometry::{PixelRect, Size};
use crate::nvidia::surface::Staging;
use crate::plugin::clock::FrameClock;
use crate::plugin::frame::MapError;
use crate::plugin::meta::{faces, region};
use crate::plugin::nvidia_buffer::{NvmmBuffer, NvmmCaps};
use crate::plugin::pixels::Pixels;
use crate::plugin::stats::Outcome;

/// Type of the regions of interest, which is what `gazeinfer` looks for by default.
const CLASS: &str = "face";

/// The detector and what is remembered of the stream.
pub(super) struct Stream {
    detector: FaceDetector,
    attributes: FaceAttributes,
    info: Option<gst_video::VideoInfo>,
    /// Whether buffers hold NVIDIA's surfaces.
    nvmm: Option<NvmmCaps>,
    staging: Staging,
    /// Frames since the last one that was looked at; `None` before the first.
    since: Option<u32>,
    /// The faces of that frame with the ids of their regions.
    known: Vec<(i32, FaceRegion)>,
    next_id: i32,
    tracker: Tracker,
    clock: FrameClock,
    // Reused from frame to frame.
    found: Vec<FaceRegion>,
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
    Detect(#[from] DetectError),
    /// A model that looks at single faces does not run.
    #[error(transparent)]
    Attributes(#[from] AttributeError),
    /// The metadata could not be attached.
    #[error(transparent)]
    Meta(#[from] glib::BoolError),
}

impl Stream {
    pub fn new(detector: FaceDetector, attributes: FaceAttributes) -> Self {
        Self {
            detector,
            attributes,
            info: None,
            nvmm: None,
            staging: Staging::default(),
            since: None,
            known: Vec::new(),
            next_id: 0,
            tracker: Tracker::default(),
            clock: FrameClock::default(),
            found: Vec::new(),
        }
    }

    /// Takes new caps. Faces of frames of another size say nothing about those to come.
    pub fn set_info(&mut self, info: gst_video::VideoInfo, nvmm: Option<NvmmCaps>) {
        let size = |info: &gst_video::VideoInfo| Size::new(info.width(), info.height());
        if self.info.as_ref().map(size) != Some(size(&info)) {
            self.flush();
        }
        self.clock.set_info(&info);
        self.info = Some(info);
        self.nvmm = nvmm;
    }

    /// Forgets the past, keeps what the caps said.
    pub fn flush(&mut self) {
        self.since = None;
        self.known.clear();
        self.tracker.reset();
        self.clock.reset();
    }

    /// Looks at one frame, due at `running_time`, and attaches the faces in it. `late` says that there is no time to infer;
    /// the first frame is inferred all the same, because there is nothing yet to carry.
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
        if !settings.tracking {
            self.tracker.reset();
        }
        let infer = match self.since {
            None => true,
            Some(since) => !late && since.saturating_add(1) >= settings.inference_interval,
        };
        if infer {
            self.find(buffer, settings)?;
            self.since = Some(0);
            if settings.tracking {
                self.tracker.update(at, &mut self.found);
            }
            self.number();
        } else {
            self.since = self.since.map(|since| since.saturating_add(1));
            self.carry(at);
        }
        faces::add(buffer, size, &self.known)?;
        for (id, face) in &self.known {
            region::add_roi(buffer, CLASS, *id, face, size);
            #[cfg(feature = "v1_24")]
            crate::plugin::meta::analytics::add(buffer, CLASS, face, size)?;
        }
        Ok(Outcome {
            faces: self.known.len() as u64,
            inferences: u64::from(infer),
            carried: !infer,
            latency: infer.then(|| begin.elapsed()),
            ..Outcome::default()
        })
    }

    /// Finds the faces of a frame, and what the models of single faces say of each.
    fn find(
        &mut self,
        buffer: &gst::BufferRef,
        settings: &FrameSettings,
    ) -> Result<(), FrameFault> {
        let info = self.info.as_ref().ok_or(FrameFault::NotNegotiated)?;
        let surface = self.nvmm.map(|caps| NvmmBuffer::map(buffer, caps));
        let surface = surface.transpose().map_err(MapError::from)?;
        let batch = surface.as_ref().map(NvmmBuffer::surfaces);
        let batch = batch.transpose().map_err(MapError::from)?;
        let mut pixels = Pixels::single(buffer, info, batch.as_ref(), &mut self.staging)?;
        let mapped = pixels.map()?;
        let view = mapped.view()?;
        let whole = PixelRect::full(view.size());
        self.detector.detect(&view, whole, &settings.detect, &mut self.found)?;
        for face in &mut self.found {
            self.attributes.annotate(&view, face)?;
        }
        Ok(())
    }

    /// Moves the known faces to where they are supposed to be now; without tracks they stay.
    fn carry(&mut self, at: Duration) {
        self.tracker.carry(at, &mut self.found);
        for (_, face) in &mut self.known {
            if let Some(moved) = self.found.iter().find(|moved| moved.track_id == face.track_id) {
                *face = *moved;
            }
        }
    }

    /// Gives each face that was found an id of its own; one that is carried keeps it.
    fn number(&mut self) {
        self.known.clear();
        for face in &self.found {
            self.known.push((self.next_id, *face));
            self.next_id = self.next_id.checked_add(1).unwrap_or(0);
        }
    }
}
