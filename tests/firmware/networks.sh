#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Real networks on emulated boards: the desk's bytes for eight of their golden inputs, within exactly arena_bytes. Each on two of
# the cores. usage: networks.sh MOTE DIRECTORY
set -euo pipefail
[ $# = 2 ] || { echo "usage: networks.sh MOTE DIRECTORY" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
mote=$1 directory=$2 data=$root/../shared/data
[ -f "$data/FILES.csv" ] || { echo "skipped: ../shared/data is absent"; exit 77; }
for tool in arm-none-eabi-g++ qemu-system-arm; do
    command -v $tool >/dev/null || { echo "$tool is not installed"; exit 77; }
done
export MOTE_INSNCOUNT=
networks=0
while IFS=, read -r name model inputs boards _; do
    net=$directory/$name
    mkdir -p "$net"
    "$mote" emit "$data/$model.tflite" -o "$net/net.hpp" --data "npy:$data/golden/$inputs.in.npy" --samples 8
    [ "$(sort -u "$net/expected.txt" | wc -l)" -ge 2 ] || { echo "$name: the answers to eight inputs are all the same"; exit 1; }
    echo "== $name"
    # shellcheck disable=SC2086 # a list
    "$root/examples/firmware/run.sh" "$net" "$net" $boards
    networks=$((networks + 1))
done < <(tail -n +2 "$root/benchmarks/firmware/networks.csv")
[ $networks -ge 9 ] || { echo "only $networks networks were found"; exit 1; }
