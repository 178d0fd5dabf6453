#!/usr/bin/env bash
# Writes the gaze of people in an RTSP stream as JSON lines, on a machine with DeepStream:
#   pipelines/deepstream/rtsp.sh FACE_DETECTOR.txt rtsp://...
# FACE_DETECTOR.txt configures nvinfer as a face detector with gie-unique-id=1. Written from the
# documentation, untested on NVIDIA's own libraries.
set -euo pipefail
detector=${1:?usage: $0 FACE_DETECTOR.txt rtsp://...}
uri=${2:?usage: $0 FACE_DETECTOR.txt rtsp://...}
exec gst-launch-1.0 -q \
    nvurisrcbin uri="$uri" latency=100 ! mux.sink_0 \
    nvstreammux name=mux batch-size=1 width=1280 height=720 live-source=true ! \
    nvinfer config-file-path="$detector" unique-id=1 ! \
    gazeinfer infer-on-gie-id=1 min-object-width=48 min-object-height=48 smoothing=true ! \
    gazepublish location=- ! fakesink sync=false
