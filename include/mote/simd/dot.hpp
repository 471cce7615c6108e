// SPDX-License-Identifier: MIT
#pragma once
// Dot products of this unit's instruction set, one contract for f32 and bytes: a step adds to each lane (an output channel) the
// products of a group of activations, which all lanes share, with the lane's own group of weights. A group fills 32 bits:
// 1 float, 2 16-bit integers, or 4 bytes. The sums of bytes are exact modulo 2^32; nothing saturates.

#include <mote/simd/vector.hpp>

#include <type_traits>

MOTE_BEGIN_KERNELS

namespace simd {

#if defined(MOTE_AVX512) || defined(MOTE_NEON)
constexpr int registers = 32;
#else
constexpr int registers = 16;
#endif

/// Whether tiles fetch weights before they are read: a tenth of the time where layers' weights are megabytes (Zen 5).
#if defined(MOTE_AVX512) || defined(MOTE_AVX2)
constexpr bool tile_prefetches = true;
#else
constexpr bool tile_prefetches = false;
#endif

/// How many rows and vectors of sums a register tile holds: rows * vectors accumulators, `vectors` weights, one activation.
/// Its loop takes `tile_unroll` steps at once.
#if defined(MOTE_AVX512)
constexpr int tile_rows = 12, tile_vectors = 2, tile_unroll = 4;  // 24 of 32 registers
#elif defined(MOTE_NEON)
constexpr int tile_rows = 5, tile_vectors = 4, tile_unroll = 1;  // 20 of 32 registers: GCC loads all rows first
#elif defined(MOTE_FEW_TILES)
constexpr int tile_rows = 6, tile_vectors = 2, tile_unroll = 1;  // 12 of 16 registers
#else
constexpr int tile_rows = 6, tile_vectors = 2, tile_unroll = 4;  // 12 of 16 registers
#endif
/// Vectors of a last panel of at most half the channels.
#if defined(MOTE_FEW_TILES)
constexpr int tile_half_vectors = tile_vectors;
#else
constexpr int tile_half_vectors = tile_vectors / 2;
#endif

struct DotF32 {
    using Input = float;       ///< an element of the image
    using Activation = float;  ///< an element of the tile's rows
    using Weight = float;      ///< an element of the packed panel
    using Lane = float;
    using Sum = F32;
    static constexpr std::ptrdiff_t group = 1;
    static constexpr std::ptrdiff_t head_bytes = 4;  ///< of a panel, for each channel: bias, of bytes also multiplier
    static constexpr bool in_strips = false;
    static constexpr int panel_vectors = tile_vectors, half_vectors = tile_half_vectors;
    static constexpr bool converts = false;  ///< whether activations are other than inputs

    /// Which channel of a panel of `lanes` channels stands at a place of its sums.
    static constexpr std::ptrdiff_t channel(std::ptrdiff_t at, std::ptrdiff_t) noexcept { return at; }
    /// The place of a lane's tap (< group) among the lanes32 * group weights of a step.
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t) noexcept { return lane; }
    static MOTE_ALWAYS_INLINE F32 weights(const float* p) noexcept {
        F32::register_type loaded = simd::load(p);
        MOTE_OPAQUE_VECTOR(loaded);  // else GCC loads it again for every row
        return loaded;
    }
    static MOTE_ALWAYS_INLINE F32 activations(const float* p) noexcept { return F32(*p); }
    static MOTE_ALWAYS_INLINE F32 dot(F32 sum, F32 activation, F32 weight) noexcept {
#if defined(MOTE_SSE2)
        F32::register_type added = sum + activation * weight;
        MOTE_OPAQUE_VECTOR(added);  // else GCC multiplies first and runs out of registers
        return added;
#elif defined(MOTE_AVX2) || defined(MOTE_AVX512)
        // In words: else GCC also takes the forms that overwrite a factor, and moves vectors from register to register.
        F32::register_type added = sum;
        const F32::register_type a = activation, w = weight;
        __asm__("vfmadd231ps %1, %2, %0"
                : "+" MOTE_DETAIL_VECTOR_REGISTER(added)
                : MOTE_DETAIL_VECTOR_REGISTER(w), MOTE_DETAIL_VECTOR_REGISTER(a));
        return added;
#else
        // In words, one after the other: else GCC moves vectors from register to register.
        F32::register_type added = sum;
        const F32::register_type a = activation, w = weight;
        __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(added) : "w"(w), "w"(a));
        return added;
#endif
    }
#if defined(MOTE_NEON)
    /// How many steps a vector of activations holds, and what multiplies by one of them.
    static constexpr std::ptrdiff_t steps_together = 4;
    using Steps = float32x4_t;
    static MOTE_ALWAYS_INLINE Steps steps(const float* p) noexcept {
        return vld1q_f32(p);
    }
    template <int Lane>
    static MOTE_ALWAYS_INLINE F32 dot(F32 sum, Steps activations, F32 weight) noexcept {
        // In words, one after the other: else GCC moves loads before them and runs out of registers.
        F32::register_type added = sum;
        const F32::register_type w = weight;
        __asm__ volatile("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(added) : "w"(w), "w"(activations), "i"(Lane));
        return added;
    }
    template <int Vectors>
    static MOTE_ALWAYS_INLINE void weights(const float* p, F32* to) noexcept {
        if constexpr (Vectors == 4) {
            const float32x4x4_t loaded = vld1q_f32_x4(p);
            MOTE_UNROLL for (int v = 0; v < 4; ++v) to[v] = loaded.val[v];
        } else {
            MOTE_UNROLL for (int v = 0; v < Vectors; ++v) to[v] = vld1q_f32(p + 4 * v);
        }
    }
    template <class Visit>
    static MOTE_ALWAYS_INLINE void for_each_lane(const Visit& visit) noexcept {
        visit(std::integral_constant<int, 0>{});
        visit(std::integral_constant<int, 1>{});
        visit(std::integral_constant<int, 2>{});
        visit(std::integral_constant<int, 3>{});
    }
#else
    static constexpr std::ptrdiff_t steps_together = 1;
#endif
    /// Copies n inputs as activations; may write up to 64 bytes beyond them.
    static MOTE_ALWAYS_INLINE void convert(float* to, const float* from, std::ptrdiff_t n) noexcept {
        std::ptrdiff_t i = 0;
        for (; i + lanes32 <= n; i += lanes32) store(to + i, simd::load(from + i));
        if (i < n) store(to + i, simd::load(from + i, n - i));
    }
    static MOTE_ALWAYS_INLINE float convert(float value) noexcept {
        return value;
    }
};

namespace detail {
/// Pairs of vectors are in split order, which join() undoes; a vector alone is not.
constexpr std::ptrdiff_t channel_in_pairs(std::ptrdiff_t at, std::ptrdiff_t lanes) noexcept {
    return lanes == lanes32 ? at : at / lanes16 * lanes16 + split_channel(at / lanes32 % 2, at % lanes32);
}
}  // namespace detail

#if defined(MOTE_NEON)
/// Bytes whose rows are packed in strips (kernels/detail/neon/strips.hpp), and whose sums come in units of four vectors: of two
/// rows and 8 channels with SDOT (2 vectors of each row) and I8MM (4 of two channels of both), else of one row and 16 channels.
struct DotI8 {
    using Input = std::int8_t;
    using Activation = std::int8_t;
    using Weight = std::int8_t;
    using Lane = std::int32_t;
    using Sum = I32;
    static constexpr bool converts = false;
    static constexpr bool in_strips = true;
    static constexpr std::int32_t offset = 0;
    static constexpr std::ptrdiff_t strip_taps = 8;  ///< taps of a row are a multiple of these
    /// Bytes of so many rows of `taps` taps as strips; a row may make up a pair.
    static constexpr std::ptrdiff_t strips_bytes(std::ptrdiff_t rows, std::ptrdiff_t taps) noexcept {
        return (rows + unit_rows - 1) / unit_rows * unit_rows * taps * strip_copies;
    }
    static constexpr std::ptrdiff_t channel(std::ptrdiff_t at, std::ptrdiff_t) noexcept { return at; }
    static MOTE_ALWAYS_INLINE int8x16_t weights(const std::int8_t* p) noexcept { return vld1q_s8(p); }
    static MOTE_ALWAYS_INLINE int8x16_t activations(const std::int8_t* p) noexcept { return vld1q_s8(p); }  ///< as packed
    static MOTE_ALWAYS_INLINE std::int8_t convert(std::int8_t value) noexcept { return value; }
    static MOTE_ALWAYS_INLINE void convert(std::int8_t* to, const std::int8_t* from, std::ptrdiff_t n) noexcept {
        std::ptrdiff_t i = 0;
        for (; i + 128 <= n; i += 128) {
            const int8x16x4_t some = vld1q_s8_x4(from + i), more = vld1q_s8_x4(from + i + 64);
            vst1q_s8_x4(to + i, some);
            vst1q_s8_x4(to + i + 64, more);
        }
        for (; i + 16 <= n; i += 16) vst1q_s8(to + i, vld1q_s8(from + i));
        for (; i < n; i += 8) detail::write(to + i, detail::read_bytes(from + i, n - i));
    }
    // Multiplications in words, one after the other: else GCC moves loads before them and runs out of registers.
#if defined(__ARM_FEATURE_DOTPROD)
    static constexpr int strip_rows = 12, unit_rows = 2, panel_vectors = 2, half_vectors = 2;
    static constexpr std::ptrdiff_t head_bytes = 16;   // for each row of a unit
    static constexpr std::ptrdiff_t strip_copies = 1;  ///< of an activation in a strip
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8)
    static constexpr std::ptrdiff_t group = 8;
    /// Which channel has the bias at a place of a panel's head.
    static constexpr std::ptrdiff_t head_channel(std::ptrdiff_t at, std::ptrdiff_t) noexcept {
        return at / 4 * 2 + at % 2;
    }
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept {
        return lane * 8 + tap;
    }
    static MOTE_ALWAYS_INLINE int32x4_t dot(int32x4_t sum, int8x16_t two_rows, int8x16_t two_channels) noexcept {
        __asm__ volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(two_rows), "w"(two_channels));
        return sum;
    }
    static constexpr int unit_parts = 1;
    /// Of 8 taps.
    template <int Part>
    static MOTE_ALWAYS_INLINE void unit_dot(int32x4_t* sum, int8x16_t two_rows, const int8x16_t* weights) noexcept {
        MOTE_UNROLL for (int v = 0; v < 4; ++v) sum[v] = dot(sum[v], two_rows, weights[v]);
    }
#elif defined(__ARM_FEATURE_DOTPROD)
    static constexpr std::ptrdiff_t group = 4;
    static constexpr std::ptrdiff_t head_channel(std::ptrdiff_t at, std::ptrdiff_t) noexcept {
        return at % 8;
    }
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept {
        return lane * 4 + tap;
    }
    /// Of the four taps in one lane of the activations.
    template <int Lane = 0>
    static MOTE_ALWAYS_INLINE int32x4_t dot(int32x4_t sum, int8x16_t activations, int8x16_t weights) noexcept {
        __asm__ volatile("sdot %0.4s, %1.16b, %2.4b[%3]" : "+w"(sum) : "w"(weights), "w"(activations), "i"(Lane));
        return sum;
    }
    static constexpr int unit_parts = 2;
    /// Of half of 8 taps.
    template <int Part>
    static MOTE_ALWAYS_INLINE void unit_dot(int32x4_t* sum, int8x16_t two_rows, const int8x16_t* weights) noexcept {
        MOTE_UNROLL for (int v = 0; v < 2; ++v) {
            sum[v] = dot<Part>(sum[v], two_rows, weights[2 * Part + v]);
            sum[2 + v] = dot<2 + Part>(sum[2 + v], two_rows, weights[2 * Part + v]);
        }
    }
#else
    static constexpr int strip_rows = 6, unit_rows = 1, panel_vectors = tile_vectors, half_vectors = tile_half_vectors;
    static constexpr std::ptrdiff_t group = 4;
    static constexpr std::ptrdiff_t head_bytes = 8;
    static constexpr std::ptrdiff_t strip_copies = 4;
    static constexpr std::ptrdiff_t head_channel(std::ptrdiff_t at, std::ptrdiff_t) noexcept {
        return at;
    }
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept {
        return tap / 2 * 8 + lane * 2 + tap % 2;
    }
    /// Of activations that hold the first two of four taps four times, then the other two. Two products of a byte and one
    /// in [-127, 127] fit 16 bits.
    static MOTE_ALWAYS_INLINE int32x4_t dot(int32x4_t sum, int8x16_t activations, int8x16_t weights) noexcept {
        int16x8_t products;
        __asm__ volatile("smull %1.8h, %2.8b, %3.8b\n\tsmlal2 %1.8h, %2.16b, %3.16b\n\tsadalp %0.4s, %1.8h"
                         : "+w"(sum), "=&w"(products)
                         : "w"(activations), "w"(weights));
        return sum;
    }
#endif
};

#elif defined(MOTE_VNNI)
/// Four bytes a step.
struct DotI8 {
    using Input = std::int8_t;
    using Weight = std::int8_t;
    using Lane = std::int32_t;
    using Sum = I32;
    using Bytes = I8::register_type;
    static constexpr std::ptrdiff_t group = 4, steps_together = 1, head_bytes = 8;
    static constexpr bool in_strips = false;
    static constexpr int panel_vectors = tile_vectors, half_vectors = tile_half_vectors;
    static constexpr std::ptrdiff_t channel(std::ptrdiff_t at, std::ptrdiff_t lanes) noexcept {
        return detail::channel_in_pairs(at, lanes);
    }
    static constexpr std::ptrdiff_t head_channel(std::ptrdiff_t at, std::ptrdiff_t lanes) noexcept {
        return channel(at, lanes);
    }
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept { return lane * 4 + tap; }
    // The instruction multiplies unsigned by signed bytes: activations are shifted by 128 as they are spread (which the units
    // that multiply leave to others), and the bias undoes it.
    using Activation = std::int8_t;
    static constexpr bool converts = false;
    static constexpr std::int32_t offset = 128;
    static MOTE_ALWAYS_INLINE Bytes weights(const std::int8_t* p) noexcept {
        Bytes loaded = simd::load(p);
        MOTE_OPAQUE_VECTOR(loaded);  // else GCC loads it again for every row
        return loaded;
    }
    static MOTE_ALWAYS_INLINE Bytes activations(const std::int8_t* p) noexcept {
        return I32(detail::read<std::int32_t>(p)) ^ I32(shift);
    }
    static MOTE_ALWAYS_INLINE I32 dot(I32 sum, Bytes activation, Bytes weight) noexcept {
        return detail::byte_dot(sum, activation, weight);
    }
    static MOTE_ALWAYS_INLINE std::int8_t convert(std::int8_t value) noexcept { return value; }
    static MOTE_ALWAYS_INLINE void convert(std::int8_t* to, const std::int8_t* from, std::ptrdiff_t n) noexcept {
        std::ptrdiff_t i = 0;
        for (; i + lanes8 <= n; i += lanes8) store(to + i, simd::load(from + i));
        if (i < n) store(to + i, simd::load(from + i, n - i));
    }
    static constexpr std::int32_t shift = -0x7f7f7f80;  ///< 128 in each byte
};

#else
/// Two bytes a step, as 16-bit integers.
struct DotI8 {
    using Input = std::int8_t;
    using Activation = std::int16_t;
    static constexpr bool converts = true;
    using Weight = std::int16_t;
    using Lane = std::int32_t;
    using Sum = I32;
    static constexpr std::ptrdiff_t group = 2, steps_together = 1, head_bytes = 8;
    static constexpr bool in_strips = false;
    static constexpr int panel_vectors = tile_vectors, half_vectors = tile_half_vectors;
    static constexpr std::ptrdiff_t channel(std::ptrdiff_t at, std::ptrdiff_t lanes) noexcept {
        return detail::channel_in_pairs(at, lanes);
    }
    static constexpr std::ptrdiff_t head_channel(std::ptrdiff_t at, std::ptrdiff_t lanes) noexcept {
        return channel(at, lanes);
    }
    static constexpr std::int32_t offset = 0;

    static MOTE_ALWAYS_INLINE I16 weights(const std::int16_t* p) noexcept {
        I16::register_type loaded = simd::load(p);
        MOTE_OPAQUE_VECTOR(loaded);
        return loaded;
    }
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept { return lane * 2 + tap; }
    static MOTE_ALWAYS_INLINE I32 activations(const std::int16_t* p) noexcept { return I32(detail::read<std::int32_t>(p)); }
    static MOTE_ALWAYS_INLINE I32 dot(I32 sum, I32 activation, I16 weight) noexcept {
        return detail::add_in_order(sum, detail::pair_dot(static_cast<I32::register_type>(activation), weight));
    }
    static MOTE_ALWAYS_INLINE std::int16_t convert(std::int8_t value) noexcept { return value; }
    static MOTE_ALWAYS_INLINE void convert(std::int16_t* to, const std::int8_t* from, std::ptrdiff_t n) noexcept {
        std::ptrdiff_t i = 0;
        for (; i + lanes16 <= n; i += lanes16) load_bytes(from + i).store_unaligned(to + i);
        if (i < n) load_bytes(from + i, n - i).store_unaligned(to + i);
    }
};
#endif

}  // namespace simd

MOTE_END_KERNELS
