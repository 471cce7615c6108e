#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The quickstart's network, one seed, on four emulated boards: the desk's bytes. usage: quickstart.sh QUICKSTART DIRECTORY
set -euo pipefail
[ $# = 2 ] || { echo "usage: quickstart.sh QUICKSTART DIRECTORY" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v qemu-system-arm >/dev/null || { echo "qemu-system-arm is not installed"; exit 77; }
"$1" --seeds 1 --out "$2" | tail -12
export MOTE_INSNCOUNT=${MOTE_INSNCOUNT:-$root/../shared/tools/insncount.c}
"$root/examples/firmware/run.sh" "$2/boards" "$2" | tee "$2/table.txt"
code=$(awk '$1 == "m4" {print $5}' "$2/table.txt")
[ "$code" -le 16384 ] || { echo "the code for M4 takes $code bytes; at most 16384 are allowed"; exit 1; }
