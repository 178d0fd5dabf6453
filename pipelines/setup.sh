#!/usr/bin/env bash
# Installs what building, running and testing need, and says what it does:
#   - Debian packages (GStreamer 1.20 or newer with its plugins and headers, a C compiler),
#     with apt, where one is missing;
#   - ONNX Runtime, from PyPI into .deps/venv, unless GAZE_ORT_LIBRARY names one already, and beside
#     it on x86-64 its plug-in for Qualcomm's QNN with the emulator of the NPU (99 MB to fetch, 250 MB on disk), unless
#     GAZE_QNN_LIBRARY names one already or GAZE_WITHOUT_QNN is set.
#
# Source it (`. pipelines/setup.sh`) to set GAZE_ORT_LIBRARY and GST_PLUGIN_PATH, or run it. Run again,
# it changes nothing and needs no network. `gaze_build` builds the plugin, with every feature that this
# system's GStreamer allows, and puts it into .deps/plugins, or the folder that GAZE_PLUGINS names, where
# GStreamer finds it. GAZE_PROFILE=debug builds faster and runs slower than the default, release.
# `gaze_use_build release` (or debug) only puts a build there.

GAZE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
GAZE_PLUGINS=${GAZE_PLUGINS:-$GAZE_ROOT/.deps/plugins}
# Versions of PyPI's packages, and the hashes that they must have.
GAZE_LOCKS=$GAZE_ROOT/pipelines/locks

gaze_packages=(
    ca-certificates gcc libc6-dev pkg-config python3 python3-venv python3-gst-1.0
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
    gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
)

gaze_say() { printf 'setup: %s\n' "$*" >&2; }

gaze_missing_packages() {
    local package
    for package in "${gaze_packages[@]}"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            printf '%s\n' "$package"
    done
}

# Whether GStreamer is 1.24 or newer, whose detectors may write GstAnalytics metadata.
gaze_has_analytics() { pkg-config --atleast-version=1.24 gstreamer-1.0 2>/dev/null; }

# Checks the tools on systems without dpkg.
gaze_check_tools() {
    local missing=() tool module
    for tool in gcc pkg-config python3 gst-launch-1.0 gst-inspect-1.0; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    for module in gstreamer-1.0 gstreamer-video-1.0; do
        pkg-config --exists "$module" 2>/dev/null || missing+=("headers of $module")
    done
    [ ${#missing[@]} -eq 0 ] && return
    gaze_say "this system has no apt; install these (GStreamer 1.20 or newer):"
    printf '  %s\n' "${missing[@]}" >&2
    return 1
}

gaze_setup_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        gaze_check_tools
        return
    fi
    gaze_install_missing || return
    # The headers of GstAnalytics, which older versions lack.
    if gaze_has_analytics && ! pkg-config --exists gstreamer-analytics-1.0; then
        gaze_packages+=(libgstreamer-plugins-bad1.0-dev)
        gaze_install_missing
    fi
}

gaze_install_missing() {
    local missing as_root=()
    mapfile -t missing < <(gaze_missing_packages)
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            gaze_say "packages are missing and this system has no sudo; run as root:"
            printf '  apt-get install %s\n' "${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    gaze_say "installing with apt: ${missing[*]}"
    "${as_root[@]}" apt-get update -q >&2 &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}

gaze_setup_cargo() {
    command -v cargo >/dev/null && return
    # The folder of rustup, which a shell from before its installation lacks in PATH.
    [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH" && return
    gaze_say "cargo is missing: install Rust from https://rustup.rs (1.92 or newer)"
    return 1
}

# The version that a lock names.
gaze_locked() { sed -n 's/^onnxruntime[a-z-]*==\([^ ]*\).*/\1/p' "$GAZE_LOCKS/$1.lock"; }

# Installs what a lock names into an environment, and nothing else.
gaze_install() {
    "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --require-hashes -r "$GAZE_LOCKS/$2.lock" >&2
}

gaze_setup_runtime() {
    if [ -n "${GAZE_ORT_LIBRARY:-}" ]; then
        export GAZE_ORT_LIBRARY
        return
    fi
    local venv=$GAZE_ROOT/.deps/venv lock=onnxruntime version found
    python3 -c 'import sys; sys.exit(sys.version_info >= (3, 11))' && lock=onnxruntime-python3.10
    version=$(gaze_locked "$lock")
    find_library() {
        found=$(compgen -G "$venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.$version")
    }
    if ! find_library; then
        gaze_say "fetching ONNX Runtime $version into .deps/venv"
        [ -x "$venv/bin/pip" ] || python3 -m venv --clear "$venv" || return 1
        gaze_install "$venv" "$lock" || return 1
        if ! find_library; then
            gaze_say "the package onnxruntime $version has no libonnxruntime.so"
            return 1
        fi
    fi
    export GAZE_ORT_LIBRARY=$found
    gaze_setup_qnn "$venv"
}

# Installs the QNN plug-in beside ONNX Runtime, where the engine finds it. Only QNN needs it; the tests
# name what they leave out without it.
gaze_setup_qnn() {
    local venv=$1 version
    version=$(gaze_locked onnxruntime-qnn)
    [ -n "${GAZE_QNN_LIBRARY:-}${GAZE_WITHOUT_QNN:-}" ] && return
    [ "$(uname -m)" = x86_64 ] || return 0
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || return 0
    compgen -G "$venv/lib/python3*/site-packages/onnxruntime_qnn-$version.dist-info" \
        >/dev/null && return
    gaze_say "fetching the QNN plug-in $version into .deps/venv"
    gaze_install "$venv" onnxruntime-qnn ||
        gaze_say "PyPI has no QNN plug-in for this system; execution-provider=qnn will not run"
    return 0
}

# Sets gaze_features, cargo's words for the features that this system allows: v1_24 (GstAnalytics) needs
# GStreamer 1.24.
gaze_choose_features() {
    gaze_features=()
    if gaze_has_analytics && pkg-config --exists gstreamer-analytics-1.0; then
        gaze_features=(--features v1_24)
    fi
}

# Builds the plugin and makes GStreamer find it.
gaze_build() {
    local profile=${GAZE_PROFILE:-release} words=()
    [ "$profile" = debug ] || words=(--release)
    gaze_choose_features
    cargo build --lib "${words[@]}" "${gaze_features[@]}" && gaze_use_build "$profile"
}

# Makes GStreamer find the plugin of a cargo profile (`release`, `debug`): a link in a folder of its own,
# because GStreamer would search all of target/ for plugins.
gaze_use_build() {
    mkdir -p "$GAZE_PLUGINS"
    ln -sfn "$(realpath -m "${CARGO_TARGET_DIR:-$GAZE_ROOT/target}")/$1/libgstgaze.so" \
        "$GAZE_PLUGINS/libgstgaze.so"
}

if ! { gaze_setup_packages && gaze_setup_cargo && gaze_setup_runtime; }; then
    gaze_say "incomplete, see above"
    # shellcheck disable=SC2317  # `return` when sourced, `exit` when run
    return 1 2>/dev/null || exit 1
fi
case ":${GST_PLUGIN_PATH:-}:" in
*":$GAZE_PLUGINS:"*) ;;
*) GST_PLUGIN_PATH=$GAZE_PLUGINS${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH} ;;
esac
export GST_PLUGIN_PATH
# The plugin switches off the telemetry of PyPI's ONNX Runtime; this keeps it from storing an identifier.
export ORT_DISABLE_TELEMETRY=${ORT_DISABLE_TELEMETRY:-1}
