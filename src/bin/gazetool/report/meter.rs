//! Files of a power meter or of memory: a time in seconds and a value in each line.

use std::io;
use std::path::Path;

use super::args::Args;
use super::budgets::evidence::PowerAboveIdle;
use super::budgets::mean_power::{MeanPower, Reading};
use super::budgets::memory::MemoryRecord;
use super::lines;
use crate::output::Failure;

/// The power above idle that the arguments' meter measured; `None` without a meter.
pub fn above_idle_of(args: &Args) -> Result<Option<Result<PowerAboveIdle, String>>, Failure> {
    let Some((path, idle)) = args.meter.as_ref().zip(args.idle_watts) else { return Ok(None) };
    let mean = power(path)?;
    Ok(Some(above_idle(path.display().to_string(), idle, &mean)))
}

/// The power above idle of a rail.
///
/// # Errors
/// Where the rail gave too few readings: a note for the report.
pub fn above_idle(rail: String, idle: f64, mean: &MeanPower) -> Result<PowerAboveIdle, String> {
    let load = mean.watts().ok_or_else(|| format!("{rail} gave no readings during the run."))?;
    Ok(PowerAboveIdle { rail, idle, load, seconds: mean.seconds() })
}

/// Mean power of a meter's file.
fn power(path: &Path) -> Result<MeanPower, Failure> {
    let mut mean = MeanPower::default();
    columns(path, "seconds,watts", |time, watts| mean.add(time, Reading::Power(watts)))?;
    match mean.watts() {
        Some(_) => Ok(mean),
        None => Err(Failure::file(
            path,
            "the file has fewer than two measurements: write seconds,watts in each line",
        )),
    }
}

/// Memory over time from a file of seconds and megabytes.
pub fn memory(path: &Path) -> Result<MemoryRecord, Failure> {
    let mut memory = MemoryRecord::default();
    let mut first = None;
    columns(path, "seconds,megabytes", |time, megabytes| {
        memory.add(time - *first.get_or_insert(time), megabytes);
    })?;
    match memory.last() {
        Some(_) => Ok(memory),
        None => Err(Failure::file(
            path,
            "the file has no measurement: write seconds,megabytes in each line",
        )),
    }
}

/// Calls `each` with the first two columns of every line. The first line may hold titles.
fn columns(path: &Path, wanted: &str, mut each: impl FnMut(f64, f64)) -> Result<(), Failure> {
    let mut number = 0u64;
    let take = |line: Option<&[u8]>| {
        number += 1;
        let text = String::from_utf8_lossy(line.unwrap_or_default());
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        let mut cells = text.split([',', ';', '\t']).map(|cell| cell.trim().parse::<f64>().ok());
        match (cells.next().flatten(), cells.next().flatten()) {
            (Some(time), Some(value)) if time.is_finite() && value.is_finite() => each(time, value),
            _ if number == 1 => {}
            _ => return Err(io::Error::other(format!("line {number} is not {wanted}"))),
        }
        Ok(())
    };
    lines::open(path)
        .and_then(|reader| lines::each(reader, take))
        .map_err(|why| Failure::file(path, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn files_of_meters() {
        let meter = file("time,watts\n# idle before\n1000.0, 4.0\n1001.0;6.0\n\n1003.0\t6.0,ok\n");
        let mean = power(meter.path()).unwrap();
        assert_eq!(mean.seconds(), 3.0);
        assert!((mean.watts().unwrap() - 17.0 / 3.0).abs() < 1e-9);
        let memory = memory(file("5,100\n10,101.5\n").path()).unwrap();
        assert_eq!((memory.last(), memory.max()), (Some((5.0, 101.5)), 101.5));
    }

    #[test]
    fn broken_files_say_what_they_lack() {
        for (text, says) in [
            ("", "fewer than two"),
            ("a,b\n1,2\n", "fewer"),
            ("0,1\n1,x\n", "line 2"),
            ("0,1\n1,NaN\n", "line 2"),
        ] {
            let file = file(text);
            let why = format!("{:?}", power(file.path()).unwrap_err());
            assert!(why.contains(says), "{text:?}: {why}");
        }
        assert!(memory(Path::new("/nonexistent")).is_err());
    }
}
