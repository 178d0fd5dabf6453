"""The default model's second generation: a small face and two larger eyes, cut out by the network.

The picture shows the face at 224 pixels. A trunk looks at it at half the resolution, finds landmarks
and the head's pose; both eyes are then cut from the full picture about the landmarks and looked at by
one shared branch, the eye on the image's right mirrored. So the plugin gives one picture, and the eyes
are seen at one and a half to three times the resolution that the first generation had.

Cutting is two matrix products with hat functions, which is bilinear sampling along each axis: plain
operators that ONNX Runtime, TensorRT and QNN all have, unlike GridSample and RoiAlign.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from .student import Residual, conv

#: Width and height in pixels of what is cut out about an eye.
EYE_WIDTH, EYE_HEIGHT = 64, 48

#: Limits of the logarithm of the spread, radians: 0.3 and 60 degrees.
LOG_SPREAD = (-5.3, 0.05)

#: Of a Laplace distribution with scale 1, 68.3 % lies within this.
ONE_DEVIATION = 1.148


def steps(count: int) -> torch.Tensor:
    """Places (count,) of the pixels of a window from its middle."""
    return torch.arange(count, dtype=torch.float32) - 0.5 * (count - 1)


class Window(nn.Module):
    """Cuts windows (n, 3, EYE_HEIGHT, EYE_WIDTH) out of square images (n, 3, side, side) about
    `centres` (n, 2) in pixels, x before y, counted from the corner; black outside."""

    def __init__(self, side: int, mirrored: bool) -> None:
        super().__init__()
        across = steps(EYE_WIDTH).flip(0) if mirrored else steps(EYE_WIDTH)
        # Not weights: they follow from the sizes.
        self.register_buffer("across", across[None, :, None], persistent=False)
        self.register_buffer("down", steps(EYE_HEIGHT)[None, :, None], persistent=False)
        self.register_buffer("pixels", torch.arange(side) + 0.5, persistent=False)

    def forward(self, image: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
        x, y = centres[:, 0, None, None], centres[:, 1, None, None]
        # How much each pixel of a row or column counts for each place: bilinear.
        columns = (1.0 - (x + self.across - self.pixels).abs()).relu()
        rows = (1.0 - (y + self.down - self.pixels).abs()).relu()
        return rows[:, None] @ image @ columns.transpose(1, 2)[:, None]


class FaceAndEyes(nn.Module):
    """`image` (n, 3, 224, 224) in 0..1 to the answers of `OUTPUTS`, in this order:

    - `gaze` (n, 2): pitch, yaw in radians, ray frame;
    - `spread` (n, 2): the standard deviation of each, radians;
    - `landmarks` (n, 10): x, y in 0..1 of the picture: the eye on the image's left, the one on its
      right, nose, left and right corner of the mouth;
    - `head` (n, 3): pitch, yaw, roll in radians, ray frame;
    - `openness` (n, 2): 0 closed to 1 open, the eye on the image's left first.
    """

    side = 224
    OUTPUTS: ClassVar[tuple[str, ...]] = ("gaze", "spread", "landmarks", "head", "openness")

    EYE_FEATURES: ClassVar[int] = 96

    #: Of an eye: its iris's middle, then the margins of its lids, seven points each.
    SHAPE: ClassVar[int] = 2 * (1 + 14)

    def __init__(self) -> None:
        super().__init__()
        self.smaller = nn.AvgPool2d(2)
        self.trunk = nn.Sequential(
            conv(3, 16, stride=2),  # 56x56
            conv(16, 32, stride=2),  # 28x28
            Residual(32),
            conv(32, 64, stride=2),  # 14x14
            Residual(64),
            Residual(64),
            conv(64, 96, stride=2),  # 7x7
            Residual(96),
            Residual(96),
            conv(96, 40, kernel=1),
            nn.Flatten(),
        )
        self.face = nn.Sequential(nn.Linear(40 * 49, 160), nn.ReLU(inplace=True))
        self.landmarks = nn.Linear(160, 10)
        self.head = nn.Linear(160, 3)
        self.left, self.right = Window(self.side, False), Window(self.side, True)
        self.eye = nn.Sequential(
            conv(3, 24, stride=2),  # 24x32
            Residual(24),
            conv(24, 48, stride=2),  # 12x16
            Residual(48),
            Residual(48),
            conv(48, 80, stride=2),  # 6x8
            Residual(80),
            conv(80, 32, kernel=1),
            nn.Flatten(),
            nn.Linear(32 * 48, 96),
            nn.ReLU(inplace=True),
        )
        self.openness = nn.Linear(96, 1)
        self.shape = nn.Linear(96, self.SHAPE)
        self.joint = nn.Sequential(
            nn.Linear(160 + 2 * 96, 192), nn.ReLU(inplace=True),
            nn.Linear(192, 128), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.gaze = nn.Linear(128, 2)
        self.spread = nn.Linear(128, 2)

    def answers(
        self, image: torch.Tensor, centres: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """All outputs and, as `eyes` (n, 2, SHAPE), where iris and lids lie in what was cut out, in
        -1..1 of the half width for x and y alike, as the window shows them.

        `centres` (n, 2, 2) in 0..1 says where to cut instead of the landmarks that are found; NaN
        leaves an eye to them.
        """
        face = self.face(self.trunk(self.smaller(image)))
        points = self.landmarks(face)
        # Where to cut is learned from landmarks alone: gaze has no say in it. Not taken from the
        # output, whose type a conversion to half precision keeps.
        found = 0.5 + 0.5 * points[:, :4].detach().reshape(-1, 2, 2)
        if centres is not None:
            found = torch.where(centres.isnan(), found, centres)
        pixels = (found * self.side).clamp(0.0, float(self.side))
        eyes = torch.cat([self.left(image, pixels[:, 0]), self.right(image, pixels[:, 1])])
        # Not `chunk`, by which the exporter would take the batch for a constant.
        left, right = self.eye(eyes).reshape(2, -1, self.EYE_FEATURES).unbind(0)
        joint = self.joint(torch.cat([face, left, right], dim=1))
        low, high = LOG_SPREAD
        return {
            "gaze": self.gaze(joint),
            "spread": ONE_DEVIATION * self.spread(joint).clamp(low, high).exp(),
            "landmarks": 0.5 + 0.5 * points,
            "head": self.head(face),
            "openness": torch.cat([self.openness(left), self.openness(right)], dim=1),
            "eyes": torch.stack([self.shape(left), self.shape(right)], dim=1),
            "centres": found,
        }

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        answers = self.answers(image)
        return tuple(answers[name] for name in self.OUTPUTS)
