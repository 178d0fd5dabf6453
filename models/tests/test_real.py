"""Labelled real faces: labels, matching and the frame of the ray; moved irises."""

from __future__ import annotations

import json
import stat

import cv2
import numpy as np
import pytest

from conftest import arguments
from gazemodels import angles, evaluate, photographs, real

HEADER = "file,set,person,width,height,box_x,box_y,box_w,box_h,ray_pitch_deg,ray_yaw_deg"  # what is used of it


@pytest.fixture
def faces(tmp_path):
    """Twelve faces of one set and a tool that says of each that it looks 4 degrees further up, of the
    last that there is none."""
    rows = [HEADER]
    truth = [(10.0 - 2 * k, 3.0 * k - 15) for k in range(12)]
    for k, (pitch, yaw) in enumerate(truth):
        rows.append(f"{k}.png,some,p{k},640,480,{40 * k},{20 * k},100,120,{pitch},{yaw}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    answers = {}
    for k, (pitch, yaw) in enumerate(truth):
        box = np.array([40 * k, 20 * k, 100, 120], float)
        # From the ray's frame back into the camera's.
        focal = 320 / np.tan(np.radians(30))
        u, v = (box[:2] + box[2:] / 2 - [320, 240]) / focal
        z = np.array([u, v, 1]) / np.linalg.norm([u, v, 1])
        x = np.array([1, 0, -u]) / np.hypot(u, 1)
        axes = np.stack([x, np.cross(z, x), z], axis=1)
        gaze = angles.to_angles(axes @ angles.to_vectors(np.radians([pitch + 4.0, yaw])))
        face = {"box": dict(zip("xywh", box, strict=True)), "pitch": gaze[0], "yaw": gaze[1]}
        face |= {"pitch_sd": np.radians(5.0), "yaw_sd": np.radians(1e-3)}
        other = {"box": {"x": 500, "y": 0, "w": 50, "h": 50}, "pitch": 0.0, "yaw": 0.0}
        answers[f"{k}.png"] = [other, face] if k < 11 else []
    images = [{"image": str(tmp_path / n), "faces": f} for n, f in answers.items()]
    (tmp_path / "answer.json").write_text(json.dumps({"images": images}))
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\ncat '{tmp_path}/answer.json'\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def test_faces_are_measured_through_the_tool(faces):
    words = ["--faces", str(faces), "--models", "embedded", "--gazetool", str(faces / "tool")]
    words += ["--out", str(faces / "out.json"), "--picture", str(faces / "out.png")]
    evaluate.run(arguments(evaluate, *words))
    row = json.loads((faces / "out.json").read_text())["embedded"]["some"]
    assert (row["faces"], row["count"]) == (12, 11)
    assert row["mean"] == pytest.approx(4.0, abs=0.01)
    assert row["bias_pitch"] == pytest.approx(4.0, abs=0.01)
    assert row["slope_pitch"] == pytest.approx(1.0, abs=0.01) and row["r_yaw"] > 0.999
    assert row["within_pitch"] == 1.0
    assert cv2.imread(str(faces / "out.png")).shape[1] == 3 * real.PANEL


def test_people_are_held_out_whatever_the_set():
    kept = [photographs.held_out(f"person{k}") for k in range(2000)]
    assert 0.15 < np.mean(kept) < 0.25
    assert photographs.held_out("A000360") == photographs.held_out("A000360")


def test_an_iris_moves_within_its_eye():
    image = np.full((120, 160, 3), 180, np.uint8)
    turn = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    outline = np.stack([80.0 + 30.0 * np.cos(turn), 60.0 + 12.0 * np.sin(turn)], axis=1)
    cv2.fillPoly(image, [np.round(outline).astype(np.int32)], (235, 235, 235), cv2.LINE_AA)
    inside = cv2.fillPoly(np.zeros((120, 160), np.uint8), [np.round(outline).astype(np.int32)], 1)
    dark = cv2.circle(image.copy(), (80, 60), 10, (40, 30, 20), -1, cv2.LINE_AA)
    image = np.where(inside[..., None] > 0, dark, image)
    moved = photographs.moved_iris(
        image, outline + 0.5, np.array([80.5, 60.5]), 10.0, np.array([8.0, 0.0])
    )
    x = np.argwhere(moved[60, :, 0] < 90).ravel()
    assert abs(x.mean() - 88.0) < 1.5 and 15 < len(x) < 26
    # Nothing changes outside the lids.
    away = cv2.dilate(inside, np.ones((7, 7), np.uint8)) == 0
    assert (moved[away] == image[away]).all()
