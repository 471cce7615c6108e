#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The sources stand as .clang-format lays them out. usage: format.sh ROOT
set -euo pipefail
[ $# = 1 ] || { echo "usage: format.sh ROOT" >&2; exit 2; }
format=$(command -v clang-format-14 || command -v clang-format) || { echo "clang-format is not installed"; exit 77; }
case $("$format" --version) in *"version 14."*) ;; *) echo "clang-format 14 is not installed"; exit 77 ;; esac
cd "$1"
find include tests examples benchmarks \( -name '*.hpp' -o -name '*.cpp' \) -print0 | xargs -0 "$format" --dry-run -Werror
echo "every source is formatted"
