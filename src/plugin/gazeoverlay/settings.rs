//! The properties of `gazeoverlay`: values, ranges, defaults and descriptions.

use std::sync::LazyLock;

use glib::prelude::*;

use crate::core::draw::{Parts, Style};
use crate::plugin::property::{Property, Table, get};

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

/// The table of all properties.
pub(super) static PROPERTIES: LazyLock<Table<Settings>> = LazyLock::new(|| {
    type P = Property<Settings>;
    Table::new(vec![
        P::new(
            "draw",
            |s, words| {
                glib::ParamSpecFlags::builder::<DrawFlags>(words.name)
                    .nick(words.nick)
                    .blurb(words.blurb)
                    .flags(words.flags)
                    .default_value(s.style.parts.into())
                    .build()
            },
            |s| DrawFlags::from(s.style.parts).to_value(),
            |s, value| {
                s.style.parts = get::<DrawFlags>(value)?.into();
                Ok(())
            },
        )
        .nick("Draw")
        .blurb("Parts to draw for each face")
        .mutable_playing(),
        P::number("box-color", 0..=u32::MAX, |s| &mut s.style.box_color.0)
            .nick("Box colour")
            .blurb("Colour of boxes and landmarks as 0xAARRGGBB (big-endian ARGB)")
            .mutable_playing(),
        P::number("arrow-color", 0..=u32::MAX, |s| &mut s.style.arrow_color.0)
            .nick("Arrow colour")
            .blurb("Colour of gaze arrows as 0xAARRGGBB (big-endian ARGB)")
            .mutable_playing(),
        P::number("text-color", 0..=u32::MAX, |s| &mut s.style.text_color.0)
            .nick("Text colour")
            .blurb(
                "Colour of labels as 0xAARRGGBB (big-endian ARGB); their background is always \
                 dark",
            )
            .mutable_playing(),
        P::number("line-thickness", 0..=256, |s| &mut s.style.line_thickness)
            .nick("Line thickness")
            .blurb("Width of lines in pixels (0 = automatic: 1/400 of the frame's shorter side)")
            .mutable_playing(),
        P::number("arrow-length", 0..=65535, |s| &mut s.style.arrow_length)
            .nick("Arrow length")
            .blurb(
                "Length in pixels of the arrow for a gaze at right angles to the camera's axis; \
                 others are foreshortened (0 = automatic: 1.25 times the mean side of the face)",
            )
            .mutable_playing(),
        P::number("font-size", 0..=512, |s| &mut s.style.font_size)
            .nick("Font size")
            .blurb("Height of the font in pixels (0 = automatic: 1/45 of the frame's shorter side)")
            .mutable_playing(),
    ])
});
