#!/usr/bin/env bash
# The tests of NVIDIA's memory and metadata, and of the kernels on frames in a "GPU's" memory, under
# valgrind: no invalid access, nothing lost. Takes minutes. Left out are the tests that start other
# processes, and those of every format, which add time and nothing else. Needs valgrind, and ONNX
# Runtime as `. pipelines/setup.sh` puts it in place.
set -euo pipefail
cd "$(dirname "$0")/.."
. pipelines/setup.sh
command -v valgrind >/dev/null || { echo "memcheck: there is no valgrind" >&2; exit 2; }

# glibc's loader reads words past a path's end; the test harness keeps the name of its thread; what ONNX
# Runtime does by itself is its own.
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
   onnxruntime-copies-a-cpu-name-onto-itself
   Memcheck:Overlap
   fun:__memcpy_chk
   obj:*/libonnxruntime.so*
}
S

cargo test --no-run --test nvmm_ds7 --test nvmm_ds9 --test gpu_frames
for test in nvmm_ds7 nvmm_ds9 gpu_frames; do
    program=$(cargo test --no-run --test "$test" --message-format=json 2>/dev/null |
        sed -n "s/.*\"executable\":\"\([^\"]*$test-[^\"]*\)\".*/\1/p")
    G_SLICE=always-malloc G_DEBUG=gc-friendly valgrind -q --error-exitcode=9 --leak-check=full \
        --show-leak-kinds=definite --errors-for-leak-kinds=definite \
        --suppressions="$suppressions" "$program" --test-threads=1 \
        --skip every_format --skip every_memory_and_format --skip missing_one --skip the_header \
        --skip of_its_own
done
