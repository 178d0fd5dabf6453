"""The dataset between `synth`, which writes it, and `train`, which reads it (`reader`).

A folder of `shard-00000.npz`, `shard-00001.npz`, ... and `meta.json`. Shards are uncompressed and
appear under their name only when complete, so a run that was stopped goes on where it was.

Angles are in radians, pitch and yaw in the project's convention (`angles`). "Ray frame" is the frame
of a virtual camera at the same place whose z axis goes through the middle of the face's box.
Identities are held out for validation by their number (`reader.HELD_OUT`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

#: Side of the stored pictures in pixels; they show `contract.STORED_SCALE` times the face's box.
SIDE = 320

#: Samples in a shard; the last one may hold fewer.
SHARD = 512

#: Shape of one sample and element type of every array; a shard puts n in front of the shape.
ARRAYS: dict[str, tuple[tuple[int, ...], type]] = {
    # Square crop, RGB.
    "image": ((SIDE, SIDE, 3), np.uint8),
    # Pitch and yaw of the direction to the target (mean of the two eyes'), ray frame.
    "gaze": ((2,), np.float32),
    # The same in camera coordinates.
    "gaze_camera": ((2,), np.float32),
    # Pitch and yaw of the face's forward direction and roll (positive is clockwise in the image),
    # ray frame.
    "head": ((3,), np.float32),
    # Point between the eyes, mm, camera coordinates.
    "origin": ((3,), np.float32),
    # 0 closed to 1 this person's open eye: eye on the image's left, on its right.
    "openness": ((2,), np.float32),
    # Pixels in `image`: eye on the image's left, eye on its right, nose tip, left and right mouth
    # corner; pixel centres are at .5.
    "landmarks": ((5, 2), np.float32),
    # Pixels in `image`: middles of the irises as seen, eye on the image's left first, also behind lids.
    "irises": ((2, 2), np.float32),
    # Pixels in `image`: margins of the lids, the same order of eyes, upper before lower, seven points
    # each from the image's left to right.
    "lids": ((2, 2, 7, 2), np.float32),
    "identity": ((), np.int32),
    # fx, fy, cx, cy of the frame that the crop was taken from, pixels counted from its corner.
    "camera": ((4,), np.float32),
    "infrared": ((), np.bool_),
    # 0 none, 1 glasses, 2 sunglasses.
    "glasses": ((), np.uint8),
    # Whether a camera took it. What is not known of a photograph is NaN.
    "photograph": ((), np.bool_),
}


def shard_path(folder: Path, index: int) -> Path:
    return folder / f"shard-{index:05d}.npz"


def write_shard(
    folder: Path,
    index: int,
    samples: list[Mapping[str, Any]],
    kinds: Mapping[str, tuple[tuple[int, ...], type]] = ARRAYS,
) -> None:
    """Writes samples, each with every entry of `kinds`, as shard `index`."""
    arrays = {}
    for name, (shape, kind) in kinds.items():
        arrays[name] = np.array([sample[name] for sample in samples], kind)
        if arrays[name].shape[1:] != shape:
            raise ValueError(
                f"'{name}' of a sample has shape {arrays[name].shape[1:]}, not {shape}"
            )
    path = shard_path(folder, index)
    temporary = path.with_suffix(f".{os.getpid()}.partial")
    with temporary.open("wb") as file:
        np.savez(file, **arrays)
    temporary.replace(path)


def read_shard(folder: Path, index: int) -> dict[str, np.ndarray]:
    """All arrays of one shard; for random access to many see `reader.Reader`."""
    with np.load(shard_path(folder, index)) as arrays:
        return dict(arrays)


def open_folder(folder: Path, meta: Mapping[str, Any]) -> None:
    """Makes the folder with its `meta.json`; an existing one must say the same, except its `count`.

    A sample depends on the rest of `meta` and its own number, so a set may grow but not change.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "meta.json"
    if path.exists():
        known = json.loads(path.read_text())
        changed = [k for k in {*meta, *known} - {"count"} if known.get(k) != meta.get(k)]
        if changed:
            raise ValueError(
                f"{folder} holds another dataset (it differs in {', '.join(sorted(changed))}); "
                "give an empty folder to --out, or the options that this one was made with"
            )
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(dict(meta), indent=2) + "\n")
    temporary.replace(path)
