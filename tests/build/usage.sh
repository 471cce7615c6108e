#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The scripts refuse what they do not know with status 2 and say how they are used. usage: usage.sh ROOT
set -euo pipefail
[ $# = 1 ] || { echo "usage: usage.sh ROOT" >&2; exit 2; }
for script in tests/run.sh examples/quickstart.sh benchmarks/compile_time.sh benchmarks/peers/run.sh; do
    status=0
    text=$("$1/$script" --no-such-option 2>&1) || status=$?
    [ "$status" = 2 ] && [[ $text == *"usage: $script"* ]] || { echo "FAILED: $script: status $status: $text"; exit 1; }
    text=$("$1/$script" --help)
    [[ $text == *"usage: $script"* ]] || { echo "FAILED: $script --help: $text"; exit 1; }
done
echo "usage is explained"
