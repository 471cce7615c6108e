#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang-tidy over a unit that includes everything. usage: tidy.sh ROOT EVERYTHING_HPP
set -euo pipefail
[ $# = 2 ] || { echo "usage: tidy.sh ROOT EVERYTHING_HPP" >&2; exit 2; }
root=$1 everything=$2
tidy=$(command -v clang-tidy-19) || { echo "clang-tidy-19 is not installed"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '#include <everything.hpp>\nint main() {}\n' >"$scratch/unit.cpp"
"$tidy" --quiet --config-file="$root/.clang-tidy" "$scratch/unit.cpp" -- \
    -std=c++20 -I "$root/include" -I "$(dirname "$everything")" 2>"$scratch/log" || { cat "$scratch/log"; exit 1; }
echo "clang-tidy has nothing to say"
