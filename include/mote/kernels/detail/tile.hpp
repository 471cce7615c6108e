// SPDX-License-Identifier: MIT
#pragma once
// Rows times packed panels: the register tiles under convolution and GEMM, once for f32 and bytes (D is simd::DotF32 or
// simd::DotI8). A panel holds the weights of panel_channels output channels, step by step; a step is D::group taps. Steps are
// taken in order whatever the tile's shape, so that an f32 sum has the same bits wherever its row stands.

#include <mote/simd/dot.hpp>

MOTE_BEGIN_KERNELS

namespace tiles {

using simd::lanes32;
constexpr std::ptrdiff_t tile_rows = simd::tile_rows;
constexpr std::ptrdiff_t panel_channels = simd::tile_vectors * lanes32;
constexpr std::ptrdiff_t steps_in_cache = 384;  // a panel of so many steps stays in the first cache while rows pass

constexpr std::ptrdiff_t ceil_div(std::ptrdiff_t a, std::ptrdiff_t b) noexcept {
    return (a + b - 1) / b;
}
constexpr std::ptrdiff_t least(std::ptrdiff_t a, std::ptrdiff_t b) noexcept {
    return a < b ? a : b;
}

/// Adds `steps` steps to the sums [Rows, Panels * panel_channels]; a `fresh` sum begins at zero.
template <class D, int Rows, int Panels>
void run_tile(const typename D::Activation* row, std::ptrdiff_t row_stride, const typename D::Weight* weight,
              std::ptrdiff_t panel_stride, std::ptrdiff_t steps, bool fresh, typename D::Lane* sums) noexcept {
    using Sum = typename D::Sum;
    constexpr int vectors = simd::tile_vectors;
    constexpr std::ptrdiff_t columns = vectors * Panels;
    constexpr std::ptrdiff_t elements = lanes32 * D::group;  // of a vector of weights
    Sum sum[Rows][columns];
    MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
        MOTE_UNROLL for (int v = 0; v < columns; ++v) {
            sum[r][v] = fresh ? Sum(typename D::Lane{0}) : simd::load(sums + (r * columns + v) * lanes32);
        }
    }
    const typename D::Activation* rows[Rows];
    MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
        rows[r] = row + r * row_stride;
        MOTE_OPAQUE(rows[r]);  // a register a row: else GCC computes an address a step
    }
    const auto step = [&](std::ptrdiff_t at) __attribute__((always_inline)) {
        MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
            decltype(D::weights(weight)) w[vectors];
            MOTE_UNROLL for (int v = 0; v < vectors; ++v) {
                w[v] = D::weights(weight + p * panel_stride + (at * vectors + v) * elements);
            }
            MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
                const auto a = D::activations(rows[r] + at * D::group);
                MOTE_UNROLL for (int v = 0; v < vectors; ++v) {
                    sum[r][p * vectors + v] = D::dot(sum[r][p * vectors + v], a, w[v]);
                }
            }
        }
    };
    constexpr std::ptrdiff_t unroll = simd::tile_unroll;
    for (; steps >= unroll; steps -= unroll) {
        MOTE_UNROLL for (int u = 0; u < unroll; ++u) step(u);
        MOTE_UNROLL for (int r = 0; r < Rows; ++r) rows[r] += unroll * D::group;
        weight += unroll * vectors * elements;
    }
    for (; steps > 0; --steps) {
        step(0);
        MOTE_UNROLL for (int r = 0; r < Rows; ++r) rows[r] += D::group;
        weight += vectors * elements;
    }
    MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
        MOTE_UNROLL for (int v = 0; v < columns; ++v) simd::store(sums + (r * columns + v) * lanes32, sum[r][v]);
    }
}

template <class D>
using TileFunction = void (*)(const typename D::Activation*, std::ptrdiff_t, const typename D::Weight*, std::ptrdiff_t,
                              std::ptrdiff_t, bool, typename D::Lane*) noexcept;

/// one_panel(n) takes n rows, or tile_rows of them, and one panel.
template <class D>
struct Tiles {
    static constexpr TileFunction<D> one_panel(std::ptrdiff_t rows) noexcept { return find<tile_rows>(rows); }

  private:
    template <int Rows>
    static constexpr TileFunction<D> find(std::ptrdiff_t rows) noexcept {
        if constexpr (Rows > 1) {
            if (rows < Rows) return find<Rows - 1>(rows);
        }
        return run_tile<D, Rows, 1>;
    }
};

/// Weights in the order in which tiles read them: [panel, step, panel_channels * D::group].
template <class D>
struct Panels {
    const typename D::Weight* first = nullptr;  ///< the weights of panel 0
    std::ptrdiff_t stride = 0;                  ///< from panel to panel, in weights
    std::ptrdiff_t count = 0;
    std::ptrdiff_t steps = 0;
};

/// The most rows that multiply_rows() takes at once: what stays in the second cache.
constexpr std::ptrdiff_t rows_at_once(std::ptrdiff_t steps) noexcept {
    const std::ptrdiff_t tiles = std::ptrdiff_t{32768} / (steps * tile_rows + 1);  // 32768 steps of 4 bytes
    return (tiles < 4 ? 4 : tiles > 32 ? 32 : tiles) * tile_rows;
}
/// From row to row of the activations, in steps: not a multiple of 4 KiB, whose lines would share few places in the cache.
constexpr std::ptrdiff_t row_steps(std::ptrdiff_t steps) noexcept {
    return steps % 256 == 0 ? steps + 16 : steps;
}

/// Multiplies `rows` rows of activations by all panels; finish(row, panel, panels, sums) gets the sums
/// [panels * panel_channels] of one row. `sums` holds rows * panel_channels lanes, and 4 * panel_channels at least.
template <class D, class Finish>
MOTE_ALWAYS_INLINE void multiply_rows(const typename D::Activation* row, std::ptrdiff_t row_stride, std::ptrdiff_t rows,
                                      const Panels<D>& panels, typename D::Lane* sums, const Finish& finish) noexcept {
    const std::ptrdiff_t blocks = ceil_div(panels.steps, steps_in_cache);
    const std::ptrdiff_t block = ceil_div(panels.steps, blocks);
    std::ptrdiff_t taken = 1;
    for (std::ptrdiff_t panel = 0; panel < panels.count; panel += taken) {
        // Few rows alone leave registers to more panels, so that additions do not wait for one another.
        const std::ptrdiff_t left = panels.count - panel;
        taken = rows == 1 && left >= 4 ? 4 : rows <= 2 && left >= 2 ? 2 : 1;
        const TileFunction<D> wide = taken == 4 ? run_tile<D, 1, 4> : rows == 2 ? run_tile<D, 2, 2> : run_tile<D, 1, 2>;
        for (std::ptrdiff_t from = 0; from < panels.steps; from += block) {
            const std::ptrdiff_t steps = least(block, panels.steps - from);
            const auto* weight = panels.first + panel * panels.stride + from * panel_channels * D::group;
            for (std::ptrdiff_t r = 0; r < rows; r += tile_rows) {
                const TileFunction<D> tile = taken == 1 ? Tiles<D>::one_panel(rows - r) : wide;
                tile(row + r * row_stride + from * D::group, row_stride, weight, panels.stride, steps, from == 0,
                     sums + r * panel_channels);
            }
        }
        for (std::ptrdiff_t r = 0; r < rows; ++r) finish(r, panel, taken, sums + r * taken * panel_channels);
    }
}

}  // namespace tiles

MOTE_END_KERNELS
