#!/usr/bin/env bash
# From a video to where people in it look:
#   pipelines/demo.sh [VIDEO]
# leaves out/annotated.mp4 (or .webm), out/frame.png and out/gaze.jsonl.
# FACE_MODEL and GAZE_MODEL name other ONNX models, PROVIDER another execution provider;
# FACE_MODEL=embedded is the detector that needs no file, and is used where YuNet is not at hand.
set -euo pipefail
cd "$(dirname "$0")/.."
. pipelines/setup.sh

given=../shared
video=${1:-$given/media/udacity_demo.mp4}
face_model=${FACE_MODEL:-$given/models/face/yunet_n_dynamic.onnx}
[ -n "${FACE_MODEL:-}" ] || [ -f "$face_model" ] || face_model=embedded
gaze_model=${GAZE_MODEL:-$given/models/gaze/mobilegaze_mobileone_s0.onnx}
provider=${PROVIDER:-cpu}
find_faces=(gazeface)
[ "$face_model" = embedded ] || find_faces+=(engine="$face_model" execution-provider="$provider")
for file in "$video" "$face_model" "$gaze_model"; do
    if [ "$file" != embedded ] && [ ! -f "$file" ]; then
        echo "demo: there is no $file" >&2
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
    echo "demo: no video encoder (x264enc, openh264enc, avenc_mpeg4, vp8enc)" >&2
    exit 1
fi

mkdir -p out
annotated=out/annotated.$suffix
lines=out/gaze.jsonl
log=out/demo.log
rm -f "$annotated" "$lines" out/frame.png

# GStreamer's progress reports as one bar that stays on its line; nothing where nobody watches.
bar() {
    local width=40 percent done fill rest
    [ -t 2 ] || { cat >>"$log"; return; }
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        [[ $line =~ \(\ *([0-9]+)[.,][0-9]+\ ?%\) ]] || continue
        percent=${BASH_REMATCH[1]}
        done=$((percent * width / 100))
        printf -v fill '%*s' "$done" ''
        printf -v rest '%*s' "$((width - done))" ''
        printf '\r  [%s%s] %3d %%' "${fill// /#}" "${rest// /.}" "$percent" >&2
    done
    printf '\r%*s\r' $((width + 12)) '' >&2
}

echo "demo: $(basename "$video"), faces by $(basename "$face_model"), gaze by $(basename "$gaze_model")" >&2
: >"$log"
start=$(date +%s%N)
# Descriptions of encoders are several words each, hence unquoted.
# shellcheck disable=SC2086
if ! gst-launch-1.0 \
    filesrc location="$video" ! decodebin ! videoconvert ! queue max-size-buffers=4 ! \
    "${find_faces[@]}" ! \
    gazeinfer engine="$gaze_model" execution-provider="$provider" ! \
    gazepublish location="$lines" add-empty-results=true ! \
    gazeoverlay ! progressreport update-freq=1 ! queue max-size-buffers=4 ! \
    videoconvert ! $encoder ! filesink location="$annotated" 2>&1 | bar; then
    echo "demo: the pipeline failed; the end of $log:" >&2
    tail -n 15 "$log" >&2
    exit 1
fi
end=$(date +%s%N)

# The frame in the middle of those with the most faces, as a picture.
read -r number width height < <(awk '
    { faces = gsub(/"age":/, "&")
      match($0, /"frame":[0-9]+/); n = substr($0, RSTART + 8, RLENGTH - 8)
      match($0, /"width":[0-9]+/); w = substr($0, RSTART + 8, RLENGTH - 8)
      match($0, /"height":[0-9]+/); h = substr($0, RSTART + 9, RLENGTH - 9)
      if (faces > most) { most = faces; count = 0 }
      if (faces == most) at[count++] = n }
    END { if (NR) print at[int(count / 2)] + 1, w, h }' "$lines") || {
    echo "demo: no frame of $video was looked at" >&2
    exit 1
}
# When `identity` ends the stream, the decoder still gives up what it holds, without the frames that
# it refers to: so several files, and the one that is meant is taken by its number.
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
printf 'demo: made\n  %s\n  out/frame.png\n  %s\n' "$annotated" "$lines" >&2
