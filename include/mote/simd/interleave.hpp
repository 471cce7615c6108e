// SPDX-License-Identifier: MIT
#pragma once
// Two rows of elements as one: a0 b0 a1 b1 ...

#include <mote/simd/vector.hpp>

MOTE_BEGIN_KERNELS

namespace simd {

/// Elements of `size` bytes (1, 2, 4, 8): 16 bytes of a and of b, which may lie anywhere, become 32 at `to`.
template <std::ptrdiff_t size>
MOTE_ALWAYS_INLINE void interleave_16_bytes(char* to, const char* a, const char* b) noexcept {
#if defined(MOTE_NEON)
    const uint8x16_t x = vld1q_u8(reinterpret_cast<const std::uint8_t*>(a)),
                     y = vld1q_u8(reinterpret_cast<const std::uint8_t*>(b));
    uint8x16_t lo, hi;
    if constexpr (size == 1) {
        lo = vzip1q_u8(x, y), hi = vzip2q_u8(x, y);
    } else if constexpr (size == 2) {
        const uint16x8_t p = vreinterpretq_u16_u8(x), q = vreinterpretq_u16_u8(y);
        lo = vreinterpretq_u8_u16(vzip1q_u16(p, q)), hi = vreinterpretq_u8_u16(vzip2q_u16(p, q));
    } else if constexpr (size == 4) {
        const uint32x4_t p = vreinterpretq_u32_u8(x), q = vreinterpretq_u32_u8(y);
        lo = vreinterpretq_u8_u32(vzip1q_u32(p, q)), hi = vreinterpretq_u8_u32(vzip2q_u32(p, q));
    } else {
        const uint64x2_t p = vreinterpretq_u64_u8(x), q = vreinterpretq_u64_u8(y);
        lo = vreinterpretq_u8_u64(vzip1q_u64(p, q)), hi = vreinterpretq_u8_u64(vzip2q_u64(p, q));
    }
    vst1q_u8(reinterpret_cast<std::uint8_t*>(to), lo);
    vst1q_u8(reinterpret_cast<std::uint8_t*>(to) + 16, hi);
#else
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a)),
                  y = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
    __m128i lo, hi;
    if constexpr (size == 1) {
        lo = _mm_unpacklo_epi8(x, y), hi = _mm_unpackhi_epi8(x, y);
    } else if constexpr (size == 2) {
        lo = _mm_unpacklo_epi16(x, y), hi = _mm_unpackhi_epi16(x, y);
    } else if constexpr (size == 4) {
        lo = _mm_unpacklo_epi32(x, y), hi = _mm_unpackhi_epi32(x, y);
    } else {
        lo = _mm_unpacklo_epi64(x, y), hi = _mm_unpackhi_epi64(x, y);
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), lo);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to) + 1, hi);
#endif
}

/// count elements of a and of b become 2 count at `to`, which overlaps neither.
template <std::ptrdiff_t size>
void interleave(char* to, const char* a, const char* b, std::ptrdiff_t count) noexcept {
    std::ptrdiff_t i = 0;
    for (; i + 16 <= count * size; i += 16) interleave_16_bytes<size>(to + 2 * i, a + i, b + i);
    for (; i < count * size; i += size) {
        __builtin_memcpy(to + 2 * i, a + i, size);
        __builtin_memcpy(to + 2 * i + size, b + i, size);
    }
}

}  // namespace simd

MOTE_END_KERNELS
