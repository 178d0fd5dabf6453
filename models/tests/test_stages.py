"""Stages after training, end to end on crude faces: QAT, evaluation, README and card."""

from __future__ import annotations

import argparse
import json
import os
import sys

import numpy as np
import onnx
import pytest
import torch

from conftest import arguments
from gazemodels import __main__, card, evaluate, export, footage, inputs, qat, report, train
from gazemodels.contract import STUDENT


@pytest.fixture(scope="module")
def files(checkpoint, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    export.export(checkpoint, folder / "student.onnx")
    qat.run(
        arguments(
            qat, "--checkpoint", str(checkpoint), "--data", str(data), "--steps", "8", "--batch", "8",
            "--out", str(folder / "student.int8-qat.onnx"),
        )
    )  # fmt: skip
    return folder


def test_qat_writes_integers_and_stays_near(files, data):
    path = files / "student.int8-qat.onnx"
    loaded = onnx.load(path)
    weights = [t for t in loaded.graph.initializer if len(t.dims) > 1]
    kinds = [t.data_type for t in weights]
    # The last layer is float.
    assert kinds.count(onnx.TensorProto.INT8) == 17 and kinds.count(onnx.TensorProto.FLOAT) == 1
    operators = [node.op_type for node in loaded.graph.node]
    assert operators.count("QuantizeLinear") >= 20
    assert export.contract_of(path) == STUDENT
    values = inputs.load(data, STUDENT, 10, held_out=True)
    first, second = (inputs.predict(files / f, values) for f in ("student.onnx", path.name))
    assert np.abs(first - second).max() < 0.3
    assert inputs.predict(path, values[:1]).shape == (1, 2), "the batch is free"


def test_qat_taken_up_again_ends_the_same(checkpoint, data, tmp_path, monkeypatch):
    monkeypatch.setattr(qat, "SAVE_EVERY", 2)
    torch.set_num_threads(1)

    def words(name: str) -> argparse.Namespace:
        return arguments(
            qat, "--checkpoint", str(checkpoint), "--data", str(data), "--steps", "4",
            "--batch", "4", "--out", str(tmp_path / name),
        )  # fmt: skip

    qat.run(words("whole.onnx"))
    # Stops when the state of the second step has been kept.
    replace = os.replace
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *names: (replace(*names), sys.exit())[0])
        with pytest.raises(SystemExit):
            qat.run(words("parts.onnx"))
    qat.run(words("parts.onnx"))
    assert (tmp_path / "whole.onnx").read_bytes() == (tmp_path / "parts.onnx").read_bytes()
    assert not list(tmp_path.glob("*.pt"))


def test_evaluation_fills_the_readme_and_the_card(files, data, checkpoint, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n{}\nold\n{}\nafter\n".format(*report.markers("evaluate")))
    out = tmp_path / "evaluation.json"
    models = [str(files / "student.onnx"), str(files / "student.int8-qat.onnx")]
    for _ in range(2):
        evaluate.run(
            arguments(
                evaluate, "--models", *models, "--data", str(data), "--out", str(out),
                "--readme", str(readme), "--rounds", "3",
            )
        )  # fmt: skip
    text = readme.read_text()
    assert text.startswith("before") and text.endswith("after\n") and "old" not in text
    assert text.count("student.int8-qat.onnx") == 1
    found = json.loads(out.read_text())["models"]["student.int8-qat.onnx"]
    assert found["bar"] == 0.2 and found["latency"]["ms"] > 0
    card.run(
        arguments(
            card, "--metrics", str(checkpoint.parent / train.METRICS), "--evaluation", str(out),
            "--out", str(tmp_path / "CARD.md"),
        )
    )  # fmt: skip
    text = (tmp_path / "CARD.md").read_text()
    assert "CC0" in text and "Not measured on real footage" in text
    assert f"{found['mean']:.2f}" in text


def test_a_readme_without_the_section_is_an_error(tmp_path):
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(ValueError, match="evaluate"):
        report.replace_section(tmp_path / "README.md", "evaluate", "text")


def test_a_folder_without_clips_is_an_error_before_anything_is_measured(files, data, tmp_path):
    with pytest.raises(FileNotFoundError, match="leave it out"):
        evaluate.run(
            arguments(
                evaluate, "--models", str(files / "student.onnx"), "--data", str(data),
                "--out", str(tmp_path / "evaluation.json"), "--shared", str(tmp_path),
            )
        )  # fmt: skip


def test_without_makehumans_data_nothing_is_begun(tmp_path):
    out = tmp_path / "data"
    with pytest.raises(SystemExit, match="makehuman/data with --assets"):
        __main__.main(["synth", "--assets", str(tmp_path), "--out", str(out)])
    assert not out.exists()


def test_agreement_of_a_shifted_copy_is_perfect_but_for_its_offset():
    rng = np.random.default_rng(0)
    theirs = rng.normal(0, 0.2, (100, 2))
    found = footage.agreement(theirs + np.radians([3.0, -2.0]), theirs)
    assert found["r_pitch"] == pytest.approx(1) and found["r_yaw"] == pytest.approx(1)
    assert found["offset_pitch"] == pytest.approx(3) and found["offset_yaw"] == pytest.approx(-2)
    assert 3.0 < found["angle"] < 3.7


def test_the_references_bins_are_decoded_by_expectation():
    logits = np.full((1, 90), -50.0)
    logits[0, [45, 46]] = 5.0
    assert footage.MobileGaze.decode(logits)[0] == pytest.approx(45.5 * 4 - 180)


def test_regions_are_the_plugins():
    # RegionPolicy::pixels: grown by a fifth in all, squared, corners truncated.
    assert STUDENT.region(np.array([100.0, 50.0, 200.0, 170.0])) == (78, 38, 222, 182)
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[0] = 200
    crop = STUDENT.crop(frame, np.array([20.0, -20.0, 60.0, 20.0]))
    assert crop.shape == (160, 160, 3) and (crop[:60] == 200).all(), "the edge is repeated"
    with pytest.raises(ValueError, match="no pixel"):
        STUDENT.crop(frame, np.array([300.0, 0.0, 340.0, 40.0]))
