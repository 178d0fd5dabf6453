//! Lines of files and sockets, whatever they hold, in memory of a fixed size.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use super::budgets::face_pairs::FrameFaces;
use super::budgets::recorded_frame::RecordedFrame;

/// Longest line in bytes; a frame of a thousand faces needs less.
const MAX_LINE: usize = 4 << 20;

/// Names standard input on the command line.
const STDIN: &str = "-";

/// Calls `take` with every line, and with `None` for a line that is too long.
pub fn each(
    mut reader: impl BufRead,
    mut take: impl FnMut(Option<&[u8]>) -> io::Result<()>,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        match next(&mut reader, &mut line)? {
            None => return Ok(()),
            Some(true) => take(Some(&line))?,
            Some(false) => take(None)?,
        }
    }
}

/// Reads a line into `line` and tells whether it is complete or too long; `None` at the end.
pub fn next(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    reader.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let complete = line.len() <= MAX_LINE || line.ends_with(b"\n");
    if !complete {
        reader.skip_until(b'\n')?;
    }
    Ok(Some(complete))
}

/// The faces of a line of gazepublish; `None` for another line.
pub fn faces(line: &[u8]) -> Option<FrameFaces> {
    RecordedFrame::parse(line.trim_ascii()).ok().map(|frame| FrameFaces::from(&frame))
}

/// Opens a recording, or standard input.
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
    fn the_line_behind_a_long_one_is_complete() {
        let long = vec![b'x'; MAX_LINE + 10];
        let text = [b"first\n".as_slice(), &long, b"\nlast", b""].concat();
        let mut found = Vec::new();
        each(&text[..], |line| {
            found.push(line.map(<[u8]>::to_vec));
            Ok(())
        })
        .unwrap();
        assert_eq!(found, [Some(b"first\n".to_vec()), None, Some(b"last".to_vec())]);
    }
}
