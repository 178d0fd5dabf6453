"""Glasses and sunglasses: rims, bridge and temples as tubes, lenses as slightly curved plates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .figure import Figure
from .looks import linear

#: Points along a rim and around a tube.
ALONG, AROUND = 36, 6


@dataclass
class Mesh:
    """Triangles with normals; `place` is where on a lens, -1..1."""

    vertices: np.ndarray
    normals: np.ndarray
    place: np.ndarray
    faces: np.ndarray


@dataclass
class Worn:
    frame: Mesh
    lenses: Mesh


@dataclass
class Glasses:
    """A pair of glasses; lengths in millimetres, colours linear."""

    #: 1 glasses, 2 sunglasses, as in the dataset.
    kind: int
    half_width: float
    half_height: float
    #: Exponent of the rim's superellipse: 2 is round, more is boxy.
    boxiness: float
    rim: float
    #: Upper and lower half of the rim may differ in thickness.
    lower_rim: float
    frame_colour: np.ndarray
    tint: np.ndarray
    #: Opacity of the lenses at their top and bottom.
    opacity: tuple[float, float]
    drop: float
    #: How strongly the lenses mirror windows and lamps: 0 coated to 1 a plain glare.
    glare: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, sun: bool) -> Glasses:
        dark = rng.uniform(0.75, 0.98)
        rim = rng.uniform(0.5, 2.2) if rng.random() < 0.6 else rng.uniform(2.0, 3.4)
        colour = linear(
            rng.uniform(5, 90) * np.ones(3) + rng.uniform(0, 60, 3) * (rng.random() < 0.5)
        )
        if rim < 1.0 and rng.random() < 0.5:
            colour = linear((190, 170, 120)) if rng.random() < 0.5 else linear((150, 150, 155))
        return cls(
            kind=2 if sun else 1,
            half_width=rng.uniform(22.0, 27.5) + 2.0 * sun,
            half_height=rng.uniform(15.0, 22.0) + 2.0 * sun,
            boxiness=rng.uniform(2.0, 4.5),
            rim=rim,
            lower_rim=rim if rng.random() < 0.75 else 0.25,
            frame_colour=colour,
            tint=linear(rng.uniform(0, 70, 3)) if sun else linear((200, 210, 205)),
            opacity=(dark, dark - rng.uniform(0.0, 0.45)) if sun else (rng.uniform(0.0, 0.06),) * 2,
            drop=rng.uniform(1.0, 6.0) if rng.random() < 0.8 else rng.uniform(6.0, 11.0),
            glare=float(rng.random() ** 3),
        )

    def built(self, figure: Figure) -> Worn:
        """The meshes on a person's nose, in camera coordinates."""
        head, origin = figure.pose.head, figure.pose.origin
        face = (figure.vertices - origin) @ head
        right, left = ((eye.centre - origin) @ head for eye in figure.eyes)
        half_distance = max(0.5 * (left[0] - right[0]), self.half_width + 7.0)
        x, y, z = face.T
        before = face[(np.abs(x) > 14.0) & (np.abs(x) < 52.0) & (np.abs(y + self.drop) < 20.0)]
        plane = before[:, 2].max() + 1.5
        temples = face[(np.abs(y - 2.0) < 14.0) & (np.abs(z + 60.0) < 15.0) & (np.abs(x) < 110.0)]
        ear = np.abs(temples[:, 0]).max() - 9.0 if len(temples) else 72.0

        turn = np.linspace(0.0, 2.0 * np.pi, ALONG, endpoint=False)
        power = 2.0 / self.boxiness
        rx = self.half_width * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
        ry = self.half_height * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
        thickness = np.where(np.sin(turn) > -0.2, self.rim, self.lower_rim)
        tubes, plates = [], []
        for sign in (-1.0, 1.0):
            px = sign * half_distance + rx
            # The front bends back towards the temples.
            pz = plane - 0.0022 * px * px
            rim = np.stack([px, ry - self.drop, pz], axis=1)
            tubes.append(tube(rim, thickness, closed=True))
            middle = np.array(
                [sign * half_distance, -self.drop, plane - 0.0022 * half_distance**2 + 0.8]
            )
            plates.append(
                plate(rim, middle, np.stack([rx / self.half_width, ry / self.half_height], 1))
            )
            hinge = np.array(
                [sign * (half_distance + self.half_width), 0.35 * self.half_height - self.drop, 0.0]
            )
            hinge[2] = plane - 0.0022 * hinge[0] ** 2
            behind = np.array([sign * ear, 1.0, -75.0])
            bow = hinge + np.linspace(0.0, 1.0, 8)[:, None] * (behind - hinge)
            bow[1:7, 0] += sign * 2.5
            tubes.append(tube(bow, np.full(8, max(self.rim, 0.7)), closed=False))
        inner = half_distance - self.half_width
        across = np.linspace(-inner, inner, 7)
        bridge = np.stack(
            [
                across,
                3.0 - self.drop + 2.5 * np.cos(across / inner * 1.5),
                plane + 1.2 - 0.0022 * across**2,
            ],
            1,
        )
        tubes.append(tube(bridge, np.full(7, max(self.rim, 0.8)), closed=False))
        return Worn(
            frame=to_camera(join(tubes), head, origin), lenses=to_camera(join(plates), head, origin)
        )


def tube(path: np.ndarray, thickness: np.ndarray, closed: bool) -> Mesh:
    """A tube along points (n, 3) of the head's axes."""
    n = len(path)
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    helper = np.where(np.abs(ahead[:, 2:]) > 0.8, [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]])
    u = np.cross(ahead, helper)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(ahead, u)
    turn = np.linspace(0.0, 2.0 * np.pi, AROUND, endpoint=False)
    normals = u[:, None] * np.cos(turn)[:, None] + v[:, None] * np.sin(turn)[:, None]
    vertices = path[:, None] + normals * thickness[:, None, None]
    i, j = (
        g.ravel()
        for g in np.meshgrid(np.arange(n if closed else n - 1), np.arange(AROUND), indexing="ij")
    )
    a, b = i * AROUND + j, i * AROUND + (j + 1) % AROUND
    c, d = (i + 1) % n * AROUND + j, (i + 1) % n * AROUND + (j + 1) % AROUND
    faces = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    return Mesh(vertices.reshape(-1, 3), normals.reshape(-1, 3), np.zeros((n * AROUND, 2)), faces)


def plate(rim: np.ndarray, middle: np.ndarray, place: np.ndarray) -> Mesh:
    """A lens: a fan whose normals bend outwards as those of a curved surface."""
    n = len(rim)
    normals = np.concatenate(
        [[[0.0, 0.0, 1.0]], np.array([0.0, 0.0, 1.0]) + 0.012 * (rim - middle)]
    )
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    k = np.arange(n)
    faces = np.stack([np.zeros(n, int), 1 + k, 1 + (k + 1) % n], axis=1)
    return Mesh(
        np.concatenate([middle[None], rim]),
        normals,
        np.concatenate([np.zeros((1, 2)), place]),
        faces,
    )


def join(meshes: list[Mesh]) -> Mesh:
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.place for m in meshes]),
        np.concatenate([m.faces + s for m, s in zip(meshes, starts, strict=True)]),
    )


def to_camera(mesh: Mesh, head: np.ndarray, origin: np.ndarray) -> Mesh:
    return Mesh(mesh.vertices @ head.T + origin, mesh.normals @ head.T, mesh.place, mesh.faces)
