"""The detector: pictures composed of heads, targets, and the file in YuNet's form."""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

import crude
from conftest import arguments
from gazemodels import dataset
from gazemodels.detector import composites, evaluate, export, heads, net, score, targets, train


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Crude heads as a shard, and two pictures without people."""
    folder = tmp_path_factory.mktemp("detector")
    rng = np.random.default_rng(0)
    samples = []
    for number in range(40):
        image, points = crude.face(rng, rng.uniform(-0.5, 0.5, 2))
        alpha = np.zeros(image.shape[:2], np.uint8)
        middle = crude.SIDE // 2
        cv2.ellipse(alpha, (middle, middle), (88, 100), 0, 0, 360, 255, -1, cv2.LINE_AA)
        samples.append(
            {
                "image": np.dstack([image, alpha]),
                "box": [middle - 88, middle - 100, middle + 88, middle + 100],
                "landmarks": points,
                "identity": number,
                "photograph": number % 2 == 1,
            }
        )
    (folder / "heads").mkdir()
    dataset.write_shard(folder / "heads", 0, samples, heads.ARRAYS)
    (folder / "backgrounds").mkdir()
    for k in range(2):
        noise = rng.integers(0, 255, (40, 60, 3), np.uint8)
        cv2.imwrite(str(folder / "backgrounds" / f"{k}.png"), cv2.resize(noise, (600, 400)))
    return folder


def test_composed_faces_lie_where_the_labels_say(folders):
    some = composites.Heads(folders / "heads")
    empty = composites.Backgrounds(folders / "backgrounds")
    found = 0
    for seed in range(30):
        picture = composites.compose(np.random.default_rng(seed), some, empty, 256)
        again = composites.compose(np.random.default_rng(seed), some, empty, 256)
        assert (picture.image == again.image).all()
        assert picture.image.shape == (256, 256, 3) and len(picture.boxes) == len(picture.points)
        for box, points in zip(picture.boxes, picture.points, strict=True):
            low, high = box[:2] - 2.0, box[2:] + 2.0
            assert (points > low).all() and (points < high).all()
            assert points[0, 0] < points[1, 0] or abs(points[0, 0] - points[1, 0]) < 12
            found += 1
    assert found > 15


def test_a_pasted_head_covers_its_box():
    canvas = np.zeros((200, 200, 3), np.uint8)
    head = np.full((320, 320, 4), 255, np.uint8)
    head[..., 3] = 0
    head[100:220, 120:200, 3] = 255
    rng = np.random.default_rng(3)
    box = np.array([120.0, 100.0, 200.0, 220.0])
    place = composites.placed(rng, box, np.tile(box[:2], (5, 1)), 60.0, 200)
    while place is None or abs(np.linalg.det(place[0][:, :2])) == 0:
        place = composites.placed(rng, box, np.tile(box[:2], (5, 1)), 60.0, 200)
    layer = composites.Layer.of(head, place[0], 200)
    layer.paste(rng, canvas)
    assert layer.over(place[1]) > 0.6 and layer.over(np.array([0.0, 0.0, 2.0, 2.0])) < 0.5
    seen = np.argwhere(canvas[..., 0] > 60)
    low, high = seen.min(0)[::-1], seen.max(0)[::-1] + 1
    expected = np.clip(place[1], 0, 200)
    # A turned rectangle reaches further than the box of a turned face.
    assert np.abs(low - expected[:2]).max() < 12 and np.abs(high - expected[2:]).max() < 12


def test_cells_answer_for_the_face_that_they_lie_in():
    cells = targets.grid([(8, 8), (4, 4), (2, 2)], torch.device("cpu"))
    assert cells.shape == (84, 3) and cells[63].tolist() == [7, 7, 8]
    boxes = torch.tensor([[8.0, 8.0, 24.0, 28.0], [0.0, 0.0, 64.0, 64.0]])
    face, counts = targets.assign(cells, boxes)
    assert 0 in face[:64] and 1 in face[64:80] and 1 in face[80:]
    middle = (cells[face == 0][:, :2] + 0.5) * cells[face == 0][:, 2:]
    assert (middle - torch.tensor([16.0, 18.0])).abs().max() <= 12.0
    assert not counts.all(), "cells about the middle are left out"
    none, every = targets.assign(cells, torch.zeros(0, 4))
    assert (none == -1).all() and every.all()


def test_answers_that_are_true_cost_nothing_but_their_doubt():
    cells = targets.grid([(8, 8), (4, 4), (2, 2)], torch.device("cpu"))
    box = torch.tensor([[20.0, 16.0, 44.0, 48.0]])
    points = torch.rand(1, 5, 2) * 20 + 22
    face, _ = targets.assign(cells, box)
    answers = torch.zeros(84, 16)
    answers[:, :2] = torch.where(face >= 0, 12.0, -12.0)[:, None]
    stride = cells[:, 2:]
    answers[:, 2:4] = torch.tensor([32.0, 32.0]) / stride - cells[:, :2]
    answers[:, 4:6] = (torch.tensor([24.0, 32.0]) / stride).log()
    answers[:, 6:] = (points / stride[:, None] - cells[:, None, :2]).flatten(1)
    levels = [
        part.T.reshape(1, 16, n, n)
        for part, n in zip(answers.split([64, 16, 4]), (8, 4, 2), strict=True)
    ]
    terms = targets.loss_of(levels, [box], [points])
    assert all(float(term) < 1e-3 for term in terms.values()), terms
    missed = targets.loss_of([level * 0.0 for level in levels], [box], [points])
    assert float(missed["cls"]) > 0.5 and float(missed["box"]) > 0.3


def test_steps_learn_some_pictures_by_heart(folders):
    """All terms of the loss fall, and most of the faces are found."""
    torch.manual_seed(0)
    some = composites.Heads(folders / "heads")
    empty = composites.Backgrounds(folders / "backgrounds")
    pictures = [composites.compose(np.random.default_rng(k), some, empty, 128) for k in range(6)]
    images, boxes, points = train.batch_of(pictures)
    model = net.Detector().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    seen = []
    for _ in range(150):
        terms = targets.loss_of(model.cells(images), boxes, points)
        optimizer.zero_grad()
        sum(train.TERMS[name] * term for name, term in terms.items()).backward()
        optimizer.step()
        seen.append({name: float(term.detach()) for name, term in terms.items()})
    assert all(seen[-1][name] < 0.5 * seen[0][name] for name in ("cls", "box", "points")), seen[-1]
    # Statistics of the whole batch: the running ones lag behind.
    with torch.no_grad():
        levels = model.cells(images)
    answers = torch.cat([level.flatten(2) for level in levels], dim=2)[:, :2].sigmoid().prod(1)
    cells = targets.grid([tuple(level.shape[2:]) for level in levels], images.device)
    positive = torch.stack([targets.assign(cells, box)[0] >= 0 for box in boxes])
    assert answers[positive].mean() > 3.0 * answers[~positive].mean()
    assert answers[positive].mean() > 0.25


def test_a_run_is_taken_up_again_and_exported(folders, tmp_path):
    words = ["--heads", str(folders / "heads"), "--backgrounds", str(folders / "backgrounds")]
    words += ["--batch", "2", "--threads", "1", "--validate-every", "4", "--steps", "4"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train.run(arguments(train, *words, "--out", str(whole)))
    train.run(arguments(train, *words, "--out", str(parts), "--stop-after", "2"))
    train.run(arguments(train, *words, "--out", str(parts)))
    a, b = (train.load_detector(p / train.CHECKPOINT).state_dict() for p in (whole, parts))
    assert all(torch.equal(value, b[name]) for name, value in a.items())
    assert (whole / train.METRICS).exists()
    out = tmp_path / "faces.onnx"
    export.run(arguments(export, "--checkpoint", str(whole / "last.pt"), "--out", str(out)))
    session = onnxruntime.InferenceSession(str(out))
    names = [f"{role}_{s}" for role in ("cls", "obj", "bbox", "kps") for s in (8, 16, 32)]
    assert [o.name for o in session.get_outputs()] == names
    sizes = [v.shape for v in session.run(None, {"input": np.zeros((1, 3, 64, 96), np.float32)})]
    assert sizes[0] == (1, 96, 1) and sizes[6] == (1, 96, 4) and sizes[11] == (1, 6, 10)
    assert out.stat().st_size < 1.5e6


def test_detectors_are_held_against_the_stored_answers(tmp_path):
    frames = tmp_path / "media" / "frames"
    frames.mkdir(parents=True)
    cv2.imwrite(str(frames / "a.png"), np.zeros((90, 120, 3), np.uint8))
    points = [[20.0, 20.0], [40.0, 20.0], [30.0, 30.0], [22.0, 40.0], [38.0, 40.0]]
    theirs = [
        {"box_float": [10, 10, 50, 60], "kps": points},
        {"box_float": [80, 10, 90, 20], "kps": points},
        {"box_float": [60, 40, 110, 88], "kps": points},
    ]
    entries = [{"png": "a.png", "detectors": {"yunet": theirs}}]
    (tmp_path / "models" / "reference").mkdir(parents=True)
    (tmp_path / "models" / "reference" / "reference.json").write_text(json.dumps(entries))
    film = cv2.VideoWriter(
        str(tmp_path / "media" / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 5, (64, 48)
    )
    film.write(np.zeros((48, 64, 3), np.uint8))
    film.release()
    tool = tmp_path / "tool"
    tool.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        "box = lambda x, y, w, h: {'box': dict(x=x, y=y, w=w, h=h)}\n"
        f"first = box(12, 10, 40, 50) | {{'landmarks': {(np.array(points) + [2.0, 0.0]).tolist()}}}\n"
        "faces = [first, box(0, 70, 20, 20)]\n"
        "names = [w for w in sys.argv if w.endswith(('.png', '.jpg'))]\n"
        "print(json.dumps({'images': [{'image': n, 'faces': faces} for n in names]}))\n"
    )
    tool.chmod(0o755)
    words = ["--detectors", "embedded", "--shared", str(tmp_path), "--gazetool", str(tool)]
    words += ["--out", str(tmp_path / "out.json"), "--clips", "film.avi", "--every", "1"]
    evaluate.run(arguments(evaluate, *words))
    found = json.loads((tmp_path / "out.json").read_text())["embedded"]
    assert found["stills"] == {"wanted": 2, "hit": 1, "extra": 1, "points": pytest.approx(0.1)}
    assert found["clips"]["film.avi"] == {"frames": 1, "with_face": 1, "faces": 2.0}


def test_limits_of_the_network_and_scores():
    parameters = sum(p.numel() for p in net.Detector().parameters())
    assert 1e5 <= parameters <= 4e5
    picture = composites.Picture(
        np.zeros((64, 64, 3), np.uint8),
        np.array([[10.0, 10.0, 40.0, 40.0]]),
        np.tile([[20.0, 20.0], [30.0, 20.0], [25.0, 25.0], [20.0, 30.0], [30.0, 30.0]], (1, 1, 1)),
    )
    ours = score.Found(
        np.array([[12.0, 10.0, 42.0, 40.0], [0.0, 50.0, 8.0, 60.0]]),
        np.repeat(picture.points + 1.0, 2, axis=0),
        np.array([0.9, 0.8]),
    )
    found = score.evaluate([ours], [picture])
    assert found["middle"] == 1.0 and found["extra"] == 1.0
    assert found["points"] == pytest.approx(np.sqrt(2.0) / 10.0)
