"""Stage `export-detector`: a checkpoint to ONNX with YuNet's outputs, for any size."""

from __future__ import annotations

import argparse
import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

from .. import inputs
from ..export import OPSET, TOLERANCE
from ..nets import folded
from .net import OUTPUTS, Detector
from .train import load_detector

INPUT = "input"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt of a training run")
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file to write")


def to_onnx(net: Detector) -> onnx.ModelProto:
    """ONNX with free batch, height and width; the sides are multiples of 32."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    sides = {0: torch.export.Dim("batch", min=1)}
    sides |= {axis: 32 * torch.export.Dim(f"cells_{axis}", min=2, max=256) for axis in (2, 3)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            folded(net),
            (torch.rand(2, 3, 192, 320),),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes=(sides,),
            verbose=False,
        )
    model = program.model_proto
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]
    for part in (*model.graph.input, *model.graph.output):
        del part.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    del model.graph.metadata_props[:]
    model.graph.name = "faces"
    onnx.checker.check_model(model)
    return model


def run(args: argparse.Namespace) -> None:
    """Writes the file and holds it against PyTorch at another size."""
    net = load_detector(args.checkpoint)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(to_onnx(net), args.out)
    worst = difference(args.out, net)
    if worst > 100 * TOLERANCE:
        args.out.unlink()
        raise RuntimeError(f"{args.out.name} differs from PyTorch by {worst:.2e}; not kept")
    print(f"{args.out}: {args.out.stat().st_size} bytes, {worst:.1e} from PyTorch at most")


def difference(path: Path, net: Detector) -> float:
    """Largest difference from PyTorch in any output."""
    session = inputs.session(path)
    worst = 0.0
    for height, width in ((96, 64), (288, 512)):
        image = np.random.default_rng(0).uniform(0, 255, (1, 3, height, width)).astype(np.float32)
        with torch.no_grad():
            expected = net(torch.from_numpy(image))
        for ours, theirs in zip(session.run(None, {INPUT: image}), expected, strict=True):
            worst = max(worst, float(np.abs(ours - theirs.numpy()).max()))
    return worst
