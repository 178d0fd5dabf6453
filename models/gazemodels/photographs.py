"""Stage `photographs`: labelled photographs as shards, beside the rendered ones.

Reads a folder with `labels.csv`: the picture, the person, the face's box and the gaze in the frame of
the ray through it. MediaPipe's face landmarker (Apache-2.0), given by the caller, finds irises, lids and
landmarks: targets that are learned along with the gaze. The head's pose is not known (NaN).

All people of the portraits look into the lens, so a network could learn that a photograph means straight
ahead. Against that each eye is also painted anew with its iris moved, as if the person looked beside the
lens: the pixels stay those of a photograph, and the label says where the iris went.
"""

from __future__ import annotations

import argparse
import csv
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from . import dataset, inputs
from .contract import STORED_SCALE
from .reader import HELD_OUT

LANDMARKER = "face_landmarks_478.onnx"

#: Margins of the lids in MediaPipe's numbers, from the image's left to right: upper, lower.
LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
#: First of five points of an iris: its middle, then right, top, left, bottom.
IRISES = (468, 473)
NOSE, MOUTH = 4, (61, 291)

#: Below this a face is in profile or none at all, logit.
PRESENT = 2.0

#: Mean height of an open eye's slit by its width.
OPEN_SLIT = 0.28

#: From the eye's centre of rotation to the iris's plane, and the iris's radius, mm (Atchison and
#: Smith, Optics of the Human Eye; an iris is 11.7 mm across).
TO_IRIS, IRIS_RADIUS = 10.4, 5.85

#: How far irises are moved, degrees: sideways, up and down. Lids do not follow, so up and down is little.
SIDE, UPRIGHT = 17.0, 3.5

#: People whose number is divisible by this are held out.
HELD_OUT_PEOPLE = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--faces", type=Path, required=True, help="folder with labels.csv")
    parser.add_argument("--mediapipe", type=Path, required=True, help=f"folder of {LANDMARKER}")
    parser.add_argument("--out", type=Path, required=True, help="folder of shards to write")
    parser.add_argument("--sets", nargs="+", default=["portrait_colour", "portrait_grey"])
    parser.add_argument(
        "--variants", type=int, default=8, help="pictures of a face, all but one with moved irises"
    )


def held_out(person: str) -> bool:
    """Whether a person of these sets is kept for measuring; the same in every set."""
    return zlib.crc32(person.encode()) % HELD_OUT_PEOPLE == 0


def rows_of(faces: Path, sets: list[str]) -> list[dict[str, str]]:
    """The rows of `labels.csv` that belong to `sets`."""
    path = faces / "labels.csv"
    if not path.exists():
        raise FileNotFoundError(f"no {path}; --faces names a folder with labels.csv")
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] in sets]
    if not rows:
        raise ValueError(f"{path} has no picture of {', '.join(sets)}")
    return rows


def stored_crop(frame: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The crop that shards hold of a box x, y, w, h, and the matrix (2, 3) from frame to crop."""
    side = STORED_SCALE * max(box[2], box[3])
    scale = dataset.SIDE / side
    middle = box[:2] + 0.5 * box[2:]
    matrix = np.hstack([np.eye(2) * scale, (dataset.SIDE / 2.0 - scale * middle)[:, None]])
    # OpenCV's pixel centres are at whole numbers.
    shifted = matrix.copy()
    shifted[:, 2] += 0.5 * scale - 0.5
    if scale < 1.0:
        frame = cv2.GaussianBlur(frame, (0, 0), 0.4 / scale)
    crop = cv2.warpAffine(
        frame, shifted, (dataset.SIDE,) * 2, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return crop, matrix


class Landmarker:
    """MediaPipe's 478 points of a face in a stored crop."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(f"no {path}; --mediapipe names a folder of {LANDMARKER}")
        self.session = inputs.session(path, threads=1)
        self.input = self.session.get_inputs()[0].name

    def look(self, image: np.ndarray, middle: np.ndarray, side: float) -> tuple[np.ndarray, float]:
        """Points (478, 2) in pixels of `image`, found in a square about `middle`; presence."""
        scale = 256.0 / side
        matrix = np.hstack([np.eye(2) * scale, (128.0 - scale * middle)[:, None]])
        crop = cv2.warpAffine(image, matrix, (256, 256), borderMode=cv2.BORDER_REPLICATE)
        value = crop.astype(np.float32).transpose(2, 0, 1)[None] / 255.0
        points, presence = self.session.run(None, {self.input: value})[:2]
        points = points.reshape(-1, 3)[:, :2]
        return (points - 128.0) / scale + middle, float(presence.ravel()[0])

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """A second look takes its square from the first's points."""
        side = image.shape[0] / STORED_SCALE
        points, presence = self.look(image, np.full(2, image.shape[0] / 2.0), 1.5 * side)
        if presence < PRESENT:
            return points, presence
        low, high = points[:468].min(0), points[:468].max(0)
        return self.look(image, 0.5 * (low + high), 1.5 * float((high - low).max()))


def polyline(points: np.ndarray, count: int) -> np.ndarray:
    """Points (count, 2) at even distances along a polyline (k, 2)."""
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0.0, way[-1], count)
    return np.stack([np.interp(at, way, points[:, k]) for k in range(2)], axis=1)


def openness(upper: np.ndarray, lower: np.ndarray) -> float:
    """0 closed to 1 open, from the margins (k, 2) of an eye's lids."""
    width = float(np.linalg.norm(upper[-1] - upper[0]))
    gap = float(np.linalg.norm(upper[2:-2] - lower[2:-2], axis=1).mean())
    return float(np.clip(gap / (OPEN_SLIT * max(width, 1.0)), 0.0, 1.0))


def moved_iris(
    image: np.ndarray, outline: np.ndarray, middle: np.ndarray, radius: float, shift: np.ndarray
) -> np.ndarray:
    """`image` with the iris about `middle` moved by `shift` pixels within the eye's `outline`."""
    reach = int(np.ceil(np.abs(outline - middle).max() + 3.0 * radius + np.abs(shift).max()))
    x0, y0 = np.maximum(np.floor(middle).astype(int) - reach, 0)
    x1, y1 = np.minimum(np.floor(middle).astype(int) + reach, [image.shape[1], image.shape[0]])
    part = np.ascontiguousarray(image[y0:y1, x0:x1])
    at = middle - [x0, y0]
    ys, xs = np.mgrid[0 : part.shape[0], 0 : part.shape[1]] + 0.5
    finer = 16
    inside = np.zeros(part.shape[:2], np.uint8)
    corners = np.round((outline - [x0, y0] - 0.5) * finer).astype(np.int32)
    cv2.fillPoly(inside, [corners], 255, cv2.LINE_AA, 4)
    away = np.hypot(xs - at[0], ys - at[1])
    # The white without the iris, and the iris without the lids.
    white = cv2.inpaint(
        part, ((away < 1.25 * radius) & (inside > 0)).astype(np.uint8), 3, cv2.INPAINT_TELEA
    )
    iris = cv2.inpaint(
        part, ((away < 1.5 * radius) & (inside < 160)).astype(np.uint8), 3, cv2.INPAINT_TELEA
    )
    back = np.float32([[1, 0, shift[0]], [0, 1, shift[1]]])
    iris = cv2.warpAffine(iris, back, part.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    away = np.hypot(xs - at[0] - shift[0], ys - at[1] - shift[1])
    soft = max(0.08 * radius, 0.6)
    over = np.clip((1.12 * radius - away) / soft + 0.5, 0.0, 1.0)[..., None]
    eye = white + over * (iris.astype(float) - white)
    shown = (cv2.GaussianBlur(inside, (0, 0), 0.7) / 255.0)[..., None]
    out = image.copy()
    out[y0:y1, x0:x1] = np.clip(part + shown * (eye - part) + 0.5, 0, 255).astype(np.uint8)
    return out


def looking_aside(
    image: np.ndarray, points: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture whose irises were moved, the change of gaze (pitch, yaw) in radians and the irises'
    new middles (2, 2)."""
    yaw = np.radians(rng.uniform(4.0, SIDE) * rng.choice([-1.0, 1.0]))
    pitch = np.radians(rng.uniform(-UPRIGHT, UPRIGHT))
    direction = np.array([-np.cos(pitch) * np.sin(yaw), -np.sin(pitch)])
    middles = []
    for (upper, lower), first in zip(LIDS, IRISES, strict=True):
        middle, rim = points[first], points[first + 1 : first + 5]
        radius = float(np.linalg.norm(rim - middle, axis=1).mean())
        shift = direction * TO_IRIS * radius / IRIS_RADIUS
        outline = np.concatenate([points[list(upper)], points[list(lower)][::-1]])
        image = moved_iris(image, outline, middle, radius, shift)
        middles.append(middle + shift)
    return image, np.array([pitch, yaw]), np.array(middles)


def samples_of(
    row: dict[str, str], faces: Path, landmarker: Landmarker, identity: int, variants: int
) -> Iterator[dict[str, object]]:
    """The face of a row as it is, then with moved irises."""
    frame = cv2.imread(str(faces / row["file"]))
    if frame is None:
        raise FileNotFoundError(f"{faces / row['file']} cannot be read")
    box = np.array([float(row[f"box_{k}"]) for k in "xywh"])
    image, matrix = stored_crop(np.ascontiguousarray(frame[..., ::-1]), box)
    points, presence = landmarker(image)
    if presence < PRESENT:
        return
    lids = [[polyline(points[list(lid)], 7) for lid in eye] for eye in LIDS]
    eyes = [0.5 * (points[list(u)].mean(0) + points[list(lo)].mean(0)) for u, lo in LIDS]
    gaze = np.radians([float(row["ray_pitch_deg"]), float(row["ray_yaw_deg"])])
    sample = {
        "image": image,
        "gaze": gaze,
        "gaze_camera": np.full(2, np.nan),
        "head": np.full(3, np.nan),
        "origin": np.full(3, np.nan),
        "openness": [openness(*(points[list(lid)] for lid in eye)) for eye in LIDS],
        "landmarks": np.array([*eyes, points[NOSE], *points[list(MOUTH)]]),
        "irises": points[list(IRISES)],
        "lids": np.array(lids),
        "identity": identity,
        "camera": np.full(4, np.nan),
        "infrared": False,
        "glasses": 0,
        "photograph": True,
    }
    yield sample
    rng = np.random.default_rng(zlib.crc32(row["file"].encode()))
    for _ in range(variants - 1):
        other, change, irises = looking_aside(image, points, rng)
        yield {**sample, "image": other, "gaze": gaze + change, "irises": irises}


def run(args: argparse.Namespace) -> None:
    """Writes the shards."""
    rows = rows_of(args.faces, args.sets)
    landmarker = Landmarker(args.mediapipe / LANDMARKER)
    people = sorted({row["person"] for row in rows})
    dataset.open_folder(
        args.out,
        {"sets": sorted(args.sets), "size": dataset.SIDE, "variants": args.variants, "count": 0},
    )
    # `reader.Reader.split` holds out what is divisible by HELD_OUT.
    numbers = {p: HELD_OUT * k + (0 if held_out(p) else 1) for k, p in enumerate(people, 1)}
    # Unlike faces beside each other: every so many rows.
    order = np.random.default_rng(0).permutation(len(rows))
    waiting: list[dict[str, object]] = []
    shards, faces = 0, 0
    for place in tqdm(order, unit="face"):
        row = rows[place]
        found = list(samples_of(row, args.faces, landmarker, numbers[row["person"]], args.variants))
        faces += bool(found)
        waiting += found
        while len(waiting) >= dataset.SHARD:
            dataset.write_shard(args.out, shards, waiting[: dataset.SHARD])
            waiting, shards = waiting[dataset.SHARD :], shards + 1
    if waiting:
        dataset.write_shard(args.out, shards, waiting)
    print(f"{args.out}: {faces} of {len(rows)} faces, {args.variants} pictures of each")
