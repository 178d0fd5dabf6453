//! Tests of the match of a profile with a model file.

use super::super::builtin;
use super::*;

fn tensor(name: &str, element: Option<ElementType>, shape: &[i64]) -> TensorInfo {
    let shape = shape.iter().map(|dim| usize::try_from(*dim).ok()).collect();
    TensorInfo { name: name.to_owned(), element, shape }
}

fn info(input: &[i64], outputs: &[&[i64]]) -> ModelInfo {
    let f32 = Some(ElementType::F32);
    let outputs = outputs.iter().enumerate();
    ModelInfo {
        name: "test".to_owned(),
        inputs: vec![tensor("in", f32, input)],
        outputs: outputs.map(|(i, shape)| tensor(&format!("out{i}"), f32, shape)).collect(),
        ..ModelInfo::default()
    }
}

fn mismatch(profile: &ModelProfile, info: &ModelInfo) -> (String, String, String) {
    match profile.resolve(info) {
        Err(ProfileError::Mismatch { what, expected, found, .. }) => (what, expected, found),
        other => panic!("{other:?}"),
    }
}

/// Dimensions whose product has more than 64 bits.
#[test]
fn sizes_that_overflow_do_not_fit() {
    let huge = 1 << 40;
    let binned = builtin::find("mobilegaze").unwrap();
    let outputs: &[&[i64]] = &[&[1, huge, huge], &[1, huge, huge]];
    assert!(mismatch(&binned, &info(&[1, 3, 448, 448], outputs)).0.contains("output"));
    let vector = own("width = 8, height = 8", "decoder = \"direction\"\ntensor = 0");
    assert!(vector.resolve(&info(&[1, 3, 8, 8], &[&[1, huge, huge]])).is_err());
    assert_eq!(elements([Some(2), Some(3)]), Some(6));
    assert_eq!(elements([Some(2), None]), None);
    assert_eq!(elements([Some(usize::MAX), Some(3)]), Some(usize::MAX));
}

fn own(image: &str, output: &str) -> ModelProfile {
    let input = format!("[[input]]\ntensor = 0\nrole = \"face\"\nimage = {{ {image} }}");
    ModelProfile::from_toml(&format!("name = \"own\"\n{input}\n[output]\n{output}")).unwrap()
}

const TWO_COLUMNS: &str =
    "decoder = \"regression\"\npitch = { tensor = 0 }\nyaw = { tensor = \"out0\", column = 1 }";

#[test]
fn sizes_come_from_the_model_or_the_profile() {
    let size = |image: &str, input: &[i64]| {
        let resolved = own(image, TWO_COLUMNS).resolve(&info(input, &[&[-1, 2]]))?;
        let input = &resolved.inputs[0];
        let image = input.image.clone().unwrap();
        Ok::<_, ProfileError>((image.width, image.height, input.item_shape.clone()))
    };
    assert_eq!(size("", &[-1, 3, 6, 8]), Ok((8, 6, vec![3, 6, 8])));
    assert_eq!(size("width = 8, height = 6", &[-1, 3, -1, -1]), Ok((8, 6, vec![3, 6, 8])));
    assert_eq!(size("layout = \"nhwc\"", &[1, 6, 8, 3]), Ok((8, 6, vec![6, 8, 3])));
    assert_eq!(size("channels = \"gray\"", &[1, 1, 6, 8]), Ok((8, 6, vec![1, 6, 8])));
    let open = size("", &[-1, 3, -1, -1]).unwrap_err().to_string();
    assert!(open.contains("width and height"), "{open}");
}

#[test]
fn contradicting_inputs_are_refused_with_both_shapes() {
    let outputs: &[&[i64]] = &[&[1, 2]];
    for (image, input) in [
        ("", &[1, 8, 8, 3][..]),
        ("layout = \"nhwc\"", &[1, 3, 8, 8]),
        ("width = 9, height = 8", &[1, 3, 8, 8]),
        ("channels = \"gray\"", &[1, 3, 8, 8]),
        ("", &[3, 8, 8]),
        ("", &[1, 2]),
    ] {
        let info = info(input, outputs);
        let (what, expected, found) = mismatch(&own(image, TWO_COLUMNS), &info);
        assert_eq!((what.as_str(), found), ("input 0", info.inputs[0].to_string()));
        assert!(expected.starts_with("[batch,"), "{expected}");
    }
    let mut int64 = info(&[1, 3, 8, 8], outputs);
    int64.inputs[0].element = None;
    assert_eq!(mismatch(&own("", TWO_COLUMNS), &int64).1, "float32, float16, uint8 or int8");
}

#[test]
fn every_input_needs_a_role() {
    let mut two = info(&[1, 3, 8, 8], &[&[1, 2]]);
    two.inputs.push(tensor("head", Some(ElementType::F32), &[1, 3]));
    let (what, expected, found) = mismatch(&own("", TWO_COLUMNS), &two);
    assert_eq!(what, "input head [1,3] float32");
    assert!(expected.contains("head-pose") && found.contains("cannot fill it"), "{found}");
}

#[test]
fn contradicting_outputs_are_refused() {
    let input = &[1, 3, 8, 8];
    let regression = own("", TWO_COLUMNS);
    assert_eq!(mismatch(&regression, &info(input, &[&[1, 1]])).0, "output 'out0'");
    assert_eq!(mismatch(&regression, &info(input, &[&[1, 90]])).0, "output 0");
    assert_eq!(mismatch(&regression, &info(input, &[])).2, "none");
    let binned = builtin::find("mobilegaze").unwrap();
    let wrong = info(&[1, 3, 448, 448], &[&[1, 28], &[1, 28]]);
    let (_, expected, found) = mismatch(&binned, &wrong);
    assert_eq!(
        (expected.as_str(), found.as_str()),
        ("[batch,90] (90 bins per angle)", "out1 [1,28] float32")
    );
    let vector = own("", "decoder = \"direction\"\ntensor = 0");
    assert_eq!(mismatch(&vector, &info(input, &[&[1, 2]])).1, "[batch,3]");
    let mut strings = info(input, &[&[1, 2]]);
    strings.outputs[0].element = None;
    assert_eq!(mismatch(&regression, &strings).1, "float32 or float16");
}

#[test]
fn both_angles_may_share_one_row_of_classes() {
    let joined = "decoder = \"binned\"\nbins = 90\nbin-width = 4.0\noffset = -180.0\n\
                  pitch = { tensor = 0 }\nyaw = { tensor = 0, column = 90 }";
    let resolved = own("", joined).resolve(&info(&[1, 3, 8, 8], &[&[1, 180]])).unwrap();
    let ResolvedOutput::Binned { yaw, .. } = resolved.output else { panic!() };
    assert_eq!((yaw.output, yaw.column), (0, 90));
}

#[test]
fn an_output_with_open_columns_is_checked_when_bound() {
    assert!(own("", TWO_COLUMNS).resolve(&info(&[1, 3, 8, 8], &[&[-1, -1]])).is_ok());
}
