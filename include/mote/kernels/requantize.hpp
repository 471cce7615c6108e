// SPDX-License-Identifier: MIT
#pragma once
// How exact integer sums become int8 again: the same bits on every target, under -ffast-math too.

#include <mote/kernels/arguments.hpp>
#include <mote/simd/instruction_set.hpp>

#include <cstddef>

MOTE_BEGIN_KERNELS

/// rint to nearest even of a float in [-2^22, 2^22], with no library call: adding 1.5 * 2^23 leaves the integer in the low
/// bits.
MOTE_ALWAYS_INLINE std::int32_t round_to_int(float x) noexcept {
    const float shifted = x + 12582912.0f;
    std::int32_t bits;
    __builtin_memcpy(&bits, &shifted, sizeof bits);
    return bits - 0x4B400000;
}

/// The formula of RequantizeI8. The clamp stands between multiply and add, so that nothing contracts.
MOTE_ALWAYS_INLINE std::int8_t requantize_value(std::int32_t sum, float multiplier, const RequantizeI8& r) noexcept {
    const float lo = static_cast<float>(r.lo - r.zero_point);
    const float hi = static_cast<float>(r.hi - r.zero_point);
    float x = static_cast<float>(sum) * multiplier;
    x = x > lo ? x : lo;
    x = x < hi ? x : hi;
    return static_cast<std::int8_t>(round_to_int(x) + r.zero_point);
}

/// value / 2^shift, half to even; shift >= 1.
MOTE_ALWAYS_INLINE std::int64_t round_shift(std::int64_t value, std::int32_t shift) noexcept {
    const std::int64_t floor = value >> shift;
    const std::int64_t rest = value - floor * (std::int64_t{1} << shift);
    const std::int64_t half = std::int64_t{1} << (shift - 1);
    return floor + (rest > half || (rest == half && (floor & 1) != 0) ? 1 : 0);
}

MOTE_ALWAYS_INLINE std::int8_t saturate(std::int64_t q, std::int32_t lo, std::int32_t hi) noexcept {
    return static_cast<std::int8_t>(q < lo ? lo : q > hi ? hi : q);
}

/// The formula of AddI8.
MOTE_ALWAYS_INLINE std::int8_t add_value(const AddI8& p, std::int32_t a, std::int32_t b) noexcept {
    const std::int64_t sum =
        std::int64_t{a - p.a_zero_point} * p.a_multiplier + std::int64_t{b - p.b_zero_point} * p.b_multiplier;
    return saturate(p.zero_point + round_shift(sum, p.shift), p.lo, p.hi);
}

/// The formula of MulI8.
MOTE_ALWAYS_INLINE std::int8_t mul_value(const MulI8& p, std::int32_t a, std::int32_t b) noexcept {
    const std::int64_t product = std::int64_t{(a - p.a_zero_point) * (b - p.b_zero_point)} * p.multiplier;
    return saturate(p.zero_point + round_shift(product, p.shift), p.lo, p.hi);
}

/// An output channel's bias less the input's zero point times the sum of its `row` weights, modulo 2^32.
MOTE_ALWAYS_INLINE std::int32_t folded_bias(const ConvConstantsI8& constants, std::ptrdiff_t channel,
                                            std::ptrdiff_t row) noexcept {
    std::uint32_t sum = 0;
    for (std::ptrdiff_t i = 0; i < row; ++i)
        sum += static_cast<std::uint32_t>(std::int32_t{constants.weight[channel * row + i]});
    const std::uint32_t bias = constants.bias != nullptr ? static_cast<std::uint32_t>(constants.bias[channel]) : 0u;
    return static_cast<std::int32_t>(bias - static_cast<std::uint32_t>(constants.input_zero_point) * sum);
}

MOTE_END_KERNELS
