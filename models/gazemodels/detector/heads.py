"""Stage `heads-detector`: shards of heads with alpha, to be composed into pictures (`composites`).

Rendered heads are cut out along their outline; portraits are squares with soft edges, their boxes by
YuNet (`labels.csv`) and their points by MediaPipe.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from .. import dataset, photographs
from ..reader import HELD_OUT
from ..synth import ASSETS

#: Side of a head's picture, as a multiple of its box's longer side: hair and shoulders are in.
SCALE = 2.4

SIDE = dataset.SIDE

ARRAYS: dict[str, tuple[tuple[int, ...], type]] = {
    # RGB and how much of a pixel is the head.
    "image": ((SIDE, SIDE, 4), np.uint8),
    # x1, y1, x2, y2 in pixels of `image`.
    "box": ((4,), np.float32),
    # As `dataset.ARRAYS` has them.
    "landmarks": ((5, 2), np.float32),
    "identity": ((), np.int32),
    "photograph": ((), np.bool_),
}

#: Rendered heads and photographs have shards of their own: these start at this number.
PHOTOGRAPHS_FROM = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--assets", type=Path, default=ASSETS, help="(default: %(default)s)")
    parser.add_argument("--faces", type=Path, help="folder with labels.csv; no portraits without")
    parser.add_argument("--mediapipe", type=Path, help=f"folder of {photographs.LANDMARKER}")
    parser.add_argument("--out", type=Path, required=True, help="folder of shards; goes on")
    parser.add_argument("--count", type=int, default=6144, help="rendered heads")
    parser.add_argument("--seed", type=int, default=1)


def soft_edge(side: int) -> np.ndarray:
    """Alpha (side, side) of a square whose edges fade out."""
    ramp = np.clip((np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5) / 6.0, 0.0, 1.0)
    return (255.0 * ramp[:, None] * ramp[None] + 0.5).astype(np.uint8)


def photographed(row: dict[str, str], faces: Path, landmarker: photographs.Landmarker):
    """A portrait as a sample, or None where no points are found."""
    frame = cv2.imread(str(faces / row["file"]))
    box = np.array([float(row[f"box_{k}"]) for k in "xywh"])
    rgb = np.ascontiguousarray(frame[..., ::-1])
    crop, matrix = photographs.stored_crop(rgb, box)
    points, presence = landmarker(crop)
    if presence < photographs.PRESENT:
        return None
    eyes = [
        0.5 * (points[list(u)].mean(0) + points[list(lo)].mean(0)) for u, lo in photographs.LIDS
    ]
    points = np.array([*eyes, points[photographs.NOSE], *points[list(photographs.MOUTH)]])
    # Back into the frame, and into the wider square.
    points = (points - matrix[:, 2]) / matrix[0, 0]
    scale = SIDE / (SCALE * max(box[2:]))
    start = box[:2] + 0.5 * box[2:] - 0.5 * SIDE / scale
    corners = np.concatenate([box[:2], box[:2] + box[2:]])
    wide = np.hstack([np.eye(2) * scale, (-scale * start)[:, None]])
    wide[:, 2] += 0.5 * scale - 0.5
    alpha = soft_edge(min(rgb.shape[:2]))
    alpha = cv2.resize(alpha, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if scale < 1.0:
        rgb = cv2.GaussianBlur(rgb, (0, 0), 0.4 / scale)
    image = cv2.warpAffine(np.dstack([rgb, alpha]), wide, (SIDE, SIDE))
    return {
        "image": image,
        "box": (corners - np.tile(start, 2)) * scale,
        "landmarks": (points - start) * scale,
        "photograph": True,
    }


def run(args: argparse.Namespace) -> None:
    """Writes the shards that are missing."""
    meta = {"seed": args.seed, "size": SIDE, "scale": SCALE, "count": args.count}
    dataset.open_folder(args.out, meta)
    if args.faces:
        portraits(args)
    os.environ.setdefault("LP_NUM_THREADS", "0")
    shards = range(-(-args.count // dataset.SHARD))
    missing = [k for k in shards if not dataset.shard_path(args.out, k).exists()]
    if not missing:
        return
    # Only this needs OpenGL.
    from ..synth.studio import Studio

    studio = Studio(args.assets, args.seed)
    bar = tqdm(total=len(missing) * dataset.SHARD, unit="head")
    for shard in missing:
        samples = []
        for number in range(shard * dataset.SHARD, (shard + 1) * dataset.SHARD):
            picture = studio.picture(number, plain=True, scale=SCALE)
            left, top, side, _ = picture.view.window
            start, scale = np.array([left, top]), SIDE / side
            samples.append(
                {
                    "image": studio.renderer.cutout(),
                    "box": (picture.truth.box - np.tile(start, 2)) * scale,
                    "landmarks": (picture.truth.landmarks - start) * scale,
                    "identity": picture.identity,
                    "photograph": False,
                }
            )
            bar.update()
        dataset.write_shard(args.out, shard, samples, ARRAYS)
    bar.close()


def portraits(args: argparse.Namespace) -> None:
    """The shards of photographs, if they are not there yet."""
    if dataset.shard_path(args.out, PHOTOGRAPHS_FROM).exists():
        return
    if not args.mediapipe:
        raise ValueError("--faces wants --mediapipe, which finds the points")
    rows = photographs.rows_of(args.faces, ["portrait_colour", "portrait_grey"])
    landmarker = photographs.Landmarker(args.mediapipe / photographs.LANDMARKER)
    people = sorted({row["person"] for row in rows})
    numbers = {
        p: HELD_OUT * k + (0 if photographs.held_out(p) else 1) for k, p in enumerate(people, 1)
    }
    samples = []
    for row in tqdm(rows, unit="portrait"):
        sample = photographed(row, args.faces, landmarker)
        if sample:
            samples.append({**sample, "identity": numbers[row["person"]]})
    for k, start in reversed(list(enumerate(range(0, len(samples), dataset.SHARD)))):
        part = samples[start : start + dataset.SHARD]
        dataset.write_shard(args.out, PHOTOGRAPHS_FROM + k, part, ARRAYS)
