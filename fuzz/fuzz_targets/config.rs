//! nvinfer's configuration files: what is accepted lies in the range of its property.
#![no_main]

use gstgaze::plugin::gazeinfer::configured;
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// A file's name and contents.
#[derive(Debug)]
struct Text(&'static str, Vec<u8>);

const KEYS: [&str; 19] = [
    "gie-unique-id",
    "batch-size",
    "interval",
    "secondary-reinfer-interval",
    "operate-on-gie-id",
    "operate-on-class-ids",
    "input-object-min-width",
    "input-object-min-height",
    "input-object-max-width",
    "input-object-max-height",
    "process-mode",
    "onnx-file",
    "gpu-id",
    "network-mode",
    "model-engine-file",
    "enable-dla",
    "use-dla-core",
    "int8-calib-file",
    "net-scale-factor",
];

impl<'a> Arbitrary<'a> for Text {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let yaml = u.ratio(1_u8, 4_u8)?;
        let name = if yaml { "config.yml" } else { "config.txt" };
        if u.ratio(1_u8, 4_u8)? {
            return Ok(Self(name, u.bytes(u.len())?.to_vec()));
        }
        let mut text = if yaml { b"property:\n".to_vec() } else { b"[property]\n".to_vec() };
        for _ in 0..u.int_in_range(0..=8)? {
            text.extend(if yaml { "  " } else { "" }.bytes());
            text.extend(u.choose(&KEYS)?.as_bytes());
            text.extend(if yaml { ": " } else { "=" }.bytes());
            match u.int_in_range(0..=3)? {
                0 => text.extend(<&[u8]>::arbitrary(u)?),
                1 => text.extend(i64::arbitrary(u)?.to_string().as_bytes()),
                2 => text.extend(u.choose(&["0;2;", "-1", "0", "2147483647", "[", "a\\nb"])?.bytes()),
                _ => text.extend(u8::arbitrary(u)?.to_string().as_bytes()),
            }
            text.push(b'\n');
        }
        Ok(Self(name, text))
    }
}

/// The least and the most that a property takes, where it is a number.
fn range(property: &glib::ParamSpec) -> Option<(i64, i64)> {
    let unsigned = property.downcast_ref::<glib::ParamSpecUInt>();
    let signed = property.downcast_ref::<glib::ParamSpecInt>();
    unsigned
        .map(|p| (p.minimum().into(), p.maximum().into()))
        .or_else(|| signed.map(|p| (p.minimum().into(), p.maximum().into())))
}

fuzz_target!(init: gst::init().expect("GStreamer"), |text: Text| {
    let Text(name, contents) = text;
    match configured(&contents, name) {
        Ok(values) => {
            for (property, value) in values {
                assert!(value.type_().is_a(property.value_type()), "{}", property.name());
                let Some((least, most)) = range(&property) else { continue };
                let number = value
                    .get::<u32>()
                    .map(i64::from)
                    .or_else(|_| value.get::<i32>().map(i64::from))
                    .expect("a number");
                assert!((least..=most).contains(&number), "{} = {number}", property.name());
            }
        }
        Err(why) => assert!(why.contains(name), "{why}"),
    }
});
