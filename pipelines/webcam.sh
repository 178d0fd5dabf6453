#!/usr/bin/env bash
# Where people before the camera look, in a window:
#   pipelines/webcam.sh FACE_MODEL.onnx GAZE_MODEL.onnx [/dev/video0]
# Expect your own picture with a box around each face and an arrow where it looks; close it with
# Ctrl-C. Without a camera a test picture is shown, in which nobody looks anywhere.
set -euo pipefail
usage="usage: $0 FACE_MODEL.onnx GAZE_MODEL.onnx [/dev/video0]"
face=${1:?$usage}
gaze=${2:?$usage}
device=${3:-/dev/video0}
for file in "$face" "$gaze"; do
    [ -f "$file" ] || { echo "webcam: there is no $file" >&2; exit 2; }
done
face=$(realpath "$face")
gaze=$(realpath "$gaze")
cd "$(dirname "$0")/.."
. pipelines/setup.sh
cargo build --release --lib
gaze_use_build release

if [ -e "$device" ]; then
    source="v4l2src device=$device"
else
    echo "webcam: there is no camera at $device; a test picture takes its place" >&2
    source="videotestsrc is-live=true"
fi
# The source and its property are two words, hence unquoted.
# shellcheck disable=SC2086
exec gst-launch-1.0 $source ! videoconvert ! queue max-size-buffers=2 leaky=downstream ! \
    gazeface engine="$face" ! gazeinfer engine="$gaze" ! gazeoverlay ! videoconvert ! autovideosink
