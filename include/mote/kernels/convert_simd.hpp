// SPDX-License-Identifier: MIT
#pragma once
// Conversion on vectors (contract and definitions: kernels/convert.hpp).

#include <mote/kernels/convert.hpp>
#include <mote/simd/half.hpp>

MOTE_BEGIN_KERNELS

namespace convert {

/// The bytes zero_point + rint(clamp(x * factor)) of 2 N floats.
class Rounding {
  public:
    MOTE_ALWAYS_INLINE Rounding(float factor, std::int32_t zero_point) noexcept
        : factor_(factor),
          lo_(static_cast<float>(-128 - zero_point)),
          hi_(static_cast<float>(127 - zero_point)),
          zero_point_(static_cast<std::int16_t>(zero_point)) {}
    MOTE_ALWAYS_INLINE simd::I16 operator()(simd::F32 a, simd::F32 b) const noexcept {
        return simd::narrow_halves({rounded(a), rounded(b)}) + zero_point_;
    }

  private:
    MOTE_ALWAYS_INLINE simd::I32 rounded(simd::F32 x) const noexcept {
        return simd::to_int(simd::clamp(x * factor_, lo_, hi_));
    }
    simd::F32 factor_, lo_, hi_;
    simd::I16 zero_point_;
};

}  // namespace convert

template <class Lazy = void>
void quantize_i8(std::size_t count, float inverse_scale, std::int32_t zero_point, const float* input,
                 std::int8_t* output) noexcept {
    const convert::Rounding round(inverse_scale, zero_point);
    std::size_t i = 0;
    for (; i + simd::lanes16 <= count; i += simd::lanes16) {
        simd::store_bytes(output + i, round(simd::load(input + i), simd::load(input + i + simd::lanes32)));
    }
    reference::quantize_i8(count - i, inverse_scale, zero_point, input + i, output + i);
}

template <class Lazy = void>
void dequantize_i8(std::size_t count, float scale, std::int32_t zero_point, const std::int8_t* input, float* output) noexcept {
    const simd::F32 factor(scale);
    const simd::I16 offset(static_cast<std::int16_t>(zero_point));
    std::size_t i = 0;
    for (; i + simd::lanes16 <= count; i += simd::lanes16) {
        const simd::I32x2 q = simd::halves(simd::load_bytes(input + i) - offset);
        simd::store(output + i, factor * simd::to_float(q.lo));
        simd::store(output + i + simd::lanes32, factor * simd::to_float(q.hi));
    }
    reference::dequantize_i8(count - i, scale, zero_point, input + i, output + i);
}

template <class Lazy = void>
void requantize_i8(std::size_t count, float multiplier, std::int32_t input_zero_point, std::int32_t zero_point,
                   const std::int8_t* input, std::int8_t* output) noexcept {
    const convert::Rounding round(multiplier, zero_point);
    const simd::I16 offset(static_cast<std::int16_t>(input_zero_point));
    std::size_t i = 0;
    for (; i + simd::lanes16 <= count; i += simd::lanes16) {
        const simd::I32x2 q = simd::halves(simd::load_bytes(input + i) - offset);
        simd::store_bytes(output + i, round(simd::to_float(q.lo), simd::to_float(q.hi)));
    }
    reference::requantize_i8(count - i, multiplier, input_zero_point, zero_point, input + i, output + i);
}

template <class T>
void to_f32(std::size_t count, const T* input, float* output) noexcept {
    simd::for_each_vector<simd::lanes32>(
        static_cast<std::ptrdiff_t>(count), [&](std::ptrdiff_t i, auto some) __attribute__((always_inline)) {
            simd::store(output + i, simd::load(input + i, some), some);
        });
}

template <class T>
void from_f32(std::size_t count, const float* input, T* output) noexcept {
    simd::for_each_vector<simd::lanes32>(
        static_cast<std::ptrdiff_t>(count), [&](std::ptrdiff_t i, auto some) __attribute__((always_inline)) {
            simd::store(output + i, simd::load(input + i, some), some);
        });
}

MOTE_END_KERNELS
