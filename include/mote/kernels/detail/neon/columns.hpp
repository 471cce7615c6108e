// SPDX-License-Identifier: MIT
#pragma once
// Depthwise convolution of bytes, of windows of 3 columns whose rows a dot product of four takes: numbers are walked from pixel
// to pixel of a row (kernels/depthwise_bytes.hpp has the words, packs the weights and copies the rows of the image).
//
// First the four rows of 16 numbers are interleaved, at all pixels of the row: as simd::byte_taps() has them, with SDOT by one
// ST4. Then a walk loads each column of taps once and multiplies it by all weights that meet it, those of the three outputs
// that it reaches (stride 2: one or two). A tile has four vectors of sums, of 8 numbers of two rows of outputs or 16 of one,
// and three outputs are in flight: 12 sums, 12 weights, 2 taps and 2 multipliers leave what the zero point and the clamp need.
// Sums do not move: there is code for three pixels, which take turns.
//
// Instructions for a tile's output, 144 multiplications of a 3x3 window: 1 load of taps, 12 SDOT, 1 load of four biases, 12 for
// int32 to float, times multiplier and back, 6 that narrow, 2 that add the zero point, 2 stores, 2/3 for the loop; to
// interleave, half of 4 loads and ST4; to copy, 1/2. That is 40, or 0.28 a multiplication; a clamp that is not that of bytes
// takes 2 more.
//
// Without SDOT three instructions of 8 lanes stand in for one, and 4 zips for ST4's interleaving: 66, or 0.46. Not 0.30: of
// nine taps eight could be two such threes for four numbers, and the ninth three more for eight, 30 a tile; with 20 that make
// bytes of sums and 2 stores it is 0.36 before anything is loaded or interleaved, and that would take all registers.

#include <mote/kernels/detail/neon/strips.hpp>
#include <mote/kernels/requantize_simd.hpp>
#include <mote/simd/byte_taps.hpp>

#if defined(MOTE_NEON) && defined(MOTE_BYTE_TAPS)

MOTE_BEGIN_KERNELS

namespace depthwise_bytes {

/// What a walk reads and where it writes.
struct Walk {
    const std::int8_t* const* row;  ///< four rows of the image, padding beside them
    std::ptrdiff_t even, odd;       ///< from the row to the first pixel that a window's first column has, and to its second
    std::ptrdiff_t stride;          ///< numbers from pixel to pixel of a row
    std::ptrdiff_t channels;        ///< numbers of an output's pixel
    std::ptrdiff_t width;           ///< of outputs
    std::int8_t* taps;              ///< scratch, 64 bytes for every pixel of the row that is read
    const char* phase;              ///< packed
    std::ptrdiff_t phase_bytes;
    std::int8_t *first, *second;  ///< rows of outputs; if the second is the first, only that is wanted
};

/// Interleaves 16 numbers of four rows at `count` pixels.
MOTE_ALWAYS_INLINE void interleave(const std::int8_t* const* row, std::ptrdiff_t offset, std::ptrdiff_t stride,
                                   std::ptrdiff_t count, std::int8_t* to) noexcept {
    const std::int8_t *a = row[0] + offset, *b = row[1] + offset, *c = row[2] + offset, *d = row[3] + offset;
    const auto pixel = [&]() __attribute__((always_inline)) {
        __asm__ volatile(
            "ld1 {v0.16b}, [%0], %5\n\tld1 {v1.16b}, [%1], %5\n\tld1 {v2.16b}, [%2], %5\n\tld1 {v3.16b}, [%3], %5\n\t"
#if defined(__ARM_FEATURE_DOTPROD)
            "st4 {v0.16b, v1.16b, v2.16b, v3.16b}, [%4], #64"
#else
            "zip1 v4.16b, v0.16b, v1.16b\n\tzip1 v5.16b, v2.16b, v3.16b\n\tzip2 v6.16b, v0.16b, v1.16b\n\t"
            "zip2 v7.16b, v2.16b, v3.16b\n\tst1 {v4.16b, v5.16b, v6.16b, v7.16b}, [%4], #64"
#endif
            : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(to)
            : "r"(stride)
            : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "memory");
    };
    for (std::ptrdiff_t n = count / 8; n > 0; --n) {
        MOTE_UNROLL for (int i = 0; i < 8; ++i) pixel();
    }
    for (std::ptrdiff_t n = count % 8; n > 0; --n) pixel();
}

/// The numbers from `number` on, 8 of two rows or 16 of one; Whole: all of them are of the pixel.
template <int Rows, int Stride, bool Clamps, bool Whole>
struct ColumnTile {
    static constexpr int vectors = 4 / Rows, live = Stride == 1 ? 3 : 2;
    static constexpr std::ptrdiff_t numbers = 16 / Rows;
    int8x16_t weight[3][4];
    int32x4_t sum[live][4];
    simd::F32 multiplier[vectors];
    const char* start;  ///< biases of the four vectors
    const std::int8_t *even, *odd;
    std::int8_t *first, *second;
    std::ptrdiff_t channels, some;
    RequantizeLanes requantize;

    MOTE_ALWAYS_INLINE ColumnTile(const Walk& walk, std::ptrdiff_t number, const RequantizeLanes& shared,
                                  std::int32_t* biases) noexcept
        : start(reinterpret_cast<const char*>(biases)),
          channels(walk.channels),
          some(walk.channels - number),
          requantize(shared) {
        const std::ptrdiff_t place = number & 15;
        const auto* bias = reinterpret_cast<const std::int32_t*>(walk.phase) + place;
        const auto* multipliers = reinterpret_cast<const float*>(walk.phase) + 16 + place;
        const auto* weights = reinterpret_cast<const std::int8_t*>(walk.phase) + 128 + place * 4;
        int32x4_t first_sums[vectors];
        MOTE_UNROLL for (int i = 0; i < vectors; ++i) first_sums[i] = vld1q_s32(bias + 4 * i);
        MOTE_UNROLL for (int i = 0; i < 4; ++i) vst1q_s32(biases + 4 * i, first_sums[i % vectors]);
        MOTE_UNROLL for (int i = 0; i < 12; ++i) {
            weight[i / 4][i % 4] = vld1q_s8(weights + 64 * (i / vectors) + 16 * (i % vectors));
        }
        MOTE_UNROLL for (int i = 0; i < 12; ++i) MOTE_OPAQUE_VECTOR(weight[i / 4][i % 4]);  // else GCC loads it again
        MOTE_UNROLL for (int i = 0; i < vectors; ++i) multiplier[i] = simd::load(multipliers + 4 * i);
        even = walk.taps + 4 * place;
        odd = even + 64 * (walk.width + 1);
        first = walk.first + number;
        second = walk.second + number;
    }
    template <int Slot>
    MOTE_ALWAYS_INLINE void begin() noexcept {
        tiles::load_sums<Slot, 4>(sum[Slot], start);
    }
    MOTE_ALWAYS_INLINE void take(const std::int8_t*& from, int8x16_t* tap) noexcept {
        if constexpr (Rows == 2) {
            __asm__ volatile("ldp %q0, %q1, [%2], #64" : "=w"(tap[0]), "=w"(tap[1]), "+r"(from) : : "memory");
        } else {
            __asm__ volatile("ldp %q0, %q1, [%4], #32\n\tldp %q2, %q3, [%4], #32"
                             : "=&w"(tap[0]), "=&w"(tap[1]), "=&w"(tap[2]), "=&w"(tap[3]), "+r"(from)
                             :
                             : "memory");
        }
    }
    MOTE_ALWAYS_INLINE void add(int slot, const int8x16_t* tap, int kx) noexcept {
        MOTE_UNROLL for (int i = 0; i < 4; ++i) {
            sum[slot][i] = simd::add_taps(sum[slot][i], tap, weight[kx] + i / vectors * vectors, i % vectors);
        }
    }
    /// The columns before those that complete an output.
    MOTE_ALWAYS_INLINE void before() noexcept {
        int8x16_t tap[vectors];
        begin<0>();
        take(even, tap);
        add(0, tap, 0);
        if constexpr (Stride == 1) {
            begin<1>();
            take(even, tap);
            add(0, tap, 1);
            add(1, tap, 0);
        }
    }
    /// The columns that complete the output in a slot.
    template <int Slot>
    MOTE_ALWAYS_INLINE void step() noexcept {
        constexpr int next = (Slot + 1) % live, last = (Slot + live - 1) % live;
        int8x16_t tap[vectors];
        if constexpr (Stride == 2) {
            take(odd, tap);
            add(Slot, tap, 1);
        }
        begin<last>();
        take(even, tap);
        add(Slot, tap, 2);
        if constexpr (Stride == 1) add(next, tap, 1);
        add(last, tap, 0);
        store(requantize.template bytes<Clamps>({sum[Slot][0], sum[Slot][1]}, {sum[Slot][2], sum[Slot][3]}, multiplier[0],
                                                multiplier[1], multiplier[2 % vectors], multiplier[3 % vectors]));
    }
    MOTE_ALWAYS_INLINE void store(simd::I8 bytes) noexcept {
        const int8x16_t q = bytes;
        if constexpr (Rows == 1) {
            if (Whole) {
                vst1q_s8(first, q);
            } else {
                simd::store(first, bytes, some);
            }
            first += channels;
        } else if (Whole) {
            __asm__ volatile("st1 {%1.d}[1], [%0], %2" : "+r"(second) : "w"(q), "r"(channels) : "memory");
            __asm__ volatile("st1 {%1.d}[0], [%0], %2" : "+r"(first) : "w"(q), "r"(channels) : "memory");
        } else {
            simd::detail::write_bytes(second, vgetq_lane_u64(vreinterpretq_u64_s8(q), 1), some);
            simd::detail::write_bytes(first, vgetq_lane_u64(vreinterpretq_u64_s8(q), 0), some);
            second += channels, first += channels;
        }
    }
};

template <int Rows, int Stride, bool Clamps, bool Whole>
void walk_numbers(const Walk& walk, std::ptrdiff_t number, const RequantizeLanes& requantize) noexcept {
    std::int32_t biases[16];
    ColumnTile<Rows, Stride, Clamps, Whole> tile(walk, number, requantize, biases);
    tile.before();
    std::ptrdiff_t width = walk.width;
    for (std::ptrdiff_t rounds = width / tile.live; rounds != 0; --rounds, width -= tile.live) {
        tile.template step<0>();
        tile.template step<1>();
        if constexpr (Stride == 1) tile.template step<2>();
    }
    if (width > 0) tile.template step<0>();
    if (width > 1) tile.template step<1>();
}

template <int Rows, int Stride, bool Clamps>
void walk_row(Walk walk, const RequantizeLanes& requantize) noexcept {
    for (std::ptrdiff_t number = 0; number < walk.channels; walk.phase += walk.phase_bytes) {
        interleave(walk.row, walk.even + number, walk.stride, walk.width + (Stride == 1 ? 2 : 1), walk.taps);
        if (Stride == 2) {
            interleave(walk.row, walk.odd + number, walk.stride, walk.width, walk.taps + 64 * (walk.width + 1));
        }
        for (int part = 0; part < Rows && number < walk.channels; ++part, number += 16 / Rows) {
            if (number + 16 / Rows <= walk.channels) {
                walk_numbers<Rows, Stride, Clamps, true>(walk, number, requantize);
            } else {
                walk_numbers<Rows, Stride, Clamps, false>(walk, number, requantize);
            }
        }
    }
}

}  // namespace depthwise_bytes

MOTE_END_KERNELS

#endif
