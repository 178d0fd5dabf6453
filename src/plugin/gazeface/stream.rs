//! The state of `gazeface` from frame to frame, and the way of one frame. Only the streaming thread
//! and its serialised events use it.

use std::time::{Duration, Instant};

use super::settings::FrameSettings;
use crate::core::face::FaceRegion;
use crate::core::face::attributes::{AttributeError, FaceAttributes};
use crate::core::face::detect::{DetectError, FaceDetector};
use crate::core::face::track::Tracker;
use crate::core::geometry::{PixelRect, Raster, Size};
use crate::nvidia::surface::Staging;
use crate::plugin::clock::{FrameClock, TimeFault};
use crate::plugin::format;
use crate::plugin::frame::MapError;
use crate::plugin::meta::{faces, region};
use crate::plugin::nvidia_buffer::{NvmmBuffer, NvmmCaps};
use crate::plugin::picture::Reuse;
use crate::plugin::picture_advice::DarknessWatch;
use crate::plugin::pixels::Pixels;
use crate::plugin::stats::FrameCounts;

/// The type of the regions of interest: the default `object-class` of `gazeinfer`.
const CLASS: &str = "face";

/// The detector with the state of the stream.
pub(super) struct FaceStream {
    detector: FaceDetector,
    attributes: FaceAttributes,
    info: Option<gst_video::VideoInfo>,
    /// Set if the buffers hold NVIDIA surfaces.
    nvmm: Option<NvmmCaps>,
    staging: Staging,
    /// Frames since the last inference; `None` before the first.
    frames_since_inference: Option<u32>,
    /// The faces of the last frame, with the ids of their regions.
    current_faces: Vec<(i32, FaceRegion)>,
    next_roi_id: i32,
    tracker: Tracker,
    clock: FrameClock,
    /// The tracker's view of those faces; the memory is reused.
    detected: Vec<FaceRegion>,
    darkness: DarknessWatch,
    /// What to tell the user, until it is taken.
    advice: Option<String>,
}

/// Why `gazeface` could not process a frame.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProcessError {
    /// No caps yet.
    #[error("no caps before the first buffer")]
    NotNegotiated,
    /// The buffer is broken; the next one may be valid.
    #[error(transparent)]
    Buffer(#[from] MapError),
    /// The detector failed.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// A model that runs on single faces failed.
    #[error(transparent)]
    Attributes(#[from] AttributeError),
    /// Attaching the metadata failed.
    #[error(transparent)]
    Meta(#[from] glib::BoolError),
}

impl FaceStream {
    pub fn new(detector: FaceDetector, attributes: FaceAttributes) -> Self {
        Self {
            detector,
            attributes,
            info: None,
            nvmm: None,
            staging: Staging::default(),
            frames_since_inference: None,
            current_faces: Vec::new(),
            next_roi_id: 0,
            tracker: Tracker::default(),
            clock: FrameClock::default(),
            detected: Vec::new(),
            darkness: DarknessWatch::default(),
            advice: None,
        }
    }

    /// Takes new caps. The same picture in another resolution keeps all tracks; a picture of another shape
    /// ends them.
    pub fn set_info(&mut self, info: gst_video::VideoInfo, nvmm: Option<NvmmCaps>) {
        let raster = |info: &gst_video::VideoInfo| Raster {
            size: Size::new(info.width(), info.height()),
            pixel_aspect: format::pixel_aspect(info),
        };
        let to = raster(&info);
        match self.info.as_ref().map(raster) {
            Some(from) if from.size == to.size => {}
            Some(from) if from.shows_shape_of(&to) => self.rescale(from.size, to.size),
            _ => self.flush(),
        }
        self.clock.set_info(&info);
        self.info = Some(info);
        self.nvmm = nvmm;
    }

    /// Moves faces and tracks along to another resolution. The next frame gets an inference.
    fn rescale(&mut self, from: Size, to: Size) {
        self.frames_since_inference = None;
        self.tracker.rescale(from, to);
        for (_, face) in &mut self.current_faces {
            *face = face.rescaled(from, to);
        }
    }

    /// Forgets the past and keeps the caps.
    pub fn flush(&mut self) {
        self.frames_since_inference = None;
        self.current_faces.clear();
        self.tracker.reset();
        self.clock.reset();
    }

    /// Whether there are faces of a frame before, or the knowledge that it had none.
    pub fn has_faces(&self) -> bool {
        self.frames_since_inference.is_some()
    }

    /// Returns once what was wrong with the time of the last frame, and how long a frame counts without.
    pub fn take_time_fault(&mut self) -> Option<(TimeFault, Duration)> {
        Some((self.clock.take_fault()?, self.clock.period()))
    }

    /// Processes the frame of `running_time` and attaches its faces. A `late` frame gets the last
    /// faces instead of an inference, except for the first frame. A picture that is `repeated` gets them at
    /// the places where they were.
    pub fn process(
        &mut self,
        buffer: &mut gst::BufferRef,
        settings: &FrameSettings,
        running_time: Option<gst::ClockTime>,
        Reuse { late, repeated }: Reuse,
    ) -> Result<FrameCounts, ProcessError> {
        let begin = Instant::now();
        let info = self.info.as_ref().ok_or(ProcessError::NotNegotiated)?;
        let size = Size::new(info.width(), info.height());
        let at = self.clock.tick(running_time);
        if !settings.tracking {
            self.tracker.reset();
        }
        let infer = match self.frames_since_inference {
            None => true,
            Some(n) => !late && !repeated && n.saturating_add(1) >= settings.inference_interval,
        };
        if infer {
            self.detect_faces(buffer, settings)?;
            self.frames_since_inference = Some(0);
            if settings.tracking {
                self.tracker.update(at, &mut self.detected);
            }
            self.assign_roi_ids();
        } else {
            self.frames_since_inference = self.frames_since_inference.map(|n| n.saturating_add(1));
            if !repeated {
                self.move_faces(at);
            }
        }
        faces::add(buffer, size, &self.current_faces)?;
        for (id, face) in &self.current_faces {
            region::add_roi(buffer, CLASS, *id, face, size);
            #[cfg(feature = "v1_24")]
            crate::plugin::meta::analytics::add(buffer, CLASS, face, size)?;
        }
        Ok(FrameCounts {
            faces: self.current_faces.len() as u64,
            inferences: u64::from(infer),
            reused: !infer,
            latency: infer.then(|| begin.elapsed()),
            ..FrameCounts::default()
        })
    }

    /// Returns once what the frames so far give reason to tell.
    pub fn take_advice(&mut self) -> Option<String> {
        self.advice.take()
    }

    /// Finds the faces of a frame, and runs the models of the stages on each.
    fn detect_faces(
        &mut self,
        buffer: &gst::BufferRef,
        settings: &FrameSettings,
    ) -> Result<(), ProcessError> {
        let info = self.info.as_ref().ok_or(ProcessError::NotNegotiated)?;
        let surface = self.nvmm.map(|caps| NvmmBuffer::map(buffer, caps));
        let surface = surface.transpose().map_err(MapError::from)?;
        let batch = surface.as_ref().map(NvmmBuffer::surfaces);
        let batch = batch.transpose().map_err(MapError::from)?;
        let mut pixels = Pixels::single(buffer, info, batch.as_ref(), &mut self.staging)?;
        let mapped = pixels.map()?;
        let view = mapped.view()?.with_pixel_aspect(format::pixel_aspect(info));
        let whole = PixelRect::full(view.size());
        self.detector.detect(&view, whole, &settings.detect, &mut self.detected)?;
        if self.detected.is_empty() {
            self.advice = self.darkness.look(&view);
        } else {
            self.darkness.end();
        }
        for face in &mut self.detected {
            self.attributes.annotate(&view, face)?;
        }
        Ok(())
    }

    /// Moves the tracked faces to their predicted boxes; a face without a track stays.
    fn move_faces(&mut self, at: Duration) {
        self.tracker.carry(at, &mut self.detected);
        for (_, face) in &mut self.current_faces {
            if let Some(moved) = self.detected.iter().find(|moved| moved.track_id == face.track_id)
            {
                *face = *moved;
            }
        }
    }

    /// Gives each detected face a new region id, which it keeps until the next inference.
    fn assign_roi_ids(&mut self) {
        self.current_faces.clear();
        for face in &self.detected {
            self.current_faces.push((self.next_roi_id, *face));
            self.next_roi_id = self.next_roi_id.checked_add(1).unwrap_or(0);
        }
    }
}
