#!/usr/bin/env python3
"""Makes preprocess.json and preprocess.bin: what OpenCV and Pillow make of synthetic pictures.

    python3 tests/data/make_preprocess.py        (numpy, opencv-python-headless, pillow)

Sources are not stored: byte `i` of a picture is `noise(i)`, which the Rust tests compute as well.
Noise is the hardest picture for rounding: no two neighbours agree. IPP is switched off so that
INTER_CUBIC is OpenCV's own code (with IPP one value in 25 differs by one grey level); linear does
not depend on it. Pillow is asked for one direction at a time, columns first: up to version 12 it
did so itself, and the models there are were made with it; version 13 takes the rows first where
the height shrinks more (its pull request 9549), and bytes are rounded between the two.
"""
import json
import os
import pathlib

os.environ["OPENCV_IPP"] = "disabled"

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import PIL  # noqa: E402
from PIL import Image  # noqa: E402


def noise(count):
    """One xorshift32 round over each index (Marsaglia 2003), its second highest byte."""
    x = np.arange(1, count + 1, dtype=np.uint64) * 2654435769 & 0xFFFFFFFF
    x ^= x << 13 & 0xFFFFFFFF
    x ^= x >> 17
    x ^= x << 5 & 0xFFFFFFFF
    return (x >> 16 & 0xFF).astype(np.uint8)


RESIZES = [  # source width, height, target width, height
    (64, 48, 32, 24),    # exactly half in both: OpenCV takes its area code for linear
    (64, 15, 32, 20),    # half in one direction only
    (91, 112, 28, 28),   # an ordinary face, smaller
    (13, 9, 40, 33),     # enlarged
    (640, 360, 20, 16),  # extreme
    (37, 91, 30, 30),
    (20, 20, 20, 20),    # the same size
    (1, 1, 5, 3),
    (1, 50, 8, 8),
    (50, 2, 7, 9),
    (448, 2, 45, 3),     # just under a tenth
]


def pil_bilinear(picture, size):
    columns = Image.fromarray(picture).resize((size[0], picture.shape[0]), Image.BILINEAR)
    return np.asarray(columns.resize(size, Image.BILINEAR))


METHODS = {
    "opencv-linear": lambda im, size: cv2.resize(im, size, interpolation=cv2.INTER_LINEAR),
    "opencv-cubic": lambda im, size: cv2.resize(im, size, interpolation=cv2.INTER_CUBIC),
    "pil-bilinear": pil_bilinear,
}
WIDTH, HEIGHT = 24, 16


def yuv420(code):
    return cv2.cvtColor(noise(WIDTH * HEIGHT * 3 // 2).reshape(-1, WIDTH), code)


def yuv422(code):
    return cv2.cvtColor(noise(WIDTH * HEIGHT * 2).reshape(HEIGHT, WIDTH, 2), code)


COLOURS = {
    "nv12": lambda: yuv420(cv2.COLOR_YUV2RGB_NV12),
    "nv21": lambda: yuv420(cv2.COLOR_YUV2RGB_NV21),
    "i420": lambda: yuv420(cv2.COLOR_YUV2RGB_I420),
    "yv12": lambda: yuv420(cv2.COLOR_YUV2RGB_YV12),
    "yuy2": lambda: yuv422(cv2.COLOR_YUV2RGB_YUY2),
    "uyvy": lambda: yuv422(cv2.COLOR_YUV2RGB_UYVY),
    "rgb-to-gray": lambda: cv2.cvtColor(
        noise(WIDTH * HEIGHT * 3).reshape(HEIGHT, WIDTH, 3), cv2.COLOR_RGB2GRAY
    ),
}


def main():
    here = pathlib.Path(__file__).parent
    data, resizes, colours = bytearray(), [], []
    for width, height, to_width, to_height in RESIZES:
        picture = noise(width * height * 3).reshape(height, width, 3)
        for method, resize in METHODS.items():
            out = resize(picture, (to_width, to_height))
            assert out.shape == (to_height, to_width, 3) and out.dtype == np.uint8
            resizes.append(
                dict(method=method, source=[width, height], target=[to_width, to_height], offset=len(data))
            )
            data += out.tobytes()
    for name, convert in COLOURS.items():
        colours.append(dict(name=name, offset=len(data)))
        data += convert().tobytes()
    index = dict(
        opencv=cv2.__version__, pillow=PIL.__version__, colour_size=[WIDTH, HEIGHT], resizes=resizes, colours=colours
    )
    (here / "preprocess.json").write_text(json.dumps(index, indent=1) + "\n")
    (here / "preprocess.bin").write_bytes(data)


if __name__ == "__main__":
    main()
