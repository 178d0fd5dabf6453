//! Whether summed times reach a threshold.

use std::time::Duration;

/// Containers round stamps (Matroska to 1 ms), so a sum may fall this short of a threshold that it
/// has reached. At 60 frames a second it is a sixteenth of a frame.
const ROUNDING: Duration = Duration::from_millis(1);

/// Whether a time summed over frames has reached a threshold.
pub fn reached(duration: Duration, threshold: Duration) -> bool {
    duration + ROUNDING >= threshold
}

/// Whether a time summed over frames is longer than a threshold.
pub fn exceeded(duration: Duration, threshold: Duration) -> bool {
    duration > threshold + ROUNDING
}
