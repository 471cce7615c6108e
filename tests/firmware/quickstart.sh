#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The quickstart's network, one seed: the same bytes from every kernel table of the desk, from aarch64, and from four emulated
# boards. usage: quickstart.sh QUICKSTART DESK DIRECTORY
set -euo pipefail
[ $# = 3 ] || { echo "usage: quickstart.sh QUICKSTART DESK DIRECTORY" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
quickstart=$1 desk=$2 net=$3
command -v qemu-system-arm >/dev/null || { echo "qemu-system-arm is not installed"; exit 77; }
"$quickstart" --seeds 1 --out "$net" | tail -14
"$desk" "$net/net.mote" "$net/expected.txt"
if command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null; then
    for arch in armv8-a armv8.2-a+dotprod; do
        aarch64-linux-gnu-g++ -std=c++20 -O1 -march=$arch -static -DDESK_NATIVE -DMOTE_DIGITS_CSV="\"$root/examples/data/digits.csv\"" \
            -I "$root/include" "$root/tests/firmware/desk.cpp" -o "$net/desk_aarch64"
        qemu-aarch64 "$net/desk_aarch64" "$net/net.mote" "$net/expected.txt"
    done
else
    echo "aarch64 is left out: its compiler or qemu-aarch64 is not installed"
fi
export MOTE_INSNCOUNT=${MOTE_INSNCOUNT:-$root/../shared/tools/insncount.c}
"$root/examples/firmware/run.sh" "$net/boards" "$net" | tee "$net/table.txt"
code=$(awk '$1 == "m4" {print $5}' "$net/table.txt")
[ "$code" -le 16384 ] || { echo "the code for M4 takes $code bytes; at most 16384 are allowed"; exit 1; }
