#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what the tests need, builds them and runs them through ctest.
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/install_packages.sh
usage() {
    cat <<'TEXT'
usage: tests/run.sh [--all]
  --all    every preset of CMakePresets.json and the slow tests; about 30 to 45 minutes on two cores
TEXT
}
presets=(release)
choice=(-LE slow)
all=OFF
packages=(g++ cmake ninja-build ccache catch2 libxsimd-dev libeigen3-dev libflatbuffers-dev libprotozero-dev zlib1g-dev python3
          gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm)
[ $# -le 1 ] || { usage >&2; exit 2; }
case "${1:-}" in
    "") [ $# = 0 ] || { usage >&2; exit 2; } ;;
    --all)
        presets+=(debug asan tsan scalar aarch64 clang)
        choice=()
        all=ON
        packages+=(clang-19 libclang-rt-19-dev clang-tidy-19 clang-format-14 g++-aarch64-linux-gnu qemu-user libbenchmark-dev
                  libstb-dev libcli11-dev python3-venv xz-utils)
        ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac
install_packages "${packages[@]}"
failed=()
for preset in "${presets[@]}"; do
    echo "== $preset: configure, build, test"
    SECONDS=0
    mkdir -p "build/$preset"
    {
        cmake --preset "$preset" -DMOTE_ALL=$all >/dev/null && cmake --build --preset "$preset" --parallel "$(nproc)" &&
            echo "== $preset: built in $SECONDS s" && ctest --preset "$preset" --parallel "$(nproc)" "${choice[@]}"
    } 2>&1 | tee "build/$preset/run.log" || failed+=("$preset")
    echo "== $preset: $SECONDS s"
done
[ ${#failed[@]} != 0 ] || { echo "run.sh: all passed: ${presets[*]}"; exit; }
{
    for preset in "${failed[@]}"; do
        echo "== $preset failed; what its log (build/$preset/run.log) says of it:"
        grep -E -B 2 -A 12 '\*\*\*|FAILED|error|Error' "build/$preset/run.log" | tail -n 60 || true
    done
    echo "run.sh: failed: ${failed[*]}"
} >&2
exit 1
