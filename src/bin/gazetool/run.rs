//! `gazetool run`: gaze on pictures.

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

use crate::faces::{self, FaceArgs, FaceFinder};
use crate::images::{self, Picture};
use crate::models::{EngineArgs, about, open_gaze};
use crate::output::{Answer, Failure, note};
use crate::table::Table;

/// Tells where the faces of pictures look.
///
/// A picture that cannot be read is said on standard error, the others are looked at, and the exit
/// code is 3.
#[derive(clap::Args)]
pub struct Args {
    /// Gaze model; `embedded` is the built-in one.
    model: PathBuf,
    /// PNG or JPEG files, or folders of them.
    #[arg(required = true, value_name = "IMAGES")]
    images: Vec<PathBuf>,
    /// Folder for the pictures with what was seen drawn on them, as PNG; made where there is none.
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

/// What was seen on all pictures.
#[derive(Serialize)]
struct Report {
    model: String,
    provider: String,
    images: Vec<Seen>,
}

/// What was seen on one.
#[derive(Serialize)]
struct Seen {
    image: String,
    /// The picture with it drawn on.
    #[serde(skip_serializing_if = "Option::is_none")]
    annotated: Option<String>,
    /// The keys of `gazepublish`.
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
    let outputs = args.output.as_deref().map(|folder| outputs(folder, &files)).transpose()?;
    let mut gaze = open_gaze(&args.model, args.profile.as_deref(), &options)?;
    let mut finder = FaceFinder::open(&args.faces, &args.engine.for_faces())?;
    let mut painter = Painter::new().map_err(|why| Failure::cannot(why.to_string()))?;
    let mut missing = MissingAttributes::default();
    let mut seen = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let annotated = outputs.as_ref().map(|outputs| outputs[index].as_path());
        let (line, error, faces) =
            match look(file, index, &mut gaze, &mut finder, &mut painter, annotated) {
                Ok((line, faces, lacks)) => {
                    missing = missing.or(lacks);
                    (line, None, faces)
                }
                Err(why) => {
                    note(&format!("error: '{}': {why}", file.display()));
                    (serde_json::json!({}), Some(why), Vec::new())
                }
            };
        let annotated =
            annotated.filter(|_| error.is_none()).map(|path| path.display().to_string());
        seen.push(Seen { image: file.display().to_string(), annotated, line, error, faces });
    }
    if let Some(remedy) = faces::remedy(missing) {
        note(&format!("warning: faces have no gaze, because {remedy}"));
    }
    let whole = seen.iter().all(|seen| seen.error.is_none());
    let (model, provider) = (gaze.model_name().to_owned(), gaze.provider().to_owned());
    Ok(Answer::new(&Report { model, provider, images: seen })?.in_part(whole))
}

type Found = (serde_json::Value, Vec<GazeEstimate>, MissingAttributes);

/// Looks at one picture, and draws what was seen where that is wanted.
fn look(
    file: &Path,
    index: usize,
    gaze: &mut GazeEstimator,
    finder: &mut FaceFinder,
    painter: &mut Painter,
    annotated: Option<&Path>,
) -> Result<Found, String> {
    let mut picture = Picture::load(file)?;
    let begin = Instant::now();
    let view = picture.view().map_err(|why| why.to_string())?;
    let regions = finder.find(&view)?;
    let plans = vec![InferencePlan::Infer; regions.len()];
    let mut faces = Vec::new();
    let counts =
        gaze.estimate(&view, regions, &plans, None, &mut faces).map_err(|why| why.to_string())?;
    let inference_time = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    if let Some(path) = annotated {
        painter.lay_out(&faces, picture.size(), &Style::default());
        painter.paint(&mut picture.view_mut().map_err(|why| why.to_string())?);
        picture.save(path).map_err(|why| format!("cannot write '{}': {why}", path.display()))?;
    }
    let model = gaze.model_name().to_owned();
    let frame = FrameGaze { size: picture.size(), faces, model, source_id: 0, inference_time };
    let mut line = Vec::new();
    let stamp = FrameStamp { frame: index as u64, ..FrameStamp::default() };
    write_line(&mut line, stamp, &frame).map_err(|why| why.to_string())?;
    let line = serde_json::from_slice(&line).map_err(|why| why.to_string())?;
    Ok((line, frame.faces, counts.missing))
}

/// A file in `folder` for each picture, named after it; two of one name get numbers.
fn outputs(folder: &Path, files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    fs::create_dir_all(folder).map_err(|why| about(folder, why))?;
    let inputs: HashSet<PathBuf> = files.iter().filter_map(|f| fs::canonicalize(f).ok()).collect();
    let mut taken = HashSet::new();
    let mut outputs = Vec::with_capacity(files.len());
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let numbers = std::iter::once(String::new()).chain((2..).map(|n| format!("-{n}")));
        let mut names = numbers.map(|number| folder.join(format!("{stem}{number}.png")));
        let Some(path) = names.find(|path| !taken.contains(path)) else { continue };
        if fs::canonicalize(&path).is_ok_and(|path| inputs.contains(&path)) {
            return Err(Failure::usage(format!(
                "'{}' would be overwritten: give --output another folder than that of the pictures",
                path.display()
            )));
        }
        taken.insert(path.clone());
        outputs.push(path);
    }
    Ok(outputs)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table =
            Table::new(&["image", ">face", ">x", ">y", ">w", ">h", ">score", ">pitch", ">yaw"]);
        for seen in &self.images {
            let image = seen.image.clone();
            match &seen.error {
                Some(_) => table.row([image, "not read".to_owned()]),
                None if seen.faces.is_empty() => table.row([image, "none".to_owned()]),
                None => {}
            }
            for (index, face) in seen.faces.iter().enumerate() {
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
                let row = [seen.image.clone(), index.to_string()];
                table.row(row.into_iter().chain(pixels).chain([score]).chain(angles));
            }
        }
        write!(f, "{table}")
    }
}
