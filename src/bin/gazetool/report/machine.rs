//! The time and the machine of a report.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, thread};

/// The time, as `2026-01-31 12:34 UTC`.
pub fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs())
}

/// Howard Hinnant's `civil_from_days` (chrono-Compatible Low-Level Date Algorithms): years begin in
/// March, so that a leap day is the last of its year.
fn date(seconds: u64) -> String {
    let (days, minutes) = (seconds / 86_400 + 719_468, seconds / 60 % 1440);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// The processor, its cores and the kernel.
pub fn describe() -> String {
    let text = |path: &str| {
        let text = fs::read_to_string(Path::new(path)).unwrap_or_default();
        text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned()
    };
    let info = text("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    let board = text("/proc/device-tree/model");
    let name = if board.is_empty() { model.unwrap_or_default() } else { board };
    let cores =
        thread::available_parallelism().map_or_else(|_| String::new(), |n| format!("{n} cores"));
    let kernel = text("/proc/sys/kernel/osrelease");
    let kernel = if kernel.is_empty() { kernel } else { format!("Linux {kernel}") };
    let parts = [name, cores, std::env::consts::ARCH.to_owned(), kernel];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_known_moments() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_827_696), "2000-02-29 12:34 UTC");
        assert_eq!(date(1_767_225_599), "2025-12-31 23:59 UTC");
        assert_eq!(date(4_107_542_400), "2100-03-01 00:00 UTC");
    }
}
