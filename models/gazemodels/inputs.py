"""Network inputs for calibration and measurement, through the plugin's own preprocessing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader

from .contract import InputContract
from .export import INPUT, OUTPUT
from .reader import Reader, spread

PICTURES = {".png", ".jpg", ".jpeg", ".bmp"}

#: So many inputs are calibrated with at a time; all layers' outputs of these are held in memory.
STRIDE = 10


def load(source: Path, contract: InputContract, count: int, held_out: bool) -> np.ndarray:
    """At most `count` inputs (n, 3, side, side) float32, evenly spread over what is there:

    - a folder of shards: crops of training identities, or of those held out;
    - a folder of .npy files: inputs (3, side, side) or (1, 3, side, side) as they are;
    - a folder of pictures: each a face crop already, brought to the size as the plugin does.
    """
    if any(source.glob("shard-*.npz")):
        reader = Reader(source)
        numbers = spread(reader.split(held_out), count)
        return contract.tensor(contract.crop_stored(reader.pictures(numbers)))
    files = np.array(sorted(p for p in source.glob("*") if p.suffix.lower() in PICTURES | {".npy"}))
    if not len(files):
        raise FileNotFoundError(
            f"no shards, .npy files or pictures in {source}; give a folder that holds some"
        )
    values = []
    for path in spread(files, count):
        if path.suffix == ".npy":
            values.append(np.load(path).reshape(-1, 3, contract.side, contract.side)[0])
            continue
        picture = cv2.imread(str(path))
        if picture is None:
            raise ValueError(f"{path} is no picture that OpenCV reads; remove it")
        size = (contract.side, contract.side)
        crop = cv2.resize(picture[..., ::-1], size, interpolation=cv2.INTER_LINEAR)
        values.append(contract.tensor(crop[None])[0])
    return np.stack(values).astype(np.float32)


class Calibration(CalibrationDataReader):
    """Hands inputs to ONNX Runtime one by one, in strides where it asks for them."""

    def __init__(self, values: np.ndarray) -> None:
        # Strides must divide the number.
        whole = len(values) // STRIDE * STRIDE
        if not whole:
            raise ValueError(
                f"{len(values)} calibration inputs; give at least {STRIDE}, 100 suffice"
            )
        self.values = values[:whole]
        self.set_range(0, whole)

    def __len__(self) -> int:
        return len(self.values)

    def set_range(self, start_index: int, end_index: int) -> None:
        """The next inputs to give."""
        self.left = iter(range(start_index, end_index))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """One input, or None at the end."""
        index = next(self.left, None)
        return None if index is None else {INPUT: self.values[index : index + 1]}


def session(path: Path, threads: int | None = None) -> onnxruntime.InferenceSession:
    """A session on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def predict(path: Path, values: np.ndarray, batch: int = 16) -> np.ndarray:
    """Pitch and yaw (n, 2) in radians that a file gives for inputs (n, 3, side, side)."""
    running = session(path)
    parts = [
        running.run([OUTPUT], {INPUT: values[start : start + batch]})[0]
        for start in range(0, len(values), batch)
    ]
    return np.concatenate(parts)
