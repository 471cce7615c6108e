#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds an emitted network for emulated boards, runs it, compares its bytes with the desk's, and prints what it takes.
# usage: run.sh BUILD_DIR NET_DIR [BOARD...]
#   NET_DIR holds net.hpp, samples.hpp and expected.txt, as `mote emit --data` and examples/quickstart write them;
#   boards: m0 m3 m4 m7 m55 (default: m0 m3 m4 m55).
#   MOTE_INSNCOUNT names the source of a QEMU plugin that counts instructions between calls of perf_mark; without it a dash is shown.
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '3,8s/^# //p' "$0" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
build=$1 net=$2
shift 2
[ $# -gt 0 ] || set -- m0 m3 m4 m55
for tool in arm-none-eabi-g++ qemu-system-arm; do
    command -v $tool >/dev/null || { echo "run.sh: $tool is not installed; boards are skipped"; exit 77; }
done
for file in net.hpp samples.hpp expected.txt; do
    [ -f "$net/$file" ] || { echo "run.sh: $net/$file is missing; mote emit --data writes it" >&2; exit 1; }
done
mkdir -p "$build"
plugin=()
if [ -n "${MOTE_INSNCOUNT:-}" ] && [ -f "$MOTE_INSNCOUNT" ]; then
    gcc -O2 -shared -fPIC -o "$build/insncount.so" "$MOTE_INSNCOUNT"
fi
# Without contraction f32 is the desk's to the bit, too.
flags=(-std=c++17 -O2 -ffp-contract=off -mthumb -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections -fdata-sections
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Wno-register -nostartfiles -Wl,--gc-sections
    --specs=nano.specs --specs=nosys.specs -I "$here/../../include" -I "$net" -L "$here")
failed=0
printf '%-6s %-12s %8s %8s %8s %8s %14s  %s\n' core machine flash weights code RAM instructions "same bytes"
for board in "$@"; do
    case $board in
        m0) machine=microbit script=microbit cpu=(-mcpu=cortex-m0) ;;
        m3) machine=mps2-an385 script=mps2 cpu=(-mcpu=cortex-m3) ;;
        m4) machine=mps2-an386 script=mps2 cpu=(-mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16) ;;
        m7) machine=mps2-an500 script=mps2 cpu=(-mcpu=cortex-m7 -mfloat-abi=hard -mfpu=fpv5-d16) ;;
        m55) machine=mps3-an547 script=mps3-an547 cpu=(-mcpu=cortex-m55 -mfloat-abi=hard) ;;
        *) echo "run.sh: unknown board '$board'; m0, m3, m4, m7 and m55 are known" >&2; exit 2 ;;
    esac
    elf=$build/$board.elf
    arm-none-eabi-g++ "${cpu[@]}" "${flags[@]}" "$here/start.cpp" "$here/app.cpp" -T "$here/$script.ld" -o "$elf"
    plugin=()
    rm -f "$build/$board.count"
    [ -f "$build/insncount.so" ] && plugin=(-plugin "$build/insncount.so,out=$build/$board.count")
    status=0
    timeout 120 qemu-system-arm -M $machine -nographic -monitor none -serial none -semihosting-config enable=on,target=native \
        "${plugin[@]}" -kernel "$elf" >"$build/$board.txt" 2>&1 </dev/null || status=$?
    same=no
    if [ $status = 0 ] && cmp -s "$build/$board.txt" "$net/expected.txt"; then same=yes; else failed=1; fi
    sizes=$(arm-none-eabi-nm -S -C --defined-only "$elf" | while read -r _ size type name; do
        case $type$name in
            [VuRr]net::*) echo "w $((16#$size))" ;; # data, and not the functions
            [VuRr]samples::*) echo "s $((16#$size))" ;;
        esac
    done | awk '{sum[$1] += $2} END {print sum["w"] + 0, sum["s"] + 0}')
    read -r weights samples <<<"$sizes"
    arena=$(arm-none-eabi-nm -S -C --defined-only "$elf" | awk '/ memory$|::memory$/ {print $2}')
    arena=$((16#$arena - 32))
    text=$(arm-none-eabi-size "$elf" | awk 'NR == 2 {print $1 + $2}')
    count=$(awk '/^mark 1:/ {sub("since_last=", "", $NF); print $NF}' "$build/$board.count" 2>/dev/null || true)
    printf '%-6s %-12s %8d %8d %8d %8d %14s  %s\n' "$board" $machine $((text - samples)) "$weights" $((text - samples - weights)) \
        "$arena" "${count:--}" $same
    [ $same = yes ] || { echo "$board: exit status $status; first difference:"; diff "$build/$board.txt" "$net/expected.txt" | head -4; }
done
exit $failed
