"""A stand-in for GazeCapsNet. It is NOT the authors' network.

Muksimova, Valikhujaev, Umirzakova, Baltayev and Cho, "GazeCapsNet: A Lightweight Gaze Estimation
Framework", Sensors 2025, 25(4), 1224, has no public code or weights. The paper gives: a 224x224x3
face, features of MobileNetV2 and of ResNet-18 concatenated, capsules with self-attention routing, no
landmark step, about 11.7 M parameters and 2.3 GFLOPs (multiply-adds, as papers of this family count).

Choices that are ours, because the paper does not give them or its numbers do not close:

- Both trunks whole have 13.4 M parameters before any capsule, more than the paper's total. ResNet-18's
  last residual block (4.7 M) is left out; with the rest of the network that gives 11.7 M.
- Without that block 2.0 G multiply-adds remain of the 2.3.
- The two maps meet at 7x7 (512 and 1280 channels), are concatenated, and a 3x3 convolution brings them
  to 24 primary capsules of 8 numbers each; 8 routed capsules of 16 numbers follow. Capsule counts,
  sizes and the exact attention are those of Efficient-CapsNet, see `capsules`.
- The routed capsules are flattened into one linear layer to pitch and yaw in radians (the article's
  `image` -> `gaze`); the paper's extra `gaze_class` step is left out, as nothing says what it is.
- Trunks start from random weights: ImageNet's images have no licence that could be passed on.
- Loss, schedule and augmentation are those of the student.
"""

from __future__ import annotations

import torch
from torch import nn
from torchvision.models import mobilenet_v2, resnet18

from .capsules import PrimaryCapsules, RoutedCapsules

PRIMARY, PRIMARY_SIZE = 24, 8
ROUTED, ROUTED_SIZE = 8, 16


class GazeCapsNet(nn.Module):
    """`image` (n, 3, 224, 224), ImageNet-normalised, to `gaze` (n, 2): pitch, yaw, radians."""

    side = 224
    features = ROUTED * ROUTED_SIZE

    def __init__(self) -> None:
        super().__init__()
        residual = resnet18(weights=None)
        self.residual = nn.Sequential(
            residual.conv1,
            residual.bn1,
            residual.relu,
            residual.maxpool,
            residual.layer1,
            residual.layer2,
            residual.layer3,
            residual.layer4[0],
        )
        self.mobile = mobilenet_v2(weights=None).features
        self.join = nn.Sequential(
            nn.Conv2d(512 + 1280, PRIMARY * PRIMARY_SIZE, 3, padding=1, bias=False),
            nn.BatchNorm2d(PRIMARY * PRIMARY_SIZE),
            nn.ReLU(inplace=True),
        )
        self.primary = PrimaryCapsules(PRIMARY, PRIMARY_SIZE, side=7)
        self.routed = RoutedCapsules(PRIMARY, PRIMARY_SIZE, ROUTED, ROUTED_SIZE)
        self.gaze = nn.Linear(self.features, 2)

    def embed(self, image: torch.Tensor) -> torch.Tensor:
        """Features (n, 128): the routed capsules."""
        joined = torch.cat([self.residual(image), self.mobile(image)], dim=1)
        return self.routed(self.primary(self.join(joined))).flatten(1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.gaze(self.embed(image))
