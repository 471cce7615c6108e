#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what the tests need, builds them and runs them through ctest. --all: every preset.
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/install_packages.sh
usage() { echo "usage: tests/run.sh [--all]    (--all: every preset of CMakePresets.json; about 40 minutes on two cores)"; }
presets=(release)
packages=(g++ cmake ninja-build ccache catch2 libxsimd-dev)
case "${1:-}" in
    "") ;;
    --all)
        presets=(release debug asan tsan scalar aarch64 clang)
        packages+=(clang-19 g++-aarch64-linux-gnu qemu-user)
        ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac
install_packages "${packages[@]}"
for preset in "${presets[@]}"; do
    echo "== $preset: configure, build, test"
    cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log" >&2; rm -f "build-$preset.log"; exit 1; }
    rm -f "build-$preset.log"
    SECONDS=0
    cmake --build --preset "$preset"
    echo "== $preset: built in $SECONDS s"
    ctest --preset "$preset"
done
