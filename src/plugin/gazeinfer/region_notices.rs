//! What `gazeinfer` reports on the bus about regions, each once a stream.

use glib::subclass::prelude::*;

use super::imp::GazeInfer;
use crate::plugin::meta::MAX_FACES;

/// What `inference-region=auto` came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The regions of a detector are the faces.
    Regions,
    /// The whole frame is one face: no detector is upstream.
    WholeFrame,
    /// The same, because no region came so far.
    WholeFrameByPatience,
    /// Regions arrived after frames that were taken for one face each.
    RegionsAfterAll,
    /// The stream ended before.
    Undecided,
}

/// What there is to report.
#[derive(Clone, Debug, Default)]
pub(super) struct RegionNotices {
    /// The decision of this frame.
    pub choice: Option<Choice>,
    /// How regions were lost.
    pub loss: Option<String>,
    /// The classes that arrived in place of `object-class`.
    pub classes: Option<String>,
    /// Whether faces of a frame shared a track id.
    pub shared_ids: bool,
    /// How many faces a frame had above the limit.
    pub above_limit: usize,
    /// The model of another gazeinfer whose result was replaced, and the model that replaced it.
    pub replaced_model: Option<[String; 2]>,
}

/// Which notices were posted in this stream, of those that a frame can give reason to again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    shared_ids: bool,
    above_limit: bool,
    replaced_model: bool,
}

impl Told {
    /// Removes what was told before.
    pub fn filter(&mut self, notices: &mut RegionNotices) {
        let new = |told: &mut bool, reason: bool| reason && !std::mem::replace(told, true);
        notices.shared_ids = new(&mut self.shared_ids, notices.shared_ids);
        if !new(&mut self.above_limit, notices.above_limit > 0) {
            notices.above_limit = 0;
        }
        if !new(&mut self.replaced_model, notices.replaced_model.is_some()) {
            notices.replaced_model = None;
        }
    }

    /// Whether a replaced model is still worth a look.
    pub fn replaced_model(&self) -> bool {
        self.replaced_model
    }
}

impl RegionNotices {
    /// Posts them.
    pub fn post(self, element: &GazeInfer, class: &str) {
        if let Some(choice) = self.choice {
            post_choice(element, choice, class);
        }
        if let Some(loss) = self.loss {
            gst::element_imp_warning!(element, gst::StreamError::Failed, ("{loss}"));
        }
        if let Some(seen) = self.classes {
            gst::element_imp_warning!(
                element,
                gst::StreamError::Failed,
                ("No region has the class '{class}' (object-class), so no face has a gaze. Regions of \
                 these classes arrive: {seen}. Set object-class to one of them, or to \"\" for all; for \
                 objects of DeepStream set infer-on-class-ids and infer-on-gie-id")
            );
        }
        if self.shared_ids {
            gst::element_imp_warning!(
                element,
                gst::StreamError::Failed,
                ("Faces of one frame have the same track id: gazeinfer takes such an id for none, \
                 recognises these faces by their place, and does not smooth them. Use one tracker \
                 (gazeface tracking=true) upstream")
            );
        }
        if self.above_limit > 0 {
            gst::element_imp_warning!(
                element,
                gst::StreamError::Failed,
                (
                    "A frame has {} faces: gazeinfer looks at the first {MAX_FACES} of a frame. Let the \
                 detector keep fewer (gazeface max-faces), or narrow object-class, min-object-width or \
                 min-object-height",
                    MAX_FACES + self.above_limit
                )
            );
        }
        if let Some([replaced, model]) = self.replaced_model {
            gst::element_imp_warning!(
                element,
                gst::StreamError::Failed,
                ("Frames carry a GazeMeta already (model '{replaced}'): gazeinfer replaces it by that of \
                 '{model}'. Use one gazeinfer in a chain; to compare models, use a tee with one in each \
                 branch")
            );
        }
    }
}

fn post_choice(element: &GazeInfer, choice: Choice, class: &str) {
    match choice {
        Choice::Regions => {
            let which = match class.is_empty() {
                true => "of any class".to_owned(),
                false => format!("of the class '{class}'"),
            };
            gst::element_imp_info!(
                element,
                gst::StreamError::Format,
                ("inference-region=auto: faces are a detector's regions {which}; a frame without one has \
                 no gaze")
            );
        }
        Choice::WholeFrame => gst::element_imp_info!(
            element,
            gst::StreamError::Format,
            ("inference-region=auto: no detector is upstream, so the whole frame is taken as one face. If \
             frames show more than one face alone, put a detector (gazeface) before gazeinfer")
        ),
        Choice::WholeFrameByPatience => gst::element_imp_warning!(
            element,
            gst::StreamError::Format,
            ("inference-region=auto: no frame so far had a region, so from here on the whole frame is taken \
             as one face. That is right for pictures of one face alone; then set \
             inference-region=full-frame. If a detector finds faces later, set roi-list; if there is \
             none, put gazeface before gazeinfer")
        ),
        Choice::RegionsAfterAll => gst::element_imp_warning!(
            element,
            gst::StreamError::Format,
            ("inference-region=auto: regions arrive now, after frames that were taken as one face each. \
             From here on faces are the regions; the gaze of the frames before is wrong. Set \
             inference-region=roi-list")
        ),
        Choice::Undecided => gst::element_imp_warning!(
            element,
            gst::StreamError::Format,
            ("inference-region=auto: no frame had a region, and a program feeds them, so gazeinfer cannot \
             tell a detector that found no face from none: no frame has a gaze. If each frame shows one \
             face alone, set inference-region=full-frame; otherwise roi-list")
        ),
    }
}
