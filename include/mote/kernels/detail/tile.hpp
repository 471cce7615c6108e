// SPDX-License-Identifier: MIT
#pragma once
// Rows times packed panels: the register tiles under convolution and GEMM, once for all elements (D is simd::DotF32, DotI8,
// DotBf16 or DotF16). A panel holds the weights of up to panel_channels output channels, step by step; a step is D::group taps.
// Steps are taken in order whatever the tile's shape, so that an f32 sum has the same bits wherever its row stands.
//
// A row need not lie side by side: its taps come in runs (the rows of a convolution's window), at offsets that all rows share.
// So windows are read where the image lies, and nothing is gathered.
//
// A tile of R rows and V vectors keeps R * V sums in registers and does R * V multiplications for V loads of weights and R of
// activations, which go with the multiplications: enough chains for two units of latency 4 (simd/dot.hpp has R and V). A block
// of steps_in_cache steps of a panel stays in the first cache while rows pass; the last rows of a block fetch the next one. The
// last block's sums become outputs where they are, in registers (kernels/detail/finish.hpp).

#include <mote/kernels/detail/finish.hpp>
#include <mote/kernels/share.hpp>

MOTE_BEGIN_KERNELS

namespace tiles {

constexpr std::ptrdiff_t tile_rows = simd::tile_rows;
constexpr std::ptrdiff_t steps_in_cache = 384;

#if defined(MOTE_FEW_TILES)
constexpr bool few_tiles = true;
#else
constexpr bool few_tiles = false;
#endif
constexpr std::ptrdiff_t ceil_div(std::ptrdiff_t a, std::ptrdiff_t b) noexcept {
    return (a + b - 1) / b;
}
constexpr std::ptrdiff_t least(std::ptrdiff_t a, std::ptrdiff_t b) noexcept {
    return a < b ? a : b;
}
/// Bytes filled up to whole lines of the cache, to whose beginning scratch and packed memory are aligned.
constexpr std::ptrdiff_t lines(std::ptrdiff_t bytes) noexcept {
    return ceil_div(bytes, 64) * 64;
}

/// Packed weights: for each panel its head (what finishing reads: a bias, of bytes also a multiplier a channel), then
/// [step, channel, group]. A last panel of at most half the channels has D::half_vectors.
template <class D>
struct Panels {
    const char* first = nullptr;
    std::ptrdiff_t channels = 0;  ///< of all panels
    std::ptrdiff_t steps = 0;

    static constexpr std::ptrdiff_t head_bytes_of_channel = D::head_bytes;
    static constexpr std::ptrdiff_t step_bytes = D::group * static_cast<std::ptrdiff_t>(sizeof(typename D::Weight));
    static constexpr std::ptrdiff_t bytes(std::ptrdiff_t vectors, std::ptrdiff_t steps) noexcept {
        return vectors * lanes32 * (head_bytes_of_channel + steps * step_bytes);
    }
    static constexpr std::ptrdiff_t most_channels = D::panel_vectors * lanes32;
    std::ptrdiff_t count() const noexcept { return ceil_div(channels, most_channels); }
    std::ptrdiff_t stride() const noexcept { return bytes(D::panel_vectors, steps); }
    const char* at(std::ptrdiff_t panel) const noexcept { return first + panel * stride(); }
    std::ptrdiff_t vectors(std::ptrdiff_t panel) const noexcept {
        return channels - panel * most_channels <= most_channels / 2 ? D::half_vectors : D::panel_vectors;
    }
    /// Of all panels.
    std::ptrdiff_t bytes() const noexcept {
        const std::ptrdiff_t last = count() - 1;
        return last * stride() + bytes(vectors(last), steps);
    }
};

/// How each row's taps lie: run i begins offsets[i] activations behind the row's first, and takes `steps` steps.
struct Runs {
    const std::ptrdiff_t* offsets = nullptr;
    std::ptrdiff_t count = 1;
    std::ptrdiff_t steps = 0;
};

/// What a tile computes of its rows' sums: some runs, or a piece of one.
template <class D>
struct TileBlock {
    const std::ptrdiff_t* offsets = nullptr;
    std::ptrdiff_t runs = 0, steps = 0;
    std::ptrdiff_t from = 0;  ///< activations of each run before the first step
    const char* weight = nullptr;
    std::ptrdiff_t panel_stride = 0;
    const char* next = nullptr;  ///< weights to be fetched, of those behind the block's
    std::ptrdiff_t share = 0;    ///< from a tile's to the next one's
    bool first = false, last = false;
    typename D::Lane* sums = nullptr;  ///< [rows, panels, panel_channels], between blocks
    const char* head = nullptr;        ///< of the first panel
};

/// Adds the block's steps to the sums of Rows rows and `Panels` panels of `Vectors` vectors. `row` is the place of the first
/// row among the outputs, `channel` that of the first channel.
template <class D, class Finish, int Rows, int Vectors, int Panels>
MOTE_ALWAYS_INLINE void run_tile(const typename D::Activation* const* rows, const TileBlock<D>& block, const Finish& shared,
                                 std::ptrdiff_t row, std::ptrdiff_t channel) noexcept {
    using Sum = typename D::Sum;
    using Weight = typename D::Weight;
    constexpr int columns = Vectors * Panels;
    constexpr std::ptrdiff_t elements = lanes32 * D::group;  // of a vector of weights
    constexpr std::ptrdiff_t step_bytes = Vectors * elements * static_cast<std::ptrdiff_t>(sizeof(Weight));
    constexpr std::ptrdiff_t sums_stride = Panels * panel_channels;
    // Of the next weights with each step: half of a step's where there are other tiles to fetch the rest.
    constexpr std::ptrdiff_t fetched = step_bytes / (2 * Rows > tile_rows && step_bytes > 64 ? 2 : 1);
    const auto sums_of = [&](int r, int v) {
        return block.sums + r * sums_stride + v / Vectors * panel_channels + v % Vectors * lanes32;
    };
    Sum sum[Rows][columns];
    MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
        MOTE_UNROLL for (int v = 0; v < columns; ++v) {
            sum[r][v] = block.first ? Finish::initial(block.head + v / Vectors * block.panel_stride, v % Vectors)
                                    : Sum(simd::load(sums_of(r, v)));
        }
    }
    const Weight* weight = reinterpret_cast<const Weight*>(block.weight);
    const std::ptrdiff_t panel_stride = block.panel_stride / static_cast<std::ptrdiff_t>(sizeof(Weight));
    const char* next = block.next;
    for (std::ptrdiff_t run = 0; run < block.runs; ++run) {
        const std::ptrdiff_t offset = block.offsets[run] + block.from;
        const typename D::Activation* at[Rows];
        MOTE_OPAQUE(rows);  // else GCC loads all of them before the loop, and has no registers for them
        MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
            at[r] = rows[r] + offset;
            MOTE_OPAQUE(at[r]);  // a register a row: else GCC computes an address a step
        }
        const auto step = [&](std::ptrdiff_t s) __attribute__((always_inline)) {
            if constexpr (simd::tile_prefetches && Panels == 1) {
                MOTE_UNROLL for (std::ptrdiff_t byte = 0; byte < fetched; byte += 64)
                    __builtin_prefetch(next + s * fetched + byte, 0, 2);
            }
            MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
                decltype(D::weights(weight)) w[Vectors];
                MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
                    w[v] = D::weights(weight + p * panel_stride + (s * Vectors + v) * elements);
                }
                MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
                    const auto a = D::activations(at[r] + s * D::group);
                    MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
                        sum[r][p * Vectors + v] = D::dot(sum[r][p * Vectors + v], a, w[v]);
                    }
                }
            }
        };
        std::ptrdiff_t steps = block.steps;
        if constexpr (D::steps_together > 1) {
            // Activations of several steps in a vector, a lane a step.
            for (; steps >= D::steps_together; steps -= D::steps_together) {
                typename D::Steps a[Rows];
                MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
                    a[r] = D::steps(at[r]);
                    at[r] += D::steps_together * D::group;
                }
                const auto lane_step = [&](auto lane) __attribute__((always_inline)) {
                    MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
                        MOTE_IN_ORDER(weight);
                        typename D::Sum w[Vectors];
                        D::template weights<Vectors>(weight + p * panel_stride, w);
                        MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
                            MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
                                auto& to = sum[r][p * Vectors + v];
                                to = D::template dot<decltype(lane)::value>(to, a[r], w[v]);
                            }
                        }
                    }
                    weight += Vectors * elements;
                };
                D::for_each_lane(lane_step);
            }
        } else {
            constexpr std::ptrdiff_t unroll = simd::tile_unroll;
            for (; steps >= unroll; steps -= unroll) {
                MOTE_UNROLL for (int u = 0; u < unroll; ++u) step(u);
                MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
                    at[r] += unroll * D::group;
                    MOTE_OPAQUE(at[r]);  // else GCC computes it again behind the loop
                }
                weight += unroll * Vectors * elements;
                next += unroll * fetched;
            }
        }
        for (; steps > 0; --steps) {
            step(0);
            MOTE_UNROLL for (int r = 0; r < Rows; ++r) at[r] += D::group;
            weight += Vectors * elements;
            next += fetched;
        }
    }
    // A copy, which no output overwrites, as the compiler sees.
    const auto finish = shared.of_tile(row, channel, block.sums, sums_stride);
    if (Finish::in_registers && block.last && finish.channels >= columns * lanes32) {
        MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
            const char* head = block.head + p * block.panel_stride;
            if constexpr (decltype(finish)::joins_rows) {
                finish.template rows<Rows, Vectors, columns>(&sum[0][p * Vectors], head, p * Vectors * lanes32);
            } else {
                MOTE_UNROLL for (int r = 0; r < Rows; ++r)
                    finish.template whole<Vectors>(&sum[r][p * Vectors], head, r * finish.stride + p * Vectors * lanes32);
            }
        }
        return;
    }
    MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
        MOTE_UNROLL for (int v = 0; v < columns; ++v) simd::store(sums_of(r, v), sum[r][v]);
    }
    if (!block.last) return;
    for (int r = 0; r < Rows; ++r) {
        for (int p = 0; p < Panels; ++p) {
            const std::ptrdiff_t rest = finish.channels - p * Vectors * lanes32;
            const typename D::Lane* sums = sums_of(r, p * Vectors);
            const char* head = block.head + p * block.panel_stride;
            const std::ptrdiff_t at = r * finish.stride + p * Vectors * lanes32;
            if (!Finish::in_registers && rest >= Vectors * lanes32) {
                Sum some[Vectors];
                MOTE_UNROLL for (int v = 0; v < Vectors; ++v) some[v] = simd::load(sums + v * lanes32);
                finish.template whole<Vectors>(some, head, at);
            } else if (rest > 0) {
                finish.template part<Vectors>(sums, head, at, least(rest, Vectors * lanes32));
            }
        }
    }
}

/// `count` tiles, one below the other.
template <class D, class Finish, int Rows, int Vectors, int Panels>
void run_tiles(const typename D::Activation* const* rows, std::ptrdiff_t count, const TileBlock<D>& shared_block,
               const Finish& shared, std::ptrdiff_t row, std::ptrdiff_t channel) noexcept {
    TileBlock<D> block = shared_block;  // copies, which no output overwrites, as the compiler sees
    const Finish copy = shared;
    const Finish* finish = Finish::few_constants ? &copy : &shared;
    for (; count > 0; --count, rows += Rows, row += Rows, block.sums += Rows * panel_channels) {
        if constexpr (!Finish::few_constants) MOTE_OPAQUE(finish);  // else GCC loads all before the loop, and again in it
        run_tile<D, Finish, Rows, Vectors, Panels>(rows, block, *finish, row, channel);
        block.next += block.share;
    }
}

template <class D, class Finish>
using TilesFunction = void (*)(const typename D::Activation* const*, std::ptrdiff_t, const TileBlock<D>&, const Finish&,
                               std::ptrdiff_t, std::ptrdiff_t) noexcept;

/// The largest tile of one panel and at most `rows` rows; how many it has.
template <class D, class Finish, int Vectors, int Rows = simd::tile_rows>
constexpr TilesFunction<D, Finish> tiles_of(std::ptrdiff_t& rows) noexcept {
    if constexpr (Rows > 1) {
        constexpr int fewer = !few_tiles ? Rows - 1 : Rows > 4 ? 4 : Rows / 2;
        if (rows < Rows) return tiles_of<D, Finish, Vectors, fewer>(rows);
    }
    rows = Rows;
    return run_tiles<D, Finish, Rows, Vectors, 1>;
}

/// Elements from pixel to pixel of a run's output.
template <class Run>
std::ptrdiff_t output_stride(const ConvGeometry& g, const Run& run) noexcept {
    return run.output_stride != 0 ? run.output_stride : g.out_channels;
}

/// Cycles in which packed weights are read: 16 bytes a cycle from the third cache, 5 where they may not fit there.
constexpr double reading_cycles(double bytes) noexcept {
    return bytes / (bytes > 4e6 ? 5.0 : 16.0);
}

/// The most rows that multiply() takes at once: what stays in the second cache. Of weights that do not stay there themselves
/// each pass is dear.
constexpr std::ptrdiff_t rows_at_once(std::ptrdiff_t steps, std::ptrdiff_t rows_of_tile = tile_rows,
                                      bool heavy = false) noexcept {
    const std::ptrdiff_t tiles = std::ptrdiff_t{heavy ? 131072 : 32768} / (steps * rows_of_tile + 1);  // steps of 4 bytes
    return (tiles < 4 ? 4 : tiles > 32 ? 32 : tiles) * rows_of_tile;
}
/// Bytes of the sums that multiply() keeps of so many rows.
constexpr std::ptrdiff_t sums_bytes(std::ptrdiff_t rows) noexcept {
    return (rows < 4 ? 4 : rows) * panel_channels * 4;
}

/// Multiplies `count` rows by panels begin <= p < end; finishes the outputs of rows first_row ... first_row + count - 1.
template <class D, class Finish>
void multiply(const typename D::Activation* const* rows, std::ptrdiff_t count, const Runs& runs, const Panels<D>& panels,
              IndexRange range, typename D::Lane* sums, const Finish& finish, std::ptrdiff_t first_row) noexcept {
    // A block is some runs, or a piece of a long one.
    const std::ptrdiff_t pieces = runs.steps > steps_in_cache ? ceil_div(runs.steps, steps_in_cache) : 1;
    const std::ptrdiff_t piece = ceil_div(runs.steps, pieces);
    const std::ptrdiff_t blocks =
        pieces > 1 ? runs.count : ceil_div(runs.count, runs.steps < 1 ? 1 : steps_in_cache / runs.steps);
    const std::ptrdiff_t together = pieces > 1 ? 1 : ceil_div(runs.count, blocks);
    std::ptrdiff_t taken = 1;
    for (std::ptrdiff_t panel = range.begin; panel < range.end; panel += taken) {
        // Few rows alone leave registers to more panels, so that additions do not wait for one another.
        std::ptrdiff_t whole = range.end - panel;
        if (panels.vectors(range.end - 1) != simd::tile_vectors) --whole;
        TilesFunction<D, Finish> wide = nullptr;
        if constexpr (!few_tiles) {
            if (count <= 2 && whole >= 2) {
                wide = count == 2 ? run_tiles<D, Finish, 2, simd::tile_vectors, 2>
                                  : run_tiles<D, Finish, 1, simd::tile_vectors, 2>;
            }
        }
        taken = wide != nullptr ? 2 : 1;
        const std::ptrdiff_t vectors = panels.vectors(panel);
        TileBlock<D> block;
        block.head = panels.at(panel);
        block.weight = block.head + vectors * lanes32 * Panels<D>::head_bytes_of_channel;
        block.panel_stride = panels.stride();
        block.first = true;
        for (std::ptrdiff_t run = 0; run < runs.count; run += block.runs) {
            block.offsets = runs.offsets + run;
            block.runs = least(together, runs.count - run);
            for (std::ptrdiff_t from = 0; from < runs.steps; from += block.steps) {
                block.steps = least(piece, runs.steps - from);
                block.from = from * D::group;
                block.last = run + block.runs == runs.count && from + block.steps == runs.steps;
                const std::ptrdiff_t block_bytes = block.runs * block.steps * vectors * lanes32 * Panels<D>::step_bytes;
                block.next = block.weight + block_bytes;
                block.share = block_bytes / ceil_div(count, tile_rows) / 64 * 64;
                // Tiles of nearly the same number of rows: the time of one row alone is that of many. The larger first.
                for (std::ptrdiff_t r = 0; r < count;) {
                    const std::ptrdiff_t left = count - r, tiles = ceil_div(left, tile_rows);
                    std::ptrdiff_t size = few_tiles ? least(left, tile_rows) : ceil_div(left, tiles);
                    const TilesFunction<D, Finish> function = taken > 1 ? wide
                                                              : vectors == simd::tile_vectors
                                                                  ? tiles_of<D, Finish, simd::tile_vectors>(size)
                                                                  : tiles_of<D, Finish, D::half_vectors>(size);
                    const std::ptrdiff_t same = few_tiles ? left / size : left % tiles == 0 ? tiles : left % tiles;
                    block.sums = sums + r * panel_channels;
                    function(rows + r, same, block, finish, first_row + r, panel * panel_channels);
                    block.next += same * block.share;
                    r += same * size;
                }
                block.first = false;
                block.weight += block_bytes;
            }
        }
        finish.add(first_row, panel * panel_channels, count, taken * vectors * lanes32, sums, taken * panel_channels);
    }
}

}  // namespace tiles

MOTE_END_KERNELS
