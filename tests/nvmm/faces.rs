//! Which faces are looked at where more than one kind of metadata is on a buffer: the buffer's own
//! (GstAnalytics, regions of interest) before DeepStream's objects.

use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::geometry::Rect;
use gstgaze::plugin::meta::gaze;

use super::rig::*;
use super::stub::ready;
use crate::common::element::caps;

/// The object of every frame here.
const OBJECT: (u32, u32, u32, u32) = (4, 4, 20, 24);
/// A region on the batch's buffer.
const REGION: (u32, u32, u32, u32) = (30, 10, 20, 30);

/// Puts a region of this class on what the muxer gives, as an element between would.
fn with_region(h: &Harness, class: &'static str) {
    let bin = h.element().unwrap().downcast::<gst::Bin>().unwrap();
    let pad = bin.by_name("between").unwrap().static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let buffer = info.buffer_mut().unwrap().make_mut();
        VideoRegionOfInterestMeta::add(buffer, class, REGION).set_id(1);
        gst::PadProbeReturn::Ok
    });
}

fn rect((x, y, w, h): (u32, u32, u32, u32)) -> Rect {
    Rect::new(x as f32, y as f32, w as f32, h as f32)
}

#[test]
fn regions_on_the_buffer_come_before_objects() {
    if !ready("regions_on_the_buffer_come_before_objects") {
        return;
    }
    for (region, expected, on_the_region, on_the_object) in [
        (Some("face"), vec![rect(REGION)], true, 0),
        // A detector looked and found no face.
        (Some("car"), vec![], false, 0),
        (None, vec![rect(OBJECT)], false, 1),
    ] {
        let (mut h, bus) = harness(&format!(
            "nvstubmux ! identity name=between ! gazeinfer {} display-arrows=true ! nvstubread",
            model()
        ));
        if let Some(class) = region {
            with_region(&h, class);
        }
        h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
        h.push(frame(VideoFormat::Nv12, 1, &[("face", OBJECT, 7)])).unwrap();
        let out = h.pull().unwrap();
        let found = gaze::read(&out).unwrap();
        let rects: Vec<_> = found.faces.iter().map(|face| face.region.rect).collect();
        assert_eq!(rects, expected, "{region:?}");
        let told = out
            .iter_meta::<VideoRegionOfInterestMeta>()
            .filter_map(|roi| roi.param("gaze").map(|gaze| gaze.get::<f64>("yaw").unwrap()))
            .collect::<Vec<_>>();
        assert_eq!(told.len(), usize::from(on_the_region), "{region:?}");
        assert_eq!(messages(&bus, "gaze-object").len(), on_the_object, "{region:?}");
    }
}

#[test]
fn gazeface_behind_the_muxer_is_the_detector() {
    if !ready("gazeface_behind_the_muxer_is_the_detector") {
        return;
    }
    for objects in [&[][..], &[("face", OBJECT, 0)][..]] {
        let (mut h, bus) =
            harness(&format!("nvstubmux ! gazeface ! gazeinfer {} ! nvstubread", model()));
        h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
        h.push(frame(VideoFormat::Nv12, 1, objects)).unwrap();
        let out = h.pull().unwrap();
        let regions = out.iter_meta::<VideoRegionOfInterestMeta>().count();
        let found = gaze::read(&out).unwrap();
        // It looked at noise: neither the whole frame nor an object is a face then.
        assert_eq!(found.faces.len(), regions, "{:?}", warnings(&bus));
        assert_eq!(messages(&bus, "gaze-object").len(), 0);
    }
}

#[test]
fn regions_of_a_batch_of_several_belong_to_no_frame() {
    if !ready("regions_of_a_batch_of_several_belong_to_no_frame") {
        return;
    }
    let (mut h, bus) = harness(&format!(
        "nvstubmux batch-size=2 ! identity name=between ! gazeinfer {} ! nvstubread",
        model()
    ));
    with_region(&h, "face");
    h.set_src_caps(caps(VideoFormat::Nv12, WIDTH, HEIGHT));
    for seed in 0..2 {
        h.push(frame(VideoFormat::Nv12, seed, &[("face", OBJECT, 0)])).unwrap();
    }
    let frames: Vec<_> = gaze::read_batch(&h.pull().unwrap()).collect();
    assert_eq!(frames.len(), 2, "{:?}", warnings(&bus));
    for frame in frames {
        assert_eq!(frame.faces[0].region.rect, rect(OBJECT));
    }
    assert_eq!(messages(&bus, "gaze-object").len(), 2);
}
