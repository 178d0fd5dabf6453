//! One frame's gaze as one JSON line.
