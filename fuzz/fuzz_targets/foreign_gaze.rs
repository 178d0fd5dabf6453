//! GazeMeta, GazeFaces and AttentionMeta that any program wrote: all readers take them, the overlay draws
//! them, the monitor judges them, and each becomes a line of JSON.
#![no_main]

use std::time::Duration;

use gst::meta::CustomMeta;
use gstgaze::core::draw::{Argb, FrameMut, Painter, Parts, Style};
use gstgaze::core::geometry::Size;
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::{PixelFormat, PlaneLayout};
use gstgaze::core::json::{FrameStamp, write_line};
use gstgaze::core::monitor::{Conditions, Monitor, RuleProfile};
use gstgaze::plugin::meta::{MAX_FACES, attention, faces, gaze};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use sheet::drive::Setup;
use sheet::metadata::{self, Fields, Frame};

#[derive(Arbitrary, Debug)]
struct Input {
    frames: Vec<Frame>,
    judged: Fields,
    size: (u8, u8),
    line: u8,
    arrow: u16,
    setup: Setup,
}

const JUDGED: [&str; 24] = [
    "state", "level", "alarms", "reason", "zone", "zone-class", "pitch", "yaw", "away-time",
    "shared-time", "closed-time", "perclos", "forward-pitch", "forward-yaw", "forward-confidence",
    "speed", "face", "rules", "source-id", "left-road-time", "raised", "raised-level",
    "raised-delay", "raised-zone-delay",
];

fuzz_target!(|input: Input| {
    metadata::init();
    let rules = RuleProfile::builtin("euroncap-2026").expect("it ships").expect("it is right");
    let mut monitor = Monitor::new(input.setup.config(rules));
    let mut events = Vec::new();
    let mut painter = Painter::new().expect("the font is whole");
    let parts =
        Parts { boxes: true, arrows: true, text: true, landmarks: true, head_pose: true };
    let style = Style {
        parts,
        line_thickness: input.line.into(),
        arrow_length: input.arrow.into(),
        box_color: Argb(0xff00_ff00),
        ..Style::default()
    };
    let size = Size::new(u32::from(input.size.0) + 1, u32::from(input.size.1) + 1);
    let mut pixels = vec![128; (size.width * size.height * 3) as usize];
    for (at, frame) in (0_u64..).zip(&input.frames) {
        let mut buffer = gst::Buffer::new();
        let writable = buffer.get_mut().expect("ours");
        for name in [gaze::NAME, faces::NAME] {
            let mut meta = CustomMeta::add(writable, name).expect("it is registered");
            frame.write(meta.mut_structure());
        }
        let mut meta = CustomMeta::add(writable, attention::NAME).expect("it is registered");
        input.judged.write(meta.mut_structure(), &JUDGED);
        drop(meta);
        let judged = attention::read(&buffer);
        attention::source(&buffer);
        let mut noted = faces::GazeFaces::default();
        faces::read_into(&buffer, &mut noted);
        assert!(noted.faces.len() <= MAX_FACES);
        let Some(read) = gaze::read(&buffer) else { continue };
        assert!(read.faces.len() <= MAX_FACES);
        let back = gaze::parse(&gaze::to_structure("gaze", &read)).expect("ours");
        assert_eq!(format!("{back:?}"), format!("{read:?}"));
        let mut line = Vec::new();
        write_line(&mut line, FrameStamp::default(), &read, judged.as_ref()).expect("a line");
        serde_json::from_slice::<serde_json::Value>(&line).expect("JSON");
        let conditions = Conditions { speed: Some(80.0), nominal: true };
        monitor.observe(Duration::from_millis(40 * at), Some(&read), conditions, &mut events);
        painter.lay_out(&read.rescaled(size).faces, size, &style);
        let plane = PlaneLayout { offset: 0, stride: size.width as usize * 3 };
        let colours = Colorimetry::default();
        let mut drawn = FrameMut::new(PixelFormat::Rgb, size, colours, &[plane], &mut pixels)
            .expect("it fits");
        painter.paint(&mut drawn);
        painter.for_each_tile(|place, canvas| {
            assert_eq!(canvas.len(), place.width as usize * place.height as usize * 4);
        });
    }
});
