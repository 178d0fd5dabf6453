//! What the elements that read pixels tell once about pictures that give wrong angles: HDR, interlaced
//! and nearly black ones. Each message names its remedy.

use std::sync::atomic::{AtomicBool, Ordering};

use gst_video::prelude::*;
use gst_video::{VideoBufferFlags, VideoInfo, VideoInterlaceMode, VideoTransferFunction};

use crate::core::image::FrameView;
use crate::core::image::brightness::brightest;

/// Grey levels, of 255, that no sample of a nearly black picture exceeds: what 12 bits at the low end
/// of 16 give.
const DARK: f64 = 16.0;

/// The frames that must all be nearly black: a second, longer than an exposure takes to settle.
const DARK_FRAMES: u32 = 30;

/// Which advice an element has given since its start.
#[derive(Default)]
pub struct PictureAdvice {
    hdr: AtomicBool,
    interlaced: AtomicBool,
}

impl PictureAdvice {
    /// Forgets what was told.
    pub fn reset(&self) {
        self.hdr.store(false, Ordering::Relaxed);
        self.interlaced.store(false, Ordering::Relaxed);
    }

    /// Tells what caps give reason to.
    pub fn on_caps(&self, element: &gst::Element, info: &VideoInfo) {
        if let Some(curve) = hdr_curve(info)
            && !self.hdr.swap(true, Ordering::Relaxed)
        {
            gst::element_warning!(
                element,
                gst::StreamError::Format,
                ("The video is HDR ({curve}), and models expect ordinary video: angles are wrong, with \
                     some models by 25 degrees. Put 'videoconvert gamma-mode=remap primaries-mode=fast \
                     ! video/x-raw,colorimetry=bt709' before the face detector")
            );
        }
        match info.interlace_mode() {
            // Each buffer says of itself whether it is interlaced.
            VideoInterlaceMode::Progressive | VideoInterlaceMode::Mixed => {}
            _ => self.advise_deinterlacing(element),
        }
    }

    /// Tells what a buffer gives reason to. Costs a look at its flags.
    pub fn on_buffer(&self, element: &gst::Element, buffer: &gst::BufferRef) {
        if buffer.video_flags().contains(VideoBufferFlags::INTERLACED) {
            self.advise_deinterlacing(element);
        }
    }

    fn advise_deinterlacing(&self, element: &gst::Element) {
        if self.interlaced.swap(true, Ordering::Relaxed) {
            return;
        }
        gst::element_info!(
            element,
            gst::StreamError::Format,
            ("The video is interlaced: a frame shows two moments, and eyes that move are torn. Put \
              'deinterlace' before the face detector")
        );
    }
}

/// The name of the stream's transfer curve, if it is one of HDR.
fn hdr_curve(info: &VideoInfo) -> Option<&'static str> {
    match info.colorimetry().transfer() {
        VideoTransferFunction::AribStdB67 => Some("HLG"),
        VideoTransferFunction::Smpte2084 => Some("PQ"),
        _ => None,
    }
}

/// Watches for a stream that begins with nearly black pictures without faces.
#[derive(Debug, Default)]
pub struct DarknessWatch {
    frames: u32,
    brightest: f64,
    decided: bool,
}

impl DarknessWatch {
    /// A face was found: the pictures are bright enough.
    pub fn end(&mut self) {
        self.decided = true;
    }

    /// Looks at a frame without faces, until one is bright or enough are dark. Returns the advice when
    /// enough are.
    pub fn look(&mut self, frame: &FrameView<'_>) -> Option<String> {
        if self.decided {
            return None;
        }
        self.frames += 1;
        self.brightest = self.brightest.max(brightest(frame));
        self.decided = self.brightest > DARK || self.frames == DARK_FRAMES;
        (self.decided && self.brightest <= DARK).then(|| {
            format!(
                "No face was found in {DARK_FRAMES} frames, and the picture is nearly black: its brightest \
                 sample is {:.0} of 255. An infra-red camera of 10 or 12 bits may keep them at the \
                 low end of GRAY16_LE: let it give 8 bits (GRAY8), or shift its values up before \
                 gazeface",
                self.brightest
            )
        })
    }
}
