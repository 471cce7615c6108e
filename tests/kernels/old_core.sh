#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: old_core.sh CXX INCLUDE OBJECT...
# Links the tables of mote_dispatch() in both orders into a program and runs it on emulated cores, old ones too: it must take no
# set that the core lacks, and give the scalar kernels' bytes. Where the linker merges a function of a newer set with another's,
# the program meets an illegal instruction.
set -euo pipefail
[ $# -gt 2 ] || { echo "usage: old_core.sh CXX INCLUDE OBJECT..." >&2; exit 2; }
cxx=$1 include=$2
shift 2
case $("$cxx" -dumpmachine) in
    x86_64*) emulator=qemu-x86_64 baseline=-march=x86-64 cores="core2duo=sse2 Nehalem=sse2 max=avx2" ;;
    aarch64*) emulator=qemu-aarch64 baseline=-march=armv8-a cores="cortex-a72=neon max=neon_i8mm" ;;
    *) echo "there are no cores to choose from"; exit 77 ;;
esac
command -v $emulator >/dev/null || { echo "$emulator is not installed"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/main.cpp" <<'CPP'
#include <mote/engine/dispatch.hpp>
#include <cstdio>
#include <cstring>
#include <vector>

template <class Kernels>
std::vector<std::int8_t> bytes(const Kernels& kernel, const mote::ConvGeometry& g) {
    const std::size_t in = static_cast<std::size_t>(g.in_height * g.in_width * g.in_channels), size = in * 64;
    std::vector<std::int8_t> input(in), weight(size), output(static_cast<std::size_t>(g.out_height * g.out_width * g.out_channels));
    for (std::size_t i = 0; i < in; ++i) input[i] = static_cast<std::int8_t>(static_cast<int>(i * 89 % 255) - 127);
    for (std::size_t i = 0; i < size; ++i) weight[i] = static_cast<std::int8_t>(static_cast<int>(i * 53 % 255) - 127);
    const std::vector<float> multiplier(64, 0.001f);
    std::vector<char> packed(kernel.packed_bytes(g) + 64), scratch(kernel.scratch_bytes(g) + 64);
    kernel.pack(g, {weight.data(), nullptr, multiplier.data(), 3}, packed.data());
    mote::ConvI8 run;
    run.input = input.data(), run.packed = packed.data(), run.output = output.data(), run.scratch = scratch.data();
    run.input_zero_point = 3;
    kernel.run(g, run, {});
    return output;
}

int main() {
    const mote::KernelTable *best = &mote::best_kernels(), *scalar = &mote::kernels_of("scalar");
    mote::ConvGeometry g;
    g.in_height = g.in_width = g.out_height = g.out_width = 7;
    g.in_channels = g.out_channels = 40;
    g.kernel_height = g.kernel_width = 3;
    g.pad_top = g.pad_left = 1;
    if (bytes(best->conv2d_i8, g) != bytes(scalar->conv2d_i8, g)) return std::puts("conv2d_i8 has other bytes"), 1;
    g.groups = 40;
    if (bytes(best->depthwise_i8, g) != bytes(scalar->depthwise_i8, g)) return std::puts("depthwise_i8 has other bytes"), 1;
    std::vector<float> a(64 * 64, 0.5f), b(64 * 64, 0.25f), c(64 * 64);
    std::vector<char> scratch(best->gemm_f32_scratch_bytes(64, 64, 64) + 64);
    mote::GemmF32 gemm;
    gemm.m = gemm.n = gemm.k = gemm.lda = gemm.ldb = gemm.ldc = 64;
    gemm.a = a.data(), gemm.b = b.data(), gemm.c = c.data(), gemm.scratch = scratch.data();
    best->gemm_f32(gemm);
    if (c[4095] != 8.0f) return std::puts("gemm_f32 is wrong"), 1;
    std::puts(best->instruction_set);
    return 0;
}
CPP
"$cxx" -std=c++20 -O1 $baseline -I "$include" -c "$scratch/main.cpp" -o "$scratch/main.o"
tables=() reversed=()
for object in "$@"; do
    case $(basename "$object") in compiled_kernels.*) list=$object ;; *) tables+=("$object") reversed=("$object" "${reversed[@]}") ;; esac
done
for order in "${tables[*]}" "${reversed[*]}"; do
    # shellcheck disable=SC2086
    "$cxx" -static "$scratch/main.o" $order "$list" -o "$scratch/program"
    for core in $cores; do
        status=0
        text=$($emulator -cpu "${core%=*}" "$scratch/program" 2>&1) || status=$?
        if [ "$status $text" != "0 ${core#*=}" ]; then
            echo "FAILED: ${core%=*} is to take ${core#*=}; tables in the order $order: status $status: $text"
            exit 1
        fi
    done
done
echo "of ${#tables[@]} tables, in both orders: $cores"
