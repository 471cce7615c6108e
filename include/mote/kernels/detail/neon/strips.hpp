// SPDX-License-Identifier: MIT
#pragma once
// Rows of bytes times packed panels on NEON (compare kernels/detail/tile.hpp, whose panels these are). Rows are first packed in
// strips, in the order in which a tile multiplies them, so that one load brings four vectors of them. A tile keeps 24 vectors
// of sums, four to a unit, and has 8 registers for what it multiplies:
//   SDOT, I8MM  strips of 12 rows  [8 taps][pair of rows][row][8 taps]; a panel has 8 channels, a unit is of a pair of rows
//   else        strips of 6 rows   [4 taps][row][16], the first two taps four times, then the other two; a unit is of a row
// The first form loads 5 times for 48 multiplications (of 6 rows and 16 channels, whose sums are as many, it would be 6).

#include <mote/kernels/detail/neon/pack.hpp>
#include <mote/kernels/detail/tile.hpp>

#if defined(MOTE_NEON)

MOTE_BEGIN_KERNELS

namespace tiles {

using simd::DotI8;
constexpr int strip_rows = DotI8::strip_rows;
constexpr int unit_rows = DotI8::unit_rows;
constexpr int row_bytes = 16 / unit_rows;     ///< of a unit's bytes
constexpr int half = unit_rows == 1 ? 2 : 4;  ///< vectors of a unit in a last panel of few channels

/// RequantizeI8 of sums that began at the bias, with a residual AddI8.
struct FinishStrips {
    int16x8_t zero_point;
#if defined(__ARM_FEATURE_MATMUL_INT8)
    uint8x16_t rows_apart = {0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15};  ///< of pairs of channels
#endif
    int8x16_t lo, hi;
    bool clamps;  ///< whether lo or hi are not what a byte ends with
    AddI8 residual_add;
    const std::int8_t* residual;  ///< of the first row and channel, or null
    std::int8_t* output;
    std::ptrdiff_t stride;
    std::ptrdiff_t channels;

    FinishStrips(const RequantizeI8& r, const AddI8& add, const std::int8_t* other, std::int8_t* to,
                 std::ptrdiff_t from_row_to_row, std::ptrdiff_t all) noexcept
        : zero_point(vdupq_n_s16(static_cast<std::int16_t>(r.zero_point))),
          lo(vdupq_n_s8(static_cast<std::int8_t>(r.lo))),
          hi(vdupq_n_s8(static_cast<std::int8_t>(r.hi))),
          clamps(r.lo > -128 || r.hi < 127),
          residual_add(add),
          residual(other),
          output(to),
          stride(from_row_to_row),
          channels(all) {}
    void move(std::ptrdiff_t channel, std::ptrdiff_t count) noexcept {
        if (residual != nullptr) residual += channel;
        output += channel;
        channels = count;
    }
    /// Of a unit's sums, before they are clamped; two vectors give their bytes twice.
    template <int Vectors>
    MOTE_ALWAYS_INLINE int8x16_t bytes(const int32x4_t* sum, const int8x16_t* multiplier) const noexcept {
        int32x4_t q[4];
        MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
            q[v] = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(sum[v]), vreinterpretq_f32_s8(multiplier[v])));
        }
        if constexpr (Vectors == 2) q[2] = q[0], q[3] = q[1];
        const int16x8_t a = vqaddq_s16(simd::detail::narrow(q[0], q[1]), zero_point);
        const int16x8_t b = vqaddq_s16(simd::detail::narrow(q[2], q[3]), zero_point);
        const int8x16_t joined = simd::detail::narrow(a, b);
#if defined(__ARM_FEATURE_MATMUL_INT8)
        return vqtbl1q_s8(joined, rows_apart);
#else
        return joined;
#endif
    }
    /// Rows of row_bytes, of which the first `count` are there: from `row` and `channel` on, with the residual.
    __attribute__((noinline)) void store_some(const std::int8_t* bytes, std::ptrdiff_t rows, std::ptrdiff_t row,
                                              std::ptrdiff_t channel, std::ptrdiff_t count) const noexcept {
        const auto write = [&](const auto& value) __attribute__((always_inline)) {
            for (std::ptrdiff_t at = row * stride + channel; rows > 0; --rows, at += stride, bytes += row_bytes) {
                for (std::ptrdiff_t c = 0; c < row_bytes && c < count; c += 8) {
                    const std::ptrdiff_t some = least(count - c, 8);
                    simd::store_bytes(output + at + c, value(simd::load_bytes(bytes + c), at + c, some), some);
                }
            }
        };
        if (residual == nullptr) {
            write([](simd::I16 q, std::ptrdiff_t, std::ptrdiff_t) { return q; });
        } else {
            with_add_lanes(residual_add, [&](const auto& add) {
                write([&](simd::I16 q, std::ptrdiff_t at, std::ptrdiff_t some) {
                    return add(q, simd::load_bytes(residual + at, some));
                });
            });
        }
    }
};

/// Strips and a block of steps of some panels.
struct StripBlock {
    const std::int8_t* strips = nullptr;
    std::uint32_t count = 0;              ///< of strips
    std::ptrdiff_t rows = 0;              ///< of a strip, that are there
    const std::int8_t* weight = nullptr;  ///< of the first panel
    const char* head = nullptr;           ///< of the first panel
    std::ptrdiff_t panels = 0, panel_stride = 0;
    std::uint32_t rounds = 0, steps = 0;  ///< of 64 taps, and of 8 more
    std::ptrdiff_t skipped = 0;           ///< bytes of a strip that are no part of the block
    std::int32_t* sums = nullptr;         ///< between blocks
    bool first = false, last = false;
    std::ptrdiff_t row = 0, channel = 0;  ///< the places of the first outputs
};

/// Loads the next Count <= 4 vectors, behind the multiplications so far.
template <int Count>
MOTE_ALWAYS_INLINE void take(const std::int8_t*& from, int8x16_t* to) noexcept {
    MOTE_IN_ORDER(from);
    if constexpr (Count == 4) {
        const int8x16x4_t loaded = vld1q_s8_x4(from);
        MOTE_UNROLL for (int i = 0; i < 4; ++i) to[i] = loaded.val[i];
    } else if constexpr (Count == 3) {
        const int8x16x3_t loaded = vld1q_s8_x3(from);
        MOTE_UNROLL for (int i = 0; i < 3; ++i) to[i] = loaded.val[i];
    } else if constexpr (Count == 2) {
        const int8x16x2_t loaded = vld1q_s8_x2(from);
        MOTE_UNROLL for (int i = 0; i < 2; ++i) to[i] = loaded.val[i];
    } else {
        to[0] = vld1q_s8(from);
    }
    from += 16 * Count;
}

/// Loads a unit's first sums, in words: for the compiler they are not those of the unit before, from which it would move them.
/// Whole units come in one load, whose registers lie side by side: where they lie is all that is said of them, for GCC 12 moves
/// vectors away from a load that it places itself. (In this order of copies it places its own where they are.)
template <int Unit, int Vectors>
MOTE_ALWAYS_INLINE void load_sums(int32x4_t* to, const char* from) noexcept {
    if constexpr (Vectors == 2 || Unit < 0) {
        MOTE_UNROLL for (int v = 0; v < Vectors; v += 2) {
            __asm__ volatile("ldp %q0, %q1, %2"
                             : "=w"(to[v]), "=w"(to[v + 1])
                             : "Q"(*reinterpret_cast<const int32x4x2_t*>(from + 16 * v)));
        }
        return;
    }
#define MOTE_DETAIL_LOAD_SUMS(unit, a, b, c, d)                                                        \
    if constexpr (Unit == unit) {                                                                      \
        register int32x4_t w __asm__("v" #a), x __asm__("v" #b), y __asm__("v" #c), z __asm__("v" #d); \
        __asm__ volatile("ld1 {v" #a ".4s, v" #b ".4s, v" #c ".4s, v" #d ".4s}, %4"                    \
                         : "=w"(w), "=w"(x), "=w"(y), "=w"(z)                                          \
                         : "Q"(*reinterpret_cast<const int32x4x4_t*>(from)));                          \
        to[3] = z, to[2] = y, to[1] = x, to[0] = w;                                                    \
    }
    MOTE_DETAIL_LOAD_SUMS(0, 8, 9, 10, 11)
    MOTE_DETAIL_LOAD_SUMS(1, 12, 13, 14, 15)
    MOTE_DETAIL_LOAD_SUMS(2, 16, 17, 18, 19)
    MOTE_DETAIL_LOAD_SUMS(3, 20, 21, 22, 23)
    MOTE_DETAIL_LOAD_SUMS(4, 24, 25, 26, 27)
    MOTE_DETAIL_LOAD_SUMS(5, 28, 29, 30, 31)
#undef MOTE_DETAIL_LOAD_SUMS
}

/// The sums of a tile of Units units, and what multiplies 8 taps or 16 of a strip and some panels.
template <int Units, int Vectors, int Panels>
struct StripTile {
    int32x4_t sum[Units][Panels][Vectors];
    const std::int8_t *strip, *weight;
    std::ptrdiff_t panel_stride;

    template <class Visit>
    MOTE_ALWAYS_INLINE void for_each_sum(const Visit& visit) noexcept {
        MOTE_UNROLL for (int u = 0; u < Units; ++u) {
            MOTE_UNROLL for (int i = 0; i < Panels * Vectors; ++i)
                visit(sum[u][i / Vectors][i % Vectors], u * Panels * Vectors + i);
        }
    }
    /// Sums that are the biases.
    template <int Unit = 0>
    MOTE_ALWAYS_INLINE void begin(const char* head) noexcept {
        MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
            load_sums<Panels == 1 && unit_rows == 2 ? Unit : -1, Vectors>(sum[Unit][p], head + p * panel_stride);
        }
        if constexpr (Unit + 1 < Units) begin<Unit + 1>(head);
    }
    /// The next vectors of weights of a panel; those of all panels are taken in order.
    MOTE_ALWAYS_INLINE void weights(int panel, int8x16_t* to) noexcept {
        if constexpr (Panels == 1) {
            take<Vectors>(weight, to);
        } else {
            const std::int8_t* from = weight + panel * panel_stride;
            take<Vectors>(from, to);
            if (panel == Panels - 1) weight += 16 * Vectors;
        }
    }
#if defined(__ARM_FEATURE_DOTPROD)
    /// Multiplies units First ... First + Count - 1.
    template <int First, int Count, int Part = 0>
    MOTE_ALWAYS_INLINE void multiply(int panel, const int8x16_t* a, const int8x16_t* w) noexcept {
        MOTE_UNROLL for (int u = 0; u < Count; ++u) DotI8::unit_dot<Part>(sum[First + u][panel], a[u], w);
        if constexpr (Part + 1 < DotI8::unit_parts) multiply<First, Count, Part + 1>(panel, a, w);
    }
    MOTE_ALWAYS_INLINE void step() noexcept {
        constexpr int now = Units < 4 ? Units : 4;
        int8x16_t a[4], w[4];
        take<now>(strip, a);
        MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
            weights(p, w);
            multiply<0, now>(p, a, w);
        }
        if constexpr (Units > now) {
            static_assert(Panels == 1);
            take<Units - now>(strip, a);
            multiply<now, Units - now>(0, a, w);
        }
    }
    MOTE_ALWAYS_INLINE void two_steps() noexcept {
        if constexpr (Units == 6) {
            int8x16_t a[4], w[4];
            weights(0, w);
            take<4>(strip, a);
            multiply<0, 4>(0, a, w);
            take<4>(strip, a);
            multiply<4, 2>(0, a, w);
            weights(0, w);
            multiply<0, 2>(0, a + 2, w);
            take<4>(strip, a);
            multiply<2, 4>(0, a, w);
        } else {
            step();
            step();
        }
    }
#else
    MOTE_ALWAYS_INLINE void step() noexcept {
        MOTE_UNROLL for (int h = 0; h < 2; ++h) {
            const std::int8_t* begin = strip;
            MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
                int8x16_t w[Vectors];
                weights(p, w);
                strip = begin;
                MOTE_UNROLL for (int u = 0; u < Units; u += 2) {
                    int8x16_t a[2];
                    if (u + 1 < Units) {
                        take<2>(strip, a);
                    } else {
                        take<1>(strip, a);
                    }
                    MOTE_UNROLL for (int i = 0; i < 2; ++i) {
                        MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
                            if (u + i >= Units) continue;
                            sum[u + i][p][v] = DotI8::dot(sum[u + i][p][v], a[i], w[v]);
                        }
                    }
                }
            }
        }
    }
    MOTE_ALWAYS_INLINE void two_steps() noexcept {
        step();
        step();
    }
#endif
};

/// Writes the rows of a unit's bytes, or the first alone, and moves on to the next.
template <int Vectors>
MOTE_ALWAYS_INLINE void store_unit(std::int8_t*& to, int8x16_t bytes, std::ptrdiff_t stride, bool second) noexcept {
    if constexpr (unit_rows == 1 && Vectors == 4) {
        __asm__ volatile("st1 {%1.16b}, [%0], %2" : "+r"(to) : "w"(bytes), "r"(stride) : "memory");
    } else {
        __asm__ volatile("st1 {%1.d}[0], [%0], %2" : "+r"(to) : "w"(bytes), "r"(stride) : "memory");
        if (unit_rows == 1 || !second) return;
        __asm__ volatile("st1 {%1.d}[1], [%0], %2" : "+r"(to) : "w"(bytes), "r"(stride) : "memory");
    }
}

/// Strips of Rows rows, each by `Panels` panels of units of `Vectors` vectors at once.
template <int Rows, int Vectors, int Panels>
void run_strips(StripBlock& block, const FinishStrips& finish) noexcept {
    constexpr int units = (Rows + unit_rows - 1) / unit_rows;
    constexpr std::ptrdiff_t channels = Vectors * 4 / unit_rows;  // of a panel
    std::int8_t some[units * 16];
    do {
        const std::ptrdiff_t left = finish.channels - block.channel;
        // Whether bytes go straight to the output.
        const bool whole = finish.residual == nullptr && left >= Panels * channels && block.rows == Rows;
        std::int8_t* to = whole ? finish.output + block.row * finish.stride + block.channel : some;
        const std::ptrdiff_t stride = whole ? finish.stride : row_bytes;
        StripTile<units, Vectors, Panels> tile;
        tile.strip = block.strips;
        tile.panel_stride = block.panel_stride;
        // Copies, which no output overwrites, as the compiler sees.
        const char* head = block.head;
        const std::int8_t* weight = block.weight;
        const std::uint32_t rounds = block.rounds, steps = block.steps;
        const bool first = block.first, alone = first && block.last, clamps = finish.clamps;
        std::int32_t *sums = block.sums, *next_sums = sums;
        std::uint32_t count = block.count;
        do {
            if (first) {
                tile.begin(head);
            } else {
                tile.for_each_sum([&](int32x4_t & sum, int i)
                                      __attribute__((always_inline)) { sum = vld1q_s32(sums + 4 * i); });
                sums += units * Panels * Vectors * 4;
            }
            tile.weight = weight;
            for (std::uint32_t n = rounds; n > 0; --n) {
                MOTE_UNROLL for (int i = 0; i < 4; ++i) tile.two_steps();
            }
            for (std::uint32_t n = steps; n > 0; --n) tile.step();
            if (!alone) {
                tile.strip += block.skipped;
                if (!block.last) {
                    tile.for_each_sum([&](int32x4_t & sum, int i)
                                          __attribute__((always_inline)) { vst1q_s32(next_sums + 4 * i, sum); });
                    next_sums += units * Panels * Vectors * 4;
                    continue;
                }
            }
            MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
                int8x16_t multiplier[Vectors];
                const auto* multipliers = reinterpret_cast<const std::int8_t*>(head + p * tile.panel_stride + Vectors * 16);
                take<Vectors>(multipliers, multiplier);
                int8x16_t q[units];
                MOTE_UNROLL for (int u = 0; u < units; ++u) q[u] = finish.bytes<Vectors>(tile.sum[u][p], multiplier);
                const auto store = [&](const auto& clamped) __attribute__((always_inline)) {
                    MOTE_UNROLL for (int u = 0; u < units; ++u)
                        store_unit<Vectors>(to, clamped(q[u]), stride, u * unit_rows + 1 < Rows);
                };
                if (clamps) {
                    const int8x16_t lo = finish.lo, hi = finish.hi;
                    store([&](int8x16_t x) { return vminq_s8(vmaxq_s8(x, lo), hi); });
                } else {
                    store([](int8x16_t x) { return x; });
                }
                if (!whole) {
                    std::uint32_t still = count;
                    MOTE_OPAQUE(still);  // else GCC counts rows beside it
                    const std::ptrdiff_t row = block.row + std::ptrdiff_t{block.count - still} * Rows;
                    finish.store_some(some, block.rows, row, block.channel + p * channels, left - p * channels);
                    to = some;
                } else if (Panels > 1) {
                    to += channels - Rows * stride;
                }
            }
        } while (--count != 0);
        block.weight += Panels * tile.panel_stride;
        block.head += Panels * tile.panel_stride;
        block.channel += Panels * channels;
    } while ((block.panels -= Panels) > 0);
}

using StripsFunction = void (*)(StripBlock&, const FinishStrips&) noexcept;

/// For at least `rows` rows.
template <int Rows>
StripsFunction strips_function(bool full, std::ptrdiff_t rows) noexcept {
    if constexpr (Rows > 1) {
        constexpr int fewer = Rows > 2 ? Rows - unit_rows : 1;
        if (rows <= fewer) return strips_function<fewer>(full, rows);
    }
    return full ? run_strips<Rows, 4, 1> : run_strips<Rows, half, 1>;
}

/// multiply() of tile.hpp: the rows' windows lie in pieces of piece.steps taps each. `strips` has room for strips_bytes() of
/// the rows, `line` for strip_rows times panels.steps steps.
template <class Lazy = void>
void multiply_strips(const std::int8_t* const* rows, std::ptrdiff_t count, const Runs& pieces, const Panels<DotI8>& panels,
                     IndexRange range, std::int32_t* sums, std::int8_t* strips, std::int8_t* line, const FinishStrips& finish,
                     std::ptrdiff_t first_row) noexcept {
    const std::ptrdiff_t all = panels.steps * DotI8::group;
    const bool direct = pieces.steps % DotI8::strip_taps == 0;
    std::int8_t* to = strips;
    for (std::ptrdiff_t r = 0; r < count; r += strip_rows) {
        const std::ptrdiff_t some = least(count - r, strip_rows);
        if (direct) {
            for (std::ptrdiff_t i = 0; i < pieces.count; ++i)
                to = pack_strip(rows + r, some, pieces.offsets[i], pieces.steps, to);
        } else {
            const std::int8_t* lines[strip_rows];
            for (std::ptrdiff_t i = 0; i < some; ++i) {
                std::int8_t* at = line + i * all;
                lines[i] = at;
                const std::int8_t* end = at + all;
                for (std::ptrdiff_t piece = 0; piece < pieces.count; ++piece) {
                    const std::int8_t* from = rows[r + i] + pieces.offsets[piece];
                    std::ptrdiff_t taps = pieces.steps;
                    for (; taps >= 8; taps -= 8, at += 8, from += 8)
                        simd::detail::write(at, simd::detail::read<std::uint64_t>(from));
                    simd::detail::write_bytes(at, simd::detail::read_bytes(from, taps), taps);
                    at += taps;
                }
                while (at < end) *at++ = 0;
            }
            to = pack_strip(lines, some, 0, all, to);
        }
    }
    // A block of steps keeps the sums of one panel; where there is one block alone, all full panels are taken at once.
    constexpr std::ptrdiff_t most_taps = 4 * steps_in_cache;
    const std::ptrdiff_t blocks = all > most_taps ? ceil_div(all, most_taps) : 1;
    const std::ptrdiff_t block_taps = ceil_div(ceil_div(all, blocks), DotI8::strip_taps) * DotI8::strip_taps;
    const std::ptrdiff_t whole = count / strip_rows, rest = count % strip_rows;
    // One row alone leaves registers to more panels, so that additions do not wait for one another.
    constexpr int together = 2 * unit_rows;
    for (std::ptrdiff_t panel = range.begin, taken = 1; panel < range.end; panel += taken) {
        const std::ptrdiff_t vectors = panels.vectors(panel);
        const bool full = vectors == DotI8::panel_vectors;
        const bool wide =
            count == 1 && range.end - panel >= together && panels.vectors(panel + together - 1) == DotI8::panel_vectors;
        taken = wide ? together : 1;
        if (blocks == 1) {
            taken = range.end - panel;
            if (taken > 1 && panels.vectors(range.end - 1) < DotI8::panel_vectors) --taken;
            if (wide) taken = taken / together * together;
        }
        const char* head = panels.at(panel);
        const auto* weight =
            reinterpret_cast<const std::int8_t*>(head + vectors * lanes32 * Panels<DotI8>::head_bytes_of_channel);
        for (std::ptrdiff_t from = 0; from < all; from += block_taps) {
            const std::ptrdiff_t taps = least(block_taps, all - from);
            const auto run = [&](StripsFunction function, std::ptrdiff_t strip_count, std::ptrdiff_t of_strip,
                                 std::ptrdiff_t done) {
                StripBlock block;
                block.strips = strips + DotI8::strips_bytes(done, all) + DotI8::strips_bytes(of_strip, from);
                block.count = static_cast<std::uint32_t>(strip_count);
                block.rows = of_strip;
                block.weight = weight + from * vectors * lanes32;
                block.head = head;
                block.panels = taken;
                block.panel_stride = panels.stride();
                block.rounds = static_cast<std::uint32_t>(taps / 64);
                block.steps = static_cast<std::uint32_t>(taps % 64 / 8);
                block.skipped = DotI8::strips_bytes(of_strip, all - taps);
                block.sums = sums + done * panel_channels;
                block.first = from == 0;
                block.last = from + taps == all;
                block.row = first_row + done;
                block.channel = panel * panels.most_channels;
                function(block, finish);
            };
            if (whole > 0) run(strips_function<strip_rows>(full, strip_rows), whole, strip_rows, 0);
            if (rest > 0) {
                run(wide ? run_strips<1, 4, together> : strips_function<strip_rows>(full, rest), 1, rest, whole * strip_rows);
            }
        }
    }
}

}  // namespace tiles

MOTE_END_KERNELS

#endif
