#!/usr/bin/env bash
# Judges the attention of the driver in a video:
#   pipelines/monitor.sh [VIDEO]
# prints every alarm when it starts and ends, and writes out/attention.jsonl: one line per frame, with an
# object "attention".
#   RULES    euroncap-2026 (default), euroncap-2023, eu-addw, un-r171, or a file like those in
#            pipelines/rules
#   ZONES    left-hand-drive (default), right-hand-drive, or a file like those in pipelines/zones
#   SPEED    km/h; -1 (default) is unknown, and the strictest rules apply
#   FORWARD  "PITCH YAW" in degrees: the estimated gaze of a driver who looks at the road; "auto" learns
#            it in half a minute of driving. Default: "0 0", for a camera straight ahead of the driver
# The default VIDEO is models/demo.mp4, a rendered person who looks around for ten seconds.
# FACE_MODEL and GAZE_MODEL name ONNX models in place of the embedded ones.
set -euo pipefail
# Relative paths are relative to the caller's folder: resolve them before cd.
[ $# -eq 0 ] || set -- "$(realpath -m "$1")"
FACE_MODEL=${FACE_MODEL:+$(realpath -m "$FACE_MODEL")}
GAZE_MODEL=${GAZE_MODEL:+$(realpath -m "$GAZE_MODEL")}
[ ! -f "${RULES:-}" ] || RULES=$(realpath "$RULES")
[ ! -f "${ZONES:-}" ] || ZONES=$(realpath "$ZONES")
cd "$(dirname "$0")/.."
. pipelines/setup.sh

video=${1:-models/demo.mp4}
find_faces=(gazeface qos=false)
find_gaze=(gazeinfer qos=false)
for file in "$video" ${FACE_MODEL:+"$FACE_MODEL"} ${GAZE_MODEL:+"$GAZE_MODEL"}; do
    if [ ! -f "$file" ]; then
        echo "monitor: cannot find $file" >&2
        echo "usage: [FACE_MODEL=yunet.onnx] [GAZE_MODEL=gaze.onnx] $0 [VIDEO]" >&2
        exit 2
    fi
done
[ -z "${FACE_MODEL:-}" ] || find_faces+=(engine="$FACE_MODEL")
[ -z "${GAZE_MODEL:-}" ] || find_gaze+=(engine="$GAZE_MODEL")
forward=${FORWARD:-0 0}
if [ "$forward" = auto ]; then
    forward="forward=auto"
else
    read -r pitch yaw <<<"$forward"
    forward="forward=given forward-pitch=$pitch forward-yaw=$yaw"
fi

cargo build --release --lib
gaze_use_build release
mkdir -p out

# $forward holds several words, hence unquoted. sync=false drops no frames: time is that of the stream.
# shellcheck disable=SC2086
gst-launch-1.0 -m \
    filesrc location="$video" ! decodebin ! videoconvert ! \
    "${find_faces[@]}" ! "${find_gaze[@]}" ! \
    gazemonitor rules="${RULES:-euroncap-2026}" zones="${ZONES:-left-hand-drive}" \
        speed="${SPEED:--1}" $forward ! \
    gazepublish location=out/attention.jsonl add-empty-results=true ! fakesink sync=false |
    { grep -E 'event=\(string\)(alarm|cleared|availability|calibration)' || true; } |
    sed -E 's/.*\): attention, //; s/\((string|uint64|double|boolean|guint64|uint|float)\)//g'

awk '
    { match($0, /"attention":\{"state":"[a-z-]+"/)
      state = substr($0, RSTART + 22, RLENGTH - 23)
      count[state]++ }
    END { for (state in count) printf "%6d frames %s\n", count[state], state }
' out/attention.jsonl
