//! The properties of `gazeinfer`: ranges, and what they say to people.

use std::sync::LazyLock;

use glib::prelude::*;
use gst::prelude::*;

use super::deepstream_properties;
use super::settings::Settings;
use crate::core::geometry::camera;
use crate::plugin::execution;

/// Description of every property but `stats`, which is not a setting.
pub(super) static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
    let d = Settings::default();
    let own = vec![
        glib::ParamSpecString::builder("engine")
            .nick("Engine")
            .blurb(
                "Model file of the gaze network: ONNX (.onnx), ONNX Runtime format (.ort), a \
                 TensorRT engine (.engine, .plan) or a QNN context binary (.bin); the latter two \
                 need a profile that names their tensors. Unset: the embedded model. Set while frames \
                 flow, it is taken as engine-reload says",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("engine-reload", d.reload)
            .nick("Engine reload")
            .blurb(
                "When another engine takes the running one's place: it is opened beside it and \
                 swapped in between two frames (message gaze-engine), or refused with a warning",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("profile")
            .nick("Model profile")
            .blurb(
                "What the model expects and returns: a built-in name (mobilegaze, l2cs-net, \
                 gazecapsnet, ...) or a TOML file; unset: MODEL.gaze.toml, then the model's own \
                 metadata, then its inputs and outputs; taken with the next engine",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("threads")
            .nick("Threads")
            .blurb("Threads that one inference may use on the CPU (0 = automatic)")
            .maximum(1024)
            .default_value(d.threads)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("batch-size")
            .nick("Batch size")
            .blurb(
                "Most faces of a frame in one inference, where the model's batch is free; a model \
                 with a fixed batch keeps its own. For a TensorRT engine or a QNN context binary, \
                 the batch that it was compiled for (1 unless set)",
            )
            .minimum(1)
            .maximum(1024)
            .default_value(d.batch_size)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("batch-timeout")
            .nick("Batch timeout")
            .blurb(
                "Milliseconds that an inference waits for those of other elements with the same \
                 model, to run with them in one batch of batch-size at most (0 = each by itself)",
            )
            .maximum(1000)
            .default_value(d.batch_timeout)
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("model-instance-id")
            .nick("Model instance ID")
            .blurb(
                "Elements with the same engine and settings share one loaded model; those with \
                 different ids do not, and those with the same id must have the same engine and \
                 settings (unset: shared with those that have no id)",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("inference-region", d.frame.inference_region)
            .nick("Inference region")
            .blurb("Which pixels of a frame are looked at")
            .mutable_playing()
            .build(),
        gst::ParamSpecArray::builder("region")
            .nick("Fixed region")
            .blurb(
                "The face's place for inference-region=fixed: x, y, width, height as fractions of \
                 the frame, e.g. '<0.5, 0.0, 0.5, 1.0>' for the right half (default: all of it)",
            )
            .element_spec(
                &glib::ParamSpecDouble::builder("fraction")
                    .nick("Fraction")
                    .blurb("Fraction of the frame's width or height")
                    .minimum(0.0)
                    .maximum(1.0)
                    .build(),
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("object-class")
            .nick("Object class")
            .blurb("Label of the regions that are faces; other regions are ignored (empty = all)")
            .default_value(Some(&*d.frame.object_class))
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("region-margin")
            .nick("Region margin")
            .blurb(
                "How much wider and higher than the face's box the model's picture is, as a \
                 fraction of the box (0.2 = a tenth on each side; -1 = as the model's profile says)",
            )
            .minimum(-1.0)
            .maximum(4.0)
            .default_value(d.frame.region_margin)
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("camera")
            .nick("Camera calibration")
            .blurb(
                "Calibration file of the camera, for head poses, normalised faces and models that \
                 answer relative to the line of sight: YAML as OpenCV or ROS writes it, or TOML \
                 (camera matrix, distortion coefficients, image size); unset: field-of-view",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecDouble::builder("field-of-view")
            .nick("Field of view")
            .blurb("Degrees that the camera sees horizontally, where no calibration (camera) is set")
            .minimum(camera::FIELD_OF_VIEW_RANGE[0])
            .maximum(camera::FIELD_OF_VIEW_RANGE[1])
            .default_value(d.frame.field_of_view)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("min-object-width")
            .nick("Minimum object width")
            .blurb("Faces narrower than this many pixels are not looked at")
            .maximum(u32::from(u16::MAX))
            .default_value(d.frame.min_object_width)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("min-object-height")
            .nick("Minimum object height")
            .blurb("Faces lower than this many pixels are not looked at")
            .maximum(u32::from(u16::MAX))
            .default_value(d.frame.min_object_height)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("max-object-width")
            .nick("Maximum object width")
            .blurb("Faces wider than this many pixels are not looked at (0 = no limit)")
            .maximum(u32::from(u16::MAX))
            .default_value(d.frame.max_object_width)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("max-object-height")
            .nick("Maximum object height")
            .blurb("Faces higher than this many pixels are not looked at (0 = no limit)")
            .maximum(u32::from(u16::MAX))
            .default_value(d.frame.max_object_height)
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("config-file-path")
            .nick("Configuration file")
            .blurb(
                "Configuration in nvinfer's form ([property] with onnx-file, gie-unique-id, \
                 operate-on-gie-id, ..., or the same as YAML), read at the start; properties that \
                 are set overrule it",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("inference-interval")
            .nick("Inference interval")
            .blurb("Infer on every n-th frame; between them the last result is carried")
            .minimum(1)
            .default_value(d.frame.policy.inference_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("reclassify-interval")
            .nick("Reclassify interval")
            .blurb(
                "Infer a tracked face again after this many frames (1 = on every frame, 0 = once \
                 per track), or when its box's area has grown by more than a fifth; faces without \
                 track-id are not affected",
            )
            .default_value(d.frame.policy.reclassify_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("min-eye-openness")
            .nick("Minimum eye openness")
            .blurb(
                "A face both of whose eyes are less open than this (0 = closed, 1 = open) keeps \
                 its last gaze instead of getting a new one; needs gazeface's eye-state-engine \
                 upstream (0 = all faces are inferred)",
            )
            .minimum(0.0)
            .maximum(1.0)
            .default_value(d.frame.policy.min_eye_openness)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("smoothing")
            .nick("Smoothing")
            .blurb(
                "Smooth the gaze of tracked faces over time with a One Euro filter, which delays \
                 it; faces without track-id are not affected",
            )
            .default_value(d.frame.smoothing)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("smoothing-min-cutoff")
            .nick("Smoothing: minimum cutoff")
            .blurb("Cutoff frequency in Hz for a gaze at rest: lower is smoother and slower")
            .minimum(0.01)
            .maximum(100.0)
            .default_value(d.frame.filter.min_cutoff)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("smoothing-beta")
            .nick("Smoothing: beta")
            .blurb(
                "How much the cutoff rises with the speed of the gaze, Hz per rad/s: higher \
                 follows glances faster",
            )
            .minimum(0.0)
            .maximum(100.0)
            .default_value(d.frame.filter.beta)
            .mutable_playing()
            .build(),
        // The base class has this property and drops late frames. Here a late frame goes on and
        // carries the last result.
        glib::ParamSpecOverride::for_class::<gst_base::BaseTransform>("qos"),
        glib::ParamSpecBoolean::builder("post-messages")
            .nick("Post messages")
            .blurb("Post an element message 'gaze' with the result of each frame")
            .default_value(d.frame.post_messages)
            .mutable_playing()
            .build(),
    ];
    own.into_iter().chain(execution::properties()).chain(deepstream_properties::properties()).collect()
});
