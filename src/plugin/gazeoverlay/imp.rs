//! Virtual methods of `gazeoverlay`.
//!
//! Locks: any thread takes `settings`, to copy values in or out; the streaming thread and its
//! serialised events take `stream`. The element holds one lock at a time, and none while it posts,
//! pushes or queries.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use parking_lot::Mutex;

use super::composition;
use super::settings::{PROPERTIES, Settings};
use crate::core::draw::Painter;
use crate::core::geometry::Size;
use crate::plugin::bus;
use crate::plugin::format;
use crate::plugin::frame::{MapError, MappedFrameMut};
use crate::plugin::lost_results::LostResults;
use crate::plugin::meta::gaze;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("gazeoverlay", gst::DebugColorFlags::empty(), Some("Gaze overlay"))
});

/// What the element does with results, for warnings.
const VERB: &str = "draw";

/// See [`super::GazeOverlay`].
#[derive(Default)]
pub struct GazeOverlay {
    settings: Mutex<Settings>,
    stream: Mutex<Option<Stream>>,
    /// Downstream accepted the caps of overlays but does not blend them. Caps queries read it.
    overlays_refused: AtomicBool,
    lost_results: LostResults,
    /// Whether the element has warned about a broken buffer since the start.
    broken_buffer_reported: AtomicBool,
}

/// The state from start to stop.
struct Stream {
    painter: Painter,
    info: Option<gst_video::VideoInfo>,
    blending: Blending,
}

/// Which element blends the drawing into the pixels.
#[derive(Clone, Debug, PartialEq)]
enum Blending {
    /// This element.
    Here,
    /// Negotiation chose these caps; the allocation query to downstream is still to come.
    Undecided(gst::Caps),
    /// An element downstream.
    Downstream,
}

#[glib::object_subclass]
impl ObjectSubclass for GazeOverlay {
    const NAME: &'static str = "GstGazeOverlay";
    type Type = super::GazeOverlay;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for GazeOverlay {
    fn properties() -> &'static [glib::ParamSpec] {
        PROPERTIES.specs()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = PROPERTIES.set(&mut self.settings.lock(), pspec.name(), value);
        if let Err(reason) = result {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{reason}"));
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let value = PROPERTIES.get(&mut self.settings.lock(), pspec.name());
        value.unwrap_or_else(|| pspec.default_value().clone())
    }
}

impl GstObjectImpl for GazeOverlay {}

impl ElementImpl for GazeOverlay {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Gaze overlay",
                "Filter/Editor/Video",
                "Draws the gaze of each face on the video: box, arrow, pitch and yaw",
                "The gst-plugin-gaze authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| format::pad_templates(&composition::template_caps()));
        &TEMPLATES
    }

    fn post_message(&self, message: gst::Message) -> bool {
        bus::log(*CAT, &*self.obj(), &message);
        self.parent_post_message(message)
    }
}

impl BaseTransformImpl for GazeOverlay {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let painter = Painter::new()
            .map_err(|error| gst::error_msg!(gst::LibraryError::Init, ("{error}")))?;
        self.overlays_refused.store(false, Ordering::Relaxed);
        self.broken_buffer_reported.store(false, Ordering::Relaxed);
        self.lost_results.reset();
        *self.stream.lock() = Some(Stream { painter, info: None, blending: Blending::Here });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *self.stream.lock() = None;
        Ok(())
    }

    fn transform_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        let caps = match direction {
            gst::PadDirection::Src => composition::sink_caps(caps),
            _ => composition::src_caps(caps, !self.overlays_refused.load(Ordering::Relaxed)),
        };
        Some(match filter {
            Some(filter) => filter.intersect_with_mode(&caps, gst::CapsIntersectMode::First),
            None => caps,
        })
    }

    fn set_caps(&self, incaps: &gst::Caps, outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "cannot read caps {incaps}"))?;
        gst::debug!(CAT, imp = self, "caps {incaps} to {outcaps}");
        if let Some(stream) = self.stream.lock().as_mut() {
            stream.info = Some(info);
            stream.blending = match composition::has_feature(outcaps) {
                true => Blending::Undecided(outcaps.clone()),
                false => Blending::Here,
            };
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.type_() {
            gst::EventType::StreamStart => self.lost_results.reset(),
            gst::EventType::Eos => self.lost_results.finish(&*self.obj(), VERB),
            _ => {}
        }
        self.parent_sink_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.decide_blending();
        let result = gaze::read(buffer);
        let faces = result.as_ref().map(|result| result.faces.len());
        self.lost_results.count(&*self.obj(), VERB, buffer, faces);
        let Some(result) = result.filter(|result| !result.faces.is_empty()) else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let style = self.settings.lock().style;
        let drawn = {
            let mut stream = self.stream.lock();
            let Stream { painter, info, blending } =
                stream.as_mut().ok_or(gst::FlowError::Flushing)?;
            let info = info.as_ref().ok_or(gst::FlowError::NotNegotiated)?;
            let size = Size::new(info.width(), info.height());
            let scene = painter.lay_out(&result.rescaled(size).faces, size, &style);
            match blending {
                _ if scene.items().is_empty() => Ok(()),
                Blending::Downstream => {
                    composition::attach(buffer, painter).map_err(MapError::from)
                }
                _ => blend(buffer, info, painter),
            }
        };
        if let Err(error) = drawn {
            self.warn_broken_buffer(&error);
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

/// Draws on the pixels of the buffer.
fn blend(
    buffer: &mut gst::BufferRef,
    info: &gst_video::VideoInfo,
    painter: &mut Painter,
) -> Result<(), MapError> {
    let mut map = MappedFrameMut::map(buffer, info)?;
    painter.paint(&mut map.frame()?);
    Ok(())
}

impl GazeOverlay {
    /// Asks downstream whether it blends overlays. Elements that take any caps (queues, tees,
    /// fakesink) accept those of overlays too, so only the allocation query tells. It works only after
    /// the caps have gone downstream: at the first frame after them.
    fn decide_blending(&self) {
        let ask = match self.stream.lock().as_ref().map(|stream| &stream.blending) {
            Some(Blending::Undecided(caps)) => caps.clone(),
            _ => return,
        };
        let mut query = gst::query::Allocation::new(Some(&ask), false);
        let taken = self.obj().src_pad().peer_query(&mut query)
            && query.find_allocation_meta::<gst_video::VideoOverlayCompositionMeta>().is_some();
        gst::debug!(CAT, imp = self, "downstream blends overlays: {taken}");
        let blending = if taken { Blending::Downstream } else { Blending::Here };
        if let Some(stream) = self.stream.lock().as_mut() {
            stream.blending = blending;
        }
        // The next frame gets caps without the feature. This element blends the current one, which the
        // feature permits.
        if !taken && !self.overlays_refused.swap(true, Ordering::Relaxed) {
            self.obj().reconfigure_src();
        }
    }

    /// Passes a broken buffer on: one of them does not end the stream.
    fn warn_broken_buffer(&self, error: &MapError) {
        // A broken source breaks every frame; one warning is enough.
        if self.broken_buffer_reported.swap(true, Ordering::Relaxed) {
            gst::debug!(CAT, imp = self, "frame passed on without overlay: {error}");
        } else {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Decode,
                ("Frame passed on without overlay: {error}")
            );
        }
    }
}
