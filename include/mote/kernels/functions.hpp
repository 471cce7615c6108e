// SPDX-License-Identifier: MIT
#pragma once
// Functions of one number and of two over arrays (their definitions: core/functions.hpp). The output may be an input that does
// not repeat. An emitted header names its function as a template's argument, so that it holds no other.

#include <mote/core/functions.hpp>
#include <mote/core/geometry.hpp>
#include <mote/simd/instruction_set.hpp>

#include <cstddef>

MOTE_BEGIN_KERNELS

namespace reference {

/// Not inlined: a compiler that does takes twice as long over the loops around them.
[[gnu::noinline]] inline float unary_number(UnaryFunction function, float a, float b, float x) noexcept {
    return unary_value(function, a, b, x);
}
[[gnu::noinline]] inline float binary_number(BinaryFunction function, float x, float y) noexcept {
    return binary_value(function, x, y);
}

/// output = function(input), with the function's constants a and b.
inline void unary_function_f32(UnaryFunction function, std::size_t count, float a, float b, const float* input,
                               float* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = unary_number(function, a, b, input[i]);
}
template <UnaryFunction function>
void unary_function_f32(std::size_t count, float a, float b, const float* input, float* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = unary_value(function, a, b, input[i]);
}

/// Calls row(count, a, b, output) for each run along the last axis, with offsets of its first elements.
template <class G, class Row>
MOTE_ALWAYS_INLINE void for_each_broadcast_row(const G& g, Row row) noexcept {
    const std::int32_t last = g.rank - 1;
    const std::ptrdiff_t count = g.rank > 0 ? g.extent[last] : 1;
    std::ptrdiff_t rows = 1;
    for (std::int32_t axis = 0; axis < last; ++axis) rows *= g.extent[axis];
    for (std::ptrdiff_t i = 0; i < rows; ++i) {
        std::ptrdiff_t a = 0, b = 0, rest = i;
        for (std::int32_t axis = last - 1; axis >= 0; --axis) {
            const std::ptrdiff_t at = rest % g.extent[axis];
            rest /= g.extent[axis];
            a += at * g.a_stride[axis];
            b += at * g.b_stride[axis];
        }
        row(count, a, b, i * count);
    }
}

/// output = function(a, b), with value(x, y) for the function.
template <class G, class Value>
MOTE_ALWAYS_INLINE void broadcast_f32(const G& g, const float* a, const float* b, float* output, Value value) noexcept {
    const std::ptrdiff_t a_step = g.rank > 0 ? g.a_stride[g.rank - 1] : 0, b_step = g.rank > 0 ? g.b_stride[g.rank - 1] : 0;
    for_each_broadcast_row(g, [&](std::ptrdiff_t count, std::ptrdiff_t i, std::ptrdiff_t j, std::ptrdiff_t to) {
        for (std::ptrdiff_t k = 0; k < count; ++k) output[to + k] = value(a[i + k * a_step], b[j + k * b_step]);
    });
}
inline void binary_function_f32(BinaryFunction function, const BroadcastGeometry& g, const float* a, const float* b,
                                float* output) noexcept {
    broadcast_f32(g, a, b, output, [function](float x, float y) { return binary_number(function, x, y); });
}
template <BinaryFunction function, class G>
void binary_function_f32(const G& g, const float* a, const float* b, float* output) noexcept {
    broadcast_f32(g, a, b, output, [](float x, float y) { return binary_value(function, x, y); });
}

}  // namespace reference

MOTE_END_KERNELS
