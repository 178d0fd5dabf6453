"""The head-and-shoulders mesh: which faces of the base mesh are kept, made finer, and what each
vertex is (lip, lid margin, how far it turns with the head).

Vertices exist twice: "coarse" ones carry MakeHuman's numbers, which morph targets move; "fine" ones
are drawn. Coordinates are the base mesh's (`assets`) until `figure` poses them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .assets import Assets
from .subdivide import catmull_clark

#: Below the top of the head, decimetres: the shoulders are in, the arms are not.
CUT_BELOW = 4.3
CUT_BESIDE = 2.3

#: Arms of the base mesh are spread; turned down by this much they look relaxed (radians).
ARMS_DOWN = 0.85

#: How much of the head's turn each neck bone takes.
NECK = {"neck01": 0.2, "neck02": 0.45, "neck03": 0.75}

#: Parts of the fine mesh, in drawing order; long hair is a mesh of its own.
SKIN, TEETH, LASHES, MANE = 0, 1, 2, 3


@dataclass
class Eye:
    """One eye of the base mesh, coarse vertex numbers."""

    ball: np.ndarray
    #: Roots of the lashes from the one corner to the other, along the upper and the lower lid.
    upper: np.ndarray
    lower: np.ndarray


def triangles(quads: np.ndarray) -> np.ndarray:
    """(2 m, 3)."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


class Body:
    """Everything about the mesh that no identity changes."""

    def __init__(self, assets: Assets) -> None:
        base = assets.vertices
        self.base = base
        skin = assets.group("body")
        middle = base[skin].mean(1)
        top = base[np.unique(skin), 1].max()
        skin = skin[(middle[:, 1] > top - CUT_BELOW) & (np.abs(middle[:, 0]) < CUT_BESIDE)]
        parts = [skin, assets.group("helper-upper-teeth"), assets.group("helper-lower-teeth")]
        lashes = assets.group(*(f"helper-{s}-eyelashes-{k}" for s in "lr" for k in "12"))

        #: Sparse (fine, coarse): fine vertices out of coarse ones.
        self.refine: sparse.csr_matrix
        self.quads: np.ndarray
        self._build(parts[0], np.concatenate(parts[1:]), lashes)
        self.faces = triangles(self.quads[self.part_of_quad != LASHES])
        self.lash_faces = triangles(self.quads[self.part_of_quad == LASHES])
        quads = self.quads
        self.quads_at = sparse.csr_matrix(
            (np.ones(quads.size), (quads.ravel(), np.repeat(np.arange(len(quads)), 4))),
            (len(self.part), len(quads)),
        )

        self.rest = self.refine @ base
        self.eyes = {side: self._eye(assets, side) for side in "rl"}
        #: Fine vertices that must stay outside the eyeballs.
        self.before_eye = self._before_eyes()
        #: Coarse vertices of the skull above the eyes.
        height = base[:, 1] - base[self.eyes["r"].ball].mean(0)[1]
        self.skull = np.intersect1d(
            np.unique(skin), np.flatnonzero((height > 0.3) & (height < 1.4))
        )
        self._weights(assets)
        self._masks(assets)

    def _build(self, skin: np.ndarray, teeth: np.ndarray, lashes: np.ndarray) -> None:
        """Subdivided skin, then teeth and lashes as they are, numbered one after the other."""
        count = len(self.base)
        rows, quads, part = [], [], []
        start = 0
        for kind, faces in ((SKIN, skin), (TEETH, teeth), (LASHES, lashes)):
            used, local = np.unique(faces, return_inverse=True)
            pick = sparse.csr_matrix(
                (np.ones(len(used)), (np.arange(len(used)), used)), (len(used), count)
            )
            local = local.reshape(-1, 4)
            if kind == SKIN:
                # The finer mesh's first vertices are the coarse ones: both sets of faces serve.
                self.coarse_faces = triangles(local)
                matrix, local = catmull_clark(local, len(used))
                pick = matrix @ pick
            rows.append(pick)
            quads.append(local + start)
            part.append(np.full(pick.shape[0], kind))
            start += pick.shape[0]
        self.refine = sparse.vstack(rows).tocsr()
        self.quads = np.concatenate(quads)
        self.part = np.concatenate(part)
        self.part_of_quad = self.part[self.quads[:, 0]]

    def _before_eyes(self) -> np.ndarray:
        """Fine skin vertices close to the eyes that lie outside the balls."""
        near = np.zeros(len(self.rest), bool)
        inside = np.zeros(len(self.rest), bool)
        for eye in self.eyes.values():
            points = self.base[eye.ball]
            centre = 0.5 * (points.min(0) + points.max(0))
            radius = np.linalg.norm(points - centre, axis=1).mean()
            far = np.linalg.norm(self.rest - centre, axis=1)
            near |= far < 2.0 * radius
            inside |= far < 1.02 * radius
        return np.flatnonzero(near & ~inside & (self.part == SKIN))

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """Unit normals (fine, 3); larger faces count for more."""
        a, b, c, d = (vertices[self.quads[:, k]] for k in range(4))
        (px, py, pz), (qx, qy, qz) = (c - a).T, (d - b).T
        area = np.stack([py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx], axis=1)
        normals = self.quads_at @ area
        return normals / (np.sqrt(np.einsum("ij,ij->i", normals, normals))[:, None] + 1e-12)

    def lash_coordinates(self) -> np.ndarray:
        """(fine, 3): how far a vertex is out along a lash, 0..1, its place along the lid, and 1 where
        it belongs to the lower lid."""
        out = np.zeros((len(self.rest), 3))
        rows = np.flatnonzero(self.part == LASHES)
        points = self.rest[rows]
        away = np.full(len(rows), np.inf)
        for eye in self.eyes.values():
            upper, lower = self.base[eye.upper, 1].mean(), self.base[eye.lower, 1].mean()
            for roots in (eye.upper, eye.lower):
                away = np.minimum(away, distance_to_line(points, self.base[roots]))
        out[rows, 0] = np.clip((away - 0.012) / 0.045, 0.0, 1.0)
        out[rows, 1] = np.abs(points[:, 0])
        out[rows, 2] = points[:, 1] < 0.5 * (upper + lower)
        return out

    def _eye(self, assets: Assets, side: str) -> Eye:
        ball = np.unique(assets.group(f"helper-{side}-eye"))
        centre = self.base[ball].mean(0)
        radius = np.linalg.norm(self.base[ball] - centre, axis=1).mean()

        def roots(group: str) -> np.ndarray:
            found = np.unique(assets.group(f"helper-{side}-eyelashes-{group}"))
            out = self.base[found] - centre
            near = (np.linalg.norm(out, axis=1) < 1.06 * radius) & (np.abs(out[:, 0]) < 0.115)
            found = found[near]
            return found[np.argsort(self.base[found, 0])]

        return Eye(ball, upper=roots("2"), lower=roots("1"))

    def _weights(self, assets: Assets) -> None:
        """`turn` (fine,): which part of the head's turn a vertex makes; `arm` (coarse,) signed for
        the side; `pivots`: coarse vertices whose mean is a joint."""
        bones = assets.weights()
        neck = {name: bones[name] for name in NECK}
        body = (
            "spine",
            "clavicle",
            "shoulder",
            "upperarm",
            "lowerarm",
            "breast",
            "wrist",
            "finger",
        )
        trunk = sum(w for name, w in bones.items() if name.startswith(body))
        total = sum(bones.values())
        head = np.clip(total - trunk - sum(neck.values()), 0.0, None)
        turn = head + sum(NECK[name] * weight for name, weight in neck.items())
        # Lashes, teeth and other helpers without weights belong to the head.
        turn = np.where(total > 0.5, turn / np.maximum(total, 0.5), 1.0)
        turn[self.base[:, 1] < 6.0] = np.minimum(turn, 0.3)[self.base[:, 1] < 6.0]
        self.turn = self.refine @ turn
        self.arm = {
            side: sum(w for n, w in bones.items() if n.startswith("upperarm") and n.endswith(side))
            for side in "LR"
        }
        self.pivots = {
            "head": assets.joint("head"),
            "neck": assets.joint("neck"),
            "L": assets.joint("l-shoulder"),
            "R": assets.joint("r-shoulder"),
        }

    def _masks(self, assets: Assets) -> None:
        """Per fine vertex: `lips` and `lid_line` (the dark rim of the lids), 0..1; `to_lid` (2, fine),
        the distance to the roots of the upper and the lower lashes, decimetres."""

        def moved(name: str) -> np.ndarray:
            length = np.linalg.norm(assets.target(name), axis=1)
            return self.refine @ (length / length.max())

        # What MakeHuman's lip targets move is what it takes for lips.
        volume = [moved(f"mouth/mouth-{lip}lip-volume-incr") for lip in ("lower", "upper")]
        self.lips = np.clip(np.maximum(*volume) * 2.2 - 0.25, 0.0, 1.0)
        self.lid_line = np.zeros(len(self.rest))
        self.to_lid = np.full((2, len(self.rest)), np.inf)
        for eye in self.eyes.values():
            for lid, (roots, reach, dark) in enumerate(
                ((eye.upper, 0.024, 1.0), (eye.lower, 0.018, 0.6))
            ):
                away = distance_to_line(self.rest, self.base[roots])
                self.to_lid[lid] = np.minimum(self.to_lid[lid], away)
                self.lid_line = np.maximum(self.lid_line, dark * np.exp(-((away / reach) ** 4)))
        self.lid_line[self.part != SKIN] = 0.0


def distance_to_line(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Distance (n,) of points (n, 3) to a polyline (k, 3)."""
    best = np.full(len(points), np.inf)
    for a, b in zip(line[:-1], line[1:], strict=True):
        along = np.clip(((points - a) @ (b - a)) / ((b - a) @ (b - a)), 0.0, 1.0)
        best = np.minimum(best, np.linalg.norm(points - (a + along[:, None] * (b - a)), axis=1))
    return best
