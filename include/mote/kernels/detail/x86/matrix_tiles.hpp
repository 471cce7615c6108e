// SPDX-License-Identifier: MIT
#pragma once
// Rows of a convolution's windows times packed panels in matrix tiles (compare kernels/detail/tile.hpp, whose panels these
// are). A row of a panel's step is a row of a tile of weights as it lies, and pixels of an output row lie at one distance from
// each other, so that a tile of activations is read where the image is. Two tiles of pixels and the two of a panel make four
// tiles of sums: four loads for four multiplications, of 8 cycles and 16. The sums begin as biases, whose row is read 16 times.
//
// A tile takes the bytes of a run's taps that divide it evenly (64 at most): nothing is read that is no tap. The tiles of an
// output row are of one size; the last may take some pixels again, whose sums it throws away.

#include <mote/kernels/detail/tile.hpp>
#include <mote/simd/matrix_tiles.hpp>

#if defined(MOTE_AMX)

MOTE_BEGIN_KERNELS

namespace tiles {

/// Bytes of a run of taps that a tile takes; 0 where so few fit evenly that vectors are as fast.
constexpr std::ptrdiff_t tile_taps(std::ptrdiff_t run_bytes) noexcept {
    for (std::ptrdiff_t pieces = ceil_div(run_bytes, 64); run_bytes / pieces >= 12; ++pieces) {
        if (run_bytes % (4 * pieces) == 0) return run_bytes / pieces;
    }
    return 0;
}

template <class D>
inline constexpr std::ptrdiff_t activation_bytes = sizeof(typename D::Activation);

/// Pixels of a block: rows of them, at these distances in elements of the image.
struct TilePixels {
    std::ptrdiff_t rows, row_step, columns, column_step;
};

/// What all tiles of a block share.
struct TileWork {
    Runs runs;
    std::ptrdiff_t pieces, taps;  ///< of a run, and a piece's bytes
    std::ptrdiff_t stride;        ///< bytes from pixel to pixel
    std::ptrdiff_t fetched;       ///< bytes of the next panel to be fetched with a piece
};

/// Sums tiles of pixels that begin at pixel[t], t from First on: in the tiles 2 t and 2 t + 1.
template <class D, int First, int Tiles, int Vectors>
MOTE_ALWAYS_INLINE void sum_tiles(const char* a, const char* b, const TileWork& work, const char* head, const char*& next,
                                  const char* end) noexcept {
    using namespace simd;
    using Lane = typename D::Lane;
    constexpr int A = First, B = Tiles == 2 ? 1 : First;
    load_tile<2 * A>(head, 0);
    if constexpr (Vectors == 2) load_tile<2 * A + 1>(head + 64, 0);
    if constexpr (Tiles == 2) load_tile<2 * B>(head, 0);
    if constexpr (Tiles == 2 && Vectors == 2) load_tile<2 * B + 1>(head + 64, 0);
    const char* weight = head + Vectors * lanes32 * Panels<D>::head_bytes_of_channel;
    const std::ptrdiff_t weight_bytes = work.taps * Vectors * lanes32;
    for (std::ptrdiff_t run = 0; run < work.runs.count; ++run) {
        std::ptrdiff_t at = work.runs.offsets[run] * activation_bytes<D>;
        for (std::ptrdiff_t piece = work.pieces; piece > 0; --piece, at += work.taps, weight += weight_bytes) {
            if (next < end) {
                for (std::ptrdiff_t byte = 0; byte < work.fetched; byte += 64) __builtin_prefetch(next + byte, 0, 2);
                next += work.fetched;
            }
            load_tile<4 + A>(a + at, work.stride);
            load_tile<6>(weight, Vectors * 64);
            tile_dot<Lane, 2 * A, 4 + A, 6>();
            if constexpr (Tiles == 2) {
                load_tile<4 + B>(b + at, work.stride);
                tile_dot<Lane, 2 * B, 4 + B, 6>();
            }
            if constexpr (Vectors == 2) {
                load_tile<7>(weight + 64, Vectors * 64);
                tile_dot<Lane, 2 * A + 1, 4 + A, 7>();
                if constexpr (Tiles == 2) tile_dot<Lane, 2 * B + 1, 4 + B, 7>();
            }
        }
    }
}

/// Stores the sums of a tile of pixels as [pixel, 32].
template <int Place, class Lane>
MOTE_ALWAYS_INLINE void store_sums(std::ptrdiff_t vectors, Lane* sums) noexcept {
    simd::store_tile<2 * Place>(sums, panel_channels * 4);
    if (vectors == 2) simd::store_tile<2 * Place + 1>(sums + lanes32, panel_channels * 4);
}

/// What becomes of sums: FinishI8 of rows that lie in memory.
struct FinishTiles {
    RequantizeI8 requantize;
    AddI8 residual_add;
    const std::int8_t* residual;  ///< of the first row and channel, or null
    std::int8_t* output;
    std::ptrdiff_t stride, channels;
    bool small;  ///< whether multipliers are below 1

    void move(std::ptrdiff_t channel, std::ptrdiff_t count) noexcept {
        if (residual != nullptr) residual += channel;
        output += channel;
        channels = count;
    }
    /// Makes `count` rows of a panel's sums outputs, from `row` on.
    template <int Vectors>
    void run(const char* head, const std::int32_t* sums, std::ptrdiff_t count, std::ptrdiff_t row,
             std::ptrdiff_t channel) const noexcept {
        if (small) {
            with_requantize<Vectors>(BasicRequantizeLanes<true>(requantize), head, sums, count, row, channel);
        } else {
            with_requantize<Vectors>(BasicRequantizeLanes<false>(requantize), head, sums, count, row, channel);
        }
    }

  private:
    template <int Vectors, class Requantize>
    MOTE_ALWAYS_INLINE void with_requantize(const Requantize& lanes, const char* head, const std::int32_t* sums,
                                            std::ptrdiff_t count, std::ptrdiff_t row, std::ptrdiff_t channel) const noexcept {
        using simd::I32;
        const auto* multipliers = reinterpret_cast<const float*>(head) + Vectors * lanes32;
        const simd::F32 first = simd::load(multipliers), second = simd::load(multipliers + (Vectors - 1) * lanes32);
        const std::ptrdiff_t some = least(channels - channel, Vectors * lanes32);
        std::int8_t* to = output + row * stride + channel;
        const auto sum = [&](std::ptrdiff_t r, int v) __attribute__((always_inline)) {
            return I32(simd::load(sums + r * panel_channels + v * lanes32));
        };
        const auto one_row = [&](std::ptrdiff_t r) __attribute__((always_inline)) {
            if constexpr (Vectors == 2) {
                return lanes({sum(r, 0), sum(r, 1)}, first, second);
            } else {
                return lanes.in_order(sum(r, 0), first);
            }
        };
        std::ptrdiff_t r = 0;
        if (residual != nullptr) {
            const std::int8_t* other = residual + row * stride + channel;
            with_add_lanes(
                residual_add, [&](const auto& add) __attribute__((always_inline)) {
                    if (some == simd::lanes16) {
                        for (; r < count; ++r, other += stride, to += stride)
                            simd::store_bytes(to, add(one_row(r), simd::load_bytes(other)));
                    }
                    for (; r < count; ++r, other += stride, to += stride)
                        simd::store_bytes(to, add(one_row(r), simd::load_bytes(other, some)), some);
                });
            return;
        }
        if (some == Vectors * lanes32) {
            for (; r + 4 / Vectors <= count; r += 4 / Vectors, to += 4 / Vectors * stride) {
                if constexpr (Vectors == 2) {
                    simd::store_two_rows(
                        to, stride,
                        lanes({sum(r, 0), sum(r, 1)}, {sum(r + 1, 0), sum(r + 1, 1)}, first, second, first, second));
                } else {
                    simd::store_four_rows(
                        to, stride,
                        lanes({sum(r, 0), sum(r + 1, 0)}, {sum(r + 2, 0), sum(r + 3, 0)}, first, first, first, first));
                }
            }
        }
        for (; r < count; ++r, to += stride) simd::store_bytes(to, one_row(r), some);
    }
};

/// Multiplies a block's pixels by panels begin <= p < end; finishes outputs from row `first_row` on. A tile takes `taps` bytes.
template <class D, class Finish>
void multiply_in_tiles(const typename D::Activation* first, const TilePixels& pixels, const Runs& runs, std::ptrdiff_t taps,
                       const Panels<D>& panels, IndexRange range, typename D::Lane* sums, const Finish& finish,
                       std::ptrdiff_t first_row) noexcept {
    const std::ptrdiff_t run_bytes = runs.steps * D::group * activation_bytes<D>;
    const std::ptrdiff_t tiles = ceil_div(pixels.columns, 16), rows = ceil_div(pixels.columns, tiles);
    const std::ptrdiff_t all = tiles * pixels.rows;
    // Few taps: a tile of pixels at a time, so that there is always one to multiply; many: two, which share weights.
    const bool together = runs.count * run_bytes > 1024;
    bool second = false;
    const std::ptrdiff_t pieces = run_bytes / taps;
    const std::ptrdiff_t times = (together ? ceil_div(all, 2) : all) * runs.count * pieces;
    const TileWork work{runs, pieces, taps, pixels.column_step * activation_bytes<D>, lines(ceil_div(panels.stride(), times))};
    simd::TileShapes(rows, taps).set();
    struct Tile {
        const char* pixel;
        std::ptrdiff_t row, again;  ///< the place of its first output, and how many pixels it takes again
    };
    const auto tile_at = [&](std::ptrdiff_t i) __attribute__((always_inline)) {
        const std::ptrdiff_t y = i / tiles, wanted = i % tiles * rows;
        const std::ptrdiff_t x = least(wanted, pixels.columns - rows);
        return Tile{reinterpret_cast<const char*>(first + y * pixels.row_step + x * pixels.column_step),
                    first_row + y * pixels.columns + wanted, wanted - x};
    };
    // A tile's sums rest in their tiles while those of the next are summed, then in memory while its next are: tiles are
    // multiplied, stored and made outputs at the same time.
    struct Pending {
        Tile tile{};
        std::ptrdiff_t panel = 0, vectors = 0;
    } summed[2], stored[2];
    const auto store = [&](auto place) __attribute__((always_inline)) {
        constexpr int p = decltype(place)::value;
        if (summed[p].vectors == 0) return;
        store_sums<p>(summed[p].vectors, sums + p * rows * panel_channels);
        stored[p] = summed[p];
        summed[p].vectors = 0;
    };
    const auto finish_stored = [&](int p) __attribute__((always_inline)) {
        const Pending& done = stored[p];
        if (done.vectors == 0) return;
        typename D::Lane* of_tile = sums + (p * rows + done.tile.again) * panel_channels;
        const char* head = panels.at(done.panel);
        const std::ptrdiff_t count = rows - done.tile.again, channel = done.panel * panel_channels;
        if (done.vectors == 2) {
            finish.template run<2>(head, of_tile, count, done.tile.row, channel);
        } else {
            finish.template run<1>(head, of_tile, count, done.tile.row, channel);
        }
        stored[p].vectors = 0;
    };
    using First = std::integral_constant<int, 0>;
    using Second = std::integral_constant<int, 1>;
    const auto run_panel = [&](std::ptrdiff_t panel, auto vectors) __attribute__((always_inline)) {
        constexpr int count = decltype(vectors)::value;
        const char* head = panels.at(panel);
        const char *next = head + panels.stride(), *end = panel + 1 < range.end ? next + panels.stride() : next;
        std::ptrdiff_t i = 0;
        const auto one = [&](auto place, auto other) __attribute__((always_inline)) {
            constexpr int p = decltype(place)::value;
            const Tile tile = tile_at(i++);
            sum_tiles<D, p, 1, count>(tile.pixel, nullptr, work, head, next, end);
            summed[p] = {tile, panel, count};
            store(other);
            finish_stored(p);
        };
        if (together) {
            for (; i + 2 <= all; i += 2) {
                const Tile a = tile_at(i), b = tile_at(i + 1);
                sum_tiles<D, 0, 2, count>(a.pixel, b.pixel, work, head, next, end);
                summed[0] = {a, panel, count};
                summed[1] = {b, panel, count};
                finish_stored(0);
                finish_stored(1);
                store(First{});
                store(Second{});
            }
            if (i < all) {
                one(First{}, Second{});
                store(First{});
            }
            return;
        }
        while (i < all) {
            if (second) {
                one(Second{}, First{});
            } else {
                one(First{}, Second{});
            }
            second = !second;
        }
    };
    for (std::ptrdiff_t panel = range.begin; panel < range.end; ++panel) {
        if (panels.vectors(panel) == 2) {
            run_panel(panel, std::integral_constant<int, 2>{});
        } else {
            run_panel(panel, std::integral_constant<int, 1>{});
        }
    }
    finish_stored(second ? 1 : 0);
    store(First{});
    store(Second{});
    finish_stored(0);
    finish_stored(1);
    simd::TileShapes::release();
}

}  // namespace tiles

MOTE_END_KERNELS

#endif
