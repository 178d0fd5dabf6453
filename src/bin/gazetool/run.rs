//! `gazetool run`: gaze on images.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fmt, fs};

use gstgaze::core::draw::{Painter, Style};
use gstgaze::core::gaze::estimator::GazeEstimator;
use gstgaze::core::gaze::missing_attributes::MissingAttributes;
use gstgaze::core::gaze::reuse::InferencePlan;
use gstgaze::core::gaze::{FrameGaze, GazeEstimate};
use gstgaze::core::json::{FrameStamp, write_line};
use serde::Serialize;

use crate::engine_args::EngineArgs;
use crate::faces::{self, FaceArgs, FaceFinder};
use crate::images::{self, DecodedImage};
use crate::open::open_gaze;
use crate::output::{Answer, Failure, note};
use crate::output_file::{OutputFile, OutputFiles, files_of_model};
use crate::table::Table;

/// Estimates where the faces of images look.
///
/// A broken image does not stop the run: standard error names it, and the exit code is 3.
#[derive(clap::Args)]
pub struct Args {
    /// Gaze model; `embedded` is the built-in one.
    model: PathBuf,
    /// PNG or JPEG images, or folders of them.
    #[arg(required = true, value_name = "IMAGES")]
    images: Vec<PathBuf>,
    /// Folder for copies of the images with the result drawn on them, as PNG; the command creates it.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Profile of the gaze model: a built-in name or a TOML file.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    #[command(flatten)]
    faces: FaceArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

/// The results of all images.
#[derive(Serialize)]
struct Report {
    model: String,
    provider: String,
    images: Vec<ImageResult>,
}

#[derive(Serialize)]
struct ImageResult {
    image: String,
    /// The copy with the result drawn on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    annotated: Option<String>,
    /// The keys that `gazepublish` writes.
    #[serde(flatten)]
    line: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip)]
    faces: Vec<GazeEstimate>,
}

/// Runs the command.
pub fn execute(args: &Args) -> Result<Answer, Failure> {
    let options = args.engine.options();
    let files = images::files(&args.images)?;
    let outputs = args.output.as_deref().map(|folder| outputs(folder, args, &files)).transpose()?;
    let mut gaze = open_gaze(&args.model, args.profile.as_deref(), &options)?;
    let mut finder = FaceFinder::open(&args.faces, &args.engine.for_faces())?;
    let mut painter = Painter::new().map_err(|why| Failure::cannot(why.to_string()))?;
    let mut missing = MissingAttributes::default();
    let mut results = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let annotated = outputs.as_ref().map(|outputs| &outputs[index]);
        let (line, error, faces) =
            match estimate(file, index, &mut gaze, &mut finder, &mut painter, annotated) {
                Ok((line, faces, lacking)) => {
                    missing = missing.or(lacking);
                    (line, None, faces)
                }
                Err(why) => {
                    note(&format!("error: '{}': {why}", file.display()));
                    (serde_json::json!({}), Some(why), Vec::new())
                }
            };
        let annotated =
            annotated.filter(|_| error.is_none()).map(|file| file.path().display().to_string());
        results.push(ImageResult {
            image: file.display().to_string(),
            annotated,
            line,
            error,
            faces,
        });
    }
    if let Some(remedy) = faces::remedy(missing) {
        note(&format!("warning: some faces have no gaze: {remedy}"));
    }
    let complete = results.iter().all(|result| result.error.is_none());
    let (model, provider) = (gaze.model_name().to_owned(), gaze.provider().to_owned());
    Ok(Answer::new(&Report { model, provider, images: results })?.complete(complete))
}

type Estimated = (serde_json::Value, Vec<GazeEstimate>, MissingAttributes);

/// Estimates the gaze on one image, and draws it on a copy where `annotated` names one.
fn estimate(
    file: &Path,
    index: usize,
    gaze: &mut GazeEstimator,
    finder: &mut FaceFinder,
    painter: &mut Painter,
    annotated: Option<&OutputFile>,
) -> Result<Estimated, String> {
    let mut image = DecodedImage::load(file)?;
    let begin = Instant::now();
    let view = image.view().map_err(|why| why.to_string())?;
    let regions = finder.find(&view)?;
    let plans = vec![InferencePlan::Infer; regions.len()];
    let mut faces = Vec::new();
    let counts =
        gaze.estimate(&view, regions, &plans, None, &mut faces).map_err(|why| why.to_string())?;
    let inference_time = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    if let Some(output) = annotated {
        painter.lay_out(&faces, image.size(), &Style::default());
        painter.paint(&mut image.view_mut().map_err(|why| why.to_string())?);
        let png = image.png().map_err(|why| why.to_string())?;
        output.write(&png).map_err(|why| why.text().to_owned())?;
    }
    let model = gaze.model_name().to_owned();
    let frame = FrameGaze { size: image.size(), faces, model, source_id: 0, inference_time };
    let mut line = Vec::new();
    let stamp = FrameStamp { frame: index as u64, ..FrameStamp::default() };
    write_line(&mut line, stamp, &frame, None).map_err(|why| why.to_string())?;
    let line = serde_json::from_slice(&line).map_err(|why| why.to_string())?;
    Ok((line, frame.faces, counts.missing))
}

/// Claims a file in `folder` for each image; a number tells equal names apart.
fn outputs(folder: &Path, args: &Args, files: &[PathBuf]) -> Result<Vec<OutputFile>, Failure> {
    fs::create_dir_all(folder).map_err(|why| Failure::file(folder, why))?;
    let faces = &args.faces;
    let models = [Some(&args.model), faces.face_model.as_ref(), faces.landmark_model.as_ref()];
    let models = models.into_iter().chain([faces.head_pose_model.as_ref()]).flatten();
    let profile = args.profile.iter().map(PathBuf::from);
    let inputs = models.flat_map(|model| files_of_model(model)).chain(profile);
    let mut claims = OutputFiles::beside(inputs.chain(files.iter().cloned()));
    let mut taken = HashSet::new();
    let mut outputs = Vec::with_capacity(files.len());
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let numbers = std::iter::once(String::new()).chain((2..).map(|n| format!("-{n}")));
        let mut names = numbers.map(|number| folder.join(format!("{stem}{number}.png")));
        let Some(path) = names.find(|path| !taken.contains(path)) else { continue };
        outputs.push(claims.claim(&path)?);
        taken.insert(path);
    }
    Ok(outputs)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table =
            Table::new(&["image", ">face", ">x", ">y", ">w", ">h", ">score", ">pitch", ">yaw"]);
        for result in &self.images {
            let image = result.image.clone();
            match &result.error {
                Some(_) => table.row([image, "broken".to_owned()]),
                None if result.faces.is_empty() => table.row([image, "none".to_owned()]),
                None => {}
            }
            for (index, face) in result.faces.iter().enumerate() {
                let rect = face.region.rect;
                let degrees = |angle: Option<f32>| {
                    angle.map_or("-".to_owned(), |a| format!("{:.1}\u{b0}", a.to_degrees()))
                };
                let gaze = face.gaze.filter(|gaze| gaze.is_finite());
                let pixels =
                    [rect.x, rect.y, rect.width, rect.height].map(|side| format!("{side:.0}"));
                let score =
                    face.region.confidence.map_or("-".to_owned(), |score| format!("{score:.2}"));
                let angles =
                    [degrees(gaze.map(|gaze| gaze.pitch)), degrees(gaze.map(|gaze| gaze.yaw))];
                let row = [result.image.clone(), index.to_string()];
                table.row(row.into_iter().chain(pixels).chain([score]).chain(angles));
            }
        }
        write!(f, "{table}")
    }
}
