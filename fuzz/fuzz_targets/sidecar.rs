//! Files beside a model: which one counts, and what an engine that tells nothing of itself becomes
//! with it.
#![no_main]

use gstgaze::core::onnx::OnnxModel;
use gstgaze::core::onnx::epcontext::{EngineKind, wrap};
use gstgaze::core::profile::{ModelProfile, ProfileError, FoundBy, find_profile, find_profile_without_model};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use sheet::{Declared, ProfileText};

#[derive(Arbitrary, Debug)]
enum File {
    Missing,
    Locked,
    Text(ProfileText),
}

impl File {
    fn read(&self) -> Result<Option<String>, String> {
        match self {
            Self::Missing => Ok(None),
            Self::Locked => Err("permission denied".to_owned()),
            Self::Text(text) => Ok(Some(text.0.clone())),
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Input {
    named: Option<String>,
    files: [File; 3],
    #[arbitrary(with = Declared::gaze_model)]
    declared: Declared,
    batch: u8,
    engine: Vec<u8>,
}

fuzz_target!(|input: Input| {
    let info = input.declared.info();
    let sidecars: Vec<String> = (0..input.files.len()).map(|i| format!("{i}.gaze.toml")).collect();
    let read = |path: &str| match sidecars.iter().position(|known| known == path) {
        Some(index) => input.files[index].read(),
        None => input.files[0].read(),
    };
    let first = input.files.iter().position(|file| !matches!(file, File::Missing));
    match (find_profile(&info, None, &sidecars, read), first) {
        (Ok((_, FoundBy::Sidecar(path))), Some(first)) => assert_eq!(path, sidecars[first]),
        (Ok((_, FoundBy::Sidecar(path))), None) => panic!("{path} is not there"),
        (Ok((_, source)), Some(_)) => panic!("{source} though there is a file"),
        (Err(ProfileError::Read { path, .. }), Some(first)) => assert_eq!(path, sidecars[first]),
        _ => {}
    }
    let named = input.named.as_deref();
    let _ = find_profile(&info, named, &sidecars, read);
    let Ok(profile) = find_profile_without_model(named, &sidecars, read) else { return };
    assert_eq!(ModelProfile::from_toml(&toml::to_string(&profile).expect("TOML")).as_ref(), Ok(&profile));
    let Ok(declared) = profile.declared(usize::from(input.batch)) else { return };
    let (inputs, outputs) = (&declared.inputs, &declared.outputs);
    let bytes = wrap(EngineKind::QnnContext, &declared.name, inputs, outputs, &input.engine);
    let model = OnnxModel::parse(&bytes).expect("what was wrapped is read");
    let read = model.info(&declared.name);
    assert_eq!((&read.inputs, &read.outputs), (inputs, outputs));
});
