"""What several tests share: a small dataset and a network that was trained on it for a moment."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch

import crude
from gazemodels import train


def arguments(module, *words: str) -> argparse.Namespace:
    """Parsed arguments of a stage."""
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(list(words))


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for index in range(4):
        crude.write_shard(folder, index, 40)
    return folder


@pytest.fixture(scope="session")
def checkpoint(data, tmp_path_factory) -> Path:
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("run")
    train.run(
        arguments(train, "--data", str(data), "--out", str(out), "--steps", "30", "--batch", "32")
    )
    return out / train.CHECKPOINT
