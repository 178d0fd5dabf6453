#!/usr/bin/env bash
# Shows where people in front of the camera look, in a window:
#   pipelines/webcam.sh [/dev/video0]
# draws a box around each face and an arrow along its gaze; Ctrl-C ends it. Without a camera it shows a
# test pattern. FACE_MODEL and GAZE_MODEL name ONNX models in place of the embedded ones; the embedded
# detector finds frontal faces.
set -euo pipefail
device=${1:-/dev/video0}
find_faces=(gazeface)
find_gaze=(gazeinfer)
for file in ${FACE_MODEL:+"$FACE_MODEL"} ${GAZE_MODEL:+"$GAZE_MODEL"}; do
    [ -f "$file" ] || { echo "webcam: cannot find $file" >&2; exit 2; }
done
[ -z "${FACE_MODEL:-}" ] || find_faces+=(engine="$(realpath "$FACE_MODEL")")
[ -z "${GAZE_MODEL:-}" ] || find_gaze+=(engine="$(realpath "$GAZE_MODEL")")
cd "$(dirname "$0")/.."
. pipelines/setup.sh
. pipelines/video.sh
gaze_build

if [ -e "$device" ]; then
    source="v4l2src device=$device"
else
    echo "webcam: no camera at $device; showing a test pattern" >&2
    source="videotestsrc is-live=true"
fi
# decodebin decodes the pictures of cameras that give JPEG alone. The source and its property are two
# words, hence unquoted.
gaze_upright
# shellcheck disable=SC2086
exec gst-launch-1.0 $source ! decodebin ! "${gaze_frames[@]}" ! \
    queue max-size-buffers=2 leaky=downstream ! \
    "${find_faces[@]}" ! "${find_gaze[@]}" ! gazeoverlay ! videoconvert ! autovideosink
