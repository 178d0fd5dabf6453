"""Agreement with published gaze models on real footage.

Where the people in the clips look was not measured, so this is no accuracy: it tells whether a model
that saw only rendered faces moves with models that learned from real ones. The reference is MobileGaze
(yakhyo/gaze-estimation, MobileOne-S0, trained on Gaze360), whose labels are, as ours, relative to the
ray from camera to face. It is itself unsure: its own answers for a crop and for the mirrored crop are
compared too (`reference_itself`), and no model can be expected to agree with it much better than that.

Nothing here is trained on, and nothing of it is part of the project: the folder is given by the caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from . import angles, inputs
from .contract import InputContract

DETECTOR = Path("models/face/yunet_n_dynamic.onnx")
REFERENCE = Path("models/gaze/mobilegaze_mobileone_s0.onnx")
STILLS = Path("models/reference/reference.json")
CLIPS = Path("media")

#: Longest side that the detector sees.
DETECTOR_SIDE = 640

#: Smaller faces, in pixels of the box's longer side, show no eyes.
SMALLEST = 48

#: A clip with fewer faces is left out of the table.
FEWEST = 20

IMAGENET_MEAN = np.float32([0.485, 0.456, 0.406])
IMAGENET_STD = np.float32([0.229, 0.224, 0.225])


def check(shared: Path) -> None:
    """Whether a folder holds what the comparison needs, before anything long is measured."""
    for part in (DETECTOR, REFERENCE, STILLS, CLIPS):
        if not (shared / part).exists():
            raise FileNotFoundError(
                f"no {part} in {shared}; --shared names a folder with published models and real "
                "clips, leave it out to measure on rendered faces alone"
            )


@dataclass
class Faces:
    """Faces of a clip: boxes x1, y1, x2, y2 (n, 4), numbers of their frames (n,), the reference's pitch
    and yaw (n, 2) in radians, and the same from the mirrored crop, mirrored back."""

    boxes: np.ndarray
    frames: np.ndarray
    reference: np.ndarray
    mirrored: np.ndarray


def frames_of(path: Path, every: int) -> Iterator[tuple[int, np.ndarray]]:
    """Every so many frames of a clip, BGR."""
    clip = cv2.VideoCapture(str(path))
    number = 0
    while True:
        found, frame = clip.read()
        if not found:
            return
        if number % every == 0:
            yield number, frame
        number += 1


class MobileGaze:
    """The reference as its publisher runs it (onnx_inference.py there): box without margin, 448x448
    whatever the shape, ImageNet's normalisation; two rows of 90 logits, 4 degrees each from -180,
    yaw first whatever the names say."""

    def __init__(self, path: Path) -> None:
        self.session = inputs.session(path)
        self.input = self.session.get_inputs()[0].name

    def __call__(self, crops: list[np.ndarray]) -> np.ndarray:
        """Pitch and yaw (n, 2), radians, of crops in BGR of any size."""
        side = 448
        resized = np.stack([cv2.resize(crop[..., ::-1], (side, side)) for crop in crops])
        values = (resized.astype(np.float32) / 255.0 - IMAGENET_MEAN) / IMAGENET_STD
        logits = self.session.run(None, {self.input: values.transpose(0, 3, 1, 2).copy()})
        yaw, pitch = (self.decode(rows) for rows in logits)
        return np.radians(np.stack([pitch, yaw], axis=1))

    @staticmethod
    def decode(logits: np.ndarray) -> np.ndarray:
        """Expectation of the bins, degrees."""
        weights = np.exp(logits - logits.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        return (weights * np.arange(logits.shape[1])).sum(1) * 4.0 - 180.0


def detect(detector: cv2.FaceDetectorYN, frame: np.ndarray) -> np.ndarray:
    """Boxes x1, y1, x2, y2 (n, 4) of the faces that are large enough, in pixels of the frame."""
    scale = min(1.0, DETECTOR_SIDE / max(frame.shape[:2]))
    size = (int(frame.shape[1] * scale), int(frame.shape[0] * scale))
    detector.setInputSize(size)
    found = detector.detect(frame if scale == 1.0 else cv2.resize(frame, size))[1]
    if found is None:
        return np.zeros((0, 4))
    boxes = found[:, :4] / scale
    boxes[:, 2:] += boxes[:, :2]
    limits = np.array([frame.shape[1], frame.shape[0]] * 2)
    boxes = np.clip(boxes, 0, limits)
    return boxes[(boxes[:, 2:] - boxes[:, :2]).max(1) >= SMALLEST]


def reference_faces(shared: Path, clip: Path, every: int, cache: Path) -> Faces:
    """Faces of a clip and what the reference says of them; kept in `cache`, as it takes long."""
    kept = cache / f"{clip.stem}.{every}.npz"
    if kept.exists():
        with np.load(kept) as arrays:
            return Faces(**arrays)
    detector = cv2.FaceDetectorYN.create(str(shared / DETECTOR), "", (320, 320), 0.7, 0.45)
    gaze = MobileGaze(shared / REFERENCE)
    boxes, numbers, plain, mirrored = [], [], [], []
    for number, frame in tqdm(frames_of(clip, every), desc=clip.name, unit="frame", leave=False):
        for box in detect(detector, frame):
            x1, y1, x2, y2 = box.astype(int)
            crop = frame[y1:y2, x1:x2]
            both = gaze([crop, np.ascontiguousarray(crop[:, ::-1])])
            boxes.append(box)
            numbers.append(number)
            plain.append(both[0])
            mirrored.append(both[1] * [1.0, -1.0])
    shape = (len(boxes), -1) if boxes else (0, 2)
    faces = Faces(
        boxes=np.array(boxes).reshape(-1, 4),
        frames=np.array(numbers, int),
        reference=np.array(plain).reshape(shape),
        mirrored=np.array(mirrored).reshape(shape),
    )
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(kept, **vars(faces))
    return faces


def crops_of(clip: Path, every: int, faces: Faces, contract: InputContract) -> np.ndarray:
    """The contract's crops (n, side, side, 3) of the faces of a clip."""
    crops = [
        contract.crop(frame[..., ::-1], faces.boxes[index])
        for number, frame in frames_of(clip, every)
        for index in np.flatnonzero(faces.frames == number)
    ]
    return np.stack(crops)


def agreement(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """Pearson's r of pitch and of yaw, the mean angle between the two and the mean differences, for
    pitch and yaw (n, 2); degrees."""

    def correlation(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0

    offsets = np.degrees((ours - theirs).mean(0))
    return {
        "faces": len(ours),
        "r_pitch": correlation(ours[:, 0], theirs[:, 0]),
        "r_yaw": correlation(ours[:, 1], theirs[:, 1]),
        "angle": float(angles.errors_degrees(ours, theirs).mean()),
        "offset_pitch": float(offsets[0]),
        "offset_yaw": float(offsets[1]),
    }


def on_clips(
    shared: Path, models: list[Path], contract: InputContract, every: int, cache: Path
) -> dict[str, dict[str, dict[str, float]]]:
    """Agreement of each model by clip, and over all faces under `all`; under `all, averaged` with the
    mean of the reference's answers for crop and mirrored crop, which is less unsure. The reference's
    agreement with its own mirror image has the name `reference_itself`."""
    clips = sorted(p for p in (shared / CLIPS).iterdir() if p.suffix in {".mp4", ".mkv"})
    faces, values = {}, {}
    for clip in tqdm(clips, unit="clip"):
        found = reference_faces(shared, clip, every, cache)
        if len(found.boxes) >= FEWEST:
            faces[clip.name] = found
            values[clip.name] = contract.tensor(crops_of(clip, every, found, contract))
    if not faces:
        raise FileNotFoundError(
            f"no clip with {FEWEST} faces in {shared / CLIPS}; nothing to compare"
        )
    theirs = {name: found.reference for name, found in faces.items()}

    averaged = {name: (found.reference + found.mirrored) / 2.0 for name, found in faces.items()}

    def table(ours: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
        def joined(sides: dict[str, np.ndarray]) -> np.ndarray:
            return np.concatenate([sides[name] for name in theirs])

        rows = {name: agreement(ours[name], theirs[name]) for name in theirs}
        rows["all"] = agreement(joined(ours), joined(theirs))
        rows["all, averaged"] = agreement(joined(ours), joined(averaged))
        return rows

    result = {"reference_itself": table({name: found.mirrored for name, found in faces.items()})}
    for model in models:
        result[model.name] = table(
            {name: inputs.predict(model, value) for name, value in values.items()}
        )
    return result


def on_stills(shared: Path, models: list[Path], contract: InputContract) -> dict[str, dict]:
    """Agreement on the stored frames with both published models: `mobilegaze` and `intel`
    (gaze-estimation-adas-0002, whose h is 90 degrees for straight ahead and grows to image right)."""
    entries = json.loads((shared / STILLS).read_text())
    crops, mobile, intel = [], [], []
    for entry in entries["frames"] if isinstance(entries, dict) else entries:
        frame = cv2.imread(str(shared / CLIPS / "frames" / entry["png"]))
        for face in entry["detectors"]["yunet"]:
            box = np.array(face["box_float"])
            other = face["intel_adas_0002"]
            if (box[2:] - box[:2]).max() < SMALLEST or "gaze_vector" not in other:
                continue
            crops.append(contract.crop(frame[..., ::-1], box))
            found = face["mobilegaze_s0"]
            mobile.append([found["pitch_rad"], found["yaw_rad"]])
            x, y, z = other["gaze_vector"]
            # x to the image's right, y up, z away from the camera.
            intel.append(angles.to_angles(np.array([x, -y, z])))
    values = contract.tensor(np.stack(crops))
    mobile, intel = np.array(mobile), np.array(intel)
    result = {"the two references": {"mobilegaze": agreement(intel, mobile)}}
    for model in models:
        ours = inputs.predict(model, values)
        result[model.name] = {
            "mobilegaze": agreement(ours, mobile),
            "intel": agreement(ours, intel),
        }
    return result
