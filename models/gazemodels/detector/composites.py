"""Pictures with known faces: heads pasted into pictures without people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ..reader import HELD_OUT, map_member

#: Longer side of a pasted face's box in pixels, from the smallest that is labelled.
SMALLEST = 9.0

#: Faces in a picture and how often.
FACES = (0, 1, 2, 3, 5)
FACES_SHARES = (0.15, 0.40, 0.22, 0.15, 0.08)

#: A head may cover this part of another's box.
OVERLAP = 0.25

#: Part of the heads that are photographs.
PHOTOGRAPHS = 0.35


#: Part of the pictures whose background is one in which the detector saw a face, and the side that it
#: was seen at.
HARD, HARD_SIDE = 0.15, 320


@dataclass
class Picture:
    """Bytes (h, w, 3) BGR; boxes x1, y1, x2, y2 (k, 4) and points (k, 5, 2) in its pixels."""

    image: np.ndarray
    boxes: np.ndarray
    points: np.ndarray


@dataclass
class Heads:
    """All shards of a folder of heads, the held-out people's or the others'."""

    folder: Path
    held_out: bool = False
    images: list[np.ndarray] = field(default_factory=list)
    #: (m, 2): shard and place of rendered heads, of photographs.
    rendered: np.ndarray = field(init=False)
    photographed: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        paths = sorted(self.folder.glob("shard-*.npz"))
        if not paths:
            raise FileNotFoundError(
                f"no shard-*.npz in {self.folder}; make some with 'gazemodels heads-detector'"
            )
        boxes, points, places, kinds = [], [], [], []
        for shard, path in enumerate(paths):
            self.images.append(map_member(path, "image"))
            with np.load(path) as arrays:
                chosen = (arrays["identity"] % HELD_OUT == 0) == self.held_out
                boxes.append(arrays["box"])
                points.append(arrays["landmarks"])
                index = np.flatnonzero(chosen)
                places.append(np.stack([np.full(len(index), shard), index], axis=1))
                kinds.append(arrays["photograph"][chosen])
        self.boxes, self.points = boxes, points
        place, kind = np.concatenate(places), np.concatenate(kinds)
        self.rendered, self.photographed = place[~kind], place[kind]

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Image (s, s, 4) RGB and alpha, box (4,) and points (5, 2) of one head."""
        photograph = len(self.photographed) and (
            rng.random() < PHOTOGRAPHS or not len(self.rendered)
        )
        pool = self.photographed if photograph else self.rendered
        shard, index = pool[rng.integers(len(pool))]
        return self.images[shard][index], self.boxes[shard][index], self.points[shard][index]


class Backgrounds:
    """Pictures without people, in memory, BGR."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(p for p in folder.iterdir() if p.suffix in {".jpg", ".png"})
        self.pictures = [picture for p in paths if (picture := cv2.imread(str(p))) is not None]
        if not self.pictures:
            raise FileNotFoundError(f"no .jpg or .png in {folder}; --backgrounds wants some")

    def draw(self, rng: np.random.Generator, side: int) -> np.ndarray:
        """A part of one, (side, side, 3)."""
        picture = self.pictures[rng.integers(len(self.pictures))]
        shorter = min(picture.shape[:2])
        size = int(rng.uniform(min(0.25 * shorter, side), shorter))
        y, x = (int(rng.integers(length - size + 1)) for length in picture.shape[:2])
        part = picture[y : y + size, x : x + size]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        return cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)


def compose(
    rng: np.random.Generator, heads: Heads, backgrounds: Backgrounds, side: int,
    hard: Sequence[Sequence[int]] = (),
) -> Picture:  # fmt: skip
    """One picture (side, side); `hard` are seeds of backgrounds in which faces were seen."""
    if hard and rng.random() < HARD:
        seed = hard[rng.integers(len(hard))]
        canvas = cv2.resize(backgrounds.draw(np.random.default_rng(seed), HARD_SIDE), (side, side))
    else:
        canvas = backgrounds.draw(rng, side)
    boxes: list[np.ndarray] = []
    points: list[np.ndarray] = []
    count = int(rng.choice(FACES, p=FACES_SHARES))
    sizes = np.exp(rng.uniform(np.log(SMALLEST), np.log(0.8 * side), count))
    # The far ones first: near heads cover them, not the other way round.
    for size in np.sort(sizes):
        image, box, marks = heads.draw(rng)
        place = placed(rng, box, marks, float(size), side)
        if place is None:
            continue
        matrix, new_box, new_marks = place
        layer = Layer.of(image, matrix, side)
        if layer is None or any(layer.over(other) > OVERLAP for other in boxes):
            continue
        if any(covered(new_box, other) > 2.0 * OVERLAP for other in boxes):
            continue
        layer.paste(rng, canvas)
        boxes.append(new_box)
        points.append(new_marks)
    return Picture(
        sensed(rng, canvas), np.array(boxes).reshape(-1, 4), np.array(points).reshape(-1, 5, 2)
    )


def placed(
    rng: np.random.Generator, box: np.ndarray, points: np.ndarray, size: float, side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Where a head goes: matrix (2, 3) from its picture to the canvas, box and points there."""
    scale = size / float(max(box[2] - box[0], box[3] - box[1]))
    turn = np.radians(rng.normal(0.0, 10.0 if rng.random() < 0.85 else 35.0))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = linear @ np.diag([flip, 1.0])
    middle = 0.5 * (box[:2] + box[2:])
    # A quarter of a face may lie beyond the edge.
    goal = rng.uniform(0.25 * size, side - 0.25 * size, 2)
    matrix = np.hstack([linear, (goal - linear @ middle)[:, None]])
    # A turned face's box: the middle stays, width and height turn along in part.
    half = 0.5 * scale * (box[2:] - box[:2])
    c, s = abs(np.cos(turn)), abs(np.sin(turn))
    half = np.array([c * half[0] + s * half[1], c * half[1] + s * half[0]]) * (1.0 - 0.15 * s)
    new_box = np.concatenate([goal - half, goal + half])
    marks = points @ linear.T + matrix[:, 2]
    if flip < 0.0:
        marks = marks[[1, 0, 2, 4, 3]]
    inside = np.clip(new_box, 0, side)
    if np.prod(inside[2:] - inside[:2]) < 0.6 * np.prod(new_box[2:] - new_box[:2]):
        return None
    return matrix, new_box, marks


def covered(a: np.ndarray, b: np.ndarray) -> float:
    """The part of the smaller box that both share."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    both = np.prod(np.clip(high - low, 0.0, None))
    return float(both / min(np.prod(a[2:] - a[:2]), np.prod(b[2:] - b[:2])))


@dataclass
class Layer:
    """A head as it will lie on the canvas: its pixels (h, w, 4), RGB and alpha, from `low` (x, y) on."""

    pixels: np.ndarray
    low: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray, matrix: np.ndarray, side: int) -> Layer | None:
        """A head's picture (s, s, 4) drawn by `matrix`; None where nothing of it is on the canvas."""
        scale = np.linalg.norm(matrix[:, 0])
        # Halved until the rest is bilinear.
        while scale < 0.5:
            image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            matrix = np.hstack([matrix[:, :2] * 2.0, matrix[:, 2:]])
            scale *= 2.0
        size = image.shape[0]
        corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) @ matrix[:, :2].T
        corners += matrix[:, 2]
        low = np.clip(np.floor(corners.min(0)).astype(int), 0, side)
        high = np.clip(np.ceil(corners.max(0)).astype(int), 0, side)
        if (high <= low).any():
            return None
        # OpenCV's pixel centres are at whole numbers.
        shifted = matrix.copy()
        shifted[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5 - low
        size = tuple(int(v) for v in high - low)
        return cls(cv2.warpAffine(np.asarray(image), shifted, size), low)

    def over(self, box: np.ndarray) -> float:
        """The part of a box x1, y1, x2, y2 that it would cover."""
        x1, y1, x2, y2 = np.round(box - np.tile(self.low, 2)).astype(int)
        alpha = self.pixels[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0), 3]
        return float(alpha.sum()) / (255.0 * max((x2 - x1) * (y2 - y1), 1))

    def paste(self, rng: np.random.Generator, canvas: np.ndarray) -> None:
        """Draws it, a little lighter or darker than it was."""
        alpha = self.pixels[..., 3:].astype(np.float32) / 255.0
        light = (rng.normal(1.0, 0.15) * rng.normal(1.0, 0.04, 3)).astype(np.float32)
        colour = np.clip(self.pixels[..., 2::-1].astype(np.float32) * light, 0, 255)
        (x, y), (h, w) = self.low, self.pixels.shape[:2]
        part = canvas[y : y + h, x : x + w]
        part[:] = (part + alpha * (colour - part) + 0.5).astype(np.uint8)


def sensed(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """What light, lens, sensor and codec do."""
    if rng.random() < 0.25:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.6))
    levels = np.arange(256) / 255.0
    levels = np.clip((levels - 0.5) * rng.uniform(0.6, 1.3) + 0.5 + rng.normal(0.0, 0.08), 0, 1)
    table = 255.0 * levels ** np.exp(rng.normal(0.0, 0.35))
    image = cv2.LUT(image, (table + 0.5).astype(np.uint8))
    if rng.random() < 0.3:
        grain = rng.normal(0.0, rng.uniform(2.0, 14.0), image.shape).astype(np.float32)
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        _, packed = cv2.imencode(
            ".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(25, 95))]
        )
        image = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return image
