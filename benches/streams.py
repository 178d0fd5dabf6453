"""Memory and throughput of 1, 4 and 16 streams in one process, with and without a shared session.

    . pipelines/setup.sh && cargo build --release --lib && gaze_use_build release
    python3 benches/streams.py

Each stream passes test frames of 320x240 through the embedded gaze model. Memory is the largest resident
size of the process; each row is a process of its own, and the rows of a round take turns.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

MODES = {
    "shared": lambda number: "",
    "gathered, 5 ms": lambda number: "batch-size=16 batch-timeout=5",
    "one session each": lambda number: f"model-instance-id={number}",
}


def measure(streams: int, frames: int, mode: str) -> tuple[float, float]:
    """Frames a second of all streams, and megabytes."""
    words = ["gst-launch-1.0", "-q"]
    for number in range(streams):
        words += (
            f"videotestsrc num-buffers={frames} pattern=ball ! video/x-raw,format=NV12,width=320,"
            "height=240 ! queue ! gazeinfer inference-region=full-frame qos=false threads=1 "
            f"{MODES[mode](number)} ! fakesink sync=false"
        ).split()
    begin = time.monotonic()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - begin
    if status:
        sys.exit(f"streams: gst-launch-1.0 ended with {status}")
    return streams * frames / seconds, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=960, help="frames of all streams together")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    rows = [(streams, mode) for streams in (1, 4, 16) for mode in MODES]
    found = {row: [] for row in rows}
    for _ in range(args.rounds):
        for streams, mode in rows:
            found[streams, mode].append(measure(streams, args.frames // streams, mode))
    print("| streams | session | MB | frames/s, all together |\n|---|---|---|---|")
    for (streams, mode), values in found.items():
        rate, memory = (statistics.median(column) for column in zip(*values))
        print(f"| {streams} | {mode} | {memory:.0f} | {rate:.0f} |")


if __name__ == "__main__":
    main()
