"""One labelled picture from its number: the same for the same seed, whatever was drawn before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..contract import STORED_SCALE
from ..dataset import SIDE
from .assets import Assets
from .body import Body
from .figure import Poser
from .glasses import Glasses
from .identity import Identity, People
from .lighting import Lighting
from .renderer import Renderer
from .scene import draw_scene
from .sensor import photograph
from .truth import Marks, Truth, measure
from .view import View, square_about

#: Pictures of one person follow each other, because making a person costs more than posing one.
PER_IDENTITY = 12


@dataclass
class Picture:
    image: np.ndarray
    truth: Truth
    view: View
    identity: int
    infrared: bool
    glasses: int

    def sample(self) -> dict[str, Any]:
        """As `dataset.ARRAYS` has it."""
        left, top, side, _ = self.view.window
        truth = self.truth
        return {
            "image": self.image,
            "gaze": truth.gaze,
            "gaze_camera": truth.gaze_camera,
            "head": truth.head,
            "origin": truth.origin,
            "openness": truth.openness,
            "landmarks": (truth.landmarks - [left, top]) * (SIDE / side),
            "irises": (self.view.project(truth.irises) - [left, top]) * (SIDE / side),
            "lids": (truth.lids - [left, top]) * (SIDE / side),
            "identity": self.identity,
            "camera": [self.view.fx, self.view.fy, self.view.cx, self.view.cy],
            "infrared": self.infrared,
            "glasses": self.glasses,
            "photograph": False,
        }


class Studio:
    """Meshes, people and a renderer, for one process."""

    def __init__(self, folder: Path, seed: int, width: int = SIDE, height: int = SIDE) -> None:
        assets = Assets(folder)
        self.seed = seed
        self.body = Body(assets)
        self.people = People(assets, self.body, seed)
        self.poser = Poser(assets, self.body)
        self.marks = Marks.of(self.body)
        self.renderer = Renderer(self.body, width, height)
        self.person = lru_cache(maxsize=4)(self.people.make)

    def picture(self, number: int, plain: bool = False, scale: float = STORED_SCALE) -> Picture:
        """Picture `number`, `scale` times as large as the face's box; `plain` leaves out what lens,
        sensor and codec do."""
        rng = np.random.default_rng([self.seed, 2, number])
        identity = self.person(number // PER_IDENTITY)
        infrared = bool(rng.random() < 0.15)
        looks = identity.looks.in_infrared() if infrared else identity.looks
        glasses = draw_glasses(rng, identity)
        light = Lighting.drawn(rng, infrared, float(looks.albedo.mean()))
        scene = draw_scene(rng, bright=float(rng.random()))
        figure = self.poser.pose(identity, scene.pose)
        truth = measure(figure, self.marks, scene.view)
        view = replace(scene.view, window=square_about(truth.box, scale))
        image = self.renderer.draw(figure, looks, view, light, glasses)
        if not plain:
            image = photograph(image, view, infrared, rng)
        return Picture(
            image, truth, view, identity.number, infrared, glasses.kind if glasses else 0
        )


def draw_glasses(rng: np.random.Generator, identity: Identity) -> Glasses | None:
    """Some people wear their glasses nearly always; sunglasses are put on now and then."""
    own = np.random.default_rng([3, identity.number, int(identity.looks.grain * 1e6)])
    wears = own.random() < 0.36
    kind = rng.random()
    if kind < 0.04:
        return Glasses.drawn(rng, sun=True)
    if wears and kind < 0.85:
        return Glasses.drawn(own, sun=False)
    return None
