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
#if defined(MOTE_NEON)
    int8x16_t vector[4];
#else
    __m512i vector[4];
#endif
};
constexpr std::ptrdiff_t byte_taps_element(std::ptrdiff_t vector, std::ptrdiff_t lane) noexcept {
    return lane / 4 * 16 + vector * 4 + lane % 4;
}

#if defined(MOTE_NEON)
/// Of rows that copy_shifted() wrote.
MOTE_ALWAYS_INLINE ByteTaps byte_taps(const std::int8_t* row0, const std::int8_t* row1, const std::int8_t* row2,
                                      const std::int8_t* row3) noexcept {
    const int8x16_t a = vld1q_s8(row0), b = vld1q_s8(row1), c = vld1q_s8(row2), d = vld1q_s8(row3);
    const int16x8_t ab_lo = vreinterpretq_s16_s8(vzip1q_s8(a, b)), ab_hi = vreinterpretq_s16_s8(vzip2q_s8(a, b));
    const int16x8_t cd_lo = vreinterpretq_s16_s8(vzip1q_s8(c, d)), cd_hi = vreinterpretq_s16_s8(vzip2q_s8(c, d));
    return {{vreinterpretq_s8_s16(vzip1q_s16(ab_lo, cd_lo)), vreinterpretq_s8_s16(vzip2q_s16(ab_lo, cd_lo)),
             vreinterpretq_s8_s16(vzip1q_s16(ab_hi, cd_hi)), vreinterpretq_s8_s16(vzip2q_s16(ab_hi, cd_hi))}};
}
MOTE_ALWAYS_INLINE I32 add_taps(I32 sum, int8x16_t taps, const std::int8_t* weights) noexcept {
    return vdotq_s32(sum, taps, vld1q_s8(weights));
}
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
/// Of rows that copy_shifted() wrote.
MOTE_ALWAYS_INLINE ByteTaps byte_taps(const std::int8_t* row0, const std::int8_t* row1, const std::int8_t* row2,
                                      const std::int8_t* row3) noexcept {
    const __m512i a = _mm512_loadu_si512(row0), b = _mm512_loadu_si512(row1), c = _mm512_loadu_si512(row2),
                  d = _mm512_loadu_si512(row3);
    const __m512i ab_lo = _mm512_unpacklo_epi8(a, b), ab_hi = _mm512_unpackhi_epi8(a, b);
    const __m512i cd_lo = _mm512_unpacklo_epi8(c, d), cd_hi = _mm512_unpackhi_epi8(c, d);
    return {{_mm512_unpacklo_epi16(ab_lo, cd_lo), _mm512_unpackhi_epi16(ab_lo, cd_lo), _mm512_unpacklo_epi16(ab_hi, cd_hi),
             _mm512_unpackhi_epi16(ab_hi, cd_hi)}};
}

/// Adds the four products of each lane. The bytes are 128 more than what was copied, which a bias undoes (DotI8::offset).
MOTE_ALWAYS_INLINE I32 add_taps(I32 sum, __m512i taps, const std::int8_t* weights) noexcept {
    return DotI8::dot(sum, taps, _mm512_loadu_si512(weights));
}

/// Copies n bytes as byte_taps() takes them, of each of `count` pieces; may write up to 63 bytes beyond a piece, before the
/// next one is written. Pieces do not overlap.
MOTE_ALWAYS_INLINE void copy_shifted(std::int8_t* to, std::ptrdiff_t to_stride, const std::int8_t* from,
                                     std::ptrdiff_t from_stride, std::ptrdiff_t n, std::ptrdiff_t count) noexcept {
    const __m512i flip = _mm512_set1_epi8(-128);
    // The last bytes first: what is written beyond them are first bytes of the next piece.
    std::ptrdiff_t i = n / 64 * 64;
    if (i < n) {
        const __mmask64 some = (std::uint64_t{1} << (n - i)) - 1;
        for (std::ptrdiff_t k = 0; k < count; ++k) {
            const __m512i bytes = _mm512_maskz_loadu_epi8(some, from + k * from_stride + i);
            _mm512_storeu_si512(to + k * to_stride + i, _mm512_xor_si512(bytes, flip));
        }
    }
    while ((i -= 64) >= 0) {
        for (std::ptrdiff_t k = 0; k < count; ++k) {
            const __m512i bytes = _mm512_loadu_si512(from + k * from_stride + i);
            _mm512_storeu_si512(to + k * to_stride + i, _mm512_xor_si512(bytes, flip));
        }
    }
}
MOTE_ALWAYS_INLINE std::int8_t shifted(std::int8_t value) noexcept {
    return static_cast<std::int8_t>(value ^ -128);
}

/// The first n < 4 N bytes.
MOTE_ALWAYS_INLINE void store(std::int8_t* p, I8 v, std::ptrdiff_t n) noexcept {
    const __m512i bytes = v;
    __m256i half = _mm512_castsi512_si256(bytes);
    if ((n & 32) != 0) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), half);
        half = _mm512_extracti64x4_epi64(bytes, 1);
        p += 32;
    }
    store_bytes(p, _mm512_cvtepi8_epi16(half), n & 31);
}
#endif

}  // namespace simd

MOTE_END_KERNELS

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif
