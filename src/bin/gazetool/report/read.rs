//! Lines of files and sockets, of any content, one after the other.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::report::budgets::pairs::Faces;
use crate::report::budgets::{Recorded, Tally};

use crate::models::about;
use crate::output::Failure;

/// Longer lines are none: a frame of a thousand faces has less.
const MAX_LINE: usize = 4 << 20;

/// What the command line calls standard input.
const STDIN: &str = "-";

/// Calls `each` with every line, without more memory than for the longest that is allowed; with
/// `None` for one that is longer.
pub fn lines(
    mut reader: impl BufRead,
    mut each: impl FnMut(Option<&[u8]>) -> io::Result<()>,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        match next(&mut reader, &mut line)? {
            None => return Ok(()),
            Some(true) => each(Some(&line))?,
            Some(false) => each(None)?,
        }
    }
}

/// Reads a line into `line`: whether it is not too long; `None` at the end.
pub fn next(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    reader.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let whole = line.len() <= MAX_LINE || line.ends_with(b"\n");
    if !whole {
        reader.skip_until(b'\n')?;
    }
    Ok(Some(whole))
}

/// The faces of a line that is to be compared; `None` for what is no line.
pub fn faces(line: &[u8]) -> Option<Faces> {
    Recorded::parse(line.trim_ascii()).ok().map(|recorded| Faces::from(&recorded))
}

/// Reads recordings into a tally.
pub fn recordings(paths: &[PathBuf], tally: &mut Tally) -> Result<(), Failure> {
    for path in paths {
        let taken = |line: Option<&[u8]>| {
            match line {
                Some(line) => tally.line(line),
                None => tally.oversized(),
            }
            Ok(())
        };
        open(path)
            .and_then(|reader| lines(reader, taken))
            .map_err(|why| about(path, format_args!("cannot read the recording: {why}")))?;
    }
    Ok(())
}

/// A recording, or standard input.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    if path.as_os_str() == STDIN {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 16, File::open(path)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_skipped_and_the_next_is_whole() {
        let long = vec![b'x'; MAX_LINE + 10];
        let text = [b"first\n".as_slice(), &long, b"\nlast", b""].concat();
        let mut found = Vec::new();
        lines(&text[..], |line| {
            found.push(line.map(<[u8]>::to_vec));
            Ok(())
        })
        .unwrap();
        assert_eq!(found, [Some(b"first\n".to_vec()), None, Some(b"last".to_vec())]);
    }
}
