// SPDX-License-Identifier: MIT
#pragma once
// Elementwise kernels on vectors (contract and definitions: kernels/elementwise.hpp).

#include <mote/kernels/elementwise.hpp>
#include <mote/kernels/requantize_simd.hpp>
#include <mote/simd/math.hpp>

MOTE_BEGIN_KERNELS

namespace elementwise {

/// output[i] = f(input[i]), f on vectors.
template <class F>
MOTE_ALWAYS_INLINE void map(std::size_t count, const float* input, float* output, F f) noexcept {
    const auto n = static_cast<std::ptrdiff_t>(count);
    std::ptrdiff_t i = 0;
    for (; i + simd::lanes32 <= n; i += simd::lanes32) simd::store(output + i, f(simd::load(input + i)));
    if (i < n) simd::store(output + i, f(simd::load(input + i, n - i)), n - i);
}

/// output[i] = f(a[i], b[i]), f on vectors.
template <class F>
MOTE_ALWAYS_INLINE void map(std::size_t count, const float* a, const float* b, float* output, F f) noexcept {
    const auto n = static_cast<std::ptrdiff_t>(count);
    std::ptrdiff_t i = 0;
    for (; i + simd::lanes32 <= n; i += simd::lanes32) simd::store(output + i, f(simd::load(a + i), simd::load(b + i)));
    if (i < n) simd::store(output + i, f(simd::load(a + i, n - i), simd::load(b + i, n - i)), n - i);
}

/// The same for bytes as 16-bit integers.
template <class F>
MOTE_ALWAYS_INLINE void map(std::size_t count, const std::int8_t* a, const std::int8_t* b, std::int8_t* output, F f) noexcept {
    const auto n = static_cast<std::ptrdiff_t>(count);
    std::ptrdiff_t i = 0;
    for (; i + simd::lanes16 <= n; i += simd::lanes16) {
        simd::store_bytes(output + i, f(simd::load_bytes(a + i), simd::load_bytes(b + i)));
    }
    if (i < n) simd::store_bytes(output + i, f(simd::load_bytes(a + i, n - i), simd::load_bytes(b + i, n - i)), n - i);
}

/// The rows of a Mul: row(elements, offset in a, offset in b); one long row where nothing is repeated.
template <class Row>
MOTE_ALWAYS_INLINE void for_each_row(const RowGeometry& g, Row row) noexcept {
    const std::ptrdiff_t rows = g.spatial == 1 ? 1 : g.outer;
    const std::ptrdiff_t length = g.spatial == 1 ? std::ptrdiff_t{g.outer} * g.channels : g.channels;
    for (std::ptrdiff_t r = 0; r < rows; ++r) row(static_cast<std::size_t>(length), r * length, r / g.spatial * g.channels);
}

}  // namespace elementwise

template <class Lazy = void>
void add_f32(std::size_t count, const float* a, const float* b, float lo, float hi, float* output) noexcept {
    const simd::F32 least(lo), most(hi);
    elementwise::map(count, a, b, output, [&](simd::F32 x, simd::F32 y) { return simd::clamp(x + y, least, most); });
}

template <class Lazy = void>
void add_i8(std::size_t count, const AddI8& p, const std::int8_t* a, const std::int8_t* b, std::int8_t* output) noexcept {
    with_add_lanes(p, [&](const auto& lanes) { elementwise::map(count, a, b, output, lanes); });
}

template <class Lazy = void>
void mul_f32(const RowGeometry& g, const float* a, const float* b, float* output) noexcept {
    elementwise::for_each_row(g, [&](std::size_t count, std::ptrdiff_t i, std::ptrdiff_t j) {
        elementwise::map(count, a + i, b + j, output + i, [](simd::F32 x, simd::F32 y) { return x * y; });
    });
}

/// The products times multiplier / 2^shift are exact in double, so that their one rounding is that of the definition. Few
/// channels are repeated first, so that vectors are full.
template <class Lazy = void>
void mul_i8(const RowGeometry& g, const MulI8& p, const std::int8_t* a, const std::int8_t* b, std::int8_t* output) noexcept {
    using simd::I16;
    const double factor = static_cast<double>(p.multiplier) / static_cast<double>(std::int64_t{1} << p.shift);
    const I16 a_zero_point(static_cast<std::int16_t>(p.a_zero_point)), b_zero_point(static_cast<std::int16_t>(p.b_zero_point));
    const I16 zero_point(static_cast<std::int16_t>(p.zero_point));
    const I16 lo(static_cast<std::int16_t>(p.lo)), hi(static_cast<std::int16_t>(p.hi));
    const auto multiply = [&](std::ptrdiff_t count, std::ptrdiff_t i, const std::int8_t* other) {
        elementwise::map(static_cast<std::size_t>(count), a + i, other, output + i, [&](I16 x, I16 y) {
            const simd::I32x2 product = simd::products(x - a_zero_point, y - b_zero_point);
            const simd::I32x2 q{simd::round_product(product.lo, factor), simd::round_product(product.hi, factor)};
            return simd::clamp(simd::add_saturated(simd::join(q), zero_point), lo, hi);
        });
    };
    constexpr std::ptrdiff_t room = 512;
    if (g.spatial == 1 || g.channels > room / 2) {
        return elementwise::for_each_row(g, [&](std::size_t count, std::ptrdiff_t i, std::ptrdiff_t j) {
            multiply(static_cast<std::ptrdiff_t>(count), i, b + j);
        });
    }
    std::int8_t repeated[room];
    const std::ptrdiff_t positions = room / g.channels;
    for (std::ptrdiff_t first = 0; first < g.outer; first += g.spatial, b += g.channels) {
        for (std::ptrdiff_t i = 0; i < positions * g.channels; ++i) repeated[i] = b[i % g.channels];
        for (std::ptrdiff_t at = 0; at < g.spatial; at += positions) {
            const std::ptrdiff_t taken = positions < g.spatial - at ? positions : g.spatial - at;
            multiply(taken * g.channels, (first + at) * g.channels, repeated);
        }
    }
}

template <class Lazy = void>
void unary_f32(std::size_t count, const UnaryF32& u, const float* input, float* output) noexcept {
    using simd::F32;
    const F32 zero(0.0f), three(3.0f), six(6.0f), sixth(1.0f / 6.0f);
    switch (u.function) {
        case UnaryKernel::clamp: {
            const F32 lo(u.lo), hi(u.hi);
            return elementwise::map(count, input, output, [&](F32 x) { return simd::clamp(x, lo, hi); });
        }
        case UnaryKernel::leaky_relu: {
            const F32 slope(u.slope);
            return elementwise::map(count, input, output, [&](F32 x) { return xsimd::select(x > zero, x, slope * x); });
        }
        case UnaryKernel::sigmoid:
            return elementwise::map(count, input, output, [&](F32 x) { return simd::sigmoid(x); });
        case UnaryKernel::tanh:
            return elementwise::map(count, input, output, [&](F32 x) { return simd::tanh(x); });
        case UnaryKernel::hard_sigmoid:
            return elementwise::map(count, input, output, [&](F32 x) { return simd::clamp(x + three, zero, six) * sixth; });
        case UnaryKernel::hard_swish:
            return elementwise::map(count, input, output, [&](F32 x) { return x * simd::clamp(x + three, zero, six) * sixth; });
    }
}

template <class Lazy = void>
void clamp_i8(std::size_t count, std::int8_t lo, std::int8_t hi, const std::int8_t* input, std::int8_t* output) noexcept {
    const simd::I8 least(lo), most(hi);
    const auto n = static_cast<std::ptrdiff_t>(count);
    std::ptrdiff_t i = 0;
    for (; i + simd::lanes8 <= n; i += simd::lanes8) {
        simd::store(output + i, simd::least(simd::greatest(simd::load(input + i), least), most));
    }
    reference::clamp_i8(static_cast<std::size_t>(n - i), lo, hi, input + i, output + i);
}

template <class Lazy = void>
void affine_f32(const RowGeometry& g, const float* scale, const float* shift, const float* input, float* output) noexcept {
    for (std::int32_t row = 0; row < g.outer; ++row, input += g.channels, output += g.channels) {
        std::ptrdiff_t c = 0;
        for (; c + simd::lanes32 <= g.channels; c += simd::lanes32) {
            simd::store(output + c, simd::fma(simd::load(input + c), simd::load(scale + c), simd::load(shift + c)));
        }
        if (c == g.channels) continue;
        const std::ptrdiff_t n = g.channels - c;
        simd::store(output + c, simd::fma(simd::load(input + c, n), simd::load(scale + c, n), simd::load(shift + c, n)), n);
    }
}

MOTE_END_KERNELS
