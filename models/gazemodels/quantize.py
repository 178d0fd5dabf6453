"""Stage `quantize`: FP16 and INT8 files from an exported one, with ONNX Runtime's own tools.

| variant | weights, activations | for |
|---|---|---|
| fp16 | half, half; inputs and outputs stay float32 | GPUs |
| int8-minmax, int8-entropy, int8-percentile | s8 per channel, u8 | CPU, and to compare calibrations |
| int8-tensorrt | s8 per channel, s8 symmetric (zero points 0) | TensorRT, which takes only these |
| w8a16, w16a16 | s8 or s16, u16 | HTP with 16-bit activations; accuracy |
| qnn-w8a8, qnn-w8a16 | as ONNX Runtime's QNN configuration has it | QNN HTP |
| int8-dynamic | s8/u8, ranges at run time | CPU without calibration |
| int8-mixed | as the best of the first three, costly layers not | when plain INT8 misses the bar |

TensorRT up to 10 also takes a calibration table with an FP32 file (its implicit INT8, removed in 11).
ONNX Runtime writes one: `trt_int8_calibration_table_name` names the file that
`onnxruntime.quantization.write_calibration_table` makes of the same calibrator's ranges.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import tempfile
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import onnx
from onnxconverter_common import float16
from onnxruntime.quantization import (
    CalibrationMethod,
    QuantType,
    quantize,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.execution_providers.qnn import (
    get_qnn_qdq_config,
    qnn_preprocess_model,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from tqdm import tqdm

from . import angles, inputs, metrics
from .export import contract_of, copy_metadata, set_metadata

METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}

#: Of the percentile calibration: at most one value in ten thousand is clipped.
PERCENTILE = 99.99

#: What was made and how far it is from the float file, beside the files.
RESULTS = "quantize.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--model", type=Path, required=True, help="float32 file of stage export")
    parser.add_argument("--data", type=Path, required=True, help="shards, pictures or .npy inputs")
    parser.add_argument("--out", type=Path, help="folder; the model's own if not given")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, help="variants; all if not given")
    parser.add_argument("--calibration-images", type=int, default=100)
    parser.add_argument("--images", type=int, default=300, help="images for measuring deviations")
    parser.add_argument(
        "--budget-mean", type=float, default=0.5, help="int8-mixed: mean deviation, degrees"
    )
    parser.add_argument(
        "--budget-p95", type=float, default=1.0, help="int8-mixed: 95th percentile, degrees"
    )
    parser.add_argument(
        "--keep",
        choices=("float", "int16"),
        default="float",
        help="int8-mixed: what costly layers are kept in",
    )


#: What stands between the landmarks and the windows that are cut about them.
WINDOW_STEPS = {
    "Abs", "Add", "Clip", "Gather", "MatMul", "Mul", "Relu", "Reshape", "Slice", "Squeeze", "Sub",
    "Transpose", "Unsqueeze",
}  # fmt: skip


def window_nodes(model: onnx.ModelProto) -> list[str]:
    """Nodes of a network that cut windows out of its picture (`nets.face_and_eyes`): products of two
    computed matrices, and what leads there from the layer that finds the landmarks. They count
    pixels, for which 256 levels are too few; they hold next to no weights."""
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {node.output[0] for node in model.graph.node if node.op_type == "Constant"}
    producer = {name: node for node in model.graph.node for name in node.output}
    waiting = [
        node
        for node in model.graph.node
        if node.op_type == "MatMul" and not constants & set(node.input)
    ]
    found: dict[str, onnx.NodeProto] = {}
    while waiting:
        node = waiting.pop()
        if node.name in found:
            continue
        if node.op_type in WINDOW_STEPS:
            waiting += [producer[name] for name in node.input if name in producer]
        elif node.op_type != "Gemm":
            continue
        found[node.name] = node
    return sorted(found)


class Job:
    """One float file, its calibration inputs and the ranges found with them."""

    def __init__(self, model: Path, values: np.ndarray, work: Path) -> None:
        self.source = model
        self.values = values
        self.work = work
        self.model = work / "prepared.onnx"
        # Shapes for the quantiser; constants folded, so that no layer hides behind arithmetic.
        quant_pre_process(model, self.model, skip_symbolic_shape=True)
        self.windows = window_nodes(onnx.load(self.model))

    def static(self, out: Path, method: str, **changes: object) -> None:
        """Static QDQ; ranges are computed once for each method and kept."""
        options = {
            "CalibStridedMinMax": inputs.STRIDE,
            "WeightSymmetric": True,
            **changes.pop("extra_options", {}),
        }
        if method == "percentile":
            options["CalibPercentile"] = PERCENTILE
        left_out = [*changes.pop("nodes_to_exclude", []), *self.windows]
        settings = {
            "nodes_to_exclude": left_out,
            "per_channel": True,
            "activation_type": QuantType.QUInt8,
            "weight_type": QuantType.QInt8,
            **changes,
        }
        # Calibration prints its settings, each time.
        with redirect_stdout(io.StringIO()):
            quantize_static(
                self.model,
                out,
                inputs.Calibration(self.values),
                calibrate_method=METHODS[method],
                calibration_cache_path=self.work / f"{method}.json",
                extra_options=options,
                **settings,
            )
        copy_metadata(self.source, out)

    def half(self, out: Path) -> None:
        """FP16 inside, float32 outside, so that a caller needs no other input."""
        with warnings.catch_warnings():
            # It tells every weight too small for half precision.
            warnings.simplefilter("ignore")
            model = float16.convert_float_to_float16(onnx.load(self.source), keep_io_types=True)
        onnx.save(model, out)
        copy_metadata(self.source, out)

    def dynamic(self, out: Path) -> None:
        """Ranges at run time; u8 weights, because ONNX Runtime's ConvInteger takes no other."""
        quantize_dynamic(self.model, out, weight_type=QuantType.QUInt8)
        copy_metadata(self.source, out)

    def qnn(self, out: Path, activations: QuantType) -> None:
        """As ONNX Runtime prepares files for QNN HTP."""
        # Without metadata: ONNX Runtime 1.32 fails on files that have some.
        bare, prepared = self.work / "bare.onnx", self.work / "qnn.onnx"
        model = onnx.load(self.source)
        set_metadata(model, {})
        onnx.save(model, bare)
        source = prepared if qnn_preprocess_model(bare, prepared) else bare
        config = get_qnn_qdq_config(
            source,
            inputs.Calibration(self.values),
            activation_type=activations,
            weight_type=QuantType.QInt8,
            per_channel=True,
            stride=inputs.STRIDE,
        )
        quantize(source, out, config)
        copy_metadata(self.source, out)


VARIANTS: dict[str, Callable[[Job, Path], None] | None] = {
    "fp16": Job.half,
    "int8-minmax": lambda job, out: job.static(out, "minmax"),
    "int8-entropy": lambda job, out: job.static(out, "entropy"),
    "int8-percentile": lambda job, out: job.static(out, "percentile"),
    "int8-tensorrt": lambda job, out: job.static(
        out,
        "percentile",
        activation_type=QuantType.QInt8,
        # It adds biases in float.
        extra_options={"ActivationSymmetric": True, "QuantizeBias": False},
    ),
    "w8a16": lambda job, out: job.static(out, "minmax", activation_type=QuantType.QUInt16),
    "w16a16": lambda job, out: job.static(
        out, "minmax", activation_type=QuantType.QUInt16, weight_type=QuantType.QInt16
    ),
    "qnn-w8a8": lambda job, out: job.qnn(out, QuantType.QUInt8),
    "qnn-w8a16": lambda job, out: job.qnn(out, QuantType.QUInt16),
    "int8-dynamic": Job.dynamic,
    # Made by `sensitivity` from what the others show.
    "int8-mixed": None,
}


def deviation(path: Path, values: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Degrees between what a file gives and the float file's answers (n, 2).

    An error against the truth cannot grow by more than this (triangle inequality), so a budget for
    deviations bounds the loss too.
    """
    found = metrics.summary(angles.errors_degrees(inputs.predict(path, values), reference))
    return {**found, "bytes": path.stat().st_size}


def run(args: argparse.Namespace) -> None:
    """Makes the variants and measures how far each is from the float file."""
    from . import sensitivity

    logging.getLogger().setLevel(logging.ERROR)
    contract = contract_of(args.model)
    out = args.out or args.model.parent
    out.mkdir(parents=True, exist_ok=True)
    calibration = inputs.load(args.data, contract, args.calibration_images, held_out=False)
    values = inputs.load(args.data, contract, args.images, held_out=True)
    reference = inputs.predict(args.model, values)
    results_path = out / f"{args.model.stem}.{RESULTS}"
    results = json.loads(results_path.read_text()) if results_path.exists() else {}
    with tempfile.TemporaryDirectory(prefix="gazemodels-") as work:
        job = Job(args.model, calibration, Path(work))
        bar = tqdm(args.only or list(VARIANTS), unit="variant")
        for name in bar:
            bar.set_postfix_str(name)
            path = out / f"{args.model.stem}.{name}.onnx"
            make = VARIANTS[name]
            if make is not None:
                make(job, path)
            else:
                best = sensitivity.best_method(job, values, reference)
                budget = sensitivity.Budget(args.budget_mean, args.budget_p95)
                found = sensitivity.mixed(job, path, best, budget, args.keep, values, reference)
                sensitivity.write(found, out / f"{args.model.stem}.sensitivity")
            results[name] = deviation(path, values, reference)
            bar.write(
                f"{path.name}: {results[name]['bytes']} bytes, {results[name]['mean']:.3f} degrees from "
                f"float, p95 {results[name]['p95']:.3f}"
            )
    results_path.write_text(json.dumps(results, indent=1) + "\n")
