// SPDX-License-Identifier: MIT
#pragma once
// Elementwise kernels: the scalar definitions. The output may be an input, but may not overlap it otherwise. The formulas of
// int8 Add and Mul stand with AddI8 and MulI8; softmax, conversion, lookup and movement have headers of their own.

#include <mote/core/geometry.hpp>
#include <mote/kernels/requantize.hpp>

#include <cstddef>

MOTE_BEGIN_KERNELS

/// A NaN becomes lo.
MOTE_ALWAYS_INLINE float clamped(float x, float lo, float hi) noexcept {
    x = x > lo ? x : lo;
    return x < hi ? x : hi;
}

namespace reference {

inline void add_f32(std::size_t count, const float* a, const float* b, float lo, float hi, float* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = clamped(a[i] + b[i], lo, hi);
}

inline void add_i8(std::size_t count, const AddI8& p, const std::int8_t* a, const std::int8_t* b,
                   std::int8_t* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = add_value(p, a[i], b[i]);
}

/// Calls visit(index, index of the second operand) for each product of a Mul that repeats its second operand
/// [outer / spatial, channels] for each of `spatial` positions.
template <class G, class Visit>
MOTE_ALWAYS_INLINE void for_each_product(const G& g, Visit&& visit) {
    std::ptrdiff_t at = 0;
    for (std::ptrdiff_t row = 0; row < g.outer; ++row) {
        for (std::ptrdiff_t c = 0; c < g.channels; ++c) visit(at++, row / g.spatial * g.channels + c);
    }
}

template <class G>
void mul_f32(const G& g, const float* a, const float* b, float* output) noexcept {
    for_each_product(g, [&](std::ptrdiff_t i, std::ptrdiff_t j) { output[i] = a[i] * b[j]; });
}

template <class G>
void mul_i8(const G& g, const MulI8& p, const std::int8_t* a, const std::int8_t* b, std::int8_t* output) noexcept {
    for_each_product(g, [&](std::ptrdiff_t i, std::ptrdiff_t j) { output[i] = mul_value(p, a[i], b[j]); });
}

MOTE_ALWAYS_INLINE float unary_value(const UnaryF32& u, float x) noexcept {
    switch (u.function) {
        case UnaryKernel::clamp:
            return clamped(x, u.lo, u.hi);
        case UnaryKernel::leaky_relu:
            return x > 0.0f ? x : u.slope * x;
        case UnaryKernel::sigmoid:
            return 1.0f / (1.0f + __builtin_expf(-x));
        case UnaryKernel::tanh:
            return __builtin_tanhf(x);
        case UnaryKernel::hard_sigmoid:
            return clamped(x + 3.0f, 0.0f, 6.0f) / 6.0f;
        case UnaryKernel::hard_swish:
            return x * clamped(x + 3.0f, 0.0f, 6.0f) / 6.0f;
    }
    return x;
}

inline void unary_f32(std::size_t count, const UnaryF32& u, const float* input, float* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = unary_value(u, input[i]);
}

inline void clamp_i8(std::size_t count, std::int8_t lo, std::int8_t hi, const std::int8_t* input,
                     std::int8_t* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = input[i] < lo ? lo : input[i] > hi ? hi : input[i];
}

/// output = input * scale[channel] + shift[channel]
template <class G>
void affine_f32(const G& g, const float* scale, const float* shift, const float* input, float* output) noexcept {
    for (std::ptrdiff_t row = 0; row < g.outer; ++row) {
        for (std::ptrdiff_t c = 0; c < g.channels; ++c) *output++ = *input++ * scale[c] + shift[c];
    }
}

/// output = input where it is above 0, else input * slope[channel]. The output may be the input.
template <class G>
void prelu_f32(const G& g, const float* slope, const float* input, float* output) noexcept {
    for (std::ptrdiff_t row = 0; row < g.outer; ++row, input += g.channels, output += g.channels) {
        for (std::ptrdiff_t c = 0; c < g.channels; ++c) {
            const float below = input[c] * slope[c];
            output[c] = input[c] > 0.0f ? input[c] : below;
        }
    }
}

}  // namespace reference

MOTE_END_KERNELS
