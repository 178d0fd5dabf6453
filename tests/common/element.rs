//! What tests of elements share: frames, harnesses, and pipelines that cannot hang.

use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};
use gstgaze::core::geometry::Size;

use super::frames::Picture;

/// GStreamer and our elements, ready. From here on, a warning of GLib or GStreamer ends the process,
/// as `G_DEBUG=fatal-warnings` has it for the programs that tests start.
pub fn init() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        glib::log_set_always_fatal(
            glib::LogLevels::LEVEL_ERROR
                | glib::LogLevels::LEVEL_CRITICAL
                | glib::LogLevels::LEVEL_WARNING,
        );
        gstgaze::plugin::plugin_register_static().unwrap();
    });
}

/// Whether the machine has an ONNX Runtime, with GStreamer and our elements ready; the test is named
/// as left out where it has none, and fails where the library is broken.
pub fn runtime(test: &str) -> bool {
    init();
    super::onnx_runtime(test)
}

/// Caps of raw video at 30 frames a second.
pub fn caps(format: VideoFormat, width: u32, height: u32) -> gst::Caps {
    gst_video::VideoCapsBuilder::new()
        .format(format)
        .width(width as i32)
        .height(height as i32)
        .framerate(gst::Fraction::new(30, 1))
        .build()
}

/// A frame in `format` whose left and right half have one colour each, converted by GStreamer.
pub fn halves(
    format: VideoFormat,
    width: u32,
    height: u32,
    left: [u8; 3],
    right: [u8; 3],
) -> gst::Buffer {
    let mut rgb = Vec::with_capacity((width * height * 3) as usize);
    for _ in 0..height {
        for x in 0..width {
            rgb.extend(if x < width / 2 { left } else { right });
        }
    }
    convert(rgb_buffer(Size::new(width, height), &rgb), VideoFormat::Rgb, format, width, height)
}

/// A buffer of packed RGB, whose rows start at multiples of four bytes as GStreamer wants them.
pub fn rgb_buffer(size: Size, rgb: &[u8]) -> gst::Buffer {
    let row = size.width as usize * 3;
    let stride = row.next_multiple_of(4);
    let mut padded = vec![0; stride * size.height as usize];
    for (to, from) in padded.chunks_exact_mut(stride).zip(rgb.chunks_exact(row)) {
        to[..row].copy_from_slice(from);
    }
    let mut buffer = gst::Buffer::from_slice(padded);
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::ZERO);
    buffer
}

impl Picture {
    /// A buffer of this picture, stamped with so many seconds.
    pub fn buffer(&self, second: u64) -> gst::Buffer {
        let mut buffer = rgb_buffer(self.size, &self.rgb);
        buffer.get_mut().unwrap().set_pts(gst::ClockTime::from_seconds(second));
        buffer
    }

    pub fn caps(&self) -> gst::Caps {
        caps(VideoFormat::Rgb, self.size.width, self.size.height)
    }
}

/// Converts a frame with GStreamer's own converter (nearest chroma, no dithering).
pub fn convert(
    buffer: gst::Buffer,
    from: VideoFormat,
    to: VideoFormat,
    width: u32,
    height: u32,
) -> gst::Buffer {
    let mut h = gst_check::Harness::new_parse("videoconvert dither=none chroma-mode=none");
    h.set_src_caps(caps(from, width, height));
    h.set_sink_caps(caps(to, width, height));
    h.push(buffer).unwrap();
    let mut out = h.pull().unwrap();
    out.make_mut().set_pts(gst::ClockTime::ZERO);
    out
}

/// A black frame.
pub fn black(width: u32, height: u32) -> gst::Buffer {
    let info = VideoInfo::builder(VideoFormat::Rgb, width, height).build().unwrap();
    let mut buffer = gst::Buffer::from_slice(vec![0u8; info.size()]);
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::ZERO);
    buffer
}

/// Runs a pipeline to its end; the first error ends it with its text. Never longer than a minute.
pub fn run(pipeline: &gst::Pipeline) -> Result<(), String> {
    let bus = pipeline.bus().unwrap();
    let started = pipeline.set_state(gst::State::Playing);
    let result = loop {
        use gst::MessageView::{Eos, Error};
        match bus.timed_pop_filtered(
            gst::ClockTime::from_seconds(60),
            &[gst::MessageType::Eos, gst::MessageType::Error],
        ) {
            None => break Err("neither the end nor an error within a minute".to_owned()),
            Some(message) => match message.view() {
                Eos(_) => break Ok(()),
                Error(e) => {
                    break Err(format!("{} ({})", e.error(), e.debug().unwrap_or_default()));
                }
                _ => {}
            },
        }
    };
    let _ = started;
    pipeline.set_state(gst::State::Null).unwrap();
    result
}

/// Parses and runs a pipeline description.
pub fn launch(description: &str) -> Result<(), String> {
    let pipeline = gst::parse::launch(description).map_err(|e| e.to_string())?;
    run(&pipeline.downcast::<gst::Pipeline>().unwrap())
}

/// The texts of the warnings on a bus, and takes them off it.
pub fn warnings(bus: &gst::Bus) -> Vec<String> {
    std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Warning]))
        .map(|message| match message.view() {
            gst::MessageView::Warning(warning) => warning.error().to_string(),
            _ => unreachable!("the filter lets warnings alone pass"),
        })
        .collect()
}

/// Asserts that a message has each of these words in it, in any case.
#[track_caller]
pub fn says(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.to_lowercase().contains(&word.to_lowercase()), "no '{word}' in: {error}");
    }
}
