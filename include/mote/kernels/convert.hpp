// SPDX-License-Identifier: MIT
#pragma once
// Conversion between f32 and int8, from one int8 quantization to another, and between f32 and floats of 16 bits: the scalar
// definitions.

#include <mote/core/half.hpp>
#include <mote/kernels/elementwise.hpp>

MOTE_BEGIN_KERNELS

namespace reference {

/// q = zero_point + rint(clamp(x * inverse_scale, -128 - zero_point, 127 - zero_point)), half to even; a NaN becomes -128.
/// inverse_scale is positive and normal.
inline void quantize_i8(std::size_t count, float inverse_scale, std::int32_t zero_point, const float* input,
                        std::int8_t* output) noexcept {
    const float lo = static_cast<float>(-128 - zero_point);
    const float hi = static_cast<float>(127 - zero_point);
    for (std::size_t i = 0; i < count; ++i) {
        output[i] = static_cast<std::int8_t>(round_to_int(clamped(input[i] * inverse_scale, lo, hi)) + zero_point);
    }
}

/// x = scale * (q - zero_point), rounded once.
inline void dequantize_i8(std::size_t count, float scale, std::int32_t zero_point, const std::int8_t* input,
                          float* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = scale * static_cast<float>(input[i] - zero_point);
}

/// The formula of RequantizeI8 on q - input_zero_point. The output may be the input.
inline void requantize_i8(std::size_t count, float multiplier, std::int32_t input_zero_point, std::int32_t zero_point,
                          const std::int8_t* input, std::int8_t* output) noexcept {
    const RequantizeI8 r{zero_point, -128, 127};
    for (std::size_t i = 0; i < count; ++i) output[i] = requantize_value(input[i] - input_zero_point, multiplier, r);
}

/// T is half or bfloat. Exact.
template <class T>
void to_f32(std::size_t count, const T* input, float* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = to_float(input[i]);
}

/// To nearest even.
template <class T>
void from_f32(std::size_t count, const float* input, T* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = from_float<T>(input[i]);
}

}  // namespace reference

MOTE_END_KERNELS
