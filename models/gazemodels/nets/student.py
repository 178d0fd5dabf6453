"""The default model: a small residual network of plain convolutions.

Chosen for where it runs. Plain 3x3 convolutions with ReLU and folded batch normalisation are what
INT8 engines (ONNX Runtime, TensorRT, QNN HTP) do best, and they keep their ranges under per-tensor
quantisation, which depthwise layers do not; on a CPU they also train about three times as fast as an
inverted-residual network of the same accuracy class. The last feature map is flattened, not pooled:
crops are aligned to the face's box, so where a pattern lies is what a gaze is read from.
"""

from __future__ import annotations

import torch
from torch import nn


def conv(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, relu: bool = True
) -> nn.Sequential:
    """Convolution with batch normalisation, and ReLU if asked for."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if relu:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., CVPR 2016, basic block)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels), conv(channels, channels, relu=False))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(x + self.body(x))


class Student(nn.Module):
    """`image` (n, 3, 160, 160) in 0..1 to `gaze` (n, 2): pitch, yaw in radians, ray frame."""

    side = 160
    #: Features that every head reads.
    features = 128

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            conv(3, 16, stride=2),  # 80x80
            conv(16, 24, stride=2),  # 40x40
            Residual(24),
            conv(24, 48, stride=2),  # 20x20
            Residual(48),
            Residual(48),
            conv(48, 96, stride=2),  # 10x10
            Residual(96),
            conv(96, 160, stride=2),  # 5x5
            Residual(160),
            conv(160, 48, kernel=1),
            nn.Flatten(),
        )
        self.neck = nn.Sequential(nn.Linear(48 * 25, self.features), nn.ReLU(inplace=True))
        self.gaze = nn.Linear(self.features, 2)

    def embed(self, image: torch.Tensor) -> torch.Tensor:
        """Features (n, 128)."""
        return self.neck(self.trunk(image))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.gaze(self.embed(image))
