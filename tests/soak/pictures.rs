//! Frames with a face: the demonstration's clip, decoded, cropped and scaled once, and gone through
//! there and back again and again.

use std::path::Path;

use gst::prelude::*;
use gst_video::VideoFormat;

/// Frames kept of the clip.
const COUNT: usize = 75;

/// Where the face is in the clip's 1280x720, with some room: left, right, top and bottom that go.
const CROP: &str = "left=240 right=480 top=120 bottom=90";

/// One kind of frames.
pub struct Pictures {
    pub caps: gst::Caps,
    pub frames: Vec<gst::Buffer>,
}

impl Pictures {
    /// Decodes the clip into frames of one format and size.
    pub fn decode(
        clip: &Path,
        format: VideoFormat,
        width: i32,
        height: i32,
        mirrored: bool,
    ) -> Result<Self, String> {
        let flip = if mirrored { "videoflip method=horizontal-flip !" } else { "" };
        let description = format!(
            "filesrc location=\"{}\" ! decodebin ! videocrop {CROP} ! videoconvert ! {flip} \
             videoscale method=lanczos ! video/x-raw,width={width},height={height},\
             pixel-aspect-ratio=1/1 ! videoconvert ! video/x-raw,format={format} ! \
             appsink name=sink sync=false max-buffers=4",
            clip.display()
        );
        let pipeline = gst::parse::launch(&description).map_err(|why| why.to_string())?;
        let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| "no pipeline")?;
        let sink = pipeline.by_name("sink").and_downcast::<gst_app::AppSink>().ok_or("no sink")?;
        let told = |_| format!("{} cannot be decoded", clip.display());
        pipeline.set_state(gst::State::Playing).map_err(|why| why.to_string())?;
        let mut frames = Vec::with_capacity(2 * COUNT);
        let mut caps = None;
        while frames.len() < COUNT {
            let sample = sink.pull_sample().map_err(told)?;
            let buffer = sample.buffer().ok_or("a sample without a buffer")?;
            // Memory of our own: the decoder's pool must be free to go.
            let mut frame = buffer.copy_deep().map_err(|why| why.to_string())?;
            frame.make_mut().set_offset(0);
            frames.push(frame);
            caps = sample.caps_owned();
        }
        pipeline.set_state(gst::State::Null).map_err(|why| why.to_string())?;
        let back: Vec<_> = frames.iter().skip(1).rev().skip(1).cloned().collect();
        frames.extend(back);
        Ok(Self { caps: caps.ok_or("no caps")?, frames })
    }

    /// A frame of the same kind without a person: noise.
    pub fn noise(&self, seed: u64) -> gst::Buffer {
        let size = self.frames[0].size();
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let bytes: Vec<u8> = (0..size)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            })
            .collect();
        gst::Buffer::from_slice(bytes)
    }

    /// A frame that breaks off.
    pub fn truncated(&self, seed: u64) -> gst::Buffer {
        let size = self.frames[0].size();
        gst::Buffer::from_slice(vec![0x55; (seed as usize * 7919) % size])
    }
}
