#!/usr/bin/env python3
"""Compares the preprocessing of this crate with OpenCV, Pillow and GStreamer, in one run.

    python3 benches/compare_preprocess.py        (numpy, opencv-python-headless, pillow, gst-launch-1.0)

In every row, one thread turns a face of 300x400 in a 1920x1080 frame (for a detector the whole frame) into
the input of a model. Every time is the fastest of many runs, which other work of the machine disturbs
least: for this crate of criterion's samples, for OpenCV and Pillow of the runs here. For GStreamer it is the
processor time of a long pipeline minus that of a short one, minus the same without the elements. The ratio
says how many times faster this crate is.
"""
import json
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

import cv2
import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 1920, 1080
X, Y, W, H = 810, 202, 300, 400
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def fastest_us(work, seconds=2.0):
    work()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def normalise(rgb):
    """The code of the publishers."""
    values = (rgb.astype(np.float32) / 255.0 - MEAN) / STD
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def normalise_blob(rgb):
    """The fastest way in OpenCV: one native pass, then one division per channel."""
    blob = cv2.dnn.blobFromImage(rgb, 1 / 255.0, mean=(MEAN * 255).tolist(), swapRB=False)
    blob /= STD[None, :, None, None]
    return blob


def frames():
    i = np.arange(WIDTH * HEIGHT * 3, dtype=np.int64)
    shade = lambda row, count: ((i[:count] % row) // 8 + i[:count] // row // 8 + i[:count] ** 2 % 7).astype(np.uint8)
    luma = shade(WIDTH, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    chroma = shade(WIDTH, WIDTH * HEIGHT // 2).reshape(HEIGHT // 2, WIDTH // 2, 2)
    return luma, chroma, shade(WIDTH * 3, WIDTH * HEIGHT * 3).reshape(HEIGHT, WIDTH, 3)


def pillow(rgb, side):
    return np.asarray(Image.fromarray(rgb).resize((side, side), Image.BILINEAR))


def python_rows(luma, chroma, bgr):
    """Yields the name of our bench, the competitor and its work."""
    nv12 = lambda: cv2.cvtColorTwoPlane(
        luma[Y : Y + H, X : X + W], chroma[Y // 2 : (Y + H) // 2, X // 2 : (X + W) // 2], cv2.COLOR_YUV2RGB_NV12
    )
    from_bgr = lambda: cv2.cvtColor(bgr[Y : Y + H, X : X + W], cv2.COLOR_BGR2RGB)
    for name, crop in (("nv12", nv12), ("bgr", from_bgr)):
        for side in (448, 224):
            resize = lambda how, c=crop, s=side: cv2.resize(c(), (s, s), interpolation=how)
            linear, cubic = cv2.INTER_LINEAR, cv2.INTER_CUBIC
            row = f"{name}-face-linear-{side}"
            yield row, "OpenCV, numpy", lambda r=resize: normalise(r(linear))
            yield row, "OpenCV, blobFromImage", lambda r=resize: normalise_blob(r(linear))
            row = f"{name}-face-cubic-{side}"
            yield row, "OpenCV (IPP), blobFromImage", lambda r=resize: normalise_blob(r(cubic))
            row = f"{name}-face-pil-{side}"
            yield row, "Pillow, blobFromImage", lambda c=crop, s=side: normalise_blob(pillow(c(), s))

    def detector(convert):
        image = np.zeros((640, 640, 3), np.uint8)
        image[:360] = cv2.resize(convert(), (640, 360))
        return normalise_blob(image)

    whole = lambda: cv2.cvtColorTwoPlane(luma, chroma, cv2.COLOR_YUV2RGB_NV12)
    yield "nv12-frame-linear-640", "OpenCV, blobFromImage", lambda: detector(whole)
    yield "bgr-frame-linear-640", "OpenCV, blobFromImage", lambda: detector(lambda: cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
    yield "nv12-face-bytes-448", "OpenCV, bytes", lambda: cv2.resize(nv12(), (448, 448))


def launch_seconds(pipeline):
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    start = used()
    subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], check=True, stdout=subprocess.DEVNULL)
    return used() - start


def gstreamer_us(elements, raw):
    """Microseconds per buffer of `elements`, without start-up and without the empty pipeline."""
    source = (
        f"filesrc location={raw} blocksize={WIDTH * HEIGHT * 3 // 2} ! rawvideoparse format=nv12 width={WIDTH} "
        f"height={HEIGHT} framerate=30/1 ! imagefreeze num-buffers=%d ! "
    )

    def slope(middle):
        few, many = 50, 1050
        each = lambda n: min(launch_seconds(source % n + middle + "fakesink sync=false") for _ in range(3))
        return (each(many) - each(few)) / (many - few) * 1e6

    return slope(elements) - slope("")


def gstreamer_rows(luma, chroma, folder):
    raw = pathlib.Path(folder) / "frame.nv12"
    raw.write_bytes(luma.tobytes() + chroma.tobytes())
    crop = f"videocrop left={X} top={Y} right={WIDTH - X - W} bottom={HEIGHT - Y - H} ! "
    caps = "video/x-raw,format=RGB,width=448,height=448,pixel-aspect-ratio=1/1 ! "
    # add-borders=false stretches, as our bench does.
    one = crop + "videoconvertscale add-borders=false ! " + caps
    two = crop + "videoconvert ! video/x-raw,format=RGB ! videoscale add-borders=false ! " + caps
    yield "nv12-face-bytes-448", "videocrop ! videoconvertscale", gstreamer_us(one, raw)
    yield "nv12-face-bytes-448", "videocrop ! videoconvert ! videoscale", gstreamer_us(two, raw)


def ours_us(name):
    sample = json.loads((ROOT / "target/criterion/preprocess" / name / "new/sample.json").read_text())
    return min(time / runs for time, runs in zip(sample["times"], sample["iters"])) / 1e3


def main():
    cv2.setNumThreads(1)
    command = ["cargo", "bench", "--no-default-features", "--bench", "preprocess", "--", "--warm-up-time", "0.5", "--measurement-time", "2"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    luma, chroma, bgr = frames()
    rows = [(name, other, fastest_us(work)) for name, other, work in python_rows(luma, chroma, bgr)]
    if shutil.which("gst-launch-1.0"):
        with tempfile.TemporaryDirectory() as folder:
            rows += gstreamer_rows(luma, chroma, folder)
    print("| case | ours, µs | against | µs | ratio |\n|---|---:|---|---:|---:|")
    for name, other, other_us in rows:
        own = ours_us(name)
        print(f"| {name} | {own:.0f} | {other} | {other_us:.0f} | {other_us / own:.1f} |")


if __name__ == "__main__":
    main()
