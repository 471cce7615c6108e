// SPDX-License-Identifier: MIT
#pragma once
// Rows of bytes times packed panels on NEON (compare kernels/detail/tile.hpp, whose panels these are). Rows are first packed in
// strips of six, in the order in which a tile multiplies them, so that one load brings up to four vectors of them:
//   SDOT, I8MM  [8 taps][pair of rows][row][8 taps]
//   else        [4 taps][row][16], the first two taps four times, then the other two
// A tile keeps 24 vectors of sums and has 8 registers for what it multiplies. With I8MM a vector of sums is of two rows and two
// channels, and becomes rows again when its lanes are bytes.

#include <mote/kernels/detail/tile.hpp>

#if defined(MOTE_NEON)

MOTE_BEGIN_KERNELS

namespace tiles {

using simd::DotI8;
constexpr int strip_rows = DotI8::strip_rows;
constexpr int sums_rows = DotI8::sums_rows;
constexpr std::ptrdiff_t strip_copies = DotI8::strip_copies;

/// Writes `taps` taps of each of Rows rows, from `offset` on; returns the end. taps % 8 == 0.
template <int Rows>
std::int8_t* pack_strip(const std::int8_t* const* rows, std::ptrdiff_t offset, std::ptrdiff_t taps, std::int8_t* to) noexcept {
    constexpr int packed = strip_copies > 1 ? Rows : (Rows + 1) / 2 * 2;
    const std::int8_t* at[packed];
    MOTE_UNROLL for (int r = 0; r < packed; ++r) at[r] = rows[r < Rows ? r : Rows - 1] + offset;
    if constexpr (strip_copies == 1) {
        const auto take = [&](auto word) __attribute__((always_inline)) {
            using Word = decltype(word);
            constexpr int pieces = sizeof(Word) / 8;
            MOTE_UNROLL for (int r = 0; r < packed; r += 2) {
                const auto a = simd::detail::read<Word>(at[r]), b = simd::detail::read<Word>(at[r + 1]);
                MOTE_UNROLL for (int i = 0; i < pieces; ++i) {
                    std::uint64_t* pair = reinterpret_cast<std::uint64_t*>(to + (i * packed + r) * 8);
                    pair[0] = a.taps[i];
                    pair[1] = b.taps[i];
                }
                at[r] += sizeof(Word);
                at[r + 1] += sizeof(Word);
            }
            to += pieces * packed * 8;
        };
        struct Two {
            std::uint64_t taps[2];
        };
        struct One {
            std::uint64_t taps[1];
        };
        for (; taps >= 64; taps -= 64) {
            MOTE_UNROLL for (int i = 0; i < 4; ++i) take(Two{});
        }
        for (; taps >= 16; taps -= 16) take(Two{});
        if (taps > 0) take(One{});
    } else {
        const int8x16_t first = {0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3}, four = vdupq_n_s8(4);
        const int8x16_t second = first + four, third = second + four, fourth = third + four;
        const uint8x16_t from[] = {vreinterpretq_u8_s8(first), vreinterpretq_u8_s8(second), vreinterpretq_u8_s8(third),
                                   vreinterpretq_u8_s8(fourth)};
        for (; taps >= 16; taps -= 16, to += packed * 64) {
            MOTE_UNROLL for (int r = 0; r < packed; ++r) {
                const int8x16_t some = vld1q_s8(at[r]);
                at[r] += 16;
                MOTE_UNROLL for (int i = 0; i < 4; ++i) vst1q_s8(to + (i * packed + r) * 16, vqtbl1q_s8(some, from[i]));
            }
        }
        if (taps > 0) {
            MOTE_UNROLL for (int r = 0; r < packed; ++r) {
                const int8x16_t some = vcombine_s8(vld1_s8(at[r]), vdup_n_s8(0));
                MOTE_UNROLL for (int i = 0; i < 2; ++i) vst1q_s8(to + (i * packed + r) * 16, vqtbl1q_s8(some, from[i]));
            }
            to += packed * 32;
        }
    }
    return to;
}

/// RequantizeI8 of sums that began at the bias, with a residual AddI8.
struct FinishStrips {
    int16x8_t zero_point;
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
    /// Of two or four vectors of sums, before they are clamped; two give their bytes twice.
    template <int Vectors>
    MOTE_ALWAYS_INLINE int8x16_t bytes(const int32x4_t* sum, const float* multiplier) const noexcept {
        int32x4_t q[4];
        MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
            q[v] = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(sum[v]), vld1q_f32(multiplier + 4 * v)));
        }
        if constexpr (Vectors == 2) q[2] = q[0], q[3] = q[1];
        const int16x8_t a = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(q[0]), q[1]), zero_point);
        const int16x8_t b = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(q[2]), q[3]), zero_point);
        return vqmovn_high_s16(vqmovn_s16(a), b);
    }
    /// Rows of 16 bytes, of which the first `count` are there: from `row` and `channel` on, with the residual.
    __attribute__((noinline)) void store_some(const std::int8_t* bytes, int rows, std::ptrdiff_t row, std::ptrdiff_t channel,
                                              std::ptrdiff_t count) const noexcept {
        const auto write = [&](const auto& value) __attribute__((always_inline)) {
            for (std::ptrdiff_t at = row * stride + channel; rows > 0; --rows, at += stride, bytes += 16) {
                for (std::ptrdiff_t c = 0; c < 16 && c < count; c += 8) {
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

/// What all strips of a block of steps share.
struct StripBlock {
    const std::int8_t* weight = nullptr;  ///< of the first panel
    const char* head = nullptr;           ///< of the first panel
    std::ptrdiff_t panel_stride = 0;
    std::ptrdiff_t taps = 0;        ///< of the block
    std::ptrdiff_t strip_taps = 0;  ///< of a whole strip
    bool first = false, last = false;
};

/// Multiplies 8 taps of the strip and of a panel, and moves on.
template <int Rows, int Vectors, int Panels, int Columns>
MOTE_ALWAYS_INLINE void multiply_step(int32x4_t (&sum)[(Rows + sums_rows - 1) / sums_rows][Columns], const std::int8_t*& strip,
                                      const std::int8_t*& weight, std::ptrdiff_t panel_stride) noexcept {
    // Loads the next Vectors vectors of a panel.
    const auto weights = [&](int panel, int8x16_t(&w)[Vectors]) __attribute__((always_inline)) {
        const std::int8_t* from = weight + panel * panel_stride;
        if constexpr (Vectors == 4) {
            const int8x16x4_t loaded = vld1q_s8_x4(from);
            MOTE_UNROLL for (int v = 0; v < 4; ++v) w[v] = loaded.val[v];
        } else {
            const int8x16x2_t loaded = vld1q_s8_x2(from);
            MOTE_UNROLL for (int v = 0; v < 2; ++v) w[v] = loaded.val[v];
        }
    };
#if defined(__ARM_FEATURE_DOTPROD)
    constexpr int pairs = (Rows + 1) / 2;
    int8x16_t a[3];
    MOTE_IN_ORDER(strip);
    if constexpr (pairs == 3) {
        const int8x16x3_t loaded = vld1q_s8_x3(strip);
        MOTE_UNROLL for (int i = 0; i < 3; ++i) a[i] = loaded.val[i];
    } else {
        MOTE_UNROLL for (int i = 0; i < pairs; ++i) a[i] = vld1q_s8(strip + 16 * i);
    }
    strip += 16 * pairs;
    const auto half = [&](auto number) __attribute__((always_inline)) {
        constexpr int h = decltype(number)::value;
        MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
            int8x16_t w[Vectors];
            MOTE_IN_ORDER(weight);
            weights(p, w);
            MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
#if defined(__ARM_FEATURE_MATMUL_INT8)
                MOTE_UNROLL for (int i = 0; i < pairs; ++i) {
                    auto& to = sum[i][(2 * p + h) * Vectors + v];
                    to = DotI8::dot(to, a[i], w[v]);
                }
#else
                MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
                    auto& to = sum[r][p * Vectors + v];
                    to = r % 2 == 0 ? DotI8::dot<h>(to, a[r / 2], w[v]) : DotI8::dot<2 + h>(to, a[r / 2], w[v]);
                }
#endif
            }
        }
        weight += 16 * Vectors;
    };
    half(std::integral_constant<int, 0>{});
    half(std::integral_constant<int, 1>{});
#else
    MOTE_UNROLL for (int h = 0; h < 2; ++h) {
        MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
            int8x16_t w[Vectors];
            MOTE_IN_ORDER(weight);
            weights(p, w);
            const std::int8_t* at = strip;
            MOTE_UNROLL for (int r = 0; r < Rows; r += 2) {
                int8x16_t a[2];
                MOTE_IN_ORDER(at);
                if (r + 1 < Rows) {
                    const int8x16x2_t loaded = vld1q_s8_x2(at);
                    a[0] = loaded.val[0], a[1] = loaded.val[1];
                    at += 32;
                } else {
                    a[0] = vld1q_s8(at);
                    at += 16;
                }
                MOTE_UNROLL for (int i = 0; i < 2; ++i) {
                    MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
                        if (r + i >= Rows) continue;
                        auto& to = sum[r + i][p * Vectors + v];
                        to = DotI8::dot(to, a[i], w[v]);
                    }
                }
            }
            if (p == Panels - 1) strip = at;
        }
        weight += 16 * Vectors;
    }
#endif
}

/// `count` strips of Rows rows by one panel of Vectors vectors of channels, or one strip by Panels panels. `row` and `channel`
/// are the places of the first outputs.
template <int Rows, int Vectors, int Panels>
void run_strips(std::ptrdiff_t count, const std::int8_t* strips, const StripBlock& shared, std::int32_t* sums,
                const FinishStrips& shared_finish, std::ptrdiff_t row, std::ptrdiff_t channel) noexcept {
    constexpr int columns = Vectors * sums_rows * Panels, units = (Rows + sums_rows - 1) / sums_rows;
    constexpr std::ptrdiff_t multipliers = Vectors * sums_rows * 4;  // behind as many biases
    constexpr int unroll = Rows == strip_rows && Vectors == 4 && strip_copies == 1 ? 8 : 4;
    const StripBlock block = shared;
    const FinishStrips finish = shared_finish;
    const auto left = [&](int p) { return least(finish.channels - channel - p * panel_channels, 4 * Vectors); };
    bool whole[Panels];  // panels whose bytes go straight to the output
    MOTE_UNROLL for (int p = 0; p < Panels; ++p) whole[p] = finish.residual == nullptr && left(p) == 4 * Vectors;
    std::int8_t* output = finish.output + row * finish.stride + channel;
    for (; count > 0; --count, strips += DotI8::strips_bytes(Rows, block.strip_taps), row += Rows,
                      output += Rows * finish.stride, sums += strip_rows * panel_channels) {
        int32x4_t sum[units][columns];
        MOTE_UNROLL for (int u = 0; u < units; ++u) {
            const char* head = block.first ? block.head : reinterpret_cast<const char*>(sums + u * columns * 4);
            const std::ptrdiff_t stride = block.first ? block.panel_stride : columns / Panels * 16;
            MOTE_OPAQUE(head);  // a load costs what a move from the row before costs, or less
            MOTE_UNROLL for (int c = 0; c < columns; ++c) {
                const auto* from = reinterpret_cast<const std::int32_t*>(head + c / (columns / Panels) * stride);
                sum[u][c] = vld1q_s32(from + c % (columns / Panels) * 4);
            }
        }
        const std::int8_t *strip = strips, *weight = block.weight;
        for (std::ptrdiff_t n = block.taps / (8 * unroll); n > 0; --n) {
            MOTE_UNROLL for (int i = 0; i < unroll; ++i) {
                multiply_step<Rows, Vectors, Panels>(sum, strip, weight, block.panel_stride);
            }
        }
        for (std::ptrdiff_t n = block.taps % (8 * unroll) / 8; n > 0; --n) {
            multiply_step<Rows, Vectors, Panels>(sum, strip, weight, block.panel_stride);
        }
        if (!block.last) {
            MOTE_UNROLL for (int u = 0; u < units; ++u) {
                MOTE_UNROLL for (int c = 0; c < columns; ++c) vst1q_s32(sums + (u * columns + c) * 4, sum[u][c]);
            }
            continue;
        }
        MOTE_UNROLL for (int p = 0; p < Panels; ++p) {
            const auto* multiplier = reinterpret_cast<const float*>(block.head + p * block.panel_stride) + multipliers;
            std::int8_t some[Rows * 16];
            std::int8_t* to = whole[p] ? output + p * panel_channels : some;
            const std::ptrdiff_t stride = whole[p] ? finish.stride : 16;
            int8x16_t q[units * sums_rows];  // all before the first is stored, which multipliers might overlap for the compiler
            MOTE_UNROLL for (int u = 0; u < units; ++u) {
                const int32x4_t* of_panel = &sum[u][p * (columns / Panels)];
                if constexpr (sums_rows == 2) {  // 2 channels of one row, then of the other
                    const int16x8_t a = vreinterpretq_s16_s8(finish.bytes<4>(of_panel, multiplier));
                    int16x8_t b = a;
                    if constexpr (Vectors == 4) b = vreinterpretq_s16_s8(finish.bytes<4>(of_panel + 4, multiplier + 16));
                    q[2 * u] = vreinterpretq_s8_s16(vuzp1q_s16(a, b));
                    q[2 * u + 1] = vreinterpretq_s8_s16(vuzp2q_s16(a, b));
                } else {
                    q[u] = finish.bytes<Vectors>(of_panel, multiplier);
                }
            }
            if (finish.clamps) {
                MOTE_UNROLL for (int r = 0; r < Rows; ++r) q[r] = vminq_s8(vmaxq_s8(q[r], finish.lo), finish.hi);
            }
            MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
                if constexpr (Vectors == 4) {
                    vst1q_s8(to, q[r]);
                } else {
                    vst1_s8(to, vget_low_s8(q[r]));
                }
                to += stride;
            }
            if (!whole[p]) finish.store_some(some, Rows, row, channel + p * panel_channels, left(p));
        }
    }
}

using StripsFunction = void (*)(std::ptrdiff_t, const std::int8_t*, const StripBlock&, std::int32_t*, const FinishStrips&,
                                std::ptrdiff_t, std::ptrdiff_t) noexcept;
using PackFunction = std::int8_t* (*)(const std::int8_t* const*, std::ptrdiff_t, std::ptrdiff_t, std::int8_t*) noexcept;

template <int Vectors, int Rows = strip_rows>
StripsFunction strips_function(std::ptrdiff_t rows) noexcept {
    if constexpr (Rows > 1) {
        if (rows < Rows) return strips_function<Vectors, Rows - 1>(rows);
    }
    return run_strips<Rows, Vectors, 1>;
}
template <int Rows = strip_rows>
PackFunction pack_function(std::ptrdiff_t rows) noexcept {
    if constexpr (Rows > 1) {
        if (rows < Rows) return pack_function<Rows - 1>(rows);
    }
    return pack_strip<Rows>;
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
        const PackFunction pack = pack_function(some);
        if (direct) {
            for (std::ptrdiff_t i = 0; i < pieces.count; ++i) to = pack(rows + r, pieces.offsets[i], pieces.steps, to);
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
            to = pack(lines, 0, all, to);
        }
    }
    constexpr std::ptrdiff_t most_taps = 4 * steps_in_cache;
    const std::ptrdiff_t blocks = all > most_taps ? ceil_div(all, most_taps) : 1;
    const std::ptrdiff_t block_taps = ceil_div(ceil_div(all, blocks), DotI8::strip_taps) * DotI8::strip_taps;
    const std::ptrdiff_t whole = count / strip_rows, rest = count % strip_rows;
    std::ptrdiff_t taken = 1;
    for (std::ptrdiff_t panel = range.begin; panel < range.end; panel += taken) {
        const std::ptrdiff_t vectors = panels.vectors(panel);
        // One row alone leaves registers to more panels, so that additions do not wait for one another.
        const bool full = vectors == simd::tile_vectors;
        taken = count == 1 && range.end - panel >= 2 && panels.vectors(panel + 1) == simd::tile_vectors ? 2 : 1;
        StripBlock block;
        block.head = panels.at(panel);
        block.panel_stride = panels.stride();
        block.strip_taps = all;
        const auto* weight =
            reinterpret_cast<const std::int8_t*>(block.head + vectors * lanes32 * Panels<DotI8>::head_bytes_of_channel);
        for (std::ptrdiff_t from = 0; from < all; from += block_taps) {
            block.weight = weight + from * vectors * lanes32;
            block.taps = least(block_taps, all - from);
            block.first = from == 0;
            block.last = from + block.taps == all;
            const std::ptrdiff_t channel = panel * panel_channels;
            const auto run = full ? run_strips<strip_rows, simd::tile_vectors, 1> : run_strips<strip_rows, half_vectors, 1>;
            run(whole, strips + DotI8::strips_bytes(strip_rows, from), block, sums, finish, first_row, channel);
            if (rest > 0) {
                const auto last = taken == 2 ? run_strips<1, simd::tile_vectors, 2>
                                  : full     ? strips_function<simd::tile_vectors>(rest)
                                             : strips_function<half_vectors>(rest);
                last(1, strips + whole * DotI8::strips_bytes(strip_rows, all) + DotI8::strips_bytes(rest, from), block,
                     sums + whole * strip_rows * panel_channels, finish, first_row + whole * strip_rows, channel);
            }
        }
    }
}

}  // namespace tiles

MOTE_END_KERNELS

#endif
