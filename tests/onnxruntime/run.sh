#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compares exported networks with onnxruntime, which is installed into a virtual environment of its own (in the user's cache).
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: run.sh MAKE_FILES OUT [SHARED_DATA]   (status 77: skipped, onnxruntime cannot be installed)" >&2; exit 2; }
make_files=$1 out=$2 shared=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
environment=${XDG_CACHE_HOME:-$HOME/.cache}/mote/onnxruntime
python=$environment/bin/python
usable() { "$python" -c 'import numpy, onnx, onnxruntime' 2>/dev/null; }
if ! usable; then
    rm -rf "$environment"
    { python3 -m venv "$environment" && "$python" -m pip install --quiet --disable-pip-version-check --retries 1 \
        onnx onnxruntime numpy && usable; } || {
        echo "skipped: onnxruntime cannot be installed (python3-venv and a network are needed)"
        exit 77
    }
fi
rm -rf "$out"
mkdir -p "$out"
trained=()
if [ -n "$shared" ] && command -v xz >/dev/null; then
    "$shared/unpack.sh" "$(dirname "$out")/cifar10"
    trained=("$shared/mlperf_tiny/ic/"{pretrainedResnet.tflite,calibration_samples_idxs.npy} "$(dirname "$out")/cifar10")
else
    echo "without the trained network: the shared data or xz are absent"
fi
"$make_files" "$out" "${trained[@]}"
"$python" "$here/compare.py" "$out"
