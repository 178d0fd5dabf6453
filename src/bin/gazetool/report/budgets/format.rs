//! Formats measurements for people.

use std::time::Duration;

use gstgaze::core::latency::LatencyHistogram;

/// `p50 1.0, p95 2.0, p99 3.0, max 4.0 ms (300 frames)`
pub(super) fn percentiles(histogram: &LatencyHistogram) -> String {
    let ms = |ns: u64| format!("{:.1}", ns as f64 / 1e6);
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| ms(histogram.percentile_ns(share)));
    let (max, frames) = (ms(histogram.max_ns()), counted(histogram.count(), "frame"));
    format!("p50 {p50}, p95 {p95}, p99 {p99}, max {max} ms ({frames})")
}

/// `1.23 s`
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// `1 frame`, `2 frames`
pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A length of time in seconds, minutes or hours.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..120.0 => format!("{seconds:.1} s"),
        ..7200.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.2} h", seconds / 3600.0),
    }
}
