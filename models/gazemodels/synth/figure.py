"""A posed person: expression, lids, neck and eyes, in camera coordinates and millimetres.

Camera axes are x right, y down, z away (OpenCV). A person who faces the camera upright has the
orientation `FACING`: MakeHuman's x (the person's left) is the image's right, its y is up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from .assets import Assets
from .body import Body, Eye
from .identity import Identity
from .mane import normals as mane_normals

FACING = np.diag([1.0, -1.0, -1.0])

MILLIMETRES = 100.0

#: Lids stay this far in front of the ball, decimetres.
CLEARANCE = 0.006

UNITS = "expression/units/caucasian"

#: Expression units that MakeHuman has as shapes only: what a smile pushes up beneath the eyes.
CHEEKS = {
    "cheek-raise": ("cheek/{s}-cheek-trans-up", "cheek/{s}-cheek-volume-incr"),
    "eye-bag": ("eyes/{s}-eye-bag-incr", "eyes/{s}-eye-bag-height-incr"),
}

#: What a cornea and an iris look like in section (Atchison and Smith, Optics of the Human Eye, ch. 2
#: and 3): in units of the eyeball's radius of 12 mm.
LIMBUS_AT = 10.4 / 12.0
CORNEA_AT = 5.3 / 12.0
CORNEA_RADIUS = 7.8 / 12.0


@dataclass
class Pose:
    """What a person does in one picture."""

    #: Orientation (3, 3) of head and trunk: columns are MakeHuman's axes in camera coordinates.
    head: np.ndarray
    trunk: np.ndarray
    #: Point between the eyes and the point looked at, camera coordinates, mm.
    origin: np.ndarray
    target: np.ndarray
    #: Weights of expression units, by name.
    expression: dict[str, float] = field(default_factory=dict)
    #: 0 awake to 1 closed, over what gaze and person do to the lids; person's right, left eye.
    closing: tuple[float, float] = (0.0, 0.0)
    #: How far the lower lids are pushed up by cheeks, as in a smile, and the upper ones narrowed with
    #: them: 0 relaxed to 1; person's right, left eye.
    squint: tuple[float, float] = (0.0, 0.0)
    #: Radius of the pupils, mm.
    pupil: float = 1.8


@dataclass
class PosedEye:
    """One eye in camera coordinates, mm."""

    #: The mesh's ball, which the lids fit.
    ball: np.ndarray
    ball_radius: float
    #: The true eyeball that turns: its centre is the centre of rotation.
    centre: np.ndarray
    radius: float
    #: Unit vector from the centre to the target, which is the optical axis.
    axis: np.ndarray
    #: Roots of the lashes (k, 3) from corner to corner.
    upper: np.ndarray
    lower: np.ndarray
    openness: float

    @property
    def iris_centre(self) -> np.ndarray:
        """Middle of the limbus."""
        return self.centre + LIMBUS_AT * self.radius * self.axis


@dataclass
class Figure:
    """A posed person, ready to be drawn and measured."""

    vertices: np.ndarray
    normals: np.ndarray
    #: Vertices and normals of long hair (n, 6), if there is some.
    mane: np.ndarray | None
    #: Person's right eye (the one on the image's left), left eye.
    eyes: tuple[PosedEye, PosedEye]
    pose: Pose
    identity: Identity


class Poser:
    """Poses identities."""

    def __init__(self, assets: Assets, body: Body) -> None:
        self.body = body
        names = [n for n in assets.names(UNITS) if not n.rsplit("/", 1)[1].startswith("eye-")]
        self.units = {name.rsplit("/", 1)[1]: assets.target(name) for name in names}
        for unit_name, targets in CHEEKS.items():
            self.units[unit_name] = sum(assets.target(t.format(s=s)) for t in targets for s in "rl")
        self.lids = {
            side: Lids(assets, body.eyes[side], {"r": "right", "l": "left"}[side]) for side in "rl"
        }

    def pose(self, identity: Identity, pose: Pose) -> Figure:
        coarse = identity.neutral.copy()
        for name, weight in pose.expression.items():
            coarse += weight * self.units[name]
        balls = {s: ball_of(coarse, eye) for s, eye in self.body.eyes.items()}
        into_head = pose.head.T

        # Where each eye turns to depends on where it is, which the head's place decides.
        forward = np.array([0.0, 0.0, 1.0])
        centres = {
            s: ball + (radius - identity.eye_radius) * forward
            for s, (ball, radius) in balls.items()
        }
        middle = 0.5 * (centres["r"] + centres["l"])

        def place(points: np.ndarray) -> np.ndarray:
            return MILLIMETRES * (points - middle) @ pose.head.T + pose.origin

        axes = {s: unit(pose.target - place(c)) for s, c in centres.items()}
        posed = []
        for index, side in enumerate("rl"):
            pitch = float(np.arcsin(np.clip((into_head @ axes[side])[1], -1.0, 1.0)))
            openness = self.lids[side].move(
                coarse, identity, balls[side], pitch, pose.closing[index], pose.squint[index]
            )
            eye = self.body.eyes[side]
            ball, radius = balls[side]
            posed.append(
                PosedEye(
                    ball=place(ball),
                    ball_radius=MILLIMETRES * radius,
                    centre=place(centres[side]),
                    radius=MILLIMETRES * identity.eye_radius,
                    axis=axes[side],
                    upper=place(coarse[eye.upper]),
                    lower=place(coarse[eye.lower]),
                    openness=openness,
                )
            )

        fine = self.body.refine @ coarse
        for ball, radius in balls.values():
            keep_out(fine, ball, radius, self.body)
        joints = [coarse[self.body.pivots[name]].mean(0) for name in ("head", "neck")]
        pivot = 0.6 * joints[0] + 0.4 * joints[1]
        vertices = place(turn_neck(fine, self.body.turn, pivot, pose))
        mane = None
        if identity.mane:
            hair = place(turn_neck(identity.mane.vertices, identity.mane.turn, pivot, pose))
            mane = np.concatenate([hair, mane_normals(hair)], axis=1)
        return Figure(
            vertices=vertices,
            normals=self.body.normals(vertices),
            mane=mane,
            eyes=(posed[0], posed[1]),
            pose=pose,
            identity=identity,
        )


class Lids:
    """The lids of one eye, moved by morph targets along arcs about the ball."""

    def __init__(self, assets: Assets, eye: Eye, side: str) -> None:
        self.eye = eye
        unit_name = f"{UNITS}/eye-{side}"
        self.close = assets.target(f"{unit_name}-closure")
        self.open = assets.target(f"{unit_name}-opened-up")
        slit = assets.target(f"{unit_name}-slit")
        #: The lower lid's share of squinting, upwards.
        self.raise_lower = slit * (slit[:, 1:2] > 0.0)
        moved = sum(np.abs(d).sum(1) for d in (self.close, self.open, self.raise_lower))
        self.support = np.flatnonzero(moved)

    def place(
        self, vertices: np.ndarray, ball: np.ndarray, upper: float, lower: float
    ) -> np.ndarray:
        """The lids' vertices (k, 3) with the upper lid `upper` closed (below 0: raised) and the lower
        one raised by `lower`."""
        rows = self.support
        rest = vertices[rows] - ball
        down = max(upper, 0.0) * self.close[rows]
        moved = rest + down + max(-upper, 0.0) * self.open[rows] + lower * self.raise_lower[rows]
        # Straight ways would lead through the ball: keep the distance between those of both ends.
        far = np.linalg.norm(rest, axis=1)
        end = np.linalg.norm(rest + self.close[rows], axis=1)
        share = np.clip(upper, 0.0, 1.0) * (np.abs(self.close[rows]).sum(1) > 0.0)
        length = far + share * (end - far)
        now = np.linalg.norm(moved, axis=1)
        return ball + moved * (np.maximum(length, now) / now)[:, None]

    def gap(self, vertices: np.ndarray) -> float:
        """Height of the opening over its middle half, decimetres."""
        upper, lower = vertices[self.eye.upper], vertices[self.eye.lower]
        x = np.linspace(*np.quantile(upper[:, 0], [0.25, 0.75]), 9)
        heights = np.interp(x, upper[:, 0], upper[:, 1]) - np.interp(x, lower[:, 0], lower[:, 1])
        return float(heights.mean())

    def move(
        self, vertices: np.ndarray, identity: Identity, ball: tuple[np.ndarray, float],
        pitch: float, closing: float, squint: float = 0.0,
    ) -> float:  # fmt: skip
        """Moves the lids in `vertices` for a gaze of `pitch` (up, in the head, radians), a blink of
        `closing` and a smile's `squint`; returns the openness, 0..1.

        The upper lid follows the eye nearly one to one downwards and the lower one about half as far
        (Becker and Fuchs 1988, Lid-eye coordination during vertical gaze changes).
        """
        centre, _ = ball
        down, up = max(-pitch, 0.0), max(pitch, 0.0)
        rest_upper, rest_lower = identity.lids
        upper = rest_upper + 1.2 * down - 4.0 * up
        lower = rest_lower - 1.3 * down + 0.6 * up
        # Cheeks push the lower lid over the lower part of the iris; the upper lid comes down less.
        lower = lower + 0.95 * squint * (1.0 - 0.4 * min(max(lower, 0.0), 1.0))
        upper = upper + 0.22 * squint * (1.0 - max(upper, 0.0))
        upper = upper + np.clip(closing, 0.0, 1.0) * (1.0 - upper)
        lower = lower * (1.0 - 0.7 * closing) + 0.3 * closing

        def gap_at(upper: float, lower: float) -> float:
            lids = vertices.copy()
            lids[self.support] = self.place(vertices, centre, upper, lower)
            return self.gap(lids)

        closed, awake = gap_at(1.0, 0.3), gap_at(rest_upper, rest_lower)
        vertices[self.support] = self.place(
            vertices, centre, float(np.clip(upper, -1.8, 1.0)), float(np.clip(lower, -1.0, 1.2))
        )
        return float(np.clip((self.gap(vertices) - closed) / (awake - closed), 0.0, 1.0))


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def ball_of(coarse: np.ndarray, eye: Eye) -> tuple[np.ndarray, float]:
    """Centre and radius of the mesh's eyeball."""
    points = coarse[eye.ball]
    centre = 0.5 * (points.min(0) + points.max(0))
    return centre, float(np.linalg.norm(points - centre, axis=1).mean())


def keep_out(fine: np.ndarray, ball: np.ndarray, radius: float, body: Body) -> None:
    """Pushes skin that a morph moved into the ball out of it. What lies inside in the base mesh too
    is the pocket behind the lids and stays."""
    rows = body.before_eye
    out = fine[rows] - ball
    far = np.linalg.norm(out, axis=1)
    wrong = far < radius + CLEARANCE
    rows = rows[wrong]
    fine[rows] = ball + out[wrong] * ((radius + CLEARANCE) / far[wrong])[:, None]


def turn_neck(points: np.ndarray, turn: np.ndarray, pivot: np.ndarray, pose: Pose) -> np.ndarray:
    """Points (n, 3) in the head's axes, with the neck bent so that the trunk has its own orientation.

    Seen from the head it is the trunk that turns: each vertex by what the head, of whose turn it
    takes the part `turn` (n,), does not take along.
    """
    relative = Rotation.from_matrix(pose.head.T @ pose.trunk).as_rotvec()
    angle = float(np.linalg.norm(relative))
    if angle < 1e-6:
        return points
    axis = relative / angle
    share = (1.0 - turn)[:, None] * angle
    arm = points - pivot
    along = (arm @ axis)[:, None] * axis
    # Rodrigues' formula, with an angle of its own for every vertex.
    return (
        pivot
        + arm * np.cos(share)
        + np.cross(axis, arm) * np.sin(share)
        + along * (1.0 - np.cos(share))
    )
