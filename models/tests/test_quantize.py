"""Exported and quantised files hold what they should."""

from __future__ import annotations

import collections
import json
import tomllib
from pathlib import Path

import numpy as np
import onnx
import pytest

from conftest import arguments
from gazemodels import export, inputs, quantize, sensitivity
from gazemodels.contract import METADATA_KEY, STUDENT


@pytest.fixture(scope="module")
def model(checkpoint, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "student.onnx"
    assert export.export(checkpoint, path) <= export.TOLERANCE
    return path


def types_of(path: Path) -> tuple[collections.Counter, collections.Counter]:
    """How many nodes of each operator, and weights (of more than one dimension) of each type."""
    loaded = onnx.load(path)
    names = onnx.TensorProto.DataType.Name
    weights = [tensor for tensor in loaded.graph.initializer if len(tensor.dims) > 1]
    return (
        collections.Counter(node.op_type for node in loaded.graph.node),
        collections.Counter(names(tensor.data_type) for tensor in weights),
    )


def test_the_profile_in_the_file_is_the_contract(model):
    text = export.metadata(onnx.load(model))[METADATA_KEY]
    profile = tomllib.loads(text)
    assert profile["frame"] == "ray"
    assert profile["region"] == {"margin": 0.2, "square": True, "border": "replicate"}
    assert profile["input"][0]["image"]["width"] == STUDENT.side
    assert profile["output"]["yaw"] == {"tensor": "gaze", "column": 1}
    assert export.contract_of(model) == STUDENT


def test_the_exported_file_has_a_free_batch_and_no_batch_normalisation(model):
    loaded = onnx.load(model)
    assert loaded.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    assert loaded.opset_import[0].version >= 17
    operators, _ = types_of(model)
    assert "BatchNormalization" not in operators
    assert not any(node.metadata_props for node in loaded.graph.node), "no source lines"


def test_every_variant_is_made_and_holds_its_types(model, data, tmp_path):
    quantize.run(
        arguments(
            quantize, "--model", str(model), "--data", str(data), "--out", str(tmp_path),
            "--calibration-images", "20", "--images", "16",
        )
    )  # fmt: skip
    results = json.loads((tmp_path / f"student.{quantize.RESULTS}").read_text())
    assert set(results) == set(quantize.VARIANTS)
    for name in quantize.VARIANTS:
        path = tmp_path / f"student.{name}.onnx"
        assert export.contract_of(path) == STUDENT, name
        operators, weights = types_of(path)
        if name == "fp16":
            assert set(weights) == {"FLOAT16"}
        elif name == "int8-dynamic":
            assert operators["ConvInteger"] == 16
        elif name != "int8-mixed":
            assert operators["DequantizeLinear"] > 30, name
            assert weights == {"INT16" if name == "w16a16" else "INT8": 18}, name
    assert results["w16a16"]["mean"] < 0.05
    zero_points = [
        t for t in onnx.load(tmp_path / "student.int8-tensorrt.onnx").graph.initializer
        if t.name.endswith("zero_point")
    ]  # fmt: skip
    assert zero_points and all(not onnx.numpy_helper.to_array(t).any() for t in zero_points)


def test_calibration_reads_pictures_and_tensors(tmp_path):
    import cv2

    crop = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), crop[..., ::-1])
    values = inputs.load(tmp_path, STUDENT, 10, held_out=False)
    expected = cv2.resize(crop, (160, 160)).transpose(2, 0, 1) / np.float32(255)
    assert np.array_equal(values[0], expected)
    np.save(tmp_path / "b.npy", expected[None])
    assert np.array_equal(inputs.load(tmp_path, STUDENT, 10, held_out=False)[1], expected)


@pytest.mark.parametrize("keep", ["float", "int16"])
def test_sensitivity_finds_the_layer_that_was_made_sensitive(model, data, tmp_path, keep):
    """One layer's output gets a channel of huge values that nothing reads: its 8-bit steps become
    so coarse that the others drown, and no other layer suffers."""
    loaded = onnx.load(model)
    weights = {t.name: t for t in loaded.graph.initializer}
    convolutions = [node for node in loaded.graph.node if node.op_type == "Conv"]
    victim, name = convolutions[-1], convolutions[-1].input[1]
    bias = onnx.numpy_helper.to_array(weights[victim.input[2]]).copy()
    bias[0] = 4000.0
    weights[victim.input[2]].CopyFrom(onnx.numpy_helper.from_array(bias, victim.input[2]))
    reader = next(node for node in loaded.graph.node if node.op_type == "Gemm")
    matrix = onnx.numpy_helper.to_array(weights[reader.input[1]]).copy()
    # The flattened map is channel by channel, 25 places each.
    matrix[:, :25] = 0.0
    weights[reader.input[1]].CopyFrom(onnx.numpy_helper.from_array(matrix, reader.input[1]))
    changed = tmp_path / "sensitive.onnx"
    onnx.save(loaded, changed)

    values = inputs.load(data, STUDENT, 20, held_out=True)
    reference = inputs.predict(changed, values)
    job = quantize.Job(changed, values, tmp_path)
    # Whatever reads the wide tensor suffers with the layer that makes it.
    out = tmp_path / "mixed.onnx"
    plain = tmp_path / "plain.onnx"
    job.static(plain, "minmax")
    cost = quantize.deviation(plain, values, reference)
    budget = sensitivity.Budget(cost["mean"] / 2, cost["p95"] / 2)
    found = sensitivity.mixed(job, out, "minmax", budget, keep, values, reference)
    label = name.removesuffix(".weight")
    assert any(label in group.name for group in found.groups[:2]), [g.name for g in found.groups]
    assert any(label in kept for kept in found.kept)
    assert found.met and len(found.kept) <= 4, found.kept
    sensitivity.write(found, tmp_path / "table")
    assert label in (tmp_path / "table.sensitivity.md").read_text()
