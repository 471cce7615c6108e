// SPDX-License-Identifier: MIT
#pragma once
// Dot products of a firmware tile: one or two rows of activations with two rows of int8 weights. Three forms, one contract:
//   sums[2 * row + channel] += sum over k < n of activation[row][k] * weight[channel][k], modulo 2^32.
// Cortex-M with the DSP extension: 16-bit pairs (SMLAD), activations widened once by `Gather`, in the order 0 2 1 3 in which
// SXTB16 takes bytes apart. Cortex-M with MVE: 16 bytes at a time (VMLADAVA). Everything else, a desk too: plain C++.

#include <mote/kernels/detail/arm_m/requantize.hpp>

MOTE_BEGIN_KERNELS

namespace tile {

#if defined(MOTE_TILE_DSP)
using Activation = std::int16_t;
#else
using Activation = std::int8_t;
#endif

/// Elements of a gathered row of n activations; rows begin at a multiple of eight bytes.
constexpr std::int32_t row_elements(std::int32_t n) noexcept {
    return (n + 3) / 4 * 4;
}

/// Adds a product, modulo 2^32.
MOTE_ALWAYS_INLINE void accumulate(std::int32_t& sum, std::int32_t product) noexcept {
    sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) + static_cast<std::uint32_t>(product));
}

#if defined(MOTE_TILE_DSP)

// Two rows stand interleaved, four activations of the one and four of the other, so that one pointer walks along both.
constexpr std::int32_t group_elements = 8;
constexpr std::int32_t second_row(std::int32_t) noexcept {
    return 4;
}

MOTE_ALWAYS_INLINE std::uint32_t read_word(const void* p) noexcept {
    std::uint32_t word;
    __builtin_memcpy(&word, p, sizeof word);
    return word;
}
MOTE_ALWAYS_INLINE int16x2_t read_pair(const Activation* p) noexcept {
    return static_cast<int16x2_t>(read_word(p));
}

/// By one byte to the right, as SXTB16 can do on its way.
MOTE_ALWAYS_INLINE std::uint32_t rotated(std::uint32_t word) noexcept {
    return (word >> 8) | (word << 24);
}

/// Takes rows of bytes apart as they come; runs may begin anywhere in a group of four.
struct Gather {
    Activation* to;
    std::int32_t at = 0;

    MOTE_ALWAYS_INLINE void put(std::int8_t value) noexcept {
        // Places 0 2 1 3: the two low bits of the index change their order.
        to[(at >> 2) * group_elements + ((at & 2) >> 1 | (at & 1) << 1)] = value;
        ++at;
    }
    MOTE_ALWAYS_INLINE void copy(const std::int8_t* from, std::int32_t n) noexcept {
        if ((at & 3) == 0) {
            Activation* group = to + (at >> 2) * group_elements;
            for (std::int32_t groups = n >> 2; groups > 0; --groups, group += group_elements, from += 4) {
                const std::uint32_t bytes = read_word(from);
                const auto even = static_cast<std::uint32_t>(__sxtb16(bytes));
                const auto odd = static_cast<std::uint32_t>(__sxtb16(rotated(bytes)));
                __builtin_memcpy(group, &even, 4);
                __builtin_memcpy(group + 2, &odd, 4);
            }
            at += n & ~3;
            n &= 3;
        }
        for (; n > 0; --n) put(*from++);
    }
    MOTE_ALWAYS_INLINE void fill(std::int8_t value, std::int32_t n) noexcept {
        for (; n > 0; --n) put(value);
    }
};

/// Four taps: the bytes of two channels, and the activations of one row or two.
template <int rows>
MOTE_ALWAYS_INLINE void dot_group(const Activation* a, std::uint32_t bytes0, std::uint32_t bytes1, std::int32_t& s0,
                                  std::int32_t& s1, std::int32_t& s2, std::int32_t& s3) noexcept {
    const auto even0 = __sxtb16(bytes0);
    const auto odd0 = __sxtb16(rotated(bytes0));
    const auto even1 = __sxtb16(bytes1);
    const auto odd1 = __sxtb16(rotated(bytes1));
    s0 = __smlad(read_pair(a + 2), odd0, __smlad(read_pair(a), even0, s0));
    s1 = __smlad(read_pair(a + 2), odd1, __smlad(read_pair(a), even1, s1));
    if constexpr (rows == 2) {
        s2 = __smlad(read_pair(a + 6), odd0, __smlad(read_pair(a + 4), even0, s2));
        s3 = __smlad(read_pair(a + 6), odd1, __smlad(read_pair(a + 4), even1, s3));
    }
}

template <int rows>
MOTE_ALWAYS_INLINE void dot(const Activation* a, std::int32_t, const std::int8_t* w0, const std::int8_t* w1, std::int32_t n,
                            std::int32_t* sums) noexcept {
    std::int32_t s0 = sums[0], s1 = sums[1], s2 = rows == 2 ? sums[2] : 0, s3 = rows == 2 ? sums[3] : 0;
#pragma GCC unroll 2
    for (std::int32_t groups = n >> 2; groups > 0; --groups) {
#if defined(__OPTIMIZE__)
        // GCC 12 rotates before it takes bytes apart, and runs out of registers.
        if constexpr (rows == 2) {
            std::uint32_t even0, odd0, even1, odd1, x, y;
            __asm__(
                "ldr %[odd0], [%[w0]], #4\n\t"
                "ldr %[odd1], [%[w1]], #4\n\t"
                "sxtb16 %[even0], %[odd0]\n\t"
                "sxtb16 %[odd0], %[odd0], ror #8\n\t"
                "sxtb16 %[even1], %[odd1]\n\t"
                "sxtb16 %[odd1], %[odd1], ror #8\n\t"
                "ldrd %[x], %[y], [%[a]], #8\n\t"
                "smlad %[s0], %[x], %[even0], %[s0]\n\t"
                "smlad %[s1], %[x], %[even1], %[s1]\n\t"
                "smlad %[s0], %[y], %[odd0], %[s0]\n\t"
                "smlad %[s1], %[y], %[odd1], %[s1]\n\t"
                "ldrd %[x], %[y], [%[a]], #8\n\t"
                "smlad %[s2], %[x], %[even0], %[s2]\n\t"
                "smlad %[s3], %[x], %[even1], %[s3]\n\t"
                "smlad %[s2], %[y], %[odd0], %[s2]\n\t"
                "smlad %[s3], %[y], %[odd1], %[s3]"
                : [w0] "+&r"(w0), [w1] "+&r"(w1), [a] "+&r"(a), [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3),
                  [even0] "=&r"(even0), [odd0] "=&r"(odd0), [even1] "=&r"(even1), [odd1] "=&r"(odd1), [x] "=&r"(x), [y] "=&r"(y)
                :
                : "memory");
        } else {
            std::uint32_t even, odd, x, y;
            __asm__(
                "ldrd %[x], %[y], [%[a]], #16\n\t"
                "ldr %[odd], [%[w0]], #4\n\t"
                "sxtb16 %[even], %[odd]\n\t"
                "sxtb16 %[odd], %[odd], ror #8\n\t"
                "smlad %[s0], %[x], %[even], %[s0]\n\t"
                "smlad %[s0], %[y], %[odd], %[s0]\n\t"
                "ldr %[odd], [%[w1]], #4\n\t"
                "sxtb16 %[even], %[odd]\n\t"
                "sxtb16 %[odd], %[odd], ror #8\n\t"
                "smlad %[s1], %[x], %[even], %[s1]\n\t"
                "smlad %[s1], %[y], %[odd], %[s1]"
                : [w0] "+&r"(w0), [w1] "+&r"(w1), [a] "+&r"(a), [s0] "+&r"(s0), [s1] "+&r"(s1), [even] "=&r"(even),
                  [odd] "=&r"(odd), [x] "=&r"(x), [y] "=&r"(y)
                :
                : "memory");
        }
#else
        dot_group<rows>(a, read_word(w0), read_word(w1), s0, s1, s2, s3);
        w0 += 4;
        w1 += 4;
        a += group_elements;
#endif
    }
    const std::int32_t rest = n & 3;
    if (rest > 0 && n >= 4) {  // the row's last four bytes, less those that were taken; weights of 0 meet what lies beyond
        const std::int32_t bits = 32 - 8 * rest;
        dot_group<rows>(a, read_word(w0 + rest - 4) >> bits, read_word(w1 + rest - 4) >> bits, s0, s1, s2, s3);
    } else {
        for (std::int32_t k = 0; k < rest; ++k, ++w0, ++w1) {
            const Activation* at = a + (k >> 1 | (k & 1) << 1);
            accumulate(s0, at[0] * *w0);
            accumulate(s1, at[0] * *w1);
            if constexpr (rows == 2) {
                accumulate(s2, at[4] * *w0);
                accumulate(s3, at[4] * *w1);
            }
        }
    }
    sums[0] = s0;
    sums[1] = s1;
    if constexpr (rows == 2) {
        sums[2] = s2;
        sums[3] = s3;
    }
}

/// Of a row of bytes as they are, with four rows of n weights one behind the other:
///   sums[channel] += sum over k < n of a[k] * weight[channel][k].
MOTE_ALWAYS_INLINE void dot_four(const std::int8_t* a, const std::int8_t* w, std::int32_t n, std::int32_t* sums) noexcept {
    std::int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
    const std::int32_t three = 3 * n;
#pragma GCC unroll 2
    for (std::int32_t groups = n >> 2; groups > 0; --groups) {
#if defined(__OPTIMIZE__)
        std::uint32_t even, odd, x, y;
        __asm__(
            "ldr %[y], [%[a]], #4\n\t"
            "ldr %[odd], [%[w], %[n]]\n\t"
            "sxtb16 %[x], %[y]\n\t"
            "sxtb16 %[y], %[y], ror #8\n\t"
            "sxtb16 %[even], %[odd]\n\t"
            "sxtb16 %[odd], %[odd], ror #8\n\t"
            "smlad %[s1], %[x], %[even], %[s1]\n\t"
            "smlad %[s1], %[y], %[odd], %[s1]\n\t"
            "ldr %[odd], [%[w], %[n], lsl #1]\n\t"
            "sxtb16 %[even], %[odd]\n\t"
            "sxtb16 %[odd], %[odd], ror #8\n\t"
            "smlad %[s2], %[x], %[even], %[s2]\n\t"
            "smlad %[s2], %[y], %[odd], %[s2]\n\t"
            "ldr %[odd], [%[w], %[three]]\n\t"
            "sxtb16 %[even], %[odd]\n\t"
            "sxtb16 %[odd], %[odd], ror #8\n\t"
            "smlad %[s3], %[x], %[even], %[s3]\n\t"
            "smlad %[s3], %[y], %[odd], %[s3]\n\t"
            "ldr %[odd], [%[w]], #4\n\t"
            "sxtb16 %[even], %[odd]\n\t"
            "sxtb16 %[odd], %[odd], ror #8\n\t"
            "smlad %[s0], %[x], %[even], %[s0]\n\t"
            "smlad %[s0], %[y], %[odd], %[s0]"
            : [w] "+&r"(w), [a] "+&r"(a), [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3), [even] "=&r"(even),
              [odd] "=&r"(odd), [x] "=&r"(x), [y] "=&r"(y)
            : [n] "r"(n), [three] "r"(three)
            : "memory");
#else
        const std::uint32_t bytes = read_word(a);
        const auto x = __sxtb16(bytes), y = __sxtb16(rotated(bytes));
        const auto step = [&](std::int32_t sum, const std::int8_t* row) {
            const std::uint32_t taps = read_word(row);
            return __smlad(y, __sxtb16(rotated(taps)), __smlad(x, __sxtb16(taps), sum));
        };
        s0 = step(s0, w);
        s1 = step(s1, w + n);
        s2 = step(s2, w + 2 * n);
        s3 = step(s3, w + three);
        a += 4;
        w += 4;
#endif
    }
    for (std::int32_t rest = n & 3; rest > 0; --rest, ++a, ++w) {
        accumulate(s0, *a * w[0]);
        accumulate(s1, *a * w[n]);
        accumulate(s2, *a * w[2 * n]);
        accumulate(s3, *a * w[three]);
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

#else

/// Where the second gathered row begins, in elements.
constexpr std::int32_t second_row(std::int32_t n) noexcept {
    return row_elements(n);
}

struct Gather {
    Activation* to;
    std::int32_t at = 0;

    MOTE_ALWAYS_INLINE void copy(const std::int8_t* from, std::int32_t n) noexcept {
#if defined(MOTE_TILE_MVE)
        for (std::int32_t i = 0; i < n; i += 16) {
            const mve_pred16_t some = vctp8q(static_cast<std::uint32_t>(n - i));
            vstrbq_p_s8(to + at + i, vldrbq_z_s8(from + i, some), some);
        }
#else
        if (n < 8) {
            for (std::int32_t i = 0; i < n; ++i) to[at + i] = from[i];
        } else {
            __builtin_memcpy(to + at, from, static_cast<std::size_t>(n));
        }
#endif
        at += n;
    }
    MOTE_ALWAYS_INLINE void fill(std::int8_t value, std::int32_t n) noexcept {
#if defined(MOTE_TILE_MVE)
        for (std::int32_t i = 0; i < n; i += 16) {
            vstrbq_p_s8(to + at + i, vdupq_n_s8(value), vctp8q(static_cast<std::uint32_t>(n - i)));
        }
#else
        for (std::int32_t i = 0; i < n; ++i) to[at + i] = value;
#endif
        at += n;
    }
};

#if defined(MOTE_TILE_MVE)

/// A vector of four words.
MOTE_ALWAYS_INLINE int32x4_t lanes(std::int32_t a, std::int32_t b, std::int32_t c, std::int32_t d) noexcept {
    int32x4_t result;
    __asm__(
        "vmov %q0[2], %q0[0], %1, %3\n\t"
        "vmov %q0[3], %q0[1], %2, %4"
        : "=&w"(result)
        : "r"(a), "r"(b), "r"(c), "r"(d));
    return result;
}

// One loop whose hardware counts and masks the tail. Accumulators of VMLADAVA stand in even registers.
template <int rows>
MOTE_ALWAYS_INLINE void dot(const Activation* activations, std::int32_t stride, const std::int8_t* w0, const std::int8_t* w1,
                            std::int32_t n, std::int32_t* sums) noexcept {
    std::int32_t s0 = sums[0], s1 = sums[1];
    const Activation* a0 = activations;
    if constexpr (rows == 2) {
        std::int32_t s2 = sums[2], s3 = sums[3];
        const Activation* a1 = activations + stride;
        __asm__ volatile(
            "dlstp.8 lr, %[n]\n"
            "1:\n\t"
            "vldrb.8 q0, [%[w0]], #16\n\t"
            "vldrb.8 q1, [%[a0]], #16\n\t"
            "vmladava.s8 %[s0], q0, q1\n\t"
            "vldrb.8 q2, [%[w1]], #16\n\t"
            "vmladava.s8 %[s1], q2, q1\n\t"
            "vldrb.8 q3, [%[a1]], #16\n\t"
            "vmladava.s8 %[s2], q0, q3\n\t"
            "vmladava.s8 %[s3], q2, q3\n\t"
            "letp lr, 1b"
            : [s0] "+Te"(s0), [s1] "+Te"(s1), [s2] "+Te"(s2), [s3] "+Te"(s3), [w0] "+r"(w0), [w1] "+r"(w1), [a0] "+r"(a0),
              [a1] "+r"(a1)
            : [n] "r"(n)
            : "lr", "q0", "q1", "q2", "q3", "cc", "memory");
        sums[2] = s2;
        sums[3] = s3;
    } else {
        __asm__ volatile(
            "dlstp.8 lr, %[n]\n"
            "1:\n\t"
            "vldrb.8 q0, [%[w0]], #16\n\t"
            "vldrb.8 q1, [%[a0]], #16\n\t"
            "vmladava.s8 %[s0], q0, q1\n\t"
            "vldrb.8 q2, [%[w1]], #16\n\t"
            "vmladava.s8 %[s1], q2, q1\n\t"
            "letp lr, 1b"
            : [s0] "+Te"(s0), [s1] "+Te"(s1), [w0] "+r"(w0), [w1] "+r"(w1), [a0] "+r"(a0)
            : [n] "r"(n)
            : "lr", "q0", "q1", "q2", "cc", "memory");
    }
    sums[0] = s0;
    sums[1] = s1;
}

#else

template <int rows>
MOTE_ALWAYS_INLINE void dot(const Activation* activations, std::int32_t stride, const std::int8_t* w0, const std::int8_t* w1,
                            std::int32_t n, std::int32_t* sums) noexcept {
    const Activation* a[rows];
    std::int32_t sum[2 * rows];
    for (int row = 0; row < rows; ++row) {
        a[row] = activations + row * stride;
        sum[2 * row] = sums[2 * row];
        sum[2 * row + 1] = sums[2 * row + 1];
    }
#pragma GCC unroll 4
    for (std::int32_t k = 0; k < n; ++k) {
        const std::int32_t v0 = w0[k];
        const std::int32_t v1 = w1[k];
        for (int row = 0; row < rows; ++row) {
            const std::int32_t q = a[row][k];
            accumulate(sum[2 * row], q * v0);
            accumulate(sum[2 * row + 1], q * v1);
        }
    }
    for (int i = 0; i < 2 * rows; ++i) sums[i] = sum[i];
}

#endif
#endif

}  // namespace tile

MOTE_END_KERNELS
