//! Profiles: TOML of a file, of a sidecar and of a model's metadata against any model.
#![no_main]

use gstgaze::core::profile::{ModelProfile, find_profile};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use sheet::{Declared, ProfileText};

#[derive(Arbitrary, Debug)]
struct Input {
    text: ProfileText,
    named: Option<String>,
    #[arbitrary(with = Declared::gaze_model)]
    declared: Declared,
}

fuzz_target!(|input: Input| {
    let text = input.text.0;
    if let Ok(profile) = ModelProfile::from_toml(&text) {
        let again = toml::to_string(&profile).expect("a profile that was read can be written");
        assert_eq!(ModelProfile::from_toml(&again).as_ref(), Ok(&profile), "{again}");
    }
    let mut info = input.declared.info();
    let read = |_: &str| Ok(Some(text.clone()));
    let _ = find_profile(&info, input.named.as_deref(), &[], read);
    let _ = find_profile(&info, None, &["beside".to_owned()], read);
    let _ = find_profile(&info, None, &[], |_| Ok(None));
    info.metadata.insert("gaze.profile.toml".to_owned(), text.clone());
    let _ = find_profile(&info, None, &[], |_| Ok(None));
});
