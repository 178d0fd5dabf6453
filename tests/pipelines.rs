//! The pipelines that ship, some of which need machines that are not at hand: every property that
//! they set of an element of ours is one, and takes the value.
#![cfg(feature = "plugin")]

mod common;

use std::path::Path;

use gst::prelude::*;

const ELEMENTS: [&str; 5] = ["gazeface", "gazeinfer", "gazemonitor", "gazeoverlay", "gazepublish"];

/// The settings that follow the name of one of our elements, up to what ends them.
fn settings(text: &str) -> Vec<(&'static str, String, String)> {
    let text = text.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let mut element = None;
        for word in line.split([' ', '(', ')']) {
            if let Some(name) = ELEMENTS.into_iter().find(|name| *name == word) {
                element = Some(name);
            } else if word == "!" {
                element = None;
            } else if let (Some(element), Some((name, value))) = (element, word.split_once('=')) {
                found.push((element, name.to_owned(), value.trim_matches('"').to_owned()));
            }
        }
    }
    found
}

fn check(file: &Path) -> usize {
    let settings = settings(&std::fs::read_to_string(file).unwrap());
    for (element, name, value) in &settings {
        let shown = format!("{}: {element} {name}={value}", file.display());
        let made = gst::ElementFactory::make(element).build().unwrap();
        let property = made.find_property(name).unwrap_or_else(|| panic!("{shown}: no such one"));
        // What a shell fills in is not known here.
        if value.contains('$') || value.starts_with('\'') {
            continue;
        }
        assert!(
            glib::Value::deserialize(value, property.value_type()).is_ok(),
            "{shown}: no {}",
            property.value_type()
        );
    }
    settings.len()
}

#[test]
fn pipelines_set_properties_that_are_there() {
    common::element::init();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let mut files = 0;
    let mut checked = 0;
    for folder in [folder.clone(), folder.join("deepstream")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "sh") {
                files += 1;
                checked += check(&path);
            }
        }
    }
    println!("{checked} settings in {files} files");
    assert!(files >= 8 && checked >= 20);
}

#[test]
fn the_configuration_in_nvinfers_form_is_taken_whole() {
    common::element::init();
    if !common::element::runtime("the_configuration_in_nvinfers_form_is_taken_whole") {
        return;
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/deepstream/gazeinfer.txt");
    let element =
        gst::ElementFactory::make("gazeinfer").property("config-file-path", file).build().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    element.set_state(gst::State::Paused).unwrap();
    assert!(bus.pop_filtered(&[gst::MessageType::Warning]).is_none(), "no key is in vain");
    assert_eq!(element.property::<u32>("unique-id"), 15);
    assert_eq!(element.property::<u32>("min-object-width"), 48);
    element.set_state(gst::State::Null).unwrap();
}
