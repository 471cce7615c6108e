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
        : columns{nullptr, n, k},
          rows(least(m, rows_at_once(k))),
          row_stride(k % 256 == 0 ? k + 16 : k) {}  // else rows of 4 KiB would share few places in the cache
    Panels<simd::DotF32> columns;
    std::ptrdiff_t rows, row_stride;

    // Scratch: sums, pointers to rows, the copy of rows, the columns as panels.
    std::ptrdiff_t pointers_bytes() const noexcept { return lines(rows * 8); }
    std::ptrdiff_t copy_bytes() const noexcept { return lines((rows * row_stride + lanes32) * 4); }
    std::size_t scratch_bytes() const noexcept {
        return static_cast<std::size_t>(sums_bytes(rows) + pointers_bytes() + copy_bytes() + columns.bytes());
    }
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
void pack_columns(const GemmF32& g, const Panels<simd::DotF32>& panels, char* packed) noexcept {
    for (std::ptrdiff_t panel = 0; panel < panels.count(); ++panel) {
        const std::ptrdiff_t j = panel * panel_channels, lanes = panels.vectors(panel) * lanes32;
        const std::ptrdiff_t some = least(lanes, g.n - j);
        float* to = reinterpret_cast<float*>(packed + panel * panels.stride()) + lanes;  // the head stays free
        if (some < lanes) {
            for (std::ptrdiff_t i = 0; i < g.k * lanes; ++i) to[i] = 0.0f;
        }
        if (g.transpose_b) {
            transpose(g.b + j * g.ldb, g.ldb, some, g.k, to, lanes);
        } else {
            const float* from = g.b + j;
            for (std::ptrdiff_t p = 0; p < g.k; ++p, from += g.ldb) {
                simd::for_each_vector<lanes32>(
                    some, [&](std::ptrdiff_t c, auto n)
                              __attribute__((always_inline)) { simd::store(to + p * lanes + c, simd::load(from + c, n), n); });
            }
        }
    }
}

}  // namespace tiles

template <class Lazy = void>
std::size_t gemm_f32_scratch_bytes(std::int32_t m, std::int32_t n, std::int32_t k) noexcept {
    return tiles::GemmShape(m, n, k).scratch_bytes();
}

template <class Lazy = void>
void gemm_f32(const GemmF32& g) noexcept {
    using namespace tiles;
    GemmShape shape(g.m, g.n, g.k);
    char* scratch = static_cast<char*>(g.scratch);
    float* sums = reinterpret_cast<float*>(scratch);
    auto** pointers = reinterpret_cast<const float**>(scratch + sums_bytes(shape.rows));
    float* copy = reinterpret_cast<float*>(scratch + sums_bytes(shape.rows) + shape.pointers_bytes());
    char* packed = reinterpret_cast<char*>(copy) + shape.copy_bytes();
    pack_columns(g, shape.columns, packed);
    shape.columns.first = packed;
    for (std::ptrdiff_t r = 0; r < shape.rows; ++r) pointers[r] = copy + r * shape.row_stride;
    const std::ptrdiff_t offset = 0;
    for (std::ptrdiff_t first = 0; first < g.m; first += shape.rows) {
        const std::ptrdiff_t rows = least(shape.rows, g.m - first);
        if (g.transpose_a) {
            transpose(g.a + first, g.lda, g.k, rows, copy, shape.row_stride);
        } else {
            for (std::ptrdiff_t r = 0; r < rows; ++r) {
                simd::DotF32::convert(copy + r * shape.row_stride, g.a + (first + r) * g.lda, g.k);
            }
        }
        multiply<simd::DotF32>(pointers, rows, {&offset, 1, g.k}, shape.columns, {0, shape.columns.count()}, sums,
                               FinishGemm{g.c, g.ldc, g.n, g.accumulate}, first);
    }
}

MOTE_END_KERNELS
