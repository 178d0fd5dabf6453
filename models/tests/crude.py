"""Crudely drawn faces as a dataset: enough to run every stage and to learn a little from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from gazemodels import dataset

SIDE = dataset.SIDE


def face(rng: np.random.Generator, gaze: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A disc with two eyes that look along `gaze` (pitch, yaw in radians), and five landmarks."""
    image = np.full((SIDE, SIDE, 3), rng.integers(0, 255, 3), np.uint8)
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
    return image, points + 0.5


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
                "identity": index * count + number,
                "camera": np.array([900.0, 900.0, 640.0, 360.0]),
                "infrared": False,
                "glasses": 0,
            }
        )
    dataset.write_shard(folder, index, samples)
