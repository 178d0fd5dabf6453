//! What cameras and decoders give reaches the elements without a converter, and what gives wrong angles
//! is told once with its remedy: HDR, interlaced video, pictures that are nearly black.
#![cfg(feature = "plugin")]
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use common::element::{black, caps, init, launch, runtime, says, warnings};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::prelude::*;
use gst_video::{VideoBufferFlags, VideoFormat};
use gstgaze::plugin::format;

/// The formats that elements read in system memory.
fn formats() -> Vec<String> {
    let caps = format::caps();
    let list = caps.structure(0).unwrap().get::<gst::List>("format").unwrap();
    list.iter().map(|format| format.get::<String>().unwrap()).collect()
}

#[test]
fn every_format_goes_through_all_elements_without_a_converter() {
    if !runtime("every_format_goes_through_all_elements_without_a_converter") {
        return;
    }
    for name in [
        "NV16",
        "NV61",
        "NV24",
        "Y42B",
        "Y444",
        "Y41B",
        "YVYU",
        "VYUY",
        "P010_10LE",
        "P012_LE",
        "P016_LE",
        "I420_10LE",
        "I422_10LE",
        "Y444_10LE",
        "I420_12LE",
        "I422_12LE",
        "Y444_12LE",
        "GRAY16_LE",
    ] {
        assert!(formats().iter().any(|format| format == name), "{name}");
    }
    let engine = common::data("regression.onnx");
    let profile = common::data("regression.toml");
    for format in formats() {
        for size in ["width=64,height=48", "width=61,height=37"] {
            let result = launch(&format!(
                "videotestsrc num-buffers=2 ! video/x-raw,format={format},{size} ! gazeface ! \
                 gazeinfer inference-region=full-frame engine={} profile={} ! gazemonitor ! \
                 gazepublish location=/dev/null ! gazeoverlay ! fakesink",
                engine.display(),
                profile.display()
            ));
            assert_eq!(result, Ok(()), "{format} {size}");
        }
    }
}

#[test]
fn what_decoders_give_needs_no_converter() {
    init();
    let mut tried = 0;
    for (needs, source) in [
        (&["jpegenc", "jpegdec"][..], "video/x-raw,format=I420 ! jpegenc ! jpegdec"),
        (
            &["jpegenc", "avdec_mjpeg"],
            "video/x-raw,format=Y42B ! jpegenc ! jpegparse ! avdec_mjpeg",
        ),
        (
            &["jpegenc", "avdec_mjpeg"],
            "video/x-raw,format=Y444 ! jpegenc ! jpegparse ! avdec_mjpeg",
        ),
        (
            &["avenc_dvvideo", "avdec_dvvideo"],
            "video/x-raw,format=Y41B,width=720,height=480,framerate=30000/1001 ! avenc_dvvideo ! avdec_dvvideo",
        ),
        (
            &["x265enc", "avdec_h265"],
            "video/x-raw,format=I420_10LE ! x265enc ! h265parse ! avdec_h265",
        ),
        (
            &["x265enc", "avdec_h265"],
            "video/x-raw,format=I422_10LE ! x265enc ! h265parse ! avdec_h265",
        ),
        (
            &["x265enc", "avdec_h265"],
            "video/x-raw,format=Y444_10LE ! x265enc ! h265parse ! avdec_h265",
        ),
    ] {
        let missing = needs.iter().find(|name| gst::ElementFactory::find(name).is_none());
        if let Some(missing) = missing {
            println!("left out, without {missing}: {source}");
            continue;
        }
        tried += 1;
        let pipeline =
            format!("videotestsrc num-buffers=3 ! {source} ! gazeface ! gazeoverlay ! fakesink");
        assert_eq!(launch(&pipeline), Ok(()), "{source}");
    }
    assert!(tried > 0, "no decoder is installed");
}

#[test]
fn the_elements_agree_on_formats() {
    init();
    let sink = |name: &str| {
        let factory = gst::ElementFactory::find(name).unwrap();
        let templates = factory.static_pad_templates();
        templates.iter().find(|pad| pad.direction() == gst::PadDirection::Sink).unwrap().caps()
    };
    let all = format::caps();
    for name in ["gazeface", "gazeinfer", "gazeoverlay", "gazemonitor", "gazepublish"] {
        assert!(all.is_subset(&sink(name)), "{name}");
    }
    for name in ["gazeface", "gazeinfer", "gazeoverlay"] {
        let other = caps_of_format("NV12_64Z32");
        assert!(!other.can_intersect(&sink(name)), "{name}");
    }
}

fn caps_of_format(format: &str) -> gst::Caps {
    gst::Caps::builder("video/x-raw").field("format", format).build()
}

/// An element in a harness, and its bus.
fn element(description: &str) -> (Harness, gst::Bus) {
    let h = Harness::new_parse(description);
    let bus = gst::Bus::new();
    let bin = h.element().unwrap().downcast::<gst::Bin>().unwrap();
    bin.set_bus(Some(&bus));
    (h, bus)
}

fn infos(bus: &gst::Bus) -> Vec<String> {
    std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Info]))
        .filter_map(|message| match message.view() {
            gst::MessageView::Info(info) => Some(info.error().to_string()),
            _ => None,
        })
        .collect()
}

fn with(field: &str, value: &str, format: VideoFormat) -> gst::Caps {
    let mut caps = caps(format, 64, 48);
    let structure = caps.make_mut().structure_mut(0).unwrap();
    structure.set(field, value);
    caps
}

/// The elements that read pixels, each by itself.
fn readers() -> Vec<String> {
    let mut readers = vec!["gazeface".to_owned()];
    if common::onnx_runtime("gazeinfer") {
        readers.push(format!(
            "gazeinfer inference-region=full-frame engine={} profile={}",
            common::data("regression.onnx").display(),
            common::data("regression.toml").display()
        ));
    }
    readers
}

fn frame(format: VideoFormat) -> gst::Buffer {
    common::element::convert(black(64, 48), VideoFormat::Rgb, format, 64, 48)
}

#[test]
fn hdr_is_told_once_with_its_remedy() {
    init();
    for reader in readers() {
        for (colorimetry, curve) in [("bt2100-hlg", "HLG"), ("bt2100-pq", "PQ")] {
            for format in [VideoFormat::P01010le, VideoFormat::I420, VideoFormat::I42010le] {
                let (mut h, bus) = element(&reader);
                for _ in 0..2 {
                    h.set_src_caps(with("colorimetry", colorimetry, format));
                    h.push(frame(format)).unwrap();
                    h.set_src_caps(caps(VideoFormat::Nv12, 64, 48));
                    h.push(frame(VideoFormat::Nv12)).unwrap();
                }
                let told = warnings(&bus);
                assert_eq!(told.len(), 1, "{reader} {colorimetry}: {told:?}");
                let remedy = "videoconvert gamma-mode=remap primaries-mode=fast ! \
                              video/x-raw,colorimetry=bt709";
                says(&told[0], &[curve, remedy]);
            }
        }
        // Wide colours alone are no HDR.
        for colorimetry in ["bt709", "bt601", "bt2020", "bt2020-10", "1:4:0:0"] {
            let (mut h, bus) = element(&reader);
            h.set_src_caps(with("colorimetry", colorimetry, VideoFormat::I42010le));
            h.push(frame(VideoFormat::I42010le)).unwrap();
            assert_eq!(warnings(&bus), [""; 0], "{reader} {colorimetry}");
        }
    }
}

#[test]
fn interlaced_video_is_told_once_with_its_remedy() {
    init();
    for reader in readers() {
        for (mode, flagged, expected) in [
            ("interleaved", false, 1),
            ("mixed", true, 1),
            ("mixed", false, 0),
            ("progressive", false, 0),
        ] {
            let (mut h, bus) = element(&reader);
            h.set_src_caps(with("interlace-mode", mode, VideoFormat::I420));
            for _ in 0..3 {
                let mut buffer = frame(VideoFormat::I420);
                if flagged {
                    buffer.get_mut().unwrap().set_video_flags(VideoBufferFlags::INTERLACED);
                }
                h.push(buffer).unwrap();
            }
            let told = infos(&bus);
            let told: Vec<_> = told.iter().filter(|text| text.contains("interlaced")).collect();
            assert_eq!(told.len(), expected, "{reader} {mode}: {told:?}");
            if let Some(text) = told.first() {
                says(text, &["'deinterlace'"]);
            }
        }
    }
}

#[test]
fn a_picture_in_the_low_bits_is_told_once() {
    init();
    let of = |most: u16| {
        let samples = (0..64 * 48u32).map(|i| (i * 37 % (u32::from(most) + 1)) as u16);
        let bytes: Vec<u8> = samples.flat_map(u16::to_le_bytes).collect();
        let mut buffer = gst::Buffer::from_slice(bytes);
        buffer.get_mut().unwrap().set_pts(gst::ClockTime::ZERO);
        buffer
    };
    for (most, expected) in [(1023, 1), (4095, 1), (65535, 0)] {
        let (mut h, bus) = element("gazeface");
        h.set_src_caps(caps(VideoFormat::Gray16Le, 64, 48));
        for _ in 0..80 {
            h.push(of(most)).unwrap();
        }
        let told = infos(&bus);
        assert_eq!(told.len(), expected, "{most}: {told:?}");
        if let Some(text) = told.first() {
            says(text, &["nearly black", "GRAY16_LE", "shift"]);
        }
    }
}
