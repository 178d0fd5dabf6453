//! What `gazeinfer` reports on the bus once a stream: each buffer returns [`Notices`], and [`NoticeLog`]
//! remembers which of them were posted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use glib::subclass::prelude::*;

use super::imp::GazeInfer;
use super::region_notices::RegionNotices;
use crate::core::gaze::missing_attributes::MissingAttributes;
use crate::nvidia::surface::Access;
use crate::plugin::clock::TimeFault;
#[cfg(not(feature = "v1_24"))]
use crate::plugin::meta::unread_analytics;
use crate::plugin::time_warnings::TimeWarnings;

/// Faces whose numbers are no angles, before gazeinfer warns.
const IMPOSSIBLE_FACES: u64 = 10;

/// What one buffer gives reason to report.
#[derive(Clone, Debug, Default)]
pub(super) struct Notices {
    /// What the model needs and some face lacks.
    pub missing: MissingAttributes,
    /// Faces for which the model's numbers are no angles.
    pub impossible: u64,
    /// Whether gazeinfer cropped faces although the model needs them normalised.
    pub unnormalized: bool,
    /// How the CPU reached the pixels of frames in NVIDIA's memory, once it read any.
    pub access: Option<Access>,
    /// The GPU that preprocessed the frame.
    pub preprocessed_on: Option<u32>,
    /// Why the CPU preprocesses although the model runs on a GPU.
    pub gpu_refusal: Option<String>,
    /// What was wrong with the time of a frame whose gaze is smoothed, and how long a frame counts then.
    pub time_fault: Option<(TimeFault, Duration)>,
    /// About regions; posted once a stream, by [`RegionNotices::post`].
    pub regions: RegionNotices,
    /// Whether DeepStream's version is unknown, so that it gets no arrows.
    pub arrows_refused: bool,
}

/// Which notices an element posted since its start.
#[derive(Default)]
pub(super) struct NoticeLog {
    broken_buffer: AtomicBool,
    unnormalized: AtomicBool,
    missing: AtomicBool,
    /// Faces for which the model's numbers were no angles.
    impossible: AtomicU64,
    memory: AtomicBool,
    arrows: AtomicBool,
    #[cfg(not(feature = "v1_24"))]
    analytics: AtomicBool,
    time: TimeWarnings,
}

/// Returns whether it is the first time.
fn first(posted: &AtomicBool) -> bool {
    !posted.swap(true, Ordering::Relaxed)
}

impl NoticeLog {
    /// Forgets what was posted.
    pub fn reset(&self) {
        let all =
            [&self.broken_buffer, &self.unnormalized, &self.missing, &self.memory, &self.arrows];
        all.into_iter().for_each(|posted| posted.store(false, Ordering::Relaxed));
        #[cfg(not(feature = "v1_24"))]
        self.analytics.store(false, Ordering::Relaxed);
        self.impossible.store(0, Ordering::Relaxed);
        self.time.reset();
    }

    /// Warns once of a model whose numbers are no angles: a single one may be a
    /// false detection.
    fn post_impossible(&self, element: &GazeInfer, faces: u64) {
        let before = self.impossible.fetch_add(faces, Ordering::Relaxed);
        if before < IMPOSSIBLE_FACES && before + faces >= IMPOSSIBLE_FACES {
            gst::element_imp_warning!(
                element,
                gst::StreamError::WrongType,
                ("{IMPOSSIBLE_FACES} faces have no gaze because the model's numbers are not finite, or \
                 lie outside -90 to 90 degrees of pitch and -180 to 180 of yaw. A model that answers in \
                 degrees needs unit = \"degrees\" in its profile; one that answers with a point in \
                 centimetres or pixels is not a model of angles")
            );
        }
    }

    /// Returns whether this is the first broken buffer: a broken source breaks every frame.
    pub fn is_first_broken_buffer(&self) -> bool {
        first(&self.broken_buffer)
    }

    /// Warns of metadata that only a build with the feature `v1_24` reads, if the buffer carries any.
    #[cfg(not(feature = "v1_24"))]
    pub fn tell_of_unread_analytics(&self, element: &GazeInfer, buffer: &gst::BufferRef) {
        if self.analytics.load(Ordering::Relaxed) || !unread_analytics::carried_by(buffer) {
            return;
        }
        if first(&self.analytics) {
            gst::element_imp_warning!(
                element,
                gst::StreamError::Format,
                ("Buffers carry GstAnalytics metadata, and this build of the plugin cannot read it: \
                 object detections in it are ignored. Build with `cargo build --release --features \
                 v1_24` (GStreamer 1.24 or newer), or let the detector write region-of-interest \
                 metadata")
            );
        }
    }

    /// Posts what is new.
    pub fn post(&self, element: &GazeInfer, notices: Notices) {
        if notices.unnormalized && first(&self.unnormalized) {
            gst::element_imp_warning!(
                element,
                gst::StreamError::WrongType,
                ("The model needs normalised faces, but faces arrive without the landmarks that give \
                 a head pose: gazeinfer crops them, and their gaze is less exact. Use a detector \
                 with landmarks (gazeface with YuNet, SCRFD or RetinaFace)")
            );
        }
        if notices.missing.any() && first(&self.missing) {
            let (what, remedy) = match (notices.missing.eyes, notices.missing.head_pose) {
                (true, false) => ("eye corners", "landmark-engine (PFLD, 98 points)"),
                (false, true) => ("the head pose", "head-pose-engine"),
                _ => (
                    "eye corners and the head pose",
                    "landmark-engine (PFLD, 98 points) and head-pose-engine",
                ),
            };
            gst::element_imp_warning!(
                element,
                gst::StreamError::Failed,
                ("Faces have no gaze: the model needs {what}, and no element upstream provides them. \
                 Put gazeface before this element and set its {remedy}")
            );
        }
        if notices.impossible > 0 {
            self.post_impossible(element, notices.impossible);
        }
        if let Some((fault, period)) = notices.time_fault {
            self.time.warn(&*element.obj(), fault, ("smoothing", period));
        }
        self.post_memory(element, &notices);
        if notices.arrows_refused && first(&self.arrows) {
            gst::element_imp_warning!(
                element,
                gst::StreamError::Format,
                ("nvdsosd gets no arrows: gazeinfer knows the NvDsDisplayMeta of DeepStream 5.0 to \
                 9.1, and this version is another. Use gazeoverlay, or one of these versions")
            );
        }
    }

    /// Reports where frames are preprocessed, if they lie in NVIDIA's memory.
    fn post_memory(&self, element: &GazeInfer, notices: &Notices) {
        if let Some(reason) = &notices.gpu_refusal {
            gst::element_imp_info!(
                element,
                gst::StreamError::Format,
                ("The CPU preprocesses, although the model runs on a GPU: {reason}")
            );
        }
        // Built only once: a frame of a running stream allocates nothing.
        if self.memory.load(Ordering::Relaxed) {
            return;
        }
        let where_to = match (notices.preprocessed_on, notices.access) {
            (Some(gpu), _) => {
                format!("Frames stay in the GPU's memory: GPU {gpu} preprocesses them")
            }
            (None, None | Some(Access::Direct)) => return,
            (None, Some(Access::Mapped)) => {
                "The CPU preprocesses frames mapped from the GPU's memory".to_owned()
            }
            (None, Some(Access::Downloaded)) => {
                "The CPU preprocesses frames copied from the GPU's memory".to_owned()
            }
            (None, Some(Access::Linearised)) => {
                "The CPU preprocesses frames copied out of their block-linear layout".to_owned()
            }
        };
        self.memory.store(true, Ordering::Relaxed);
        gst::element_imp_info!(element, gst::StreamError::Format, ("{where_to}"));
    }
}
