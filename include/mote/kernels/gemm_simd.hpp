// SPDX-License-Identifier: MIT
#pragma once
// C (+)= A * B in f32, in register tiles (contract: GemmF32 in kernels/arguments.hpp). B is packed whole, as panels; A's rows
// are copied a block at a time, so that they lie side by side.

#include <mote/kernels/detail/tile.hpp>
#include <mote/kernels/gemm.hpp>

MOTE_BEGIN_KERNELS

namespace tiles {

struct GemmShape {
    GemmShape(std::int32_t m, std::int32_t n, std::int32_t k) noexcept
        : panels(ceil_div(n, panel_channels)), rows(least(m, rows_at_once(k))), row_stride(row_steps(k)), steps(k) {}
    std::ptrdiff_t panels, rows, row_stride, steps;

    std::ptrdiff_t sums() const noexcept { return (rows < 4 ? 4 : rows) * panel_channels; }
    std::ptrdiff_t packed() const noexcept { return panels * steps * panel_channels; }
    std::ptrdiff_t copied() const noexcept { return rows * row_stride + lanes32; }
};

/// to[j][i] = from[i][j] for i < rows, j < columns.
template <class Lazy = void>
void transpose(const float* from, std::ptrdiff_t from_stride, std::ptrdiff_t rows, std::ptrdiff_t columns, float* to,
               std::ptrdiff_t to_stride) noexcept {
    for (std::ptrdiff_t i = 0; i < rows; i += 4) {
        for (std::ptrdiff_t j = 0; j < columns; j += 4) {
            const float* p = from + i * from_stride + j;
            float* q = to + j * to_stride + i;
            if (i + 4 <= rows && j + 4 <= columns) {
                simd::transpose_4x4(p, from_stride, q, to_stride);
                continue;
            }
            for (std::ptrdiff_t r = 0; r < least(4, rows - i); ++r) {
                for (std::ptrdiff_t c = 0; c < least(4, columns - j); ++c) q[c * to_stride + r] = p[r * from_stride + c];
            }
        }
    }
}

/// B as panels of columns; those beyond n are zero.
template <class Lazy = void>
void pack_columns(const GemmF32& g, float* to) noexcept {
    for (std::ptrdiff_t j = 0; j < g.n; j += panel_channels, to += g.k * panel_channels) {
        const std::ptrdiff_t some = least(panel_channels, g.n - j);
        if (some < panel_channels) {
            for (std::ptrdiff_t i = 0; i < g.k * panel_channels; ++i) to[i] = 0.0f;
        }
        if (g.transpose_b) {
            transpose(g.b + j * g.ldb, g.ldb, some, g.k, to, panel_channels);
        } else {
            const float* from = g.b + j;
            for (std::ptrdiff_t p = 0; p < g.k; ++p, from += g.ldb) {
                simd::DotF32::convert(to + p * panel_channels, from, some);
            }
        }
    }
}

}  // namespace tiles

template <class Lazy = void>
std::size_t gemm_f32_scratch_bytes(std::int32_t m, std::int32_t n, std::int32_t k) noexcept {
    const tiles::GemmShape shape(m, n, k);
    return static_cast<std::size_t>(shape.sums() + shape.packed() + shape.copied()) * sizeof(float);
}

template <class Lazy = void>
void gemm_f32(const GemmF32& g) noexcept {
    using namespace tiles;
    const GemmShape shape(g.m, g.n, g.k);
    float* sums = static_cast<float*>(g.scratch);
    float* packed = sums + shape.sums();
    float* copied = packed + shape.packed();
    pack_columns(g, packed);
    const Panels<simd::DotF32> panels{packed, shape.steps * panel_channels, shape.panels, shape.steps};
    for (std::ptrdiff_t first = 0; first < g.m; first += shape.rows) {
        const std::ptrdiff_t rows = least(shape.rows, g.m - first);
        if (g.transpose_a) {
            transpose(g.a + first, g.lda, g.k, rows, copied, shape.row_stride);
        } else {
            for (std::ptrdiff_t r = 0; r < rows; ++r) {
                simd::DotF32::convert(copied + r * shape.row_stride, g.a + (first + r) * g.lda, g.k);
            }
        }
        multiply_rows(
            copied, shape.row_stride, rows, panels, sums,
            [&](std::ptrdiff_t r, std::ptrdiff_t panel, std::ptrdiff_t taken, const float* sum) __attribute__((always_inline)) {
                float* c = g.c + (first + r) * g.ldc + panel * panel_channels;
                const std::ptrdiff_t n = least(taken * panel_channels, g.n - panel * panel_channels);
                simd::for_each_vector<lanes32>(
                    n, [&](std::ptrdiff_t j, auto some) __attribute__((always_inline)) {
                        simd::F32 value = simd::load(sum + j);
                        if (g.accumulate) value = value + simd::load(c + j, some);
                        simd::store(c + j, value, some);
                    });
            });
    }
}

MOTE_END_KERNELS
