#!/usr/bin/env bash
# Runs the tests of NVIDIA's memory and metadata, and of the kernels on frames in a "GPU's" memory,
# under valgrind: no invalid access, no lost memory.
#   tests/memcheck.sh          the tests that read memory, once with the structures of each DeepStream
#   tests/memcheck.sh --all    also the processes in which a library is missing or of another version;
#                              takes many minutes
# It skips the test of every format and the one that compiles the header: they add time alone. Needs
# valgrind, and ONNX Runtime as `. pipelines/setup.sh` puts it in place.
set -euo pipefail
cd "$(dirname "$0")/.."
. pipelines/setup.sh
command -v valgrind >/dev/null || { echo "memcheck: there is no valgrind" >&2; exit 2; }

# glibc's loader reads words past a path's end and keeps its lists; initialisers of libraries keep
# what they allocate; ONNX Runtime copies memory onto itself when it starts.
suppressions=$(mktemp)
trap 'rm -f "$suppressions"' EXIT
cat >"$suppressions" <<'S'
{
   loader-reads-paths-by-words
   Memcheck:Addr8
   fun:strncmp
   fun:is_dst
}
{
   loader-keeps-its-lists
   Memcheck:Leak
   fun:malloc
   ...
   fun:_dl_open
}
{
   initialisers-of-libraries
   Memcheck:Leak
   fun:malloc
   ...
   fun:call_init
}
{
   onnxruntime-copies-onto-itself
   Memcheck:Overlap
   fun:__memcpy_chk
   obj:*libonnxruntime.so*
}
S

programs=(nvmm_ds7 nvmm_ds8 nvmm_ds9 gpu_frames)
targets=("${programs[@]/#/--test=}")
cargo test --no-run "${targets[@]}"
# The tests that read structures that differ between versions; the others run with the last one.
layouts=(batches_with_gaps batches_that_lie how_the_cpu arrows_for boxes_leave)
everything=(--skip every_format --skip every_memory_and_format --skip the_header --skip of_its_own)
alone=(--skip missing_one --skip another_version)
check() {
    local test=$1 program
    shift
    program=$(cargo test --no-run --test "$test" --message-format=json 2>/dev/null |
        sed -n "s/.*\"executable\":\"\([^\"]*$test-[^\"]*\)\".*/\1/p")
    echo "== $test under valgrind: $*"
    G_SLICE=always-malloc G_DEBUG=gc-friendly,fatal-warnings valgrind -q --error-exitcode=9 --leak-check=full \
        --show-leak-kinds=definite --errors-for-leak-kinds=definite \
        --suppressions="$suppressions" "${valgrind[@]}" "$program" --test-threads=1 "$@"
}

valgrind=()
if [ "${1:-}" = --all ]; then
    # Valgrind follows children too, except the tools that build the stand-in.
    valgrind=(--trace-children=yes --trace-children-skip='*/cc,*/gcc*,*/pkg-config,*/python3*')
    for test in "${programs[@]}"; do
        check "$test" "${everything[@]}"
    done
else
    for test in nvmm_ds7 nvmm_ds8; do
        check "$test" "${layouts[@]}"
    done
    check nvmm_ds9 "${everything[@]}" "${alone[@]}"
    check gpu_frames "${everything[@]}"
fi
