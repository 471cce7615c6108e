#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: symbols.sh NM OBJECT...
# Fails where an object of mote_dispatch() defines a function or variable that a linker may merge with another unit's and that
# does not stand in a namespace of its instruction set alone.
set -euo pipefail
nm=$1
shift
[ $# -gt 0 ] || { echo "no objects are given" >&2; exit 2; }
# What of each such object may be merged: exception tables' references to their handler, which hold no instructions of the set,
# and clang's call of terminate().
harmless='DW\.ref\.__gxx_personality_v0|__clang_call_terminate'
status=0 sets=0
for object in "$@"; do
    set=$(basename "$object")
    set=${set%%.*}
    [ "$set" != compiled_kernels ] || continue
    sets=$((sets + 1))
    defined=$("$nm" -C --defined-only "$object")
    if ! grep -q " [TtWRrVuDd] .*kernels::$set::" <<<"$defined"; then
        echo "$set: $object defines nothing in kernels::$set" >&2
        status=1
    fi
    # A weak (W, w), vague (V, v) or unique (u) symbol; guard variables and the like carry the namespace in their name too.
    if shared=$(grep -E " [WwVvu] " <<<"$defined" | grep -vE "kernels::$set::|xsimd_$set::| ($harmless)$"); then
        echo "$set: these may be merged with other units' by the linker:" >&2
        echo "$shared" >&2
        status=1
    fi
done
[ $sets -gt 0 ] || { echo "no object of an instruction set is among those given" >&2; exit 2; }
[ $status -ne 0 ] || echo "the objects of $sets instruction sets define nothing that the linker could merge"
exit $status
