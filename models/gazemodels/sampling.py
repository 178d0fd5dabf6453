"""Which samples a step sees: every pose about as often as every other."""

from __future__ import annotations

import numpy as np
import torch

#: Side of a cell of the histogram, degrees.
CELL = 10.0

#: 0 samples as the set is, 1 makes every cell equally likely. Rare cells hold few faces, and at 1 the
#: network would learn those by heart.
FLATTENING = 0.5

#: No sample is drawn more than this many times as often as the average one.
MOST = 5.0


def rarity(angles: np.ndarray) -> np.ndarray:
    """How rarely (n,) the cell of each pair of angles (n, 2), radians, is met: 1 / its count."""
    cells = np.floor(np.degrees(angles) / CELL).astype(np.int64)
    _, inverse, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    return 1.0 / counts[inverse.ravel()]


def balanced_weights(gaze: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Weights (n,) with mean 1, from gaze (n, 2) and head (n, 2 or more), radians."""
    weights = (rarity(gaze) * rarity(head[:, :2])) ** FLATTENING
    weights /= weights.mean()
    weights = np.minimum(weights, MOST)
    return weights / weights.mean()


def draw(weights: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Positions (count,) of the samples of one step, without repetition where there are enough."""
    generator = torch.Generator().manual_seed(seed)
    return torch.multinomial(
        torch.from_numpy(weights), count, replacement=len(weights) < count, generator=generator
    ).numpy()
