"""Who a face belongs to: a shape and looks that follow from the identity's number and the seed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from .assets import Assets
from .body import ARMS_DOWN, Body
from .looks import Looks
from .mane import Mane, grow

#: Folders of targets that shape a face, and how far they go: the standard deviation of a weight
#: whose full range is -1..1.
SHAPES = {
    "head": 0.22,
    "forehead": 0.35,
    "eyebrows": 0.35,
    "eyes": 0.3,
    "nose": 0.35,
    "mouth": 0.3,
    "chin": 0.3,
    "cheek": 0.35,
    "ears": 0.35,
    "neck": 0.25,
    "asym": 0.25,
}

#: Caricature, other parts of the body, and what the head's pose decides.
LEFT_OUT = re.compile(
    r"asymm-|pointed|ear-shape-(square|triangle)|head-(trans|age)|neck-(trans|back)|jaw-drop"
    r"|eye-push|nubian|head-angle|mouth-trans|nose-trans|eyelid"
)

#: The two ends of an axis: the first is its negative direction.
ENDS = re.compile(
    r"-(decr|down|in|backward|compress|concave)$|-(incr|up|out|forward|uncompress|convex)$"
)


@dataclass
class Identity:
    """One person; coordinates are the base mesh's, decimetres."""

    number: int
    #: Coarse vertices (n, 3) with a neutral face, eyes open, arms down.
    neutral: np.ndarray
    #: Radius of the eyeball in decimetres; the mesh's own balls are larger than life.
    eye_radius: float
    #: How far the lids are closed at rest, upper and lower.
    lids: tuple[float, float]
    looks: Looks = field(repr=False)
    #: Long hair, of those who have it.
    mane: Mane | None = field(repr=False)


class People:
    """Makes identities; the same number gives the same person for the same seed."""

    def __init__(self, assets: Assets, body: Body, seed: int) -> None:
        self.assets, self.body, self.seed = assets, body, seed
        self.axes = {folder: self._axes(folder) for folder in SHAPES}

    def _axes(self, folder: str) -> dict[str, list[tuple[str, float]]]:
        """Targets by axis with their direction; left and right share an axis, so that faces are
        symmetric but for the targets made for asymmetry."""
        axes: dict[str, list[tuple[str, float]]] = {}
        for name in self.assets.names(folder):
            if LEFT_OUT.search(name):
                continue
            end = ENDS.search(name)
            sign = -1.0 if end and end.group(1) else 1.0
            axis = ENDS.sub("", name).replace("/l-", "/").replace("/r-", "/")
            axes.setdefault(axis, []).append((name, sign))
        return axes

    def make(self, number: int) -> Identity:
        rng = np.random.default_rng([self.seed, 1, number])
        male = float(rng.beta(0.35, 0.35))
        age = float(rng.beta(0.8, 1.6))
        heavy = float(np.clip(rng.normal(0.0, 0.4), -1.0, 1.0))
        origin = rng.dirichlet([0.35, 0.35, 0.35])
        shape = self._macro(male, age, heavy, origin) + self._details(rng)
        neutral = self._lower_arms(self.body.base + shape)
        # Distance between the pupils: Dodgson 2004, Variation and extrema of human interpupillary
        # distance: 63.4 mm, deviation 3.8, women 2.4 mm less than men.
        right, left = (neutral[self.body.eyes[s].ball].mean(0)[0] for s in "rl")
        neutral *= rng.normal(0.622 + 0.024 * male, 0.033) / (left - right)
        looks = Looks.drawn(rng, self.body, male, age, origin)
        return Identity(
            number=number,
            neutral=neutral,
            eye_radius=float(0.12 * rng.normal(1.0, 0.025)),
            lids=(float(rng.normal(-0.08, 0.15)), float(rng.normal(-0.15, 0.22))),
            looks=looks,
            mane=grow(rng, self.body, neutral, looks.hanging) if looks.hanging else None,
        )

    def _macro(self, male: float, age: float, heavy: float, origin: np.ndarray) -> np.ndarray:
        """Sex, age, weight and origin; MakeHuman multiplies their shares too."""
        moved = np.zeros_like(self.body.base)
        weights = {"minweight": max(-heavy, 0.0), "maxweight": max(heavy, 0.0)}
        weights["averageweight"] = 1.0 - sum(weights.values())
        for sex, of_sex in (("male", male), ("female", 1.0 - male)):
            for time, of_time in (("old", age), ("young", 1.0 - age)):
                share = of_sex * of_time
                for people, of_people in zip(
                    ("caucasian", "african", "asian"), origin, strict=True
                ):
                    moved += (
                        share
                        * of_people
                        * self.assets.target(f"macrodetails/{people}-{sex}-{time}")
                    )
                for kind, weight in weights.items():
                    name = f"macrodetails/universal-{sex}-{time}-averagemuscle-{kind}"
                    moved += share * weight * self.assets.target(name)
        return moved

    def _details(self, rng: np.random.Generator) -> np.ndarray:
        moved = np.zeros_like(self.body.base)
        for folder, spread in SHAPES.items():
            for axis, targets in self.axes[folder].items():
                value = float(np.clip(rng.normal(0.0, spread), -0.8, 0.8))
                if axis.endswith("eye-scale"):
                    # The base mesh's eyes open less widely than photographs show.
                    value += 0.35
                one_sided = all(sign > 0.0 for _, sign in targets)
                for name, sign in targets:
                    if sign * value > 0.0 or (one_sided and abs(value) > spread):
                        moved += abs(value) * self.assets.target(name)
        return moved

    def _lower_arms(self, vertices: np.ndarray) -> np.ndarray:
        vertices = vertices.copy()
        for side, sign in (("L", -1.0), ("R", 1.0)):
            pivot = vertices[self.body.pivots[side]].mean(0)
            angle = sign * ARMS_DOWN * self.body.arm[side]
            x, y = (vertices - pivot)[:, 0].copy(), (vertices - pivot)[:, 1].copy()
            vertices[:, 0] = pivot[0] + np.cos(angle) * x - np.sin(angle) * y
            vertices[:, 1] = pivot[1] + np.sin(angle) * x + np.cos(angle) * y
        return vertices
