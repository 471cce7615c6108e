// SPDX-License-Identifier: MIT
#pragma once
// Attention, softmax(scale Q K^T + bias) V (Vaswani et al. 2017, section 3.2.1), for one matrix of queries: the scalar
// definition. The scores of a query are all that is kept of the matrix Q K^T.

#include <mote/kernels/arguments.hpp>
#include <mote/simd/instruction_set.hpp>

#include <cstddef>

MOTE_BEGIN_KERNELS

namespace reference {

inline std::size_t attention_f32_scratch_bytes(const AttentionF32& a) noexcept {
    return static_cast<std::size_t>(a.keys) * sizeof(float);
}

inline void attention_f32(const AttentionF32& a) noexcept {
    float* score = static_cast<float*>(a.scratch);
    const std::ptrdiff_t of_key = a.transposed_keys ? 1 : a.size, of_place = a.transposed_keys ? a.keys : 1;
    for (std::ptrdiff_t i = 0; i < a.queries; ++i) {
        float largest = -__builtin_huge_valf();
        for (std::ptrdiff_t j = 0; j < a.keys; ++j) {
            float sum = 0.0f;
            for (std::ptrdiff_t p = 0; p < a.size; ++p) sum += a.q[i * a.size + p] * a.k[j * of_key + p * of_place];
            score[j] = sum * a.scale + (a.bias != nullptr ? a.bias[i * a.bias_stride + j] : 0.0f);
            largest = score[j] > largest ? score[j] : largest;
        }
        float sum = 0.0f;
        for (std::ptrdiff_t j = 0; j < a.keys; ++j) sum += score[j] = __builtin_expf(score[j] - largest);
        for (std::ptrdiff_t c = 0; c < a.width; ++c) {
            float y = 0.0f;
            for (std::ptrdiff_t j = 0; j < a.keys; ++j) y += score[j] * a.v[j * a.width + c];
            a.output[i * a.width + c] = y / sum;
        }
    }
}

}  // namespace reference

MOTE_END_KERNELS
