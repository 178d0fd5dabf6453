"""Stage `qat`: quantisation-aware training with PyTorch's own tools (PT2E), to QDQ ONNX.

The trained network, batch normalisation folded, gets fake quantisation where ONNX Runtime's static
quantiser puts its Q/DQ pairs, is trained on for a while so that weights find values that survive the
rounding, and is written as QDQ ONNX with s8 weights per channel and u8 activations. The last layers
stay in float unless asked for: one step of an 8-bit angle is half a degree.
"""

from __future__ import annotations

import argparse
import math
import os
import warnings
from pathlib import Path

import onnx
import torch
from torchao.quantization.pt2e import (
    FusedMovingAvgObsFakeQuantize,
    MovingAverageMinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
    disable_observer,
)
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_qat_pt2e
from torchao.quantization.pt2e.quantizer import (
    QuantizationAnnotation,
    QuantizationSpec,
    Quantizer,
)
from tqdm import tqdm

from . import angles, augment, nets, sampling
from .contract import CONTRACTS, METADATA_KEY
from .export import outputs_of, set_metadata, to_onnx
from .reader import Reader
from .train import batch_of, device_of, load_net

ATEN = torch.ops.aten
WEIGHTED = {ATEN.conv2d.default, ATEN.linear.default}
ADDITIONS = {ATEN.add.Tensor, ATEN.add_.Tensor}
ACTIVATIONS = {
    ATEN.relu.default,
    ATEN.relu_.default,
    ATEN.hardtanh.default,
    ATEN.hardtanh_.default,
}

#: The state is kept after so many steps, beside the file to write, until that is written.
SAVE_EVERY = 100

#: Ranges follow the data in this first part of the training and stay fixed after it.
OBSERVED = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt of a training run")
    parser.add_argument("--data", type=Path, required=True, help="folder of shards")
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file to write")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--whole", action="store_true", help="quantise the last layers too")


def specification(observer: type, **settings: object) -> QuantizationSpec:
    """A quantised tensor whose range an observer learns."""
    return QuantizationSpec(
        observer_or_fake_quant_ctr=FusedMovingAvgObsFakeQuantize.with_args(
            observer=observer, **settings
        ),
        **{key: value for key, value in settings.items() if key != "reduce_range"},
    )


ACTIVATION = specification(
    MovingAverageMinMaxObserver,
    dtype=torch.uint8,
    quant_min=0,
    quant_max=255,
    qscheme=torch.per_tensor_affine,
)
WEIGHT = specification(
    MovingAveragePerChannelMinMaxObserver,
    dtype=torch.int8,
    quant_min=-128,
    quant_max=127,
    qscheme=torch.per_channel_symmetric,
    ch_axis=0,
)


class OnnxQuantizer(Quantizer):
    """Marks what ONNX Runtime's quantiser marks: inputs and outputs of layers with weights and of
    additions, the activation after one taken together with it."""

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole

    def annotate(self, model: torch.fx.GraphModule) -> torch.fx.GraphModule:
        """Writes the marks into the graph."""
        for node in model.graph.nodes:
            if node.target in WEIGHTED:
                given, weight = node.args[:2]
                users = list(node.users)
                # A linear layer without an activation gives answers, or says where to cut.
                last = node.target == ATEN.linear.default and users[0].target not in ACTIVATIONS
                if last and not self.whole:
                    continue
                self.mark(node, {given: ACTIVATION, weight: WEIGHT})
            elif node.target in ADDITIONS and all(
                # Not what is added to places in the picture, which are counted in pixels.
                isinstance(term, torch.fx.Node) and term.op != "get_attr"
                for term in node.args[:2]
            ):
                self.mark(node, dict.fromkeys(node.args[:2], ACTIVATION))
        return model

    @staticmethod
    def mark(node: torch.fx.Node, given: dict[torch.fx.Node, QuantizationSpec]) -> None:
        """Inputs of a node and the output of the activation after it, or its own."""
        users = list(node.users)
        fused = len(users) == 1 and users[0].target in ACTIVATIONS
        node.meta["quantization_annotation"] = QuantizationAnnotation(
            input_qspec_map=given,
            output_qspec=None if fused else ACTIVATION,
            _annotated=True,
        )
        if fused:
            users[0].meta["quantization_annotation"] = QuantizationAnnotation(
                output_qspec=ACTIVATION, _annotated=True
            )

    def validate(self, model: torch.fx.GraphModule) -> None:
        """Every mark is one that the exporter can write; nothing to check."""


def prepared(net: torch.nn.Module, side: int, whole: bool) -> torch.fx.GraphModule:
    """The network with fake quantisation, ready to be trained."""
    image = torch.rand(2, 3, side, side)
    batch = torch.export.Dim("batch", min=1)
    graph = torch.export.export(net, (image,), dynamic_shapes=({0: batch},)).module()
    return prepare_qat_pt2e(graph, OnnxQuantizer(whole))


def write(graph: torch.fx.GraphModule, contract_name: str, out: Path) -> None:
    """QDQ ONNX with the plugin's profile."""
    contract = CONTRACTS[contract_name]
    model = to_onnx(convert_pt2e(graph), contract.side, outputs=outputs_of(contract_name))
    set_metadata(model, {METADATA_KEY: contract.profile_toml()})
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out)


def run(args: argparse.Namespace) -> None:
    """Trains with fake quantisation and writes the file."""
    warnings.filterwarnings("ignore", module="torch.*")
    name, net = load_net(args.checkpoint)
    contract = CONTRACTS[name]
    device = device_of(args.device)
    reader = Reader(args.data)
    numbers = reader.split(held_out=False)
    weights = sampling.balanced_weights(
        reader.labels["gaze"][numbers], reader.labels["head"][numbers]
    )
    graph = prepared(nets.folded(net), contract.side, args.whole).to(device)
    optimizer = torch.optim.AdamW(graph.parameters(), lr=args.rate, weight_decay=0.0)
    first, state_path, smoothed = 0, args.out.with_suffix(".state.pt"), None
    if state_path.exists():
        state = torch.load(state_path, map_location="cpu", weights_only=True)
        graph.load_state_dict(state["graph"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    bar = tqdm(range(first, args.steps), unit="step", mininterval=5.0)
    for step in bar:
        if step >= int(OBSERVED * args.steps):
            graph.apply(disable_observer)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * 0.5 * (1.0 + math.cos(math.pi * step / args.steps))
        # Other numbers than those of the training, whose steps count from the seed.
        seed = (args.seed + 1) * 7_000_003 + step
        chosen = numbers[sampling.draw(weights, args.batch, seed)]
        images, labels = augment.training_batch(*batch_of(reader, chosen, device), contract, seed)
        answer = graph(images)
        gaze = answer[0] if isinstance(answer, (tuple, list)) else answer
        loss = angles.smooth_angular_loss(gaze, labels["gaze"]).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(graph.parameters(), 1.0)
        optimizer.step()
        degrees = math.degrees(float(loss.detach()))
        smoothed = degrees if smoothed is None else 0.95 * smoothed + 0.05 * degrees
        bar.set_postfix(degrees=f"{smoothed:.2f}")
        if (step + 1) % SAVE_EVERY == 0:
            state = {
                "graph": graph.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step + 1,
            }
            args.out.parent.mkdir(parents=True, exist_ok=True)
            torch.save(state, state_path.with_suffix(".tmp"))
            os.replace(state_path.with_suffix(".tmp"), state_path)
    write(graph.cpu(), name, args.out)
    state_path.unlink(missing_ok=True)
    print(f"{args.out}: {args.out.stat().st_size} bytes after {args.steps} steps")
