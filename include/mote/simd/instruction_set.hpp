// SPDX-License-Identifier: MIT
#pragma once
// The inline namespace of this unit's kernels, named by its instruction set: units of different sets can stand in one program,
// and none of their functions merge. MOTE_SCALAR asks for scalar kernels. A new instruction set is an entry of the lists and a
// branch here, and small functions in simd/ where it does what others do not.

#include <mote/core/config.hpp>

// The sets that mote_dispatch() compiles, the most capable first: set(its name, the set that it adds to, what it adds). A
// feature is called as compilers call it after -m (x86-64) or in -march (aarch64, where its bit of Linux' getauxval() follows).
// machine_runs() asks the processor for them, and CMake reads these lines.
// clang-format off
#define MOTE_X86_64_SETS(set, has)                                                                           \
    set(avx512amx, avx512bf16, has("amx-tile") has("amx-int8") has("amx-bf16"))                              \
    set(avx512bf16, avx512vnni, has("avx512bf16") has("avx512vbmi"))                                         \
    set(avx512vnni, avx512, has("avx512vnni"))                                                               \
    set(avx512, avx2, has("avx512f") has("avx512bw") has("avx512dq") has("avx512cd") has("avx512vl"))        \
    set(avxvnni, avx2, has("avxvnni"))                                                                       \
    set(avx2, avx, has("avx2") has("fma"))                                                                   \
    set(avx, sse4_1, has("avx"))                                                                             \
    set(sse4_1, sse2, has("sse4.1"))                                                                         \
    set(sse2, scalar, )
#define MOTE_AARCH64_SETS(set, has)                             \
    set(neon_i8mm, neon_dot, has("i8mm", AT_HWCAP2, 13))        \
    set(neon_dot, neon, has("dotprod", AT_HWCAP, 20))           \
    set(neon, scalar, )
// clang-format on

#if defined(MOTE_SCALAR) || defined(__i386__)
#define MOTE_INSTRUCTION_SET scalar
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512CD__) && defined(__AVX512VL__)
#define MOTE_AVX512 1
#if defined(__AVX512VNNI__) && defined(__AVX512BF16__) && defined(__AVX512VBMI__)
#if defined(__AMX_TILE__) && defined(__AMX_INT8__) && defined(__AMX_BF16__)
#define MOTE_INSTRUCTION_SET avx512amx
#define MOTE_AMX 1
#else
#define MOTE_INSTRUCTION_SET avx512bf16
#endif
#define MOTE_VNNI 1
#define MOTE_AVX512BF16 1
#elif defined(__AVX512VNNI__)
#define MOTE_INSTRUCTION_SET avx512vnni
#define MOTE_VNNI 1
#else
#define MOTE_INSTRUCTION_SET avx512
#endif
#elif defined(__AVX2__) && defined(__FMA__) && defined(__AVXVNNI__)
#define MOTE_INSTRUCTION_SET avxvnni
#define MOTE_AVX2 1
#define MOTE_VNNI 1
#elif defined(__AVX2__) && defined(__FMA__)
#define MOTE_INSTRUCTION_SET avx2
#define MOTE_AVX2 1
#elif defined(__AVX__)
#define MOTE_INSTRUCTION_SET avx  // the kernels of SSE2 in another encoding
#define MOTE_SSE2 1
#elif defined(__SSE4_1__)
#define MOTE_INSTRUCTION_SET sse4_1  // the kernels of SSE2, but the compiler may use what came after
#define MOTE_SSE2 1
#elif defined(__SSE2__)
#define MOTE_INSTRUCTION_SET sse2
#define MOTE_SSE2 1
#elif defined(__aarch64__) && defined(__ARM_FEATURE_MATMUL_INT8)
#define MOTE_INSTRUCTION_SET neon_i8mm
#define MOTE_NEON 1
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
#define MOTE_INSTRUCTION_SET neon_dot
#define MOTE_NEON 1
#elif defined(__aarch64__)
#define MOTE_INSTRUCTION_SET neon
#define MOTE_NEON 1
#elif defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define MOTE_INSTRUCTION_SET arm_m  // kernels/detail/arm_m stands beside the scalar definitions
#else
#define MOTE_INSTRUCTION_SET scalar
#endif

#if defined(MOTE_AVX512) || defined(MOTE_AVX2) || defined(MOTE_SSE2) || defined(MOTE_NEON)
#define MOTE_VECTORS 1  // simd/vector.hpp serves this unit
#endif

#if defined(MOTE_VNNI) || defined(MOTE_NEON)
#define MOTE_BYTE_TAPS 1  // simd/byte_taps.hpp serves this unit: depthwise convolutions take four taps of bytes at once
#endif

#if defined(MOTE_SSE2)
// What is compiled without a word about its target is to compile fast: without Winograd, without depthwise tiles for windows of
// width 5, and with few register tiles, whose steps are not unrolled.
#define MOTE_FEW_TILES 1
#endif

#define MOTE_DETAIL_TEXT_OF(name) #name
#define MOTE_DETAIL_TEXT(name) MOTE_DETAIL_TEXT_OF(name)
/// "avx2", "neon" ...
#define MOTE_INSTRUCTION_SET_NAME MOTE_DETAIL_TEXT(MOTE_INSTRUCTION_SET)

#define MOTE_BEGIN_KERNELS \
    MOTE_BEGIN_NAMESPACE   \
    namespace kernels {    \
    inline namespace MOTE_INSTRUCTION_SET {
#define MOTE_END_KERNELS \
    }                    \
    }                    \
    MOTE_END_NAMESPACE
