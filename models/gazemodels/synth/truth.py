"""Ground truth, measured on the posed mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import SKIN, Body
from .figure import Figure
from .looks import EYE_Y
from .view import View

#: Points along a lid's margin, its two ends included.
LID_POINTS = 7


def pitch_yaw(direction: np.ndarray) -> np.ndarray:
    """Pitch (up positive) and yaw (towards the image's left positive) of a vector, radians."""
    x, y, z = direction / np.linalg.norm(direction)
    return np.array([np.arcsin(np.clip(-y, -1.0, 1.0)), np.arctan2(-x, -z)])


def ray_frame(through: np.ndarray) -> np.ndarray:
    """Rows are the axes, in camera coordinates, of a camera at the same place that was panned and then
    tilted until `through` lies on its z axis: x stays level."""
    z = through / np.linalg.norm(through)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])


def head_angles(head: np.ndarray) -> np.ndarray:
    """Pitch, yaw and roll of a head (3, 3), columns left, up, forward. Roll is the turn about the
    face's forward direction, clockwise in the image, from an upright head that faces there."""
    forward = head[:, 2]
    level = np.cross([0.0, -1.0, 0.0], forward)
    level /= np.linalg.norm(level)
    upright = np.cross(forward, level)
    left = head[:, 0]
    return np.array([*pitch_yaw(forward), np.arctan2(-left @ upright, left @ level)])


@dataclass
class Marks:
    """Vertices (fine numbers) that labels are measured on, found in the base mesh."""

    face: np.ndarray
    nose: int
    #: Person's right and left corner of the mouth.
    mouth: tuple[int, int]

    @classmethod
    def of(cls, body: Body) -> Marks:
        p = body.rest
        x, y, z = p.T
        skin = body.part == SKIN
        # From just below the hairline to the chin, and from ear to ear without the ears: where
        # detectors draw their boxes (held against YuNet's on rendered faces).
        face = skin & (y > EYE_Y - 1.03) & (y < EYE_Y + 0.595) & (np.abs(x) < 0.69)
        face &= z > np.where(y > EYE_Y - 0.6, 0.72, 0.9)
        nose = np.flatnonzero(skin & (np.abs(x) < 0.02) & (y > 6.75) & (y < 7.1))
        lips = np.flatnonzero(body.lips > 0.3)
        return cls(
            face=np.flatnonzero(face),
            nose=int(nose[np.argmax(z[nose])]),
            mouth=(int(lips[np.argmin(x[lips])]), int(lips[np.argmax(x[lips])])),
        )


@dataclass
class Truth:
    """Labels of one picture; radians, millimetres, pixels of the frame."""

    gaze: np.ndarray
    gaze_camera: np.ndarray
    head: np.ndarray
    head_camera: np.ndarray
    origin: np.ndarray
    openness: np.ndarray
    #: (5, 2): eye on the image's left, on its right, nose, corners of the mouth.
    landmarks: np.ndarray
    #: x1, y1, x2, y2, as a detector would draw it.
    box: np.ndarray
    #: Middles of the two limbi (2, 3), camera coordinates.
    irises: np.ndarray
    #: The margins of the lids (2 eyes, upper and lower, LID_POINTS, 2), from the image's left to right.
    lids: np.ndarray


def measure(figure: Figure, marks: Marks, view: View) -> Truth:
    """Everything that is known of a posed person seen by a camera.

    "Left" and "right" are the image's: for heads that roll by more than a right angle they would
    have to be swapped, which no pose here does.
    """
    pixels = view.project(figure.vertices[marks.face])
    box = np.concatenate([pixels.min(0), pixels.max(0)])
    middle = 0.5 * (box[:2] + box[2:])
    through = np.array([(middle[0] - view.cx) / view.fx, (middle[1] - view.cy) / view.fy, 1.0])
    into_ray = ray_frame(through)
    gaze = sum(eye.axis for eye in figure.eyes)
    eyes = [0.5 * (eye.upper.mean(0) + eye.lower.mean(0)) for eye in figure.eyes]
    margins = [[along(lid, LID_POINTS) for lid in (eye.upper, eye.lower)] for eye in figure.eyes]
    points = np.array([*eyes, *figure.vertices[[marks.nose, *marks.mouth]]])
    return Truth(
        gaze=pitch_yaw(into_ray @ gaze),
        gaze_camera=pitch_yaw(gaze),
        head=head_angles(into_ray @ figure.pose.head),
        head_camera=head_angles(figure.pose.head),
        origin=0.5 * (figure.eyes[0].centre + figure.eyes[1].centre),
        openness=np.array([eye.openness for eye in figure.eyes]),
        landmarks=view.project(points),
        box=box,
        irises=np.array([eye.iris_centre for eye in figure.eyes]),
        lids=view.project(np.array(margins)),
    )


def along(line: np.ndarray, count: int) -> np.ndarray:
    """Points (count, 3) at even distances along a polyline (k, 3)."""
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0.0, way[-1], count)
    return np.stack([np.interp(at, way, line[:, k]) for k in range(3)], axis=1)
