#!/usr/bin/env python3
"""Makes headpose.json and headpose.bin: what OpenCV and numpy make of faces before a camera.

    python3 tests/data/make_headpose.py   (numpy, opencv-python-headless 5.0)

Poses: points of the mean face through random poses and cameras, with and without noise; the
answer is cv2.solvePnP's, refined from several first guesses, of which the best face that is turned
to the camera is kept. Normalisation: Zhang, Sugano and Bulling 2018 written down with numpy, and
cv2.warpPerspective of the noise of make_preprocess.py.
"""
import json
import os
import pathlib

os.environ["OPENCV_IPP"] = "disabled"

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from make_preprocess import noise  # noqa: E402

# The mean face of src/core/headpose.rs in millimetres: eyes' corners, nose's wings, tip, mouth's
# corners.
NINE = np.array(
    [
        [-45.00, -32.42, 39.77],
        [-19.20, -31.02, 33.59],
        [19.20, -31.02, 33.59],
        [45.00, -32.42, 39.77],
        [-14.79, 9.49, 17.09],
        [14.79, 9.49, 17.09],
        [0.0, 0.0, 0.0],
        [-28.47, 33.32, 36.68],
        [28.47, 33.32, 36.68],
    ]
)
FIVE = np.array([(NINE[0] + NINE[1]) / 2, (NINE[2] + NINE[3]) / 2, NINE[6], NINE[7], NINE[8]])
SIX = NINE[:6]
GUESSES = [(y, p) for y in (-0.8, 0, 0.8) for p in (-0.6, 0, 0.6)]


def turned(yaw, pitch, roll):
    """Yaw to the image's left, pitch up, roll clockwise: R = Ry(yaw) Rx(-pitch) Rz(roll)."""
    parts = [(0, yaw, 0), (-pitch, 0, 0), (0, 0, roll)]
    return np.linalg.multi_dot([cv2.Rodrigues(np.array(p, float))[0] for p in parts])


def refine(model, seen, matrix, lens):
    best = None
    for yaw, pitch in GUESSES:
        for roll in (0, 0.8, -0.8):
            r0 = cv2.Rodrigues(turned(yaw, pitch, roll))[0]
            t0 = np.array([[0.0], [0.0], [800.0]])
            _, r, t = cv2.solvePnP(
                model, seen, matrix, lens, r0, t0, useExtrinsicGuess=True, flags=cv2.SOLVEPNP_ITERATIVE
            )
            r, t = cv2.solvePnPRefineLM(
                model, seen, matrix, lens, r, t, (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 500, 1e-12)
            )
            back = cv2.projectPoints(model, r, t, matrix, lens)[0].reshape(-1, 2)
            rms = float(np.sqrt(((back - seen) ** 2).sum(1).mean()))
            rotation = cv2.Rodrigues(r)[0]
            if t[2, 0] > 0 and rotation[2, 2] > 0 and (best is None or rms < best[2] - 1e-9):
                best = (rotation, t[:, 0], rms)
    return best


def camera(width, height, focal, lens):
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1.0]]), np.array(lens)


def pose_case(kind, size, matrix, lens, seen, found, truth=None):
    rotation, translation, rms = found
    return dict(
        kind=kind,
        size=size,
        matrix=matrix.ravel().tolist(),
        distortion=lens.tolist(),
        points=np.asarray(seen).tolist(),
        rotation=rotation.tolist(),
        translation=translation.tolist(),
        residual=rms,
        truth=truth,
    )


def synthetic():
    random = np.random.default_rng(20180614)
    for index in range(60):
        size = [1280, 720]
        lens = [0.0] * 5 if index % 3 else [-0.12, 0.05, 0.0008, -0.0005, 0.0]
        matrix, lens = camera(*size, random.uniform(700, 1500), lens)
        angles = np.radians([random.uniform(-55, 55), random.uniform(-35, 35), random.uniform(-40, 40)])
        rotation = turned(*angles)
        depth = random.uniform(400, 1200)
        place = random.uniform(-0.25, 0.25, 2) * depth
        translation = np.array([place[0], place[1] / 2, depth])
        kind, model = [("five", FIVE), ("six", SIX), ("nine", NINE)][index // 2 % 3]
        seen = cv2.projectPoints(model, cv2.Rodrigues(rotation)[0], translation, matrix, lens)[0].reshape(-1, 2)
        seen = seen.astype(np.float32).astype(float)
        exact = index % 2 == 0
        if not exact:
            # Within the reach of single precision, so that both sides read the same numbers.
            seen = (seen + random.normal(0, 0.7, seen.shape)).astype(np.float32).astype(float)
        truth = dict(rotation=rotation.tolist(), translation=translation.tolist()) if exact else None
        yield pose_case(kind, size, matrix, lens, seen, refine(model, seen, matrix, lens), truth)


def normalise(matrix, rotation, translation, centre, focal, distance, size):
    """The numbered steps of the paper, as its authors' code does them."""
    away = np.linalg.norm(centre)
    lens = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    scale = np.diag([1, 1, distance / away])
    z = centre / away
    y = np.cross(z, rotation[:, 0])
    y /= np.linalg.norm(y)
    x = np.cross(y, z)
    x /= np.linalg.norm(x)
    turn = np.array([x, y, z])
    return turn, lens @ scale @ turn @ np.linalg.inv(matrix)


def normalised(data):
    random = np.random.default_rng(960600)
    size = [160, 120]
    picture = noise(size[0] * size[1] * 3).reshape(size[1], size[0], 3)
    for index in range(12):
        matrix, lens = camera(*size, random.uniform(120, 220), [0.0] * 5)
        rotation = turned(*np.radians(random.uniform(-40, 40, 3)))
        depth = random.uniform(300, 900)
        translation = np.array([*(random.uniform(-0.2, 0.2, 2) * depth), depth])
        placed = NINE @ rotation.T + translation
        name, centre = [
            ("eyes-and-nose", (placed[:4].mean(0) + placed[4:6].mean(0)) / 2),
            ("eyes-and-mouth", (placed[:4].sum(0) + placed[7:9].sum(0)) / 6),
        ][index % 2]
        focal, distance, target = [(960, 600, [224, 224]), (1600, 1000, [224, 224]), (160, 600, [40, 30])][index % 3]
        turn, warp = normalise(matrix, rotation, translation, centre, focal, distance, target)
        gaze = random.normal(0, 0.4, 3) + [0, 0, -1]
        gaze /= np.linalg.norm(gaze)
        inner = turn @ gaze
        head = (turn @ rotation)[:, 2]
        case = dict(
            size=size,
            matrix=matrix.ravel().tolist(),
            rotation=rotation.tolist(),
            translation=translation.tolist(),
            focal=focal,
            distance=distance,
            center=name,
            target=target,
            turn=turn.tolist(),
            warp=warp.tolist(),
            place=centre.tolist(),
            # Pitch and yaw of the gaze before the virtual camera, and of the camera's.
            inner=[float(np.arcsin(-inner[1])), float(np.arctan2(-inner[0], -inner[2]))],
            gaze=[float(np.arcsin(-gaze[1])), float(np.arctan2(-gaze[0], -gaze[2]))],
            head=[float(np.arcsin(head[1])), float(np.arctan2(head[0], head[2]))],
            offset=None,
        )
        if target[0] == 40:
            case["offset"] = len(data)
            out = cv2.warpPerspective(picture, warp, target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            data += out.tobytes()
        yield case


def main():
    here = pathlib.Path(__file__).parent
    data = bytearray()
    index = dict(
        opencv=cv2.__version__,
        poses=list(synthetic()),
        views=list(normalised(data)),
    )
    (here / "headpose.json").write_text(json.dumps(index) + "\n")
    (here / "headpose.bin").write_bytes(data)


if __name__ == "__main__":
    main()
