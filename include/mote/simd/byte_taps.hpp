// SPDX-License-Identifier: MIT
#pragma once
// Four rows of bytes as the dot product of bytes takes them (simd/dot.hpp): where MOTE_BYTE_TAPS is defined.

#include <mote/simd/dot.hpp>

#if defined(MOTE_BYTE_TAPS)

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push  // see simd/detail/x86.hpp
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

MOTE_BEGIN_KERNELS

namespace simd {

/// Element i of four rows side by side, for 4 N elements i: of vector v, lane l has that of byte_taps_element(v, l). Pairs of
/// sums of two neighbouring vectors are in split order, and what joins them as bytes (join_bytes) in the natural one.
struct ByteTaps {
    I8::register_type vector[4];
};
constexpr std::ptrdiff_t byte_taps_element(std::ptrdiff_t vector, std::ptrdiff_t lane) noexcept {
    return lane / 4 * 16 + vector * 4 + lane % 4;
}

/// taps_together: how many neighbouring vectors of sums read the same vectors of taps and of weights. tap_place: where among
/// the 16 N weights of 4 N elements that of a lane's tap stands.
#if defined(MOTE_NEON) && !defined(__ARM_FEATURE_DOTPROD)
// Of two vectors' elements the first two taps are in one vector, the others in the next.
constexpr int taps_together = 2;
constexpr std::ptrdiff_t tap_place(std::ptrdiff_t vector, std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept {
    return vector / 2 * 32 + tap / 2 * 16 + vector % 2 * 8 + lane * 2 + tap % 2;
}
#else
constexpr int taps_together = 1;
constexpr std::ptrdiff_t tap_place(std::ptrdiff_t vector, std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept {
    return (vector * lanes32 + lane) * 4 + tap;
}
#endif

// byte_taps: of rows that copy_shifted() wrote. add_taps: adds the four products of each lane of vector v.
#if defined(MOTE_NEON) && !defined(__ARM_FEATURE_DOTPROD)
MOTE_ALWAYS_INLINE ByteTaps byte_taps(const std::int8_t* row0, const std::int8_t* row1, const std::int8_t* row2,
                                      const std::int8_t* row3) noexcept {
    const int8x16_t a = vld1q_s8(row0), b = vld1q_s8(row1), c = vld1q_s8(row2), d = vld1q_s8(row3);
    return {{vzip1q_s8(a, b), vzip1q_s8(c, d), vzip2q_s8(a, b), vzip2q_s8(c, d)}};
}
/// Two products of a byte and one in [-127, 127] fit 16 bits. In words, one after the other: else GCC moves multiplications
/// and runs out of registers.
MOTE_ALWAYS_INLINE I32 add_taps(I32 shared_sum, const int8x16_t* taps, const int8x16_t* weights, int v) noexcept {
    int32x4_t sum = shared_sum;
    int16x8_t products;
    if (v % 2 == 0) {
        __asm__ volatile("smull %1.8h, %2.8b, %3.8b\n\tsmlal %1.8h, %4.8b, %5.8b\n\tsadalp %0.4s, %1.8h"
                         : "+w"(sum), "=&w"(products)
                         : "w"(taps[v]), "w"(weights[v]), "w"(taps[v + 1]), "w"(weights[v + 1]));
    } else {
        __asm__ volatile("smull2 %1.8h, %2.16b, %3.16b\n\tsmlal2 %1.8h, %4.16b, %5.16b\n\tsadalp %0.4s, %1.8h"
                         : "+w"(sum), "=&w"(products)
                         : "w"(taps[v - 1]), "w"(weights[v - 1]), "w"(taps[v]), "w"(weights[v]));
    }
    return sum;
}
#elif defined(MOTE_NEON)
MOTE_ALWAYS_INLINE ByteTaps byte_taps(const std::int8_t* row0, const std::int8_t* row1, const std::int8_t* row2,
                                      const std::int8_t* row3) noexcept {
    const int8x16_t a = vld1q_s8(row0), b = vld1q_s8(row1), c = vld1q_s8(row2), d = vld1q_s8(row3);
    const int16x8_t ab_lo = vreinterpretq_s16_s8(vzip1q_s8(a, b)), ab_hi = vreinterpretq_s16_s8(vzip2q_s8(a, b));
    const int16x8_t cd_lo = vreinterpretq_s16_s8(vzip1q_s8(c, d)), cd_hi = vreinterpretq_s16_s8(vzip2q_s8(c, d));
    return {{vreinterpretq_s8_s16(vzip1q_s16(ab_lo, cd_lo)), vreinterpretq_s8_s16(vzip2q_s16(ab_lo, cd_lo)),
             vreinterpretq_s8_s16(vzip1q_s16(ab_hi, cd_hi)), vreinterpretq_s8_s16(vzip2q_s16(ab_hi, cd_hi))}};
}
/// In words, one after the other: else GCC moves loads before them and runs out of registers.
MOTE_ALWAYS_INLINE I32 add_taps(I32 shared_sum, const int8x16_t* taps, const int8x16_t* weights, int v) noexcept {
    int32x4_t sum = shared_sum;
    __asm__ volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(taps[v]), "w"(weights[v]));
    return sum;
}
#endif

#if defined(MOTE_NEON)
/// Copies n bytes of each of `count` pieces. Nothing need be shifted here.
MOTE_ALWAYS_INLINE void copy_shifted(std::int8_t* to, std::ptrdiff_t to_stride, const std::int8_t* from,
                                     std::ptrdiff_t from_stride, std::ptrdiff_t n, std::ptrdiff_t count) noexcept {
    for (std::ptrdiff_t k = 0; k < count; ++k) DotI8::convert(to + k * to_stride, from + k * from_stride, n);
}
MOTE_ALWAYS_INLINE std::int8_t shifted(std::int8_t value) noexcept {
    return value;
}
/// The first n < 4 N bytes.
MOTE_ALWAYS_INLINE void store(std::int8_t* p, I8 v, std::ptrdiff_t n) noexcept {
    const I16 lo = vmovl_s8(vget_low_s8(v)), hi = vmovl_high_s8(v);
    store_bytes(p, lo, n);
    if (n > 8) store_bytes(p + 8, hi, n - 8);
}
#else
MOTE_ALWAYS_INLINE ByteTaps byte_taps(const std::int8_t* row0, const std::int8_t* row1, const std::int8_t* row2,
                                      const std::int8_t* row3) noexcept {
    const I8 a = load(row0), b = load(row1), c = load(row2), d = load(row3);
    const I16 ab_lo = detail::unpack_lo(a, b), ab_hi = detail::unpack_hi(a, b);
    const I16 cd_lo = detail::unpack_lo(c, d), cd_hi = detail::unpack_hi(c, d);
    return {{detail::unpack_lo(ab_lo, cd_lo), detail::unpack_hi(ab_lo, cd_lo), detail::unpack_lo(ab_hi, cd_hi),
             detail::unpack_hi(ab_hi, cd_hi)}};
}
/// The bytes are 128 more than what was copied, which a bias undoes (DotI8::offset).
MOTE_ALWAYS_INLINE I32 add_taps(I32 sum, const I8::register_type* taps, const I8::register_type* weights, int v) noexcept {
    return DotI8::dot(sum, taps[v], weights[v]);
}

/// Copies n bytes as byte_taps() takes them, of each of `count` pieces; may write up to 63 bytes beyond a piece, before the
/// next one is written. Pieces do not overlap.
MOTE_ALWAYS_INLINE void copy_shifted(std::int8_t* to, std::ptrdiff_t to_stride, const std::int8_t* from,
                                     std::ptrdiff_t from_stride, std::ptrdiff_t n, std::ptrdiff_t count) noexcept {
    const I8 flip(static_cast<std::int8_t>(-128));
    // The last bytes first: what is written beyond them are first bytes of the next piece.
    std::ptrdiff_t i = n / lanes8 * lanes8;
    if (i < n) {
        for (std::ptrdiff_t k = 0; k < count; ++k)
            store(to + k * to_stride + i, load(from + k * from_stride + i, n - i) ^ flip);
    }
    while ((i -= lanes8) >= 0) {
        for (std::ptrdiff_t k = 0; k < count; ++k) store(to + k * to_stride + i, load(from + k * from_stride + i) ^ flip);
    }
}
MOTE_ALWAYS_INLINE std::int8_t shifted(std::int8_t value) noexcept {
    return static_cast<std::int8_t>(value ^ -128);
}
#endif

}  // namespace simd

MOTE_END_KERNELS

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif
