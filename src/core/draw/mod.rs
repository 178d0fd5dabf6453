//! Draws a box, an arrow and a label for each face.
//!
//! ```text
//! [GazeEstimate] --layout--> Scene: primitives in pixels           no pixel is touched
//! Scene          --paint---> small canvases, premultiplied RGBA    anti-aliased
//! canvas         --blend---> the frame, in its own pixel format    no pixel is converted twice
//! ```
//!
//! [`Painter`] owns the scene, the canvas and the glyphs and reuses them. It knows no GStreamer:
//! the overlay element and the command-line tool draw with the same code.

mod blend;
mod clip;
mod layout;
mod paint;
mod scene;
mod style;
mod text;

pub use blend::FrameMut;
pub use layout::gaze_arrow;
pub use paint::{FontError, Painter};
pub use scene::{Item, Primitive, Scene};
pub use style::{Argb, Parts, Style};
