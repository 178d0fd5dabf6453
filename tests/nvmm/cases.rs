//! What must hold with either version of NVIDIA's structures.

use std::path::Path;
use std::process::Command;

use gst::prelude::*;
use gst_video::VideoFormat;
use gstgaze::core::geometry::{Gaze, Rect, Size};
use gstgaze::plugin::meta::gaze;

use super::rig::*;
use super::stub::{self, LIBRARIES, ready};
use crate::common;
use crate::common::element::{caps, says};

#[test]
fn every_format_in_every_memory_is_as_in_system_memory() {
    if !ready("every_format_in_every_memory_is_as_in_system_memory") {
        return;
    }
    let formats = gstgaze::plugin::format::surface_caps();
    let formats = formats.structure(0).unwrap().get::<gst::List>("format").unwrap();
    assert_eq!(formats.len(), 17);
    for format in formats.iter() {
        let format = VideoFormat::from_string(format.get::<&str>().unwrap());
        let mut h = system("");
        h.set_src_caps(caps(format, WIDTH, HEIGHT));
        h.push(frame(format, 1, &[])).unwrap();
        let expected = gaze::read(&h.pull().unwrap()).unwrap();
        assert!(expected.faces[0].gaze.is_some());
        // Default, pinned, device, unified, surface array (in rows and in blocks), system.
        for (memory, layout) in [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (4, 1), (6, 0)] {
            for metadata in [true, false] {
                let mux = format!("mem-type={memory} layout={layout} metadata={metadata}");
                let (mut h, bus) = nvidia(&mux, "");
                h.set_src_caps(caps(format, WIDTH, HEIGHT));
                for _ in 0..2 {
                    h.push(frame(format, 1, &[])).unwrap();
                    let found = gaze::read(&h.pull().unwrap())
                        .unwrap_or_else(|| panic!("{format} {mux}: {:?}", warnings(&bus)));
                    assert_eq!(gazes(&found), gazes(&expected), "{format} {mux}");
                    assert_eq!(found.size, Size::new(WIDTH, HEIGHT));
                }
                assert_eq!(warnings(&bus), Vec::<String>::new(), "{format} {mux}");
            }
        }
    }
}

#[test]
fn how_the_cpu_reads_pixels_is_reported_once() {
    if !ready("how_the_cpu_reads_pixels_is_reported_once") {
        return;
    }
    for (mux, words) in [
        ("mem-type=2", Some("copied from the GPU")),
        ("mem-type=4", Some("mapped")),
        ("mem-type=4 layout=1", Some("block-linear")),
        ("mem-type=6", None),
    ] {
        let (mut h, bus) = nvidia(mux, "");
        h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
        for _ in 0..3 {
            h.push(frame(VideoFormat::Nv12, 1, &[])).unwrap();
        }
        let mut said: Vec<_> = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Info]))
            .map(|message| {
                let gst::MessageView::Info(info) = message.view() else { unreachable!() };
                info.error().message().to_owned()
            })
            // Another decision of the stream.
            .filter(|text| !text.starts_with("inference-region=auto"))
            .collect();
        if let Some(words) = words {
            says(&said.pop().unwrap(), &[words, "CPU"]);
        }
        assert!(said.is_empty(), "{mux}: {said:?}");
    }
}

#[test]
fn batches_with_gaps_are_as_single_frames() {
    if !ready("batches_with_gaps_are_as_single_frames") {
        return;
    }
    let regions: [Region; 3] =
        [("face", (4, 4, 20, 24), 7), ("car", (0, 0, 32, 32), 0), ("face", (30, 10, 20, 30), 0)];
    for (size, gaps) in [(1usize, 0u64), (4, 0), (4, 0b0010), (30, 1 << 3 | 1 << 17 | 1 << 29)] {
        let mut expected = Vec::new();
        let mut reference = system("");
        reference.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
        let mux = format!("batch-size={size} gaps={gaps}");
        let (mut h, bus) = nvidia(&mux, "infer-on-class-ids=0 unique-id=9");
        h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
        for slot in 0..size {
            // Not each source has all of the faces.
            let regions = &regions[..1 + slot % 3];
            h.push(frame(VideoFormat::Nv12, slot, regions)).unwrap();
            if gaps >> slot & 1 == 0 {
                reference.push(frame(VideoFormat::Nv12, slot, regions)).unwrap();
                let found = gaze::read(&reference.pull().unwrap()).unwrap();
                expected.push((slot as u32, gazes(&found)));
            }
        }
        let out = h.pull().unwrap();
        let mut found: Vec<_> =
            gaze::read_batch(&out).map(|frame| (frame.source_id, gazes(&frame))).collect();
        found.sort_by_key(|(source, _)| *source);
        assert_eq!(found, expected, "{mux}: {:?}", warnings(&bus));

        let objects = messages(&bus, "gaze-object");
        assert_eq!(objects.len(), expected.iter().map(|(_, gazes)| gazes.len()).sum::<usize>());
        for object in &objects {
            let get = |name: &str| object.get::<u32>(name).unwrap();
            assert_eq!(object.get::<bool>("valid"), Ok(true), "{object}");
            assert_eq!(object.get::<bool>("copies"), Ok(true), "{object}");
            assert_eq!((get("source-id"), get("unique-id")), (get("batch-id"), 9));
            assert_eq!(object.get::<i32>("class-id"), Ok(0), "the car has no gaze");
            let x = object.get::<f32>("x").unwrap();
            let id = if x == 4.0 { 7 } else { u64::MAX };
            assert_eq!(object.get::<u64>("object-id"), Ok(id), "{object}");
            let own = Gaze::new(object.get("pitch").unwrap(), object.get("yaw").unwrap());
            let (_, of_source) = expected.iter().find(|(s, _)| *s == get("source-id")).unwrap();
            assert_eq!(of_source[usize::from(x != 4.0)], Some(own));
        }
    }
}

#[test]
fn a_batch_that_is_not_full_is_processed() {
    if !ready("a_batch_that_is_not_full_is_processed") {
        return;
    }
    let (mut h, bus) = nvidia("batch-size=8", "");
    h.set_src_caps(caps(VideoFormat::Rgba, WIDTH, HEIGHT));
    for slot in 0..3 {
        h.push(frame(VideoFormat::Rgba, slot, &[])).unwrap();
    }
    h.push_event(gst::event::Eos::new());
    let out = h.pull().unwrap();
    assert_eq!(gaze::read_batch(&out).count(), 3, "{:?}", warnings(&bus));
}

#[test]
fn each_source_has_its_own_past() {
    if !ready("each_source_has_its_own_past") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("gaze.txt");
    std::fs::write(
        &config,
        "[property]\ngpu-id=0\nsecondary-reinfer-interval=2\noperate-on-gie-id=1\n\
         gie-unique-id=4\ninput-object-max-width=30\n",
    )
    .unwrap();
    let properties = format!("config-file-path={} unique-id=5", config.display());
    let (mut h, bus) = nvidia("batch-size=2", &properties);
    h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
    // The second source loses its track after the second frame.
    let mut ages = [Vec::new(), Vec::new()];
    for n in 0..5 {
        let wide: Region = ("face", (0, 0, 31, 20), 3);
        for id in [7, if n < 2 { 8 } else { 9 }] {
            let face: Region = ("face", (4, 4, 20, 24), id);
            h.push(frame(VideoFormat::Nv12, n, &[wide, face])).unwrap();
        }
        for object in messages(&bus, "gaze-object") {
            assert_eq!(object.get::<u32>("unique-id"), Ok(5), "properties overrule the file");
            let source = object.get::<u32>("source-id").unwrap();
            ages[source as usize].push(object.get::<u32>("age").unwrap());
        }
    }
    assert_eq!(ages, [vec![0, 1, 2, 0, 1], vec![0, 1, 0, 1, 2]]);
}

#[test]
fn only_the_requested_objects_get_gaze() {
    if !ready("only_the_requested_objects_get_gaze") {
        return;
    }
    let regions: [Region; 2] = [("face", (4, 4, 20, 24), 0), ("car", (0, 0, 32, 32), 0)];
    for (properties, count) in [
        ("", 2),
        ("infer-on-gie-id=1", 2),
        ("infer-on-gie-id=2", 0),
        ("infer-on-class-ids=1", 1),
        ("infer-on-class-ids=0:1:5", 2),
        ("min-object-width=25", 1),
        ("max-object-height=30", 1),
        ("inference-region=full-frame", 0),
    ] {
        let (mut h, bus) = nvidia("", properties);
        h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
        h.push(frame(VideoFormat::Nv12, 1, &regions)).unwrap();
        assert_eq!(messages(&bus, "gaze-object").len(), count, "{properties}");
        let found = gaze::read(&h.pull().unwrap()).unwrap();
        let whole = properties.contains("full-frame");
        assert_eq!(found.faces.len(), if whole { 1 } else { count }, "{properties}");
    }
}

#[test]
fn arrows_for_the_on_screen_display_are_attached() {
    if !ready("arrows_for_the_on_screen_display_are_attached") {
        return;
    }
    // More than one display meta holds.
    let regions: Vec<Region> = (0..20).map(|i| ("face", (i, i, 20, 20), 0)).collect();
    for (properties, count) in [("", 0), ("display-arrows=true", 20)] {
        let (mut h, bus) = nvidia("", properties);
        h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
        h.push(frame(VideoFormat::Nv12, 1, &regions)).unwrap();
        let arrows = messages(&bus, "arrow");
        assert_eq!(arrows.len(), count);
        for (i, arrow) in arrows.iter().enumerate() {
            let get = |name: &str| arrow.get::<u32>(name).unwrap();
            assert_eq!(get("x1"), 10 + i as u32, "starts in the middle of its box");
            assert!(get("x2") < WIDTH && get("y2") < HEIGHT, "{arrow}");
            assert_eq!((get("width"), arrow.get::<i32>("head")), (3, Ok(1)));
            assert_eq!(arrow.get::<f64>("alpha"), Ok(1.0));
            // What a pool's element held before is not drawn again.
            assert_eq!(arrow.get::<u32>("others"), Ok(0), "{arrow}");
        }
    }
}

#[test]
fn gazeface_looks_at_single_frames() {
    if !ready("gazeface_looks_at_single_frames") {
        return;
    }
    for (mux, words) in [("mem-type=4", None), ("batch-size=2", Some("nvstreammux"))] {
        let (mut h, bus) = harness(&format!("nvstubmux {mux} ! gazeface"));
        h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
        for seed in 0..2 {
            h.push(frame(VideoFormat::Nv12, seed, &[])).unwrap();
        }
        let said = warnings(&bus).join("\n");
        match words {
            Some(word) => says(&said, &[word, "batch of 2"]),
            None => assert_eq!(said, ""),
        }
    }
}

#[test]
fn batches_that_lie_are_reported() {
    if !ready("batches_that_lie_are_reported") {
        return;
    }
    for (mux, words) in [
        ("fault=short", &["8 bytes", "NvBufSurface"][..]),
        ("fault=no-list", &["surfaceList"]),
        ("fault=mem-type", &["memType", "77"]),
        ("mem-type=7", &["CudaArray", "nvvideoconvert"]),
        ("mem-type=5", &["Handle", "nvvideoconvert"]),
        ("fault=batch-size-0", &["batchSize", "0"]),
        ("fault=too-full", &["3 frames filled", "batchSize of 2"]),
        ("fault=planes", &["Nv12", "2 plane(s), not 1"]),
        ("fault=many-planes", &["1000 planes"]),
        ("fault=pitch", &["stride of 3", "64 bytes"]),
        ("fault=long-pitch", &["exceeds"]),
        ("fault=offset", &["4294967280", "exceeds"]),
        ("fault=psize mem-type=4", &["plane 0 has 1 bytes"]),
        ("fault=format", &["9999", "NV12 or RGBA"]),
        ("fault=no-data", &["no memory"]),
        ("fault=size", &["0x48"]),
        ("fault=huge", &["4294967295"]),
        ("layout=1", &["layout 1"]),
        ("layout=1 mem-type=2", &["layout 1"]),
    ] {
        let (mut h, bus) = nvidia(mux, "");
        h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
        for seed in 0..2 {
            h.push(frame(VideoFormat::Nv12, seed, &[])).unwrap();
            assert!(gaze::read(&h.pull().unwrap()).is_none(), "{mux}: passed on without gaze");
        }
        let said = warnings(&bus);
        assert_eq!(said.len(), 1, "{mux}: said once: {said:?}");
        says(&said[0], words);
    }
}

#[test]
fn one_broken_frame_does_not_keep_the_others_from_their_gaze() {
    if !ready("one_broken_frame_does_not_keep_the_others_from_their_gaze") {
        return;
    }
    let (mut h, bus) = nvidia("batch-size=3 fault=format", "name=gaze post-messages=true");
    h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
    for batch in 1..=2u64 {
        for slot in 0..3 {
            h.push(frame(VideoFormat::Nv12, slot, &[("face", (4, 4, 20, 24), 0)])).unwrap();
        }
        let out = h.pull().unwrap();
        let mut sources: Vec<_> = gaze::read_batch(&out).map(|frame| frame.source_id).collect();
        sources.sort_unstable();
        assert_eq!(sources, [1, 2]);
        // They are told of and counted as if the broken one were not there, which is said once.
        let (told, said) = take(&bus);
        let mut told: Vec<_> = told
            .iter()
            .filter(|message| message.name() == "gaze")
            .map(|message| message.get::<u32>("source-id").unwrap())
            .collect();
        told.sort_unstable();
        assert_eq!(told, [1, 2]);
        assert_eq!(said.len(), usize::from(batch == 1), "{said:?}");
        said.iter().for_each(|said| says(said, &["9999"]));
        let element = h.element().unwrap().downcast::<gst::Bin>().unwrap();
        let element = element.by_name("gaze").unwrap();
        let stats = element.property::<gst::Structure>("stats");
        let count = |name: &str| stats.get::<u64>(name).unwrap();
        assert_eq!(
            ["frames", "faces", "inferences"].map(count),
            [batch, 2 * batch, 2 * batch],
            "{stats}"
        );
    }
}

#[test]
fn each_source_has_its_json_lines() {
    if !ready("each_source_has_its_json_lines") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let lines = dir.path().join("gaze.jsonl");
    let (mut h, _bus) = harness(&format!(
        "nvstubmux batch-size=4 gaps=4 ! gazeinfer {} ! gazepublish location={}",
        model(),
        lines.display()
    ));
    h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
    for slot in 0..4 {
        h.push(frame(VideoFormat::Nv12, slot, &[])).unwrap();
    }
    h.push_event(gst::event::Eos::new());
    let text = std::fs::read_to_string(&lines).unwrap();
    let mut sources: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| (line["frame"].as_u64().unwrap(), line["source_id"].as_u64().unwrap()))
        .collect();
    sources.sort_unstable();
    assert_eq!(sources, [(0, 0), (0, 1), (0, 3)]);
}

/// What a process says in which one of the libraries is missing.
fn without(missing: &str, folder: &Path, mux: &str) -> String {
    let libs = folder.join(format!("without-{missing}"));
    std::fs::create_dir_all(&libs).unwrap();
    for (name, _) in LIBRARIES.iter().filter(|(name, _)| *name != missing) {
        std::fs::copy(folder.join("libs").join(name), libs.join(name)).unwrap();
    }
    said_with(&libs, folder, mux, 1)
}

/// What a process says that finds NVIDIA's libraries in `libs` and gets so many frames.
pub fn said_with(libs: &Path, folder: &Path, mux: &str, frames: u32) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nvmm::cases::a_process_of_its_own", "--nocapture"])
        .env("LD_LIBRARY_PATH", libs)
        .env("GAZE_NVSTUB", folder.join("alone"))
        .env("GAZE_NVSTUB_MUX", mux)
        .env("GAZE_NVSTUB_FRAMES", frames.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().filter_map(|line| line.split_once("SAID ")).map(|(_, text)| text).collect()
}

/// Not a test of its own: what [`said_with`] runs in a process.
#[test]
fn a_process_of_its_own() {
    let Some(folder) = std::env::var_os("GAZE_NVSTUB") else { return };
    let mux = std::env::var("GAZE_NVSTUB_MUX").unwrap();
    let frames: usize = std::env::var("GAZE_NVSTUB_FRAMES").unwrap().parse().unwrap();
    assert!(common::element::runtime("a_process_of_its_own"));
    stub::load(Path::new(&folder));
    let (mut h, bus) = nvidia(&mux, "");
    h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
    let pushed: Result<Vec<_>, _> =
        (1..=frames).map(|seed| h.push(frame(VideoFormat::Nv12, seed, &[]))).collect();
    let (errors, warnings) = troubles(&bus);
    assert_eq!(pushed.is_err(), !errors.is_empty());
    let said = errors.into_iter().chain(warnings).next();
    println!("\nSAID {}", said.unwrap_or_else(|| "nothing".to_owned()));
}

#[test]
fn libraries_missing_one_at_a_time_are_reported() {
    if !ready("libraries_missing_one_at_a_time_are_reported") {
        return;
    }
    let folder = stub::build().unwrap();
    assert_eq!(without("none", &folder, "mem-type=2"), "nothing");
    for (missing, mux, words) in [
        ("libnvbufsurface.so", "", &["NVMM", "DeepStream", "JetPack", "LD_LIBRARY_PATH"][..]),
        ("libnvbufsurftransform.so", "mem-type=4 layout=1", &["block-linear"]),
        ("libcuda.so.1", "mem-type=2", &["driver"]),
        ("libnvds_meta.so", "", &["install DeepStream"]),
        ("libnvdsgst_meta.so", "", &["install DeepStream"]),
    ] {
        let said = without(missing, &folder, mux);
        says(&said, &[missing]);
        says(&said, words);
    }
    // Who needs none of them is not kept from playing.
    for (missing, mux) in [
        ("libnvbufsurftransform.so", "mem-type=4"),
        ("libcuda.so.1", "mem-type=4 layout=1"),
        ("libnvds_meta.so", "metadata=false"),
        ("libnvdsgst_meta.so", "metadata=false"),
    ] {
        assert_eq!(without(missing, &folder, mux), "nothing", "{missing}");
    }
}

#[test]
fn caps_are_negotiated_in_each_memory() {
    if !ready("caps_are_negotiated_in_each_memory") {
        return;
    }
    for element in ["gazeinfer", "gazeface"] {
        let factory = gst::ElementFactory::find(element).unwrap();
        for feature in ["memory:SystemMemory", "memory:CUDAMemory", "memory:NVMM"] {
            for format in ["NV12", "RGBA", "I420"] {
                let caps = gst::Caps::builder("video/x-raw")
                    .features([feature])
                    .field("format", format)
                    .field("width", 64)
                    .field("height", 64)
                    .field("framerate", gst::Fraction::new(30, 1))
                    .build();
                assert!(factory.can_sink_all_caps(&caps), "{element} {caps}");
                assert!(factory.can_src_all_caps(&caps), "{element} {caps}");
            }
        }
    }
    // Memory of GStreamer's CUDA elements is mapped like any other.
    let mut h = system("");
    let mut cuda = caps(VideoFormat::Nv12, WIDTH, HEIGHT);
    cuda.make_mut().set_features(0, Some(gst::CapsFeatures::new(["memory:CUDAMemory"])));
    h.set_src_caps(cuda);
    h.push(frame(VideoFormat::Nv12, 1, &[])).unwrap();
    assert!(gaze::read(&h.pull().unwrap()).unwrap().faces[0].gaze.is_some());
}

#[test]
fn the_header_matches_the_structure() {
    use gstgaze::nvidia::payload as p;
    if !ready("the_header_matches_the_structure") {
        return;
    }
    macro_rules! offsets {
        ($($field:ident),*) => {
            [$((stringify!($field), std::mem::offset_of!(p::GazeObjMeta, $field))),*]
        };
    }
    let offsets = offsets!(
        magic,
        version,
        size,
        unique_id,
        object_id,
        inference_time,
        source_id,
        flags,
        age,
        pitch,
        yaw,
        confidence,
        direction,
        head,
        origin,
        rect,
        reserved
    );
    let mut checks = String::from("#include \"gazemeta.h\"\n#include <string.h>\n");
    let mut check = |what: String| checks.push_str(&format!("_Static_assert({what}, \"\");\n"));
    check(format!("sizeof(GazeObjMeta) == {}", size_of::<p::GazeObjMeta>()));
    for (field, offset) in offsets {
        check(format!("offsetof(GazeObjMeta, {field}) == {offset}"));
    }
    for (name, value) in [("MAGIC", p::MAGIC), ("VERSION", p::VERSION)] {
        check(format!("GAZE_OBJ_META_{name} == {value}u"));
    }
    for (name, value) in [
        ("GAZE", p::HAS_GAZE),
        ("CONFIDENCE", p::HAS_CONFIDENCE),
        ("HEAD", p::HAS_HEAD),
        ("ORIGIN", p::HAS_ORIGIN),
    ] {
        check(format!("GAZE_HAS_{name} == {value}u"));
    }
    let name = p::TYPE_NAME.to_str().unwrap();
    check(format!("sizeof GAZE_OBJ_META_TYPE == sizeof \"{name}\""));
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("check.c");
    std::fs::write(&source, &checks).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for language in
        [&["-std=c11", "-Wpedantic"][..], &["-x", "c++", "-D_Static_assert=static_assert"]]
    {
        let output = Command::new("cc")
            .args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"])
            .arg(root.join("include"))
            .args(language)
            .arg(&source)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    // The Python example has the same fields at the same places.
    let python = Command::new("python3")
        .args([
            "-c",
            "import gaze_deepstream as g, ctypes\nprint(ctypes.sizeof(g.GazeObjMeta))\n\
            for f, *_ in g.GazeObjMeta._fields_: print(f, getattr(g.GazeObjMeta, f).offset)",
        ])
        .env("PYTHONPATH", root.join("examples"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output();
    let Ok(python) = python else {
        common::left_out("the_header_matches_the_structure", "no python3: the Python example");
        return;
    };
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    let mut expected = format!("{}\n", size_of::<p::GazeObjMeta>());
    offsets.iter().for_each(|(field, offset)| expected.push_str(&format!("{field} {offset}\n")));
    assert_eq!(String::from_utf8(python.stdout).unwrap(), expected);
}

#[test]
fn boxes_leave_the_frame() {
    if !ready("boxes_leave_the_frame") {
        return;
    }
    let regions: [Region; 2] =
        [("face", (60, 40, 4000, 4000), 0), ("face", (4000, 4000, 10, 10), 0)];
    let (mut h, bus) = nvidia("", "display-arrows=true");
    h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
    h.push(frame(VideoFormat::Nv12, 1, &regions)).unwrap();
    let found = gaze::read(&h.pull().unwrap()).unwrap();
    assert_eq!(found.faces.len(), 1, "what lies outside is no face");
    assert_eq!(found.faces[0].region.rect, Rect::new(60.0, 40.0, 4000.0, 4000.0));
    for arrow in messages(&bus, "arrow") {
        for (name, extent) in [("x1", WIDTH), ("y1", HEIGHT), ("x2", WIDTH), ("y2", HEIGHT)] {
            assert!(arrow.get::<u32>(name).unwrap() < extent, "{arrow}");
        }
    }
}
