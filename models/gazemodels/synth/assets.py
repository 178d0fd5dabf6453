"""MakeHuman's CC0 base mesh, morph targets and bone weights, read from its text files.

Coordinates are MakeHuman's: decimetres, x towards the person's left, y up, z forward.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

WHERE = (
    "clone github.com/makehumancommunity/makehuman at commit a8bc2d54 and name its folder "
    "makehuman/data with --assets"
)

#: The base mesh, under the folder of MakeHuman's data.
BASE = Path("3dobjs/base.obj")


def check(folder: Path) -> None:
    """Whether MakeHuman's data is there, before anything is begun."""
    base = Path(folder) / BASE
    if not base.exists():
        raise FileNotFoundError(f"{base} is not there: {WHERE}")


class Assets:
    """The files under one folder; targets are kept once read."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        check(self.folder)
        vertices, faces, groups, group = [], [], [], ""
        for line in (self.folder / BASE).read_text().splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(value) for value in rest.split()])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                faces.append([int(corner.split("/")[0]) - 1 for corner in rest.split()])
                groups.append(group)
        #: (n, 3); every target and weight refers to these numbers.
        self.vertices = np.array(vertices)
        #: (m, 4), all faces are quads.
        self.faces = np.array(faces)
        #: (m,) name of each face's group.
        self.groups = np.array(groups)
        self.target = cache(self._target)

    def group(self, *names: str) -> np.ndarray:
        """Faces (k, 4) of the groups of these names."""
        return self.faces[np.isin(self.groups, names)]

    def _target(self, name: str) -> np.ndarray:
        """Displacements (n, 3) of a morph target, `name` without folder prefix and suffix."""
        path = self.folder / "targets" / f"{name}.target"
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there: {WHERE}")
        rows = [line.split() for line in path.read_text().splitlines() if line and line[0] != "#"]
        moved = np.zeros_like(self.vertices)
        if rows:
            table = np.array([row[:4] for row in rows], float)
            moved[table[:, 0].astype(int)] = table[:, 1:]
        return moved

    def names(self, folder: str) -> list[str]:
        """Names of the targets in a folder under `targets`."""
        return sorted(
            f"{folder}/{path.stem}" for path in (self.folder / "targets" / folder).glob("*.target")
        )

    def weights(self) -> dict[str, np.ndarray]:
        """Weight (n,) of every bone."""
        table = json.loads((self.folder / "rigs" / "default_weights.mhw").read_text())["weights"]
        weights = {}
        for bone, pairs in table.items():
            weights[bone] = np.zeros(len(self.vertices))
            for vertex, weight in pairs:
                weights[bone][vertex] = weight
        return weights

    def joint(self, name: str) -> np.ndarray:
        """Vertices (8,) of the little cube whose middle is a joint."""
        return np.unique(self.group(f"joint-{name}"))
