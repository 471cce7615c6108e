// SPDX-License-Identifier: MIT
#pragma once
// C (+)= A * B in f32: the scalar definition. The innermost loop runs along C's rows, which compilers vectorise.

#include <mote/kernels/arguments.hpp>
#include <mote/simd/instruction_set.hpp>

#include <cstddef>

MOTE_BEGIN_KERNELS

namespace reference {

inline std::size_t gemm_f32_scratch_bytes(std::int32_t, std::int32_t n, std::int32_t k) noexcept {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(k) * sizeof(float);
}

inline void gemm_f32(const GemmF32& g) noexcept {
    const float* b = g.b;
    std::ptrdiff_t ldb = g.ldb;
    if (g.transpose_b) {  // written once as [k, n]
        float* rows = static_cast<float*>(g.scratch);
        for (std::ptrdiff_t j = 0; j < g.n; ++j) {
            for (std::ptrdiff_t p = 0; p < g.k; ++p) rows[p * g.n + j] = g.b[j * g.ldb + p];
        }
        b = rows;
        ldb = g.n;
    }
    for (std::ptrdiff_t i = 0; i < g.m; ++i) {
        float* MOTE_RESTRICT c = g.c + i * g.ldc;
        if (!g.accumulate) {
            for (std::ptrdiff_t j = 0; j < g.n; ++j) c[j] = 0.0f;
        }
        for (std::ptrdiff_t p = 0; p < g.k; ++p) {
            const float a = g.transpose_a ? g.a[p * g.lda + i] : g.a[i * g.lda + p];
            const float* row = b + p * ldb;
            for (std::ptrdiff_t j = 0; j < g.n; ++j) c[j] += a * row[j];
        }
    }
}

}  // namespace reference

MOTE_END_KERNELS
