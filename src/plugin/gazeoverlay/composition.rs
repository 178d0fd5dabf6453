//! Overlay compositions, which downstream blends: the caps that negotiate them, and the metadata on
//! the buffer.

use gst_video::{
    CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION as FEATURE, VideoFormat, VideoFrameFlags,
    VideoMeta, VideoOverlayComposition, VideoOverlayCompositionMeta, VideoOverlayFormatFlags,
    VideoOverlayRectangle,
};

use crate::core::draw::Painter;
use crate::core::geometry::PixelRect;

/// The only RGB format of overlays; it depends on the byte order (gstvideo-overlay-composition.h).
const FORMAT: VideoFormat =
    if cfg!(target_endian = "little") { VideoFormat::Bgra } else { VideoFormat::Argb };

/// Whether the caps have the feature with which downstream promises to blend overlays.
pub(super) fn has_feature(caps: &gst::CapsRef) -> bool {
    caps.features(0).is_some_and(|features| features.contains(FEATURE))
}

/// The structures of `caps` in plain system memory, with the feature added.
fn with_feature(caps: &gst::CapsRef) -> gst::Caps {
    let feature = gst::CapsFeatures::new([FEATURE]);
    let plain = caps
        .iter_with_features()
        .filter(|(_, features)| features.is_equal(&gst::CAPS_FEATURES_MEMORY_SYSTEM_MEMORY));
    plain.map(|(structure, _)| (structure.to_owned(), feature.clone())).collect()
}

/// The caps of the source pad for those of the sink pad: with the feature added, if `offered`, and
/// unchanged. The feature of incoming caps stays, because their buffers may have overlays.
pub(super) fn src_caps(sink: &gst::Caps, offered: bool) -> gst::Caps {
    let mut caps = if offered { with_feature(sink) } else { gst::Caps::new_empty() };
    caps.merge(sink.clone());
    caps
}

/// The caps of the sink pad for those of the source pad: unchanged, and without the feature, which
/// this element can add.
pub(super) fn sink_caps(src: &gst::Caps) -> gst::Caps {
    let mut caps = src.clone();
    let promised = src.iter_with_features().filter(|(_, features)| features.contains(FEATURE));
    let plain: gst::Caps = promised
        .map(|(structure, _)| (structure.to_owned(), gst::CapsFeatures::new_empty()))
        .collect();
    caps.merge(plain);
    caps
}

/// The caps of both pad templates.
pub(super) fn template_caps() -> gst::Caps {
    src_caps(&crate::plugin::format::caps(), true)
}

/// Attaches the scene that the painter laid out, after the overlays of the buffer.
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
    // Sinks read only the first overlay of a buffer.
    if let Some(mut meta) = buffer.meta_mut::<VideoOverlayCompositionMeta>() {
        let present = meta.overlay().iter().collect::<Vec<_>>();
        let all = VideoOverlayComposition::new(present.iter().chain(&rectangles))?;
        meta.set_overlay(&all);
    } else {
        let overlay = VideoOverlayComposition::new(&rectangles)?;
        VideoOverlayCompositionMeta::add(buffer, &overlay);
    }
    Ok(())
}

/// One overlay from premultiplied RGBA pixels.
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
    fn caps_offer_the_feature_and_never_remove_it() {
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
