#!/usr/bin/env bash
# Estimates gaze in video files, on a machine with DeepStream:
#   pipelines/deepstream/file.sh FACE_DETECTOR.txt VIDEO...
# FACE_DETECTOR.txt configures nvinfer as a face detector with gie-unique-id=1. The files run as one batch.
# Written from the documentation, untested on NVIDIA's own libraries.
set -euo pipefail
usage="usage: [GAZE_MODEL=gaze.onnx] $0 FACE_DETECTOR.txt VIDEO..."
detector=${1:?$usage}
shift
[ $# -gt 0 ] || { echo "$usage" >&2; exit 2; }
gaze=()
[ -z "${GAZE_MODEL:-}" ] || gaze+=(engine="$GAZE_MODEL")
sources=() number=0
for video in "$@"; do
    # nvvideoconvert takes video alone; a queue would take the sound where that comes first.
    sources+=(uridecodebin uri="file://$(realpath "$video")" ! nvvideoconvert !
        'video/x-raw(memory:NVMM),format=NV12' ! mux.sink_"$((number++))")
done
exec gst-launch-1.0 \
    nvstreammux name=mux batch-size=$# width=1280 height=720 batched-push-timeout=40000 ! \
    nvinfer config-file-path="$detector" unique-id=1 ! \
    nvtracker ll-lib-file=/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so ! \
    gazeinfer "${gaze[@]}" infer-on-gie-id=1 reclassify-interval=1 display-arrows=true unique-id=15 ! \
    gazepublish location=gaze.jsonl ! \
    nvmultistreamtiler rows=1 columns=$# ! nvvideoconvert ! nvdsosd ! nveglglessink \
    "${sources[@]}"
