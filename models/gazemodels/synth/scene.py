"""What a picture shows: camera, distance, poses, gaze, expression; drawn at random.

Gaze and head are drawn relative to the ray from the camera to the face, so that faces at the edge of
a frame look about as widely as those in its middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from .figure import Pose
from .truth import ray_frame
from .view import View

FRAMES = ((640, 480), (640, 360), (1280, 720), (1920, 1080), (1280, 960))

#: Frames of phones and tablets that are held upright, and the share of pictures taken with them.
UPRIGHT_FRAMES = ((480, 640), (720, 1280), (1080, 1920), (720, 960))
PHONES = 0.3

#: Height of a face with forehead and chin, mm, for the choice of its place in the frame.
FACE_HEIGHT = 190.0

#: Smallest face, pixels of the frame.
SMALLEST = 48.0

#: How far eyes turn in the head, degrees: sideways, up, down.
EYE_SIDE, EYE_UP, EYE_DOWN = 36.0, 20.0, 30.0

#: Combinations of expression units with their full strength.
MOODS: dict[str, dict[str, float]] = {
    "neutral": {},
    "smile": {"mouth-corner-puller": 0.9, "mouth-part-later": 0.3, "cheek-raise": 0.5, "eye-bag": 0.4, "squint": 0.6},
    "grin": {"mouth-corner-puller": 0.9, "mouth-parling": 1.0, "mouth-part-later": 0.6, "cheek-raise": 0.8, "eye-bag": 0.6, "squint": 0.8},
    "laugh": {"mouth-corner-puller": 1.0, "mouth-parling": 0.9, "mouth-open": 0.25, "cheek-raise": 1.0, "eye-bag": 0.8, "squint": 1.1},
    "glare": {"eyebrows-left-down": 0.5, "eyebrows-right-down": 0.5, "eye-bag": 0.4, "squint": 1.0},
    "talk": {"mouth-open": 0.35, "mouth-part-later": 0.3},
    "gape": {"mouth-open": 0.9, "eyebrows-left-up": 0.5, "eyebrows-right-up": 0.5},
    "pout": {"mouth-protusion": 0.6, "mouth-pursing": 0.5},
    "frown": {"eyebrows-left-down": 0.7, "eyebrows-right-down": 0.7, "mouth-depression": 0.4, "squint": 0.5},
    "wonder": {"eyebrows-left-up": 0.9, "eyebrows-right-up": 0.9, "squint": -0.2},
    "press": {"mouth-compression": 0.7, "mouth-retraction": 0.3},
    "worry": {"eyebrows-left-inner-up": 0.8, "eyebrows-right-inner-up": 0.8, "mouth-depression": 0.5},
}  # fmt: skip
MOOD_SHARES = (0.25, 0.13, 0.17, 0.10, 0.05, 0.09, 0.03, 0.03, 0.05, 0.04, 0.04, 0.02)


@dataclass
class Scene:
    view: View
    pose: Pose


def direction(pitch: float, yaw: float) -> np.ndarray:
    """Unit vector of pitch and yaw in degrees."""
    p, y = np.radians([pitch, yaw])
    return np.array([-np.cos(p) * np.sin(y), -np.sin(p), -np.cos(p) * np.cos(y)])


def facing(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """A head (3, 3), columns left, up, forward, that faces along pitch and yaw; degrees."""
    forward = direction(pitch, yaw)
    left = np.cross([0.0, -1.0, 0.0], forward)
    left /= np.linalg.norm(left)
    upright = np.stack([left, np.cross(forward, left), forward], axis=1)
    # Clockwise in the image: the person's left goes down.
    return upright @ Rotation.from_euler("z", -roll, degrees=True).as_matrix()


def truncated(
    rng: np.random.Generator, mean: float, spread: float, low: float, high: float
) -> float:
    """A normal number, drawn again until it lies in low..high."""
    while True:
        value = rng.normal(mean, spread)
        if low <= value <= high:
            return float(value)


def draw_angles(rng: np.random.Generator) -> tuple[tuple[float, float], tuple[float, float, float]]:
    """Gaze (pitch, yaw) and head (pitch, yaw, roll) against the ray, degrees.

    A camera that stands low sees a raised head; what a person looks at is then near the camera or
    above it.
    """
    kind = rng.random()
    low = rng.uniform(5.0, 28.0) if rng.random() < 0.2 else 0.0
    if kind < 0.12:
        # A strongly turned head; the eyes may look back.
        head_yaw = rng.choice([-1.0, 1.0]) * rng.uniform(35.0, 72.0)
        head_pitch = truncated(rng, 0.0, 12.0, -30.0, 30.0)
        yaw = head_yaw - np.sign(head_yaw) * truncated(rng, 10.0, 14.0, -20.0, EYE_SIDE)
        pitch = head_pitch + truncated(rng, -2.0, 9.0, -EYE_DOWN, EYE_UP)
    else:
        if kind < 0.40:
            # Into the lens or just beside it, whichever way the head points.
            pitch, yaw = rng.normal(0.0, rng.choice([1.0, 5.0]), 2)
        else:
            # Even over an ellipse of 60 by 40 degrees, a little denser in its middle.
            r, turn = rng.random() ** 0.6, rng.uniform(0.0, 2.0 * np.pi)
            pitch, yaw = 40.0 * r * np.sin(turn), 60.0 * r * np.cos(turn)
        # The head does most of a large turn (Stahl 1999, Amplitude of human head movements
        # associated with horizontal saccades).
        eye_yaw = truncated(rng, 0.25 * yaw, 13.0, -EYE_SIDE, EYE_SIDE)
        eye_pitch = truncated(rng, 0.45 * pitch - 2.0 - 0.6 * low, 9.0, -EYE_DOWN, EYE_UP)
        head_yaw, head_pitch = yaw - eye_yaw, float(np.clip(pitch - eye_pitch, -32.0, 32.0))
    wide = rng.random() < 0.08
    roll = truncated(rng, 0.0, 18.0 if wide else 6.0, -35.0, 35.0)
    return (float(np.clip(pitch, -50.0, 45.0)), float(yaw)), (head_pitch, float(head_yaw), roll)


def draw_view(rng: np.random.Generator) -> tuple[View, np.ndarray]:
    """A camera and the place of the point between the eyes, mm."""
    while True:
        phone = rng.random() < PHONES
        frames = UPRIGHT_FRAMES if phone else FRAMES
        width, height = frames[rng.integers(len(frames))]
        focal = 0.5 * max(width, height) / np.tan(np.radians(rng.uniform(35.0, 90.0)) / 2.0)
        near, far = (250.0, 600.0) if phone else (350.0, 1500.0)
        depth = float(np.exp(rng.uniform(np.log(near), np.log(far))))
        size = FACE_HEIGHT * focal / depth
        if SMALLEST <= size <= 0.85 * height and size <= 1.1 * width:
            break
    cx, cy = (
        0.5 * width + rng.normal(0.0, 0.01 * width),
        0.5 * height + rng.normal(0.0, 0.01 * width),
    )
    room = np.maximum(0.5 * np.array([width, height]) - 0.5 * size, 0.0)
    u, v = np.array([0.5 * width, 0.5 * height]) + room * (2.0 * rng.beta(1.6, 1.6, 2) - 1.0)
    origin = np.array([(u - cx) / focal, (v - cy) / focal, 1.0]) * depth
    view = View(
        width, height, focal, focal * rng.normal(1.0, 0.003), cx, cy, (0.0, 0.0, width, height)
    )
    return view, origin


def draw_expression(rng: np.random.Generator) -> tuple[dict[str, float], float]:
    """Weights of expression units, and how much the eyes are squinted (-0.2..1.1)."""
    mood = MOODS[str(rng.choice(list(MOODS), p=MOOD_SHARES))]
    strength = rng.uniform(0.3, 1.0)
    expression = {name: strength * weight for name, weight in mood.items()}
    # A smile for the camera narrows the eyes of some and not of others.
    squint = expression.pop("squint", 0.0) * rng.uniform(0.3, 1.2)
    for name in ("eyebrows-left-up", "eyebrows-right-up", "mouth-open", "mouth-elevation"):
        expression[name] = expression.get(name, 0.0) + abs(rng.normal(0.0, 0.06))
    return expression, squint


def draw_closing(rng: np.random.Generator) -> tuple[float, float]:
    """How far the lids are closed over their place for the gaze: mostly awake, sometimes drowsy or
    blinking, rarely one eye."""
    kind = rng.random()
    if kind < 0.82:
        both = abs(rng.normal(0.0, 0.07))
    elif kind < 0.93:
        both = rng.uniform(0.1, 0.6)
    else:
        both = rng.uniform(0.6, 1.0) if rng.random() < 0.6 else 1.0
    right, left = both, both + rng.normal(0.0, 0.02)
    if rng.random() < 0.015:
        left = 1.0
    return float(np.clip(right, 0.0, 1.0)), float(np.clip(left, 0.0, 1.0))


def draw_scene(rng: np.random.Generator, bright: float) -> Scene:
    """`bright`: 0 dark to 1 bright surroundings, which pupils follow."""
    view, origin = draw_view(rng)
    (pitch, yaw), (head_pitch, head_yaw, roll) = draw_angles(rng)
    from_ray = ray_frame(origin).T
    head = from_ray @ facing(head_pitch, head_yaw, roll)
    # The trunk faces somewhere between the head and the camera, and leans little.
    trunk_yaw = float(np.clip(rng.normal(0.55 * head_yaw, 14.0), head_yaw - 55.0, head_yaw + 55.0))
    trunk = facing(rng.normal(0.0, 3.0), trunk_yaw, 0.25 * roll + rng.normal(0.0, 3.0))
    # What is looked at, nearer than the camera or farther: the eyes turn towards each other.
    distance = float(np.exp(rng.uniform(np.log(300.0), np.log(3000.0))))
    target = origin + distance * from_ray @ direction(pitch, yaw)
    expression, squint = draw_expression(rng)
    pose = Pose(
        head=head,
        trunk=trunk,
        origin=origin,
        target=target,
        expression=expression,
        closing=draw_closing(rng),
        squint=(float(squint), float(squint + rng.normal(0.0, 0.04))),
        pupil=float(np.clip(rng.normal(2.7 - 1.4 * bright, 0.4), 1.0, 3.6)),
    )
    return Scene(view, pose)
