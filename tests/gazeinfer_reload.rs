//! `gazeinfer` takes another model while frames flow, and keeps the old one where it cannot.
//!
//! The models tell themselves apart by the name that `GazeMeta` carries.
#![cfg(feature = "plugin")]

mod common;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::element::{caps, halves, runtime};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;
use gstgaze::plugin::meta::gaze;

const FIRST: &str = "regression_profile_toml.onnx";
/// The first model's name, and the second's: the same file with another name in its profile.
const NAMES: [&str; 2] = ["own", "two"];

/// The second model's content.
fn second() -> Vec<u8> {
    let mut bytes = std::fs::read(common::data(FIRST)).unwrap();
    let [own, two] = NAMES.map(|name| format!("name = \"{name}\"").into_bytes());
    let at = bytes.windows(own.len()).position(|window| window == own).unwrap();
    bytes[at..at + two.len()].copy_from_slice(&two);
    bytes
}

/// The second model as a file in a folder that is gone with the test.
fn second_file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("second.onnx");
    std::fs::write(&file, second()).unwrap();
    (folder, file)
}

/// Feeds frames one at a time, each of which must come out with a gaze.
struct Flow {
    h: Harness,
    bus: gst::Bus,
    frames: u64,
}

impl Flow {
    fn new(engine: &Path, reload: &str) -> Self {
        Self::of_instance(engine, reload, None)
    }

    fn of_instance(engine: &Path, reload: &str, instance: Option<&str>) -> Self {
        let element = gst::ElementFactory::make("gazeinfer")
            .property("engine", engine.to_str().unwrap())
            .property_from_str("engine-reload", reload)
            .property("model-instance-id", instance)
            .build()
            .unwrap();
        let mut h = Harness::with_element(&element, Some("sink"), Some("src"));
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
        Self { h, bus, frames: 0 }
    }

    /// The model that looked at one more frame.
    fn model(&mut self) -> String {
        self.look().model
    }

    /// The pitch of the face in one more frame.
    fn pitch(&mut self) -> f32 {
        self.look().faces[0].gaze.unwrap().pitch
    }

    fn look(&mut self) -> gstgaze::core::gaze::FrameGaze {
        let mut buffer = halves(VideoFormat::Rgb, 64, 48, [51, 0, 0], [51, 0, 0]);
        let pts = gst::ClockTime::from_mseconds(self.frames * 33);
        buffer.get_mut().unwrap().set_pts(pts);
        self.h.push(buffer).unwrap();
        let out = self.h.pull().unwrap();
        assert_eq!(out.pts(), Some(pts), "no frame is lost");
        let result = gaze::read(&out).unwrap();
        assert_eq!(result.faces.len(), 1);
        assert!(result.faces[0].gaze.is_some(), "every frame has a gaze");
        self.frames += 1;
        result
    }

    /// Feeds frames until a message of this type comes.
    fn until(&mut self, kind: gst::MessageType) -> gst::Message {
        let begin = Instant::now();
        loop {
            self.model();
            if let Some(message) = self.bus.pop_filtered(&[kind]) {
                return message;
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "nothing came of it");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Feeds frames until the next engine runs, and tells what the element says of it.
    fn swapped(&mut self) -> gst::Structure {
        let message = self.until(gst::MessageType::Element);
        let structure = message.structure().unwrap().to_owned();
        assert_eq!(structure.name(), "gaze-engine");
        structure
    }

    /// Feeds frames until the element warns.
    fn warned(&mut self) -> String {
        let message = self.until(gst::MessageType::Warning);
        let gst::MessageView::Warning(warning) = message.view() else { unreachable!() };
        warning.error().to_string()
    }

    fn element(&self) -> gst::Element {
        self.h.element().unwrap()
    }

    fn set_engine(&self, engine: &Path) {
        self.element().set_property("engine", engine.to_str().unwrap());
    }

    fn engine(&self) -> String {
        self.element().property("engine")
    }
}

#[test]
fn the_property_swaps_between_frames() {
    if !runtime("the_property_swaps_between_frames") {
        return;
    }
    let (first, (_folder, second)) = (common::data(FIRST), second_file());
    let mut flow = Flow::new(&first, "property");
    assert_eq!(flow.model(), NAMES[0]);
    flow.set_engine(&second);
    let said = flow.swapped();
    assert_eq!(said.get::<&str>("engine").unwrap(), second.to_str().unwrap());
    assert_eq!(said.get::<&str>("model").unwrap(), NAMES[1]);
    assert_eq!(flow.model(), NAMES[1]);
    flow.set_engine(&first);
    flow.swapped();
    assert_eq!(flow.model(), NAMES[0]);
}

/// Elements of one instance have one model, but one after the other may take the next.
#[test]
fn an_instance_takes_another_model_element_by_element() {
    if !runtime("an_instance_takes_another_model") {
        return;
    }
    let (folder, second) = second_file();
    let file = folder.path().join("engine.onnx");
    std::fs::copy(common::data(FIRST), &file).unwrap();
    let mut flows =
        ["property", "file"].map(|reload| Flow::of_instance(&file, reload, Some("cabin")));
    assert_eq!(flows.each_mut().map(Flow::model), [NAMES[0]; 2]);
    flows[0].set_engine(&second);
    flows[0].swapped();
    assert_eq!(flows.each_mut().map(Flow::model), [NAMES[1], NAMES[0]]);
    std::fs::write(&file, std::fs::read(&second).unwrap()).unwrap();
    flows[1].swapped();
    assert_eq!(flows.each_mut().map(Flow::model), [NAMES[1]; 2]);
}

#[test]
fn an_engine_that_does_not_open_changes_nothing() {
    if !runtime("an_engine_that_does_not_open_changes_nothing") {
        return;
    }
    let first = common::data(FIRST);
    let mut flow = Flow::new(&first, "property");
    let (folder, good) = second_file();
    let cut = folder.path().join("cut.onnx");
    let whole = second();
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    for wrong in [cut, folder.path().join("nowhere.onnx"), common::data("string_output.onnx")] {
        flow.set_engine(&wrong);
        let text = flow.warned();
        assert!(text.contains(wrong.file_name().unwrap().to_str().unwrap()), "{text}");
        assert!(text.contains(FIRST), "what goes on is said: {text}");
        assert_eq!(flow.model(), NAMES[0]);
        assert_eq!(flow.engine(), first.to_str().unwrap(), "the property tells what runs");
    }
    flow.set_engine(&good);
    flow.swapped();
    assert_eq!(flow.model(), NAMES[1], "a good one is still taken");
}

#[test]
fn a_file_that_is_replaced_is_taken() {
    if !runtime("a_file_that_is_replaced_is_taken") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("engine.onnx");
    std::fs::copy(common::data(FIRST), &file).unwrap();
    let mut flow = Flow::new(&file, "file");
    assert_eq!(flow.model(), NAMES[0]);
    std::fs::write(&file, b"not a model").unwrap();
    assert!(flow.warned().contains("engine.onnx"));
    assert_eq!(flow.model(), NAMES[0]);
    std::fs::write(&file, second()).unwrap();
    flow.swapped();
    assert_eq!(flow.model(), NAMES[1]);
}

#[test]
fn engines_are_swapped_on_request_alone() {
    if !runtime("engines_are_swapped_on_request_alone") {
        return;
    }
    let mut flow = Flow::new(&common::data(FIRST), "never");
    let (_folder, second) = second_file();
    flow.set_engine(&second);
    for _ in 0..50 {
        assert_eq!(flow.model(), NAMES[0]);
    }
    // What was asked for meanwhile is what the next start takes.
    flow.element().set_state(gst::State::Null).unwrap();
    flow.element().set_state(gst::State::Playing).unwrap();
    flow.h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    assert_eq!(flow.model(), NAMES[1]);
}

#[test]
fn stopping_while_an_engine_is_opened_is_clean() {
    if !runtime("stopping_while_an_engine_is_opened_is_clean") {
        return;
    }
    let (_folder, second) = second_file();
    for _ in 0..10 {
        let mut flow = Flow::new(&common::data(FIRST), "property");
        flow.model();
        flow.set_engine(&second);
        flow.model();
        flow.element().set_state(gst::State::Null).unwrap();
    }
}

/// A model of two files: its weights count as much as the model itself.
#[test]
fn weights_beside_the_model_are_followed() {
    if !runtime("weights_beside_the_model_are_followed") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    for name in ["external.onnx", "external.onnx.data"] {
        std::fs::copy(common::data(name), file(name)).unwrap();
    }
    let profile = std::fs::read_to_string(common::data("regression.toml")).unwrap();
    std::fs::write(file("external.gaze.toml"), profile).unwrap();
    let mut flow = Flow::new(&file("external.onnx"), "file");
    flow.model();
    assert!(flow.pitch() > 0.1);
    let weights = std::fs::read(file("external.onnx.data")).unwrap();
    // A copy that is cut off: refused, told, and the old one runs on.
    std::fs::write(file("external.onnx.data"), &weights[..1000]).unwrap();
    let text = flow.warned();
    assert!(text.contains("need 1536 bytes") && text.contains("runs on"), "{text}");
    assert!(flow.pitch() > 0.1);
    // The rest arrives, with other numbers.
    std::fs::write(file("external.onnx.data"), vec![0; weights.len()]).unwrap();
    flow.swapped();
    assert_eq!(flow.pitch(), 0.0);
    // Replaced by renaming, as long as before.
    std::fs::write(file("new"), &weights).unwrap();
    std::fs::rename(file("new"), file("external.onnx.data")).unwrap();
    flow.swapped();
    assert!(flow.pitch() > 0.1);
}

/// `NULL` does not wait for a model that is being opened, even one that never ends.
#[test]
fn stopping_does_not_wait_for_an_engine() {
    if !runtime("stopping_does_not_wait_for_an_engine") {
        return;
    }
    let mut flow = Flow::new(&common::data(FIRST), "property");
    let endless = common::data("endless.onnx");
    flow.element().set_property("profile", common::data("regression.toml").to_str().unwrap());
    flow.set_engine(&endless);
    for _ in 0..20 {
        assert_eq!(flow.model(), NAMES[0]);
        std::thread::sleep(Duration::from_millis(10));
    }
    flow.element().set_state(gst::State::Null).unwrap();
    // It is only the stop that ends the loop: others still open their models.
    flow.set_engine(&common::data(FIRST));
    flow.element().set_property("profile", None::<&str>);
    flow.element().set_state(gst::State::Playing).unwrap();
    flow.h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    assert_eq!(flow.model(), NAMES[0]);
    let (_folder, second) = second_file();
    flow.set_engine(&second);
    flow.swapped();
}
