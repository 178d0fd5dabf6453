//! What all streams share: frames and engine files.

use std::path::{Path, PathBuf};

use gst_video::VideoFormat;

use super::pictures::Pictures;

/// An engine by its part in the soak.
#[derive(Clone, Copy, Debug)]
pub enum Engine {
    Main,
    Other,
    Broken,
    Missing,
    NotANumber,
}

/// What all streams share.
pub struct Materials {
    /// Two kinds of frames for each of the two sources.
    pub pictures: [[Pictures; 2]; 2],
    engines: [PathBuf; 5],
}

impl Materials {
    /// Decodes the clip and lays the engines out in `folder`.
    pub fn prepare(root: &Path, folder: &Path) -> Result<Self, String> {
        let clip = root.join("models/demo.mp4");
        let decode = |format, width, height, mirrored| {
            Pictures::decode(&clip, format, width, height, mirrored)
        };
        let pictures = [
            [
                decode(VideoFormat::I420, 240, 180, false)?,
                decode(VideoFormat::Nv12, 320, 240, false)?,
            ],
            [decode(VideoFormat::Rgb, 224, 168, true)?, decode(VideoFormat::Bgrx, 200, 150, true)?],
        ];
        let copy = |from: PathBuf, name: &str| {
            let to = folder.join(name);
            std::fs::copy(&from, &to).map_err(|why| format!("{}: {why}", from.display()))?;
            Ok::<_, String>(to)
        };
        let main = root.join("models/gaze-student.int8.onnx");
        let whole = std::fs::read(&main).map_err(|why| format!("{}: {why}", main.display()))?;
        let broken = folder.join("broken.onnx");
        std::fs::write(&broken, &whole[..whole.len() / 2]).map_err(|why| why.to_string())?;
        let data = root.join("tests/data");
        copy(data.join("regression.toml"), "not_a_number.gaze.toml")?;
        let engines = [
            main.clone(),
            copy(main, "other.onnx")?,
            broken,
            folder.join("missing.onnx"),
            copy(data.join("not_a_number.onnx"), "not_a_number.onnx")?,
        ];
        Ok(Self { pictures, engines })
    }

    /// The file of an engine.
    pub fn engine(&self, engine: Engine) -> &str {
        self.engines[engine as usize].to_str().unwrap_or_default()
    }
}
