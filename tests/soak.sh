#!/usr/bin/env bash
# tests/soak.sh HOURS [FILE [--only FAULT]...]: runs the whole pipeline for so many hours of stream at
# 30 frames a second (24: 2,592,000 frames), as fast as the machine goes, and says what came of it: a
# table, JSON in FILE (out/soak.json), exit status 0 where all criteria are met, 1 otherwise. --only
# leaves the other faults out, to find out which one a finding belongs to (`--only none`: all).
#
# What runs: two streams side by side in one process, each
#     appsrc, appsrc ! input-selector ! gazeface ! gazeinfer ! gazemonitor ! gazeoverlay !
#     gazepublish ! fakesink
# with the embedded face detector and this project's gaze model in INT8 (models/gaze-student.int8.onnx,
# one session that the streams share). Frames are 2.5 seconds of models/demo.mp4, decoded once,
# cropped to the head and made small (200x150 to 320x240; I420, NV12, RGB, BGRx), there and back
# again: real elements and real models, no decoder in the loop. The detector looks at every 9th frame
# and each face is inferred every 9th frame (0.3 s, what the monitor wants at least); the other
# frames carry results, as the elements offer for that. So there is about one inference of each model
# for nine frames: the table has their exact number.
#
# What happens: in each round of 3600 frames (two minutes of stream) and each stream, in changing
# order, every fault of tests/soak/faults.rs: another source, other caps, truncated frames, noise,
# gap frames, a source that stops, stamps that come twice or the wrong way round, a reload of the
# engine, of one that is broken or missing, of one that gives no number, a reader of the lines that
# goes away, a seek with frames in flight, EOS and restart (every other time after a start that an
# engine refuses), a pause. After each of them all frames must be out, all lines read, and a gaze
# there within 120 frames.
#
# What passes: no frame, result or line lost (what faults take is counted, and nothing beside it is
# missing), every fault recovered from, no error or warning but the faults' own, stamps in order,
# files, threads and sessions not more in the last tenth of the rounds than in the first after the
# warm-up (the first tenth of the run), memory growing by less than 0.5 MB an hour of stream (runs
# of less than an hour: 32 MB in all). Latency and speed are told and not judged: they are the
# machine's.
#
# Memory is what the kernel says of the process (RSS). glibc keeps what a thread freed in an arena of
# its own, up to eight for each core, so that models which threads load and close in turn make RSS
# wander by tens of megabytes without anything being kept; with one arena for all, which this script
# sets unless MALLOC_ARENA_MAX says something else, a slope shows what is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
hours=$1 json=${2:-out/soak.json}
shift $(($# < 2 ? $# : 2))
. pipelines/setup.sh
binary=$(cargo test --release --no-run --test soak --message-format=json |
    sed -n 's/.*"name":"soak".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
[ -x "$binary" ] || { echo "soak.sh: the program was not built" >&2; exit 1; }
export MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-1}
exec "$binary" --hours "$hours" --json "$json" "$@"
