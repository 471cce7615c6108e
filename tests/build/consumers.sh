#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A user's project comes by mote in every way there is. usage: consumers.sh CMAKE CXX ROOT BUILD
set -euo pipefail
[ $# = 4 ] || { echo "usage: consumers.sh CMAKE CXX ROOT BUILD" >&2; exit 2; }
cmake=$1 cxx=$2 root=$3 build=$4
project=$root/tests/build/consumer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

configure() {  # name, CMake options...
    local name=$1
    shift
    "$cmake" -S "$project" -B "$name" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" "$@" >"$name.log" 2>&1
}
consume() {  # name, expected text, CMake options...
    local name=$1 expected=$2 answer
    shift 2
    configure "$name" "$@" && "$cmake" --build "$name" >>"$name.log" 2>&1 || { cat "$name.log"; echo "FAILED: $name"; exit 1; }
    answer=$("$name/consumer")
    echo "$name: $answer"
    [[ $answer == $expected ]] || { echo "FAILED: $name: expected $expected"; exit 1; }
}

"$cmake" --install "$build" --prefix "$scratch/prefix" >install.log
consume installed "0 2 by * kernels" -DCONSUME=find_package -DCMAKE_PREFIX_PATH="$scratch/prefix"
consume build_tree "0 2 by * kernels" -DCONSUME=find_package -Dmote_DIR="$build"
consume add_subdirectory "0 2 by * kernels" -DCONSUME=add_subdirectory -DMOTE_ROOT="$root"
consume FetchContent "0 2 by * kernels" -DCONSUME=FetchContent -DMOTE_ROOT="$root"
"$cxx" -std=c++20 -I "$root/include" "$project/main.cpp" -o bare
echo "bare -I include: $(./bare)"
[[ $(./bare) == "0 2 by "*" kernels" ]]

# Without xsimd the package says what to do; scalar kernels need none.
hidden=(-DCONSUME=find_package -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_DISABLE_FIND_PACKAGE_xsimd=ON -DMOTE_XSIMD_INCLUDE=OFF)
if configure without_xsimd "${hidden[@]}"; then echo "FAILED: configured without xsimd"; exit 1; fi
grep -q "libxsimd-dev" without_xsimd.log || { cat without_xsimd.log; echo "FAILED: no hint"; exit 1; }
echo "without_xsimd: refused, with a hint"
consume scalar "0 2 by scalar kernels" "${hidden[@]}" -DMOTE_SCALAR=ON
