#!/usr/bin/env bash
# The test of the feature v1_24, on GStreamer 1.26: it unpacks Debian 13 (trixie) into .deps/trixie
# once, lints the feature there, builds the plugin with it, inspects it and
# runs a pipeline. Needs root, debootstrap, some 3 GB and, the first time, the network. Run it by hand
# after a change of the feature's code (src/plugin/meta/analytics.rs and whatever names `v1_24`):
# tests/run.sh does not, and .ci/run lints the feature alone, where GStreamer is 1.24 or newer.
set -euo pipefail
cd "$(dirname "$0")/.."
. pipelines/setup.sh

root=$PWD/.deps/trixie
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
packages=(
    gcc libc6-dev pkg-config ca-certificates
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev
    gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
)

if [ "$(id -u)" -ne 0 ]; then
    echo "trixie: must be root (chroot, bind mounts)" >&2
    exit 1
fi
command -v debootstrap >/dev/null || apt-get install -q -y --no-install-recommends debootstrap

# The bind mounts below exist in a mount namespace of this script alone. They go with its last process,
# however it ends: after a SIGKILL as well, `rm -rf .deps` cannot reach the user's toolchain.
if [ "${1:-}" != --inside-namespace ]; then
    exec unshare --mount --propagation private --pid --fork --kill-child "$PWD/tests/trixie.sh" --inside-namespace
fi

bring() {
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
}

if [ ! -e "$root/.unpacked" ]; then
    echo "trixie: unpacking Debian 13 into .deps/trixie"
    rm -rf "$root"
    debootstrap --variant=minbase trixie "$root" "$mirror" >"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        exit 1
    }
    touch "$root/.unpacked"
fi
bring "$PWD" /gaze
bring "$cargo_home" /cargo
bring "$rustup_home" /rustup
bring "$(dirname "$GAZE_ORT_LIBRARY")" /onnxruntime
mkdir -p "$root/proc"
mount -t proc proc "$root/proc"
bring /dev /dev

inside() {
    chroot "$root" /usr/bin/env -i PATH="/cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root LANG=C.UTF-8 \
        CARGO_HOME=/cargo RUSTUP_HOME=/rustup CARGO_TARGET_DIR=/gaze/.deps/target-trixie \
        RUSTUP_TOOLCHAIN="${RUSTUP_TOOLCHAIN:-}" \
        GAZE_ORT_LIBRARY="/onnxruntime/$(basename "$GAZE_ORT_LIBRARY")" \
        GST_PLUGIN_PATH=/gaze/.deps/plugins-trixie \
        sh -euc "cd /gaze; $1"
}
[ -n "${RUSTUP_TOOLCHAIN:-}" ] || RUSTUP_TOOLCHAIN=$(rustup show active-toolchain | cut -d' ' -f1)

if [ ! -e "$root/.complete" ]; then
    echo "trixie: installing GStreamer"
    # What the system fetches packages with, it shall have in there as well.
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    find /etc/apt -maxdepth 2 -name '*proxy*' -exec cp {} "$root/etc/apt/apt.conf.d/" \;
    inside "export DEBIAN_FRONTEND=noninteractive http_proxy='${http_proxy:-}'
        apt-get update -q
        apt-get install -q -y --no-install-recommends ${packages[*]}" >>"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        exit 1
    }
    touch "$root/.complete"
fi
inside "gst-inspect-1.0 --version"
# Out here, where certificates and proxies are set up.
cargo fetch --locked
inside "cargo clippy --offline --lib --features v1_24 -- -D warnings"
inside "cargo build --offline --lib --features v1_24"
mkdir -p .deps/plugins-trixie
ln -sfn /gaze/.deps/target-trixie/debug/libgstgaze.so .deps/plugins-trixie/libgstgaze.so
inside "gst-inspect-1.0 gaze"
inside "gst-launch-1.0 -q videotestsrc num-buffers=20 ! video/x-raw,width=320,height=240 ! \
    gazeinfer engine=tests/data/regression.onnx profile=tests/data/regression.toml \
    inference-region=full-frame ! videoconvert ! gazepublish location=/tmp/gaze.jsonl ! fakesink"
lines=$(wc -l <"$root/tmp/gaze.jsonl")
[ "$lines" -eq 20 ] || { echo "trixie: $lines lines instead of 20" >&2; exit 1; }
echo "trixie: passed"
