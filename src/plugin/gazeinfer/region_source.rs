//! Where the faces of `gazeinfer` come from: regions of a detector, or the whole frame.
//!
//! With `inference-region=auto` the element decides once a stream. A frame without regions alone says
//! little: a detector may have found no face, or its metadata was lost on the way. So the elements
//! upstream decide. With a detector among them, regions count from the first frame on; where all are
//! known and none is a detector, the whole frame does. Where a program feeds the buffers, any of its
//! parts may be the detector: frames without regions have no gaze until so many of them have come.

use super::region_notices::{Choice, RegionNotices};
use crate::plugin::enums::InferenceRegion;
use crate::plugin::meta::class_watch::ClassWatch;
use crate::plugin::upstream::Upstream;

/// Frames without regions after which a chain of unknown elements counts as one without a detector:
/// one second.
const PATIENCE: u32 = 30;

/// Frames in a row without metadata after which that of `gazeface` counts as lost. It marks every frame
/// that it processes.
const LOST_AFTER: u32 = 10;

/// Frames after which `inference-region=roi-list` without a detector is told.
const IDLE_AFTER: u32 = 100;

/// What is known about the regions of a stream.
#[derive(Debug, Default)]
pub(super) struct RegionSource {
    upstream: Upstream,
    choice: Option<Choice>,
    frames: u32,
    /// Frames in a row without a sign of a detector.
    without: u32,
    detected: bool,
    /// Whether `gazeface` marks the frames of this stream.
    marked: bool,
    loss_told: bool,
    /// Whether frames come in NVIDIA's memory: DeepStream's metadata says of each frame whether a detector
    /// processed it, so that unknown elements leave no doubt.
    pub deepstream: bool,
    pub notices: RegionNotices,
}

impl RegionSource {
    /// Takes what is upstream, at the first buffer of a stream.
    pub fn set_upstream(&mut self, upstream: Upstream) {
        self.marked |= upstream.find("gazeface").is_some();
        self.upstream = upstream;
    }

    /// Forgets everything: a new stream may come from other elements.
    pub fn start_over(&mut self) {
        *self = Self { deepstream: self.deepstream, ..Self::default() };
    }

    /// Counts a frame. `detected` says whether it shows a sign of a detector, with or without a face, and
    /// `marked` whether this is gazeface's own. Returns whether the whole frame counts as a face.
    pub fn takes_whole_frame(
        &mut self,
        mode: InferenceRegion,
        detected: bool,
        marked: bool,
        classes: &mut ClassWatch,
    ) -> bool {
        self.frames = self.frames.saturating_add(1);
        self.without = if detected { 0 } else { self.without.saturating_add(1) };
        self.detected |= detected;
        self.marked |= marked;
        self.notices.classes = self.notices.classes.take().or_else(|| classes.end());
        if self.without >= LOST_AFTER {
            self.tell_loss(mode);
        }
        if mode != InferenceRegion::Auto {
            return false;
        }
        self.decide(detected);
        self.takes_whole_frames() && !detected
    }

    fn takes_whole_frames(&self) -> bool {
        matches!(self.choice, Some(Choice::WholeFrame | Choice::WholeFrameByPatience))
    }

    fn decide(&mut self, detected: bool) {
        let detector = detected || self.marked || self.upstream.detector().is_some();
        let choice = match self.choice {
            Some(_) if detected && self.takes_whole_frames() => Choice::RegionsAfterAll,
            Some(_) => return,
            None if detector => Choice::Regions,
            None if self.deepstream || self.upstream.has_no_detector() => Choice::WholeFrame,
            None if self.frames > PATIENCE => Choice::WholeFrameByPatience,
            None => return,
        };
        self.choice = Some(choice);
        self.notices.choice = Some(choice);
    }

    /// The stream ends: what there is to tell after a few frames.
    pub fn finish(&mut self, mode: InferenceRegion, classes: &mut ClassWatch) -> RegionNotices {
        self.notices.classes = self.notices.classes.take().or_else(|| classes.finish());
        if self.frames > 0 && mode.uses_detections() && !self.detected {
            self.tell_loss(mode);
            if mode == InferenceRegion::Auto && self.choice.is_none() {
                self.choice = Some(Choice::Undecided);
                self.notices.choice = self.choice;
            }
        }
        std::mem::take(&mut self.notices)
    }

    /// Notes once that regions do not arrive although there should be some.
    fn tell_loss(&mut self, mode: InferenceRegion) {
        if self.loss_told {
            return;
        }
        let text = match self.upstream.find("gazeface") {
            Some(gazeface) => format!(
                "The metadata of {} does not arrive ({} frames in a row): an element in between drops it \
                 ({}). Its faces are lost, and these frames have no gaze. Put elements that crop, flip \
                 or mix pictures (videocrop, videobox, videoflip, compositor) before gazeface",
                gazeface.name,
                self.without,
                gazeface.suspects()
            ),
            None if self.marked => format!(
                "The metadata of gazeface stopped coming ({} frames in a row): its faces are lost, and \
                 these frames have no gaze. Let no element between gazeface and gazeinfer crop, flip or \
                 mix pictures (videocrop, videobox, videoflip, compositor)",
                self.without
            ),
            None if mode == InferenceRegion::RoiList
                && !self.detected
                && self.upstream.has_no_detector()
                && self.without.max(self.frames) >= IDLE_AFTER =>
            {
                "inference-region=roi-list takes faces from a detector, and there is none upstream: no \
                 frame has a gaze. Put gazeface before gazeinfer"
                    .to_owned()
            }
            None => return,
        };
        self.loss_told = true;
        self.notices.loss = Some(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTO: InferenceRegion = InferenceRegion::Auto;

    /// The unknown chain of an application that pushes buffers.
    fn fed_by_a_program() -> RegionSource {
        use gst::prelude::*;
        gst::init().unwrap();
        let pipeline = gst::parse::launch("appsrc ! queue ! identity name=here").unwrap();
        // The links go with the pipeline.
        let here = pipeline.downcast_ref::<gst::Bin>().unwrap().by_name("here").unwrap();
        let mut source = RegionSource::default();
        source.set_upstream(Upstream::of(&here));
        source
    }

    fn look(source: &mut RegionSource, detected: bool) -> bool {
        source.takes_whole_frame(AUTO, detected, false, &mut ClassWatch::default())
    }

    #[test]
    fn a_pad_without_an_element_has_no_detector_behind_it() {
        gst::init().unwrap();
        let alone = gst::ElementFactory::make("identity").build().unwrap();
        let mut source = RegionSource::default();
        source.set_upstream(Upstream::of(&alone));
        assert!(look(&mut source, false));
        assert_eq!(source.notices.choice, Some(Choice::WholeFrame));
    }

    #[test]
    fn a_detector_with_empty_frames_at_first_makes_no_gaze_of_the_whole_frame() {
        let mut source = fed_by_a_program();
        for _ in 0..PATIENCE {
            assert!(!look(&mut source, false));
        }
        assert!(!look(&mut source, true));
        assert_eq!(source.notices.choice, Some(Choice::Regions));
        assert!((0..1000).all(|_| !look(&mut source, false)));
    }

    #[test]
    fn patience_ends_and_regions_take_over_later() {
        let mut source = fed_by_a_program();
        let whole = (0..100).filter(|_| look(&mut source, false)).count();
        assert_eq!(whole, 100 - PATIENCE as usize);
        assert_eq!(source.notices.choice, Some(Choice::WholeFrameByPatience));
        assert!(!look(&mut source, true));
        assert_eq!(source.notices.choice, Some(Choice::RegionsAfterAll));
        assert!(!look(&mut source, false));
    }

    #[test]
    fn a_short_stream_that_was_not_decided_is_told_at_its_end() {
        let mut source = fed_by_a_program();
        look(&mut source, false);
        let told = source.finish(AUTO, &mut ClassWatch::default());
        assert_eq!(told.choice, Some(Choice::Undecided));
        let told = source.finish(AUTO, &mut ClassWatch::default());
        assert_eq!(told.choice, None, "once");
    }

    #[test]
    fn the_marks_of_gazeface_are_missed() {
        let mut source = fed_by_a_program();
        source.takes_whole_frame(AUTO, true, true, &mut ClassWatch::default());
        for _ in 1..LOST_AFTER {
            assert!(!look(&mut source, false));
        }
        assert_eq!(source.notices.loss, None);
        assert!(!look(&mut source, false));
        assert!(source.notices.loss.take().unwrap().contains("stopped coming"));
        assert!(!look(&mut source, false));
        assert_eq!(source.notices.loss, None, "once");
    }
}
