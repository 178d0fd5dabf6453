//! Regions of interest that any program wrote: reading, planning and annotating them neither fails nor
//! looks at more faces than the limit, and what comes out is a face in numbers.
#![no_main]

use gst::meta::CustomMeta;
use gst_video::VideoRegionOfInterestMeta;
use gstgaze::core::face::shared_ids::SharedIds;
use gstgaze::core::face::{pnp, track::Tracker};
use gstgaze::core::gaze::GazeEstimate;
use gstgaze::core::gaze::reuse::{InferencePlan, ReusePlanner, ReusePolicy};
use gstgaze::core::geometry::camera::Optics;
use gstgaze::core::geometry::{Gaze, Size};
use gstgaze::core::profile::spec::{EyeSpec, RegionPolicy};
use gstgaze::plugin::meta::input_region::InputRegion;
use gstgaze::plugin::meta::region::{self, RegionReader};
use gstgaze::plugin::meta::{MAX_FACES, faces};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use sheet::metadata::{self, Fields, Frame};

#[derive(Arbitrary, Debug)]
struct Region {
    kind: u8,
    rect: [u32; 4],
    /// Whether the rectangle is cut to a usual size.
    near: bool,
    id: i32,
    parent: i32,
    parameters: Vec<(u8, Fields)>,
}

#[derive(Arbitrary, Debug)]
struct Input {
    frames: Vec<(Vec<Region>, Option<Frame>, bool)>,
    class: u8,
    sizes: [(u16, u16); 2],
    policy: (u8, u8, bool),
}

const PARAMETERS: [&str; 7] =
    ["detection", "object_id", "landmarks", "eyes", "eye-openness", "head-pose", "gaze"];
const FIELDS: [&str; 23] = [
    "confidence", "id", "pitch", "yaw", "roll", "right", "left", "right-eye-x", "right-eye-y",
    "left-eye-x", "left-eye-y", "nose-x", "nose-y", "mouth-right-x", "mouth-right-y",
    "mouth-left-x", "mouth-left-y", "right-outer-x", "right-outer-y", "right-inner-x",
    "right-inner-y", "left-inner-x", "left-outer-y",
];

/// The quark of a type: none, a usual one, and one that is no UTF-8.
fn quark(kind: u8) -> u32 {
    let names = [c"face", c"", c"fa\xe7e", c"\xff\xfe", c"person"];
    match usize::from(kind) % (names.len() + 1) {
        0 => 0,
        // SAFETY: the bytes are static and end with a zero.
        at => unsafe { glib::ffi::g_quark_from_static_string(names[at - 1].as_ptr()) },
    }
}

fn add(buffer: &mut gst::BufferRef, region: &Region) {
    let [x, y, w, h] = match region.near {
        true => region.rect.map(|side| side % 2000),
        false => region.rect,
    };
    let quark = quark(region.kind);
    // SAFETY: the buffer is writable.
    unsafe {
        gst_video::ffi::gst_buffer_add_video_region_of_interest_meta_id(
            buffer.as_mut_ptr(),
            quark,
            x,
            y,
            w,
            h,
        );
    }
}

fuzz_target!(|input: Input| {
    metadata::init();
    let class = ["face", "", "person"][usize::from(input.class) % 3];
    let (interval, again, tracking) = input.policy;
    let policy = ReusePolicy {
        inference_interval: interval.into(),
        reclassify_interval: again.into(),
        min_eye_openness: 0.5,
    };
    let (mut reader, mut planner, mut shared) =
        (RegionReader::default(), ReusePlanner::default(), SharedIds::default());
    let (mut tracker, mut plans) = (Tracker::default(), Vec::new());
    let mut last = None;
    for (at, (regions, marks, other_size)) in (0..).zip(&input.frames) {
        let (width, height) = input.sizes[usize::from(*other_size)];
        let size = Size::new(width.into(), height.into());
        let mut buffer = gst::Buffer::new();
        let writable = buffer.get_mut().expect("ours");
        regions.iter().for_each(|region| add(writable, region));
        for (mut roi, region) in
            writable.iter_meta_mut::<VideoRegionOfInterestMeta>().zip(regions)
        {
            roi.set_id(region.id);
            roi.set_parent_id(region.parent);
            for (name, fields) in &region.parameters {
                let name = PARAMETERS[usize::from(*name) % PARAMETERS.len()];
                let mut s = gst::Structure::new_empty(name);
                fields.write(&mut s, &FIELDS);
                roi.add_param(s);
            }
        }
        if let Some(marks) = marks {
            let mut meta = CustomMeta::add(writable, faces::NAME).expect("it is registered");
            marks.write(meta.mut_structure());
        }
        let mut found: Vec<InputRegion> = Vec::new();
        let detected = reader.read(&buffer, size, class, &mut found);
        assert!(detected || found.is_empty());
        found.truncate(MAX_FACES);
        shared.forget(&mut found, |region| &mut region.face);
        for (index, one) in found.iter().enumerate() {
            let id = one.face.track_id;
            let again = found.iter().skip(index + 1).any(|other| other.face.track_id == id);
            assert!(id.is_none() || !again, "an id twice");
        }
        if last.is_some_and(|last| last != size) {
            planner.rescale(last.unwrap_or_default(), size);
            tracker.rescale(last.unwrap_or_default(), size);
        }
        last = Some(size);
        planner.plan(found.iter().map(|r| r.face), policy, false, &mut plans);
        let camera = Optics::FieldOfView(60.0).camera(size);
        let estimates: Vec<GazeEstimate> = found
            .iter()
            .zip(&plans)
            .map(|(region, plan)| match plan {
                InferencePlan::Reuse(estimate) => *estimate,
                InferencePlan::Infer => {
                    let face = region.face;
                    if let Some(points) = &face.landmarks {
                        pnp::from_landmarks(&camera, points);
                    }
                    if let Some(eyes) = &face.eyes {
                        eyes.map(|eye| EyeSpec::default().square(&eye, size));
                    }
                    RegionPolicy::default().pixels(&face.rect, size);
                    let gaze = Some(Gaze::new(0.5, -0.5));
                    GazeEstimate { region: face, gaze, ..Default::default() }
                }
            })
            .collect();
        planner.remember(&estimates);
        if tracking {
            let mut faces: Vec<_> = found.iter().map(|region| region.face).collect();
            tracker.update(std::time::Duration::from_millis(40 * at), &mut faces);
        }
        let metas = found.iter().map(|region| region.meta);
        region::annotate_all(buffer.get_mut().expect("ours"), metas.zip(&estimates));
        let told = buffer
            .iter_meta::<VideoRegionOfInterestMeta>()
            .filter(|roi| roi.param("gaze").is_some_and(|s| s.has_field("age")))
            .count();
        assert!(told <= found.len());
        reader.classes.end();
    }
});
