#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole way of one network: trained, distilled, pruned, quantized, run here, and run on emulated microcontrollers.
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/install_packages.sh
usage() {
    cat <<'TEXT'
usage: examples/quickstart.sh [--seeds N] [--out DIR]
  --seeds N    train with N seeds and print the mean accuracy (default 3; about half a minute each on two cores)
  --out DIR    where the header, the test vectors and the pictures go (default quickstart-out)
example: examples/quickstart.sh --seeds 3
TEXT
}
seeds=3 out=quickstart-out
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage; exit 0 ;;
        --seeds | --out) [ $# -ge 2 ] || { usage >&2; exit 2; } ;;&
        --seeds) seeds=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        *) usage >&2; exit 2 ;;
    esac
done
install_packages g++ cmake ninja-build libxsimd-dev gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm
echo "== building"
cmake --preset release -B build/quickstart -DMOTE_TESTS=OFF -DMOTE_BENCHMARKS=OFF >/dev/null
cmake --build build/quickstart --target quickstart --parallel "$(nproc)"
echo "== training, compressing, running here"
build/quickstart/examples/quickstart --seeds "$seeds" --out "$out"
echo "== running $out/net.hpp on emulated microcontrollers"
examples/firmware/run.sh build/quickstart "$out"
