#!/usr/bin/env bash
# Runs pipelines of every element under GStreamer's leaks tracer; fails where an object outlives
# its pipeline. Uses the plugin and the ONNX Runtime that the environment names (tests/run.sh sets
# both).
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Not `--exists`, which asks for a plugin as new as GStreamer itself.
has() { gst-inspect-1.0 "$1" >/dev/null 2>&1; }
left_out() {
    echo "leaks: $1: left out, $2"
    [ -z "${GAZE_LEFT_OUT:-}" ] || printf 'leaks, %s\t%s\n' "$1" "$2" >>"$GAZE_LEFT_OUT"
}

check() {
    local name=$1
    shift
    if ! GST_TRACERS=leaks GST_DEBUG="GST_TRACER:7" GST_DEBUG_NO_COLOR=1 \
        gst-launch-1.0 -q "$@" >"$log" 2>&1; then
        echo "leaks: $name: the pipeline failed"
        tail -n 20 "$log"
        return 1
    fi
    if ! grep -q 'object-alive\.class' "$log"; then
        echo "leaks: $name: the tracer did not run"
        return 1
    fi
    if grep -F 'object-alive, ' "$log" | grep -vF 'new format string'; then
        echo "leaks: $name: the objects above are still alive"
        return 1
    fi
    echo "leaks: $name: none"
}

frames=(videotestsrc num-buffers=20 ! "video/x-raw,width=320,height=240")
gaze=(gazeinfer engine=tests/data/regression.onnx profile=tests/data/regression.toml)
publish=(gazepublish location=/dev/null add-empty-results=true)
overlay=()
has gazeoverlay && overlay=(! gazeoverlay)
monitor=(! gazemonitor forward=given)

check "whole frames" "${frames[@]}" ! "${gaze[@]}" inference-region=full-frame "${monitor[@]}" \
    "${overlay[@]}" ! "${publish[@]}" ! fakesink
check "no reader" "${frames[@]}" ! "${gaze[@]}" inference-region=full-frame ! \
    gazepublish location=unix:/nonexistent/socket ! fakesink

video=${GAZE_SHARED:-../shared}/media/udacity_demo.mp4
face_model=${GAZE_SHARED:-../shared}/models/face/yunet_n_dynamic.onnx
if [ -f "$video" ] && [ -f "$face_model" ]; then
    check "faces" filesrc location="$video" ! decodebin ! videoconvert ! identity eos-after=20 ! \
        gazeface engine="$face_model" ! "${gaze[@]}" "${monitor[@]}" "${overlay[@]}" ! \
        "${publish[@]}" ! fakesink
else
    left_out "faces" "$video or $face_model is not there"
fi
