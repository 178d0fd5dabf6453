//! Regions and results that are lost on the way, never match, or replace each other: each is told once on
//! the bus, with its cause and remedy, and never makes a wrong gaze in silence.
#![cfg(feature = "plugin")]

mod common;

use common::element::{black, caps, init, runtime, says};
use glib::prelude::*;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::FrameGaze;
use gstgaze::core::geometry::{Rect, Size};
use gstgaze::plugin::meta::{faces, gaze};

const SIZE: Size = Size::new(64, 48);

fn gazeinfer() -> String {
    let (model, profile) = (common::data("regression.onnx"), common::data("regression.toml"));
    format!("gazeinfer engine={} profile={}", model.display(), profile.display())
}

/// A run of a pipeline: what it told, and the frames at its end.
struct Run {
    warnings: Vec<String>,
    infos: Vec<String>,
    results: Vec<Option<FrameGaze>>,
}

impl Run {
    /// The faces of each frame; a frame that was not looked at has none.
    fn faces(&self) -> Vec<usize> {
        self.results.iter().map(|r| r.as_ref().map_or(0, |r| r.faces.len())).collect()
    }

    /// Asserts that one warning has these words.
    #[track_caller]
    fn warns_once(&self, words: &[&str]) {
        let found: Vec<_> = self.warnings.iter().filter(|w| w.contains(words[0])).collect();
        assert_eq!(found.len(), 1, "{:?}", self.warnings);
        says(found[0], words);
    }

    #[track_caller]
    fn says_nothing_of(&self, words: &str) {
        assert!(!self.warnings.iter().any(|w| w.contains(words)), "{:?}", self.warnings);
    }
}

/// Runs `appsrc name=in ! LAUNCH ! appsink` (or, with `LAUNCH` beginning with a source, this alone) on
/// the frames.
fn run(launch: &str, frames: Vec<gst::Buffer>) -> Run {
    init();
    let fed = !launch.starts_with("videotestsrc");
    let source = if fed { "appsrc name=in format=time !" } else { "" };
    let description = format!("{source} {launch} ! appsink name=out sync=false");
    let pipeline = gst::parse::launch(&description).expect(&description);
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("out").unwrap().downcast::<gst_app::AppSink>().unwrap();
    if fed {
        let source = pipeline.by_name("in").unwrap().downcast::<gst_app::AppSrc>().unwrap();
        source.set_caps(Some(&caps(VideoFormat::Rgb, SIZE.width, SIZE.height)));
        pipeline.set_state(gst::State::Playing).unwrap();
        for (index, mut frame) in (0..).zip(frames) {
            frame.get_mut().unwrap().set_pts(gst::ClockTime::from_mseconds(40 * index));
            source.push_buffer(frame).unwrap();
        }
        source.end_of_stream().unwrap();
    } else {
        pipeline.set_state(gst::State::Playing).unwrap();
    }
    let mut results = Vec::new();
    while let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_seconds(30)) {
        results.push(gaze::read(sample.buffer().unwrap()));
    }
    assert!(sink.is_eos(), "{description}");
    let bus = pipeline.bus().unwrap();
    let (mut warnings, mut infos) = (Vec::new(), Vec::new());
    while let Some(message) = bus.pop() {
        match message.view() {
            gst::MessageView::Warning(warning) => warnings.push(warning.error().to_string()),
            gst::MessageView::Info(info) => infos.push(info.error().to_string()),
            gst::MessageView::Error(error) => panic!("{description}: {error:?}"),
            _ => {}
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    Run { warnings, infos, results }
}

fn plain(count: usize) -> Vec<gst::Buffer> {
    (0..count).map(|_| black(SIZE.width, SIZE.height)).collect()
}

/// Frames with a region of this class each.
fn with_class(class: &str, count: usize) -> Vec<gst::Buffer> {
    let mut frames = plain(count);
    for frame in &mut frames {
        let frame = frame.get_mut().unwrap();
        VideoRegionOfInterestMeta::add(frame, class, (4, 4, 16, 16));
    }
    frames
}

#[test]
fn auto_decides_once_and_says_which() {
    let test = "auto_decides_once_and_says_which";
    if !runtime(test) {
        return;
    }
    let frames = "videotestsrc num-buffers=20 ! video/x-raw,width=64,height=48 !";
    // No detector among known elements: the whole frame, from the first one on.
    let whole = run(&format!("{frames} videoconvert ! queue ! {}", gazeinfer()), vec![]);
    assert_eq!(whole.faces(), [1; 20]);
    let told: Vec<_> = whole.infos.iter().filter(|info| info.contains("whole frame")).collect();
    assert_eq!(told.len(), 1, "{:?}", whole.infos);
    says(told[0], &["no detector is upstream", "gazeface"]);
    assert!(whole.warnings.is_empty(), "{:?}", whole.warnings);
    // The user who asks for it hears nothing.
    let asked = run(&format!("{frames} {} inference-region=full-frame", gazeinfer()), vec![]);
    assert_eq!((asked.faces(), asked.warnings.len()), (vec![1; 20], 0));
    // gazeface is upstream: a frame without a face has no gaze.
    let detector = run(&format!("{frames} gazeface ! queue ! {}", gazeinfer()), vec![]);
    assert_eq!(detector.faces(), [0; 20]);
    assert_eq!(detector.infos.iter().filter(|info| info.contains("regions")).count(), 1);
    assert!(detector.warnings.is_empty(), "{:?}", detector.warnings);
}

#[test]
fn a_foreign_detector_whose_first_frames_are_empty_makes_no_gaze_of_the_whole_frame() {
    if !runtime("a_foreign_detector_whose_first_frames_are_empty_makes_no_gaze_of_the_whole_frame")
    {
        return;
    }
    for empty in [1, 10] {
        let frames =
            plain(empty).into_iter().chain(with_class("face", 2)).chain(plain(60)).collect();
        let run = run(&gazeinfer(), frames);
        let expected = [vec![0; empty], vec![1; 2], vec![0; 60]].concat();
        assert_eq!(run.faces(), expected);
        assert_eq!(run.infos.iter().filter(|info| info.contains("regions")).count(), 1);
        assert!(run.warnings.is_empty(), "{:?}", run.warnings);
    }
    // A picture of one face, from a program: it cannot be told from a scene without faces.
    let short = run(&gazeinfer(), plain(3));
    assert_eq!(short.faces(), [0; 3]);
    short.warns_once(&["no frame had a region", "full-frame", "roi-list"]);
    // After a second it can.
    let long = run(&gazeinfer(), plain(40));
    assert_eq!(long.faces().iter().sum::<usize>(), 10);
    long.warns_once(&["whole frame", "full-frame"]);
}

#[test]
fn regions_that_are_lost_on_the_way_are_told() {
    if !runtime("regions_that_are_lost_on_the_way_are_told") {
        return;
    }
    let droppers = [
        ("videocrop left=4 name=cutter", "cutter"),
        ("videobox left=-4 name=boxer", "boxer"),
        ("compositor name=mixer", "mixer"),
        ("videoflip video-direction=horiz name=mirror", "mirror"),
    ];
    for (dropper, name) in droppers {
        // Long and short: after some frames, and at the end.
        for frames in [40, 3] {
            let launch = format!(
                "videotestsrc num-buffers={frames} ! video/x-raw,format=I420,width=64,height=48 ! \
                 gazeface name=finder ! queue ! {dropper} ! {}",
                gazeinfer()
            );
            let run = run(&launch, vec![]);
            assert!(run.faces().iter().all(|faces| *faces == 0), "{dropper}: {:?}", run.faces());
            run.warns_once(&["finder", name, "videocrop"]);
            run.says_nothing_of("whole frame");
        }
    }
}

/// gazeface's marks come and then stop, behind a chain that cannot be looked through.
#[test]
fn marks_of_gazeface_that_stop_are_told() {
    if !runtime("marks_of_gazeface_that_stop_are_told") {
        return;
    }
    let mut frames = plain(30);
    for frame in &mut frames[..10] {
        faces::add(frame.get_mut().unwrap(), SIZE, &[]).unwrap();
    }
    let run = run(&gazeinfer(), frames);
    assert_eq!(run.faces(), [0; 30]);
    run.warns_once(&["stopped coming", "videocrop"]);
}

#[test]
fn results_that_do_not_arrive_are_told_by_every_reader() {
    if !runtime("results_that_do_not_arrive_are_told_by_every_reader") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let publish = format!("gazepublish location={}", dir.path().join("out.jsonl").display());
    for reader in ["gazeoverlay", "gazemonitor", publish.as_str()] {
        for count in [3, 150] {
            let source = format!(
                "videotestsrc num-buffers={count} ! video/x-raw,format=I420,width=64,height=48 !"
            );
            let infer = format!("{} inference-region=full-frame", gazeinfer());
            // An element in between drops them.
            for (dropper, name) in
                [("videoflip video-direction=90r", "videoflip"), ("videocrop top=2", "videocrop")]
            {
                let run = run(&format!("{source} {infer} ! {dropper} ! {reader}"), vec![]);
                run.warns_once(&["carries GazeMeta", "gazeinfer", name]);
            }
            // The wrong order, and no gazeinfer at all.
            let order = run(&format!("{source} {reader} ! {infer}"), vec![]);
            order.warns_once(&[
                "carries GazeMeta",
                "No gazeinfer is upstream",
                "put gazeinfer before",
            ]);
            let none = run(&format!("{source} {reader}"), vec![]);
            none.warns_once(&["carries GazeMeta", "No gazeinfer is upstream"]);
            // All is well: nothing is told.
            let well = run(&format!("{source} {infer} ! videoconvert ! {reader}"), vec![]);
            assert!(well.warnings.is_empty(), "{reader}: {:?}", well.warnings);
        }
    }
}

#[test]
fn results_that_stop_and_results_without_a_size_are_told() {
    init();
    let mut frames = plain(200);
    for frame in &mut frames[..50] {
        let result = FrameGaze { size: SIZE, ..Default::default() };
        gaze::add(frame.get_mut().unwrap(), &result).unwrap();
    }
    run("gazeoverlay", frames).warns_once(&["stopped coming", "100 buffers"]);
    let mut frames = plain(5);
    for frame in &mut frames {
        gst::meta::CustomMeta::add(frame.get_mut().unwrap(), gaze::NAME).unwrap();
    }
    run("gazeoverlay", frames).warns_once(&["width and height"]);
}

#[test]
fn an_object_class_that_matches_nothing_is_told_with_the_classes_that_arrive() {
    if !runtime("an_object_class_that_matches_nothing_is_told_with_the_classes_that_arrive") {
        return;
    }
    for count in [3, 100] {
        let frames = with_class("human face", count);
        let one = run(&gazeinfer(), frames);
        assert_eq!(one.faces(), vec![0; count]);
        one.warns_once(&["object-class", "'face'", "'human face'"]);
    }
    let mixed = with_class("person", 40).into_iter().chain(with_class("0", 40)).collect();
    let run_mixed = run(&format!("{} object-class=head", gazeinfer()), mixed);
    run_mixed.warns_once(&["object-class", "'head'", "'person'"]);
    // A frame that matches is enough, and other classes beside it are no fault.
    let some = with_class("face", 1).into_iter().chain(with_class("car", 100)).collect();
    let matched = run(&gazeinfer(), some);
    assert!(matched.warnings.is_empty(), "{:?}", matched.warnings);
}

#[test]
fn a_second_gazeinfer_is_told() {
    if !runtime("a_second_gazeinfer_is_told") {
        return;
    }
    let chain = format!("{} ! {}", gazeinfer(), gazeinfer());
    let run = run(&chain, with_class("face", 10));
    assert_eq!(run.faces(), [1; 10]);
    run.warns_once(&["already", "replaces", "tee"]);
}

/// Metadata of an unusual frame does not change what a usual one gives.
#[test]
fn a_whole_frame_gaze_gives_way_to_regions() {
    if !runtime("a_whole_frame_gaze_gives_way_to_regions") {
        return;
    }
    let frames = plain(40).into_iter().chain(with_class("face", 1)).chain(plain(10)).collect();
    let run = run(&gazeinfer(), frames);
    assert_eq!(run.faces()[40..], [vec![1], vec![0; 10]].concat());
    run.warns_once(&["regions arrive now", "roi-list"]);
    let rect = run.results[40].as_ref().unwrap().faces[0].region;
    assert_eq!(rect, FaceRegion { rect: Rect::new(4.0, 4.0, 16.0, 16.0), ..Default::default() });
}
