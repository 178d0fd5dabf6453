"""From stored crops to training images, in tensors, on whichever device they lie.

Geometry (crop, turn, mirror) changes labels with the pixels; appearance changes pixels alone. Both
draw from a generator that is given, so that a step's images depend on its seed and nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from . import angles, appearance
from .contract import STORED_SCALE, InputContract

#: Scale and shift vary by this fraction of the face's box: detectors disagree about as much.
JITTER = 0.12

#: Largest turn of the image, radians: heads roll, and a turn about the ray is exact for labels.
MAX_TURN = math.radians(15.0)

#: Landmarks after a mirror: the eye on the image's right is then the one on its left.
MIRRORED_POINTS = [1, 0, 2, 4, 3]

Labels = dict[str, torch.Tensor]


@dataclass
class Geometry:
    """Which part of each stored crop becomes the image; all tensors (n,).

    A point at `p` of the image, in -1..1, shows the stored crop at `scale * R(turn) p + shift`,
    mirrored after that where `mirror` is set.
    """

    scale: torch.Tensor
    turn: torch.Tensor
    shift: torch.Tensor
    mirror: torch.Tensor

    @classmethod
    def centred(cls, count: int, margin: float, device: torch.device) -> Geometry:
        """The crop that the plugin makes of a perfect box."""
        zero = torch.zeros(count, device=device)
        return cls(
            scale=zero + (1.0 + margin) / STORED_SCALE,
            turn=zero,
            shift=zero[:, None].repeat(1, 2),
            mirror=zero.bool(),
        )

    @classmethod
    def drawn(cls, count: int, margin: float, generator: torch.Generator) -> Geometry:
        """Jittered, turned, and mirrored half of the time."""

        def uniform(*shape: int) -> torch.Tensor:
            return torch.rand(*shape, generator=generator, device=generator.device) * 2.0 - 1.0

        # In units of half the stored crop, the box's side is 2 / STORED_SCALE.
        return cls(
            scale=(1.0 + margin) / STORED_SCALE * (1.0 + JITTER * uniform(count)),
            turn=MAX_TURN * uniform(count) * uniform(count).abs(),
            shift=JITTER * 2.0 / STORED_SCALE * uniform(count, 2),
            mirror=uniform(count) < 0.0,
        )


def sample(images: torch.Tensor, geometry: Geometry, side: int) -> torch.Tensor:
    """Images (n, 3, side, side) in 0..1 of stored crops (n, s, s, 3) in bytes.

    Bilinear without antialiasing, as the plugin samples; outside, edge pixels are repeated.
    """
    cos, sin = geometry.turn.cos() * geometry.scale, geometry.turn.sin() * geometry.scale
    flip = 1.0 - 2.0 * geometry.mirror.float()
    theta = torch.stack(
        [
            torch.stack([flip * cos, -flip * sin, flip * geometry.shift[:, 0]], dim=1),
            torch.stack([sin, cos, geometry.shift[:, 1]], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(theta, [len(images), 3, side, side], align_corners=False)
    planes = images.permute(0, 3, 1, 2).float().mul_(1.0 / 255.0)
    return F.grid_sample(planes, grid, padding_mode="border", align_corners=False)


def sample_bytes(images: torch.Tensor, geometry: Geometry, side: int) -> torch.Tensor:
    """`sample` in bytes (n, side, side, 3), on a CPU, where OpenCV is ten times as fast; it places
    samples on a raster of 1/32 pixel."""
    stored = images.shape[1]
    out = np.empty((len(images), side, side, 3), np.uint8)
    fields = (geometry.scale, geometry.turn, geometry.shift, geometry.mirror)
    for index, (scale, turn, shift, mirror) in enumerate(
        zip(*(field.tolist() for field in fields), strict=True)
    ):
        cos, sin = math.cos(turn) * scale, math.sin(turn) * scale
        flip = -1.0 if mirror else 1.0
        linear = np.array([[flip * cos, -flip * sin], [sin, cos]]) * (stored / side)
        middle = 0.5 * stored * (1.0 + np.array([flip * shift[0], shift[1]]))
        # OpenCV's pixel centres are at whole numbers.
        offset = middle - 0.5 - linear @ np.full(2, 0.5 * (side - 1))
        cv2.warpAffine(
            images[index].numpy(),
            np.hstack([linear, offset[:, None]]),
            (side, side),
            dst=out[index],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return torch.from_numpy(out)


def relabel(labels: Labels, geometry: Geometry) -> Labels:
    """Labels of the sampled images. Points (`landmarks`, `irises`, `lids`) are in -1..1 of the stored
    crop before and of the image after; angles are of the ray frame, whose z axis the image is turned
    about. What is none of these stays as it is."""
    cos, sin = geometry.turn.cos(), geometry.turn.sin()
    mirror = geometry.mirror
    flip = 1.0 - 2.0 * mirror.float()

    def turned(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Into the image: the inverse of R(turn)."""
        shape = (-1,) + (1,) * (x.dim() - 1)
        c, s = cos.view(shape), sin.view(shape)
        return c * x + s * y, c * y - s * x

    def direction(pitch_yaw: torch.Tensor) -> torch.Tensor:
        x, y, z = angles.torch_vectors(pitch_yaw).unbind(-1)
        x, y = turned(flip * x, y)
        return angles.torch_angles(torch.stack([x, y, z], dim=-1))

    def moved(points: torch.Tensor) -> torch.Tensor:
        x, y = points.unbind(-1)
        shape = (-1,) + (1,) * (x.dim() - 1)
        x = flip.view(shape) * x - geometry.shift[:, 0].view(shape)
        x, y = turned(x, y - geometry.shift[:, 1].view(shape))
        return torch.stack([x, y], dim=-1) / geometry.scale.view(*shape, 1)

    def swapped(values: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """`others` where the image was mirrored."""
        return torch.where(mirror.view((-1,) + (1,) * (values.dim() - 1)), others, values)

    points, irises, lids = (moved(labels[name]) for name in ("landmarks", "irises", "lids"))
    head, openness = labels["head"], labels["openness"]
    return {
        **labels,
        "gaze": direction(labels["gaze"]),
        "head": torch.cat(
            [direction(head[:, :2]), (flip * head[:, 2] - geometry.turn)[:, None]], dim=1
        ),
        "landmarks": swapped(points, points[:, MIRRORED_POINTS]),
        "irises": swapped(irises, irises.flip(1)),
        # The other eye, its points again from the image's left to right.
        "lids": swapped(lids, lids.flip(1, 3)),
        "openness": swapped(openness, openness.flip(1)),
    }


def normalise(images: torch.Tensor, contract: InputContract) -> torch.Tensor:
    """The contract's mean and deviation, on images in 0..1."""
    mean, std = (images.new_tensor(v).view(1, 3, 1, 1) for v in (contract.mean, contract.std))
    return images if not mean.any() and bool((std == 1).all()) else (images - mean) / std


def training_batch(
    images: torch.Tensor, labels: Labels, contract: InputContract, seed: int
) -> tuple[torch.Tensor, Labels]:
    """Augmented network inputs (n, 3, side, side) and their labels, the same for the same seed."""
    generator = torch.Generator(device=images.device).manual_seed(seed)
    geometry = Geometry.drawn(len(images), contract.margin, generator)
    if images.device.type == "cpu":
        pixels = appearance.vary_bytes(sample_bytes(images, geometry, contract.side), generator)
    else:
        pixels = appearance.vary(sample(images, geometry, contract.side), generator)
    return normalise(pixels, contract), relabel(labels, geometry)
