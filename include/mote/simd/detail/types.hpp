// SPDX-License-Identifier: MIT
#pragma once
// The vector types of this unit's instruction set, on xsimd, and what is the same for all sets.

#include <mote/simd/instruction_set.hpp>

#if !defined(MOTE_VECTORS)
#error "mote: no vector instructions are enabled for this unit; define MOTE_SCALAR for scalar kernels"
#elif !__has_include(<xsimd/xsimd.hpp>)
#error "mote: xsimd (8.1 or later) is needed and not found; define MOTE_SCALAR for scalar kernels without it"
#endif

#include <xsimd/xsimd.hpp>

#include <cstddef>
#include <cstdint>

/// Before a loop of a few rounds over an array of vectors, so that they stay in registers.
#if defined(__clang__)
#define MOTE_UNROLL _Pragma("unroll")
#else
#define MOTE_UNROLL _Pragma("GCC unroll 16")
#endif

/// Hides from the compiler where a pointer, or the register of a vector, came from.
#define MOTE_OPAQUE(pointer) __asm__("" : "+r"(pointer))
#if defined(MOTE_NEON)
#define MOTE_DETAIL_VECTOR_REGISTER "w"
#elif defined(MOTE_AVX512)
#define MOTE_DETAIL_VECTOR_REGISTER "v"
#else
#define MOTE_DETAIL_VECTOR_REGISTER "x"
#endif
#define MOTE_OPAQUE_VECTOR(vector) __asm__("" : "+" MOTE_DETAIL_VECTOR_REGISTER(vector))
/// The same, and the vector is not in the register of `other`.
#define MOTE_OPAQUE_VECTOR_BESIDE(vector, other) \
    __asm__("" : "+" MOTE_DETAIL_VECTOR_REGISTER(vector) : MOTE_DETAIL_VECTOR_REGISTER(other))
/// Keeps what reads by this pointer behind the MOTE_IN_ORDER and asm volatile before it.
#define MOTE_IN_ORDER(pointer) __asm__ volatile("" : "+r"(pointer))

MOTE_BEGIN_KERNELS

namespace simd {

#if defined(MOTE_AVX512)
using arch = xsimd::avx512bw;
#elif defined(MOTE_AVX2)
using arch = xsimd::fma3<xsimd::avx2>;
#elif defined(MOTE_SSE2)
using arch = xsimd::sse2;
#elif defined(MOTE_NEON)
using arch = xsimd::neon64;
#endif

using F64 = xsimd::batch<double, arch>;
using F32 = xsimd::batch<float, arch>;
using I32 = xsimd::batch<std::int32_t, arch>;
using I16 = xsimd::batch<std::int16_t, arch>;
using I8 = xsimd::batch<std::int8_t, arch>;

/// Lanes of 32, 16 and 8 bits.
constexpr std::ptrdiff_t lanes32 = static_cast<std::ptrdiff_t>(F32::size);
constexpr std::ptrdiff_t lanes16 = 2 * lanes32;
constexpr std::ptrdiff_t lanes8 = 4 * lanes32;

/// 2 N 32-bit integers: the two halves of split order, or of the natural order.
struct I32x2 {
    I32 lo, hi;
};
/// The weights of two taps of 2 N channels, and what they meet, in the order that add_products reads.
struct WeightPair {
    I16 first, second;
};
struct TapPair {
    I16 first, second;
};

/// Which of the 2 N channels lies in `lane` of a half (0: lo, 1: hi) in split order.
constexpr std::ptrdiff_t split_channel(std::ptrdiff_t half, std::ptrdiff_t lane) noexcept {
    return lane / 4 * 8 + half * 4 + lane % 4;
}

namespace detail {

template <class T>
MOTE_ALWAYS_INLINE T read(const void* p) noexcept {
    T value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
}
template <class T>
MOTE_ALWAYS_INLINE void write(void* p, T value) noexcept {
    __builtin_memcpy(p, &value, sizeof value);
}

/// The first n <= 8 bytes at p as the low bytes of a number; reads nothing beyond them.
MOTE_ALWAYS_INLINE std::uint64_t read_bytes(const std::int8_t* p, std::ptrdiff_t n) noexcept {
    if (n >= 8) return read<std::uint64_t>(p);
    if (n >= 4) return read<std::uint32_t>(p) | std::uint64_t{read<std::uint32_t>(p + n - 4)} << (8 * (n - 4));
    if (n <= 0) return 0;
    return read<std::uint8_t>(p) | std::uint64_t{read<std::uint8_t>(p + n / 2)} << (8 * (n / 2)) |
           std::uint64_t{read<std::uint8_t>(p + n - 1)} << (8 * (n - 1));
}
/// Writes the low n <= 8 bytes of a number.
MOTE_ALWAYS_INLINE void write_bytes(std::int8_t* p, std::uint64_t value, std::ptrdiff_t n) noexcept {
    if (n >= 8) {
        write(p, value);
    } else if (n >= 4) {
        write(p, static_cast<std::uint32_t>(value & 0xffffffffu));
        write(p + n - 4, static_cast<std::uint32_t>((value >> (8 * (n - 4))) & 0xffffffffu));
    } else if (n > 0) {
        write(p, static_cast<std::uint8_t>(value & 0xffu));
        write(p + n / 2, static_cast<std::uint8_t>((value >> (8 * (n / 2))) & 0xffu));
        write(p + n - 1, static_cast<std::uint8_t>((value >> (8 * (n - 1))) & 0xffu));
    }
}

}  // namespace detail

MOTE_ALWAYS_INLINE F32 load(const float* p) noexcept {
    return F32::load_unaligned(p);
}
MOTE_ALWAYS_INLINE void store(float* p, F32 v) noexcept {
    v.store_unaligned(p);
}
MOTE_ALWAYS_INLINE I32 load(const std::int32_t* p) noexcept {
    return I32::load_unaligned(p);
}
MOTE_ALWAYS_INLINE void store(std::int32_t* p, I32 v) noexcept {
    v.store_unaligned(p);
}
MOTE_ALWAYS_INLINE I16 load(const std::int16_t* p) noexcept {
    return I16::load_unaligned(p);
}
MOTE_ALWAYS_INLINE I8 load(const std::int8_t* p) noexcept {
    return I8::load_unaligned(p);
}
MOTE_ALWAYS_INLINE void store(std::int8_t* p, I8 v) noexcept {
    v.store_unaligned(p);
}

/// a * b + c; rounded once where the instruction set has it.
MOTE_ALWAYS_INLINE F32 fma(F32 a, F32 b, F32 c) noexcept {
#if defined(MOTE_AVX512)
    return _mm512_fmadd_ps(a, b, c);  // xsimd 8.1 multiplies and adds
#else
    return xsimd::fma(a, b, c);
#endif
}

}  // namespace simd

MOTE_END_KERNELS
