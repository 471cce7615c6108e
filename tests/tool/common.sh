#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sourced by the tests of the tool: NAME.sh TOOL RESEARCHER ROOT OUT. They work in OUT, where `mote` is the tool.
set -euo pipefail
[ $# = 4 ] || { echo "usage: $0 TOOL RESEARCHER ROOT OUT" >&2; exit 2; }
tool=$1 researcher=$2 root=$3 out=$4
rm -rf "$out"
mkdir -p "$out"
cd "$out"
ln -s "$root/examples" examples
mote() { "$tool" "$@"; }
failures=0
failed() { echo "FAILED: $*"; failures=$((failures + 1)); }
finish() { [ "$failures" = 0 ] || { echo "$failures failures"; exit 1; }; echo "passed"; }

# json FILE EXPRESSION: the expression holds of the figures, which are `j`.
json() {
    python3 - "$@" <<'TEXT' || failed "$1: $2: $(head -c 300 "$1")"
import json, sys
j = json.load(open(sys.argv[1], encoding="utf-8"))
sys.exit(0 if eval(sys.argv[2]) else 1)
TEXT
}
# figure FILE KEY: the figure.
figure() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1], encoding="utf-8"))[sys.argv[2]])' "$@"; }
