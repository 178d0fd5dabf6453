use super::*;

fn config_in(
    name: &str,
    text: impl AsRef<[u8]>,
    has_engine: bool,
) -> Result<NvinferConfig, String> {
    gst::init().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(name);
    std::fs::write(&file, text).unwrap();
    read(file.to_str().unwrap(), has_engine)
}

fn config(text: &str) -> Result<NvinferConfig, String> {
    config_in("gaze.txt", text, false)
}

fn value<'a>(config: &'a NvinferConfig, name: &str) -> Option<&'a glib::Value> {
    config.values.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
}

#[test]
fn known_keys_set_properties_and_others_are_listed() {
    let text = "[property]\n# faces\ngpu-id=1\ngie-unique-id=4\noperate-on-class-ids=0;2;\n\
                interval=2\nsecondary-reinfer-interval=2147483647\nprocess-mode=1\n\
                network-mode=2\nnet-scale-factor=0.0039\n\n[class-attrs-all]\ntopk=20\n";
    let found = config(text).unwrap();
    assert_eq!(found.ignored, ["net-scale-factor", "[class-attrs-all]"]);
    let value = |name: &str| value(&found, name).unwrap();
    assert_eq!(value("unique-id").get::<u32>(), Ok(4));
    assert_eq!(value("device-id").get::<u32>(), Ok(1));
    assert_eq!(value("inference-interval").get::<u32>(), Ok(3));
    assert_eq!(value("reclassify-interval").get::<u32>(), Ok(0));
    assert_eq!(value("inference-region").get(), Ok(InferenceRegion::FullFrame));
    assert_eq!(value("precision").get(), Ok(Precision::Fp16));
    assert_eq!(value("infer-on-class-ids").get::<&str>(), Ok("0;2;"));
}

#[test]
fn intervals_are_of_frames_and_not_of_objects() {
    let found = config("[property]\ninterval=2\nprocess-mode=2\n").unwrap();
    assert_eq!(found.ignored, ["interval"]);
    assert!(value(&found, "inference-interval").is_none());
    // What nvinfer's own samples write is not worth a word.
    let found = config("[property]\ninterval=0\nprocess-mode=2\n").unwrap();
    assert!(found.ignored.is_empty() && value(&found, "inference-interval").is_none());
    assert!(value(&config("[property]\ninterval=0\n").unwrap(), "inference-interval").is_some());
}

#[test]
fn yaml_is_the_same() {
    let ini = "[property]\ngpu-id=1\noperate-on-class-ids=0;2\ninterval=3\nfoo=0.5\n\
               enable-dla=1\nuse-dla-core=1\n[class-attrs-all]\ntopk=20\n";
    let yaml = "%YAML:1.0\n---\nproperty:\n  gpu-id: 1\n  operate-on-class-ids: 0;2\n  \
                interval: 3\n  foo: 0.5\n  enable-dla: true\n  use-dla-core: '1'\n\
                class-attrs-all:\n  topk: 20\n";
    let (ini, yaml) = (config(ini).unwrap(), config_in("gaze.yml", yaml, false).unwrap());
    assert_eq!(format!("{ini:?}"), format!("{yaml:?}"));
    for (text, word) in [
        ("property:\n  batch-size: [1]\n", "batch-size"),
        ("property: 3\n", "'property' is not a mapping"),
        ("other:\n  a: 1\n", "no 'property'"),
        ("- 1\n", "not a mapping"),
        ("property: [\n", "Cannot read"),
    ] {
        let error = config_in("gaze.yaml", text, false).unwrap_err();
        assert!(error.contains(word) && error.contains("gaze.yaml"), "{error}");
    }
    assert!(read("/nowhere/gaze.yml", false).unwrap_err().contains("Cannot read"));
}

#[test]
fn models_lie_beside_the_file() {
    gst::init().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().canonicalize().unwrap();
    std::fs::create_dir(real.join("etc")).unwrap();
    std::fs::write(real.join("etc/gaze.txt"), "[property]\nonnx-file=gaze.onnx\n").unwrap();
    std::os::unix::fs::symlink(real.join("etc/gaze.txt"), real.join("link.txt")).unwrap();
    for file in ["etc/gaze.txt", "link.txt"] {
        let found = read(real.join(file).to_str().unwrap(), false).unwrap();
        let engine = value(&found, "engine").unwrap().get::<String>().unwrap();
        assert_eq!(Path::new(&engine), real.join("etc/gaze.onnx"), "{file}");
    }
    let found = config("[property]\nonnx-file=/models/gaze.onnx\n").unwrap();
    assert_eq!(value(&found, "engine").unwrap().get::<&str>(), Ok("/models/gaze.onnx"));
}

#[test]
fn an_engine_of_nvinfer_selects_tensorrt() {
    let text = "[property]\nmodel-engine-file=/gaze.engine\n";
    let found = config(text).unwrap();
    assert_eq!(value(&found, "engine").unwrap().get::<&str>(), Ok("/gaze.engine"));
    let provider = value(&found, "execution-provider").unwrap();
    assert_eq!(provider.get(), Ok(ExecutionProvider::Tensorrt));
    // One that was chosen by hand is another: nothing of this follows.
    let found = config_in("gaze.txt", text, true).unwrap();
    assert!(found.values.is_empty() && found.ignored.is_empty());
    // Beside the model that it was built of it is not needed.
    let found = config(&format!("{text}onnx-file=/gaze.onnx\n")).unwrap();
    assert_eq!(value(&found, "engine").unwrap().get::<&str>(), Ok("/gaze.onnx"));
    assert!(value(&found, "execution-provider").is_none());
    assert_eq!(found.ignored, ["model-engine-file"]);
}

#[test]
fn options_of_tensorrt() {
    let options = |text: &str| {
        let found = config(text).unwrap();
        let options = value(&found, "provider-options").map(|v| v.get::<String>().unwrap());
        let provider = value(&found, "execution-provider").is_some();
        assert_eq!(provider, options.is_some(), "{text}");
        (options.map(|options| options.parse::<gst::Structure>().unwrap()), found.ignored)
    };
    let (found, ignored) = options("[property]\nenable-dla=1\nuse-dla-core=1\n");
    let found = found.unwrap();
    assert_eq!(found.get::<bool>("trt_dla_enable"), Ok(true));
    assert_eq!((found.get::<i32>("trt_dla_core"), found.n_fields()), (Ok(1), 2));
    assert!(ignored.is_empty());
    let (found, ignored) = options("[property]\nenable-dla=0\nuse-dla-core=1\n");
    assert!(found.is_none() && ignored == ["use-dla-core"]);
    let (found, ignored) = options("[property]\nnetwork-mode=1\nint8-calib-file=/a b/cal.bin\n");
    let found = found.unwrap();
    assert_eq!(found.get::<&str>("trt_int8_calibration_table_name"), Ok("/a b/cal.bin"));
    assert_eq!(found.get::<bool>("trt_int8_use_native_calibration_table"), Ok(true));
    assert!(ignored.is_empty());
    let (found, ignored) = options("[property]\nnetwork-mode=2\nint8-calib-file=cal.bin\n");
    assert!(found.is_none() && ignored == ["int8-calib-file"]);
}

#[test]
fn errors_name_the_key_and_its_values() {
    let says = |text: &str, word: &str| {
        let error = config(text).unwrap_err();
        assert!(error.contains(word), "{error}");
    };
    says("[property]\nbatch-size=many\n", "batch-size=many");
    says("[property]\nbatch-size=0\n", "from 1 to 1024");
    says("[property]\ngpu-id=-1\n", "from 0 to 255");
    says("[property]\nnetwork-mode=4\n", "from 0 to 3");
    says("[property]\nenable-dla=maybe\n", "enable-dla");
    says("[property]\nprocess-mode=3\n", "process-mode");
    says("[property]\noperate-on-class-ids=0;x\n", "'x'");
    says("[other]\na=1\n", "[property]");
    says("<html>", "Cannot read");
}

#[test]
fn bytes_of_another_encoding_are_replaced() {
    let text: &[u8] = b"[property]\n# fa\xe7ades\nbatch-size=2\nonnx-file=caf\xe9.onnx\n";
    let found = config_in("gaze.txt", text, false).unwrap();
    let engine = value(&found, "engine").unwrap().get::<&str>().unwrap();
    assert!(engine.ends_with("caf\u{fffd}.onnx"), "{engine}");
    let error = config_in("gaze.txt", b"[property]\nbatch-size=\xff\n", false).unwrap_err();
    assert!(error.contains("batch-size=\u{fffd}"), "{error}");
    for name in ["gaze.txt", "gaze.yml"] {
        let error = config_in(name, b"[property]\nonnx-file=a\0b\n", false).unwrap_err();
        assert!(error.contains("not a text"), "{error}");
    }
}

#[test]
fn values_keep_to_the_range_of_their_property() {
    gst::init().unwrap();
    let read = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let mut settings = crate::plugin::gazeinfer::settings::Settings::default();
        settings.set("config-file-path", &file.path().to_str().to_value()).unwrap();
        let config = settings.read_config()?;
        settings.apply_config(config).map(|_| settings.batch_size)
    };
    assert_eq!(read("[property]\nbatch-size=1024\n"), Ok(1024));
    for (line, range) in [
        ("batch-size=0", "1 to 1024"),
        ("batch-size=4294967295", "1 to 1024"),
        ("input-object-min-width=65536", "0 to 65535"),
    ] {
        let error = read(&format!("[property]\n{line}\n")).unwrap_err();
        assert!(error.contains(range), "{line}: {error}");
    }
}
