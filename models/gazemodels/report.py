"""Measured numbers as Markdown, and the marked sections that tools write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def markers(name: str) -> tuple[str, str]:
    """The comments around a section that a stage writes."""
    return f"<!-- {name}: begin, written by the tool -->", f"<!-- {name}: end -->"


def replace_section(path: Path, name: str, text: str) -> None:
    """Puts `text` between the markers of a file."""
    begin, end = markers(name)
    whole = path.read_text()
    if begin not in whole or end not in whole:
        raise ValueError(
            f"{path} has no section '{name}'; put the lines '{begin}' and '{end}' in it"
        )
    before, rest = whole.split(begin, 1)
    after = rest.split(end, 1)[1]
    path.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}")


def size(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1e6:.2f} MB"


def accuracy_table(models: Mapping[str, Mapping]) -> list[str]:
    """Error on held-out faces, loss against the first file, size, latency."""
    lines = [
        "| file | mean | p50 | p95 | loss mean | loss p95 | bar | size | CPU ms | of float32 |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for index, (name, row) in enumerate(models.items()):
        loss, bar = row["loss"], row["bar"]
        verdict = ""
        if bar is not None:
            verdict = f"{'meets' if loss['mean'] < bar else 'misses'} {bar:g}"
            verdict += "" if loss["p95"] < bar else ", p95 does not"
        losses = " | " if index == 0 else f"{loss['mean']:+.2f} | {loss['p95']:+.2f}"
        lines.append(
            f"| {name} | {row['mean']:.2f} | {row['p50']:.2f} | {row['p95']:.2f} | {losses} | "
            f"{verdict} | {size(row['bytes'])} | {row['latency']['ms']:.2f} | "
            f"{row['latency']['ratio']:.2f} |"
        )
    return lines


def agreement_table(found: Mapping[str, Mapping], first_column: str) -> list[str]:
    """One row for each thing that was compared with a reference."""
    lines = [
        f"| {first_column} | faces | r pitch | r yaw | angle between | offset pitch | offset yaw |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in found.items():
        lines.append(
            f"| {name} | {row['faces']} | {row['r_pitch']:+.2f} | {row['r_yaw']:+.2f} | "
            f"{row['angle']:.1f} | {row['offset_pitch']:+.1f} | {row['offset_yaw']:+.1f} |"
        )
    return lines


def tables(result: Mapping) -> str:
    """Everything that stage evaluate found, in degrees."""
    models = result["models"]
    first = next(iter(models))
    count = models[first]["count"]
    lines = [
        f"Held-out synthetic identities, {count} faces; angular errors in degrees. Latency: one image, "
        f"{result['threads']} thread(s), {result['processor']}, ONNX Runtime {result['onnxruntime']}, "
        "files taking turns; the last column is the median of ratios within a turn. Always answering the "
        f"mean direction of these faces errs by {models[first]['constant']['mean']:.2f} degrees.",
        "",
        *accuracy_table(models),
    ]
    if "clips" in result:
        clips = result["clips"]
        rows = {name: row["all"] for name, row in clips.items() if name != "reference_itself"}
        rows[f"{first}, reference averaged with its mirror image"] = clips[first]["all, averaged"]
        rows["the reference with its own mirror image"] = clips["reference_itself"]["all"]
        lines += [
            "",
            "Agreement with MobileGaze (MobileOne-S0) on real clips, all faces; r is Pearson's:",
            "",
            *agreement_table(rows, "file"),
            "",
            f"By clip, {first}:",
            "",
            *agreement_table(clips[first], "clip"),
            "",
            "The reference with its own mirror image, by clip:",
            "",
            *agreement_table(clips["reference_itself"], "clip"),
        ]
    if "stills" in result:
        stills = dict(result["stills"])
        rows = {f"{first} and {name}": row for name, row in stills[first].items()}
        rows["Intel's model and MobileGaze"] = stills["the two references"]["mobilegaze"]
        lines += ["", "Stored frames, two published models:", "", *agreement_table(rows, "pair")]
    return "\n".join(lines) + "\n"
