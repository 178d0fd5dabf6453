//! Mean power from an energy counter or from samples of power.

/// A reading of a meter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Microjoules of a counter that restarts at 0 after `range`.
    Energy {
        /// The reading.
        microjoules: u64,
        /// The largest reading.
        range: u64,
    },
    /// Power in watts.
    Power(f64),
}

/// The mean power between the first and the last reading.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeanPower {
    last: Option<(f64, Reading)>,
    joules: f64,
    seconds: f64,
}

impl MeanPower {
    /// Adds a reading at a time in seconds. Power changes linearly between two samples; a counter that
    /// shows less than before has restarted once. A reading that is not finite or not later than the one
    /// before does not count.
    pub fn add(&mut self, seconds: f64, reading: Reading) {
        let usable = match reading {
            Reading::Power(watts) => watts.is_finite(),
            Reading::Energy { .. } => true,
        };
        let later = self.last.is_none_or(|(last, _)| seconds > last);
        if !(seconds.is_finite() && usable && later) {
            return;
        }
        if let Some((before, last)) = self.last.replace((seconds, reading)) {
            let time = seconds - before;
            let joules = match (last, reading) {
                (Reading::Power(a), Reading::Power(b)) => f64::midpoint(a, b) * time,
                (
                    Reading::Energy { microjoules: a, .. },
                    Reading::Energy { microjoules: b, range },
                ) => {
                    let more = b.checked_sub(a).unwrap_or_else(|| range.saturating_sub(a) + b);
                    more as f64 / 1e6
                }
                // Readings of two kinds do not compare.
                _ => return,
            };
            self.joules += joules;
            self.seconds += time;
        }
    }

    /// Watts; `None` before the second reading.
    pub fn watts(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.joules / self.seconds)
    }

    /// From the first to the last reading.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(readings: &[(f64, Reading)]) -> Option<f64> {
        let mut mean = MeanPower::default();
        readings.iter().for_each(|(time, reading)| mean.add(*time, *reading));
        mean.watts()
    }

    #[test]
    fn power_is_weighted_by_time() {
        let power = |time, watts| (time, Reading::Power(watts));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[power(0.0, 3.0)]), None);
        assert_eq!(of(&[power(0.0, 4.0), power(2.0, 8.0)]), Some(6.0));
        // One second at a mean of 4 W and nine seconds at 8 W.
        assert_eq!(of(&[power(5.0, 0.0), power(6.0, 8.0), power(15.0, 8.0)]), Some(7.6));
        let odd = [power(0.0, 4.0), power(f64::NAN, 9.0), power(1.0, f64::NAN), power(-1.0, 99.0)];
        assert_eq!(of(&[&odd[..], &[power(2.0, 4.0)]].concat()), Some(4.0));
    }

    #[test]
    fn counters_restart() {
        let energy = |time, microjoules| (time, Reading::Energy { microjoules, range: 1_000_000 });
        assert_eq!(of(&[energy(0.0, 100), energy(1.0, 500_100)]), Some(0.5));
        let around = [energy(0.0, 900_000), energy(0.5, 200_000), energy(1.0, 400_000)];
        assert!((of(&around).unwrap() - 0.5).abs() < 1e-12);
    }
}
