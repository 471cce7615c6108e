// SPDX-License-Identifier: MIT
#pragma once
// Softmax on vectors (contract and definitions: kernels/softmax.hpp).

#include <mote/kernels/softmax.hpp>
#include <mote/simd/math.hpp>

MOTE_BEGIN_KERNELS

template <class Lazy = void>
void softmax_f32(const RowGeometry& g, const float* input, float* output) noexcept {
    using simd::F32;
    constexpr std::ptrdiff_t lanes = simd::lanes32;
    const std::ptrdiff_t channels = g.channels;
    const std::ptrdiff_t whole = channels / lanes * lanes;
    for (std::int32_t r = 0; r < g.outer; ++r, input += channels, output += channels) {
        float largest = input[0];
        if (whole > 0) {
            F32 most = simd::load(input);
            for (std::ptrdiff_t c = lanes; c < whole; c += lanes) most = simd::greatest(most, simd::load(input + c));
            largest = simd::largest(most);
        }
        for (std::ptrdiff_t c = whole; c < channels; ++c) largest = input[c] > largest ? input[c] : largest;
        const F32 offset(largest);
        F32 sums(0.0f);
        for (std::ptrdiff_t c = 0; c < whole; c += lanes) {
            const F32 e = simd::exp(simd::load(input + c) - offset);
            simd::store(output + c, e);
            sums += e;
        }
        if (whole < channels) {
            simd::store(output + whole, simd::exp(simd::load(input + whole, channels - whole) - offset), channels - whole);
        }
        float sum = simd::sum(sums);
        for (std::ptrdiff_t c = whole; c < channels; ++c) sum += output[c];
        const F32 share(1.0f / sum);
        for (std::ptrdiff_t c = 0; c < whole; c += lanes) simd::store(output + c, simd::load(output + c) * share);
        for (std::ptrdiff_t c = whole; c < channels; ++c) output[c] *= 1.0f / sum;
    }
}

/// By table, and a division of integers each: the definition is what runs.
template <class Lazy = void>
void softmax_i8(const RowGeometry& g, const std::int32_t* table, const std::int8_t* input, std::int8_t* output) noexcept {
    reference::softmax_i8(g, table, input, output);
}

MOTE_END_KERNELS
