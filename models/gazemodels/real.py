"""Accuracy on labelled faces, through the product: `gazetool run --json` finds, crops and decodes.

A folder of faces has a `labels.csv` with the columns `file`, `set`, `person`, `width`, `height`, `box_x`,
`box_y`, `box_w`, `box_h` (pixels) and `ray_pitch_deg`, `ray_yaw_deg`: the gaze in the frame of the ray
through the middle of the box (`angles`). Any set of this form is measured, each by itself.

The product answers in camera coordinates, for the camera that it takes for granted where it is told of
none. The answer is turned back into the frame of the ray with that same camera, so that its field of
view does not count.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from . import angles, metrics
from .photographs import held_out

#: Horizontal field of view that the plugin takes for granted, degrees.
FIELD_OF_VIEW = 60.0

#: A found face is the labelled one if their boxes overlap by this much (intersection over union).
OVERLAP = 0.25

#: Pictures that are given to one call of the tool.
CALL = 100

#: Sets whose people are split into those that may train and those that only measure.
SPLIT = ("portrait_colour", "portrait_grey")


@dataclass
class Labelled:
    """One row of `labels.csv`."""

    file: str
    group: str
    person: str
    width: int
    height: int
    #: x, y, w, h.
    box: np.ndarray
    #: Pitch and yaw, radians, ray frame.
    gaze: np.ndarray


def labels_of(folder: Path) -> list[Labelled]:
    """All rows of a folder's `labels.csv`."""
    path = folder / "labels.csv"
    if not path.exists():
        raise FileNotFoundError(f"no {path}; --faces names a folder with labels.csv")
    with path.open(newline="") as file:
        return [
            Labelled(
                file=row["file"],
                group=row["set"],
                person=row["person"],
                width=int(row["width"]),
                height=int(row["height"]),
                box=np.array([float(row[f"box_{k}"]) for k in "xywh"]),
                gaze=np.radians([float(row["ray_pitch_deg"]), float(row["ray_yaw_deg"])]),
            )
            for row in csv.DictReader(file)
        ]


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes x, y, w, h."""
    low = np.maximum(a[:2], b[:2])
    high = np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    both = float(np.prod(np.clip(high - low, 0.0, None)))
    return both / (float(a[2] * a[3] + b[2] * b[3]) - both)


def into_ray(gaze: np.ndarray, box: np.ndarray, width: int, height: int) -> np.ndarray:
    """Pitch and yaw in the frame of the ray through a box, of those in camera coordinates."""
    focal = 0.5 * width / np.tan(np.radians(FIELD_OF_VIEW) / 2.0)
    u, v = (box[:2] + 0.5 * box[2:] - 0.5 * np.array([width, height])) / focal
    z = np.array([u, v, 1.0]) / np.linalg.norm([u, v, 1.0])
    x = np.array([1.0, 0.0, -u]) / np.hypot(u, 1.0)
    return angles.to_angles(np.stack([x, np.cross(z, x), z]) @ angles.to_vectors(gaze))


def answers_of(
    tool: Path, model: str, folder: Path, rows: Sequence[Labelled], more: Sequence[str]
) -> list[tuple[np.ndarray, np.ndarray] | None]:
    """The tool's gaze (pitch, yaw) in the ray frame and its spread (NaN where it gives none) for each
    labelled face; None where the detector missed it."""
    found: list[tuple[np.ndarray, np.ndarray] | None] = []
    for start in tqdm(range(0, len(rows), CALL), desc=Path(model).name, unit="call", leave=False):
        part = rows[start : start + CALL]
        command = [tool, "run", model, "--json", *more, *(folder / row.file for row in part)]
        done = subprocess.run(
            [os.fspath(word) for word in command], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{tool} run {model} failed: {done.stderr.strip()}")
        images = {entry["image"]: entry for entry in json.loads(done.stdout)["images"]}
        for row in part:
            faces = images[os.fspath(folder / row.file)]["faces"]
            found.append(answer_of(row, faces))
    return found


def answer_of(row: Labelled, faces: Sequence[dict]) -> tuple[np.ndarray, np.ndarray] | None:
    """Gaze and spread of the face that a row labels."""
    boxes = [np.array([face["box"][k] for k in "xywh"]) for face in faces]
    shares = [overlap(box, row.box) for box in boxes]
    if not shares or max(shares) < OVERLAP:
        return None
    place = int(np.argmax(shares))
    face = faces[place]
    if face.get("pitch") is None:
        return None
    gaze = np.array([face["pitch"], face["yaw"]])
    spread = np.array([face.get("pitch_sd", np.nan), face.get("yaw_sd", np.nan)], float)
    return into_ray(gaze, boxes[place], row.width, row.height), spread


def groups_of(rows: Sequence[Labelled]) -> dict[str, np.ndarray]:
    """Which rows belong to each set; of sets that may train, also the people who never do."""
    groups = {}
    for name in dict.fromkeys(row.group for row in rows):
        inside = np.array([row.group == name for row in rows])
        groups[name] = inside
        if name in SPLIT:
            kept = np.array([held_out(row.person) for row in rows])
            groups[f"{name}, people held out"] = inside & kept
    return groups


def measure(
    tool: Path, models: Sequence[str], folder: Path, more: Sequence[str], picture: Path | None
) -> dict[str, dict[str, dict[str, float]]]:
    """By model and set: `metrics.straightness`, how many faces were found, and of models that answer
    with a spread the share of errors within one."""
    rows = labels_of(folder)
    truth = np.array([row.gaze for row in rows])
    result: dict[str, dict[str, dict[str, float]]] = {}
    drawn: list[np.ndarray] = []
    for model in models:
        answers = answers_of(tool, model, folder, rows, more)
        known = np.array([answer is not None for answer in answers])
        gaze = np.array([np.full(2, np.nan) if a is None else a[0] for a in answers])
        spread = np.array([np.full(2, np.nan) if a is None else a[1] for a in answers])
        table = {}
        for name, inside in groups_of(rows).items():
            chosen = inside & known
            if not chosen.any():
                table[name] = {"faces": int(inside.sum()), "count": 0}
                continue
            table[name] = {
                "faces": int(inside.sum()),
                **metrics.straightness(gaze[chosen], truth[chosen]),
            }
            sure = chosen & ~np.isnan(spread).any(1)
            if sure.any():
                within = np.abs(gaze[sure] - truth[sure]) <= spread[sure]
                for k, axis in enumerate(("pitch", "yaw")):
                    table[name][f"within_{axis}"] = float(within[:, k].mean())
                    table[name][f"spread_{axis}"] = float(np.degrees(spread[sure, k]).mean())
            if "held out" not in name:
                title = f"{Path(model).name}: {name}"
                drawn.append(panels(title, gaze[chosen], truth[chosen]))
        result[Path(model).name] = table
    if picture and drawn:
        picture.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(os.fspath(picture), np.vstack(drawn)):
            raise RuntimeError(f"{picture} could not be written; is it a .png?")
    return result


#: Side of a panel in pixels, and the degrees that its axes reach to.
PANEL, REACH = 320, 40.0


def panels(title: str, gaze: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Predicted against true pitch and yaw, and the errors of both, for one set."""
    gaze, truth = np.degrees(gaze), np.degrees(truth)
    parts = [
        panel(f"{title}, pitch", truth[:, 0], gaze[:, 0], diagonal=True),
        panel("yaw: predicted over true", truth[:, 1], gaze[:, 1], diagonal=True),
        panel("error: pitch over yaw", *(gaze - truth)[:, ::-1].T, diagonal=False),
    ]
    return np.hstack(parts)


def panel(title: str, x: np.ndarray, y: np.ndarray, diagonal: bool) -> np.ndarray:
    """Points of degrees in a square of -REACH..REACH; what lies beyond is drawn at its edge."""
    scale = PANEL / (2.0 * REACH)

    def at(u: float, v: float) -> tuple[int, int]:
        u, v = (float(np.clip(value, -REACH, REACH)) for value in (u, v))
        return round((u + REACH) * scale), round((REACH - v) * scale)

    image = np.full((PANEL, PANEL, 3), 255, np.uint8)
    for degrees in range(-int(REACH), int(REACH) + 1, 10):
        tone = (150, 150, 150) if degrees == 0 else (225, 225, 225)
        cv2.line(image, at(degrees, -REACH), at(degrees, REACH), tone, 1)
        cv2.line(image, at(-REACH, degrees), at(REACH, degrees), tone, 1)
    if diagonal:
        cv2.line(image, at(-REACH, -REACH), at(REACH, REACH), (150, 150, 150), 1, cv2.LINE_AA)
    for u, v in zip(x, y, strict=True):
        cv2.circle(image, at(u, v), 2, (180, 90, 20), -1, cv2.LINE_AA)
    cv2.putText(image, title, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.rectangle(image, (0, 0), (PANEL - 1, PANEL - 1), (120, 120, 120), 1)
    return image


def tables(result: dict[str, dict[str, dict[str, float]]]) -> str:
    """The result as Markdown, one table a model."""
    lines = []
    for model, sets in result.items():
        lines += [
            f"{model}; degrees:",
            "",
            "| set | found | mean | p50 | p95 | bias pitch | bias yaw | slope pitch | slope yaw "
            "| r pitch | r yaw | within one spread |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        for name, row in sets.items():

            def text(key: str, form: str = "{:.1f}", row: dict[str, float] = row) -> str:
                return form.format(row[key]) if key in row else ""

            within = " / ".join(
                filter(None, (text(f"within_{axis}", "{:.0%}") for axis in ("pitch", "yaw")))
            )
            cells = [
                name,
                f"{row['count']} of {row['faces']}",
                *(text(key) for key in ("mean", "p50", "p95")),
                *(text(f"bias_{axis}", "{:+.1f}") for axis in ("pitch", "yaw")),
                *(text(f"{kind}_{axis}", "{:.2f}") for kind in ("slope", "r") for axis in ("pitch", "yaw")),
                within,
            ]  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)
