"""Angular errors summed up: mean, median, 95th percentile, and by pose."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from . import angles

#: Edges of the bins, degrees.
EDGES = np.arange(-75.0, 76.0, 15.0)


def summary(errors: np.ndarray) -> dict[str, float]:
    """Mean, p50 and p95 of errors (n,) in degrees."""
    return {
        "count": len(errors),
        "mean": float(errors.mean()),
        "p50": float(np.percentile(errors, 50)),
        "p95": float(np.percentile(errors, 95)),
    }


def constant(truth: np.ndarray) -> dict[str, float]:
    """Errors of always answering the mean direction of `truth` (n, 2): what is gained over it was
    learned from the pictures."""
    middle = angles.to_angles(angles.to_vectors(truth).mean(axis=0))
    return summary(angles.errors_degrees(middle, truth))


def by_bins(errors: np.ndarray, values: np.ndarray) -> list[dict[str, float]]:
    """Means by bins of `values` (n,) in degrees; bins without a sample are left out."""
    places = np.digitize(values, EDGES)
    rows = []
    for place in np.unique(places):
        chosen = errors[places == place]
        low = float(EDGES[place - 1]) if place > 0 else -180.0
        high = float(EDGES[place]) if place < len(EDGES) else 180.0
        rows.append({"from": low, "to": high, "count": len(chosen), "mean": float(chosen.mean())})
    return rows


def straightness(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """How answers (n, 2) follow the truth (n, 2), both in radians: error, bias, slope and r of pitch and
    yaw, degrees. Slope and r are left out where the truth does not vary."""
    result = summary(angles.errors_degrees(predicted, truth))
    for k, name in enumerate(("pitch", "yaw")):
        found, true = np.degrees(predicted[:, k]), np.degrees(truth[:, k])
        result[f"bias_{name}"] = float((found - true).mean())
        if true.std() > 1.0:
            result[f"slope_{name}"] = float(np.polyfit(true, found, 1)[0])
            result[f"r_{name}"] = float(np.corrcoef(true, found)[0, 1])
    return result


def report(predicted: np.ndarray, labels: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Everything about predictions (n, 2) of samples with `labels` (arrays of n, see `dataset`)."""
    truth = labels["gaze"]
    errors = angles.errors_degrees(predicted, truth)
    result: dict[str, object] = dict(summary(errors))
    result["constant"] = constant(truth)
    result["by_pitch"] = by_bins(errors, np.degrees(truth[:, 0]))
    result["by_yaw"] = by_bins(errors, np.degrees(truth[:, 1]))
    result["by_head_yaw"] = by_bins(errors, np.degrees(labels["head"][:, 1]))
    groups = {
        "infrared": labels["infrared"].astype(bool),
        "no glasses": labels["glasses"] == 0,
        "glasses": labels["glasses"] == 1,
        "sunglasses": labels["glasses"] == 2,
        "eyes open": labels["openness"].max(axis=1) >= 0.3,
    }
    result["groups"] = {
        name: summary(errors[chosen]) for name, chosen in groups.items() if chosen.any()
    }
    return result
