// SPDX-License-Identifier: MIT
#pragma once
// Elementwise kernels, softmax, conversion and movement: the scalar definitions.

#include <mote/kernels/requantize.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>

MOTE_BEGIN_KERNELS

MOTE_ALWAYS_INLINE float clamped(float x, float lo, float hi) noexcept {
    x = x > lo ? x : lo;
    return x < hi ? x : hi;
}

inline void add_f32(std::size_t count, const float* a, const float* b, float lo, float hi, float* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = clamped(a[i] + b[i], lo, hi);
}
inline void add_i8(std::size_t count, const AddI8& p, const std::int8_t* a, const std::int8_t* b,
                   std::int8_t* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = add_value(p, a[i], b[i]);
}
inline void mul_f32(const RowGeometry& g, const float* a, const float* b, float* output) noexcept {
    for (std::ptrdiff_t r = 0; r < g.outer; ++r) {
        for (std::ptrdiff_t c = 0; c < g.channels; ++c) {
            output[r * g.channels + c] = a[r * g.channels + c] * b[r / g.spatial * g.channels + c];
        }
    }
}
inline void mul_i8(const RowGeometry& g, const MulI8& p, const std::int8_t* a, const std::int8_t* b,
                   std::int8_t* output) noexcept {
    for (std::ptrdiff_t r = 0; r < g.outer; ++r) {
        for (std::ptrdiff_t c = 0; c < g.channels; ++c) {
            output[r * g.channels + c] = mul_value(p, a[r * g.channels + c], b[r / g.spatial * g.channels + c]);
        }
    }
}

inline float unary_value(const UnaryF32& u, float x) noexcept {
    switch (u.function) {
        case Unary::clamp:
            return clamped(x, u.lo, u.hi);
        case Unary::leaky_relu:
            return x > 0.0f ? x : u.slope * x;
        case Unary::sigmoid:
            return 1.0f / (1.0f + std::exp(-x));
        case Unary::tanh:
            return std::tanh(x);
        case Unary::hard_sigmoid:
            return clamped(x + 3.0f, 0.0f, 6.0f) / 6.0f;
        case Unary::hard_swish:
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
inline void lookup_i8(std::size_t count, const std::int8_t* table, const std::int8_t* input, std::int8_t* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = table[input[i] + 128];
}
inline void affine_f32(const RowGeometry& g, const float* scale, const float* shift, const float* input,
                       float* output) noexcept {
    for (std::ptrdiff_t r = 0; r < g.outer; ++r) {
        for (std::ptrdiff_t c = 0; c < g.channels; ++c)
            output[r * g.channels + c] = input[r * g.channels + c] * scale[c] + shift[c];
    }
}

inline void softmax_f32(const RowGeometry& g, const float* input, float* output) noexcept {
    for (std::int32_t r = 0; r < g.outer; ++r, input += g.channels, output += g.channels) {
        float largest = input[0];
        for (std::int32_t c = 1; c < g.channels; ++c) largest = input[c] > largest ? input[c] : largest;
        float sum = 0.0f;
        for (std::int32_t c = 0; c < g.channels; ++c) sum += output[c] = std::exp(input[c] - largest);
        for (std::int32_t c = 0; c < g.channels; ++c) output[c] /= sum;
    }
}

/// t = table[largest - q], q_out = min(127, -128 + round(256 * t / sum(t))), half to even, in uint64.
inline void softmax_i8(const RowGeometry& g, const std::int32_t* table, const std::int8_t* input,
                       std::int8_t* output) noexcept {
    for (std::int32_t r = 0; r < g.outer; ++r, input += g.channels, output += g.channels) {
        std::int32_t largest = -128;
        for (std::int32_t c = 0; c < g.channels; ++c) largest = input[c] > largest ? input[c] : largest;
        std::uint64_t sum = 0;
        for (std::int32_t c = 0; c < g.channels; ++c) sum += static_cast<std::uint64_t>(table[largest - input[c]]);
        for (std::int32_t c = g.channels - 1; c >= 0; --c) {
            const std::uint64_t scaled = std::uint64_t{256} * static_cast<std::uint64_t>(table[largest - input[c]]);
            std::uint64_t q = scaled / sum;
            const std::uint64_t twice = 2 * (scaled - q * sum);
            if (twice > sum || (twice == sum && (q & 1) != 0)) ++q;
            output[c] = static_cast<std::int8_t>((q > 255 ? 255 : static_cast<std::int32_t>(q)) - 128);
        }
    }
}

/// q = zero_point + rint(clamp(x * inverse_scale)); a NaN becomes the lowest byte.
inline void quantize_i8(std::size_t count, float inverse_scale, std::int32_t zero_point, const float* input,
                        std::int8_t* output) noexcept {
    const float lo = static_cast<float>(-128 - zero_point);
    const float hi = static_cast<float>(127 - zero_point);
    for (std::size_t i = 0; i < count; ++i) {
        output[i] = static_cast<std::int8_t>(round_to_int(clamped(input[i] * inverse_scale, lo, hi)) + zero_point);
    }
}
inline void dequantize_i8(std::size_t count, float scale, std::int32_t zero_point, const std::int8_t* input,
                          float* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = scale * static_cast<float>(input[i] - zero_point);
}
inline void requantize_i8(std::size_t count, float multiplier, std::int32_t input_zero_point, std::int32_t zero_point,
                          const std::int8_t* input, std::int8_t* output) noexcept {
    const RequantizeI8 r{zero_point, -128, 127};
    for (std::size_t i = 0; i < count; ++i) output[i] = requantize_value(input[i] - input_zero_point, multiplier, r);
}

inline void move(const MoveGeometry& g, std::size_t element_bytes, const void* input, void* output) noexcept {
    std::int32_t index[8] = {};
    for (std::int32_t axis = 0; axis < g.rank; ++axis) {
        if (g.extent[axis] == 0) return;
    }
    for (;;) {
        std::ptrdiff_t from = 0;
        std::ptrdiff_t to = 0;
        for (std::int32_t axis = 0; axis < g.rank; ++axis) {
            from += std::ptrdiff_t{index[axis]} * g.input_stride[axis];
            to += std::ptrdiff_t{index[axis]} * g.output_stride[axis];
        }
        const auto size = static_cast<std::ptrdiff_t>(element_bytes);
        std::memcpy(static_cast<char*>(output) + to * size, static_cast<const char*>(input) + from * size, element_bytes);
        std::int32_t axis = g.rank - 1;
        while (axis >= 0 && ++index[axis] == g.extent[axis]) index[axis--] = 0;
        if (axis < 0) return;
    }
}
inline void fill(std::size_t count, std::size_t element_bytes, const void* value, void* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) std::memcpy(static_cast<char*>(output) + i * element_bytes, value, element_bytes);
}

MOTE_END_KERNELS
