#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Emitted networks on microcontrollers. usage: boards.sh compile|boards|symbols EMITTED_DIR
#   compile: without a warning, as C++17 without exceptions, for every core and for desks; not with another mote's header
#   boards:  run on emulated M0, M3, M4, M55: the desk's bytes, within exactly arena_bytes
#   symbols: what `boards` linked has no heap, no streams, no static constructors, and for int8 no math library
set -euo pipefail
[ $# = 2 ] || { sed -n '3,6s/^# //p' "$0" >&2; exit 2; }
part=$1 emitted=$2
tests=$(cd "$(dirname "$0")" && pwd)
root=$tests/../..
board=$root/examples/firmware
for tool in arm-none-eabi-g++ qemu-system-arm; do
    command -v $tool >/dev/null || { echo "$tool is not installed"; exit 77; }
done
warnings=(-std=c++17 -fno-exceptions -fno-rtti -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I "$root/include")
declare -A cpu=([m0]="-mcpu=cortex-m0" [m3]="-mcpu=cortex-m3" [m4]="-mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16"
    [m7]="-mcpu=cortex-m7 -mfloat-abi=hard -mfpu=fpv5-d16" [m33]="-mcpu=cortex-m33 -mfloat-abi=hard -mfpu=fpv5-sp-d16"
    [m55]="-mcpu=cortex-m55 -mfloat-abi=hard")
declare -A machine=([m0]=microbit [m3]=mps2-an385 [m4]=mps2-an386 [m55]=mps3-an547)
declare -A script=([m0]=microbit [m3]=mps2 [m4]=mps2 [m55]=mps3-an547)

case $part in
compile)
    for core in m0 m3 m4 m7 m33 m55; do
        arm-none-eabi-g++ ${cpu[$core]} -mthumb -O2 "${warnings[@]}" -I "$emitted/all" -c "$tests/firmware.cpp" -DMOTE_BOARD \
            -I "$board" -o /dev/null
        echo "$core: no warning"
    done
    for compiler in g++ aarch64-linux-gnu-g++ clang++-19; do
        command -v $compiler >/dev/null || { echo "$compiler: not installed"; continue; }
        $compiler -O2 "${warnings[@]}" -I "$emitted/all" -c "$tests/firmware.cpp" -o /dev/null
        echo "$compiler: no warning"
    done
    # A header compiles alone; made by another version of mote it does not, and the compiler says why.
    other=$(mktemp -d)
    trap 'rm -rf "$other"' EXIT
    alone() { arm-none-eabi-g++ ${cpu[m4]} -mthumb "${warnings[@]}" -fsyntax-only -x c++ -include "$1" /dev/null; }
    header=$emitted/bytes/bytes_0.hpp
    sed -E 's/(MOTE_VERSION == )[0-9]+/\1999999/' "$header" >"$other/net.hpp"
    cmp -s "$header" "$other/net.hpp" && { echo "$header: no version was found in it"; exit 1; }
    alone "$header"
    if alone "$other/net.hpp" 2>"$other/errors"; then
        echo "a header of another version compiles"
        exit 1
    fi
    grep -q "this header was made by another version of mote" "$other/errors" || { cat "$other/errors"; exit 1; }
    [ "$(grep -c "error:" "$other/errors")" = 1 ] || { cat "$other/errors"; exit 1; }
    echo "another version: refused"
    ;;
boards)
    for core in m0 m3 m4 m55; do
        networks=all
        [ $core = m0 ] && networks=bytes # 16 KB of memory
        for set in $networks bytes; do
            elf=$emitted/$core-$set.elf
            arm-none-eabi-g++ ${cpu[$core]} -mthumb -O2 "${warnings[@]}" -Wno-register -fno-threadsafe-statics \
                -ffunction-sections -fdata-sections -nostartfiles -Wl,--gc-sections --specs=nano.specs --specs=nosys.specs \
                -DMOTE_BOARD -I "$emitted/$set" -I "$board" -L "$board" "$tests/firmware.cpp" "$board/start.cpp" \
                -T "$board/${script[$core]}.ld" -o "$elf"
        done
        echo "== $core"
        timeout 120 qemu-system-arm -M "${machine[$core]}" -nographic -monitor none -serial none \
            -semihosting-config enable=on,target=native -kernel "$emitted/$core-$networks.elf" </dev/null
    done
    ;;
symbols)
    heap='malloc|free|calloc|realloc|_sbrk|_Zn[wa][jm]|_Zd[la]P'
    streams='printf|cout|_ZNSo|_ZSt4c'
    math='(a?(sin|cos|tan)h?|atan2|sincos|exp|exp2|exp10|expm1|log|log2|log10|log1p|logb|ilogb|pow|pow10|sqrt|cbrt|hypot'
    math+='|erfc?|[lt]gamma|gamma|floor|ceil|trunc|round|roundeven|rint|nearbyint|ll?round|ll?rint|fma|fmin|fmax|fdim|fabs|fmod'
    math+='|modf|frexp|ldexp|scalb|scalbl?n|remainder|remquo|drem|copysign|nan|nextafter|nexttoward|significand|j[01n]|y[01n]'
    math+='|finite|isinf|isnan|rem_pio2)'
    math="(ieee754_|kernel_|math_)?$math(f|l|_r|f_r)?"
    found=0
    [ -f "$emitted/m4-all.elf" ] && [ -f "$emitted/m0-bytes.elf" ] || { echo "the boards were not built"; exit 1; }
    symbols() { arm-none-eabi-nm --defined-only "$1" | awk '{print $3}'; }
    for elf in "$emitted"/m*-*.elf; do
        names="$heap|$streams"
        [[ $elf == *-bytes.elf ]] && names="$names|$math"
        if symbols "$elf" | grep -E "^_*($names)"'($|\.|[A-Z0-9_])'; then
            echo "$elf holds these"
            found=1
        fi
        size=$(arm-none-eabi-size -A "$elf" | awk '/init_array/ {print $2}')
        [ "${size:-0}" = 0 ] || { echo "$elf: .init_array has $size bytes: static constructors"; found=1; }
    done
    # The search finds what it looks for: the f32 networks do call the math library.
    symbols "$emitted/m4-all.elf" | grep -E "^($math)$" >"$emitted/math.txt" ||
        { echo "the f32 programs call no math library?"; found=1; }
    [ $found = 0 ] && echo "no heap, no streams, no static constructors; no math library in the int8 programs"
    exit $found
    ;;
*) sed -n '3,6s/^# //p' "$0" >&2; exit 2 ;;
esac
