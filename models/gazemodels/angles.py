"""Pitch and yaw as directions, and the angle between directions.

Convention of the project (the one of ETH-XGaze and MPIIGaze): camera axes x right, y down, z away
from the camera; `pitch = asin(-y)`, positive is up; `yaw = atan2(-x, -z)`, positive is towards the
image's left; radians. Looking straight into the camera is (0, 0, -1). "Ray frame" means the frame of
a virtual camera at the same place that is turned, without roll, to the centre of the face's box.
"""

from __future__ import annotations

import numpy as np
import torch

#: Below about one degree the angular loss turns from linear to quadratic.
SMOOTH_RADIANS = float(np.radians(1.0))


def to_vectors(angles: np.ndarray) -> np.ndarray:
    """Unit vectors (..., 3) of pitch and yaw (..., 2) in radians."""
    pitch, yaw = np.moveaxis(np.asarray(angles, np.float64), -1, 0)
    return np.stack(
        [-np.cos(pitch) * np.sin(yaw), -np.sin(pitch), -np.cos(pitch) * np.cos(yaw)], axis=-1
    )


def to_angles(vectors: np.ndarray) -> np.ndarray:
    """Pitch and yaw (..., 2) in radians of vectors (..., 3) of any length but 0."""
    x, y, z = np.moveaxis(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), -1, 0)
    return np.stack([np.arcsin(np.clip(-y, -1.0, 1.0)), np.arctan2(-x, -z)], axis=-1)


def errors_degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles in degrees (...,) between directions given as pitch and yaw (..., 2).

    `atan2(|a x b|, a . b)` keeps its precision where `acos` loses it, near 0.
    """
    a, b = to_vectors(a), to_vectors(b)
    cross = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.degrees(np.arctan2(cross, (a * b).sum(-1)))


def torch_vectors(angles: torch.Tensor) -> torch.Tensor:
    """`to_vectors` for tensors, with gradient."""
    pitch, yaw = angles.unbind(-1)
    return torch.stack([-pitch.cos() * yaw.sin(), -pitch.sin(), -pitch.cos() * yaw.cos()], dim=-1)


def torch_angles(vectors: torch.Tensor) -> torch.Tensor:
    """`to_angles` for unit tensors."""
    x, y, z = vectors.unbind(-1)
    return torch.stack([torch.asin((-y).clamp(-1, 1)), torch.atan2(-x, -z)], dim=-1)


def angular_error(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Angles (n,) in radians between directions (n, 2); its gradient is finite everywhere.

    The norm of the cross product has no gradient at 0, hence the tiny number under the root.
    """
    a, b = torch_vectors(predicted), torch_vectors(truth)
    cross = (torch.linalg.cross(a, b).square().sum(-1) + 1e-12).sqrt()
    return torch.atan2(cross, (a * b).sum(-1))


def smooth_angular_loss(
    predicted: torch.Tensor, truth: torch.Tensor, smooth: float = SMOOTH_RADIANS
) -> torch.Tensor:
    """Loss (n,) in radians: the angle, but a parabola near 0 (pseudo-Huber).

    `sqrt(angle^2 + smooth^2) - smooth`: the plain angle pulls with full force at 0 as well, which
    keeps a nearly converged network trembling.
    """
    angle = angular_error(predicted, truth)
    return (angle.square() + smooth * smooth).sqrt() - smooth
