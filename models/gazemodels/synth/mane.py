"""Long hair: a sheet that covers the skull like an egg's upper half, hangs down from its widest
line and is open over the face. Shells of strands are drawn on it as on the scalp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import Body, triangles
from .looks import EYE_Y, ramp

#: Steps around the head and downwards.
AROUND, DOWN = 48, 22

#: The egg, base mesh's coordinates in decimetres: height of the widest line, half axes up, sideways,
#: forward and backward, depth of its middle.
WIDEST, UP, SIDE, FRONT, BACK, MIDDLE = 7.45, 1.10, 0.86, 1.22, 0.84, 0.26


@dataclass
class Mane:
    """Long hair of a person, in the coordinates of `Identity.neutral`."""

    vertices: np.ndarray
    #: Place in the noise (n, 3), as if on the base mesh.
    rest: np.ndarray
    #: Thickness (n,), mm; 0 where the face shows.
    hair: np.ndarray
    #: Part of the head's turn that each vertex takes (n,).
    turn: np.ndarray


def faces() -> np.ndarray:
    """Triangles (m, 3), the same for every mane."""
    row, k = (g.ravel() for g in np.meshgrid(np.arange(DOWN - 1), np.arange(AROUND), indexing="ij"))
    a, b = row * AROUND + k, row * AROUND + (k + 1) % AROUND
    return triangles(np.stack([a, b, b + AROUND, a + AROUND], axis=1))


def normals(vertices: np.ndarray) -> np.ndarray:
    """Unit normals (n, 3), outwards, by differences along the grid."""
    grid = vertices.reshape(DOWN, AROUND, 3)
    around = np.roll(grid, -1, 1) - np.roll(grid, 1, 1)
    down = np.gradient(grid, axis=0)
    n = np.cross(down, around).reshape(-1, 3)
    # All of the first row is one point.
    n[:AROUND] = n[AROUND : 2 * AROUND].mean(0)
    return n / (np.linalg.norm(n, axis=1, keepdims=True) + 1e-12)


def grow(rng: np.random.Generator, body: Body, neutral: np.ndarray, hanging: float) -> Mane:
    """Hair that ends `hanging` decimetres below the eyes, fitted to a person's skull."""
    drop = WIDEST - EYE_Y + hanging
    arc = 0.5 * np.pi * 0.95
    along = np.linspace(0.0, arc + drop, DOWN)[:, None]
    azimuth = np.linspace(0.0, 2.0 * np.pi, AROUND, endpoint=False)[None, :]
    polar = np.minimum(along / arc, 1.0) * 0.5 * np.pi
    below = np.maximum(along - arc, 0.0)
    # Azimuth 0 is the front. Under the ears the hair first follows the neck, then widens.
    width = np.sin(polar) * (
        1.0 - 0.10 * ramp(0.2, 0.8, below) + rng.uniform(0.0, 0.2) * ramp(0.5, 2.0, below)
    )
    wave = 1.0 + 0.05 * rng.uniform(0.3, 1.0) * np.sin(
        7.0 * azimuth + 2.0 * along + rng.uniform(0, 6)
    ) * ramp(0.3, 1.2, along)
    x = SIDE * width * wave * np.sin(azimuth)
    depth = np.where(np.cos(azimuth) > 0.0, FRONT, BACK)
    z = MIDDLE + depth * width * wave * np.cos(azimuth)
    # Hair that hangs beside the face lies on the chest, not in front of the chin.
    z = z - 0.35 * ramp(0.0, 0.8, below) * (np.cos(azimuth) > 0.0) * np.cos(azimuth)
    y = WIDEST + UP * np.cos(polar) - below + 0.0 * azimuth
    rest = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)

    side = rng.choice([-1.0, 1.0]) * rng.uniform(0.0, 0.25)
    from_front = np.abs(np.arctan2(np.sin(azimuth - side), np.cos(azimuth - side)))
    opening = np.radians(rng.uniform(50.0, 66.0))
    height = rng.uniform(0.56, 0.72)
    fringe = rng.random() < 0.35
    # The face shows below the hairline; towards the parting the opening closes.
    if fringe:
        # Ends at different heights: strands.
        lowest = EYE_Y + 0.2 + 0.25 * rng.random()
        ends = lowest + 0.12 * rng.random() * np.sin(
            azimuth * rng.uniform(9.0, 16.0) + 6.0 * rng.random()
        )
        edge = opening * ramp(ends + 0.12, ends, y)
    else:
        edge = opening * ramp(EYE_Y + height + 0.22, EYE_Y + height - 0.35, y)
    cover = ramp(0.0, 0.16, from_front - edge)
    thick = rng.uniform(5.0, 11.0)
    hair = (thick * cover * ramp(0.0, 0.12, np.radians(360.0) * along)).reshape(-1)
    return Mane(
        vertices=fitted(rest, body, neutral),
        rest=rest,
        hair=hair,
        turn=ramp(5.9, 6.9, rest[:, 1]),
    )


def fitted(points: np.ndarray, body: Body, neutral: np.ndarray) -> np.ndarray:
    """From the base mesh's head to a person's: scaled along each axis about the point between the
    eyes."""
    base = body.base

    def frame(vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        middle = 0.5 * sum(vertices[body.eyes[s].ball].mean(0) for s in "rl")
        skull = vertices[body.skull] - middle
        return middle, np.stack([skull.min(0), skull.max(0)])

    (of_base, size_base), (of_person, size_person) = frame(base), frame(neutral)
    offset = points - of_base
    scale = np.where(offset < 0.0, size_person[0] / size_base[0], size_person[1] / size_base[1])
    scale[:, 1] = size_person[1, 1] / size_base[1, 1]
    return of_person + 1.02 * offset * scale
