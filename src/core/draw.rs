//! Boxes, arrows and text on an RGBA canvas.
