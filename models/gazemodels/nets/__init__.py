"""The networks, by name, their training-only heads and their size."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.utils.flop_counter import FlopCounterMode

from .face_and_eyes import FaceAndEyes
from .gazecapsnet import GazeCapsNet
from .student import Student

NETS: dict[str, type[nn.Module]] = {
    "face-and-eyes": FaceAndEyes,
    "student": Student,
    "gazecapsnet": GazeCapsNet,
}


def build(name: str) -> nn.Module:
    """A network with random weights."""
    if name not in NETS:
        raise ValueError(f"no network '{name}'; choose one of {', '.join(NETS)}")
    return NETS[name]()


class Trainee(nn.Module):
    """A network with further heads on the same features, for training only.

    What they predict (head pitch, yaw, roll; five landmarks in -1..1 of the crop; openness of both
    eyes) is known for synthetic faces at no cost, and having to know it keeps a small network looking
    at eyes and head rather than at accidents of the renderer. Export drops them. A network that gives
    such answers by itself has no need of them.
    """

    #: Numbers of each extra head.
    EXTRA: ClassVar[dict[str, int]] = {"head": 3, "landmarks": 10, "openness": 2}

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.whole = hasattr(net, "answers")
        extra = {} if self.whole else self.EXTRA
        self.extra = nn.ModuleDict(
            {name: nn.Linear(net.features, size) for name, size in extra.items()}
        )

    def forward(
        self, image: torch.Tensor, centres: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """Landmarks and centres are in 0..1 of the picture."""
        if self.whole:
            return self.net.answers(image, centres)
        features = self.net.embed(image)
        heads = {name: head(features) for name, head in self.extra.items()}
        return {"gaze": self.net.gaze(features), **heads}


def folded(net: nn.Module) -> nn.Module:
    """A copy for inference with batch normalisation folded into the convolutions."""
    return fuse(net.eval())


def size_of(net: nn.Module) -> tuple[int, int]:
    """Parameters, and FLOPs of one image (two for a multiply-add), batch normalisation folded."""
    image = torch.zeros(1, 3, net.side, net.side)
    net = folded(net)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(image)
    return sum(parameter.numel() for parameter in net.parameters()), counter.get_total_flops()
