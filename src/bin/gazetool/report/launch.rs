//! A pipeline in a process of its own: `gst-launch-1.0`, so that this program needs no GStreamer.
//!
//! The lines of each `gazepublish` come through a Unix socket, which keeps standard output for what
//! `gst-launch-1.0` says of caps.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::output::Failure;

/// A pipeline from which no line comes for so long has stopped.
const SILENCE: Duration = Duration::from_secs(60);

/// How long a pipeline may take to end once its last line has come.
const FAREWELL: Duration = Duration::from_secs(20);

/// Time between two looks at what is to come.
const PAUSE: Duration = Duration::from_millis(20);

/// Lines of standard error that are kept: the last ones say why.
const KEPT: usize = 12;

/// A folder of this process's own, gone with it.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it.
    pub fn new() -> Result<Self, Failure> {
        let place = std::env::temp_dir();
        for attempt in 0..100 {
            let path = place.join(format!("gazetool-{}-{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(why) if why.kind() == ErrorKind::AlreadyExists => {}
                Err(why) => {
                    let place = place.display();
                    return Err(Failure::cannot(format!("cannot write in '{place}': {why}")));
                }
            }
        }
        Err(Failure::cannot(format!("'{}' is full of folders of this program", place.display())))
    }

    /// A socket in it that waits for one `gazepublish`, and the name that this one gets.
    pub fn socket(&self, name: &str) -> Result<(UnixListener, PathBuf), Failure> {
        let path = self.0.join(name);
        let listener = UnixListener::bind(&path).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        match listener {
            Ok(listener) => Ok((listener, path)),
            Err(why) => {
                Err(Failure::cannot(format!("cannot make a socket '{}': {why}", path.display())))
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays; there is nobody to tell who could do more.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A pipeline that runs. It is ended with this.
pub struct Launched {
    child: Child,
    framerate: Option<JoinHandle<Option<(u64, u64)>>>,
    errors: Option<JoinHandle<VecDeque<String>>>,
}

/// How a pipeline ended.
pub struct Ended {
    /// Frames a second of the element `camera`, as a fraction.
    pub framerate: Option<(u64, u64)>,
    /// What went wrong.
    pub fault: Option<String>,
}

/// Name of the element whose caps tell the rate of the frames.
pub const CAMERA: &str = "camera";

impl Launched {
    /// Starts `program` with the words of a pipeline.
    pub fn start(program: &Path, words: &[String]) -> Result<Self, Failure> {
        let mut child = Command::new(program)
            .args(["-e", "-v"])
            .args(words)
            .env("GST_DEBUG_NO_COLOR", "1")
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

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the pipeline has connected to a socket; `None` where it ended before.
    pub fn accept(&mut self, listener: &UnixListener) -> io::Result<Option<UnixStream>> {
        let begin = Instant::now();
        loop {
            // Asked first: what connected before the end is still there after it.
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

    /// Waits for the end. `read` is how reading its lines ended.
    pub fn end(mut self, read: io::Result<()>) -> Ended {
        let status = match &read {
            Ok(()) => self.wait(),
            Err(_) => None,
        };
        if status.is_none() {
            // It is ours, and it had its time.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let framerate = self.framerate.take().and_then(|thread| thread.join().ok()).flatten();
        let said = self.errors.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let fault = match (read, status) {
            (Err(why), _) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Some(format!("no line came for {} s", SILENCE.as_secs()))
            }
            (Err(why), _) => Some(format!("its lines cannot be read: {why}")),
            (Ok(()), None) => Some("it did not end".to_owned()),
            (Ok(()), Some(status)) if status.success() => None,
            (Ok(()), Some(status)) => Some(status.to_string()),
        };
        let said = Vec::from(said).join("\n");
        let fault = fault.map(|fault| match said.trim() {
            "" => fault,
            said => format!("{fault}\n{said}"),
        });
        Ended { framerate, fault }
    }

    fn wait(&mut self) -> Option<ExitStatus> {
        let begin = Instant::now();
        while begin.elapsed() < FAREWELL {
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

/// Asks `gst-launch-1.0` to end its stream (`-e`), as Ctrl-C does.
pub fn interrupt(pid: u32) {
    let _ = Command::new("kill").args(["-INT", &pid.to_string()]).status();
}

fn cannot_start(program: &Path, why: &io::Error) -> Failure {
    let shown = program.display();
    Failure::cannot(match why.kind() {
        ErrorKind::NotFound => format!(
            "'{shown}' is not found: install GStreamer's tools (`apt install gstreamer1.0-tools`), \
             or name the program with --gst-launch"
        ),
        _ => format!("'{shown}' cannot be started: {why}"),
    })
}

/// Reads what `gst-launch-1.0 -v` says to its end.
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
    fn the_rate_is_that_of_the_camera() {
        let caps = "GstPad:src: caps = video/x-raw, format=(string)I420, framerate=(fraction)";
        let line = |element: &str, rate: &str| format!("/P:p/GstIdentity:{element}.{caps}{rate}");
        assert_eq!(rate_of(&line("camera", "30000/1001, x=1\n")), Some((30_000, 1001)));
        assert_eq!(rate_of(&line("camera", "25/1\n")), Some((25, 1)));
        assert_eq!(rate_of(&line("other", "25/1\n")), None);
        assert_eq!(rate_of(&line("camera", "0/1\n")), None);
        assert_eq!(rate_of("Setting pipeline to PLAYING ..."), None);
    }

    #[test]
    fn the_last_words_are_kept() {
        let text: String = (0..100).map(|i| format!("line {i}\n")).collect();
        let kept = last_lines(text.as_bytes());
        assert_eq!((kept.len(), &*kept[KEPT - 1]), (KEPT, "line 99"));
    }
}
