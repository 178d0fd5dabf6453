//! A GstBuffer's pixels as a FrameView.
