//! Virtual methods of `gazeoverlay`.
//!
//! Locks: `settings` (any thread, held to copy out) and `stream` (streaming thread and its
//! serialised events). They are never held together, and none while something is posted, pushed or
//! queried.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};

use glib::subclass::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use super::attach;
use super::settings::{PROPERTIES, Settings};
use crate::core::draw::Painter;
use crate::core::geometry::Size;
use crate::plugin::frame::{MapError, MappedFrameMut};
use crate::plugin::meta::gaze;
use crate::plugin::{format, lock};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new("gazeoverlay", gst::DebugColorFlags::empty(), Some("Gaze overlay"))
});

/// See [`super::GazeOverlay`].
#[derive(Default)]
pub struct GazeOverlay {
    settings: Mutex<Settings>,
    stream: Mutex<Option<Stream>>,
    /// Downstream accepted the caps of overlays but does not take them; read by caps queries.
    refused: AtomicBool,
    /// Whether a broken buffer was spoken of since the start.
    broken_buffer: AtomicBool,
}

/// What lives from start to stop.
struct Stream {
    painter: Painter,
    info: Option<gst_video::VideoInfo>,
    blender: Blender,
}

/// Who puts the drawing onto the pixels.
#[derive(Clone, Debug, PartialEq)]
enum Blender {
    /// This element.
    Here,
    /// Perhaps downstream: these caps were agreed on, its allocation query was not asked yet.
    Ask(gst::Caps),
    /// Downstream.
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
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = lock(&self.settings).set(pspec.name(), value);
        if let Err(reason) = result {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{reason}"));
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let value = lock(&self.settings).get(pspec.name());
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
                "Draws on a video where each face looks: box, arrow, pitch and yaw",
                "The gst-plugin-gaze authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| format::pad_templates(&attach::template_caps()));
        &TEMPLATES
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
        self.refused.store(false, Ordering::Relaxed);
        self.broken_buffer.store(false, Ordering::Relaxed);
        *lock(&self.stream) = Some(Stream { painter, info: None, blender: Blender::Here });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.stream) = None;
        Ok(())
    }

    fn transform_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        let caps = match direction {
            gst::PadDirection::Src => attach::sink_caps(caps),
            _ => attach::src_caps(caps, !self.refused.load(Ordering::Relaxed)),
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
        if let Some(stream) = lock(&self.stream).as_mut() {
            stream.info = Some(info);
            stream.blender = match attach::has_feature(outcaps) {
                true => Blender::Ask(outcaps.clone()),
                false => Blender::Here,
            };
        }
        Ok(())
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.settle_blender();
        let Some(result) = gaze::read(buffer).filter(|result| !result.faces.is_empty()) else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let style = lock(&self.settings).style;
        let drawn = {
            let mut stream = lock(&self.stream);
            let Stream { painter, info, blender } =
                stream.as_mut().ok_or(gst::FlowError::Flushing)?;
            let info = info.as_ref().ok_or(gst::FlowError::NotNegotiated)?;
            let size = Size::new(info.width(), info.height());
            let scene = painter.lay_out(&result.rescaled(size).faces, size, &style);
            match blender {
                _ if scene.items().is_empty() => Ok(()),
                Blender::Downstream => attach::attach(buffer, painter).map_err(MapError::from),
                _ => blend(buffer, info, painter),
            }
        };
        if let Err(error) = drawn {
            self.broken(&error);
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

/// Draws on the buffer's own pixels.
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
    /// Elements that take any caps (queues, tees, fakesink) accept those of overlays without
    /// knowing them. Only the allocation query tells, and it can be asked only once the caps have
    /// gone downstream: that is, at the first frame after them.
    fn settle_blender(&self) {
        let ask = match lock(&self.stream).as_ref().map(|stream| &stream.blender) {
            Some(Blender::Ask(caps)) => caps.clone(),
            _ => return,
        };
        let mut query = gst::query::Allocation::new(Some(&ask), false);
        let taken = self.obj().src_pad().peer_query(&mut query)
            && query.find_allocation_meta::<gst_video::VideoOverlayCompositionMeta>().is_some();
        gst::debug!(CAT, imp = self, "downstream blends overlays: {taken}");
        let blender = if taken { Blender::Downstream } else { Blender::Here };
        if let Some(stream) = lock(&self.stream).as_mut() {
            stream.blender = blender;
        }
        // From the next frame on without the promise; this one is blended here, which is allowed
        // with it.
        if !taken && !self.refused.swap(true, Ordering::Relaxed) {
            self.obj().reconfigure_src();
        }
    }

    /// One broken buffer does not end the stream.
    fn broken(&self, error: &MapError) {
        // A source that is broken is so for every frame; the bus hears of it once.
        if self.broken_buffer.swap(true, Ordering::Relaxed) {
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
