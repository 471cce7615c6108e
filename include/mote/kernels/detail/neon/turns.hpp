// SPDX-License-Identifier: MIT
#pragma once
// Bands of f32 depthwise windows (kernels/detail/bands.hpp has the words) for NEON, where to move a sum costs as much as to
// multiply. The sums of the outputs that a column reaches stay in their registers: there is code for as many steps as there are
// such outputs, which take turns, and output x has its sums at turn x modulo their number. Steps whose columns are all in the
// image go round without a question; a row in the padding is one vector of zeros, read again and again.
//
// A 3x3 window of stride 1 and 4 rows of outputs keeps 9 weights, 12 sums, 6 taps, a bias and two bounds: 30 of 32 registers.
// A column takes 6 loads that move their pointers on, 36 multiplications, 8 instructions for the clamp, 4 stores, 4 moves of
// the bias and less than 2 for places and loop: 60, or 0.42 a multiplication.

#include <mote/core/geometry.hpp>
#include <mote/simd/vector.hpp>

#include <type_traits>

#if defined(MOTE_NEON)

MOTE_BEGIN_KERNELS

namespace depthwise {

/// A band's rows of one block, all of whose channels are there, without a residual; D is depthwise::Float<float>.
template <class D, int Kernel, int Stride, int Outputs, class Shape>
MOTE_ALWAYS_INLINE void run_in_turns(const D& d, const ConvGeometry& g, const Shape& shape, const char* const* rows,
                                     std::ptrdiff_t top, std::ptrdiff_t bottom, const char* block, std::ptrdiff_t channel,
                                     std::ptrdiff_t at) noexcept {
    static_assert(std::is_same<typename D::Input, float>::value, "floats");
    constexpr int turns = (Kernel - 1) / Stride + 1;
    constexpr int in_rows = (Outputs - 1) * Stride + Kernel;
    const auto weight = [&](int i) __attribute__((always_inline)) {
        return D::weight(block + D::head + i * Shape::weight_bytes);
    };
    simd::F32 kept[D::keeps_weights(Kernel) ? Kernel * Kernel : 1];
    if constexpr (D::keeps_weights(Kernel)) {
        MOTE_UNROLL for (int i = 0; i < Kernel * Kernel; ++i) kept[i] = weight(i);
    }
    const simd::F32 start = D::first(block);
    simd::F32 sum[turns][Outputs];
    MOTE_UNROLL for (int k = 0; k < turns; ++k) {
        MOTE_UNROLL for (int r = 0; r < Outputs; ++r) sum[k][r] = start;
    }
    // Column `t` of a step at turn k, whose taps tap_of() gives.
    const auto add_column = [&](int k, int t, const auto& tap_of) __attribute__((always_inline)) {
        simd::F32 tap[in_rows];
        MOTE_UNROLL for (int ky = 0; ky < Kernel; ++ky) {
            MOTE_UNROLL for (int i = 0; i < in_rows; ++i) {
                const int first_use = i < (Outputs - 1) * Stride ? i % Stride : i - (Outputs - 1) * Stride;
                if (first_use == ky) tap[i] = tap_of(i);
            }
            MOTE_UNROLL for (int m = 0; m < turns; ++m) {
                const int kx = Kernel - Stride + t - m * Stride;
                if (kx < 0) continue;
                const simd::F32 w = D::keeps_weights(Kernel) ? kept[ky * Kernel + kx] : weight(ky * Kernel + kx);
                MOTE_UNROLL for (int r = 0; r < Outputs; ++r) D::add(sum[(m + k) % turns][r], tap[r * Stride + ky], {}, w);
            }
        }
    };
    const auto missing = [&](int i) __attribute__((always_inline)) {  // always false of rows between
        return (i < Kernel - 1 && i < top) || (i > (Outputs - 1) * Stride && i >= bottom);
    };
    // Copies, which no output overwrites, as the compiler sees.
    const std::ptrdiff_t width = g.in_width, out_width = g.out_width, pixel_bytes = shape.pixel_bytes;
    const std::ptrdiff_t out_bytes = std::ptrdiff_t{g.out_channels} * 4;
    char* out[Outputs];  // and `to` bytes further: else GCC keeps a pointer for every turn
    MOTE_UNROLL for (int r = 0; r < Outputs; ++r) {
        out[r] = d.place(at + r * shape.out_row);
        MOTE_OPAQUE(out[r]);
    }
    std::ptrdiff_t to = 0;
    const auto finish = [&](int k) __attribute__((always_inline)) {
        MOTE_UNROLL for (int r = 0; r < Outputs; ++r) d.finish_plain(sum[k][r], out[r] + to);
        to += out_bytes;
        MOTE_OPAQUE(to);
    };
    const simd::F32 zeros(0.0f);
    std::ptrdiff_t column = shape.first_column, turn = shape.turn;
    std::ptrdiff_t offset = channel * Shape::input_bytes + column * pixel_bytes;  // from a row to the column's pixel
    for (std::ptrdiff_t x = shape.first; x < out_width; ++x, column += Stride) {
        if (x == shape.inside) {
            const char* from[in_rows];
            std::ptrdiff_t step[in_rows];
            MOTE_UNROLL for (int i = 0; i < in_rows; ++i) {
                from[i] = missing(i) ? reinterpret_cast<const char*>(&zeros) : rows[i] + offset;
                step[i] = missing(i) ? 0 : pixel_bytes;
                if (i < Kernel - 1 || i > (Outputs - 1) * Stride)
                    MOTE_OPAQUE(step[i]);  // else GCC has code for each number of rows in the padding
            }
            std::ptrdiff_t rounds = shape.rounds;
            x += rounds * turns, column += rounds * turns * Stride, offset += rounds * turns * Stride * pixel_bytes;
            do {
                MOTE_UNROLL for (int k = 0; k < turns; ++k) {
                    MOTE_UNROLL for (int t = 0; t < Stride; ++t) {
                        add_column(
                            k, t, [&](int i) __attribute__((always_inline)) { return simd::load_next(from[i], step[i]); });
                    }
                    finish(k);
                    MOTE_UNROLL for (int r = 0; r < Outputs; ++r) sum[k][r] = start;
                }
            } while (--rounds != 0);
            if (x == out_width) return;
        }
        MOTE_UNROLL for (int k = 0; k < turns; ++k) {
            if (turn != k) continue;
            MOTE_UNROLL for (int t = 0; t < Stride; ++t, offset += pixel_bytes) {
                if (column + t < 0 || column + t >= width) continue;
                add_column(
                    k, t, [&](int i) __attribute__((always_inline)) {
                        return missing(i) ? zeros : simd::F32(D::tap(rows[i] + offset, simd::Whole{}));
                    });
            }
            if (x >= 0) finish(k);
            MOTE_UNROLL for (int r = 0; r < Outputs; ++r) sum[k][r] = start;
        }
        if (++turn == turns) turn = 0;
    }
}

}  // namespace depthwise

MOTE_END_KERNELS

#endif
