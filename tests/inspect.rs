//! The public surface of the plugin, element by element, against a committed golden: no property,
//! default, flag or caps changes by accident. `GAZE_BLESS=1 cargo test --test inspect` writes it
//! anew; the diff then belongs into the commit that meant it.
#![cfg(feature = "plugin")]

mod common;

use std::fmt::Write as _;

use glib::prelude::*;
use gst::prelude::*;

const ELEMENTS: [&str; 5] = ["gazeface", "gazeinfer", "gazemonitor", "gazeoverlay", "gazepublish"];

/// Flags that tell when a property may change.
fn mutability(pspec: &glib::ParamSpec) -> &'static str {
    let flags = pspec.flags();
    if !flags.contains(glib::ParamFlags::WRITABLE) {
        "read-only"
    } else if flags.contains(gst::PARAM_FLAG_MUTABLE_PLAYING) {
        "any state"
    } else if flags.contains(gst::PARAM_FLAG_MUTABLE_READY) {
        "NULL, READY"
    } else {
        "unstated"
    }
}

fn describe(name: &str) -> String {
    let mut out = String::new();
    let factory = gst::ElementFactory::find(name).unwrap_or_else(|| panic!("no element {name}"));
    let element = factory.create().build().unwrap();
    writeln!(out, "# {name}: {}", factory.metadata("long-name").unwrap()).unwrap();
    writeln!(out, "{}", factory.metadata("klass").unwrap()).unwrap();
    for template in factory.static_pad_templates() {
        writeln!(out, "{}: {}", template.name_template(), template.caps()).unwrap();
    }
    let mut properties = element.list_properties().to_vec();
    properties.sort_by(|a, b| a.name().cmp(b.name()));
    for p in properties {
        if p.owner_type() != element.type_() {
            continue;
        }
        let blurb = p.blurb().unwrap_or_default();
        assert!(!blurb.is_empty(), "{name}.{} has no blurb", p.name());
        let default = if p.flags().contains(glib::ParamFlags::READABLE) {
            let value = element.property_value(p.name());
            value.serialize().map(|text| text.to_string()).unwrap_or_else(|_| "-".to_owned())
        } else {
            "-".to_owned()
        };
        writeln!(
            out,
            "{} ({}, {}) = {default}\n    {blurb}",
            p.name(),
            p.value_type(),
            mutability(&p)
        )
        .unwrap();
    }
    out
}

#[test]
fn the_public_surface_matches_the_committed_one() {
    common::element::init();
    let found = ELEMENTS.map(describe).join("\n");
    let golden = common::data("inspect.txt");
    if std::env::var_os("GAZE_BLESS").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    for (line, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of {}", line + 1, golden.display());
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}
