//! The limits of the budgets.

use std::time::Duration;

/// Latency from capture to metadata: 99 % of the frames take less.
pub const LATENCY: Duration = Duration::from_millis(30);

/// Delay from the gaze off the road to the zone change, plus that from a rule's threshold to the message:
/// the sum is less. The rule's own time does not count: a long distraction takes three seconds by
/// definition.
pub const DISTRACTION_DELAY: Duration = Duration::from_secs(2);

/// Mean power above idle in watts: less.
pub const POWER_WATTS: f64 = 5.0;

/// Time without a restart: at least.
pub const UPTIME: Duration = Duration::from_secs(24 * 3600);

/// Growth of memory in megabytes (10^6 bytes) per hour: less. Over a day that is less than ten decoded
/// 1080p frames.
pub const MEMORY_SLOPE: f64 = 1.0;

/// Seconds of measurement that a slope of memory needs.
pub const MEMORY_SECONDS: f64 = 600.0;

/// Share of the frames that a run may lose: less.
pub const LOST_FRAMES: f64 = 0.001;
