// SPDX-License-Identifier: MIT
#pragma once
// One number at a time between real and int8: real = scale * (q - zero_point).

#include <mote/core/narrow.hpp>
#include <mote/tensor/tensor.hpp>

#include <bit>
#include <cmath>

MOTE_BEGIN_NAMESPACE

/// Neither NaN nor infinite. Tests the bits, so that -ffast-math cannot assume the answer.
constexpr bool is_finite(float value) noexcept {
    return (std::bit_cast<std::uint32_t>(value) & 0x7f800000u) != 0x7f800000u;
}

/// The index of the first value that is NaN or infinite; values.size() where none is.
inline std::size_t first_not_finite(std::span<const float> values) noexcept {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!is_finite(values[i])) return i;
    }
    return values.size();
}

/// To the nearest integer, halves to the even one, whatever the rounding mode. |value| < 2^51.
inline double round_half_even(double value) noexcept {
    const double below = std::floor(value);
    const double part = value - below;
    if (part < 0.5) return below;
    if (part > 0.5) return below + 1.0;
    return below * 0.5 == std::floor(below * 0.5) ? below : below + 1.0;
}

/// The real value in quantized steps, rounded half to even and clamped to int8.
inline std::int8_t quantize_real(double real, QuantizationParams params) noexcept {
    const double limit = 1e9;  // far outside int8, far inside what can be rounded
    double q = real / static_cast<double>(params.scale);
    q = q > -limit ? (q < limit ? q : limit) : -limit;
    q = round_half_even(q) + static_cast<double>(params.zero_point);
    return static_cast<std::int8_t>(q < -128.0 ? -128.0 : q > 127.0 ? 127.0 : q);
}

/// What an engine makes of a real input: the arithmetic of its kernel, a product with the reciprocal of the scale in float.
inline std::int8_t quantize_value(float real, QuantizationParams params) noexcept {
    const float inverse = static_cast<float>(1.0 / static_cast<double>(params.scale));
    const auto lo = static_cast<float>(-128 - params.zero_point);
    const auto hi = static_cast<float>(127 - params.zero_point);
    float steps = real * inverse;
    steps = steps > lo ? steps : lo;
    steps = steps < hi ? steps : hi;
    return static_cast<std::int8_t>(static_cast<std::int32_t>(round_half_even(static_cast<double>(steps))) + params.zero_point);
}

constexpr double dequantize_value(std::int8_t q, QuantizationParams params) noexcept {
    return static_cast<double>(params.scale) * static_cast<double>(q - params.zero_point);
}

MOTE_END_NAMESPACE
