"""Loss, sampling, and that a run can be taken up again."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from conftest import arguments
from gazemodels import angles, augment, metrics, nets, sampling, train
from gazemodels.contract import FACE_AND_EYES, STUDENT
from gazemodels.reader import Reader


def test_angles_round_trip_and_signs():
    rng = np.random.default_rng(1)
    some = rng.uniform([-1.4, -3.0], [1.4, 3.0], (100, 2))
    assert np.allclose(angles.to_angles(angles.to_vectors(some)), some)
    assert np.allclose(angles.to_vectors(np.array([0.0, 0.0])), [0, 0, -1])
    assert angles.to_vectors(np.array([0.3, 0.0]))[1] < 0, "up is towards smaller y"
    assert angles.to_vectors(np.array([0.0, 0.3]))[0] < 0, "positive yaw is to the image's left"


def test_angular_loss_is_the_angle_of_numpy():
    rng = np.random.default_rng(2)
    a, b = rng.uniform(-1.2, 1.2, (2, 200, 2))
    cosines = (angles.to_vectors(a) * angles.to_vectors(b)).sum(-1)
    expected = np.arccos(np.clip(cosines, -1, 1))
    found = angles.angular_error(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    assert np.allclose(found, expected, atol=1e-5)
    assert np.allclose(angles.errors_degrees(a, b), np.degrees(expected), atol=1e-5)


def test_loss_at_zero_has_a_finite_small_gradient():
    truth = torch.tensor([[0.2, -0.3]])
    predicted = truth.clone().requires_grad_()
    loss = angles.smooth_angular_loss(predicted, truth).sum()
    loss.backward()
    assert loss.item() < 1e-6
    assert torch.isfinite(predicted.grad).all() and predicted.grad.abs().max() < 0.1
    far = angles.smooth_angular_loss(truth + 0.5, truth)
    near = angles.angular_error(truth + 0.5, truth)
    assert torch.allclose(far, near, atol=angles.SMOOTH_RADIANS)


def test_rare_poses_are_drawn_more_often_than_they_occur():
    rng = np.random.default_rng(3)
    gaze = np.concatenate([rng.normal(0, 0.05, (950, 2)), rng.normal(0.9, 0.05, (50, 2))])
    weights = sampling.balanced_weights(gaze, np.zeros((1000, 3)))
    assert np.isclose(weights.mean(), 1.0)
    share = weights[950:].sum() / weights.sum()
    assert 0.1 < share < 0.3, share
    assert (sampling.draw(weights, 64, 5) == sampling.draw(weights, 64, 5)).all()


def test_reader_maps_pictures_and_splits_by_identity(data):
    reader = Reader(data)
    assert len(reader) == 160
    numbers = np.array([0, 39, 40, 159])
    with np.load(data / "shard-00001.npz") as shard:
        assert (reader.pictures(numbers)[2] == shard["image"][0]).all()
    held_out, rest = reader.split(True), reader.split(False)
    assert len(held_out) + len(rest) == 160
    assert not set(reader.labels["identity"][held_out]) & set(reader.labels["identity"][rest])


def test_a_run_taken_up_again_equals_one_that_was_not_stopped(data, tmp_path):
    common = ["--data", str(data), "--steps", "6", "--batch", "8", "--threads", "1"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train.run(arguments(train, *common, "--out", str(whole)))
    train.run(arguments(train, *common, "--out", str(parts), "--stop-after", "3"))
    train.run(arguments(train, *common, "--out", str(parts)))
    a, b = (torch.load(path / train.CHECKPOINT, weights_only=True) for path in (whole, parts))
    assert a["step"] == b["step"] == 6
    for part in ("model", "average"):
        for name, value in a[part].items():
            assert torch.equal(value, b[part][name]), f"{part} {name}"


def test_a_run_that_is_interrupted_keeps_what_it_had(data, tmp_path, monkeypatch):
    """Long before the next validation, which a slow network may be hours away from."""
    step, done = train.train_step, []

    def interrupted(*words):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(step(*words))
        return done[-1]

    monkeypatch.setattr(train, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(train, "train_step", interrupted)
    words = ["--data", str(data), "--out", str(tmp_path), "--steps", "6", "--batch", "8"]
    with pytest.raises(KeyboardInterrupt):
        train.run(arguments(train, *words))
    assert torch.load(tmp_path / train.CHECKPOINT, weights_only=True)["step"] == 2


def test_training_writes_metrics_with_the_constant_answer_beside_them(checkpoint):
    found = json.loads((checkpoint.parent / train.METRICS).read_text())
    validation = found["validation"]
    assert validation["count"] == validation["constant"]["count"] > 0
    assert 10.0 < validation["constant"]["mean"] < 60.0
    assert validation["by_yaw"] and found["parameters"] > 0 and found["steps"] == 30


def test_steps_learn_a_batch_by_heart(data, tmp_path):
    """Far better than the constant answer, which needs no look at the pictures."""
    state = train.Run.fresh(
        arguments(train, "--data", str(data), "--out", str(tmp_path)), torch.device("cpu")
    )
    state.model.train()
    samples = train.batch_of(Reader(data), np.arange(16), torch.device("cpu"))
    images, labels = augment.training_batch(*samples, STUDENT, seed=1)
    for _ in range(30):
        terms = train.train_step(state, images, labels, bfloat16=False, seed=1)
    constant = metrics.constant(labels["gaze"].numpy())["mean"]
    assert np.degrees(terms["gaze"].item()) < 0.3 * constant


def test_the_constant_answer_is_the_mean_direction():
    truth = np.radians([[0.0, 30.0], [0.0, -30.0], [0.0, 30.0], [0.0, -30.0]])
    assert metrics.constant(truth)["mean"] == pytest.approx(30.0)
    turned = metrics.constant(truth + np.radians([0.0, 40.0]))
    assert turned["mean"] == pytest.approx(30.0), "it follows the faces"


def test_a_window_is_the_part_of_the_image_about_its_centre():
    image = torch.rand(2, 3, 224, 224)
    centres = torch.tensor([[100.0, 90.0], [60.0, 120.0]])
    window = nets.face_and_eyes.Window(224, mirrored=False)(image, centres)
    assert torch.allclose(window[0], image[0, :, 66:114, 68:132], atol=1e-5)
    other = nets.face_and_eyes.Window(224, mirrored=True)(image, centres)
    assert torch.allclose(other[1], image[1, :, 96:144, 28:92].flip(2), atol=1e-5)
    half = nets.face_and_eyes.Window(224, mirrored=False)(image, centres + 0.5)
    mean = image[0, :, 66:115, 68:133]
    mean = 0.25 * (mean[:, 1:, 1:] + mean[:, :-1, 1:] + mean[:, 1:, :-1] + mean[:, :-1, :-1])
    assert torch.allclose(half[0], mean, atol=1e-5)


def test_face_and_eyes_learns_from_faces_and_photographs(data, tmp_path):
    """Photographs tell no head pose; all terms stay finite and fall."""
    words = ["--net", "face-and-eyes", "--data", str(data), "--out", str(tmp_path)]
    state = train.Run.fresh(arguments(train, *words), torch.device("cpu"))
    state.model.train()
    reader = Reader(data)
    images, labels = train.batch_of(reader, np.arange(12), torch.device("cpu"))
    labels["photograph"][8:], labels["head"][8:] = 1.0, float("nan")
    images, labels = augment.training_batch(images, labels, FACE_AND_EYES, seed=1)
    found = [train.train_step(state, images, labels, False, seed=1) for _ in range(12)]
    assert set(found[0]) == set(train.TERMS) - {"teacher"}
    assert all(torch.isfinite(term) for terms in found for term in terms.values())
    for name in ("gaze", "landmarks", "eyes", "openness"):
        assert found[-1][name] < found[0][name], name


def test_a_learner_follows_its_teacher(data, checkpoint, tmp_path):
    """The teacher is given the learner's picture in its own size."""
    teacher = train.Teacher.of(checkpoint, torch.device("cpu"))
    images = torch.rand(3, 3, FACE_AND_EYES.side, FACE_AND_EYES.side)
    assert teacher(images, FACE_AND_EYES).shape == (3, 2)
    small = torch.rand(3, 3, STUDENT.side, STUDENT.side)
    assert torch.allclose(teacher(small, STUDENT), teacher.net(small), atol=1e-6)
    words = ["--data", str(data), "--out", str(tmp_path), "--steps", "2", "--batch", "4"]
    train.run(arguments(train, *words, "--teacher", str(checkpoint)))
    assert (tmp_path / train.CHECKPOINT).exists()


def test_the_shape_of_the_second_eye_is_that_of_the_first_mirrored():
    eye = torch.tensor([[0.02, 0.01], *[[0.03 * k, -0.02] for k in range(-3, 4)],
                        *[[0.03 * k, 0.03] for k in range(-3, 4)]])  # fmt: skip
    flipped = eye * torch.tensor([-1.0, 1.0])
    flipped = torch.cat([flipped[:1], flipped[1:8].flip(0), flipped[8:].flip(0)])
    centres = torch.tensor([[[0.3, 0.4], [0.7, 0.4]]])
    points = 2.0 * (torch.stack([eye, flipped])[None] + centres[:, :, None]) - 1.0
    labels = {"irises": points[:, :, 0], "lids": points[:, :, 1:].unflatten(2, (2, 7))}
    shapes, inside = train.eye_shapes(labels, centres, 224)
    assert torch.allclose(shapes[0, 0], shapes[0, 1], atol=1e-5) and inside.all()


def test_limits_of_the_networks():
    parameters, flops = nets.size_of(nets.build("face-and-eyes"))
    assert parameters <= 2.5e6 and flops / 2 <= 0.35e9, (parameters, flops)
    parameters, flops = nets.size_of(nets.build("student"))
    assert parameters <= 1.5e6 and flops <= 0.2e9, (parameters, flops)
    parameters, flops = nets.size_of(nets.build("gazecapsnet"))
    assert 11.4e6 <= parameters <= 12.0e6, parameters
    # The paper's 2.3 G are multiply-adds, two FLOPs each.
    assert 1.9e9 <= flops / 2 <= 2.4e9, flops


def test_routing_agrees_with_its_formula():
    torch.manual_seed(0)
    layer = nets.gazecapsnet.RoutedCapsules(5, 3, 2, 4)
    u = torch.randn(1, 5, 3)
    votes = torch.einsum("ij,oijk->oik", u[0], layer.weight)
    logits = (votes @ votes.transpose(1, 2)).sum(-1) / 2.0
    summed = (logits.softmax(0)[..., None] * votes).sum(1)
    length = summed.norm(dim=-1, keepdim=True)
    expected = (1 - torch.exp(-length)) * summed / length
    assert torch.allclose(layer(u)[0], expected, atol=1e-5)
