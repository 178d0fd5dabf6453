#!/usr/bin/env bash
# Runs every test of the project, after it puts in place what they need (pipelines/setup.sh).
# Ends with `N passed, M failed, K skipped`; skipped are tests that were left out, wholly or in part,
# because material (../shared or $GAZE_SHARED) or a tool is absent, each named with its reason. They
# do not count as passed. A warning of GLib or GStreamer ends the program that gives it.
#
# The debug build goes into a plugin folder of the tests, with a registry of its own: users' pipelines
# keep the release build that they find in .deps/plugins.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
mkdir -p "$target/test-plugins" || exit 1
export GAZE_PLUGINS=$target/test-plugins
. pipelines/setup.sh || exit 1
export GST_REGISTRY=$target/test-plugins/registry.bin
# The scan runs first and without it, so that an installed plugin that does not load (GStreamer warns
# of each) fails no test of ours.
gst-inspect-1.0 >/dev/null 2>&1
export G_DEBUG=fatal-warnings

log=$(mktemp)
GAZE_LEFT_OUT=$(mktemp)
export GAZE_LEFT_OUT
reasons=$(mktemp)
trap 'rm -f "$log" "$GAZE_LEFT_OUT" "$reasons"' EXIT
passed=0
failed=0
skipped=0
failures=()

# Subtracts the tests that the last step left out from those that it counted as passed: a test that
# has nothing to look at ends well. One that is named in several lines is one test.
take_left_out() {
    local count
    count=$(cut -f1 "$GAZE_LEFT_OUT" | sort -u | wc -l)
    cat "$GAZE_LEFT_OUT" >>"$reasons"
    : >"$GAZE_LEFT_OUT"
    skipped=$((skipped + count))
    passed=$((passed - count))
}

# Runs a step of cargo and counts its tests one by one.
cargo_step() {
    local name=$1 before=$failed status p f
    shift
    echo "== $name: cargo $*"
    cargo "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    read -r p f < <(awk '/^test result:/ { p += $4; f += $6 } END { print p + 0, f + 0 }' "$log")
    passed=$((passed + p))
    failed=$((failed + f))
    # It did not compile, or ended before it gave a result.
    [ "$status" -ne 0 ] && [ "$failed" -eq "$before" ] && failed=$((failed + 1))
    [ "$status" -ne 0 ] && failures+=("$name")
    take_left_out
}

# Runs any other step, which counts as one test.
step() {
    local name=$1
    shift
    echo "== $name"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        failures+=("$name")
    fi
}

# The plugin and each of its elements load, even where no ONNX Runtime is found.
inspect() {
    local element elements
    gst-inspect-1.0 gaze >"$log" 2>&1 || { cat "$log"; return 1; }
    mapfile -t elements < <(sed -n 's/^  \(gaze[a-z]*\): .*/\1/p' "$log")
    [ ${#elements[@]} -gt 0 ] || { cat "$log"; return 1; }
    for element in "${elements[@]}"; do
        GAZE_ORT_LIBRARY=/nonexistent gst-inspect-1.0 "$element" >"$log" 2>&1 ||
            { cat "$log"; return 1; }
    done
    echo "inspected: ${elements[*]}"
}

# A reader that closes the pipe ends neither the pipeline nor the program.
pipe_closed() {
    local status
    gst-launch-1.0 -q videotestsrc num-buffers=500 ! video/x-raw,width=64,height=48 ! \
        gazeinfer engine=tests/data/regression.onnx profile=tests/data/regression.toml \
        inference-region=full-frame ! gazepublish ! fakesink 2>"$log" | head -n 1 >/dev/null
    status=${PIPESTATUS[0]}
    [ "$status" -eq 0 ] || { echo "gst-launch-1.0 ended with $status"; cat "$log"; return 1; }
}

gaze_choose_features
cargo_step "with GStreamer" test --no-fail-fast "${gaze_features[@]}"
cargo_step "without GStreamer" test --no-fail-fast --no-default-features --lib --tests
GAZE_PROFILE=debug gaze_build
step "gst-inspect" inspect
step "closed pipe" pipe_closed
step "leaks" tests/leaks.sh
step "soak" tests/soak.sh 0.2
if command -v valgrind >/dev/null; then
    step "memcheck" tests/memcheck.sh
else
    skipped=$((skipped + 1))
    printf 'memcheck\tthere is no valgrind\n' >>"$reasons"
fi

# The list names a pipeline that the leaks check left out; the check itself ran.
[ -s "$GAZE_LEFT_OUT" ] && cat "$GAZE_LEFT_OUT" >>"$reasons"
if [ -s "$reasons" ]; then
    echo "== Left out, wholly or in part: $(cut -f1 "$reasons" | sort -u | wc -l)"
    sort -u "$reasons" | sed 's/^/  /; s/\t/: /'
fi
[ ${#failures[@]} -eq 0 ] || printf 'failed: %s\n' "${failures[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
