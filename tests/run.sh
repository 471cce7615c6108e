#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what the tests need, builds them, and runs them. --all is the same until the other presets have been tried.
set -euo pipefail
cd "$(dirname "$0")/.."
presets=(release)
case "${1:-}" in
    "") ;;
    --all) presets=(release) ;;
    *) echo "usage: tests/run.sh [--all]" >&2; exit 2 ;;
esac
missing=()
for package in g++ cmake make catch2; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || { echo "tests/run.sh: needs ${missing[*]}; apt-get is not here (Debian 12 is expected)" >&2; exit 1; }
    root=(); [ "$(id -u)" = 0 ] || root=(sudo)
    echo "installing: ${missing[*]}"
    { "${root[@]}" apt-get update -qq && "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null ||
        { echo "tests/run.sh: could not install ${missing[*]}; is the machine online?" >&2; exit 1; }
fi
for preset in "${presets[@]}"; do
    echo "== $preset"
    cmake --preset "$preset"
    cmake --build --preset "$preset"
    ctest --preset "$preset"
done
