"""What a model of this package expects and returns, in the words of the plugin's profile.

The same numbers serve training (which crop), calibration and evaluation (which pixels) and export
(the profile in the file's metadata), so that they cannot part.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

#: Metadata key under which the plugin looks for a whole profile.
METADATA_KEY = "gaze.profile.toml"

#: Side of a stored crop, as a multiple of the side of the face's square box.
STORED_SCALE = 1.6


@dataclass(frozen=True)
class InputContract:
    """Preprocessing of one model: `value = (byte / 255 - mean) / std`, RGB, NCHW."""

    name: str
    description: str
    #: Rows and columns of the input.
    side: int
    #: The crop's side is `1 + margin` times the square box's, about the same centre.
    margin: float = 0.2
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def profile_toml(self) -> str:
        """The plugin's profile. Outside the frame edge pixels are repeated, so that the crop stays
        square; angles are in the frame of the ray through the box's centre."""

        def numbers(values: tuple[float, ...]) -> str:
            return "[" + ", ".join(repr(float(value)) for value in values) + "]"

        return "\n".join(
            [
                f'name = "{self.name}"',
                f'description = "{self.description}"',
                'frame = "ray"',
                "",
                "[region]",
                f"margin = {self.margin!r}",
                "square = true",
                'border = "replicate"',
                "",
                "[[input]]",
                'tensor = "image"',
                'role = "face"',
                "",
                "[input.image]",
                f"width = {self.side}",
                f"height = {self.side}",
                'layout = "nchw"',
                'channels = "rgb"',
                f"scale = {1.0 / 255.0!r}",
                f"mean = {numbers(self.mean)}",
                f"std = {numbers(self.std)}",
                'resample = "opencv-linear"',
                "",
                "[output]",
                'decoder = "regression"',
                'unit = "radians"',
                'pitch = { tensor = "gaze", column = 0 }',
                'yaw = { tensor = "gaze", column = 1 }',
                "",
            ]
        )

    def region(self, box: np.ndarray) -> tuple[int, int, int, int]:
        """Corners x1, y1, x2, y2 of the pixels for a face box of four numbers x1, y1, x2, y2.

        The plugin's `RegionPolicy::pixels`: grown by the margin, then squared about the centre, then
        every corner truncated towards 0.
        """
        x1, y1, x2, y2 = (float(value) for value in box)
        dx, dy = (x2 - x1) * self.margin / 2.0, (y2 - y1) * self.margin / 2.0
        x1, x2, y1, y2 = x1 - dx, x2 + dx, y1 - dy, y2 + dy
        grow = abs((x2 - x1) - (y2 - y1)) / 2.0
        if x2 - x1 < y2 - y1:
            x1, x2 = x1 - grow, x2 + grow
        else:
            y1, y2 = y1 - grow, y2 + grow
        return int(x1), int(y1), int(x2), int(y2)

    def crop(self, frame: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Bytes (side, side, 3) that the plugin makes of a face in a frame (h, w, 3).

        `cv2.resize` with `INTER_LINEAR` on bytes is bit for bit the plugin's `opencv-linear`.
        """
        x1, y1, x2, y2 = self.region(box)
        height, width = frame.shape[:2]
        if x2 <= x1 or y2 <= y1 or x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
            raise ValueError(f"box {list(box)} has no pixel in a frame of {width}x{height}")
        rows = np.clip(np.arange(y1, y2), 0, height - 1)
        columns = np.clip(np.arange(x1, x2), 0, width - 1)
        return cv2.resize(
            frame[rows[:, None], columns], (self.side, self.side), interpolation=cv2.INTER_LINEAR
        )

    def crop_stored(self, images: np.ndarray) -> np.ndarray:
        """Bytes (n, side, side, 3) of stored crops (n, s, s, 3): each as a frame whose face box is
        the middle square of `s / STORED_SCALE` pixels."""
        stored = images.shape[1]
        inset = (stored - stored / STORED_SCALE) / 2.0
        box = np.array([inset, inset, stored - inset, stored - inset])
        return np.stack([self.crop(image, box) for image in images])

    def tensor(self, crops: np.ndarray) -> np.ndarray:
        """Values (n, 3, side, side) float32 of bytes (n, side, side, 3)."""
        values = crops.astype(np.float32) / np.float32(255.0)
        if any(self.mean) or any(std != 1.0 for std in self.std):
            values = (values - np.float32(self.mean)) / np.float32(self.std)
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2), dtype=np.float32)


#: The default model. Bytes become 0..1 with no mean: the input's 8-bit quantisation is then exact,
#: one step for one grey level; the first batch normalisation does what a mean would.
STUDENT = InputContract(
    name="gaze-student",
    description="Light default gaze model, trained on synthetic faces",
    side=160,
)

#: The default model's second generation, which cuts the eyes out of the picture by itself.
FACE_AND_EYES = InputContract(
    name="gaze-default",
    description="Default gaze model: a face and its eyes, trained on rendered and public-domain faces",
    side=224,
)

#: As the article: 224x224. ImageNet's normalisation, as its torchvision backbones take it.
GAZECAPSNET = InputContract(
    name="gazecapsnet-standin",
    description="Stand-in for GazeCapsNet (Sensors 2025, 1224), trained on synthetic faces",
    side=224,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)

CONTRACTS = {"face-and-eyes": FACE_AND_EYES, "student": STUDENT, "gazecapsnet": GAZECAPSNET}
