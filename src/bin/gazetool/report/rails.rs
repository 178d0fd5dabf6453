//! The power rails of this machine: RAPL (Intel, AMD) and the INA3221 monitors of Jetson boards.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::budgets::mean_power::{MeanPower, Reading};

/// Time between two readings.
pub const PERIOD: Duration = Duration::from_millis(100);

/// A power rail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rail {
    /// The name, as the machine gives it.
    pub name: String,
    sensor: Sensor,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sensor {
    /// A counter in microjoules and its largest value.
    Energy { counter: PathBuf, range: u64 },
    /// Millivolts and milliamperes.
    VoltsAmperes { volts: PathBuf, amperes: PathBuf },
    /// Milliwatts.
    Milliwatts(PathBuf),
}

/// The readable rails, those of the whole machine first.
pub fn rails(sys: &Path) -> Vec<Rail> {
    let mut rails: Vec<Rail> = powercap(sys).chain(hwmon(sys)).chain(iio(sys)).collect();
    rails.retain(|rail| rail.read().is_some());
    rails.sort_by_key(|rail| (rank(&rail.name), rail.name.clone()));
    rails
}

/// Sorts the whole module before the whole processor before parts.
fn rank(name: &str) -> usize {
    const WHOLE: [&str; 5] = ["VDD_IN", "POM_5V_IN", "VIN", "psys", "package-0"];
    let rail = name.rsplit(' ').next();
    WHOLE.iter().position(|whole| rail == Some(whole)).unwrap_or(WHOLE.len())
}

fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn number<T: std::str::FromStr>(path: impl AsRef<Path>) -> Option<T> {
    text(path)?.parse().ok()
}

/// The entries of a folder, by name.
fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// `/sys/class/powercap/intel-rapl:0/{name,energy_uj,max_energy_range_uj}` and the zones in it.
fn powercap(sys: &Path) -> impl Iterator<Item = Rail> {
    let zone = |zone: PathBuf| {
        let name = text(zone.join("name"))?;
        let range = number(zone.join("max_energy_range_uj")).unwrap_or(u64::MAX);
        let sensor = Sensor::Energy { counter: zone.join("energy_uj"), range };
        Some(Rail { name: format!("RAPL {name}"), sensor })
    };
    entries(sys.join("class/powercap")).into_iter().filter_map(zone)
}

/// `/sys/class/hwmon/hwmon1/{name,in1_label,in1_input,curr1_input}`: JetPack 5 and newer.
fn hwmon(sys: &Path) -> impl Iterator<Item = Rail> {
    let monitors = entries(sys.join("class/hwmon")).into_iter();
    let monitors = monitors
        .filter(|path| text(path.join("name")).is_some_and(|name| name.contains("ina3221")));
    monitors.flat_map(|path| {
        (1..=3).filter_map(move |channel| {
            let label = text(path.join(format!("in{channel}_label")))?;
            let volts = path.join(format!("in{channel}_input"));
            let amperes = path.join(format!("curr{channel}_input"));
            let sensor = Sensor::VoltsAmperes { volts, amperes };
            Some(Rail { name: format!("INA3221 {label}"), sensor })
        })
    })
}

/// `/sys/bus/i2c/drivers/ina3221x/1-0040/iio:device0/{rail_name_0,in_power0_input}`: JetPack 4.
fn iio(sys: &Path) -> impl Iterator<Item = Rail> {
    let chips = entries(sys.join("bus/i2c/drivers/ina3221x")).into_iter();
    chips.flat_map(entries).flat_map(|device| {
        (0..3).filter_map(move |channel| {
            let label = text(device.join(format!("rail_name_{channel}")))?;
            let power = device.join(format!("in_power{channel}_input"));
            let sensor = Sensor::Milliwatts(power);
            Some(Rail { name: format!("INA3221 {label}"), sensor })
        })
    })
}

impl Rail {
    /// Reads the rail; `None` where that fails (RAPL is for root).
    pub fn read(&self) -> Option<Reading> {
        Some(match &self.sensor {
            Sensor::Energy { counter, range } => {
                Reading::Energy { microjoules: number(counter)?, range: *range }
            }
            Sensor::VoltsAmperes { volts, amperes } => {
                Reading::Power(number::<f64>(volts)? * number::<f64>(amperes)? / 1e6)
            }
            Sensor::Milliwatts(power) => Reading::Power(number::<f64>(power)? / 1e3),
        })
    }

    /// Measures the mean power while `go_on` returns true.
    pub fn measure(&self, mut go_on: impl FnMut() -> bool) -> MeanPower {
        let (begin, mut mean) = (Instant::now(), MeanPower::default());
        loop {
            if let Some(reading) = self.read() {
                mean.add(begin.elapsed().as_secs_f64(), reading);
            }
            if !go_on() {
                return mean;
            }
            thread::sleep(PERIOD);
        }
    }
}

/// Chooses the rail of this name, or the first.
///
/// # Errors
/// Where the machine has no such rail: a note for the report.
pub fn choose(sys: &Path, wanted: Option<&str>) -> Result<Rail, String> {
    let rails = rails(sys);
    let found = rails.iter().find(|rail| wanted.is_none_or(|wanted| rail.name == wanted));
    if let Some(found) = found {
        return Ok(found.clone());
    }
    let names: Vec<&str> = rails.iter().map(|rail| rail.name.as_str()).collect();
    Err(match (wanted, &names[..]) {
        (Some(wanted), [_, ..]) => {
            format!("This machine has no rail '{wanted}'; its rails are '{}'.", names.join("', '"))
        }
        _ => "This machine has no readable power rail (RAPL needs root; INA3221 is on Jetson boards). \
              Give a meter's file with --meter and --idle-watts."
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, files: &[(&str, &str)]) {
        for (name, content) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{content}\n")).unwrap();
        }
    }

    #[test]
    fn rails_as_kernels_show_them() {
        let sys = tempfile::tempdir().unwrap();
        assert!(choose(sys.path(), None).unwrap_err().contains("--meter"));
        put(
            sys.path(),
            &[
                ("class/powercap/intel-rapl:0/name", "package-0"),
                ("class/powercap/intel-rapl:0/energy_uj", "123456"),
                ("class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850"),
                ("class/powercap/intel-rapl:0:0/name", "core"),
                ("class/powercap/intel-rapl:0:0/energy_uj", "1000"),
                ("class/powercap/intel-rapl:1/name", "unreadable"),
                ("class/hwmon/hwmon0/name", "coretemp"),
                ("class/hwmon/hwmon0/in1_label", "no rail"),
                ("class/hwmon/hwmon3/name", "ina3221"),
                ("class/hwmon/hwmon3/in1_label", "VDD_IN"),
                ("class/hwmon/hwmon3/in1_input", "5000"),
                ("class/hwmon/hwmon3/curr1_input", "1500"),
                ("class/hwmon/hwmon3/in2_label", "VDD_CPU"),
                ("bus/i2c/drivers/ina3221x/6-0040/iio:device0/rail_name_0", "POM_5V_IN"),
                ("bus/i2c/drivers/ina3221x/6-0040/iio:device0/in_power0_input", "2250"),
            ],
        );
        let rails = rails(sys.path());
        let names: Vec<&str> = rails.iter().map(|rail| rail.name.as_str()).collect();
        let all = ["INA3221 VDD_IN", "INA3221 POM_5V_IN", "RAPL package-0", "RAPL core"];
        assert_eq!(names, all);
        let readings: Vec<_> = rails.iter().filter_map(Rail::read).collect();
        let energy = |microjoules, range| Reading::Energy { microjoules, range };
        assert_eq!(
            readings,
            [
                Reading::Power(7.5),
                Reading::Power(2.25),
                energy(123_456, 262_143_328_850),
                energy(1000, u64::MAX)
            ]
        );
        assert_eq!(choose(sys.path(), Some("RAPL core")).unwrap().name, "RAPL core");
        assert!(choose(sys.path(), Some("core")).unwrap_err().contains("'RAPL core'"));
        let mut left = 3;
        let mean = rails[0].measure(|| {
            left -= 1;
            left > 0
        });
        // Weighted by the time between readings, which is never the same.
        let watts = mean.watts().unwrap();
        assert!((watts - 7.5).abs() < 1e-9, "{watts}");
    }
}
