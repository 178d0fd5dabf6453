"""Stage `evaluate`: the accuracy table, on held-out faces, on labelled real ones and on real footage.

The first file given is the float32 one that the others came from; losses are against it. With `--faces`
the files, and `embedded`, the plugin's own, are measured on real faces through `gazetool` instead.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import time
from pathlib import Path

import numpy as np
import onnxruntime
from tqdm import tqdm

from . import angles, footage, inputs, metrics, real, report
from .export import INPUT, contract_of
from .reader import Reader, spread

#: Largest loss of mean accuracy in degrees by the middle part of a file's name, as Euro NCAP dossiers
#: would want it of INT8 and as training with quantisation should reach.
BARS = {"qat": 0.2, "int8": 1.0, "qnn": 1.0, "w8a16": 1.0, "w16a16": 1.0, "fp16": 0.2}


#: The tool as the project's release build puts it.
GAZETOOL = Path(__file__).resolve().parents[2] / "target" / "release" / "gazetool"

#: The plugin's own model, in the tool's words.
EMBEDDED = "embedded"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--models", nargs="+", required=True, help="float32 file first")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, help="folder of shards")
    what.add_argument("--faces", type=Path, help="folder of labelled real faces, see `real`")
    parser.add_argument("--gazetool", type=Path, default=GAZETOOL, help="(default: %(default)s)")
    parser.add_argument(
        "--tool-options",
        default="--face-model embedded",
        help="what `gazetool run` is given too, --faces (default: %(default)s)",
    )
    parser.add_argument("--picture", type=Path, help="a .png of predicted against true, --faces")
    parser.add_argument("--out", type=Path, required=True, help="the .json file to write")
    parser.add_argument("--readme", type=Path, help="file whose marked section gets the tables")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--shared", type=Path, help="folder with real footage and published models")
    parser.add_argument("--every", type=int, default=3, help="take every so many frames of a clip")
    parser.add_argument("--cache", type=Path, help="where the references' answers are kept")
    parser.add_argument("--threads", type=int, default=1, help="threads for measuring latency")
    parser.add_argument("--rounds", type=int, default=40, help="rounds for measuring latency")


def latencies(models: list[Path], value: np.ndarray, threads: int, rounds: int) -> dict[str, dict]:
    """Median milliseconds of one image, and the median of the ratios to the first model of the same
    round. Models take turns, so that what else the machine does falls on all of them alike."""
    sessions = {path.name: inputs.session(path, threads) for path in models}
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in tqdm(range(rounds + 2), desc="latency", unit="round", leave=False):
        for name, running in sessions.items():
            start = time.perf_counter()
            for _ in range(5):
                running.run(None, {INPUT: value})
            times[name].append((time.perf_counter() - start) / 5.0 * 1e3)
    # The first rounds warm up.
    measured = {name: np.array(found[2:]) for name, found in times.items()}
    first = measured[models[0].name]
    return {
        name: {"ms": float(np.median(found)), "ratio": float(np.median(found / first))}
        for name, found in measured.items()
    }


def bar_of(name: str) -> float | None:
    """The bar that a file is held to, by its name."""
    middle = name.removesuffix(".onnx").split(".")[-1]
    return next((bar for part, bar in BARS.items() if part in middle), None)


def accuracy(models: list[Path], reader: Reader, count: int) -> dict[str, dict]:
    """Errors on held-out faces and losses against the first model, for each."""
    contract = contract_of(models[0])
    numbers = spread(reader.split(held_out=True), count)
    values = contract.tensor(contract.crop_stored(reader.pictures(numbers)))
    labels = {name: array[numbers] for name, array in reader.labels.items()}
    rows: dict[str, dict] = {}
    first: np.ndarray | None = None
    for path in tqdm(models, desc="accuracy", unit="model"):
        if contract_of(path) != contract:
            raise ValueError(f"{path} expects other inputs than {models[0]}; evaluate it by itself")
        predicted = inputs.predict(path, values)
        first = predicted if first is None else first
        row = metrics.report(predicted, labels)
        base = rows[models[0].name] if rows else row
        row["loss"] = {key: row[key] - base[key] for key in ("mean", "p50", "p95")}
        row["deviation"] = metrics.summary(angles.errors_degrees(predicted, first))
        row["bytes"] = path.stat().st_size
        row["bar"] = bar_of(path.name)
        rows[path.name] = row
    return rows


def run(args: argparse.Namespace) -> None:
    """Measures everything, writes the JSON file and the README's tables."""
    missing = [name for name in args.models if name != EMBEDDED and not Path(name).exists()]
    if missing:
        raise FileNotFoundError(
            f"no {', '.join(missing)}; 'gazemodels export', 'quantize' and 'qat' make them"
        )
    if args.faces:
        on_faces(args)
        return
    args.models = [Path(name) for name in args.models]
    if args.shared:
        footage.check(args.shared)
    contract = contract_of(args.models[0])
    reader = Reader(args.data)
    result: dict[str, object] = {
        "processor": processor(),
        "onnxruntime": onnxruntime.__version__,
        "threads": args.threads,
        "images": len(reader),
        "models": accuracy(args.models, reader, args.images),
    }
    value = contract.tensor(contract.crop_stored(reader.pictures(np.array([0]))))
    for name, found in latencies(args.models, value, args.threads, args.rounds).items():
        result["models"][name]["latency"] = found
    if args.shared:
        cache = args.cache or args.out.parent / "footage-cache"
        result["clips"] = footage.on_clips(args.shared, args.models, contract, args.every, cache)
        result["stills"] = footage.on_stills(args.shared, args.models, contract)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    text = report.tables(result)
    print(text)
    if args.readme:
        report.replace_section(args.readme, "evaluate", text)


def on_faces(args: argparse.Namespace) -> None:
    """Measures on labelled real faces through the product."""
    if not args.gazetool.exists():
        raise FileNotFoundError(
            f"no {args.gazetool}; build it with 'cargo build --release --bin gazetool' or name it "
            "with --gazetool"
        )
    result = real.measure(
        args.gazetool, args.models, args.faces, shlex.split(args.tool_options), args.picture
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")
    text = real.tables(result)
    print(text)
    if args.readme:
        report.replace_section(args.readme, "faces", text)


def processor() -> str:
    """What the CPU calls itself."""
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
