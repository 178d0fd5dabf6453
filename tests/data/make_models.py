#!/usr/bin/env python3
"""Makes the tiny models that the tests run. Needs the Python packages `onnx` and, for the files
that are quantised or in ONNX Runtime's own format, `onnxruntime`.

    python3 tests/data/make_models.py

Every face model but the convolutions computes the same two angles from a 3 x 8 x 8 picture:

    pitch = mean(channel 0)
    yaw   = mean(channel 2, columns 4..8) - mean(channel 2, columns 0..4)

as a matrix product of the flattened picture with constant weights, so that tests know the answer
without asking the model. There are no random numbers in it.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
OPSET = 17
SIZE = 8


def weights(size=SIZE, layout="nchw"):
    """[3 * size * size, 2]: columns pitch and yaw."""
    w = np.zeros((3, size, size, 2), np.float32)
    w[0, :, :, 0] = 1.0 / (size * size)
    w[2, :, : size // 2, 1] = -2.0 / (size * size)
    w[2, :, size // 2 :, 1] = 2.0 / (size * size)
    if layout == "nhwc":
        w = w.transpose(1, 2, 0, 3)
    return np.ascontiguousarray(w).reshape(-1, 2)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def value(name, element, shape):
    return helper.make_tensor_value_info(name, element, shape)


def save(name, nodes, inputs, outputs, constants, metadata=None):
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="gaze tests", ir_version=8
    )
    if metadata:
        helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    path = os.path.join(HERE, name + ".onnx")
    onnx.save(model, path)
    return path


def picture(batch, size=SIZE, layout="nchw"):
    return [batch, 3, size, size] if layout == "nchw" else [batch, size, size, 3]


def regression(name, batch="N", element=T.FLOAT, layout="nchw", scale=None, metadata=None):
    """One output [batch, 2]: pitch, yaw. `scale` multiplies integer inputs into floats."""
    half = element == T.FLOAT16
    out = T.FLOAT16 if half else T.FLOAT
    kind = np.float16 if half else np.float32
    nodes, constants, last = [], [constant("w", weights(layout=layout).astype(kind))], "face"
    if scale is not None:
        nodes += [
            helper.make_node("Cast", ["face"], ["real"], to=T.FLOAT),
            helper.make_node("Mul", ["real", "scale"], ["scaled"]),
        ]
        constants.append(constant("scale", np.float32(scale)))
        last = "scaled"
    nodes += [
        helper.make_node("Flatten", [last], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["gaze"]),
    ]
    inputs = [value("face", element, picture(batch, layout=layout))]
    return save(name, nodes, inputs, [value("gaze", out, [batch, 2])], constants, metadata)


def binned(name):
    """Two outputs [N, 90] of logits, yaw first. Class i has the logit -(angle - 4 i + 180)^2 / 32
    with the angle in degrees: a bell whose expectation is the angle."""
    centres = (np.arange(90) * 4.0 - 180.0).astype(np.float32)[None]
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["angles"]),
        helper.make_node("Mul", ["angles", "degrees"], ["in_degrees"]),
        helper.make_node("Split", ["in_degrees", "parts"], ["p", "y"], axis=1),
    ]
    for angle, output in (("y", "yaw"), ("p", "pitch")):
        nodes += [
            helper.make_node("Sub", [angle, "centres"], [output + "_off"]),
            helper.make_node("Mul", [output + "_off", output + "_off"], [output + "_square"]),
            helper.make_node("Mul", [output + "_square", "slope"], [output]),
        ]
    constants = [
        constant("w", weights()),
        constant("degrees", np.float32(180.0 / np.pi)),
        constant("parts", np.array([1, 1], np.int64)),
        constant("centres", centres),
        constant("slope", np.float32(-1.0 / 32.0)),
    ]
    outputs = [value("yaw", T.FLOAT, ["N", 90]), value("pitch", T.FLOAT, ["N", 90])]
    save(name, nodes, [value("face", T.FLOAT, picture("N"))], outputs, constants)


def direction(name):
    """Output [N, 3]: twice the unit direction in the project's own camera coordinates."""
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["angles"]),
        helper.make_node("Split", ["angles", "parts"], ["p", "y"], axis=1),
        helper.make_node("Cos", ["p"], ["cp"]),
        helper.make_node("Sin", ["p"], ["sp"]),
        helper.make_node("Cos", ["y"], ["cy"]),
        helper.make_node("Sin", ["y"], ["sy"]),
        helper.make_node("Mul", ["cp", "sy"], ["x"]),
        helper.make_node("Mul", ["cp", "cy"], ["z"]),
        helper.make_node("Concat", ["x", "sp", "z"], ["unit"], axis=1),
        helper.make_node("Mul", ["unit", "factor"], ["vector"]),
    ]
    constants = [
        constant("w", weights()),
        constant("parts", np.array([1, 1], np.int64)),
        constant("factor", np.float32(-2.0)),
    ]
    inputs = [value("face", T.FLOAT, picture("N"))]
    save(name, nodes, inputs, [value("vector", T.FLOAT, ["N", 3])], constants)


def softmax_inside(name):
    """The binned model with the softmax as its last step: the outputs are probabilities."""
    model = onnx.load(os.path.join(HERE, "binned.onnx"))
    graph = model.graph
    for node in graph.node:
        for i, output in enumerate(node.output):
            if output in ("yaw", "pitch"):
                node.output[i] = output + "_logits"
    graph.node.extend(
        helper.make_node("Softmax", [output + "_logits"], [output], axis=1) for output in ("yaw", "pitch")
    )
    graph.name = name
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(HERE, name + ".onnx"))


def external(source, name):
    """A model with its weights in a file beside it, `NAME.onnx.data`."""
    model = onnx.load(os.path.join(HERE, source + ".onnx"))
    data = name + ".onnx.data"
    if os.path.exists(os.path.join(HERE, data)):
        os.remove(os.path.join(HERE, data))
    onnx.save_model(
        model,
        os.path.join(HERE, name + ".onnx"),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=data,
        size_threshold=0,
    )


def endless(name):
    """The regression after a loop of 2^62 rounds, each of which doubles and halves the picture."""
    step = [
        helper.make_node("Mul", ["carried", "two"], ["doubled"]),
        helper.make_node("Mul", ["doubled", "half"], ["next"]),
        helper.make_node("Identity", ["go_on"], ["still"]),
    ]
    body = helper.make_graph(
        step,
        "step",
        [value("round", T.INT64, []), value("go_on", T.BOOL, []), value("carried", T.FLOAT, None)],
        [value("still", T.BOOL, []), value("next", T.FLOAT, None)],
    )
    nodes = [
        helper.make_node("Loop", ["rounds", "true", "face"], ["same"], body=body),
        helper.make_node("Flatten", ["same"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["gaze"]),
    ]
    constants = [
        constant("rounds", np.int64(2**62)),
        constant("true", np.bool_(True)),
        constant("two", np.float32(2)),
        constant("half", np.float32(0.5)),
        constant("w", weights()),
    ]
    inputs = [value("face", T.FLOAT, picture("N"))]
    save(name, nodes, inputs, [value("gaze", T.FLOAT, ["N", 2])], constants)


def not_a_number(name):
    """As the regression, with 0 / 0 in place of both angles where channel 1 begins with 0."""
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["angles"]),
        helper.make_node("Gather", ["flat", "index"], ["pixel"], axis=1),
        helper.make_node("Div", ["pixel", "pixel"], ["one"]),
        helper.make_node("Mul", ["angles", "one"], ["gaze"]),
    ]
    constants = [constant("w", weights()), constant("index", np.array([SIZE * SIZE], np.int64))]
    inputs = [value("face", T.FLOAT, picture("N"))]
    save(name, nodes, inputs, [value("gaze", T.FLOAT, ["N", 2])], constants)


def big(name):
    """224 x 224 regression by pooling: the same two angles, without large weights."""
    nodes = [
        helper.make_node("AveragePool", ["face"], ["small"], kernel_shape=[28, 28], strides=[28, 28]),
        helper.make_node("Flatten", ["small"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["gaze"]),
    ]
    inputs = [value("face", T.FLOAT, picture("N", 224))]
    save(name, nodes, inputs, [value("gaze", T.FLOAT, ["N", 2])], [constant("w", weights())])


def eyes_and_head(name):
    """Two eyes 8 x 8 and three head angles to a vector: x the mean of the left eye less that of the
    right, y the head's pitch / 100, z = -1."""
    nodes = [
        helper.make_node("ReduceMean", ["left_eye"], ["left"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["right_eye"], ["right"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Sub", ["left", "right"], ["x1"]),
        helper.make_node("Unsqueeze", ["x1", "axis"], ["x"]),
        helper.make_node("MatMul", ["head", "choose"], ["yz"]),
        helper.make_node("Concat", ["x", "yz"], ["partial"], axis=1),
        helper.make_node("Add", ["partial", "away"], ["vector"]),
    ]
    constants = [
        constant("axis", np.array([1], np.int64)),
        constant("choose", np.array([[0, 0], [0.01, 0], [0, 0]], np.float32)),
        constant("away", np.array([[0, 0, -1]], np.float32)),
    ]
    inputs = [
        value("left_eye", T.FLOAT, picture("N")),
        value("right_eye", T.FLOAT, picture("N")),
        value("head", T.FLOAT, ["N", 3]),
    ]
    save(name, nodes, inputs, [value("vector", T.FLOAT, ["N", 3])], constants)


def free_size(name):
    """Height and width left open: [1, 3, H, W] to the mean of each channel."""
    nodes = [helper.make_node("ReduceMean", ["image"], ["means"], axes=[2, 3], keepdims=0)]
    inputs = [value("image", T.FLOAT, [1, 3, "H", "W"])]
    save(name, nodes, inputs, [value("means", T.FLOAT, [1, 3])], [])


def unsupported():
    nodes = [
        helper.make_node("Cast", ["face"], ["real"], to=T.FLOAT),
        helper.make_node("Flatten", ["real"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["gaze"]),
    ]
    inputs = [value("face", T.INT64, picture("N"))]
    outputs = [value("gaze", T.FLOAT, ["N", 2])]
    save("int64_input", nodes, inputs, outputs, [constant("w", weights())])
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"]),
        helper.make_node("Cast", ["flat"], ["text"], to=T.STRING),
    ]
    inputs = [value("face", T.FLOAT, picture("N"))]
    outputs = [value("text", T.STRING, ["N", 3 * SIZE * SIZE])]
    save("string_output", nodes, inputs, outputs, [])


def convolutions(name):
    """A net with the layers of a real one, [1, 3, 32, 32] to [1, 2], weights from a sine; and the
    same quantised to 8 bits (QDQ), calibrated on waves of light."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    def wave(*shape, scale):
        return (np.sin(np.arange(np.prod(shape)) * 1.7) * scale).astype(np.float32).reshape(shape)

    nodes, constants, last, channels = [], [], "face", 3
    for i, filters in enumerate((8, 16, 16)):
        scale = np.sqrt(4.0 / (channels * 9))
        constants += [
            constant(f"w{i}", wave(filters, channels, 3, 3, scale=scale)),
            constant(f"b{i}", wave(filters, scale=0.1)),
        ]
        nodes += [
            helper.make_node("Conv", [last, f"w{i}", f"b{i}"], [f"c{i}"], pads=[1] * 4, strides=[2, 2]),
            helper.make_node("Relu", [f"c{i}"], [f"r{i}"]),
        ]
        last, channels = f"r{i}", filters
    constants += [constant("head", wave(channels, 2, scale=1.0)), constant("bias", wave(2, scale=0.1))]
    nodes += [
        helper.make_node("GlobalAveragePool", [last], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "head", "bias"], ["gaze"]),
    ]
    inputs = [value("face", T.FLOAT, picture(1, 32))]
    path = save(name, nodes, inputs, [value("gaze", T.FLOAT, [1, 2])], constants)

    class Waves(CalibrationDataReader):
        def __init__(self):
            self.left = iter(range(32))

        def get_next(self):
            i = next(self.left, None)
            if i is None:
                return None
            light = np.sin(np.arange(3 * 32 * 32) * (0.1 + 0.37 * i)) * 0.5 + 0.5
            return {"face": light.astype(np.float32).reshape(1, 3, 32, 32)}

    quantize_static(
        path,
        os.path.join(HERE, name + "_int8.onnx"),
        Waves(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def wrapped_engine(name, source, engine):
    """A compiled engine in a model of one node, as ONNX's own library writes it and its checker
    takes it; attributes as in ONNX Runtime's EP context design."""
    node = helper.make_node(
        "EPContext",
        ["face", "head"],
        ["gaze"],
        name=name,
        domain="com.microsoft",
        main_context=1,
        embed_mode=1,
        ep_cache_context=engine,
        source=source,
        partition_name=name,
    )
    inputs = [value("face", T.FLOAT, [8, 3, 224, 224]), value("head", T.FLOAT16, [8, 3])]
    graph = helper.make_graph([node], name, inputs, [value("gaze", T.FLOAT, [8, 2])])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(
        graph, opset_imports=opsets, producer_name="gst-plugin-gaze", ir_version=8
    )
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(HERE, name + ".onnx"))


PROFILE = """\
name = "own"
[[input]]
tensor = 0
role = "face"
image = { scale = 0.00392156862745098, channels = "bgr" }
[output]
decoder = "regression"
unit = "radians"
pitch = { tensor = 0, column = 0 }
yaw = { tensor = 0, column = 1, negate = true }
"""


def to_ort_format(path):
    """ONNX Runtime's own format, by its conversion tool, without optimisations for this machine."""
    with tempfile.TemporaryDirectory() as out:
        tool = "onnxruntime.tools.convert_onnx_models_to_ort"
        command = [sys.executable, "-m", tool, path, "--output_dir", out, "--optimization_style", "Fixed"]
        env = dict(os.environ, ORT_CONVERT_ONNX_MODELS_TO_ORT_OPTIMIZATION_LEVEL="basic")
        subprocess.run(command, check=True, env=env, capture_output=True)
        (made,) = [name for name in os.listdir(out) if name.endswith(".ort")]
        with open(os.path.join(out, made), "rb") as source:
            data = source.read()
    with open(os.path.splitext(path)[0] + ".ort", "wb") as target:
        target.write(data)


def main():
    dynamic = regression("regression")
    regression("regression_batch1", batch=1)
    regression("regression_batch4", batch=4)
    regression("regression_nhwc", layout="nhwc")
    regression("regression_u8", element=T.UINT8, scale=1.0 / 255.0)
    regression("regression_i8", element=T.INT8, scale=1.0 / 127.0)
    regression("regression_f16", element=T.FLOAT16)
    regression("regression_profile_toml", metadata={"gaze.profile.toml": PROFILE})
    regression("regression_profile_name", metadata={"gaze.profile": "gazecapsnet"})
    binned("binned")
    softmax_inside("binned_softmax")
    external("regression", "external")
    endless("endless")
    direction("direction")
    not_a_number("not_a_number")
    big("regression_224")
    eyes_and_head("eyes_and_head")
    free_size("free_size")
    convolutions("conv")
    external("conv", "conv_external")
    wrapped_engine("wrapped_tensorrt", "TensorrtExecutionProvider", b"ftrt\0\xff" * 40)
    wrapped_engine("wrapped_qnn", "QNN", b"\0\0\0\2\0\0\0\3" * 40)
    unsupported()
    to_ort_format(dynamic)


if __name__ == "__main__":
    main()
