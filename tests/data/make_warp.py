#!/usr/bin/env python3
"""Makes warp.json and warp.bin: what OpenCV makes of synthetic pictures through a matrix.

    python3 tests/data/make_warp.py              (numpy, opencv-python-headless 5.0)

Sources are those of make_preprocess.py: noise, which the Rust tests compute as well. IPP is
switched off, so that the code is OpenCV's own. Older versions of OpenCV round positions to 1/32
pixel and make other pictures.
"""
import json
import os
import pathlib

os.environ["OPENCV_IPP"] = "disabled"

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from make_preprocess import noise  # noqa: E402


def similarity(centre, degrees, scale, target):
    """From a target to the source around a centre."""
    a = np.deg2rad(degrees)
    r = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    shift = np.array(centre) - r @ (np.array(target) - 1) / 2
    return np.vstack([np.column_stack([r, shift]), [0, 0, 1]])


CASES = [  # source width, height, target width, height, matrix from target to source
    (64, 48, 64, 48, np.eye(3)),
    (64, 48, 40, 30, np.array([[1, 0, 10.25], [0, 1, 7.75], [0, 0, 1]])),
    (91, 112, 36, 36, similarity((45, 50), 17, 1.9, (36, 36))),
    (91, 112, 36, 36, similarity((45, 50), -140, 0.37, (36, 36))),
    (64, 48, 33, 41, similarity((2, 45), 30, 1.2, (33, 41))),  # leaves the frame
    (320, 240, 40, 40, np.array([[3.1, 0.4, 60], [-0.2, 2.9, 40], [4e-4, -7e-4, 1]])),
    (320, 240, 45, 36, np.array([[9.0, 0.4, -60], [-0.2, 8.9, -40], [2e-3, 3e-3, 1]])),
    (5, 4, 20, 20, similarity((2, 2), 45, 0.4, (20, 20))),
]
BORDERS = {"replicate": cv2.BORDER_REPLICATE, "black": cv2.BORDER_CONSTANT}


def main():
    here = pathlib.Path(__file__).parent
    data, cases = bytearray(), []
    for width, height, to_width, to_height, matrix in CASES:
        picture = noise(width * height * 3).reshape(height, width, 3)
        for name, border in BORDERS.items():
            how = dict(flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border)
            size = (to_width, to_height)
            out = [cv2.warpPerspective(picture, matrix, size, **how)]
            if matrix[2].tolist() == [0, 0, 1]:
                out.append(cv2.warpAffine(picture, matrix[:2], size, **how))
            for result in out:
                cases.append(
                    dict(
                        source=[width, height],
                        target=[to_width, to_height],
                        matrix=matrix.tolist(),
                        border=name,
                        offset=len(data),
                    )
                )
                data += result.tobytes()
    index = dict(opencv=cv2.__version__, cases=cases)
    (here / "warp.json").write_text(json.dumps(index) + "\n")
    (here / "warp.bin").write_bytes(data)


if __name__ == "__main__":
    main()
