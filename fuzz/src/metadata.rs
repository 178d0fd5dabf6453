//! Metadata of strangers: fields of any type, in structures of any depth that GStreamer allows.

use glib::prelude::*;
use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// The value of a field.
#[derive(Arbitrary, Debug, Clone)]
pub enum Value {
    Double(f64),
    /// A number that boxes and angles have.
    Usual(i16),
    Single(f32),
    Int(i32),
    Unsigned(u32),
    Long(u64),
    Flag(bool),
    Text(String),
    /// What the monitor and the detectors write.
    Word(u8),
    Doubles(Vec<f64>),
    /// So many points.
    Points(u8, i16),
    Words(Vec<u8>),
}

const WORDS: [&str; 12] = [
    "attentive", "distracted", "warning", "urgent", "phone-use", "sleep", "no-face", "forward",
    "mirror", "elsewhere", "face", "",
];

fn word(index: u8) -> &'static str {
    WORDS[usize::from(index) % WORDS.len()]
}

impl Value {
    pub fn to_send_value(&self) -> glib::SendValue {
        match self {
            Self::Double(number) => number.to_send_value(),
            Self::Usual(number) => (f64::from(*number) / 16.0).to_send_value(),
            Self::Single(number) => number.to_send_value(),
            Self::Int(number) => number.to_send_value(),
            Self::Unsigned(number) => number.to_send_value(),
            Self::Long(number) => number.to_send_value(),
            Self::Flag(flag) => flag.to_send_value(),
            Self::Text(text) => text.replace('\0', "").to_send_value(),
            Self::Word(index) => word(*index).to_send_value(),
            Self::Doubles(numbers) => gst::Array::new(numbers).to_send_value(),
            Self::Points(count, number) => {
                let numbers = (0..count % 24).map(|at| f64::from(*number) + f64::from(at));
                gst::Array::new(numbers).to_send_value()
            }
            Self::Words(words) => gst::Array::new(words.iter().map(|at| word(*at))).to_send_value(),
        }
    }
}

/// Values of fields, by the place of their names in a list of those that are read.
#[derive(Arbitrary, Debug, Clone)]
pub struct Fields(pub Vec<(u8, Value)>);

impl Fields {
    pub fn write(&self, s: &mut gst::StructureRef, names: &[&'static str]) {
        for (name, value) in &self.0 {
            s.set_value(names[usize::from(*name) % names.len()], value.to_send_value());
        }
    }
}

/// Fields of a face in GazeMeta and GazeFaces.
pub const FACE: [&str; 20] = [
    "x", "y", "w", "h", "pitch", "yaw", "confidence", "detection-confidence", "track-id", "age",
    "landmarks", "eyes", "eye-openness", "head-pitch", "head-yaw", "head-roll", "origin-x",
    "origin-y", "origin-z", "roi-id",
];

/// Fields of a frame.
pub const FRAME: [&str; 6] = ["width", "height", "model", "source-id", "inference-time", "faces"];

/// A GazeMeta or GazeFaces.
#[derive(Arbitrary, Debug, Clone)]
pub struct Frame {
    size: Option<(u16, u16)>,
    fields: Fields,
    faces: Vec<Face>,
}

#[derive(Arbitrary, Debug, Clone)]
struct Face {
    rect: Option<[i16; 4]>,
    fields: Fields,
}

impl Frame {
    pub fn write(&self, s: &mut gst::StructureRef) {
        let faces = self.faces.iter().map(|face| {
            let mut s = gst::Structure::new_empty("face");
            for (name, number) in FACE.iter().zip(face.rect.into_iter().flatten()) {
                s.set(*name, f64::from(number));
            }
            face.fields.write(&mut s, &FACE);
            s.to_send_value()
        });
        s.set("faces", gst::Array::new(faces));
        self.fields.write(s, &FRAME);
        if let Some((width, height)) = self.size {
            s.set("width", i32::from(width));
            s.set("height", i32::from(height));
        }
    }
}

/// GStreamer and the names of the metadata.
pub fn init() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        gst::init().expect("GStreamer");
        gstgaze::plugin::meta::register();
    });
}
