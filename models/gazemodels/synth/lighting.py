"""Lights and surroundings of a picture. Light is linear RGB; a white surface that faces a directional
light of 1 shines with 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .looks import linear

#: Half the side of the shadow map's view and its depth to either side, mm.
SHADOW_HALF, SHADOW_DEPTH = 210.0, 400.0


@dataclass
class Lighting:
    #: (3, 3): towards the key, fill and rim light, unit vectors, and their colours.
    directions: np.ndarray
    colours: np.ndarray
    #: (9, 3) irradiance coefficients, see `project_lobes`.
    ambient: np.ndarray
    exposure: float
    #: Kind of background, its colours (4, 3), place in the noise and blur.
    scene: int
    tones: np.ndarray
    seed: float
    softness: float
    sclera: np.ndarray
    #: Light out of the pupil, as in infrared pictures lit along the optical axis.
    pupil: np.ndarray
    infrared: bool

    @classmethod
    def drawn(cls, rng: np.random.Generator, infrared: bool, reflectance: float) -> Lighting:
        """Random light for a face of mean `reflectance`, exposed as a camera would."""
        kind = rng.choice(
            ["soft", "window", "sun", "ceiling", "front", "dim"],
            p=[0.3, 0.2, 0.12, 0.16, 0.14, 0.08],
        )
        warm = rng.normal(0.03, 0.05)
        white = np.array([1.0 + warm, 1.0 + 0.2 * warm, 1.0 - 1.2 * warm])
        side = rng.choice([-1.0, 1.0])
        if infrared:
            key = (rng.normal(0, 0.15), rng.normal(0, 0.2), -1.0)
            strength, share = 1.0, rng.uniform(0.02, 0.25)
        elif kind == "soft":
            key = (rng.normal(0, 0.6), -rng.uniform(0.1, 1.2), -rng.uniform(0.3, 1.0))
            strength, share = rng.uniform(0.15, 0.6), 1.0
        elif kind == "window":
            key = (side * rng.uniform(0.6, 1.0), -rng.uniform(-0.1, 0.6), -rng.uniform(0.0, 0.7))
            strength, share = rng.uniform(0.7, 1.3), rng.uniform(0.25, 0.7)
        elif kind == "sun":
            key = (side * rng.uniform(0.0, 0.9), -rng.uniform(0.5, 1.2), -rng.uniform(-0.2, 0.9))
            strength, share = rng.uniform(1.2, 2.2), rng.uniform(0.4, 0.8)
        elif kind == "ceiling":
            key = (rng.normal(0, 0.3), -1.0, -rng.uniform(0.1, 0.7))
            strength, share = rng.uniform(0.6, 1.0), rng.uniform(0.4, 0.9)
        elif kind == "front":
            key = (rng.normal(0, 0.35), -rng.uniform(-0.3, 0.5), -1.0)
            strength, share = rng.uniform(0.5, 1.0), rng.uniform(0.2, 0.8)
        else:
            key = (side * rng.uniform(0.2, 1.0), rng.uniform(-0.6, 0.5), -rng.uniform(0.2, 0.8))
            strength, share = rng.uniform(0.5, 1.0), rng.uniform(0.08, 0.3)
        directions = np.array([
            key,
            (-key[0] + rng.normal(0, 0.3), rng.normal(-0.2, 0.3), -rng.uniform(0.3, 1.0)),
            (rng.normal(0, 0.8), -rng.uniform(-0.1, 0.9), rng.uniform(0.3, 1.0)),
        ])  # fmt: skip
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        colours = np.stack([
            strength * white,
            strength * rng.uniform(0.0, 0.35) * rng.normal(1.0, 0.06, 3),
            strength * rng.uniform(0.0, 0.9) * (rng.random() < 0.4) * rng.normal(1.0, 0.06, 3),
        ])  # fmt: skip
        tones = linear(rng.uniform(15, 235, (4, 1)) + rng.normal(0, 22, (4, 3)).clip(-60, 60))
        tones = np.clip(tones, 0.004, 1.0) * rng.uniform(0.3, 1.1)
        lobes = rng.normal(size=(4, 3))
        lobes[0] = (rng.normal(0, 0.3), -1.0, rng.normal(-0.2, 0.3))
        lobe_colours = share * rng.uniform(0.05, 0.6, (4, 1)) * rng.normal(1.0, 0.05, (4, 3))
        lobe_colours[0] *= 1.8
        base = share * rng.uniform(0.12, 0.35) * white
        scene = int(rng.choice([0, 1, 2, 3, 4], p=[0.2, 0.15, 0.35, 0.12, 0.18]))
        pupil = np.full(3, 0.004)
        if infrared:
            colours, lobe_colours, base, tones = (
                np.repeat(c.mean(-1, keepdims=True), 3, axis=-1)
                for c in (colours, lobe_colours, base, tones)
            )
            colours[1:] *= 0.3
            # The lamp's light falls off with the square of the distance: the room is dark.
            tones *= rng.uniform(0.03, 0.5)
            if rng.random() < 0.5:
                pupil = np.full(3, rng.uniform(0.15, 2.0))
        ambient = project_lobes(lobes, lobe_colours, base)
        # What falls on a face from the camera's side, and what a camera makes of it: darker skin is
        # exposed only in part for what it is.
        front = (ambient[0] - ambient[2] + 2.0 * ambient[6]).mean()
        front += sum(c.mean() * max(-d[2], 0.15) for d, c in zip(directions, colours, strict=True))
        goal = float(np.exp(rng.normal(np.log(0.42), 0.35)))
        exposure = goal / (max(front, 0.02) * reflectance**0.55 * 0.36**0.45)
        return cls(
            directions=directions,
            colours=colours,
            ambient=ambient,
            exposure=exposure,
            scene=scene,
            tones=tones / max(exposure, 0.2) * rng.uniform(0.5, 1.1),
            seed=float(rng.uniform(0.0, 50.0)),
            softness=float(rng.uniform(0.01, 0.2)),
            sclera=sclera_colour(rng, infrared),
            pupil=pupil,
            infrared=infrared,
        )

    def shadow_matrix(self, middle: np.ndarray) -> np.ndarray:
        """Camera coordinates to 0..1 across the key light's shadow map (4, 4)."""
        towards = self.directions[0]
        side = np.cross(towards, [0.0, 1.0, 0.0] if abs(towards[1]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        rows = np.stack([side, np.cross(towards, side), -towards])
        size = np.array([SHADOW_HALF, SHADOW_HALF, SHADOW_DEPTH])
        matrix = np.eye(4)
        matrix[:3, :3] = 0.5 * rows / size[:, None]
        matrix[:3, 3] = 0.5 - matrix[:3, :3] @ middle
        return matrix


def sclera_colour(rng: np.random.Generator, infrared: bool) -> np.ndarray:
    """Far from white: about half of the light comes back (photographs: 150 to 200 of 255)."""
    value = rng.uniform(0.38, 0.62)
    return (
        np.full(3, value)
        if infrared
        else value * np.array([1.0, rng.uniform(0.88, 0.97), rng.uniform(0.82, 0.95)])
    )


def project_lobes(directions: np.ndarray, colours: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Irradiance coefficients (9, 3) of distant lights (k, 3) and an even light from everywhere.

    The clamped cosine is `1/4 + c/2 + 5/32 (3 c^2 - 1)` up to the second order (Ramamoorthi and
    Hanrahan 2001, equation 8); the order is that of `irradiance` in common.glsl.
    """
    out = np.zeros((9, 3))
    out[0] = base
    for direction, colour in zip(directions, colours, strict=True):
        x, y, z = direction / np.linalg.norm(direction)
        second = 5.0 / 32.0
        shares = [
            0.25, 0.5 * y, 0.5 * z, 0.5 * x,
            second * 6.0 * x * y, second * 6.0 * y * z, second * (3.0 * z * z - 1.0) / 2.0,
            second * 6.0 * x * z, second * 3.0 * (x * x - y * y) / 2.0,
        ]  # fmt: skip
        out += np.outer(shares, colour)
    return out
