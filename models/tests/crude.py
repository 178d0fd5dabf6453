"""Crudely drawn faces as a dataset: enough to run every stage and to learn a little from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from gazemodels import dataset

SIDE = dataset.SIDE

#: Side of the picture that the numbers below are meant for.
DRAWN = 256


def face(rng: np.random.Generator, gaze: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A disc with two eyes that look along `gaze` (pitch, yaw in radians), and five landmarks."""
    image = np.full((DRAWN, DRAWN, 3), rng.integers(0, 255, 3), np.uint8)
    skin = tuple(int(v) for v in rng.integers(90, 230, 3))
    cv2.ellipse(image, (128, 128), (70, 80), 0, 0, 360, skin, -1, cv2.LINE_AA)
    points = np.array([[100, 110], [156, 110], [128, 140], [108, 170], [148, 170]], np.float32)
    for x, y in points[:2].astype(int):
        cv2.ellipse(image, (x, y), (18, 11), 0, 0, 360, (240, 240, 240), -1, cv2.LINE_AA)
        # Positive yaw is towards the image's left, positive pitch up.
        pupil = (int(x - 14 * np.sin(gaze[1])), int(y - 8 * np.sin(gaze[0])))
        cv2.circle(image, pupil, 6, (30, 20, 10), -1, cv2.LINE_AA)
    cv2.circle(image, (128, 140), 5, (60, 40, 40), -1, cv2.LINE_AA)
    cv2.line(image, (108, 170), (148, 170), (120, 30, 30), 4, cv2.LINE_AA)
    # OpenCV's pixel centres are at whole numbers, the dataset's at .5.
    image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return image, (points + 0.5) * (SIDE / DRAWN)


def lids(eyes: np.ndarray) -> np.ndarray:
    """Margins (2, 2, 7, 2) of the lids of eyes in the middle of `eyes` (2, 2)."""
    turn = np.linspace(-np.pi, 0.0, 7)
    arc = np.stack([18.0 * np.cos(turn), 11.0 * np.sin(turn)], axis=1) * (SIDE / DRAWN)
    return eyes[:, None, None] + np.stack([arc, arc * [1.0, -1.0]])[None]


def write_shard(folder: Path, index: int, count: int) -> None:
    """Shard `index` of `count` samples."""
    rng = np.random.default_rng(index)
    samples = []
    for number in range(count):
        gaze = rng.uniform([-0.6, -0.9], [0.6, 0.9])
        image, points = face(rng, gaze)
        samples.append(
            {
                "image": image,
                "gaze": gaze,
                "gaze_camera": gaze,
                "head": np.zeros(3),
                "origin": np.array([0.0, 0.0, 600.0]),
                "openness": np.ones(2),
                "landmarks": points,
                "irises": points[:2] - np.array([14.0 * np.sin(gaze[1]), 8.0 * np.sin(gaze[0])]),
                "lids": lids(points[:2]),
                "identity": index * count + number,
                "camera": np.array([900.0, 900.0, 640.0, 360.0]),
                "infrared": False,
                "glasses": 0,
                "photograph": False,
            }
        )
    dataset.write_shard(folder, index, samples)
