//! Overlays for downstream to blend: the caps that say so, and the pictures on the buffer.

use gst_video::{
    CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION as FEATURE, VideoFormat, VideoFrameFlags,
    VideoMeta, VideoOverlayComposition, VideoOverlayCompositionMeta, VideoOverlayFormatFlags,
    VideoOverlayRectangle,
};

use crate::core::draw::Painter;
use crate::core::geometry::PixelRect;

/// The only RGB format of overlays, by the machine's byte order (gstvideo-overlay-composition.h).
const FORMAT: VideoFormat =
    if cfg!(target_endian = "little") { VideoFormat::Bgra } else { VideoFormat::Argb };

/// Whether the caps promise that downstream blends overlays.
pub(super) fn has_feature(caps: &gst::CapsRef) -> bool {
    caps.features(0).is_some_and(|features| features.contains(FEATURE))
}

/// Those caps of `caps` that lie in system memory and promise no overlays yet, with the promise.
fn with_feature(caps: &gst::CapsRef) -> gst::Caps {
    let promised = gst::CapsFeatures::new([FEATURE]);
    let plain = caps
        .iter_with_features()
        .filter(|(_, features)| features.is_equal(&gst::CAPS_FEATURES_MEMORY_SYSTEM_MEMORY));
    plain.map(|(structure, _)| (structure.to_owned(), promised.clone())).collect()
}

/// What the source pad can give for what comes in: the same with the promise, where it may be
/// `offered`, and the same. A promise that comes in cannot be taken back, since there may be
/// overlays on the buffers.
pub(super) fn src_caps(sink: &gst::Caps, offered: bool) -> gst::Caps {
    let mut caps = if offered { with_feature(sink) } else { gst::Caps::new_empty() };
    caps.merge(sink.clone());
    caps
}

/// What the sink pad can take for what goes out: the same, and without the promise, which this
/// element can make itself.
pub(super) fn sink_caps(src: &gst::Caps) -> gst::Caps {
    let mut caps = src.clone();
    let promised = src.iter_with_features().filter(|(_, features)| features.contains(FEATURE));
    let plain: gst::Caps = promised
        .map(|(structure, _)| (structure.to_owned(), gst::CapsFeatures::new_empty()))
        .collect();
    caps.merge(plain);
    caps
}

/// Everything that the pads can ever take and give.
pub(super) fn template_caps() -> gst::Caps {
    src_caps(&crate::plugin::format::caps(), true)
}

/// Attaches what the painter laid out, beside the overlays that are already there.
pub(super) fn attach(
    buffer: &mut gst::BufferRef,
    painter: &mut Painter,
) -> Result<(), glib::BoolError> {
    let mut rectangles = Vec::new();
    let mut result = Ok(());
    painter.for_each_tile(|place, canvas| match rectangle(place, canvas) {
        Ok(rectangle) => rectangles.push(rectangle),
        Err(error) => result = Err(error),
    });
    result?;
    if rectangles.is_empty() {
        return Ok(());
    }
    // Sinks look at the first overlay of a buffer only.
    if let Some(mut meta) = buffer.meta_mut::<VideoOverlayCompositionMeta>() {
        let there = meta.overlay().iter().collect::<Vec<_>>();
        let all = VideoOverlayComposition::new(there.iter().chain(&rectangles))?;
        meta.set_overlay(&all);
    } else {
        let overlay = VideoOverlayComposition::new(&rectangles)?;
        VideoOverlayCompositionMeta::add(buffer, &overlay);
    }
    Ok(())
}

/// One picture, given as premultiplied RGBA.
fn rectangle(place: PixelRect, canvas: &[u8]) -> Result<VideoOverlayRectangle, glib::BoolError> {
    let PixelRect { x, y, width, height } = place;
    let mut pixels = gst::Buffer::with_size(canvas.len())?;
    {
        let pixels = pixels.make_mut();
        let mut map = pixels.map_writable()?;
        for (to, from) in map.chunks_exact_mut(4).zip(canvas.chunks_exact(4)) {
            let argb = u32::from_be_bytes([from[3], from[0], from[1], from[2]]);
            to.copy_from_slice(&argb.to_ne_bytes());
        }
        drop(map);
        VideoMeta::add(pixels, VideoFrameFlags::empty(), FORMAT, width, height)?;
    }
    let flags = VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA;
    Ok(VideoOverlayRectangle::new_raw(&pixels, x, y, width, height, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_offer_the_promise_and_never_take_it_back() {
        gst::init().unwrap();
        let caps = |feature: &str| {
            format!("video/x-raw{feature}, format=NV12, width=64").parse::<gst::Caps>().unwrap()
        };
        let plain = caps("");
        let promised = caps("(meta:GstVideoOverlayComposition)");
        let mut both = promised.clone();
        both.merge(plain.clone());
        assert!(src_caps(&plain, true).is_strictly_equal(&both));
        assert_eq!(src_caps(&plain, false), plain);
        assert_eq!(src_caps(&promised, true), promised);
        assert_eq!(sink_caps(&plain), plain);
        assert!(sink_caps(&promised).is_strictly_equal(&both));
        let elsewhere = caps("(memory:NVMM)");
        assert_eq!(src_caps(&elsewhere, true), elsewhere);
    }
}
