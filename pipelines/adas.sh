#!/usr/bin/env bash
# Estimates gaze from eye crops and the head pose (Intel's gaze-estimation-adas-0002):
#   pipelines/adas.sh [VIDEO]
# writes out/adas.jsonl, one line per frame. In the default clip a man looks left, right, up and down
# (udacity_demo.mp4, 595 frames): each line has one face; frame 100 has a pitch of about -0.36 and a yaw
# of about +0.3 rad (down, and to the image's left).
# MODELS names the folder with face/, landmarks/ and gaze/.
set -euo pipefail
# Relative paths are relative to the caller's folder: resolve them before cd.
[ $# -eq 0 ] || set -- "$(realpath -m "$1")"
MODELS=${MODELS:+$(realpath -m "$MODELS")}
cd "$(dirname "$0")/.."
. pipelines/setup.sh

given=../shared
video=${1:-$given/media/udacity_demo.mp4}
models=${MODELS:-$given/models}
for file in "$video" "$models"/{face/yunet_n_dynamic,landmarks/pfld_98,gaze/gaze-estimation-adas-0002}.onnx; do
    if [ ! -f "$file" ]; then
        echo "adas: cannot find $file" >&2
        echo "usage: [MODELS=FOLDER] $0 [VIDEO]" >&2
        exit 2
    fi
done

cargo build --release --lib
gaze_use_build release
mkdir -p out

gst-launch-1.0 -q \
    filesrc location="$video" ! decodebin ! videoconvert ! \
    gazeface engine="$models/face/yunet_n_dynamic.onnx" qos=false \
        landmark-engine="$models/landmarks/pfld_98.onnx" \
        head-pose-engine="$models/landmarks/head-pose-estimation-adas-0001.onnx" ! \
    gazeinfer engine="$models/gaze/gaze-estimation-adas-0002.onnx" qos=false ! \
    gazepublish location=out/adas.jsonl ! fakesink sync=false

wc -l out/adas.jsonl
