//! One table of video formats: GStreamer's names and ours, and the caps made from it.

use gst_video::{VideoColorMatrix, VideoColorRange, VideoFormat};

use crate::core::image::PixelFormat;
use crate::core::image::color::{ColorMatrix, ColorRange, Colorimetry};
use crate::plugin::nvidia_buffer;

/// Caps feature of the memory of GStreamer's own CUDA elements.
const CUDA_FEATURE: &str = "memory:CUDAMemory";

/// Every format that is read (and drawn on), in the order in which it is offered: what decoders
/// and cameras give comes first.
const MAPPINGS: [(VideoFormat, PixelFormat); 17] = [
    (VideoFormat::Nv12, PixelFormat::Nv12),
    (VideoFormat::Nv21, PixelFormat::Nv21),
    (VideoFormat::I420, PixelFormat::I420),
    (VideoFormat::Yv12, PixelFormat::Yv12),
    (VideoFormat::Yuy2, PixelFormat::Yuy2),
    (VideoFormat::Uyvy, PixelFormat::Uyvy),
    (VideoFormat::Rgb, PixelFormat::Rgb),
    (VideoFormat::Bgr, PixelFormat::Bgr),
    (VideoFormat::Rgba, PixelFormat::Rgba),
    (VideoFormat::Bgra, PixelFormat::Bgra),
    (VideoFormat::Rgbx, PixelFormat::Rgbx),
    (VideoFormat::Bgrx, PixelFormat::Bgrx),
    (VideoFormat::Xrgb, PixelFormat::Xrgb),
    (VideoFormat::Xbgr, PixelFormat::Xbgr),
    (VideoFormat::Argb, PixelFormat::Argb),
    (VideoFormat::Abgr, PixelFormat::Abgr),
    (VideoFormat::Gray8, PixelFormat::Gray8),
];

/// Ours for GStreamer's; `None` for a format that is not read.
pub fn pixel_format(format: VideoFormat) -> Option<PixelFormat> {
    MAPPINGS.iter().find(|(theirs, _)| *theirs == format).map(|(_, ours)| *ours)
}

/// What the sample values of a stream mean. A matrix that is not known is BT.601, as GStreamer and
/// OpenCV assume it.
pub fn colorimetry(info: &gst_video::VideoInfo) -> Colorimetry {
    let stated = info.colorimetry();
    let matrix = match stated.matrix() {
        VideoColorMatrix::Bt709 => ColorMatrix::Bt709,
        VideoColorMatrix::Bt2020 => ColorMatrix::Bt2020,
        _ => ColorMatrix::Bt601,
    };
    let range = match stated.range() {
        VideoColorRange::Range0_255 => ColorRange::Full,
        _ => ColorRange::Limited,
    };
    Colorimetry { matrix, range }
}

/// `video/x-raw` in system memory, every format of the table, any size.
pub fn caps() -> gst::Caps {
    gst_video::VideoCapsBuilder::new()
        .format_list(MAPPINGS.iter().map(|(theirs, _)| *theirs))
        .build()
}

/// The same in every memory whose pixels can be read: the host's, CUDA's as GStreamer has it (its
/// maps bring frames to the host), and NVIDIA's NVMM.
pub fn readable_caps() -> gst::Caps {
    let host = caps();
    let mut all = host.clone();
    let caps = all.make_mut();
    for feature in [CUDA_FEATURE, nvidia_buffer::FEATURE] {
        for structure in host.iter() {
            let features = gst::CapsFeatures::new([feature]);
            caps.append_structure_full(structure.to_owned(), Some(features));
        }
    }
    all
}

/// Always-pads that take and give `caps`.
pub fn pad_templates(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    [("sink", gst::PadDirection::Sink), ("src", gst::PadDirection::Src)]
        .into_iter()
        .filter_map(|(name, direction)| {
            gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps).ok()
        })
        .collect()
}

/// Takes crop metadata out of what upstream is offered. Downstream may crop by it, and the pixels
/// that are read here would be others than those that are shown.
pub fn refuse_crop(query: &mut gst::query::Allocation) {
    if let Some(index) = query.find_allocation_meta::<gst_video::VideoCropMeta>() {
        query.remove_nth_allocation_meta(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_format_has_one_row() {
        for format in PixelFormat::ALL {
            assert_eq!(MAPPINGS.iter().filter(|(_, ours)| *ours == format).count(), 1);
        }
        assert_eq!(pixel_format(VideoFormat::P01010le), None);
    }

    #[test]
    fn caps_name_the_colours() {
        gst::init().unwrap();
        let info = |colorimetry: &str| {
            let caps = gst::Caps::builder("video/x-raw")
                .field("format", "NV12")
                .field("width", 64)
                .field("height", 64)
                .field("framerate", gst::Fraction::new(0, 1))
                .field("colorimetry", colorimetry)
                .build();
            gst_video::VideoInfo::from_caps(&caps).unwrap()
        };
        assert_eq!(
            super::colorimetry(&info("bt709")),
            Colorimetry { matrix: ColorMatrix::Bt709, range: ColorRange::Limited }
        );
        assert_eq!(
            super::colorimetry(&info("1:4:0:0")),
            Colorimetry { matrix: ColorMatrix::Bt601, range: ColorRange::Full }
        );
    }
}
