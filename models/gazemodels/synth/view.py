"""The camera that a picture is taken with, and the square of its frame that is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Nearest and farthest that is drawn, mm.
NEAR, FAR = 80.0, 6000.0


@dataclass
class View:
    """A pinhole camera without distortion; lengths in pixels of its frame."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    #: Left, top and size of the window that is drawn.
    window: tuple[float, float, float, float]

    def project(self, points: np.ndarray) -> np.ndarray:
        """Frame pixels (..., 2) of points (..., 3) in camera coordinates."""
        z = points[..., 2]
        return np.stack(
            [self.fx * points[..., 0] / z + self.cx, self.fy * points[..., 1] / z + self.cy], -1
        )

    def matrix(self) -> np.ndarray:
        """OpenGL's projection (4, 4). The window's first row is drawn at the bottom, so that pixels
        read back from the bottom up are in the image's order."""
        left, top, w, h = self.window
        return np.array(
            [
                [2.0 * self.fx / w, 0.0, 2.0 * (self.cx - left) / w - 1.0, 0.0],
                [0.0, 2.0 * self.fy / h, 2.0 * (self.cy - top) / h - 1.0, 0.0],
                [0.0, 0.0, (FAR + NEAR) / (FAR - NEAR), -2.0 * FAR * NEAR / (FAR - NEAR)],
                [0.0, 0.0, 1.0, 0.0],
            ]
        )

    def unproject(self) -> tuple[float, float, float, float]:
        """A point at depth 1 is `xy + zw * place` for a place -1..1 in the window."""
        left, top, w, h = self.window
        return (
            (left + w / 2.0 - self.cx) / self.fx,
            (top + h / 2.0 - self.cy) / self.fy,
            w / 2.0 / self.fx,
            h / 2.0 / self.fy,
        )

    def over_frame(self) -> tuple[float, float, float, float]:
        """Middle and half size of the window, in -1..1 across the frame's longer side."""
        left, top, w, h = self.window
        half = max(self.width, self.height) / 2.0
        return (
            (left + w / 2.0 - self.width / 2.0) / half,
            (top + h / 2.0 - self.height / 2.0) / half,
            w / 2.0 / half,
            h / 2.0 / half,
        )


def square_about(box: np.ndarray, scale: float) -> tuple[float, float, float, float]:
    """Window about the middle of a box x1, y1, x2, y2, `scale` times its longer side."""
    x1, y1, x2, y2 = (float(v) for v in box)
    side = scale * max(x2 - x1, y2 - y1)
    return ((x1 + x2 - side) / 2.0, (y1 + y2 - side) / 2.0, side, side)
