//! Enumerations that are properties of more than one element.

use glib::prelude::*;
use gst::prelude::*;

/// Who runs the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeExecutionProvider")]
#[repr(i32)]
pub enum ExecutionProvider {
    /// The best one that the ONNX Runtime at hand has.
    #[default]
    #[enum_value(name = "Auto: the best that the ONNX Runtime at hand has", nick = "auto")]
    Auto,
    /// The processor.
    #[enum_value(name = "CPU", nick = "cpu")]
    Cpu,
    /// NVIDIA CUDA.
    #[enum_value(name = "NVIDIA CUDA", nick = "cuda")]
    Cuda,
    /// NVIDIA TensorRT.
    #[enum_value(name = "NVIDIA TensorRT", nick = "tensorrt")]
    Tensorrt,
    /// Qualcomm QNN.
    #[enum_value(name = "Qualcomm QNN (Hexagon NPU)", nick = "qnn")]
    Qnn,
    /// Intel OpenVINO.
    #[enum_value(name = "Intel OpenVINO", nick = "openvino")]
    Openvino,
    /// XNNPACK.
    #[enum_value(name = "XNNPACK (ARM and x86 processors)", nick = "xnnpack")]
    Xnnpack,
}

/// Which pixels of a frame are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeInferenceRegion")]
#[repr(i32)]
pub enum InferenceRegion {
    /// Faces where a detector is upstream, otherwise the whole frame.
    #[default]
    #[enum_value(
        name = "Auto: faces where a detector is upstream, else the whole frame",
        nick = "auto"
    )]
    Auto,
    /// The whole frame is one face.
    #[enum_value(name = "Full frame: the whole frame is one face", nick = "full-frame")]
    FullFrame,
    /// Faces found upstream, and nothing else.
    #[enum_value(name = "ROI list: faces found upstream, and nothing else", nick = "roi-list")]
    RoiList,
    /// The rectangle in the property `region`.
    #[enum_value(name = "Fixed: the rectangle in the property region", nick = "fixed")]
    Fixed,
}

impl InferenceRegion {
    /// Whether faces that somebody found are what is looked at.
    pub fn wants_faces(self) -> bool {
        matches!(self, Self::Auto | Self::RoiList)
    }
}

/// Makes the types known to documentation and gst-inspect.
pub fn register() {
    for t in [ExecutionProvider::static_type(), InferenceRegion::static_type()] {
        t.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
}
