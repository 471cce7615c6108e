// SPDX-License-Identifier: MIT
#pragma once
// Rows of bytes packed in strips, in the order in which the tiles of kernels/detail/neon/strips.hpp multiply them.

#include <mote/kernels/detail/tile.hpp>

#if defined(MOTE_NEON)

MOTE_BEGIN_KERNELS

namespace tiles {

#if defined(__ARM_FEATURE_DOTPROD)
/// Writes 8 taps of four rows, `Times` times, and moves on; `step` is the way from 8 taps to the next.
template <int Times>
MOTE_ALWAYS_INLINE void pack_four(const std::int8_t*& a, const std::int8_t*& b, const std::int8_t*& c, const std::int8_t*& d,
                                  std::int8_t*& to, std::ptrdiff_t step) noexcept {
    if constexpr (Times % 4 == 0) {
        MOTE_UNROLL for (int i = 0; i < Times / 4; ++i) {
            __asm__ volatile(
                "ldp q0, q4, [%0], #32\n\tldp q1, q5, [%1], #32\n\tldp q2, q6, [%2], #32\n\tldp q3, q7, [%3], #32\n\t"
                "st4 {v0.d, v1.d, v2.d, v3.d}[0], [%4], %5\n\tst4 {v0.d, v1.d, v2.d, v3.d}[1], [%4], %5\n\t"
                "st4 {v4.d, v5.d, v6.d, v7.d}[0], [%4], %5\n\tst4 {v4.d, v5.d, v6.d, v7.d}[1], [%4], %5"
                : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(to)
                : "r"(step)
                : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "memory");
        }
    } else {
        __asm__ volatile(
            "ldr d0, [%0], #8\n\tldr d1, [%1], #8\n\tldr d2, [%2], #8\n\tldr d3, [%3], #8\n\t"
            "st4 {v0.d, v1.d, v2.d, v3.d}[0], [%4], %5"
            : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(to)
            : "r"(step)
            : "v0", "v1", "v2", "v3", "memory");
    }
}
#endif

/// Writes `taps` taps of each of `count` rows, from `offset` on; returns the end. taps % 8 == 0.
template <class Lazy = void>
std::int8_t* pack_strip(const std::int8_t* const* rows, std::ptrdiff_t count, std::ptrdiff_t offset, std::ptrdiff_t taps,
                        std::int8_t* to) noexcept {
#if defined(__ARM_FEATURE_DOTPROD)
    const std::ptrdiff_t step = (count + 1) / 2 * 16;
    std::ptrdiff_t r = 0;
    for (; r + 2 < count; r += 4) {
        std::int8_t* at = to + r * 8;
        const std::int8_t *a = rows[r] + offset, *b = rows[r + 1] + offset, *c = rows[r + 2] + offset;
        const std::int8_t* d = rows[least(r + 3, count - 1)] + offset;
        for (std::ptrdiff_t n = taps / 64; n > 0; --n) pack_four<8>(a, b, c, d, at, step);
        for (std::ptrdiff_t n = taps % 64 / 8; n > 0; --n) pack_four<1>(a, b, c, d, at, step);
    }
    if (r < count) {
        const std::int8_t *a = rows[r] + offset, *b = rows[count - 1] + offset;
        std::int8_t* at = to + r * 8;
        for (std::ptrdiff_t i = 0; i < taps; i += 8, at += step) vst1q_s8(at, vcombine_s8(vld1_s8(a + i), vld1_s8(b + i)));
    }
    return to + taps / 8 * step;
#else
    const int8x16_t first = {0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3}, four = vdupq_n_s8(4);
    const int8x16_t second = first + four, third = second + four, fourth = third + four;
    const uint8x16_t from[] = {vreinterpretq_u8_s8(first), vreinterpretq_u8_s8(second), vreinterpretq_u8_s8(third),
                               vreinterpretq_u8_s8(fourth)};
    for (std::ptrdiff_t r = 0; r < count; ++r) {
        const std::int8_t* at = rows[r] + offset;
        std::int8_t* row_to = to + r * 16;
        const std::ptrdiff_t step = count * 16;
        std::ptrdiff_t left = taps;
        for (; left >= 16; left -= 16, at += 16) {
            const int8x16_t some = vld1q_s8(at);
            MOTE_UNROLL for (int i = 0; i < 4; ++i, row_to += step) vst1q_s8(row_to, vqtbl1q_s8(some, from[i]));
        }
        if (left > 0) {
            const int8x16_t some = vcombine_s8(vld1_s8(at), vdup_n_s8(0));
            MOTE_UNROLL for (int i = 0; i < 2; ++i, row_to += step) vst1q_s8(row_to, vqtbl1q_s8(some, from[i]));
        }
    }
    return to + taps / 4 * count * 16;
#endif
}

}  // namespace tiles

MOTE_END_KERNELS

#endif
