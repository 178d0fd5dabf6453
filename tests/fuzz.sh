#!/usr/bin/env bash
# tests/fuzz.sh [SECONDS [TARGET...]]: feeds each target of fuzz/ for so many seconds (60) and ends
# at the first finding, which stays in fuzz/artifacts. Inputs that reached something new are kept in
# fuzz/corpus. Needs `cargo install cargo-fuzz` and a C++ compiler; not a part of tests/run.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- $(sed -n 's/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml | tail -n +3)

cargo fuzz --version >/dev/null 2>&1 || {
    echo "fuzz.sh: cargo-fuzz is missing: cargo install cargo-fuzz" >&2
    exit 1
}
# The sanitizer is an unstable option of the compiler; the code under test is stable Rust.
export RUSTC_BOOTSTRAP=1
for target in "$@"; do
    echo "== $target, $seconds s"
    cargo fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=25 \
        -max_len=65536 -print_final_stats=1 2>&1 |
        grep -E "^(stat::|Done|SUMMARY|thread|panicked|error|==[0-9]+==ERROR)|panicked at|Failing input|artifact_prefix"
done
