#!/usr/bin/env bash
# Where the person before a Jetson's camera looks, on its display:
#   pipelines/deepstream/jetson-camera.sh [SENSOR]
# No DeepStream is needed: gazeface finds the faces, on frames that stay in NVMM memory. Written after
# the documentation; not run on a Jetson yet.
set -euo pipefail
exec gst-launch-1.0 \
    nvarguscamerasrc sensor-id="${1:-0}" ! \
    'video/x-raw(memory:NVMM),width=1280,height=720,framerate=30/1,format=NV12' ! \
    gazeface inference-interval=3 ! gazeinfer ! \
    nvvidconv ! 'video/x-raw,format=RGBA' ! gazeoverlay ! nvvidconv ! nv3dsink
