//! The properties of `gazeoverlay`: values, ranges, defaults and descriptions.

use std::sync::LazyLock;

use glib::prelude::*;
use gst::prelude::*;

use crate::core::draw::{Argb, Parts, Style};
use crate::plugin::property::get;

pub use flags::DrawFlags;

#[allow(missing_docs)] // the macro drops comments; the names of the values document them
mod flags {
    /// The parts that the element draws for each face.
    #[glib::flags(name = "GstGazeOverlayDraw")]
    pub enum DrawFlags {
        #[flags_value(name = "Boxes: the corners of the face's box", nick = "boxes")]
        BOXES = 1 << 0,
        #[flags_value(name = "Arrows: the direction of gaze", nick = "arrows")]
        ARROWS = 1 << 1,
        #[flags_value(name = "Text: track, pitch and yaw in degrees", nick = "text")]
        TEXT = 1 << 2,
        #[flags_value(
            name = "Landmarks: eyes, nose and corners of the mouth, if known",
            nick = "landmarks"
        )]
        LANDMARKS = 1 << 3,
        #[flags_value(
            name = "Head pose: axes of the head, if known: red sideways, green up, blue forwards",
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

/// The values of all properties: a style, which has the defaults.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settings {
    pub style: Style,
}

/// The description of every property.
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
            .blurb("Parts to draw for each face")
            .default_value(style.parts.into())
            .mutable_playing()
            .build(),
        color(
            "box-color",
            "Box colour",
            "Colour of boxes and landmarks as 0xAARRGGBB (big-endian ARGB)",
            style.box_color,
        ),
        color(
            "arrow-color",
            "Arrow colour",
            "Colour of gaze arrows as 0xAARRGGBB (big-endian ARGB)",
            style.arrow_color,
        ),
        color(
            "text-color",
            "Text colour",
            "Colour of labels as 0xAARRGGBB (big-endian ARGB); their background is always dark",
            style.text_color,
        ),
        pixels(
            "line-thickness",
            "Line thickness",
            "Width of lines in pixels (0 = automatic: 1/400 of the frame's shorter side)",
            256,
            style.line_thickness,
        ),
        pixels(
            "arrow-length",
            "Arrow length",
            "Length in pixels of the arrow for a gaze at right angles to the camera's axis; others \
             are foreshortened (0 = automatic: 1.25 times the mean side of the face)",
            u32::from(u16::MAX),
            style.arrow_length,
        ),
        pixels(
            "font-size",
            "Font size",
            "Height of the font in pixels (0 = automatic: 1/45 of the frame's shorter side)",
            512,
            style.font_size,
        ),
    ]
});

impl Settings {
    /// Sets one property. An error describes the rejected value and leaves the old one.
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
            _ => return Err(format!("property '{name}' does not exist")),
        }
        Ok(())
    }

    /// Returns the value of one property.
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
