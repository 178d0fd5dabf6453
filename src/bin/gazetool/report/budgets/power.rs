//! Mean power from what meters give: energy that is counted, or power that is sampled.

/// What a meter shows at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Microjoules since some beginning, of a counter that starts anew after `range`.
    Energy {
        /// What it shows.
        microjoules: u64,
        /// The largest value that it shows.
        range: u64,
    },
    /// Power at this moment, watts.
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
    /// Takes a reading at a time in seconds. Between two of power it is taken for a straight line;
    /// a counter that shows less than before has started anew, once. What is no number, or not later
    /// than the reading before, is left out.
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
                // Two kinds in turn are no measurement.
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
        // A second of 4 W on average and nine of 8.
        assert_eq!(of(&[power(5.0, 0.0), power(6.0, 8.0), power(15.0, 8.0)]), Some(7.6));
        let odd = [power(0.0, 4.0), power(f64::NAN, 9.0), power(1.0, f64::NAN), power(-1.0, 99.0)];
        assert_eq!(of(&[&odd[..], &[power(2.0, 4.0)]].concat()), Some(4.0));
    }

    #[test]
    fn counters_start_anew() {
        let energy = |time, microjoules| (time, Reading::Energy { microjoules, range: 1_000_000 });
        assert_eq!(of(&[energy(0.0, 100), energy(1.0, 500_100)]), Some(0.5));
        let around = [energy(0.0, 900_000), energy(0.5, 200_000), energy(1.0, 400_000)];
        assert!((of(&around).unwrap() - 0.5).abs() < 1e-12);
    }
}
