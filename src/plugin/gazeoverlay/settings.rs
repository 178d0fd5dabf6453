//! The properties of `gazeoverlay`: values, ranges, defaults, and what they say to people.

use std::sync::LazyLock;

use glib::prelude::*;
use gst::prelude::*;

use crate::core::draw::{Argb, Parts, Style};

pub use flags::DrawFlags;

#[allow(missing_docs)] // the macro drops comments; the values' names say the same
mod flags {
    /// What is drawn of each face.
    #[glib::flags(name = "GstGazeOverlayDraw")]
    pub enum DrawFlags {
        #[flags_value(name = "Boxes: the corners of each face's box", nick = "boxes")]
        BOXES = 1 << 0,
        #[flags_value(name = "Arrows: the direction of gaze", nick = "arrows")]
        ARROWS = 1 << 1,
        #[flags_value(name = "Text: track, pitch and yaw in degrees", nick = "text")]
        TEXT = 1 << 2,
        #[flags_value(
            name = "Landmarks: eyes, nose and corners of the mouth, where known",
            nick = "landmarks"
        )]
        LANDMARKS = 1 << 3,
        #[flags_value(
            name = "Head pose: red to the head's side, green up, blue forwards, where known",
            nick = "head-pose"
        )]
        HEAD_POSE = 1 << 4,
    }
}

impl From<Parts> for DrawFlags {
    fn from(parts: Parts) -> Self {
        let Parts { boxes, arrows, text, landmarks, head_pose } = parts;
        let mut flags = Self::empty();
        flags.set(Self::BOXES, boxes);
        flags.set(Self::ARROWS, arrows);
        flags.set(Self::TEXT, text);
        flags.set(Self::LANDMARKS, landmarks);
        flags.set(Self::HEAD_POSE, head_pose);
        flags
    }
}

impl From<DrawFlags> for Parts {
    fn from(flags: DrawFlags) -> Self {
        Self {
            boxes: flags.contains(DrawFlags::BOXES),
            arrows: flags.contains(DrawFlags::ARROWS),
            text: flags.contains(DrawFlags::TEXT),
            landmarks: flags.contains(DrawFlags::LANDMARKS),
            head_pose: flags.contains(DrawFlags::HEAD_POSE),
        }
    }
}

/// Everything that a user can set is how it looks; the defaults are the style's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settings {
    pub style: Style,
}

/// Description of every property.
pub(super) static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
    let Settings { style } = Settings::default();
    let color = |name: &'static str, nick, blurb, default: Argb| {
        glib::ParamSpecUInt::builder(name)
            .nick(nick)
            .blurb(blurb)
            .default_value(default.0)
            .mutable_playing()
            .build()
    };
    let pixels = |name: &'static str, nick, blurb, maximum, default: u32| {
        glib::ParamSpecUInt::builder(name)
            .nick(nick)
            .blurb(blurb)
            .maximum(maximum)
            .default_value(default)
            .mutable_playing()
            .build()
    };
    vec![
        glib::ParamSpecFlags::builder::<DrawFlags>("draw")
            .nick("Draw")
            .blurb("What is drawn of each face")
            .default_value(style.parts.into())
            .mutable_playing()
            .build(),
        color(
            "box-color",
            "Box colour",
            "Colour of boxes and landmarks (big-endian ARGB, 0xAARRGGBB)",
            style.box_color,
        ),
        color(
            "arrow-color",
            "Arrow colour",
            "Colour of gaze arrows (big-endian ARGB, 0xAARRGGBB)",
            style.arrow_color,
        ),
        color(
            "text-color",
            "Text colour",
            "Colour of labels, whose ground is always dark (big-endian ARGB, 0xAARRGGBB)",
            style.text_color,
        ),
        pixels(
            "line-thickness",
            "Line thickness",
            "Width of lines in pixels (0 = automatic: a 400th of the frame's shorter side)",
            256,
            style.line_thickness,
        ),
        pixels(
            "arrow-length",
            "Arrow length",
            "Length in pixels of the arrow of a gaze at right angles to the camera's axis; others \
             are foreshortened (0 = automatic: 1.25 times the face's mean side)",
            u32::from(u16::MAX),
            style.arrow_length,
        ),
        pixels(
            "font-size",
            "Font size",
            "Size of the font in pixels (0 = automatic: a 45th of the frame's shorter side)",
            512,
            style.font_size,
        ),
    ]
});

impl Settings {
    /// Sets one property; what cannot be taken is said and leaves the old value.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), String> {
        let style = &mut self.style;
        match name {
            "draw" => style.parts = get::<DrawFlags>(value)?.into(),
            "box-color" => style.box_color = Argb(get(value)?),
            "arrow-color" => style.arrow_color = Argb(get(value)?),
            "text-color" => style.text_color = Argb(get(value)?),
            "line-thickness" => style.line_thickness = get(value)?,
            "arrow-length" => style.arrow_length = get(value)?,
            "font-size" => style.font_size = get(value)?,
            _ => return Err(format!("there is no property '{name}'")),
        }
        Ok(())
    }

    /// The value of one property.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        let style = &self.style;
        Some(match name {
            "draw" => DrawFlags::from(style.parts).to_value(),
            "box-color" => style.box_color.0.to_value(),
            "arrow-color" => style.arrow_color.0.to_value(),
            "text-color" => style.text_color.0.to_value(),
            "line-thickness" => style.line_thickness.to_value(),
            "arrow-length" => style.arrow_length.to_value(),
            "font-size" => style.font_size.to_value(),
            _ => return None,
        })
    }
}

/// GObject has checked the type against the description above; this says what went wrong anyway.
fn get<'v, T: glib::value::FromValue<'v>>(value: &'v glib::Value) -> Result<T, String> {
    value.get::<T>().map_err(|error| error.to_string())
}
