#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A race of the smallest network against one engine gives JSON of the right shape. Status 77: the engine cannot be installed.
set -euo pipefail
[ $# = 1 ] || { echo "usage: check.sh JSON" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
isa=()
! grep -qw avx2 /proc/cpuinfo || isa=(--isa avx2)  # one instruction set compiles faster than five
"$here/run.sh" --quick --networks autoencoder --threads 1 --peers onnxruntime "${isa[@]}" --json "$1"
python3 "$here/check.py" "$1" autoencoder
