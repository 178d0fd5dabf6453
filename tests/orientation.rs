//! Pictures that a phone took in another orientation: who is warned, and that the remedy works.
#![cfg(feature = "plugin")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::element::{black, caps, init, run, runtime, says, warnings};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoOrientationMethod};
use gstgaze::plugin::meta::faces::{self, GazeFaces};

const TAGS: [&str; 8] = [
    "rotate-0",
    "rotate-90",
    "rotate-180",
    "rotate-270",
    "flip-rotate-0",
    "flip-rotate-90",
    "flip-rotate-180",
    "flip-rotate-270",
];

fn tags(orientation: Option<&str>, scope: gst::TagScope) -> gst::Event {
    let mut list = gst::TagList::new();
    {
        let list = list.get_mut().unwrap();
        list.set_scope(scope);
        list.add::<gst::tags::Title>(&"clip", gst::TagMergeMode::Replace);
        if let Some(orientation) = orientation {
            list.add::<gst::tags::ImageOrientation>(&orientation, gst::TagMergeMode::Replace);
        }
    }
    gst::event::Tag::new(list)
}

/// The elements under test, with models that this project has.
fn elements(test: &str) -> Vec<String> {
    init();
    let mut elements = vec!["gazeface".to_owned()];
    if runtime(test) {
        elements.push(format!(
            "gazeinfer engine={} profile={}",
            common::data("regression.onnx").display(),
            common::data("regression.toml").display()
        ));
    }
    elements
}

/// What comes to the element.
enum Step {
    Tags(Option<&'static str>, gst::TagScope),
    Caps,
    Frame,
    Stream(&'static str),
}
use Step::{Caps, Frame, Stream, Tags};
use gst::TagScope::{Global, Stream as Own};

/// The warnings after these steps.
fn told(element: &str, steps: &[Step]) -> Vec<String> {
    let element = gst::parse::launch(element).unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut h = Harness::with_element(&element, Some("sink"), Some("src"));
    h.play();
    let begin = |h: &mut Harness| {
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        assert!(h.push_event(gst::event::Caps::new(&caps(VideoFormat::Rgb, 64, 48))));
        assert!(h.push_event(gst::event::Segment::new(&segment)));
    };
    assert!(h.push_event(gst::event::StreamStart::new("first")));
    for step in steps {
        match step {
            Tags(orientation, scope) => assert!(h.push_event(tags(*orientation, *scope))),
            Caps => begin(&mut h),
            Frame => {
                h.push(black(64, 48)).unwrap();
                h.pull().unwrap();
            }
            Stream(id) => {
                assert!(h.push_event(gst::event::StreamStart::new(id)));
                begin(&mut h);
            }
        }
    }
    warnings(&bus)
}

#[test]
fn tags_that_no_element_obeys_are_told_once() {
    for element in elements("tags_that_no_element_obeys_are_told_once") {
        // All orientations, of both scopes.
        for tag in TAGS {
            for scope in [Own, Global] {
                let told = told(&element, &[Caps, Tags(Some(tag), scope), Frame, Frame]);
                assert_eq!(told.len(), usize::from(tag != "rotate-0"), "{tag} {scope:?}: {told:?}");
                for text in told {
                    says(
                        &text,
                        &[&format!("image-orientation={tag},"), "videoflip video-direction=auto"],
                    );
                }
            }
        }
        // Steps, and whether they are told.
        let unturned = || Tags(Some("rotate-90"), Own);
        for (count, steps) in [
            (0, vec![Caps, Frame, Frame]),
            (0, vec![Caps, Tags(None, Own), Frame]),
            (0, vec![Caps, Tags(Some("rotate-45"), Own), Frame]),
            // Before the caps, in mid-stream, twice, and away from it again.
            (1, vec![unturned(), Caps, Frame]),
            (1, vec![Caps, Frame, Frame, unturned(), Frame]),
            (1, vec![Caps, Tags(Some("rotate-0"), Own), Frame, unturned(), Frame]),
            (1, vec![Caps, unturned(), Frame, Tags(Some("rotate-180"), Own), Frame]),
            // A tag without a frame harms nothing.
            (0, vec![Caps, unturned(), Tags(Some("rotate-0"), Own), Frame]),
            // Tags of the stream come before global ones, as in videoflip.
            (0, vec![Caps, Tags(Some("rotate-90"), Global), Tags(Some("rotate-0"), Own), Frame]),
            (0, vec![Caps, Tags(Some("rotate-0"), Own), Tags(Some("rotate-90"), Global), Frame]),
            (1, vec![Caps, Tags(Some("rotate-0"), Global), unturned(), Frame]),
            (1, vec![Caps, Tags(Some("rotate-90"), Global), Tags(None, Own), Frame]),
            // Another stream has its own tags; the same one goes on.
            (0, vec![Stream("a"), unturned(), Stream("b"), Frame]),
            (1, vec![Stream("a"), unturned(), Stream("a"), Frame]),
            (1, vec![Stream("a"), Frame, Stream("b"), unturned(), Frame]),
        ] {
            let told = told(&element, &steps);
            assert_eq!(told.len(), count, "{element}: {told:?}");
        }
    }
}

/// The warnings of a pipeline with these elements before gazeface, fed with pictures of this tag.
fn told_behind(upstream: &str, tag: &str) -> Vec<String> {
    init();
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=64,height=48 ! \
         taginject tags=image-orientation={tag} ! {upstream} gazeface ! videoflip \
         video-direction=auto ! fakesink"
    ));
    let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
    let found = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let note = found.clone();
    pipeline.bus().unwrap().set_sync_handler(move |_, message| {
        if let gst::MessageView::Warning(warning) = message.view() {
            note.lock().push(warning.error().to_string());
        }
        gst::BusSyncReply::Pass
    });
    run(&pipeline).unwrap();
    let found = found.lock();
    found.clone()
}

/// Wherever pictures are turned upstream, automatically or by hand, nothing is wrong. videoflip 1.22.0
/// leaves the tag as it is, so the tag alone does not tell.
#[test]
fn pictures_that_are_turned_upstream_are_no_fault() {
    for (upstream, faults) in [
        ("", 1),
        ("videoconvert ! queue !", 1),
        ("videoflip !", 1),
        ("videoflip video-direction=identity !", 1),
        ("videoflip video-direction=auto !", 0),
        ("videoflip video-direction=90r !", 0),
        ("videoflip video-direction=auto ! videoconvert ! queue ! tee ! queue !", 0),
        // In a bin, and the rest in another.
        ("( videoflip video-direction=auto ! videoconvert ) !", 0),
        ("( ( videoconvert ! videoflip video-direction=auto ) ! identity ) ! queue !", 0),
        ("( videoconvert ! identity ) !", 1),
    ] {
        let told = told_behind(upstream, "rotate-90");
        assert_eq!(told.len(), faults, "{upstream} {told:?}");
    }
    assert_eq!(told_behind("", "rotate-0"), [""; 0]);
}

/// gazeface in a bin of its own, behind the bin's ghost pad.
#[test]
fn the_search_leaves_the_own_bin() {
    init();
    for (direction, faults) in [("auto", 0), ("identity", 1)] {
        let pipeline = gst::Pipeline::new();
        let source = gst::parse::bin_from_description(
            &format!(
                "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=64,height=48 ! taginject \
                 tags=image-orientation=rotate-270 ! videoflip video-direction={direction}"
            ),
            true,
        );
        let faces = gst::parse::bin_from_description("queue ! gazeface ! fakesink", true).unwrap();
        let source = source.unwrap();
        pipeline.add_many([&source, &faces]).unwrap();
        source.link(&faces).unwrap();
        let found = Arc::new(AtomicUsize::new(0));
        let count = found.clone();
        pipeline.bus().unwrap().set_sync_handler(move |_, message| {
            let is_warning = message.type_() == gst::MessageType::Warning;
            count.fetch_add(usize::from(is_warning), Ordering::SeqCst);
            gst::BusSyncReply::Pass
        });
        run(&pipeline).unwrap();
        assert_eq!(found.load(Ordering::SeqCst), faults, "{direction}");
    }
}

/// What takes a picture to the orientation that a camera with this tag would have recorded.
fn inverse(tag: &str) -> VideoOrientationMethod {
    let event = tags(Some(tag), Own);
    let gst::EventView::Tag(event) = event.view() else { unreachable!() };
    match VideoOrientationMethod::from_tag(event.tag()).unwrap() {
        VideoOrientationMethod::_90r => VideoOrientationMethod::_90l,
        VideoOrientationMethod::_90l => VideoOrientationMethod::_90r,
        itself => itself,
    }
}

/// Frames of a clip, and those of them with a face, as a phone of this orientation records it.
fn frames_with_a_face(clip: &Path, engine: &Path, tag: &str, remedy: &str) -> (usize, usize) {
    let pipeline = gst::parse::launch(&format!(
        "filesrc location={} ! qtdemux ! h264parse ! identity eos-after=44 ! decodebin ! videoconvert ! \
         videoflip name=phone ! taginject tags=image-orientation={tag} ! {remedy} gazeface engine={} ! \
         fakesink name=out",
        clip.display(),
        engine.display()
    ));
    let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
    pipeline.by_name("phone").unwrap().set_property("video-direction", inverse(tag));
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let count = counts.clone();
    let pad = pipeline.by_name("out").unwrap().static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let mut found = GazeFaces::default();
        assert!(faces::read_into(info.buffer().unwrap(), &mut found));
        count[0].fetch_add(1, Ordering::SeqCst);
        count[1].fetch_add(usize::from(!found.faces.is_empty()), Ordering::SeqCst);
        gst::PadProbeReturn::Ok
    });
    run(&pipeline).unwrap();
    (counts[0].load(Ordering::SeqCst), counts[1].load(Ordering::SeqCst))
}

#[test]
fn the_remedy_finds_every_face_in_eight_orientations() {
    let test = "the_remedy_finds_every_face_in_eight_orientations";
    if !runtime(test) {
        return;
    }
    let Some(engine) = common::shared(test, "models/face/face_detection_yunet_2026may.onnx") else {
        return;
    };
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo.mp4");
    for tag in TAGS {
        let remedy = "videoflip video-direction=auto !";
        let (frames, found) = frames_with_a_face(&clip, &engine, tag, remedy);
        eprintln!("{tag}: a face in {found} of {frames} frames");
        assert!(frames >= 40, "{tag}: {frames}");
        assert_eq!(found, frames, "{tag}");
    }
    let (frames, found) = frames_with_a_face(&clip, &engine, "rotate-90", "");
    eprintln!("rotate-90 without the remedy: a face in {found} of {frames} frames");
    assert!(found < frames, "the clip needs no remedy");
}
