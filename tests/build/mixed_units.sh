#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Units with and without exceptions do not link into one program; alike units do. usage: mixed_units.sh CXX INCLUDE
set -euo pipefail
[ $# = 2 ] || { echo "usage: mixed_units.sh CXX INCLUDE" >&2; exit 2; }
cxx=$1 include=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cat >a.cpp <<'CPP'
#include <mote/core/shape.hpp>
std::size_t count(const mote::Shape& shape) { return shape.rank(); }
CPP
cat >b.cpp <<'CPP'
#include <mote/core/shape.hpp>
std::size_t count(const mote::Shape& shape);
int main() { return count(mote::Shape{1, 2}) == 2 ? 0 : 1; }
CPP
for exceptions in exceptions no-exceptions; do
    for unit in a b; do "$cxx" -std=c++20 -I "$include" "-f$exceptions" -c "$unit.cpp" -o "$unit-$exceptions.o"; done
    "$cxx" "a-$exceptions.o" "b-$exceptions.o" -o alike
    ./alike
done
if "$cxx" a-exceptions.o b-no-exceptions.o -o mixed 2>log; then echo "FAILED: mixed units link"; exit 1; fi
grep -q "undefined.*count" log || { cat log; exit 1; }
echo "alike units link, mixed ones do not"
