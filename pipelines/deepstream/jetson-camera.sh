#!/usr/bin/env bash
# Shows where the person in front of a Jetson's camera looks, on its display:
#   pipelines/deepstream/jetson-camera.sh [SENSOR]
# needs no DeepStream: gazeface finds the faces, and frames stay in NVMM memory. Written from the
# documentation, untested on a Jetson.
set -euo pipefail
exec gst-launch-1.0 \
    nvarguscamerasrc sensor-id="${1:-0}" ! \
    'video/x-raw(memory:NVMM),width=1280,height=720,framerate=30/1,format=NV12' ! \
    gazeface inference-interval=3 ! gazeinfer ! \
    nvvidconv ! 'video/x-raw,format=RGBA' ! gazeoverlay ! nvvidconv ! nv3dsink
