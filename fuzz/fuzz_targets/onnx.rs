//! ONNX files: any bytes, and real files with some of them changed.
#![no_main]

use gstgaze::core::onnx::OnnxModel;
use gstgaze::core::profile::find_profile;
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;

const FILES: [&[u8]; 9] = [
    include_bytes!("../../tests/data/regression.onnx"),
    include_bytes!("../../tests/data/regression_profile_toml.onnx"),
    include_bytes!("../../tests/data/regression_i8.onnx"),
    include_bytes!("../../tests/data/eyes_and_head.onnx"),
    include_bytes!("../../tests/data/binned.onnx"),
    include_bytes!("../../tests/data/conv_int8.onnx"),
    include_bytes!("../../tests/data/string_output.onnx"),
    include_bytes!("../../tests/data/wrapped_qnn.onnx"),
    include_bytes!("../../tests/data/wrapped_tensorrt.onnx"),
];

#[derive(Debug)]
struct File(Vec<u8>);

impl<'a> Arbitrary<'a> for File {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.ratio(1_u8, 4_u8)? {
            return Ok(Self(u.bytes(u.len())?.to_vec()));
        }
        let mut bytes = u.choose(&FILES)?.to_vec();
        for _ in 0..u.int_in_range(0..=15)? {
            // Lengths and tags are where the nodes are, mostly in front.
            let reach = bytes.len().saturating_sub(1);
            let reach = if u.arbitrary()? { reach } else { reach.min(300) };
            let at = u.int_in_range(0..=reach)?;
            match u.int_in_range(0..=3)? {
                0 => bytes.truncate(at),
                1 => {
                    let end = at.saturating_add(u.int_in_range(0..=40)?).min(bytes.len());
                    let part = bytes.get(at..end).unwrap_or_default().to_vec();
                    let to = u.int_in_range(0..=bytes.len())?;
                    bytes.splice(to..to, part);
                }
                _ => {
                    let byte = u8::arbitrary(u)?;
                    if let Some(place) = bytes.get_mut(at) {
                        *place = byte;
                    }
                }
            }
        }
        Ok(Self(bytes))
    }
}

fuzz_target!(|file: File| {
    let Ok(model) = OnnxModel::parse(&file.0) else { return };
    let _ = (model.precision().name(), model.nodes(), model.parameters(), model.is_qdq());
    let info = model.info("file");
    assert_eq!((info.inputs.len(), info.outputs.len()), (model.inputs.len(), model.outputs.len()));
    let _ = find_profile(&info, None, &[], |_| Ok(None));
});
