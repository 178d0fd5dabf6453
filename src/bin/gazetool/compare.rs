//! `gazetool compare`: two gaze models on the same faces.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::accuracy::{DifferenceSummary, Differences, LIMIT_DEGREES};
use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::GazeEstimate;
use gstgaze::core::gaze::estimator::GazeEstimator;
use gstgaze::core::gaze::missing_attributes::MissingAttributes;
use gstgaze::core::gaze::reuse::InferencePlan;
use gstgaze::core::geometry::Gaze;
use gstgaze::core::image::FrameView;
use gstgaze::engine::provider::ExecutionProvider;
use serde::Serialize;

use crate::engine_args::{EngineArgs, provider};
use crate::faces::{self, FaceArgs, FaceFinder};
use crate::images::{self, DecodedImage};
use crate::open::open_gaze;
use crate::output::{Answer, Failure, note, progress};
use crate::table::{Facts, Table};

/// Faces in the table: those with the largest differences.
const LISTED: usize = 5;

/// Compares two gaze models, or one on two execution providers, on the same faces.
///
/// Exits with 0 where the mean angle between their gazes is below the limit and each gives a gaze for
/// every face that the other gives one for; otherwise with 1.
#[derive(clap::Args)]
pub struct Args {
    /// Reference gaze model; `embedded` is the built-in one.
    a: PathBuf,
    /// Gaze model to compare with it; may be the same file.
    b: PathBuf,
    /// Folder of PNG or JPEG images.
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// The mean difference must be below this angle, in degrees.
    #[arg(long, value_name = "DEGREES", default_value_t = LIMIT_DEGREES, value_parser = degrees)]
    limit: f64,
    /// Profile of the models: a built-in name or a TOML file.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Profile of the second model, where it differs.
    #[arg(long, value_name = "PROFILE")]
    profile_b: Option<String>,
    /// Execution provider of the second model, where it differs; --precision, --provider-option and
    /// the like then apply to the second model alone.
    #[arg(long, value_name = "PROVIDER", value_parser = provider())]
    provider_b: Option<ExecutionProvider>,
    #[command(flatten)]
    faces: FaceArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

fn degrees(text: &str) -> Result<f64, String> {
    let degrees = text.parse::<f64>().map_err(|why| why.to_string())?;
    let allowed = degrees > 0.0 && degrees <= 180.0;
    allowed.then_some(degrees).ok_or_else(|| "give an angle above 0 and up to 180".to_owned())
}

/// The models and their differences, in degrees.
#[derive(Serialize)]
struct Report {
    a: Side,
    b: Side,
    images: usize,
    images_without_face: usize,
    faces: usize,
    faces_of_one_only: usize,
    faces_of_neither: usize,
    mean_degrees: f64,
    median_degrees: f64,
    p95_degrees: f64,
    max_degrees: f64,
    pitch_bias_degrees: f64,
    yaw_bias_degrees: f64,
    limit_degrees: f64,
    passed: bool,
    /// Every face with a gaze from both, the largest difference first.
    pairs: Vec<Pair>,
}

#[derive(Serialize)]
struct Side {
    model: String,
    profile: String,
    provider: String,
}

#[derive(Serialize)]
struct Pair {
    image: String,
    face: usize,
    degrees: f64,
    a: Angles,
    b: Angles,
}

#[derive(Serialize)]
struct Angles {
    pitch_degrees: f32,
    yaw_degrees: f32,
}

impl From<Gaze> for Angles {
    fn from(gaze: Gaze) -> Self {
        Self { pitch_degrees: gaze.pitch.to_degrees(), yaw_degrees: gaze.yaw.to_degrees() }
    }
}

/// Runs the command.
pub fn execute(args: &Args) -> Result<Answer, Failure> {
    let (first, second) = args.engine.for_two(args.provider_b);
    let files = images::in_folder(&args.images)?;
    let profile = args.profile.as_deref();
    let mut a = open_gaze(&args.a, profile, &first)?;
    let mut b = open_gaze(&args.b, args.profile_b.as_deref().or(profile), &second)?;
    let mut finder = FaceFinder::open(&args.faces, &args.engine.for_faces())?;
    let mut found = Found::default();
    let bar = progress(files.len() as u64);
    for file in &files {
        compare(file, &mut finder, &mut a, &mut b, &mut found)
            .map_err(|why| Failure::cannot(format!("'{}': {why}", file.display())))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let summary = found.differences.summary();
    let remedy = faces::remedy(found.missing);
    if summary.faces + summary.unpaired == 0 {
        let why = match remedy {
            Some(remedy) => format!("no face has a gaze: {remedy}"),
            None if summary.neither > 0 => "neither model gives a gaze for any face".to_owned(),
            None => format!("the {} images show no face", files.len()),
        };
        return Err(Failure::cannot(format!("nothing to compare: {why}")));
    }
    if let Some(remedy) = remedy {
        note(&format!("warning: some faces have no gaze: {remedy}"));
    }
    found.pairs.sort_by(|a, b| b.degrees.total_cmp(&a.degrees));
    let side = |path: &Path, gaze: &GazeEstimator| Side {
        model: path.display().to_string(),
        profile: gaze.model_name().to_owned(),
        provider: gaze.provider().to_owned(),
    };
    let DifferenceSummary { mean, median, p95, max, pitch_bias, yaw_bias, .. } = summary;
    let passed = summary.passes(args.limit);
    let report = Report {
        a: side(&args.a, &a),
        b: side(&args.b, &b),
        images: files.len(),
        images_without_face: found.without_face,
        faces: summary.faces,
        faces_of_one_only: summary.unpaired,
        faces_of_neither: summary.neither,
        mean_degrees: mean,
        median_degrees: median,
        p95_degrees: p95,
        max_degrees: max,
        pitch_bias_degrees: pitch_bias,
        yaw_bias_degrees: yaw_bias,
        limit_degrees: args.limit,
        passed,
        pairs: found.pairs,
    };
    Ok(Answer::new(&report)?.verdict(passed))
}

#[derive(Default)]
struct Found {
    differences: Differences,
    pairs: Vec<Pair>,
    without_face: usize,
    missing: MissingAttributes,
}

/// Compares both models on the faces of one image.
fn compare(
    file: &Path,
    finder: &mut FaceFinder,
    a: &mut GazeEstimator,
    b: &mut GazeEstimator,
    found: &mut Found,
) -> Result<(), String> {
    let image = DecodedImage::load(file)?;
    let view = image.view().map_err(|why| why.to_string())?;
    let regions = finder.find(&view)?;
    found.without_face += usize::from(regions.is_empty());
    let mut ask = |gaze: &mut GazeEstimator| estimate(gaze, &view, &regions, &mut found.missing);
    let (first, second) = (ask(a)?, ask(b)?);
    for (face, (a, b)) in first.iter().zip(&second).enumerate() {
        let degrees = found.differences.add(a.gaze, b.gaze);
        if let (Some(degrees), Some(a), Some(b)) = (degrees, a.gaze, b.gaze) {
            let file = file.display().to_string();
            found.pairs.push(Pair { image: file, face, degrees, a: a.into(), b: b.into() });
        }
    }
    Ok(())
}

fn estimate(
    gaze: &mut GazeEstimator,
    view: &FrameView<'_>,
    regions: &[FaceRegion],
    missing: &mut MissingAttributes,
) -> Result<Vec<GazeEstimate>, String> {
    let plans = vec![InferencePlan::Infer; regions.len()];
    let mut faces = Vec::new();
    let counts = gaze
        .estimate(view, regions.iter().copied(), &plans, None, &mut faces)
        .map_err(|why| why.to_string())?;
    *missing = missing.or(counts.missing);
    Ok(faces)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Side| format!("{} ({}, on {})", side.model, side.profile, side.provider);
        let degrees = |value: f64| format!("{value:.3}\u{b0}");
        let lost = match (self.faces_of_one_only, self.faces_of_neither) {
            (0, 0) => String::new(),
            (one, neither) => {
                format!("; {one} have a gaze from one model only, {neither} from neither")
            }
        };
        let bias = format!(
            "pitch {:+.3}\u{b0}, yaw {:+.3}\u{b0} (second minus first)",
            self.pitch_bias_degrees, self.yaw_bias_degrees
        );
        let facts = Facts(vec![
            ("first", side(&self.a)),
            ("second", side(&self.b)),
            ("faces", format!("{} in {} images{lost}", self.faces, self.images)),
            ("mean", degrees(self.mean_degrees)),
            ("median", degrees(self.median_degrees)),
            ("95 %", degrees(self.p95_degrees)),
            ("largest", degrees(self.max_degrees)),
            ("bias", bias),
        ]);
        writeln!(f, "{facts}")?;
        let mut table =
            Table::new(&["largest differences", ">face", ">degrees", ">pitch, yaw", ">pitch, yaw"]);
        for pair in self.pairs.iter().take(LISTED) {
            let angles =
                |angles: &Angles| format!("{:.2}, {:.2}", angles.pitch_degrees, angles.yaw_degrees);
            table.row([
                pair.image.clone(),
                pair.face.to_string(),
                format!("{:.3}", pair.degrees),
                angles(&pair.a),
                angles(&pair.b),
            ]);
        }
        writeln!(f, "{table}")?;
        let limit = self.limit_degrees;
        if self.passed {
            writeln!(f, "passed: the mean is below {limit}\u{b0}")
        } else if self.faces_of_one_only > 0 {
            writeln!(f, "failed: {} faces have a gaze from one model only", self.faces_of_one_only)
        } else {
            writeln!(f, "failed: the mean is {limit}\u{b0} or more")
        }
    }
}
