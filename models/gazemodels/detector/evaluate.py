"""Stage `evaluate-detector`: detectors through the product, on real frames and clips.

`gazetool run --json` finds the faces. On stored frames they are held against YuNet's answers there; on
clips they are counted. The folder with frames, clips and those answers is given by the caller and no
part of the project.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ..evaluate import EMBEDDED, GAZETOOL
from ..footage import CLIPS, STILLS, frames_of
from .score import overlap

#: YuNet's faces from this size on, pixels of the longer side, must be found.
LEAST = 40.0

#: A found face is one of YuNet's if their boxes overlap by this much.
SAME = 0.35

#: Pictures that are given to one call of the tool.
CALL = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument(
        "--detectors", nargs="+", required=True, help=f"files, or '{EMBEDDED}' for the plugin's own"
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder of frames and clips")
    parser.add_argument("--gazetool", type=Path, default=GAZETOOL, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the .json file to write")
    parser.add_argument(
        "--clips", nargs="*", default=["udacity_demo.mp4"], help="films of --shared"
    )
    parser.add_argument("--every", type=int, default=5, help="take every so many frames of a clip")


def faces_of(tool: Path, detector: str, pictures: Sequence[Path]) -> list[list[dict]]:
    """The faces that the tool tells of each picture."""
    found = []
    for start in range(0, len(pictures), CALL):
        part = [os.fspath(path) for path in pictures[start : start + CALL]]
        command = [os.fspath(tool), "run", EMBEDDED, "--face-model", detector, "--json", *part]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{tool} with {detector} failed: {done.stderr.strip()}")
        images = {entry["image"]: entry["faces"] for entry in json.loads(done.stdout)["images"]}
        found += [images[name] for name in part]
    return found


def corners(face: Mapping) -> list[float]:
    """x1, y1, x2, y2 of the tool's box."""
    x, y, w, h = (face["box"][k] for k in "xywh")
    return [x, y, x + w, y + h]


def on_stills(tool: Path, detector: str, shared: Path) -> dict[str, float]:
    """Part of YuNet's larger faces that were found, faces that YuNet does not have, and how far the
    points lie from its, by the distance of the eyes."""
    entries = json.loads((shared / STILLS).read_text())
    pictures = [shared / CLIPS / "frames" / entry["png"] for entry in entries]
    wanted, hit, extra, away = 0, 0, 0, []
    for entry, faces in zip(entries, faces_of(tool, detector, pictures), strict=True):
        theirs = entry["detectors"]["yunet"]
        ours = np.array([corners(face) for face in faces]).reshape(-1, 4)
        boxes = np.array([face["box_float"] for face in theirs]).reshape(-1, 4)
        shares = overlap(boxes, ours)
        extra += int((shares.max(0, initial=0.0) < SAME).sum())
        for index, box in enumerate(boxes):
            if (box[2:] - box[:2]).max() < LEAST:
                continue
            wanted += 1
            best = int(shares[index].argmax()) if shares.shape[1] else -1
            if best < 0 or shares[index, best] < SAME:
                continue
            hit += 1
            if points := faces[best].get("landmarks"):
                true = np.array(theirs[index]["kps"])
                eyes = np.linalg.norm(true[1] - true[0])
                miss = np.linalg.norm(np.array(points)[:5] - true, axis=1).mean()
                away.append(float(miss / max(eyes, 1.0)))
    result = {"wanted": wanted, "hit": hit, "extra": extra}
    return {**result, "points": float(np.mean(away))} if away else result


def on_clip(tool: Path, detector: str, clip: Path, every: int) -> dict[str, float]:
    """Frames, those with a face, and the mean number of faces."""
    with tempfile.TemporaryDirectory(prefix="gazemodels-") as folder:
        pictures = []
        for number, frame in frames_of(clip, every):
            path = Path(folder) / f"{number:06d}.jpg"
            cv2.imwrite(os.fspath(path), frame, [cv2.IMWRITE_JPEG_QUALITY, 95])
            pictures.append(path)
        counts = np.array([len(faces) for faces in faces_of(tool, detector, pictures)])
    return {
        "frames": len(counts),
        "with_face": int((counts > 0).sum()),
        "faces": float(counts.mean()),
    }


def table(result: Mapping[str, Mapping]) -> str:
    """The result as Markdown."""
    clips = list(next(iter(result.values()))["clips"])
    lines = [
        f"| detector | YuNet's faces of {LEAST:.0f} pixels and more | others | points "
        + "".join(f"| {clip}: frames with a face, faces " for clip in clips)
        + "|",
        "|---" * (4 + len(clips)) + "|",
    ]
    for name, row in result.items():
        stills = row["stills"]
        points = f"{stills['points']:.1%}" if "points" in stills else ""
        cells = [name, f"{stills['hit']} of {stills['wanted']}", str(stills["extra"]), points]
        cells += [
            f"{c['with_face']} of {c['frames']}, {c['faces']:.2f}" for c in row["clips"].values()
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def run(args: argparse.Namespace) -> None:
    """Measures every detector and writes the figures."""
    if not args.gazetool.exists():
        raise FileNotFoundError(f"no {args.gazetool}; name the tool with --gazetool")
    if not (args.shared / STILLS).exists():
        raise FileNotFoundError(f"no {STILLS} in {args.shared}, which --shared names")
    result = {}
    for detector in tqdm(args.detectors, unit="detector"):
        result[Path(detector).name] = {
            "stills": on_stills(args.gazetool, detector, args.shared),
            "clips": {
                clip: on_clip(args.gazetool, detector, args.shared / CLIPS / clip, args.every)
                for clip in args.clips
            },
        }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))
