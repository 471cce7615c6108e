#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every header compiles alone, included twice; the kernels for every instruction set. usage: headers_alone.sh CXX INCLUDE
#
# What another header of the same standard includes before all else stands alone there already, and is not compiled again.
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

standard() {  # header
    case $1 in
        core/* | simd/* | kernels/* | signal/* | firmware/*) echo c++17 ;;
        *) echo c++20 ;;
    esac
}

# The first header of mote that a header includes before anything else, "-" where there is none.
first() {  # header
    sed -n '/^#pragma once/d; /^#include <mote\/\(.*\)>$/{s//\1/p;q}; /^#/{s/.*/-/p;q}' "$INCLUDE/mote/$1"
}

jobs() {
    local header march
    local -A proven=()
    local -a headers
    mapfile -t headers < <(cd "$INCLUDE/mote" && find . -name '*.hpp' -printf '%P\n' | grep -vE '/arm_m/|^simd/detail/' | sort)
    for header in "${headers[@]}"; do  # arm_m and simd/detail: of one processor, included by others
        grep -q '^#pragma once$' "$INCLUDE/mote/$header" || { echo "FAILED: $header lacks #pragma once" >&2; return 1; }
        local inner
        inner=$(first "$header")
        [ "$(standard "$header")" != "$(standard "$inner")" ] || proven[$inner]=yes
    done
    for header in "${headers[@]}"; do
        [ -n "${proven[$header]:-}" ] || echo "$header $(standard "$header")"
    done
    if [ "$(uname -m)" = x86_64 ]; then
        for march in x86-64-v3 x86-64-v4 icelake-server; do echo "kernels/native.hpp c++17 -march=$march"; done
    fi
    echo "kernels/native.hpp c++17 -DMOTE_SCALAR=1"
}
jobs >/dev/null
jobs | xargs -P "$(nproc)" -L 1 bash -c 'compile "$@"' compile
echo "$(jobs | wc -l) compilations without a warning"
