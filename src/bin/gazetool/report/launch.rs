//! Runs a pipeline with `gst-launch-1.0`, so that this program needs no GStreamer.
//!
//! Each `gazepublish` sends its lines through a Unix socket: `gst-launch-1.0 -v` writes the caps to
//! standard output.

use std::collections::VecDeque;
use std::fs::Permissions;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::output::Failure;

/// A pipeline that sends no line for so long has stopped.
const SILENCE: Duration = Duration::from_secs(60);

/// Time that a pipeline has to end after its last line.
const SHUTDOWN: Duration = Duration::from_secs(20);

/// Time between two polls.
const PAUSE: Duration = Duration::from_millis(20);

/// Last lines of standard error to keep: they say why a pipeline failed.
const KEPT: usize = 12;

/// A temporary folder for sockets, which only this user may enter.
pub struct SocketFolder(TempDir);

impl SocketFolder {
    /// Makes the folder.
    pub fn new() -> Result<Self, Failure> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("gazetool-").permissions(Permissions::from_mode(0o700));
        builder.tempdir().map(Self).map_err(|why| {
            Failure::cannot(format!(
                "cannot make a temporary folder for the pipeline's lines: {why}"
            ))
        })
    }

    /// Makes a socket that waits for one `gazepublish`, and returns it with its path.
    pub fn socket(&self, name: &str) -> Result<(UnixListener, PathBuf), Failure> {
        let path = self.0.path().join(name);
        let listener = UnixListener::bind(&path).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        match listener {
            Ok(listener) => Ok((listener, path)),
            Err(why) => Err(Failure::file(&path, format_args!("cannot make the socket: {why}"))),
        }
    }
}

/// A running pipeline; dropping it ends it.
pub struct Launched {
    child: Child,
    framerate: Option<JoinHandle<Option<(u64, u64)>>>,
    errors: Option<JoinHandle<VecDeque<String>>>,
}

/// The end of a pipeline.
pub struct Ended {
    /// Frames per second of the element `camera`, as a fraction.
    pub framerate: Option<(u64, u64)>,
    /// Why the pipeline failed.
    pub fault: Option<String>,
}

/// Name of the element whose caps tell the frame rate.
pub const CAMERA: &str = "camera";

impl Launched {
    /// Starts `program` with the description of a pipeline.
    pub fn start(program: &Path, words: &[String]) -> Result<Self, Failure> {
        let mut child = Command::new(program)
            .args(["-e", "-v"])
            .args(words)
            .env("GST_DEBUG_NO_COLOR", "1")
            // `remedy` reads its errors.
            .env("LANGUAGE", "en")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|why| cannot_start(program, &why))?;
        let (out, errors) = (child.stdout.take(), child.stderr.take());
        let framerate = out.map(|out| thread::spawn(move || framerate(out)));
        let errors = errors.map(|errors| thread::spawn(move || last_lines(errors)));
        Ok(Self { child, framerate, errors })
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the pipeline connects to a socket; `None` where it ends before.
    pub fn accept(&mut self, listener: &UnixListener) -> io::Result<Option<UnixStream>> {
        let begin = Instant::now();
        loop {
            // Before accept(2): a connection made before the end outlives it.
            let ended = self.child.try_wait()?.is_some();
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_read_timeout(Some(SILENCE))?;
                    return Ok(Some(stream));
                }
                Err(why) if why.kind() == ErrorKind::WouldBlock => {}
                Err(why) => return Err(why),
            }
            if ended {
                return Ok(None);
            }
            if begin.elapsed() > SILENCE {
                return Err(ErrorKind::TimedOut.into());
            }
            thread::sleep(PAUSE);
        }
    }

    /// Waits for the end; `read` is the result of reading the lines.
    pub fn end(mut self, read: io::Result<()>) -> Ended {
        let status = match &read {
            Ok(()) => self.wait(),
            Err(_) => None,
        };
        if status.is_none() {
            // It had its time.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let framerate = self.framerate.take().and_then(|thread| thread.join().ok()).flatten();
        let errors = self.errors.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let fault = match (read, status) {
            (Err(why), _) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Some(format!("it sent no line for {} s", SILENCE.as_secs()))
            }
            (Err(why), _) => Some(format!("cannot read its lines: {why}")),
            (Ok(()), None) => Some(format!("it did not end within {} s", SHUTDOWN.as_secs())),
            (Ok(()), Some(status)) if status.success() => None,
            (Ok(()), Some(status)) => Some(status.to_string()),
        };
        let errors = Vec::from(errors).join("\n");
        let fault = fault.map(|fault| match errors.trim() {
            "" => fault,
            errors => format!("{fault}\n{errors}{}", remedy(errors)),
        });
        Ended { framerate, fault }
    }

    fn wait(&mut self) -> Option<ExitStatus> {
        let begin = Instant::now();
        while begin.elapsed() < SHUTDOWN {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(PAUSE),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
        None
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What to do about an element that GStreamer does not find.
fn remedy(errors: &str) -> &'static str {
    match errors.split_once("no element \"") {
        Some((_, name)) if name.starts_with("gaze") => {
            "\nGStreamer does not find the plugin gaze: set GST_PLUGIN_PATH to the folder of \
             libgstgaze.so, or install it; `gazetool doctor` says what is missing"
        }
        Some(_) => {
            "\nGStreamer lacks this element: install the package of its plugin; `gazetool doctor` says \
             what is missing"
        }
        None => "",
    }
}

/// Asks `gst-launch-1.0` to end its stream (`-e`), as Ctrl-C does.
pub fn interrupt(pid: u32) {
    let _ = Command::new("kill").args(["-INT", &pid.to_string()]).status();
}

fn cannot_start(program: &Path, why: &io::Error) -> Failure {
    let shown = program.display();
    Failure::cannot(match why.kind() {
        ErrorKind::NotFound => format!(
            "cannot find '{shown}': install GStreamer's tools (`apt install gstreamer1.0-tools`), \
             or name the program with --gst-launch"
        ),
        _ => format!("cannot start '{shown}': {why}"),
    })
}

/// Reads the output of `gst-launch-1.0 -v` to its end and finds the frame rate.
fn framerate(out: impl Read) -> Option<(u64, u64)> {
    let (mut found, mut reader, mut line) = (None, BufReader::new(out), Vec::new());
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return found,
            Ok(_) => found = found.or_else(|| rate_of(&String::from_utf8_lossy(&line))),
        }
    }
}

/// `/GstPipeline:pipeline0/GstIdentity:camera.GstPad:src: caps = ..., framerate=(fraction)30/1`
fn rate_of(line: &str) -> Option<(u64, u64)> {
    if !line.contains(&format!(":{CAMERA}.GstPad:")) {
        return None;
    }
    let (_, rate) = line.split_once("framerate=(fraction)")?;
    let rate = rate.split([',', ';', ' ', '\n']).next()?;
    let (frames, seconds) = rate.trim().split_once('/')?;
    let (frames, seconds) = (frames.parse().ok()?, seconds.parse().ok()?);
    (frames > 0 && seconds > 0).then_some((frames, seconds))
}

fn last_lines(errors: impl Read) -> VecDeque<String> {
    let mut kept = VecDeque::with_capacity(KEPT);
    for line in BufReader::new(errors).split(b'\n').map_while(Result::ok) {
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(String::from_utf8_lossy(&line).chars().take(500).collect());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_camera_tells_the_rate() {
        let caps = "GstPad:src: caps = video/x-raw, format=(string)I420, framerate=(fraction)";
        let line = |element: &str, rate: &str| format!("/P:p/GstIdentity:{element}.{caps}{rate}");
        assert_eq!(rate_of(&line("camera", "30000/1001, x=1\n")), Some((30_000, 1001)));
        assert_eq!(rate_of(&line("camera", "25/1\n")), Some((25, 1)));
        assert_eq!(rate_of(&line("other", "25/1\n")), None);
        assert_eq!(rate_of(&line("camera", "0/1\n")), None);
        assert_eq!(rate_of("Setting pipeline to PLAYING ..."), None);
    }

    #[test]
    fn the_last_lines_stay() {
        let text: String = (0..100).map(|i| format!("line {i}\n")).collect();
        let kept = last_lines(text.as_bytes());
        assert_eq!((kept.len(), &*kept[KEPT - 1]), (KEPT, "line 99"));
    }
}
