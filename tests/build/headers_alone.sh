#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every header compiles alone, included twice; the kernels for every instruction set. usage: headers_alone.sh CXX INCLUDE
set -euo pipefail
[ $# = 2 ] || { echo "usage: headers_alone.sh CXX INCLUDE" >&2; exit 2; }
export CXX=$1 INCLUDE=$2

compile() {  # header, standard, flags...
    local header=$1 standard=$2
    shift 2
    printf '#include <mote/%s>\n#include <mote/%s>\n' "$header" "$header" |
        "$CXX" -std="$standard" -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I "$INCLUDE" "$@" -x c++ - ||
        { echo "FAILED: $header $standard $*"; return 1; }
}
export -f compile

jobs() {
    local header standard march
    while read -r header; do
        case $header in
            */arm_m/* | simd/detail/*) continue ;;  # of one processor, included by others
            core/* | simd/* | kernels/* | signal/* | firmware/*) standard=c++17 ;;
            *) standard=c++20 ;;
        esac
        echo "$header $standard"
    done < <(cd "$INCLUDE/mote" && find . -name '*.hpp' -printf '%P\n' | sort)
    if [ "$(uname -m)" = x86_64 ]; then
        for march in x86-64-v3 x86-64-v4 icelake-server; do echo "kernels/native.hpp c++17 -march=$march"; done
    fi
    echo "kernels/native.hpp c++17 -DMOTE_SCALAR=1"
}
jobs | xargs -P "$(nproc)" -L 1 bash -c 'compile "$@"' compile
echo "$(jobs | wc -l) compilations without a warning"
