#!/usr/bin/env bash
# Estimates where the people in a video look:
#   pipelines/demo.sh [VIDEO]
# writes out/annotated.mp4 (or .webm), out/frame.png and out/gaze.jsonl. The default VIDEO is
# models/demo.mp4, a rendered person with known gaze; the script then prints the mean error.
# FACE_MODEL and GAZE_MODEL name ONNX models in place of the embedded ones, PROVIDER another execution
# provider, FIELD_OF_VIEW the camera's horizontal field of view in degrees.
set -euo pipefail
# Relative paths are relative to the caller's folder: resolve them before cd.
[ $# -eq 0 ] || set -- "$(realpath -m "$1")"
FACE_MODEL=${FACE_MODEL:+$(realpath -m "$FACE_MODEL")}
GAZE_MODEL=${GAZE_MODEL:+$(realpath -m "$GAZE_MODEL")}
cd "$(dirname "$0")/.."
. pipelines/setup.sh

own=models/demo.mp4
video=${1:-$own}
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
        echo "usage: [FACE_MODEL=yunet.onnx] [GAZE_MODEL=gaze.onnx] $0 [VIDEO]" >&2
        exit 2
    fi
done

cargo build --release --lib
gaze_use_build release

has() { gst-inspect-1.0 --exists "$1"; }
suffix=mp4
if has x264enc; then
    encoder="x264enc speed-preset=veryfast bitrate=4000 ! h264parse ! mp4mux"
elif has openh264enc; then
    encoder="openh264enc bitrate=4000000 ! h264parse ! mp4mux"
elif has avenc_mpeg4; then
    encoder="avenc_mpeg4 bitrate=4000000 ! mpeg4videoparse ! mp4mux"
elif has vp8enc; then
    encoder="vp8enc deadline=1 target-bitrate=4000000 ! webmmux"
    suffix=webm
else
    echo "demo: GStreamer has no video encoder: install x264enc, openh264enc, avenc_mpeg4 or vp8enc" >&2
    exit 1
fi

mkdir -p out
annotated=out/annotated.$suffix
lines=out/gaze.jsonl
log=out/demo.log
rm -f "$annotated" "$lines" out/frame.png

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
# $encoder holds several words, hence unquoted.
# shellcheck disable=SC2086
if ! gst-launch-1.0 \
    filesrc location="$video" ! decodebin ! videoconvert ! queue max-size-buffers=4 ! \
    "${find_faces[@]}" ! \
    "${find_gaze[@]}" ! \
    gazepublish location="$lines" add-empty-results=true ! \
    gazeoverlay ! progressreport update-freq=1 ! queue max-size-buffers=4 ! \
    videoconvert ! $encoder ! filesink location="$annotated" 2>&1 | bar; then
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
gst-launch-1.0 -q filesrc location="$annotated" ! decodebin ! videoconvert ! \
    video/x-raw,format=RGBA ! identity eos-after="$((number + 1))" ! \
    multifilesink location=out/frame-%d.rgba max-files=12 >>"$log" 2>&1
gst-launch-1.0 -q filesrc location="out/frame-$((number - 1)).rgba" ! \
    rawvideoparse format=rgba width="$width" height="$height" ! \
    pngenc snapshot=true ! filesink location=out/frame.png >>"$log" 2>&1
rm -f out/frame-*.rgba

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
printf 'demo: wrote\n  %s\n  out/frame.png\n  %s\n' "$annotated" "$lines" >&2
