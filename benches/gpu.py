#!/usr/bin/env python3
"""Times frames in CUDA memory: preprocessing on the GPU against a download to the CPU.

    . pipelines/setup.sh && gaze_use_build release
    python3 benches/gpu.py [--engine MODEL.onnx] [--frames N] [--faces N]

Needs an NVIDIA GPU, GStreamer's nvcodec plugin (cudaupload, cudadownload), python3-gst, and a
GAZE_ORT_LIBRARY with the CUDA provider. Prints a table for benches/README.md. Every row runs the same
model on CUDA, in turns, and pushes one uploaded frame again and again, so that the time has neither source
nor decoder:

    gpu       frames stay on the GPU, a kernel preprocesses
    graph     the same with CUDA graphs
    download  cudadownload, the CPU preprocesses and copies tensors to the GPU
"""
import argparse
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402, F401  (GstApp gives appsrc its methods)

WAYS = {
    "gpu": ("", ""),
    "graph": ("", 'provider-options="enable_cuda_graph=true"'),
    "download": ("cudadownload !", ""),
}
ROUNDS = 3


def uploaded(width: int, height: int) -> Gst.Sample:
    """One frame in CUDA memory."""
    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers=1 ! video/x-raw,format=NV12,width={width},height={height} ! "
        "cudaupload ! appsink name=sink sync=false"
    )
    pipeline.set_state(Gst.State.PLAYING)
    sample = pipeline.get_by_name("sink").emit("pull-sample")
    pipeline.set_state(Gst.State.NULL)
    if sample is None:
        raise SystemExit("cudaupload gave no frame: this needs an NVIDIA GPU")
    return sample


def faces(buffer: Gst.Buffer, width: int, height: int, count: int) -> Gst.Buffer:
    """The same frame with regions of interest, as from a detector."""
    gi.require_version("GstVideo", "1.0")
    from gi.repository import GstVideo

    copy = buffer.copy()
    side = height // 3
    for index in range(count):
        left = (width - side) * index // max(count - 1, 1)
        GstVideo.buffer_add_video_region_of_interest_meta(copy, "face", left, side, side, side)
    return copy


def run(way: str, sample: Gst.Sample, frames: int, count: int, engine: str) -> tuple[float, dict]:
    """Frames per second, and the statistics of the element."""
    before, options = WAYS[way]
    model = f'engine="{engine}"' if engine else ""
    pipeline = Gst.parse_launch(
        f"appsrc name=source format=time max-buffers=8 block=true ! {before} "
        f"gazeinfer name=gaze execution-provider=cuda batch-size={count} {model} {options} ! "
        "fakesink sync=false"
    )
    caps = sample.get_caps()
    width, height = (caps.get_structure(0).get_value(side) for side in ("width", "height"))
    source, gaze = pipeline.get_by_name("source"), pipeline.get_by_name("gaze")
    source.set_property("caps", caps)
    buffer = faces(sample.get_buffer(), width, height, count)
    pipeline.set_state(Gst.State.PLAYING)

    def push(number: int) -> None:
        for index in range(number):
            frame = buffer.copy()
            frame.pts = index * Gst.SECOND // 60
            source.emit("push-buffer", frame)

    push(30)  # warms up the kernel and the model
    while gaze.get_property("stats").get_uint64("frames")[1] < 30:
        time.sleep(0.01)
    begin = time.monotonic()
    push(frames)
    source.emit("end-of-stream")
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    seconds = time.monotonic() - begin
    if message.type == Gst.MessageType.ERROR:
        raise SystemExit(message.parse_error())
    stats = gaze.get_property("stats")
    names = ("gpu-pictures", "inferences", "latency-p50", "latency-p95")
    facts = {name: stats.get_uint64(name)[1] for name in names}
    pipeline.set_state(Gst.State.NULL)
    return frames / seconds, facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="", help="gaze model; default: the embedded one")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--faces", type=int, default=1)
    arguments = parser.parse_args()
    Gst.init(None)
    print("| frame | way | frames a second | p50, ms | p95, ms |\n|---|---|---:|---:|---:|")
    for width, height in [(1920, 1080), (3840, 2160)]:
        sample = uploaded(width, height)
        best: dict[str, tuple[float, dict]] = {}
        for _ in range(ROUNDS):
            for way in WAYS:
                got = run(way, sample, arguments.frames, arguments.faces, arguments.engine)
                if way not in best or got[0] > best[way][0]:
                    best[way] = got
        for way, (rate, facts) in best.items():
            on_gpu = facts["gpu-pictures"] > 0
            if on_gpu != (way != "download"):
                raise SystemExit(f"{way}: the GPU preprocessed {facts['gpu-pictures']} crops")
            p50, p95 = (facts[f"latency-{p}"] / 1e6 for p in ("p50", "p95"))
            print(f"| {width}x{height} | {way} | {rate:.0f} | {p50:.2f} | {p95:.2f} |")


if __name__ == "__main__":
    main()
