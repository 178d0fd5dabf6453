#!/usr/bin/env bash
# Where people before the camera look, in a window:
#   pipelines/webcam.sh GAZE_MODEL.onnx [/dev/video0]
# Expect your own picture with a box around each face and an arrow where it looks; close it with
# Ctrl-C. Without a camera a test picture is shown, in which nobody looks anywhere. FACE_MODEL names
# a face detector in place of the embedded one, which sees faces from the front.
set -euo pipefail
usage="usage: [FACE_MODEL=yunet.onnx] $0 GAZE_MODEL.onnx [/dev/video0]"
gaze=${1:?$usage}
device=${2:-/dev/video0}
for file in "$gaze" ${FACE_MODEL:+"$FACE_MODEL"}; do
    [ -f "$file" ] || { echo "webcam: there is no $file" >&2; exit 2; }
done
gaze=$(realpath "$gaze")
find_faces=(gazeface)
[ -z "${FACE_MODEL:-}" ] || find_faces+=(engine="$(realpath "$FACE_MODEL")")
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
    "${find_faces[@]}" ! gazeinfer engine="$gaze" ! gazeoverlay ! videoconvert ! autovideosink
