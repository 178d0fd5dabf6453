//! A video file, and what its frames need before a gaze model may see them.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::pipeline::word;

/// Time that the first frame may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Names the element whose caps tell the colours.
const FIRST_FRAME: &str = "first-frame";

/// A video file.
#[derive(Clone, Copy, Debug)]
pub struct Clip<'a> {
    /// Its path.
    pub path: &'a Path,
    /// Whether its colours are HDR, which gaze models do not know.
    pub hdr: bool,
}

impl<'a> Clip<'a> {
    /// Looks into a file with `program`, which runs pipelines. Of a file that does not play, the run
    /// itself says why.
    pub fn look_into(path: &'a Path, program: &Path) -> Self {
        Self { path, hdr: first_caps(path, program).is_some_and(|caps| is_hdr(&caps)) }
    }
}

/// The line with the caps of the first frame.
fn first_caps(path: &Path, program: &Path) -> Option<String> {
    let mut child = Command::new(program)
        .args(["-v", "filesrc"])
        .arg(word("location", &path.to_string_lossy()))
        .args(["!", "decodebin", "!", "identity", "eos-after=1"])
        .arg(format!("name={FIRST_FRAME}"))
        .args(["!", "fakesink"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let out = child.stdout.take()?;
    let (sender, found) = mpsc::channel();
    let wanted = format!(":{FIRST_FRAME}.GstPad:src: caps = ");
    thread::spawn(move || {
        let lines = BufReader::new(out).split(b'\n').map_while(Result::ok);
        let mut lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
        // The receiver is gone where the first frame took too long.
        let _ = sender.send(lines.find(|line| line.contains(&wanted)));
    });
    let found = found.recv_timeout(PATIENCE).ok().flatten();
    let _ = child.kill();
    let _ = child.wait();
    found
}

/// Whether the colorimetry of caps is HDR: a name of BT.2100, or, for a combination without a name,
/// four numbers of which the third is the transfer function (14 is PQ, 15 is HLG:
/// GstVideoTransferFunction).
fn is_hdr(caps: &str) -> bool {
    let Some((_, rest)) = caps.split_once("colorimetry=(string)") else { return false };
    let colorimetry = rest.split([',', ';', ' ', '\n']).next().unwrap_or_default();
    match colorimetry.split(':').collect::<Vec<_>>()[..] {
        [_, _, transfer, _] => matches!(transfer, "14" | "15"),
        _ => matches!(colorimetry, "bt2100-hlg" | "bt2100-pq"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfer_functions_of_hdr_are_known() {
        let caps = |colorimetry: &str| {
            format!(
                "/GstPipeline:p/GstIdentity:first-frame.GstPad:src: caps = video/x-raw, \
                     colorimetry=(string){colorimetry}, framerate=(fraction)30/1"
            )
        };
        for hdr in ["bt2100-hlg", "bt2100-pq", "1:6:14:7", "2:6:15:7"] {
            assert!(is_hdr(&caps(hdr)), "{hdr}");
        }
        for other in ["bt709", "bt601", "bt2020-10", "1:3:5:1", "2:14:5:15", "sRGB", ""] {
            assert!(!is_hdr(&caps(other)), "{other}");
        }
        assert!(!is_hdr("video/x-raw, framerate=(fraction)14/15"));
    }
}
