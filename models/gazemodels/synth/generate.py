"""A dataset, shard by shard, by several processes."""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from pathlib import Path

from tqdm import tqdm

from .. import __version__, dataset
from ..reader import HELD_OUT
from .studio import PER_IDENTITY, Studio

#: Changes when the same seed and number would give another picture.
RECIPE = 2


def generate(assets: Path, folder: Path, seed: int, count: int, jobs: int) -> None:
    """Makes the shards that are missing. A shard depends on the seed and its number alone, whichever process
    makes it and whenever."""
    dataset.open_folder(
        folder,
        {
            "seed": seed,
            "size": dataset.SIDE,
            "version": __version__,
            "recipe": RECIPE,
            "count": count,
            "shard": dataset.SHARD,
            "per_identity": PER_IDENTITY,
            "split": f"identity % {HELD_OUT} == 0 is for validation",
        },
    )
    # A shard that was cut short by a smaller count is made again when the set grows.
    tail, rest = divmod(count, dataset.SHARD)
    shards = range(math.ceil(count / dataset.SHARD))
    missing = [k for k in shards if not dataset.shard_path(folder, k).exists()]
    if rest and tail not in missing and len(dataset.read_shard(folder, tail)["gaze"]) != rest:
        missing.append(tail)
    if not missing:
        print(f"{folder}: all {count} pictures are there")
        return
    sizes = [(k, min(dataset.SHARD, count - k * dataset.SHARD)) for k in missing]
    context = multiprocessing.get_context("spawn")
    tasks, done = context.Queue(), context.Queue()
    for task in sizes:
        tasks.put(task)
    for _ in range(jobs):
        tasks.put(None)
    workers = [
        context.Process(target=work, args=(assets, folder, seed, tasks, done), daemon=True)
        for _ in range(jobs)
    ]
    for worker in workers:
        worker.start()
    total = sum(size for _, size in sizes)
    with tqdm(total=total, unit="image", smoothing=0.02) as progress:
        while progress.n < total:
            try:
                progress.update(done.get(timeout=5.0))
            except multiprocessing.queues.Empty:
                failed = [w for w in workers if w.exitcode not in (None, 0)]
                if failed:
                    raise RuntimeError(
                        f"a process ended with {failed[0].exitcode}; its message is above"
                    ) from None
    for worker in workers:
        worker.join()


def work(assets: Path, folder: Path, seed: int, tasks, done) -> None:
    """One process: takes shards until there is none left, or the parent is gone."""
    # Mesa's own threads would compete with the other processes.
    os.environ.setdefault("LP_NUM_THREADS", "0")
    studio = Studio(assets, seed)
    parent = multiprocessing.parent_process()
    while (task := tasks.get()) is not None:
        index, size = task
        start = index * dataset.SHARD
        samples, said = [], time.monotonic()
        waiting = 0
        for number in range(start, start + size):
            # A parent that a signal ends does not end its processes.
            if parent is not None and not parent.is_alive():
                return
            samples.append(studio.picture(number).sample())
            waiting += 1
            if time.monotonic() - said > 1.0:
                done.put(waiting)
                waiting, said = 0, time.monotonic()
        dataset.write_shard(folder, index, samples)
        done.put(waiting)
