#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A race of the smallest network against one engine gives JSON of the right shape. Status 77: the engine cannot be installed.
set -euo pipefail
[ $# = 1 ] || { echo "usage: check.sh JSON" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
"$here/run.sh" --quick --networks autoencoder --threads 1 --peers onnxruntime --json "$1"
python3 "$here/check.py" "$1" autoencoder
