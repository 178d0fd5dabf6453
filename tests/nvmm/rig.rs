//! What the tests of NVIDIA's memory share: elements behind the stand-in, frames, and what a bus says.

use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::gaze::FrameGaze;
use gstgaze::core::geometry::Gaze;

use crate::common;
use crate::common::frames::noise;

/// Class, x, y, width, height, and the id of a track (0: none).
pub type Region = (&'static str, (u32, u32, u32, u32), i32);

pub const WIDTH: u32 = 64;
pub const HEIGHT: u32 = 48;

pub fn model() -> String {
    format!(
        "engine={} profile={}",
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    )
}

/// A bus that is emptied in the end: its messages hold the elements that hold the bus.
pub struct Bus(gst::Bus);

impl Bus {
    pub fn of(element: &gst::Element) -> Self {
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        Self(bus)
    }
}

impl std::ops::Deref for Bus {
    type Target = gst::Bus;

    fn deref(&self) -> &gst::Bus {
        &self.0
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.0.set_flushing(true);
    }
}

/// A harness with these elements, and what is said on its bus.
pub fn harness(description: &str) -> (Harness, Bus) {
    let h = Harness::new_parse(description);
    let bus = Bus::of(&h.element().unwrap());
    (h, bus)
}

/// `gazeinfer` behind `nvstubmux`, and `nvstubread` behind both.
pub fn nvidia(mux: &str, properties: &str) -> (Harness, Bus) {
    harness(&format!("nvstubmux {mux} ! gazeinfer {} {properties} ! nvstubread", model()))
}

/// `gazeinfer` alone.
pub fn system(properties: &str) -> Harness {
    harness(&format!("gazeinfer {} {properties}", model())).0
}

/// A frame without a pattern, another one for each `seed`, with regions.
pub fn frame(format: VideoFormat, seed: usize, regions: &[Region]) -> gst::Buffer {
    let info = gst_video::VideoInfo::builder(format, WIDTH, HEIGHT).build().unwrap();
    let bytes = noise(info.size() + 999 * seed)[999 * seed..].to_vec();
    let mut buffer = gst::Buffer::from_slice(bytes);
    let writable = buffer.get_mut().unwrap();
    writable.set_pts(gst::ClockTime::ZERO);
    for (class, rect, id) in regions {
        VideoRegionOfInterestMeta::add(writable, class, *rect).set_id(*id);
    }
    buffer
}

/// Empties a bus: the element messages, and the texts of errors and warnings.
fn drain(bus: &gst::Bus) -> (Vec<gst::Structure>, Vec<String>, Vec<String>) {
    let (mut elements, mut errors, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(message) = bus.pop() {
        match message.view() {
            gst::MessageView::Element(element) => {
                elements.extend(element.structure().map(ToOwned::to_owned));
            }
            gst::MessageView::Error(error) => errors.push(error.error().message().to_owned()),
            gst::MessageView::Warning(warning) => {
                warnings.push(warning.error().message().to_owned());
            }
            _ => {}
        }
    }
    (elements, errors, warnings)
}

/// The messages of this name that an element posted. Empties the bus.
pub fn messages(bus: &gst::Bus, name: &str) -> Vec<gst::Structure> {
    let mut elements = drain(bus).0;
    elements.retain(|structure| structure.name() == name);
    elements
}

/// The texts of the warnings on a bus. Empties it.
pub fn warnings(bus: &gst::Bus) -> Vec<String> {
    drain(bus).2
}

/// The element messages and the texts of the warnings on a bus. Empties it.
pub fn take(bus: &gst::Bus) -> (Vec<gst::Structure>, Vec<String>) {
    let (elements, _, warnings) = drain(bus);
    (elements, warnings)
}

/// The texts of the errors and of the warnings on a bus. Empties it.
pub fn troubles(bus: &gst::Bus) -> (Vec<String>, Vec<String>) {
    let (_, errors, warnings) = drain(bus);
    (errors, warnings)
}

pub fn gazes(frame: &FrameGaze) -> Vec<Option<Gaze>> {
    frame.faces.iter().map(|face| face.gaze).collect()
}
