//! The plots of the page: SVG in the colours of its style sheet, light and dark.

pub mod gaze;
pub mod heat;
pub mod latency;
pub mod memory;
mod panel;
pub mod svg;
