// SPDX-License-Identifier: MIT
#pragma once
// Fixed-point multipliers of int8 Add and Mul, computed once when planned.

#include <mote/core/quantization.hpp>
#include <mote/kernels/arguments.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {
constexpr double times_power_of_two(double value, std::int32_t exponent) noexcept {
    for (; exponent > 0; --exponent) value *= 2;
    return value;
}
}  // namespace detail

/// False where a ratio of scales is beyond 1024. With 20 fractional bits a multiplier is off by at most 2^-21, two products of
/// at most 255 by 2^-12.
constexpr bool make_add_i8(QuantizationParams a, QuantizationParams b, QuantizationParams out, std::int32_t lo, std::int32_t hi,
                           AddI8& result) noexcept {
    const double ratio_a = static_cast<double>(a.scale) / static_cast<double>(out.scale);
    const double ratio_b = static_cast<double>(b.scale) / static_cast<double>(out.scale);
    if (!(ratio_a <= 1024 && ratio_b <= 1024)) return false;
    result.shift = 20;
    result.wide = ratio_a + ratio_b > 4;
    result.a_multiplier = static_cast<std::int32_t>(detail::times_power_of_two(ratio_a, 20) + 0.5);
    result.b_multiplier = static_cast<std::int32_t>(detail::times_power_of_two(ratio_b, 20) + 0.5);
    result.a_zero_point = a.zero_point;
    result.b_zero_point = b.zero_point;
    result.zero_point = out.zero_point;
    result.lo = lo;
    result.hi = hi;
    return true;
}

/// False where scale_a * scale_b / scale_out is not below 2^10. The multiplier keeps 30 significant bits where the ratio is
/// small: a product of at most 65025 is off by at most 2^-11.
constexpr bool make_mul_i8(QuantizationParams a, QuantizationParams b, QuantizationParams out, std::int32_t lo, std::int32_t hi,
                           MulI8& result) noexcept {
    const double ratio = static_cast<double>(a.scale) * static_cast<double>(b.scale) / static_cast<double>(out.scale);
    if (!(ratio < 1024)) return false;
    result.shift = 20;
    while (result.shift < 46 && detail::times_power_of_two(ratio, result.shift + 1) < 1073741824.0) ++result.shift;
    result.multiplier = static_cast<std::int32_t>(detail::times_power_of_two(ratio, result.shift) + 0.5);
    result.a_zero_point = a.zero_point;
    result.b_zero_point = b.zero_point;
    result.zero_point = out.zero_point;
    result.lo = lo;
    result.hi = hi;
    return true;
}

MOTE_END_NAMESPACE
