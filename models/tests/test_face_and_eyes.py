"""The second generation end to end: its further outputs, its spread, its quantised files."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from conftest import arguments
from gazemodels import angles, card, export, nets, qat, quantize, train
from gazemodels.contract import FACE_AND_EYES
from gazemodels.reader import Reader


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A run of a few steps, half of whose pictures pass for photographs."""
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("eyes")
    words = ["--net", "face-and-eyes", "--data", str(data), "--photographs", str(data)]
    words += ["--measure", str(data), "--out", str(out), "--steps", "10", "--cool-from", "6"]
    train.run(arguments(train, *words, "--batch", "8"))
    return out / train.CHECKPOINT


def test_photographs_and_what_is_only_measured_are_told_of(trained):
    found = json.loads((trained.parent / train.METRICS).read_text())
    row = found["history"][-1]
    assert {"bias_pitch", "mean"} <= set(row["photographs"])
    assert row["measured"]["count"] == 160 and "slope_yaw" in row["measured"]
    card.run(
        arguments(
            card, "--metrics", str(trained.parent / train.METRICS),
            "--evaluation", str(evaluation(trained.parent)), "--out", str(trained.parent / "C.md"),
        )
    )  # fmt: skip
    text = (trained.parent / "C.md").read_text()
    assert "portraits" in text and "`spread`" in text and "no notion" not in text


def evaluation(folder):
    """The least that a card needs."""
    row = {"count": 1, "mean": 5.0, "p50": 5.0, "p95": 9.0, "bytes": 1, "bar": None}
    row |= {"loss": {"mean": 0.0, "p50": 0.0, "p95": 0.0}, "latency": {"ms": 1.0, "ratio": 1.0}}
    row |= {"by_yaw": [], "by_pitch": [], "by_head_yaw": [], "groups": {}}
    path = folder / "evaluation.json"
    path.write_text(json.dumps({"images": 1, "models": {"a.onnx": row}}))
    return path


@pytest.fixture(scope="module")
def model(trained, data):
    path = trained.parent / "default.onnx"
    export.run(
        arguments(
            export, "--checkpoint", str(trained), "--out", str(path), "--calibrate", str(data)
        )
    )
    return path


def test_the_file_gives_every_answer(model):
    session = onnxruntime.InferenceSession(str(model))
    assert [o.name for o in session.get_outputs()] == list(nets.FaceAndEyes.OUTPUTS)
    for count in (1, 3):
        found = session.run(None, {"image": np.zeros((count, 3, 224, 224), np.float32)})
        assert [f.shape for f in found] == [(count, n) for n in (2, 2, 10, 3, 2)]
    assert export.contract_of(model) == FACE_AND_EYES
    operators = {node.op_type for node in onnx.load(model).graph.node}
    assert not operators & {"GridSample", "RoiAlign", "If", "Loop", "NonZero"}


def test_two_thirds_of_the_errors_lie_within_the_spread(model, data):
    reader = Reader(data)
    numbers = reader.split(held_out=True)
    values = FACE_AND_EYES.tensor(FACE_AND_EYES.crop_stored(reader.pictures(numbers)))
    session = onnxruntime.InferenceSession(str(model))
    gaze, spread = session.run(["gaze", "spread"], {"image": values})
    within = np.abs(gaze - reader.labels["gaze"][numbers]) <= spread
    assert (np.abs(within.mean(0) - 0.683) <= 1.0 / len(numbers) + 0.02).all()


def test_windows_stay_in_float_when_quantised(model, data, tmp_path):
    words = ["--model", str(model), "--data", str(data), "--out", str(tmp_path)]
    words += ["--calibration-images", "20", "--images", "16"]
    quantize.run(arguments(quantize, *words, "--only", "int8-minmax", "fp16"))
    kept = set(quantize.window_nodes(onnx.load(model)))
    assert 20 < len(kept) < 60
    loaded = onnx.load(tmp_path / "default.int8-minmax.onnx")
    producer = {name: node for node in loaded.graph.node for name in node.output}
    products = [n for n in loaded.graph.node if n.op_type == "MatMul"]
    assert len(products) == 4
    for node in products:
        assert all(
            producer[name].op_type != "DequantizeLinear" or "image" in producer[name].input[0]
            for name in node.input
            if name in producer
        )
    value = {"image": np.random.default_rng(0).random((2, 3, 224, 224), np.float32)}
    answers = [
        onnxruntime.InferenceSession(str(path)).run(["gaze"], value)[0]
        for path in (model, tmp_path / "default.int8-minmax.onnx", tmp_path / "default.fp16.onnx")
    ]
    assert angles.errors_degrees(answers[0], answers[1]).max() < 2.0
    assert angles.errors_degrees(answers[0], answers[2]).max() < 0.2


def test_qat_writes_all_outputs(trained, data, tmp_path):
    out = tmp_path / "default.int8-qat.onnx"
    words = ["--checkpoint", str(trained), "--data", str(data), "--out", str(out)]
    qat.run(arguments(qat, *words, "--steps", "2", "--batch", "4"))
    session = onnxruntime.InferenceSession(str(out))
    assert [o.name for o in session.get_outputs()] == list(nets.FaceAndEyes.OUTPUTS)
    kinds = [t.data_type for t in onnx.load(out).graph.initializer if len(t.dims) > 1]
    assert kinds.count(onnx.TensorProto.INT8) >= 27
    assert session.run(["gaze"], {"image": np.zeros((1, 3, 224, 224), np.float32)})[0].shape == (
        1,
        2,
    )
