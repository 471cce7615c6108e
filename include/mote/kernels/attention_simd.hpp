// SPDX-License-Identifier: MIT
#pragma once
// Attention on vectors (contract: AttentionF32; definition: kernels/attention.hpp). Keys and values are packed once as the
// panels of two products; then the scores of some rows of queries at a time are made, weighed and multiplied by the values
// while they lie in the second cache. A row's scores become e^(score - largest), and only its outputs are divided by their sum.

#include <mote/kernels/attention.hpp>
#include <mote/kernels/gemm_simd.hpp>
#include <mote/simd/math.hpp>

MOTE_BEGIN_KERNELS

namespace tiles {

struct AttentionShape {
    explicit AttentionShape(const AttentionF32& a) noexcept
        : keys{nullptr, a.keys, a.size},
          values{nullptr, a.width, a.keys},
          rows(least(a.queries, rows_at_once(a.size > a.keys ? a.size : a.keys))),
          row_stride(ceil_div(a.keys, lanes32) * lanes32 + (a.keys % 256 == 0 ? lanes32 : 0)) {}  // as in GemmShape
    Panels<simd::DotF32> keys, values;
    std::ptrdiff_t rows, row_stride;

    // Scratch: sums, pointers to rows, a factor a row, scores, and panels of keys and values.
    std::ptrdiff_t pointers_bytes() const noexcept { return lines(rows * 8); }
    std::ptrdiff_t factors_bytes() const noexcept { return lines(rows * 4); }
    std::ptrdiff_t scores_bytes() const noexcept { return lines(rows * row_stride * 4); }
    std::ptrdiff_t bytes() const noexcept {
        return sums_bytes(rows) + pointers_bytes() + factors_bytes() + scores_bytes() + lines(keys.bytes()) + values.bytes();
    }
};

/// Scores become e^(scale score + bias - largest). Returns 1 / their sum.
MOTE_ALWAYS_INLINE float weigh(float* score, std::ptrdiff_t count, float scale, const float* bias) noexcept {
    using simd::F32;
    const F32 factor(scale), lowest(-__builtin_huge_valf());
    const std::ptrdiff_t whole = count / lanes32 * lanes32;
    const auto scaled = [&](std::ptrdiff_t j, auto some) __attribute__((always_inline)) {
        const F32 x = simd::load(score + j, some) * factor;
        return bias == nullptr ? x : x + simd::load(bias + j, some);
    };
    F32 most = lowest;
    for (std::ptrdiff_t j = 0; j < whole; j += lanes32) {
        const F32 x = scaled(j, simd::Whole{});
        simd::store(score + j, x);
        most = simd::greatest(most, x);
    }
    float largest = whole > 0 ? simd::largest(most) : -__builtin_huge_valf();
    if (whole < count) {
        simd::store(score + whole, scaled(whole, count - whole), count - whole);
        for (std::ptrdiff_t j = whole; j < count; ++j) largest = score[j] > largest ? score[j] : largest;
    }
    const F32 offset(largest);
    F32 sums(0.0f);
    for (std::ptrdiff_t j = 0; j < whole; j += lanes32) {
        const F32 e = simd::exp(simd::load(score + j) - offset);
        simd::store(score + j, e);
        sums += e;
    }
    float sum = simd::sum(sums);
    if (whole < count) {
        simd::store(score + whole, simd::exp(simd::load(score + whole, count - whole) - offset), count - whole);
        for (std::ptrdiff_t j = whole; j < count; ++j) sum += score[j];
    }
    return 1.0f / sum;
}

}  // namespace tiles

template <class Lazy = void>
std::size_t attention_f32_scratch_bytes(const AttentionF32& a) noexcept {
    return static_cast<std::size_t>(tiles::AttentionShape(a).bytes());
}

template <class Lazy = void>
void attention_f32(const AttentionF32& a) noexcept {
    using namespace tiles;
    AttentionShape shape(a);
    char* scratch = static_cast<char*>(a.scratch);
    float* sums = reinterpret_cast<float*>(scratch);
    auto** pointers = reinterpret_cast<const float**>(scratch += sums_bytes(shape.rows));
    float* factors = reinterpret_cast<float*>(scratch += shape.pointers_bytes());
    float* scores = reinterpret_cast<float*>(scratch += shape.factors_bytes());
    shape.keys.first = scratch += shape.scores_bytes();
    GemmF32 columns;
    columns.n = a.keys, columns.k = a.size;
    columns.b = a.k, columns.ldb = a.transposed_keys ? a.keys : a.size;
    columns.transpose_b = !a.transposed_keys;
    pack_columns(columns, shape.keys, scratch);
    shape.values.first = scratch += lines(shape.keys.bytes());
    columns.n = columns.ldb = a.width, columns.k = a.keys;
    columns.b = a.v;
    columns.transpose_b = false;
    pack_columns(columns, shape.values, scratch);
    const std::ptrdiff_t offset = 0;
    for (std::ptrdiff_t first = 0; first < a.queries; first += shape.rows) {
        const std::ptrdiff_t rows = least(shape.rows, a.queries - first);
        for (std::ptrdiff_t r = 0; r < rows; ++r) pointers[r] = a.q + (first + r) * a.size;
        multiply<simd::DotF32>(pointers, rows, {&offset, 1, a.size}, shape.keys, {0, shape.keys.count()}, sums,
                               FinishGemm{scores, shape.row_stride, a.keys, false}, 0);
        float* output = a.output + first * a.width;
        for (std::ptrdiff_t r = 0; r < rows; ++r) {
            float* score = scores + r * shape.row_stride;
            pointers[r] = score;
            factors[r] = weigh(score, a.keys, a.scale, a.bias == nullptr ? nullptr : a.bias + (first + r) * a.bias_stride);
        }
        multiply<simd::DotF32>(pointers, rows, {&offset, 1, a.keys}, shape.values, {0, shape.values.count()}, sums,
                               FinishGemm{output, a.width, a.width, false}, 0);
        for (std::ptrdiff_t r = 0; r < rows; ++r, output += a.width) {
            simd::for_each_vector<lanes32>(
                a.width, [&](std::ptrdiff_t c, auto some) __attribute__((always_inline)) {
                    simd::store(output + c, simd::load(output + c, some) * simd::F32(factors[r]), some);
                });
        }
    }
}

MOTE_END_KERNELS
