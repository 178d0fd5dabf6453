//! The table of video formats, from GStreamer's to the crate's, and the caps made from it.

use gst_video::{VideoColorMatrix, VideoColorRange, VideoFormat};

use crate::core::geometry::PixelAspect;
use crate::core::image::PixelFormat;
use crate::core::image::color::{ColorMatrix, ColorRange, Colorimetry};
use crate::nvidia::format as surface;
use crate::plugin::nvidia_buffer;

/// The caps feature of memory from GStreamer's CUDA elements.
const CUDA_FEATURE: &str = "memory:CUDAMemory";

/// Every format that the elements read and draw on, in the order of the caps: the usual formats of
/// decoders and cameras come first.
const MAPPINGS: [(VideoFormat, PixelFormat); 35] = [
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
    (VideoFormat::Nv16, PixelFormat::Nv16),
    (VideoFormat::Nv61, PixelFormat::Nv61),
    (VideoFormat::Nv24, PixelFormat::Nv24),
    (VideoFormat::Y42b, PixelFormat::Y42b),
    (VideoFormat::Y444, PixelFormat::Y444),
    (VideoFormat::Y41b, PixelFormat::Y41b),
    (VideoFormat::Yvyu, PixelFormat::Yvyu),
    (VideoFormat::Vyuy, PixelFormat::Vyuy),
    (VideoFormat::P01010le, PixelFormat::P010),
    (VideoFormat::P012Le, PixelFormat::P012),
    (VideoFormat::P016Le, PixelFormat::P016),
    (VideoFormat::I42010le, PixelFormat::I420p10),
    (VideoFormat::I42210le, PixelFormat::I422p10),
    (VideoFormat::Y44410le, PixelFormat::Y444p10),
    (VideoFormat::I42012le, PixelFormat::I420p12),
    (VideoFormat::I42212le, PixelFormat::I422p12),
    (VideoFormat::Y44412le, PixelFormat::Y444p12),
    (VideoFormat::Gray16Le, PixelFormat::Gray16),
];

/// Returns the crate's format for one of GStreamer's; `None` for one that is not supported.
pub fn pixel_format(format: VideoFormat) -> Option<PixelFormat> {
    MAPPINGS.iter().find(|(theirs, _)| *theirs == format).map(|(_, ours)| *ours)
}

/// Returns the meaning of the sample values of a stream. An unknown matrix counts as BT.601, as in
/// GStreamer and OpenCV.
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

/// Returns the shape of the pixels of a stream.
pub fn pixel_aspect(info: &gst_video::VideoInfo) -> PixelAspect {
    let stated = info.par();
    PixelAspect::new(f64::from(stated.numer()), f64::from(stated.denom()))
}

/// `video/x-raw` in system memory, in every format of the table and any size.
pub fn caps() -> gst::Caps {
    caps_of(|_| true)
}

/// `video/x-raw` in system memory, in the formats that NVIDIA's surfaces are read in.
pub fn surface_caps() -> gst::Caps {
    caps_of(surface::is_read)
}

fn caps_of(wanted: impl Fn(PixelFormat) -> bool) -> gst::Caps {
    let formats = MAPPINGS.iter().filter(|(_, ours)| wanted(*ours)).map(|(theirs, _)| *theirs);
    gst_video::VideoCapsBuilder::new().format_list(formats).build()
}

/// The caps of every memory that the elements read: the host's, that of GStreamer's CUDA elements
/// (mapping it copies the frame to the host), and NVIDIA's NVMM, which has fewer formats.
pub fn readable_caps() -> gst::Caps {
    let mut all = caps();
    let read = [(CUDA_FEATURE, all.clone()), (nvidia_buffer::FEATURE, surface_caps())];
    let caps = all.make_mut();
    for (feature, formats) in read {
        for structure in formats.iter() {
            let features = gst::CapsFeatures::new([feature]);
            caps.append_structure_full(structure.to_owned(), Some(features));
        }
    }
    all
}

/// The templates of two always-pads with `caps`.
pub fn pad_templates(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    [("sink", gst::PadDirection::Sink), ("src", gst::PadDirection::Src)]
        .into_iter()
        .filter_map(|(name, direction)| {
            gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps).ok()
        })
        .collect()
}

/// Removes crop metadata from the offer to upstream. With it, downstream would show a crop while the
/// element reads the whole picture.
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
        assert_eq!(pixel_format(VideoFormat::Nv1264z32), None);
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
