"""Stage `export`: a checkpoint to ONNX with the plugin's profile in its metadata."""

from __future__ import annotations

import argparse
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from . import nets
from .contract import CONTRACTS, METADATA_KEY, InputContract
from .reader import Reader, spread
from .train import load_net

#: The oldest that PyTorch's exporter writes; TensorRT 8.6, QNN and ONNX Runtime 1.22 all read it.
OPSET = 18

#: Largest difference from PyTorch, radians.
TOLERANCE = 1e-4

INPUT, OUTPUT = "image", "gaze"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt of a training run")
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file to write")
    parser.add_argument("--opset", type=int, default=OPSET)
    parser.add_argument(
        "--calibrate",
        type=Path,
        nargs="+",
        default=[],
        help="folders of shards on whose held-out faces the spread is scaled, so that 68 %% of all "
        "errors lie within it; every folder counts alike",
    )


def metadata(model: onnx.ModelProto) -> dict[str, str]:
    """The metadata of a model as a dictionary."""
    return {entry.key: entry.value for entry in model.metadata_props}


def set_metadata(model: onnx.ModelProto, entries: dict[str, str]) -> None:
    """Replaces the metadata of a model."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, entries)


def copy_metadata(source: Path, target: Path) -> None:
    """Gives a file made from another its metadata; tools that rewrite models drop it."""
    model = onnx.load(target)
    set_metadata(model, metadata(onnx.load(source)))
    onnx.save(model, target)


def contract_of(path: Path) -> InputContract:
    """The contract whose profile a file carries."""
    text = metadata(onnx.load(path)).get(METADATA_KEY)
    for contract in CONTRACTS.values():
        if contract.profile_toml() == text:
            return contract
    raise ValueError(
        f"{path} carries no profile of this package in '{METADATA_KEY}'; export it again with "
        "'gazemodels export'"
    )


def outputs_of(net_name: str) -> tuple[str, ...]:
    """Names of what a network gives; the first is the gaze."""
    return getattr(nets.NETS[net_name], "OUTPUTS", (OUTPUT,))


def to_onnx(
    net: torch.nn.Module, side: int, opset: int = OPSET, outputs: tuple[str, ...] = (OUTPUT,)
) -> onnx.ModelProto:
    """ONNX with a free batch; shapes are inferred and the exporter's notes about source lines left
    out, which would tell paths of the machine."""
    # A batch of 1 would be taken for a constant.
    image = torch.rand(2, 3, side, side)
    batch = torch.export.Dim("batch", min=1)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            net,
            (image,),
            dynamo=True,
            opset_version=opset,
            input_names=[INPUT],
            output_names=list(outputs),
            dynamic_shapes=({0: batch},),
            verbose=False,
        )
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    for initializer in model.graph.initializer:
        del initializer.metadata_props[:]
    del model.graph.metadata_props[:]
    model.graph.name = "gaze"
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model)
    return model


def difference(path: Path, net: torch.nn.Module, contract: InputContract) -> float:
    """Largest difference between ONNX Runtime and PyTorch in any output, for batches of 1 and 5."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst = 0.0
    for count in (1, 5):
        crops = rng.integers(0, 256, (count, contract.side, contract.side, 3), np.uint8)
        values = contract.tensor(crops)
        with torch.no_grad():
            expected = net(torch.from_numpy(values))
        expected = expected if isinstance(expected, tuple) else (expected,)
        found = session.run(None, {INPUT: values})
        for ours, theirs in zip(found, expected, strict=True):
            worst = max(worst, float(np.abs(ours - theirs.numpy()).max()))
    return worst


#: Part of a normal distribution within one standard deviation.
WITHIN = 0.6827

#: Faces of a folder that the spread is scaled on.
CALIBRATION_FACES = 2000


@torch.no_grad()
def calibrate(net: torch.nn.Module, contract: InputContract, folders: Sequence[Path]) -> np.ndarray:
    """Scales the spread of pitch and of yaw by what held-out faces ask for; the two factors."""
    ratios: list[tuple[np.ndarray, np.ndarray]] = []
    for folder in folders:
        reader = Reader(folder)
        numbers = spread(reader.split(held_out=True), CALIBRATION_FACES)
        for start in range(0, len(numbers), 64):
            part = numbers[start : start + 64]
            values = contract.tensor(contract.crop_stored(reader.pictures(part)))
            gaze, deviation = (a.numpy() for a in net(torch.from_numpy(values))[:2])
            error = np.abs(gaze - reader.labels["gaze"][part])
            ratios.append((error / deviation, np.full(len(part), 1.0 / len(numbers))))
    ratio = np.concatenate([r for r, _ in ratios])
    weight = np.concatenate([w for _, w in ratios])
    factors = []
    for axis in range(2):
        order = np.argsort(ratio[:, axis])
        share = np.cumsum(weight[order]) / weight.sum()
        factors.append(float(ratio[order, axis][np.searchsorted(share, WITHIN)]))
    # The spread is the exponential of the last layer.
    net.spread.bias += torch.tensor(factors).log()
    return np.array(factors)


def export(
    checkpoint: Path, out: Path, opset: int = OPSET, calibration: Sequence[Path] = ()
) -> float:
    """Writes the file and checks it; the largest difference from PyTorch in radians."""
    name, net = load_net(checkpoint)
    contract = CONTRACTS[name]
    if calibration:
        if "spread" not in outputs_of(name):
            raise ValueError(f"a {name} answers with no spread; leave --calibrate out")
        factors = calibrate(net, contract, calibration)
        print(f"spread scaled by {factors[0]:.2f} (pitch) and {factors[1]:.2f} (yaw)")
    model = to_onnx(nets.folded(net), contract.side, opset, outputs_of(name))
    set_metadata(model, {METADATA_KEY: contract.profile_toml()})
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out)
    worst = difference(out, net, contract)
    if worst > TOLERANCE:
        out.unlink()
        raise RuntimeError(
            f"{out.name} differs from PyTorch by {worst:.2e} rad, more than {TOLERANCE:.0e}; not kept. "
            "Try another --opset, or another version of PyTorch or ONNX Runtime"
        )
    return worst


def run(args: argparse.Namespace) -> None:
    """Writes the file and says how well it agrees."""
    worst = export(args.checkpoint, args.out, args.opset, args.calibrate)
    size = args.out.stat().st_size
    print(f"{args.out}: {size} bytes, opset {args.opset}, {worst:.1e} rad from PyTorch at most")
