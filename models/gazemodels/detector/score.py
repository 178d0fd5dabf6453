"""Faces that a detector finds, held against those that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from .composites import Picture
from .net import Detector
from .targets import decode, grid

#: Score above which a face counts, and overlap above which two are one.
THRESHOLD, SAME = 0.5, 0.4

#: A found face is a true one if their boxes overlap by this.
HIT = 0.5


@dataclass
class Found:
    """Faces of one picture: boxes x1, y1, x2, y2 (n, 4), points (n, 5, 2), scores (n,)."""

    boxes: np.ndarray
    points: np.ndarray
    scores: np.ndarray


@torch.no_grad()
def found_in(net: Detector, image: np.ndarray, threshold: float = THRESHOLD) -> Found:
    """Faces in bytes (h, w, 3) BGR; what is missing to a multiple of 32 is black."""
    height, width = (-(-length // 32) * 32 for length in image.shape[:2])
    padded = np.zeros((height, width, 3), np.uint8)
    padded[: image.shape[0], : image.shape[1]] = image
    levels = net.cells(torch.from_numpy(padded).permute(2, 0, 1)[None].float())
    cells = grid([tuple(level.shape[2:]) for level in levels], torch.device("cpu"))
    answers = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], dim=1)[0]
    scores = answers[:, 0].sigmoid() * answers[:, 1].sigmoid()
    chosen = scores > threshold
    boxes, points = (part.numpy() for part in decode(cells[chosen], answers[chosen]))
    scores = scores[chosen].numpy()
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), threshold, SAME)
    kept = np.array(kept, int).reshape(-1)
    return Found(boxes[kept], points[kept], scores[kept])


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.clip(high - low, 0.0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    return both / (areas[0][:, None] + areas[1][None] - both)


def evaluate(found: Sequence[Found], pictures: Sequence[Picture]) -> dict[str, float]:
    """Part of the faces that were found, by size; faces too many a picture; mean distance of the points
    by the distance of the eyes."""
    hits: dict[str, list[bool]] = {"small": [], "middle": [], "large": []}
    extra, away = 0, []
    for ours, true in zip(found, pictures, strict=True):
        shares = overlap(true.boxes, ours.boxes)
        best = shares.argmax(1) if shares.size else np.zeros(0, int)
        extra += len(ours.boxes) - len(
            {*best[(shares.max(1) >= HIT)].tolist()} if shares.size else ()
        )
        for index, box in enumerate(true.boxes):
            size = float((box[2:] - box[:2]).max())
            name = "small" if size < 20 else "middle" if size < 64 else "large"
            hit = bool(shares.size) and shares[index, best[index]] >= HIT
            hits[name].append(hit)
            if hit:
                eyes = np.linalg.norm(true.points[index, 0] - true.points[index, 1])
                if eyes > 4.0:
                    miss = np.linalg.norm(ours.points[best[index]] - true.points[index], axis=1)
                    away.append(float(miss.mean() / eyes))
    result = {name: float(np.mean(values)) if values else 0.0 for name, values in hits.items()}
    return {
        **result,
        "extra": extra / max(len(pictures), 1),
        "points": float(np.mean(away)) if away else 1.0,
    }
