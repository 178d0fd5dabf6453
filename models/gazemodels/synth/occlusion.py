"""How much of its surroundings each vertex sees: eye sockets, nostrils and the throat are dark."""

from __future__ import annotations

import numpy as np

from .body import LASHES, Body

#: Directions that are tried, and the side of a cell of their depth maps in decimetres.
DIRECTIONS = 96
CELL = 0.05

#: What is nearer than this along the direction does not count: the surface itself, decimetres.
BIAS = 0.07


def occlusion(body: Body) -> np.ndarray:
    """Share (fine,) of the cosine-weighted hemisphere that is open, 0..1, for the base mesh."""
    points = body.rest
    solid = np.flatnonzero(body.part != LASHES)
    balls = np.concatenate([body.base[eye.ball] for eye in body.eyes.values()])
    quads = body.quads[body.part_of_quad != LASHES]
    blockers = np.concatenate([points[solid], points[quads].mean(1), balls])
    normals = body.normals(points)
    seen, all_of = np.zeros(len(points)), np.full(len(points), 1e-6)
    for direction in spread_directions(DIRECTIONS):
        side = np.cross(direction, [0.31, 0.9, 0.3])
        side /= np.linalg.norm(side)
        axes = np.stack([side, np.cross(direction, side)], axis=1)
        cells = np.floor(blockers @ axes / CELL).astype(int)
        low = cells.min(0)
        shape = cells.max(0) - low + 1
        nearest = np.full(shape, -np.inf)
        np.maximum.at(nearest, tuple((cells - low).T), blockers @ direction)
        own = np.clip(
            np.floor((points + 0.02 * normals) @ axes / CELL).astype(int) - low, 0, shape - 1
        )
        free = points @ direction > nearest[tuple(own.T)] - BIAS
        weight = np.clip(normals @ direction, 0.0, None)
        seen += weight * free
        all_of += weight
    return np.clip(seen / all_of, 0.0, 1.0)


def spread_directions(count: int) -> np.ndarray:
    """Unit vectors (count, 3), evenly spread: a Fibonacci spiral."""
    k = np.arange(count) + 0.5
    z, turn = 1.0 - 2.0 * k / count, np.pi * (1.0 + 5.0**0.5) * k
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)
