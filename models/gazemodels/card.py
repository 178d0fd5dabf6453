"""Stage `card`: the model card, from what was measured and nothing else."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from . import real, report
from .contract import CONTRACTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--metrics", type=Path, required=True, help="metrics.json of the training")
    parser.add_argument("--evaluation", type=Path, required=True, help="what stage evaluate wrote")
    parser.add_argument("--faces", type=Path, help="what 'evaluate --faces' wrote")
    parser.add_argument("--data", type=Path, help="folder of shards, for its meta.json")
    parser.add_argument("--out", type=Path, required=True, help="the .md file to write")


def read(path: Path, stage: str) -> dict:
    """A JSON file that another stage wrote."""
    if not path.exists():
        raise FileNotFoundError(f"no {path}; 'gazemodels {stage}' writes it")
    return json.loads(path.read_text())


def bins(rows: list[Mapping], name: str) -> list[str]:
    """Errors by an angle."""
    return [
        f"| {name} | " + " | ".join(f"{row['from']:.0f}..{row['to']:.0f}" for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
        "| error | " + " | ".join(f"{row['mean']:.1f}" for row in rows) + " |",
        "| faces | " + " | ".join(str(row["count"]) for row in rows) + " |",
    ]


def real_footage(evaluation: Mapping, first: str) -> list[str]:
    """What can honestly be said about real faces."""
    if "clips" not in evaluation:
        return ["Not measured on real footage: the evaluation was run without any."]
    ours = evaluation["clips"][first]["all"]
    ceiling = evaluation["clips"]["reference_itself"]["all"]
    return [
        "Where the people on the real clips look was not measured, so there is no error in degrees for "
        "them. Compared with MobileGaze (MobileOne-S0, trained on Gaze360) on "
        f"{ours['faces']} faces: r = {ours['r_pitch']:.2f} for pitch and {ours['r_yaw']:.2f} for yaw, "
        f"{ours['angle']:.1f} degrees between the two on average. That model compared with its own "
        f"answers for mirrored crops: r = {ceiling['r_pitch']:.2f} and {ceiling['r_yaw']:.2f}, "
        f"{ceiling['angle']:.1f} degrees.",
        "",
        "The people in those clips are few and well lit, and none drives a car.",
    ]


#: Networks that learn from photographs too.
OF_PHOTOGRAPHS = ("face-and-eyes",)


def sources(net: str, faces: int) -> list[str]:
    """What went into the training."""
    rendered = (
        f"{faces} images made by stage `synth` from MakeHuman's base mesh, morph targets, eyes and "
        "skins (CC0)"
    )
    if net not in OF_PHOTOGRAPHS:
        return [
            f"- Only rendered faces: {rendered}. No photograph of a person, no weights or outputs of "
            "another model were used in training."
        ]
    return [
        f"- Rendered faces: {rendered}.",
        "- Official portraits of members of the United States Congress (Government Printing Office, "
        "public domain), as they are and with their irises moved; every fifth person held out.",
        "- On the portraits, irises, lids, landmarks and openness as MediaPipe's face landmarker finds "
        "them (Apache-2.0), learned along with the gaze. None of its weights were used.",
    ]


def outputs(net: str) -> str:
    """What a network gives beside the gaze."""
    if net not in OF_PHOTOGRAPHS:
        return ""
    return (
        " Further outputs: `spread` [n, 2], one standard deviation of each in radians; `landmarks` "
        "[n, 10], x and y of eyes, nose and corners of the mouth in 0..1 of the crop; `head` [n, 3], "
        "pitch, yaw and roll in the same frame; `openness` [n, 2], 0 closed to 1 open, the eye on the "
        "image's left first."
    )


def card(metrics: Mapping, evaluation: Mapping, meta: Mapping, faces_found: Mapping) -> str:
    """The card's text."""
    contract = CONTRACTS[metrics["net"]]
    models = evaluation["models"]
    first = next(iter(models))
    row = models[first]
    groups = row["groups"]
    faces = meta.get("count", evaluation["images"])
    lines = [
        f"# {contract.name}",
        "",
        "Where a face looks, from one picture of it. Written by `python -m gazemodels card` from "
        "measured numbers.",
        "",
        "## What it is",
        "",
        f"- Input `image` [n, 3, {contract.side}, {contract.side}], RGB; the crop is the square about "
        f"the face's box, {contract.margin * 100:.0f} % wider. Output `gaze` [n, 2]: pitch and yaw in "
        "radians, positive is up and towards the image's left, in the frame of the ray from the camera "
        "to the middle of the face's box. The file's metadata say the same to the plugin."
        + outputs(metrics["net"]),
        f"- {metrics['parameters'] / 1e6:.2f} M parameters, {metrics['flops'] / 1e9:.3f} GFLOPs (two "
        "for a multiply-add).",
        f"- Trained for {metrics['steps']} steps, {metrics['minutes']:.0f} minutes, on "
        f"{metrics['images']} rendered faces, from random weights.",
        "",
        "## Data and licence",
        "",
        *sources(metrics["net"], faces),
        "- Weights: the project's licence (MIT or Apache-2.0).",
        "- Published models and real clips were used to measure, not to train.",
        "",
        "## Accuracy on faces of identities that were not trained on (synthetic)",
        "",
        *report.accuracy_table(models),
        "",
        f"{row['count']} faces; degrees. By true yaw and pitch, and by head yaw, {first}:",
        "",
        *bins(row["by_yaw"], "yaw"),
        "",
        *bins(row["by_pitch"], "pitch"),
        "",
        *bins(row["by_head_yaw"], "head yaw"),
        "",
        "| group | faces | mean | p95 |",
        "|---|---|---|---|",
        *(
            f"| {name} | {found['count']} | {found['mean']:.1f} | {found['p95']:.1f} |"
            for name, found in groups.items()
        ),
        "",
        "## Accuracy on real faces",
        "",
        *([real.tables(faces_found)] if faces_found else []),
        *real_footage(evaluation, first),
        "",
        "## Limits",
        "",
        "- It learned from rendered faces. Masks, hats, hands before the face and children are not in "
        "the data; rendered skin and hair differ from real ones in ways that a network may rely on.",
        "- With closed eyes or dark sunglasses it guesses from the head.",
        *(
            []
            if metrics["net"] in OF_PHOTOGRAPHS
            else ["- It has no notion of its own uncertainty."]
        ),
        "- It is not calibrated to a person: the eye's visual axis differs from its optical axis by some "
        "five degrees, differently from person to person.",
        "- Not validated for any safety function. Measure it on footage of your own cameras first.",
        "",
    ]
    return "\n".join(lines)


def run(args: argparse.Namespace) -> None:
    """Writes the card."""
    metrics = read(args.metrics, "train")
    evaluation = read(args.evaluation, "evaluate")
    meta = read(args.data / "meta.json", "synth") if args.data else {}
    faces = read(args.faces, "evaluate --faces") if args.faces else {}
    args.out.write_text(card(metrics, evaluation, meta, faces))
    print(f"{args.out}")
