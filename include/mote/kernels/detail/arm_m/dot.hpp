// SPDX-License-Identifier: MIT
#pragma once
// Dot products of a firmware tile: one or two rows of activations with two rows of int8 weights. Three forms, one contract:
//   sums[2 * row + channel] += sum over k < n of activation[row][k] * weight[channel][k], exact modulo 2^32.
// Cortex-M with the DSP extension: 16-bit pairs (SMLAD), activations widened once by `gather`, in the order 0 2 1 3 in which
// SXTB16 takes bytes apart. Cortex-M with MVE: 16 bytes at a time (VMLADAVA). Everything else, a desk too: plain C++.

#include <mote/simd/instruction_set.hpp>

#include <cstddef>
#include <cstdint>

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#include <arm_mve.h>
#define MOTE_TILE_MVE 1
#elif defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#include <arm_acle.h>
#define MOTE_TILE_DSP 1
#endif

MOTE_BEGIN_KERNELS

namespace tile {

#if defined(MOTE_TILE_DSP)
using Activation = std::int16_t;
#else
using Activation = std::int8_t;
#endif

/// Elements of a gathered row of n activations; rows begin at a multiple of four bytes.
constexpr std::int32_t row_elements(std::int32_t n) noexcept {
    return (n + 3) / 4 * 4;
}

/// Adds a product, modulo 2^32.
MOTE_ALWAYS_INLINE void accumulate(std::int32_t& sum, std::int32_t product) noexcept {
    sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) + static_cast<std::uint32_t>(product));
}

#if defined(MOTE_TILE_DSP)

MOTE_ALWAYS_INLINE std::uint32_t read_word(const void* p) noexcept {
    std::uint32_t word;
    __builtin_memcpy(&word, p, sizeof word);
    return word;
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
        constexpr std::uint8_t place[4] = {0, 2, 1, 3};
        to[(at & ~3) + place[at & 3]] = value;
        ++at;
    }
    void copy(const std::int8_t* from, std::int32_t n) noexcept {
        std::int32_t i = 0;
        if ((at & 3) == 0) {
            for (; i + 4 <= n; i += 4, at += 4) {
                const std::uint32_t bytes = read_word(from + i);
                const std::uint32_t even = static_cast<std::uint32_t>(__sxtb16(bytes));
                const std::uint32_t odd = static_cast<std::uint32_t>(__sxtb16(rotated(bytes)));
                __builtin_memcpy(to + at, &even, 4);
                __builtin_memcpy(to + at + 2, &odd, 4);
            }
        }
        for (; i < n; ++i) put(from[i]);
    }
    void fill(std::int8_t value, std::int32_t n) noexcept {
        for (std::int32_t i = 0; i < n; ++i) put(value);
    }
    /// Zeros up to the end of the last group of four.
    void finish() noexcept {
        while ((at & 3) != 0) put(0);
    }
};

template <int rows>
MOTE_ALWAYS_INLINE void dot(const Activation* activations, std::int32_t stride, const std::int8_t* w0, const std::int8_t* w1,
                            std::int32_t n, std::int32_t* sums) noexcept {
    std::int32_t k = 0;
    for (; k + 4 <= n; k += 4) {
        const std::uint32_t bytes0 = read_word(w0 + k);
        const std::uint32_t bytes1 = read_word(w1 + k);
        const auto even0 = __sxtb16(bytes0);
        const auto odd0 = __sxtb16(rotated(bytes0));
        const auto even1 = __sxtb16(bytes1);
        const auto odd1 = __sxtb16(rotated(bytes1));
        for (int row = 0; row < rows; ++row) {
            const auto even = static_cast<int16x2_t>(read_word(activations + row * stride + k));
            const auto odd = static_cast<int16x2_t>(read_word(activations + row * stride + k + 2));
            sums[2 * row] = __smlad(odd, odd0, __smlad(even, even0, sums[2 * row]));
            sums[2 * row + 1] = __smlad(odd, odd1, __smlad(even, even1, sums[2 * row + 1]));
        }
    }
    constexpr std::uint8_t place[4] = {0, 2, 1, 3};
    for (; k < n; ++k) {
        for (int row = 0; row < rows; ++row) {
            const std::int32_t q = activations[row * stride + (k & ~3) + place[k & 3]];
            accumulate(sums[2 * row], q * w0[k]);
            accumulate(sums[2 * row + 1], q * w1[k]);
        }
    }
}

#else

struct Gather {
    Activation* to;
    std::int32_t at = 0;

    void copy(const std::int8_t* from, std::int32_t n) noexcept {
        __builtin_memcpy(to + at, from, static_cast<std::size_t>(n));
        at += n;
    }
    void fill(std::int8_t value, std::int32_t n) noexcept {
        __builtin_memset(to + at, value, static_cast<std::size_t>(n));
        at += n;
    }
    void finish() noexcept {}
};

template <int rows>
MOTE_ALWAYS_INLINE void dot(const Activation* activations, std::int32_t stride, const std::int8_t* w0, const std::int8_t* w1,
                            std::int32_t n, std::int32_t* sums) noexcept {
#if defined(MOTE_TILE_MVE)
    for (std::int32_t k = 0; k < n; k += 16) {
        const mve_pred16_t some = vctp8q(static_cast<std::uint32_t>(n - k));
        const int8x16_t v0 = vldrbq_z_s8(w0 + k, some);
        const int8x16_t v1 = vldrbq_z_s8(w1 + k, some);
        for (int row = 0; row < rows; ++row) {
            const int8x16_t q = vldrbq_z_s8(activations + row * stride + k, some);
            sums[2 * row] = vmladavaq_s8(sums[2 * row], q, v0);
            sums[2 * row + 1] = vmladavaq_s8(sums[2 * row + 1], q, v1);
        }
    }
#else
    for (std::int32_t k = 0; k < n; ++k) {
        const std::int32_t v0 = w0[k];
        const std::int32_t v1 = w1[k];
        for (int row = 0; row < rows; ++row) {
            const std::int32_t q = activations[row * stride + k];
            accumulate(sums[2 * row], q * v0);
            accumulate(sums[2 * row + 1], q * v1);
        }
    }
#endif
}

#endif

}  // namespace tile

MOTE_END_KERNELS
