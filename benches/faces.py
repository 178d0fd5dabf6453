#!/usr/bin/env python3
"""Counts faces per detector, with the element gazeface, on real clips and images.

    python3 benches/faces.py [--frames 60]

Needs gst-launch-1.0, the plugin in GST_PLUGIN_PATH, an ONNX Runtime in GAZE_ORT_LIBRARY, and media
and models in $GAZE_SHARED or ../shared. Prints the number of faces of an image, and of a clip the mean over
its first frames with minimum and maximum. All properties have their defaults; a detector that does not open
is an error.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("GAZE_SHARED", HERE / "../../shared")).resolve()
DETECTORS = {
    "embedded": None,
    "YuNet": "yunet_n_dynamic",
    "SCRFD": "scrfd_500m_bnkps",
    "UltraFace": "ultraface_rfb_320",
    "RetinaFace": "retinaface_640x640_opt",
    "BlazeFace": "blazeface_back_256",
}
GAZE = HERE.parent / "tests/data"


def counts(media, model, frames):
    """The number of faces of each frame."""
    engine = f"engine={SHARED / 'models/face' / model}.onnx" if model else ""
    with tempfile.TemporaryDirectory() as folder:
        lines = pathlib.Path(folder) / "faces.jsonl"
        subprocess.run(
            f"gst-launch-1.0 -q filesrc location={media} ! decodebin ! videoconvert ! "
            f"video/x-raw,format=RGB ! identity eos-after={frames + 1} ! "
            f"gazeface {engine} qos=false tracking=false ! "
            f"gazeinfer engine={GAZE}/regression.onnx profile={GAZE}/regression.toml qos=false ! "
            f"gazepublish location={lines} add-empty-results=true queue-size=4096 ! fakesink",
            shell=True, check=True, stdout=subprocess.DEVNULL,
        )
        # After the end the decoder passes on frames out of order.
        lines = lines.read_text().splitlines()[:frames]
        return [len(json.loads(line)["faces"]) for line in lines]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=60)
    frames = parser.parse_args().frames
    print("| media | " + " | ".join(DETECTORS) + " |")
    print("|---|" + "---:|" * len(DETECTORS))
    for entry in sorted(json.loads((SHARED / "media/manifest.json").read_text()), key=lambda e: e["file"]):
        cells = []
        for model in DETECTORS.values():
            found = counts(SHARED / "media" / entry["file"], model, frames)
            if len(found) == 1:
                cells.append(str(found[0]))
            else:
                cells.append(f"{sum(found) / len(found):.2f} ({min(found)}-{max(found)})")
        print(f"| {entry['file']} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
