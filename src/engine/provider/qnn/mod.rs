//! Qualcomm AI Engine Direct (QNN): the Hexagon NPU (HTP), the Adreno GPU, and a reference CPU.
//!
//! The provider is either built into ONNX Runtime or a plug-in library, `libonnxruntime_providers_qnn.so`,
//! as in the Python package `onnxruntime-qnn` (`library`). A process sets each backend's device up once
//! (`process`).
//!
//! On x86-64 the HTP backend is Qualcomm's emulator: the same compiler and the same results run after
//! run, at a thousandth of the speed. It computes floating point in 16 bits, as a chip does, only if
//! `soc_model` names the chip, and takes context binaries of every chip.

pub(super) mod library;
pub(super) mod options;
pub(super) mod process;

pub use library::plug_in;
