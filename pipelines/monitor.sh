#!/usr/bin/env bash
# Judges the attention of the driver in a video:
#   pipelines/monitor.sh [VIDEO]
# prints one line for every alarm when it starts and one when it ends, and writes out/attention.jsonl: one
# line per frame, with an object "attention". A phone's video is turned upright, and HDR becomes SDR.
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
. pipelines/video.sh

video=${1:-models/demo.mp4}
find_faces=(gazeface)
find_gaze=(gazeinfer)
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

gaze_build
mkdir -p out

# One line for each message: its time, what begins or ends, and why.
readable() {
    awk '
    function text(key,    rest) {
        if (!match($0, "[ ,]" key "=\\([a-z0-9]+\\)")) return ""
        rest = substr($0, RSTART + RLENGTH)
        if (rest ~ /^"/) { rest = substr(rest, 2); sub(/".*/, "", rest) }
        else sub(/[,;].*/, "", rest)
        return rest
    }
    function seconds(key) { return text(key) / 1e9 }
    function say(line) { printf "%8.2f s  %s\n", seconds("at"), line; fflush() }
    function because(reason) { return reason == "" ? "" : " (" reason ")" }
    text("event") == "alarm" {
        where = text("alarm-zone")
        say(sprintf("%-10s %s%s, since %.2f s", text("alarm-level"), text("alarm"), \
            where == "" ? "" : " at " where, seconds("start")))
    }
    text("event") == "cleared" {
        say(sprintf("%-10s %s%s", "ends", text("alarm"), because(text("why"))))
    }
    text("event") == "availability" {
        seen = text("available") ~ /^(true|TRUE)$/
        say(sprintf("%-10s %s%s", seen ? "seen" : "unseen", text("of"), seen ? "" : because(text("reason"))))
    }
    text("event") == "calibration" {
        say(text("ready") ~ /^(true|TRUE)$/ ? "calibrated" : "calibrating")
    }'
}

gaze_look_into "$video"
gaze_upright
# $forward holds several words, hence unquoted. sync=false drops no frames: time is that of the stream.
# shellcheck disable=SC2086
gst-launch-1.0 -m \
    filesrc location="$video" ! decodebin ! "${gaze_frames[@]}" ! \
    "${find_faces[@]}" ! "${find_gaze[@]}" ! \
    gazemonitor rules="${RULES:-euroncap-2026}" zones="${ZONES:-left-hand-drive}" \
        speed="${SPEED:--1}" $forward ! \
    gazepublish location=out/attention.jsonl add-empty-results=true ! fakesink sync=false |
    readable

awk '
    { match($0, /"attention":\{"state":"[a-z-]+"/)
      state = substr($0, RSTART + 22, RLENGTH - 23)
      count[state]++ }
    END { for (state in count) printf "%6d frames %s\n", count[state], state }
' out/attention.jsonl
