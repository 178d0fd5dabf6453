#!/usr/bin/env bash
# The pipeline of the GazeCapsNet article, with gazeinfer in place of its second nvinfer:
#   pipelines/deepstream/article.sh FACE_DETECTOR.txt [/dev/video0]
# FACE_DETECTOR.txt configures nvinfer as a face detector with gie-unique-id=1. ENGINE names a TensorRT
# engine, and BATCH its batch size (default 1); without ENGINE the embedded model runs. Written from the
# documentation, untested on NVIDIA's own libraries.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
detector=${1:?usage: [ENGINE=gazecapsnet_fp16.engine [BATCH=1]] $0 FACE_DETECTOR.txt [/dev/video0]}
gaze=()
[ -z "${ENGINE:-}" ] ||
    gaze+=(engine="$ENGINE" profile=gazecapsnet execution-provider=tensorrt batch-size="${BATCH:-1}")
exec gst-launch-1.0 \
    v4l2src device="${2:-/dev/video0}" ! videoconvert ! nvvideoconvert ! \
    'video/x-raw(memory:NVMM),format=NV12' ! mux.sink_0 \
    nvstreammux name=mux batch-size=1 width=1280 height=720 live-source=true ! \
    nvinfer config-file-path="$detector" unique-id=1 ! \
    gazeinfer config-file-path="$here/gazeinfer.txt" "${gaze[@]}" display-arrows=true ! \
    nvvideoconvert ! nvdsosd ! nveglglessink
