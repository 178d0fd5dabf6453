"""Automatic mixed precision: which layers cost the degrees, and which to keep out of INT8.

A group is a layer with weights and the activation after it, or another operator that is quantised.
Each group is quantised alone and its deviation from the float file measured; groups are then kept out
of INT8 in order of their cost, as few as meet the budget.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import QuantType
from onnxruntime.quantization.execution_providers.qnn.mixed_precision_overrides_utils import (
    MixedPrecisionTensorQuantOverridesFixer,
)
from onnxruntime.quantization.tensor_quant_overrides import TensorQuantOverridesHelper
from tqdm import tqdm

from . import angles, inputs, metrics, quantize

WEIGHTED = {"Conv", "Gemm", "MatMul", "ConvTranspose"}
#: Taken together with the layer before: their range is the layer's output range.
ACTIVATIONS = {"Relu", "Clip"}
#: Other operators that ONNX Runtime quantises and that change numbers.
OTHERS = {"Add", "Mul", "Sub", "Div", "Concat", "Softmax", "GlobalAveragePool", "ReduceSum"}


@dataclass(frozen=True)
class Budget:
    """Largest deviation from the float file, degrees."""

    mean: float
    p95: float

    def met_by(self, found: dict[str, float]) -> bool:
        """Whether a measured deviation lies within."""
        return found["mean"] <= self.mean and found["p95"] <= self.p95


@dataclass
class Group:
    """Nodes that are quantised together, and what that costs."""

    name: str
    nodes: list[str]
    #: Weights and biases.
    parameters: int
    #: Degrees from the float file when this group alone is quantised.
    mean: float = 0.0
    p95: float = 0.0


@dataclass
class Result:
    """Outcome of the search."""

    method: str
    budget: Budget
    keep: str
    groups: list[Group]
    #: Names of the groups that are not INT8.
    kept: list[str] = field(default_factory=list)
    #: Deviation with everything in INT8, and of the file that was written.
    plain: dict[str, float] = field(default_factory=dict)
    final: dict[str, float] = field(default_factory=dict)
    met: bool = False


def groups_of(model: onnx.ModelProto) -> list[Group]:
    """The groups of a model in the order of its nodes."""
    sizes = {t.name: int(np.prod(t.dims)) for t in model.graph.initializer}
    producer = {name: node for node in model.graph.node for name in node.output}
    found: dict[str, Group] = {}
    for node in model.graph.node:
        before = producer.get(node.input[0]) if node.input else None
        if node.op_type in ACTIVATIONS and before is not None and before.name in found:
            found[node.name] = found[before.name]
            found[node.name].nodes.append(node.name)
        elif node.op_type in WEIGHTED | OTHERS:
            weights = [name for name in node.input if name in sizes]
            label = weights[0].removesuffix(".weight") if weights else node.name
            count = sum(sizes[name] for name in weights)
            found[node.name] = Group(f"{node.op_type} {label}", [node.name], count)
    return list({id(group): group for group in found.values()}.values())


def best_method(job: quantize.Job, values: np.ndarray, reference: np.ndarray) -> str:
    """The calibration whose plain INT8 file is nearest to the float file at p95."""
    found = {}
    for method in quantize.METHODS:
        path = job.work / f"plain-{method}.onnx"
        job.static(path, method)
        found[method] = quantize.deviation(path, values, reference)["p95"]
    return min(found, key=found.get)


def overrides_for(model: onnx.ModelProto, nodes: set[str]) -> dict[str, list[dict[str, object]]]:
    """16-bit weights and activations for some nodes, conversions at their borders added."""
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    overrides: dict[str, list[dict[str, object]]] = {}
    for node in model.graph.node:
        if node.name not in nodes:
            continue
        for name in node.output:
            overrides[name] = [{"quant_type": QuantType.QUInt16}]
        if node.op_type in WEIGHTED:
            for name in node.input[1:2]:
                if name in initializers:
                    # 65535 levels need no range for each channel.
                    overrides[name] = [{"quant_type": QuantType.QInt16, "symmetric": True}]
    helper = TensorQuantOverridesHelper(overrides)
    fixer = MixedPrecisionTensorQuantOverridesFixer.create_from_model(
        helper, model, QuantType.QUInt8
    )
    fixer.apply(default_activation_qtype=QuantType.QUInt8, default_activation_symmetric=False)
    return helper.get_dict()


def write_model(job: quantize.Job, out: Path, method: str, groups: list[Group], keep: str) -> None:
    """INT8 but for `groups`."""
    nodes = {name for group in groups for name in group.nodes}
    if keep == "float" or not nodes:
        job.static(out, method, nodes_to_exclude=sorted(nodes))
        return
    overrides = overrides_for(onnx.load(job.model), nodes)
    job.static(out, method, extra_options={"TensorQuantOverrides": overrides})


def measure(
    job: quantize.Job, method: str, values: np.ndarray, reference: np.ndarray
) -> list[Group]:
    """All groups with the cost of quantising each alone, costliest first."""
    groups = groups_of(onnx.load(job.model))
    path = job.work / "alone.onnx"
    for group in tqdm(groups, unit="group", leave=False):
        job.static(path, method, nodes_to_quantize=group.nodes)
        found = metrics.summary(angles.errors_degrees(inputs.predict(path, values), reference))
        group.mean, group.p95 = found["mean"], found["p95"]
    return sorted(groups, key=lambda group: (-group.p95, -group.mean))


def mixed(
    job: quantize.Job,
    out: Path,
    method: str,
    budget: Budget,
    keep: str,
    values: np.ndarray,
    reference: np.ndarray,
) -> Result:
    """Writes the file that keeps as few of the costliest groups as the budget allows.

    How many is found by bisection: keeping more of them hardly ever costs degrees.
    """
    groups = measure(job, method, values, reference)
    result = Result(method, budget, keep, groups)

    def with_kept(count: int) -> dict[str, float]:
        write_model(job, out, method, groups[:count], keep)
        return quantize.deviation(out, values, reference)

    result.plain = with_kept(0)
    low, high = 0, 0
    if not budget.met_by(result.plain):
        low, high = 0, len(groups)
        while high - low > 1:
            middle = (low + high) // 2
            if budget.met_by(with_kept(middle)):
                high = middle
            else:
                low = middle
    result.kept = [group.name for group in groups[:high]]
    result.final = with_kept(high)
    result.met = budget.met_by(result.final)
    return result


def write(result: Result, stem: Path) -> None:
    """The result as JSON and as a table, `stem` with .json and .md."""
    stem.with_suffix(".sensitivity.json").write_text(json.dumps(asdict(result), indent=1) + "\n")
    lines = [
        f"Calibration {result.method}; budget: mean {result.budget.mean:g}, p95 "
        f"{result.budget.p95:g} degrees from the float file; {'met' if result.met else 'missed'}.",
        "",
        f"| | mean | p95 |\n|---|---|---|\n| all INT8 | {result.plain['mean']:.3f} | "
        f"{result.plain['p95']:.3f} |\n| {len(result.kept)} groups kept in {result.keep} | "
        f"{result.final['mean']:.3f} | {result.final['p95']:.3f} |",
        "",
        "| quantised alone | parameters | mean | p95 | kept |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {group.name} | {group.parameters} | {group.mean:.3f} | {group.p95:.3f} | "
        f"{result.keep if group.name in result.kept else ''} |"
        for group in result.groups
    ]
    stem.with_suffix(".sensitivity.md").write_text("\n".join(lines) + "\n")
