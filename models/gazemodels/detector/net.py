"""The detector's network: separable convolutions, three strides, one cell one face."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ..nets.student import conv

STRIDES = (8, 16, 32)

#: What a cell answers: is it a face, how good is its box, the box, five points.
ROLES = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}

#: Names of the outputs, in order.
OUTPUTS = tuple(f"{role}_{stride}" for role in ROLES for stride in STRIDES)

#: Channels in which the strides come together.
NECK = 56

#: A cell is hardly ever a face: what its score is before anything is learned.
PRIOR = 0.01


class Separable(nn.Module):
    """A depthwise and a pointwise convolution, with a shortcut where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.same = inputs == outputs and stride == 1
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x)
        return self.relu(x + y if self.same else y)


class Detector(nn.Module):
    """`input` (n, 3, h, w), BGR in 0..255, h and w multiples of 32, to YuNet's twelve outputs: scores,
    box and points of every cell (n, cells, size), row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.BatchNorm2d(3),
            conv(3, 12, stride=2),
            conv(12, 24, stride=2),
            Separable(24, 24),
        )
        self.levels = nn.ModuleList(
            [
                nn.Sequential(Separable(24, 48, 2), Separable(48, 48), Separable(48, 48)),
                nn.Sequential(Separable(48, 96, 2), Separable(96, 96), Separable(96, 96)),
                nn.Sequential(Separable(96, 128, 2), Separable(128, 128), Separable(128, 128)),
            ]
        )
        self.sides = nn.ModuleList([conv(c, NECK, kernel=1) for c in (48, 96, 128)])
        self.smooth = nn.ModuleList([Separable(NECK, NECK) for _ in STRIDES[1:]])
        self.branch = nn.ModuleList([Separable(NECK, NECK) for _ in STRIDES])
        self.answer = nn.ModuleList([nn.Conv2d(NECK, sum(ROLES.values()), 1) for _ in STRIDES])
        for layer in self.answer:
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
            with torch.no_grad():
                layer.bias[:2] = -torch.log(torch.tensor((1.0 - PRIOR) / PRIOR))

    def cells(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Answers (n, 16, rows, columns) of each stride, scores as logits."""
        x = self.stem(image)
        features = []
        for level in self.levels:
            x = level(x)
            features.append(x)
        features = [side(f) for side, f in zip(self.sides, features, strict=True)]
        for k in (1, 0):
            larger = F.interpolate(features[k + 1], scale_factor=2.0, mode="nearest")
            features[k] = self.smooth[k](features[k] + larger)
        return [
            answer(branch(f))
            for f, branch, answer in zip(features, self.branch, self.answer, strict=True)
        ]

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rows = [cells.flatten(2).transpose(1, 2) for cells in self.cells(image)]
        found, start = [], 0
        for role, size in ROLES.items():
            for row in rows:
                part = row[..., start : start + size]
                found.append(part.sigmoid() if role in ("cls", "obj") else part)
            start += size
        return tuple(found)
