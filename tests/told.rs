//! What elements tell on the bus stands in GStreamer's log as well, and metadata that this build cannot
//! read is told once.
#![cfg(feature = "plugin")]

mod common;

use std::sync::{Arc, Mutex};

use common::element;
use gst::prelude::*;

type Logged = Arc<Mutex<Vec<(String, gst::DebugLevel, String)>>>;

/// The log of our elements' categories from here on.
fn log() -> Logged {
    let logged = Logged::default();
    for category in ["gazeface", "gazeinfer", "gazemonitor", "gazeoverlay", "gazepublish"] {
        // The category exists once a first element was made.
        gst::ElementFactory::make(category).build().unwrap();
        gst::log::set_threshold_for_name(category, gst::DebugLevel::Info);
    }
    gst::log::remove_default_log_function();
    let sink = logged.clone();
    gst::log::add_log_function(move |category, level, _, _, _, _, message| {
        let text = message.get().map(|text| text.to_string()).unwrap_or_default();
        sink.lock().unwrap().push((category.name().to_owned(), level, text));
    });
    logged
}

/// Runs a pipeline to its end or first error; returns the texts of our elements' messages with the level
/// at which the log must have them, and the element's kind.
fn told(description: &str) -> Vec<(String, gst::DebugLevel, String)> {
    let pipeline = gst::parse::launch(description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let bus = pipeline.bus().unwrap();
    let _ = pipeline.set_state(gst::State::Playing);
    let mut told = Vec::new();
    loop {
        let message = bus.timed_pop(gst::ClockTime::from_seconds(60)).expect("the pipeline ends");
        let kind = |message: &gst::Message| {
            let factory = message.src()?.downcast_ref::<gst::Element>()?.factory()?;
            Some(factory.name().to_string()).filter(|name| name.starts_with("gaze"))
        };
        let (level, error, end) = match message.view() {
            gst::MessageView::Eos(_) => break,
            gst::MessageView::Error(error) => (gst::DebugLevel::Error, error.error(), true),
            gst::MessageView::Warning(error) => (gst::DebugLevel::Warning, error.error(), false),
            gst::MessageView::Info(error) => (gst::DebugLevel::Info, error.error(), false),
            _ => continue,
        };
        if let Some(kind) = kind(&message) {
            told.push((kind, level, error.to_string()));
        }
        if end {
            break;
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    told
}

/// Warnings and errors of every element.
#[test]
fn what_is_told_on_the_bus_is_logged() {
    if !element::runtime("what_is_told_on_the_bus_is_logged") {
        return;
    }
    let logged = log();
    let model = common::data("regression.onnx");
    let profile = common::data("normalized.toml");
    let source = "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=48";
    let mut kinds = std::collections::BTreeSet::new();
    for description in [
        format!("{source} ! gazeface threads=4 ! fakesink"),
        format!("{source} ! gazeface engine=/nonexistent.onnx ! fakesink"),
        format!(
            "{source} ! gazeinfer engine={} profile={} inference-region=full-frame ! fakesink",
            model.display(),
            profile.display()
        ),
        format!("{source} ! gazeinfer engine=/nonexistent.onnx ! fakesink"),
        format!("{source} ! gazemonitor rules=/nonexistent.toml ! fakesink"),
        format!("{source} ! gazepublish location=/nonexistent/lines.jsonl ! fakesink"),
    ] {
        let told = told(&description);
        assert!(!told.is_empty(), "{description}");
        let logged = logged.lock().unwrap();
        for (kind, level, text) in told {
            let found = logged.iter().any(|(category, at, logged)| {
                *category == kind && *at == level && logged.contains(&text)
            });
            assert!(found, "{kind} told '{text}', and the log has no such line at {level:?}");
            kinds.insert((kind, format!("{level:?}")));
        }
    }
    for expected in [("gazeface", "Warning"), ("gazeinfer", "Warning"), ("gazeinfer", "Error")] {
        let expected = (expected.0.to_owned(), expected.1.to_owned());
        assert!(kinds.contains(&expected), "{expected:?} in {kinds:?}");
    }
}

/// Metadata as GStreamer's analytics library registers it, without that library.
#[cfg(not(feature = "v1_24"))]
#[allow(unsafe_code)]
mod analytics {
    use std::ffi::c_char;
    use std::sync::LazyLock;

    use super::*;

    unsafe extern "C" fn init(
        _: *mut gst::ffi::GstMeta,
        _: *mut std::ffi::c_void,
        _: *mut gst::ffi::GstBuffer,
    ) -> glib::ffi::gboolean {
        glib::ffi::GTRUE
    }

    struct Info(*const gst::ffi::GstMetaInfo);
    // SAFETY: GStreamer never changes nor frees a registered description.
    unsafe impl Send for Info {}
    // SAFETY: as above.
    unsafe impl Sync for Info {}

    static INFO: LazyLock<Info> = LazyLock::new(|| {
        let tags: [*const c_char; 1] = [std::ptr::null()];
        // SAFETY: the names are C strings, `tags` ends with a null pointer, and the memory that GStreamer
        // allocates for the meta is larger than `GstMeta`, which `init` leaves as it is.
        unsafe {
            let api = gst::ffi::gst_meta_api_type_register(
                c"GstAnalyticsRelationMetaAPI".as_ptr(),
                tags.as_ptr().cast_mut(),
            );
            Info(gst::ffi::gst_meta_register(
                api,
                c"GstAnalyticsRelationMeta".as_ptr(),
                64,
                Some(init),
                None,
                None,
            ))
        }
    });

    fn add(buffer: &mut gst::BufferRef) {
        // SAFETY: the buffer is writable, and `INFO` is a registered description.
        let meta = unsafe {
            gst::ffi::gst_buffer_add_meta(buffer.as_mut_ptr(), INFO.0, std::ptr::null_mut())
        };
        assert!(!meta.is_null());
    }

    #[test]
    fn analytics_metadata_is_told_once_where_the_build_cannot_read_it() {
        if !element::runtime("analytics_metadata_is_told_once_where_the_build_cannot_read_it") {
            return;
        }
        let (model, profile) = (common::data("regression.onnx"), common::data("regression.toml"));
        for carries in [false, true] {
            let mut h = gst_check::Harness::new_parse(&format!(
                "gazeinfer engine={} profile={}",
                model.display(),
                profile.display()
            ));
            let bus = gst::Bus::new();
            h.element().unwrap().set_bus(Some(&bus));
            h.set_src_caps(element::caps(gst_video::VideoFormat::Rgb, 64, 48));
            for _ in 0..3 {
                let mut buffer = gst::Buffer::with_size(64 * 48 * 3).unwrap();
                if carries {
                    add(buffer.get_mut().unwrap());
                }
                h.push_and_pull(buffer).unwrap();
            }
            let warnings: Vec<_> = element::warnings(&bus)
                .into_iter()
                .filter(|text| text.contains("GstAnalytics"))
                .collect();
            assert_eq!(warnings.len(), usize::from(carries), "{warnings:?}");
            for warning in warnings {
                element::says(&warning, &["v1_24", "ignored"]);
            }
        }
    }
}
