"""Random access to a folder of shards: labels in memory, pictures mapped from the files.

Shards are uncompressed npz files, so the bytes of `image` lie in one piece in the file and can be
mapped; the operating system's page cache decides what stays in memory, and several readers share it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

#: Arrays that are read at once; what each holds is said in `dataset`.
LABELS = (
    "gaze",
    "head",
    "openness",
    "landmarks",
    "irises",
    "lids",
    "identity",
    "infrared",
    "glasses",
    "photograph",
)

#: `identity % HELD_OUT == 0` is for validation.
HELD_OUT = 10


def map_member(path: Path, name: str) -> np.ndarray:
    """One array of an uncompressed npz file, mapped and read-only."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        info = archive.getinfo(f"{name}.npy")
        if info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{path}: '{name}' is compressed; write shards with numpy.savez")
        version = np.lib.format.read_magic(member)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(member)
        header = member.tell()
    # A zip entry starts with 30 fixed bytes, the name and an extra field, whose lengths stand at 26.
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        lengths = np.frombuffer(file.read(4), np.uint16)
    offset = info.header_offset + 30 + int(lengths.sum()) + header
    return np.memmap(path, dtype, "r", offset, shape, order="F" if fortran else "C")


class Reader:
    """All shards of a folder as one array of samples; more may be written while it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.known: list[Path] = []
        self.images: list[np.ndarray] = []
        self.starts = np.zeros(1, np.int64)
        self.labels: dict[str, np.ndarray] = {}
        self.refresh()
        if not self.known:
            raise FileNotFoundError(
                f"no shard-*.npz in {self.folder}; make some with 'python -m gazemodels synth'"
            )

    def refresh(self) -> None:
        """Takes in shards that were written since; samples keep their numbers, because new shards
        have higher ones."""
        fresh = sorted(set(self.folder.glob("shard-*.npz")) - set(self.known))
        if not fresh:
            return
        parts = {name: [self.labels[name]] if self.labels else [] for name in LABELS}
        for path in fresh:
            self.images.append(map_member(path, "image"))
            with np.load(path) as arrays:
                for name in LABELS:
                    parts[name].append(arrays[name])
        self.known += fresh
        self.labels = {name: np.concatenate(part) for name, part in parts.items()}
        self.starts = np.cumsum([0] + [len(images) for images in self.images])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def split(self, held_out: bool) -> np.ndarray:
        """Numbers of the samples for validation, or of those for training."""
        return np.flatnonzero((self.labels["identity"] % HELD_OUT == 0) == held_out)

    def pictures(self, numbers: np.ndarray) -> np.ndarray:
        """Stored crops (n, s, s, 3) uint8."""
        shards = np.searchsorted(self.starts, numbers, side="right") - 1
        return np.stack(
            [self.images[s][i - self.starts[s]] for s, i in zip(shards, numbers, strict=True)]
        )


def spread(numbers: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of `numbers`, evenly spread, always the same ones."""
    if len(numbers) <= count:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, count).astype(int)]
