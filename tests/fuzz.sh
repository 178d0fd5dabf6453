#!/usr/bin/env bash
# tests/fuzz.sh [SECONDS [TARGET...]]: feeds each target of fuzz/ for so many seconds (60) and ends
# at the first finding, which stays in fuzz/artifacts. Inputs that reached new code stay in
# fuzz/corpus. Needs `cargo install cargo-fuzz` and a C++ compiler; tests/run.sh does not run it.
# The targets `config`, `surface`, `regions` and `foreign_gaze` need GStreamer, and `surface` also the
# stand-in for NVIDIA's libraries (tests/nvstub), which this script builds; without GStreamer it leaves
# them out.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
named=$#
if [ $# -gt 0 ]; then
    targets=("$@")
else
    mapfile -t targets < <(sed -n '/^\[\[bin\]\]/,$ s/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml)
fi

cargo fuzz --version >/dev/null 2>&1 || {
    echo "fuzz.sh: cargo-fuzz is missing: cargo install cargo-fuzz" >&2
    exit 1
}
# The sanitizer is an unstable option of the compiler; the code under test is stable Rust.
export RUSTC_BOOTSTRAP=1
export LSAN_OPTIONS=suppressions=$PWD/fuzz/lsan.supp:print_suppressions=0

features=()
if pkg-config --exists gstreamer-1.0 gstreamer-video-1.0; then
    features=(--features plugin)
    libs=$PWD/fuzz/target/nvstub
    read -ra gstreamer < <(pkg-config --cflags --libs gstreamer-1.0 gstreamer-video-1.0)
    mkdir -p "$libs"
    stand_in() {
        local library=$1
        shift
        cc -std=gnu11 -g -O1 -fPIC -shared -fvisibility=hidden -Wno-unknown-pragmas -ffp-contract=off \
            -DNVSTUB_SURFACE=8 -DNVSTUB_META=8 -I include -o "$libs/$library" \
            "${@/#/tests/nvstub/}" "${gstreamer[@]}" -lm
    }
    stand_in libnvbufsurface.so surface.c
    stand_in libnvbufsurftransform.so transform.c
    stand_in libcuda.so.1 cuda.c kernel.c
    export LD_LIBRARY_PATH=$libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
for target in "${targets[@]}"; do
    case $target in
    config | surface | regions | foreign_gaze)
        if [ ${#features[@]} -eq 0 ]; then
            echo "fuzz.sh: $target needs GStreamer's headers" >&2
            [ "$named" -eq 0 ] && continue
            exit 1
        fi
        ;;
    esac
    echo "== $target, $seconds s"
    cargo fuzz run "${features[@]}" "$target" -- -max_total_time="$seconds" -rss_limit_mb=4096 \
        -timeout=25 -max_len=65536 -print_final_stats=1 2>&1 |
        grep -E "^(stat::|Done|SUMMARY|thread|panicked|error|==[0-9]+==ERROR)|panicked at|Failing input|artifact_prefix"
done
