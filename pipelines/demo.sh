#!/usr/bin/env bash
# Estimates where the people in a video look:
#   pipelines/demo.sh [VIDEO [FOLDER]]
# writes annotated.mp4 (or .webm), frame.png and gaze.jsonl into FOLDER (default: out). The default VIDEO is
# models/demo.mp4, a rendered person with known gaze; the script then prints the mean error. A phone's
# video is turned upright, HDR becomes SDR, and sound is kept.
# FACE_MODEL and GAZE_MODEL name ONNX models in place of the embedded ones, PROVIDER another execution
# provider, FIELD_OF_VIEW the camera's horizontal field of view in degrees.
set -euo pipefail
# Relative paths are relative to the caller's folder: resolve them before cd.
[ $# -lt 2 ] || set -- "$1" "$(realpath -m "$2")"
[ $# -lt 1 ] || set -- "$(realpath -m "$1")" "${@:2}"
FACE_MODEL=${FACE_MODEL:+$(realpath -m "$FACE_MODEL")}
GAZE_MODEL=${GAZE_MODEL:+$(realpath -m "$GAZE_MODEL")}
cd "$(dirname "$0")/.."
. pipelines/setup.sh
. pipelines/video.sh

own=models/demo.mp4
video=${1:-$own}
out=${2:-out}
face_model=${FACE_MODEL:-}
gaze_model=${GAZE_MODEL:-}
field_of_view=60
[ "$video" = "$own" ] && field_of_view=58
find_faces=(gazeface)
find_gaze=(gazeinfer field-of-view="${FIELD_OF_VIEW:-$field_of_view}" execution-provider="${PROVIDER:-cpu}")
[ -z "$face_model" ] || find_faces+=(engine="$face_model" execution-provider="${PROVIDER:-cpu}")
[ -z "$gaze_model" ] || find_gaze+=(engine="$gaze_model")
for file in "$video" "$face_model" "$gaze_model"; do
    if [ -n "$file" ] && [ ! -f "$file" ]; then
        echo "demo: cannot find $file" >&2
        echo "usage: [FACE_MODEL=yunet.onnx] [GAZE_MODEL=gaze.onnx] $0 [VIDEO [FOLDER]]" >&2
        exit 2
    fi
done
if [ -e "$out" ] && [ ! -d "$out" ]; then
    echo "demo: $out is a file; the second argument is the folder for the results" >&2
    exit 2
fi

gaze_build

gaze_look_into "$video"
gaze_upright
gaze_choose_encoders

mkdir -p "$out"
# Written aside, and put in place when all is done: a run that fails leaves the last result whole.
aside=$(mktemp -d "$out/.demo.XXXXXX")
trap 'rm -rf "$aside"' EXIT
annotated=annotated.$gaze_suffix
lines=$aside/gaze.jsonl
log=$out/demo.log
gaze_write_video "$aside/$annotated"

# Turns GStreamer's progress reports into a bar, on a terminal alone.
bar() {
    local width=40 percent full fill rest
    [ -t 2 ] || { cat >>"$log"; return; }
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        [[ $line =~ \(\ *([0-9]+)[.,][0-9]+\ ?%\) ]] || continue
        percent=${BASH_REMATCH[1]}
        full=$((percent * width / 100))
        printf -v fill '%*s' "$full" ''
        printf -v rest '%*s' "$((width - full))" ''
        printf '\r  [%s%s] %3d %%' "${fill// /#}" "${rest// /.}" "$percent" >&2
    done
    printf '\r%*s\r' $((width + 12)) '' >&2
}

echo "demo: $(basename "$video"), faces by $(basename "${face_model:-the embedded detector}"), gaze by $(basename "${gaze_model:-the embedded model}")" >&2
: >"$log"
start=$(date +%s%N)
if ! gst-launch-1.0 \
    filesrc location="$video" ! decodebin name=decoded ! "${gaze_frames[@]}" ! queue max-size-buffers=4 ! \
    "${find_faces[@]}" ! \
    "${find_gaze[@]}" ! \
    gazepublish location="$lines" add-empty-results=true ! \
    gazeoverlay ! progressreport update-freq=1 ! queue max-size-buffers=4 ! \
    "${gaze_writer[@]}" 2>&1 | bar; then
    echo "demo: the pipeline failed; the end of $log:" >&2
    tail -n 15 "$log" >&2
    exit 1
fi
end=$(date +%s%N)

# Picks the middle one of the frames with the most faces.
read -r number width height < <(awk '
    { faces = gsub(/"age":/, "&")
      match($0, /"frame":[0-9]+/); n = substr($0, RSTART + 8, RLENGTH - 8)
      match($0, /"width":[0-9]+/); w = substr($0, RSTART + 8, RLENGTH - 8)
      match($0, /"height":[0-9]+/); h = substr($0, RSTART + 9, RLENGTH - 9)
      if (faces > most) { most = faces; count = 0 }
      if (faces == most) at[count++] = n }
    END { if (NR) print at[int(count / 2)] + 1, w, h }' "$lines") || {
    echo "demo: $video has no frames" >&2
    exit 1
}
# When `identity` ends the stream, the decoder still passes on the frames that it holds, broken ones
# among them: hence several files, of which the number picks the right one.
gst-launch-1.0 -q filesrc location="$aside/$annotated" ! decodebin ! videoconvert ! \
    video/x-raw,format=RGBA ! identity eos-after="$((number + 1))" ! \
    multifilesink location="$aside/frame-%d.rgba" max-files=12 >>"$log" 2>&1
gst-launch-1.0 -q filesrc location="$aside/frame-$((number - 1)).rgba" ! \
    rawvideoparse format=rgba width="$width" height="$height" ! \
    pngenc snapshot=true ! filesink location="$aside/frame.png" >>"$log" 2>&1

awk -v seconds="$(((end - start) / 1000000))e-3" '
    { faces += gsub(/"age":/, "&")
      if (match($0, /"inference_time_ns":[0-9]+/)) {
          time = substr($0, RSTART + 20, RLENGTH - 20)
          if (time > 0) { spent += time; inferred++ }
      } }
    END { printf "demo: %d frames, %d faces, %.1f frames/s (decoding and encoding included)", \
              NR, faces, NR / seconds
          if (inferred) printf ", gaze %.1f ms a frame", spent / inferred / 1e6
          printf "\n" }' "$lines" >&2
# Compares frames with one face with the true gaze beside a rendered video.
truth=${video%.*}.jsonl
if [ -f "$truth" ]; then
    awk '
    function number(line, key) {
        if (!match(line, "\"" key "\": ?-?[0-9.]+(e-?[0-9]+)?")) return "none"
        line = substr(line, RSTART, RLENGTH)
        sub(/.*: ?/, "", line)
        return line + 0
    }
    # A recording beside the video has no such keys.
    NR == FNR { frame = number($0, "frame"); p = number($0, "gaze-pitch"); y = number($0, "gaze-yaw")
                if (p != "none" && y != "none") { pitch[frame] = p; yaw[frame] = y }
                next }
    { frame = number($0, "frame"); p = number($0, "pitch"); y = number($0, "yaw")
      if (!(frame in pitch) || p == "none" || gsub(/"age":/, "&") != 1) next
      d = cos(p) * cos(pitch[frame]) * cos(y - yaw[frame]) + sin(p) * sin(pitch[frame])
      if (d > 1) d = 1
      error = atan2(sqrt(1 - d * d), d) * 57.29578
      sum += error; count++
      if (error > worst) worst = error }
    END { if (count) printf "demo: mean error %.1f degrees, largest %.1f, in %d frames\n", \
              sum / count, worst, count }' "$truth" "$lines" >&2
fi
mv "$aside/$annotated" "$aside/frame.png" "$lines" "$out/"
printf 'demo: wrote\n  %s\n  %s\n  %s\n' "$out/$annotated" "$out/frame.png" "$out/gaze.jsonl" >&2
