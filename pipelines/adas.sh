#!/usr/bin/env bash
# Estimates gaze from eye crops and the head pose (Intel's gaze-estimation-adas-0002):
#   pipelines/adas.sh [VIDEO]
# writes out/adas.jsonl, one line per frame, and out/adas.mp4 (or .webm), which shows the gaze. In the
# default clip a man looks left, right, up and down (udacity_demo.mp4, 595 frames): each line has one
# face; frame 100 has a pitch of about -0.36 and a yaw of about +0.3 rad (down, and to the image's left).
# FACE_MODEL, LANDMARK_MODEL, HEAD_POSE_MODEL and GAZE_MODEL name the models. Those that are unset are in
# the folder MODELS: face/yunet_n_dynamic.onnx, landmarks/pfld_98.onnx,
# landmarks/head-pose-estimation-adas-0001.onnx, gaze/gaze-estimation-adas-0002.onnx.
set -euo pipefail
# Relative paths are relative to the caller's folder: resolve them before cd.
[ $# -eq 0 ] || set -- "$(realpath -m "$1")"
MODELS=${MODELS:+$(realpath -m "$MODELS")}
FACE_MODEL=${FACE_MODEL:+$(realpath -m "$FACE_MODEL")}
LANDMARK_MODEL=${LANDMARK_MODEL:+$(realpath -m "$LANDMARK_MODEL")}
HEAD_POSE_MODEL=${HEAD_POSE_MODEL:+$(realpath -m "$HEAD_POSE_MODEL")}
GAZE_MODEL=${GAZE_MODEL:+$(realpath -m "$GAZE_MODEL")}
cd "$(dirname "$0")/.."
. pipelines/setup.sh
. pipelines/video.sh

given=../shared
video=${1:-$given/media/udacity_demo.mp4}
models=${MODELS:-$given/models}
face=${FACE_MODEL:-$models/face/yunet_n_dynamic.onnx}
landmarks=${LANDMARK_MODEL:-$models/landmarks/pfld_98.onnx}
head_pose=${HEAD_POSE_MODEL:-$models/landmarks/head-pose-estimation-adas-0001.onnx}
gaze=${GAZE_MODEL:-$models/gaze/gaze-estimation-adas-0002.onnx}
for file in "$video" "$face" "$landmarks" "$head_pose" "$gaze"; do
    if [ ! -f "$file" ]; then
        echo "adas: cannot find $file" >&2
        echo "usage: [MODELS=FOLDER] [FACE_MODEL=FILE] [LANDMARK_MODEL=FILE] [HEAD_POSE_MODEL=FILE]" \
            "[GAZE_MODEL=FILE] $0 [VIDEO]" >&2
        exit 2
    fi
done

gaze_build
gaze_look_into "$video"
gaze_upright
gaze_choose_encoders
mkdir -p out
# Written aside: a run that fails leaves the last result whole.
aside=$(mktemp -d out/.adas.XXXXXX)
trap 'rm -rf "$aside"' EXIT
gaze_write_video "$aside/adas.$gaze_suffix"

gst-launch-1.0 -q \
    filesrc location="$video" ! decodebin name=decoded ! "${gaze_frames[@]}" ! \
    gazeface engine="$face" landmark-engine="$landmarks" head-pose-engine="$head_pose" ! \
    gazeinfer engine="$gaze" ! \
    gazepublish location="$aside/adas.jsonl" ! gazeoverlay ! queue max-size-buffers=4 ! \
    "${gaze_writer[@]}"
mv "$aside/adas.$gaze_suffix" "$aside/adas.jsonl" out/

wc -l out/adas.jsonl
