//! Enumerations of properties that several elements share.

use glib::prelude::*;
use gst::prelude::*;

use crate::engine::provider;

/// The execution provider of ONNX Runtime that runs a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeExecutionProvider")]
#[repr(i32)]
pub enum ExecutionProvider {
    /// The best provider of the loaded ONNX Runtime.
    #[default]
    #[enum_value(name = "Auto: the best provider of the loaded ONNX Runtime", nick = "auto")]
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

impl From<ExecutionProvider> for provider::ExecutionProvider {
    fn from(provider: ExecutionProvider) -> Self {
        match provider {
            ExecutionProvider::Auto => Self::Auto,
            ExecutionProvider::Cpu => Self::Cpu,
            ExecutionProvider::Cuda => Self::Cuda,
            ExecutionProvider::Tensorrt => Self::TensorRt,
            ExecutionProvider::Qnn => Self::Qnn,
            ExecutionProvider::Openvino => Self::OpenVino,
            ExecutionProvider::Xnnpack => Self::Xnnpack,
        }
    }
}

/// The number format that a provider computes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazePrecision")]
#[repr(i32)]
pub enum Precision {
    /// The provider's own choice.
    #[default]
    #[enum_value(name = "Auto: the execution provider's default", nick = "auto")]
    Auto,
    /// 32-bit floats.
    #[enum_value(name = "FP32: 32-bit floats only", nick = "fp32")]
    Fp32,
    /// 16-bit floats.
    #[enum_value(name = "FP16: 16-bit floats (TensorRT, QNN, OpenVINO)", nick = "fp16")]
    Fp16,
    /// 8-bit integers.
    #[enum_value(name = "INT8: 8-bit integers; the model must be quantised (QDQ)", nick = "int8")]
    Int8,
}

impl From<Precision> for provider::Precision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::Auto => Self::Auto,
            Precision::Fp32 => Self::Fp32,
            Precision::Fp16 => Self::Fp16,
            Precision::Int8 => Self::Int8,
        }
    }
}

/// The part of a Qualcomm chip that runs a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeQnnBackend")]
#[repr(i32)]
pub enum QnnBackend {
    /// The Hexagon NPU.
    #[default]
    #[enum_value(name = "HTP: the Hexagon NPU (its emulator on x86-64)", nick = "htp")]
    Htp,
    /// The Adreno GPU.
    #[enum_value(name = "GPU: the Adreno GPU", nick = "gpu")]
    Gpu,
    /// The CPU.
    #[enum_value(name = "CPU: the reference implementation", nick = "cpu")]
    Cpu,
}

impl From<QnnBackend> for provider::QnnBackend {
    fn from(backend: QnnBackend) -> Self {
        match backend {
            QnnBackend::Htp => Self::Htp,
            QnnBackend::Gpu => Self::Gpu,
            QnnBackend::Cpu => Self::Cpu,
        }
    }
}

/// The part of a frame in which gazeinfer estimates gaze.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstGazeInferenceRegion")]
#[repr(i32)]
pub enum InferenceRegion {
    /// The faces of an upstream detector, or the whole frame if there is no detector.
    #[default]
    #[enum_value(
        name = "Auto: the faces of an upstream detector, or the whole frame without a detector",
        nick = "auto"
    )]
    Auto,
    /// The whole frame is one face.
    #[enum_value(name = "Full frame: the whole frame is one face", nick = "full-frame")]
    FullFrame,
    /// Only the faces of an upstream detector.
    #[enum_value(name = "ROI list: only the faces of an upstream detector", nick = "roi-list")]
    RoiList,
    /// The rectangle in the property `region`.
    #[enum_value(name = "Fixed: the rectangle in the property region", nick = "fixed")]
    Fixed,
}

impl InferenceRegion {
    /// Returns whether the faces of a detector count.
    pub fn uses_detections(self) -> bool {
        matches!(self, Self::Auto | Self::RoiList)
    }
}

/// Registers the types for documentation and gst-inspect-1.0.
pub fn register() {
    for t in [
        ExecutionProvider::static_type(),
        Precision::static_type(),
        QnnBackend::static_type(),
        InferenceRegion::static_type(),
    ] {
        t.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
}
