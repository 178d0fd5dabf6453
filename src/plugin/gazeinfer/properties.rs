//! The properties of `gazeinfer`: ranges, fields, and what `gst-inspect-1.0` says of them.

use std::sync::{Arc, LazyLock};

use glib::prelude::*;

use super::deepstream_properties;
use super::settings::Settings;
use crate::core::geometry::camera::FIELD_OF_VIEW_RANGE;
use crate::plugin::property::{Property, Table};
use crate::plugin::{execution, latency, stats};

type P = Property<Settings>;

/// The largest size of an object, in pixels.
const MAX_OBJECT_SIZE: u32 = u16::MAX as u32;

/// Every property of the element.
pub(super) static PROPERTIES: LazyLock<Table<Settings>> = LazyLock::new(|| {
    Table::new(own())
        .with(execution::properties(), |s| &mut s.execution)
        .with(deepstream_properties::properties(), |s| &mut s.frame.deepstream)
        .read_only(stats::property())
});

fn own() -> Vec<P> {
    vec![
        P::text("engine", |s| &mut s.engine)
            .nick("Engine")
            .blurb(
                "Model file of the gaze network: ONNX (.onnx), ONNX Runtime format (.ort), \
                 TensorRT engine (.engine, .plan) or QNN context binary (.bin). A TensorRT engine \
                 and a QNN binary need a profile that names their tensors. Unset: the embedded \
                 model. engine-reload says when a change takes effect",
            )
            .mutable_playing(),
        P::choice("engine-reload", |s| &mut s.reload)
            .nick("Engine reload")
            .blurb(
                "When a new engine replaces the running one. gazeinfer opens it in the background \
                 and swaps it in between two frames (message gaze-engine), or warns and keeps the \
                 running one",
            )
            .mutable_playing(),
        P::text("profile", |s| &mut s.profile)
            .nick("Model profile")
            .blurb(
                "What the model expects and returns: a built-in name (mobilegaze, l2cs-net, \
                 gazecapsnet, ...) or a TOML file. Unset: MODEL.gaze.toml, then the model's own \
                 metadata, then its inputs and outputs. A change takes effect with the next engine",
            )
            .mutable_playing(),
        P::number("threads", 0..=1024, |s| &mut s.threads)
            .nick("Threads")
            .blurb("CPU threads that one inference may use (0 = automatic)")
            .mutable_ready(),
        P::number("batch-size", 1..=1024, |s| &mut s.batch_size)
            .and_then(|s| s.batch_size_is_set = true)
            .nick("Batch size")
            .blurb(
                "Most faces of a frame in one inference, where the model has a dynamic batch; a \
                 fixed batch stays as it is. For a TensorRT engine or a QNN context binary: the \
                 batch that it was compiled for (1 unless set)",
            )
            .mutable_ready(),
        P::number("batch-timeout", 0..=1000, |s| &mut s.batch_timeout)
            .nick("Batch timeout")
            .blurb(
                "Milliseconds that an inference waits for other elements with the same model, to \
                 run with them in one batch of at most batch-size (0 = do not wait)",
            )
            .mutable_ready(),
        latency::property(|s| &mut s.latency_report),
        P::text("model-instance-id", |s| &mut s.instance)
            .nick("Model instance ID")
            .blurb(
                "Elements with the same engine and settings share one loaded model. Elements with \
                 different IDs load one each; elements with the same ID must have the same engine \
                 and settings (unset = share with elements that have no ID)",
            )
            .mutable_ready(),
        P::choice("inference-region", |s| &mut s.frame.inference_region)
            .nick("Inference region")
            .blurb("Part of a frame in which gazeinfer estimates gaze")
            .mutable_playing(),
        P::region("region", |s| &mut s.frame.region)
            .nick("Fixed region")
            .blurb(
                "Region of the face for inference-region=fixed: x, y, width, height as fractions of \
                 the frame, e.g. '<0.5, 0.0, 0.5, 1.0>' for the right half (default: the whole \
                 frame)",
            )
            .mutable_playing(),
        P::string(
            "object-class",
            |s| (*s.frame.object_class).to_value(),
            |s, class| {
                s.frame.object_class = Arc::from(class.unwrap_or_default());
                Ok(())
            },
        )
        .nick("Object class")
        .blurb("Label of the regions that are faces; gazeinfer ignores other regions (empty = all)")
        .mutable_playing(),
        P::number("region-margin", -1.0..=4.0, |s| &mut s.frame.region_margin)
            .nick("Region margin")
            .blurb(
                "How much wider and higher than the face's box gazeinfer crops the face, as a \
                 fraction of the box (0.2 = a tenth on each side; -1 = as the model's profile says)",
            )
            .mutable_playing(),
        P::text("camera", |s| &mut s.camera)
            .nick("Camera calibration")
            .blurb(
                "Calibration file of the camera: YAML of OpenCV or ROS, or TOML (camera matrix, \
                 distortion coefficients, image size). Head poses, normalised faces and models that \
                 answer relative to the line of sight need it. Unset: field-of-view",
            )
            .mutable_ready(),
        P::number("field-of-view", FIELD_OF_VIEW_RANGE[0]..=FIELD_OF_VIEW_RANGE[1], |s| {
            &mut s.frame.field_of_view
        })
        .nick("Field of view")
        .blurb("Horizontal field of view of the camera in degrees, where camera is unset")
        .mutable_playing(),
        P::number("min-object-width", 0..=MAX_OBJECT_SIZE, |s| &mut s.frame.min_object_width)
            .nick("Minimum object width")
            .blurb("Skip faces narrower than this many pixels")
            .mutable_playing(),
        P::number("min-object-height", 0..=MAX_OBJECT_SIZE, |s| &mut s.frame.min_object_height)
            .nick("Minimum object height")
            .blurb("Skip faces lower than this many pixels")
            .mutable_playing(),
        P::number("max-object-width", 0..=MAX_OBJECT_SIZE, |s| &mut s.frame.max_object_width)
            .nick("Maximum object width")
            .blurb("Skip faces wider than this many pixels (0 = no limit)")
            .mutable_playing(),
        P::number("max-object-height", 0..=MAX_OBJECT_SIZE, |s| &mut s.frame.max_object_height)
            .nick("Maximum object height")
            .blurb("Skip faces higher than this many pixels (0 = no limit)")
            .mutable_playing(),
        P::text("config-file-path", |s| &mut s.config_file)
            .nick("Configuration file")
            .blurb(
                "Configuration file in nvinfer's form ([property] with onnx-file, gie-unique-id, \
                 operate-on-gie-id, ..., or the same as YAML). gazeinfer reads it at the start; \
                 properties that are set override it",
            )
            .mutable_ready(),
        P::number("inference-interval", 1..=u32::MAX, |s| &mut s.frame.policy.inference_interval)
            .nick("Inference interval")
            .blurb("Infer on every n-th frame and reuse the last result between them")
            .mutable_playing(),
        P::number("reclassify-interval", 0..=u32::MAX, |s| {
            &mut s.frame.policy.reclassify_interval
        })
        .nick("Reclassify interval")
        .blurb(
            "Infer a tracked face again after this many frames (1 = on every frame, 0 = once per \
             track), or when the area of its box has grown by more than a fifth. It applies \
             only to faces with a track-id",
        )
        .mutable_playing(),
        P::number("min-eye-openness", 0.0..=1.0, |s| &mut s.frame.policy.min_eye_openness)
            .nick("Minimum eye openness")
            .blurb(
                "Reuse the last gaze of a face while both of its eyes are less open than this (0 = \
                 closed, 1 = open). Needs gazeface's eye-state-engine upstream (default 0: infer \
                 every face)",
            )
            .mutable_playing(),
        P::flag("smoothing", |s| &mut s.frame.smoothing)
            .nick("Smoothing")
            .blurb(
                "Smooth the gaze of tracked faces over time with a One Euro filter, which delays \
                 it. It applies only to faces with a track-id",
            )
            .mutable_playing(),
        P::number("smoothing-min-cutoff", 0.01..=100.0, |s| &mut s.frame.filter.min_cutoff)
            .nick("Smoothing: minimum cutoff")
            .blurb("Cutoff frequency in Hz for a gaze at rest: lower is smoother and slower")
            .mutable_playing(),
        P::number("smoothing-beta", 0.0..=100.0, |s| &mut s.frame.filter.beta)
            .nick("Smoothing: beta")
            .blurb(
                "How much the cutoff rises with the speed of the gaze, in Hz per rad/s: higher \
                 follows glances faster",
            )
            .mutable_playing(),
        // The base class drops late frames. gazeinfer passes a late frame on and reuses the last
        // result.
        P::overriding::<gst_base::BaseTransform>("qos", |s| &mut s.frame.qos),
        P::flag("post-messages", |s| &mut s.frame.post_messages)
            .nick("Post messages")
            .blurb("Post an element message 'gaze' with the result of each frame")
            .mutable_playing(),
    ]
}
