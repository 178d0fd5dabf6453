"""Capsules with self-attention routing: one pass, no iterations.

After Mazzia, Salvetti and Chiaberge, "Efficient-CapsNet: capsule network with self-attention
routing", Scientific Reports 11, 14634 (2021), sections "Primary capsules" and "Self-attention
routing"; GazeCaps (CVPR Workshops 2023, pp. 2669-2677) applies the same idea to gaze.
"""

from __future__ import annotations

import torch
from torch import nn


def squash(capsules: torch.Tensor) -> torch.Tensor:
    """Keeps each capsule's direction and brings its length into 0..1.

    `(1 - exp(-|s|)) s / |s|`, Efficient-CapsNet eq. 3; unlike the original squash (Sabour et al.
    2017) it does not crush short capsules.
    """
    length = (capsules.square().sum(-1, keepdim=True) + 1e-7).sqrt()
    return (1.0 - torch.exp(-length)) * capsules / length


class PrimaryCapsules(nn.Module):
    """Feature map (n, count * size, s, s) to capsules (n, count, size): a depthwise convolution as
    large as the map, then squash (Efficient-CapsNet eq. 2)."""

    def __init__(self, count: int, size: int, side: int) -> None:
        super().__init__()
        self.count, self.size = count, size
        self.pool = nn.Conv2d(count * size, count * size, side, groups=count * size)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return squash(self.pool(features).reshape(-1, self.count, self.size))


class RoutedCapsules(nn.Module):
    """Capsules (n, inputs, size_in) to capsules (n, outputs, size_out).

    Every input capsule casts a vote for every output capsule. How much a vote counts is told by how
    well it agrees with all other votes: `A = U U^T / sqrt(d)`, its row sums softmaxed over the
    output capsules, plus learned priors (Efficient-CapsNet eq. 4 to 6).
    """

    def __init__(self, inputs: int, size_in: int, outputs: int, size_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, size_in, size_out))
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="linear")
        self.prior = nn.Parameter(torch.zeros(outputs, inputs, 1))
        self.scale = size_out**-0.5

    def forward(self, capsules: torch.Tensor) -> torch.Tensor:
        # Votes: (n, outputs, inputs, size_out).
        votes = (capsules[:, None, :, None, :] @ self.weight).squeeze(3)
        agreement = (votes @ votes.transpose(-1, -2)) * self.scale
        coupling = agreement.sum(-1, keepdim=True).softmax(dim=1) + self.prior
        return squash((votes * coupling).sum(2))
