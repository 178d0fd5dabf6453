#!/usr/bin/env bash
# The tests of gazemodels, in their own environment: models/.venv, made from the locked versions where
# it is missing. tests/run.sh of the project leaves them out, because PyTorch is a large download: 3 GB
# from PyPI, which has it with CUDA alone. PYTORCH_INDEX=https://download.pytorch.org/whl/cpu takes a
# PyTorch for the CPU from there instead, without NVIDIA's libraries.
# Words that are given go to pytest: models/tests/run.sh -k quantize
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -e .venv/complete ]; then
    python3 -m venv .venv
    .venv/bin/pip install --no-deps --require-hashes -r requirements.lock
    if [ -n "${PYTORCH_INDEX:-}" ]; then
        # Its packages are others than PyPI's: no hash is known of them.
        mapfile -t torch < <(sed -n 's/^\(torch[a-z]*==[^ ]*\).*/\1/p' requirements-torch.lock)
        .venv/bin/pip install --no-deps --index-url "$PYTORCH_INDEX" "${torch[@]}"
    else
        .venv/bin/pip install --no-deps --require-hashes -r requirements-torch.lock
    fi
    touch .venv/complete
fi
exec .venv/bin/python -m pytest -q "$@"
