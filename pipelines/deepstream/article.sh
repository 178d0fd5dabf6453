#!/usr/bin/env bash
# The pipeline of the GazeCapsNet article, with gazeinfer where it had a second nvinfer:
#   pipelines/deepstream/article.sh FACE_DETECTOR.txt [/dev/video0]
# FACE_DETECTOR.txt is a configuration of nvinfer with gie-unique-id=1 that finds faces;
# ENGINE names a TensorRT engine, and BATCH the batch that it was compiled for (1); without it the
# embedded model runs. Written after the documentation; not run on NVIDIA's own libraries yet.
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
