//! `gazetool inspect`: the contents, role and placement of a model.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use gstgaze::core::inference::{Engine as _, EngineError, ModelInfo, TensorInfo};
use gstgaze::core::onnx::{Dimension, OnnxModel, OnnxTensor};
use gstgaze::core::profile::{FoundBy, InputRole, ProfileError, ResolvedOutput, ResolvedProfile};
use gstgaze::engine::{
    AnyModel, EngineOptions, FileInspection, NodePlacement, OpenError, PlacementTrace, Role,
    open_any, profile_of,
};
use serde::Serialize;
use serde_json::Value;

use crate::engine_args::EngineArgs;
use crate::open::warn;
use crate::output::{Answer, Failure};
use crate::table::Facts;

/// Shows the inputs, outputs and role of a model, and where its nodes run.
///
/// Exits with 1 where the model did not run on this machine: without ONNX Runtime as well, where the
/// command shows the contents of the file alone.
#[derive(clap::Args)]
pub struct Args {
    /// Model file.
    model: PathBuf,
    /// Profile to try: a built-in name or a TOML file.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    #[command(flatten)]
    engine: EngineArgs,
}

/// What the file and a run of it show.
#[derive(Default, Serialize)]
struct Report {
    model: String,
    format: &'static str,
    bytes: u64,
    /// What the model is for; absent where only a run tells and ONNX Runtime is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Profile>,
    /// Why no profile fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_profile: Option<String>,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    onnx: Option<OnnxFacts>,
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Run>,
    /// Why the model did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_run: Option<String>,
}

#[derive(Serialize)]
struct Profile {
    name: String,
    description: String,
    /// Where the profile comes from.
    source: String,
    guessed: bool,
    inputs: Vec<String>,
    output: &'static str,
}

#[derive(Serialize)]
struct Tensor {
    name: String,
    element: String,
    /// Numbers, and the names of open dimensions.
    shape: Vec<Value>,
}

#[derive(Serialize)]
struct OnnxFacts {
    ir_version: i64,
    opsets: BTreeMap<String, i64>,
    producer: String,
    description: String,
    graph: String,
    precision: &'static str,
    quantized: bool,
    parameters: u64,
    weights: BTreeMap<&'static str, u64>,
    nodes: usize,
    operators: BTreeMap<String, usize>,
    external_files: Vec<ExternalFile>,
    compiled: Vec<Compiled>,
}

#[derive(Serialize)]
struct ExternalFile {
    file: String,
    found: bool,
}

#[derive(Serialize)]
struct Compiled {
    source: String,
    sdk_version: String,
    hardware: String,
    file: Option<String>,
}

#[derive(Serialize)]
struct Run {
    provider: String,
    /// Nodes after ONNX Runtime has fused what it can.
    placements: Vec<Placed>,
}

#[derive(Serialize)]
struct Placed {
    provider: String,
    nodes: usize,
    operators: BTreeMap<String, usize>,
}

/// Runs the command.
pub fn execute(args: &Args) -> Result<Answer, Failure> {
    let path = &args.model;
    let FileInspection { format, bytes, onnx } =
        FileInspection::read(path).map_err(|why| Failure::cannot(why.to_string()))?;
    let mut report =
        Report { model: path.display().to_string(), format, bytes, ..Report::default() };
    if let Some(onnx) = &onnx {
        report.take_file(path, onnx);
    }
    let mut runs = true;
    match trace(path, args) {
        Ok((model, placements)) => report.take_run(&model, placements, onnx.is_some()),
        Err(OpenError::Engine(why @ EngineError::Provider { .. })) => {
            return Err(Failure::cannot(why.to_string()));
        }
        Err(OpenError::Profile(why)) => {
            return Err(Failure::cannot(format!("'{}': {why}", path.display())));
        }
        Err(OpenError::Engine(why)) => {
            runs = false;
            let Some(onnx) = &onnx else { return Err(Failure::cannot(why.to_string())) };
            report.take_role(profile_of(path, &onnx.info(&stem(path)), args.profile.as_deref()));
            report.not_run = Some(why.to_string());
        }
    }
    Ok(Answer::new(&report)?.verdict(runs))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Opens the model, which runs it once, and reads where its nodes ran.
fn trace(path: &Path, args: &Args) -> Result<(AnyModel, Vec<NodePlacement>), OpenError> {
    let failed = |why: std::io::Error| {
        EngineError::Run(format!("cannot make a temporary folder for the trace: {why}"))
    };
    let trace = PlacementTrace::new().map_err(failed)?;
    // The command shows every node, also where the CPU runs what the provider cannot.
    let options = EngineOptions {
        trace: Some(trace.prefix()),
        allow_fallback: true,
        ..args.engine.options()
    };
    let opened = open_any(path, args.profile.as_deref(), &options);
    let mut model = opened.result?;
    warn(&opened.diagnostics);
    let placements = trace.finish(&mut model.engine)?;
    Ok((model, placements))
}

impl Report {
    /// Takes the contents of the file.
    fn take_file(&mut self, path: &Path, onnx: &OnnxModel) {
        let folder = path.parent().unwrap_or(Path::new(""));
        let tensor = |tensor: &OnnxTensor| Tensor {
            name: tensor.name.clone(),
            element: tensor.element.to_owned(),
            shape: tensor
                .shape
                .iter()
                .map(|dimension| match dimension {
                    Dimension::Fixed(size) => Value::from(*size),
                    Dimension::Open(name) if name.is_empty() => Value::from("?"),
                    Dimension::Open(name) => Value::from(name.as_str()),
                })
                .collect(),
        };
        self.inputs = onnx.inputs.iter().map(tensor).collect();
        self.outputs = onnx.outputs.iter().map(tensor).collect();
        self.metadata = onnx.metadata.clone();
        let precision = onnx.precision();
        self.onnx = Some(OnnxFacts {
            ir_version: onnx.ir_version,
            opsets: onnx.opsets.clone(),
            producer: onnx.producer.clone(),
            description: onnx.description.clone(),
            graph: onnx.graph.clone(),
            precision: precision.name(),
            quantized: precision.is_quantized(),
            parameters: onnx.parameters(),
            weights: onnx.weights.clone(),
            nodes: onnx.nodes(),
            operators: onnx.operators.clone(),
            external_files: onnx
                .external_files
                .keys()
                .map(|file| ExternalFile { found: folder.join(file).is_file(), file: file.clone() })
                .collect(),
            compiled: onnx
                .compiled
                .iter()
                .map(|part| Compiled {
                    source: part.source.clone(),
                    sdk_version: part.sdk_version.clone(),
                    hardware: part.hardware.clone(),
                    file: part.file.clone(),
                })
                .collect(),
        });
    }

    /// Takes the results of a run; `parsed` where the file told more of its tensors.
    fn take_run(&mut self, model: &AnyModel, placements: Vec<NodePlacement>, parsed: bool) {
        if !parsed {
            self.take_info(model.engine.info());
        }
        self.role = Some(model.role.name());
        match &model.role {
            Role::Gaze(profile, source) => {
                self.profile = Some(Profile::new(profile, source.to_string(), source.is_guess()));
            }
            Role::Unknown(why) => self.no_profile = Some(why.to_string()),
            Role::Detector(_) | Role::Attribute(_) => {}
        }
        let placed =
            |NodePlacement { provider, nodes, operators }| Placed { provider, nodes, operators };
        self.run = Some(Run {
            provider: model.engine.provider().to_owned(),
            placements: placements.into_iter().map(placed).collect(),
        });
    }

    /// Takes the profile of a model that does not run here.
    fn take_role(&mut self, found: Result<(ResolvedProfile, FoundBy), ProfileError>) {
        match found {
            Ok((profile, source)) => {
                self.role = Some(Role::Gaze(Box::new(profile.clone()), source.clone()).name());
                self.profile = Some(Profile::new(&profile, source.to_string(), source.is_guess()));
            }
            // Only the shapes of a run tell a detector.
            Err(ProfileError::Unrecognised { .. }) => {}
            Err(why) => self.no_profile = Some(why.to_string()),
        }
    }

    fn take_info(&mut self, info: &ModelInfo) {
        let tensor = |tensor: &TensorInfo| Tensor {
            name: tensor.name.clone(),
            element: tensor.element.map_or("unsupported".to_owned(), |e| e.to_string()),
            shape: tensor
                .shape
                .iter()
                .map(|size| size.map_or(Value::from("?"), Value::from))
                .collect(),
        };
        self.inputs = info.inputs.iter().map(tensor).collect();
        self.outputs = info.outputs.iter().map(tensor).collect();
        self.metadata = info.metadata.clone();
    }
}

impl Profile {
    fn new(profile: &ResolvedProfile, source: String, guessed: bool) -> Self {
        let input = |role: InputRole| match role {
            InputRole::Face => "face",
            InputRole::LeftEye => "left eye",
            InputRole::RightEye => "right eye",
            InputRole::HeadPose => "head pose",
        };
        Self {
            name: profile.name.clone(),
            description: profile.description.clone(),
            source,
            guessed,
            inputs: profile.inputs.iter().map(|i| input(i.role).to_owned()).collect(),
            output: match profile.output {
                ResolvedOutput::Regression { .. } => "pitch and yaw",
                ResolvedOutput::Binned { .. } => "bins of pitch and yaw",
                ResolvedOutput::Direction { .. } => "a direction",
            },
        }
    }
}

/// `face [batch,3,448,448] float32`.
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dimension = |dimension: &Value| match dimension {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        };
        let shape: Vec<String> = self.shape.iter().map(dimension).collect();
        write!(f, "{} [{}] {}", self.name, shape.join(","), self.element)
    }
}

/// `Conv 43, Gemm 2`, the most frequent first.
fn counts(operators: &BTreeMap<String, usize>) -> String {
    let mut counts: Vec<(&String, &usize)> = operators.iter().collect();
    counts.sort_by(|a, b| b.1.cmp(a.1));
    let counts: Vec<String> =
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    counts.join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut facts = vec![
            ("model", self.model.clone()),
            ("format", self.format_line()),
            ("is", self.role.clone().unwrap_or_default()),
        ];
        if let Some(profile) = &self.profile {
            facts.push(("profile", format!("{}, {}", profile.name, profile.source)));
            facts.push(("", profile.description.clone()));
            facts.push(("takes", profile.inputs.join(", ")));
            facts.push(("gives", profile.output.to_owned()));
        }
        facts.push(("no profile", self.no_profile.clone().unwrap_or_default()));
        let inputs = self.inputs.iter().map(|tensor| ("input", tensor.to_string()));
        let outputs = self.outputs.iter().map(|tensor| ("output", tensor.to_string()));
        facts.extend(inputs.chain(outputs));
        if let Some(onnx) = &self.onnx {
            onnx.facts(&mut facts);
        }
        facts.extend(self.metadata.iter().map(|(key, value)| {
            // The value may be a whole profile; its first line tells which.
            let more = if value.trim_end().contains('\n') { " ..." } else { "" };
            ("metadata", format!("{key} = {}{more}", value.lines().next().unwrap_or_default()))
        }));
        if let Some(run) = &self.run {
            facts.push(("runs on", run.provider.clone()));
            facts.extend(run.placements.iter().map(|Placed { provider, nodes, operators }| {
                ("", format!("{provider}, nodes after fusing {nodes}: {}", counts(operators)))
            }));
        }
        facts.push(("not run", self.not_run.clone().unwrap_or_default()));
        write!(f, "{}", Facts(facts))
    }
}

impl Report {
    fn format_line(&self) -> String {
        let bytes = bytes(self.bytes);
        let Some(onnx) = &self.onnx else { return format!("{}, {bytes}", self.format) };
        let opset = onnx.opsets.get("").or(onnx.opsets.get("ai.onnx")).copied().unwrap_or(0);
        let mut line = format!("{}, {bytes}, opset {opset}", self.format);
        for (domain, version) in
            onnx.opsets.iter().filter(|(domain, _)| !matches!(domain.as_str(), "" | "ai.onnx"))
        {
            line.push_str(&format!(", {domain} {version}"));
        }
        if !onnx.producer.is_empty() {
            line.push_str(&format!(", by {}", onnx.producer));
        }
        line
    }
}

impl OnnxFacts {
    fn facts(&self, facts: &mut Vec<(&'static str, String)>) {
        let weights: Vec<String> = self
            .weights
            .iter()
            .map(|(element, count)| format!("{element} {}", grouped(*count)))
            .collect();
        facts.push(("precision", self.precision.to_owned()));
        facts.push(("weights", weights.join(", ")));
        facts.extend(self.external_files.iter().map(|ExternalFile { file, found }| {
            let missing = if *found { "" } else { ": MISSING, put it beside the model" };
            ("weights in", format!("{file}{missing}"))
        }));
        facts.extend(self.compiled.iter().map(|part| {
            let place = part.file.as_ref().map_or_else(String::new, |file| format!(", in {file}"));
            let words = [&part.source, &part.sdk_version, &part.hardware];
            let words: Vec<&str> =
                words.into_iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
            ("compiled for", format!("{}{place}", words.join(" ")))
        }));
        facts.push(("nodes", format!("{}: {}", self.nodes, counts(&self.operators))));
    }
}

/// `12.3 MB`.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// `4 321 000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
