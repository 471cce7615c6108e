#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What an include of mote costs a compiler, beside an include of xsimd, and how large a program becomes that runs a network. Fails
# where a cost is above its limit.
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/install_packages.sh
usage() {
    cat <<'TEXT'
usage: benchmarks/compile_time.sh [--rounds N] [--compiler CXX]
  --rounds N       take medians of N alternating rounds (default 7)
  --compiler CXX   measure with CXX (default g++)
example: benchmarks/compile_time.sh --rounds 11 --compiler clang++-19
TEXT
}
rounds=7 compiler=g++
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage; exit 0 ;;
        --rounds | --compiler) [ $# -ge 2 ] || { usage >&2; exit 2; } ;;&
        --rounds) rounds=$2; shift 2 ;;
        --compiler) compiler=$2; shift 2 ;;
        *) usage >&2; exit 2 ;;
    esac
done
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }
install_packages g++ libxsimd-dev python3
exec python3 benchmarks/compile_time/measure.py "$compiler" "$rounds"
