// SPDX-License-Identifier: MIT
#pragma once
// Dot products of this unit's instruction set, one contract for f32 and bytes: a step adds to each lane (an output channel) the
// products of a group of activations, which all lanes share, with the lane's own group of weights. A group fills 32 bits:
// 1 float, 2 16-bit integers, or 4 bytes. The sums of bytes are exact modulo 2^32; nothing saturates.

#include <mote/simd/vector.hpp>

MOTE_BEGIN_KERNELS

namespace simd {

#if defined(MOTE_AVX512) || defined(MOTE_NEON)
constexpr int registers = 32;
#else
constexpr int registers = 16;
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

struct DotF32 {
    using Input = float;       ///< an element of the image
    using Activation = float;  ///< an element of the tile's rows
    using Weight = float;      ///< an element of the packed panel
    using Lane = float;
    using Sum = F32;
    static constexpr std::ptrdiff_t group = 1;
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
        return fma(activation, weight, sum);
#endif
    }
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

#if (defined(MOTE_AVX512) && defined(__AVX512VNNI__)) || (defined(MOTE_NEON) && defined(__ARM_FEATURE_DOTPROD))
/// Four bytes a step.
struct DotI8 {
    using Input = std::int8_t;
    using Weight = std::int8_t;
    using Lane = std::int32_t;
    using Sum = I32;
    static constexpr std::ptrdiff_t group = 4;
    static constexpr std::ptrdiff_t channel(std::ptrdiff_t at, std::ptrdiff_t lanes) noexcept {
        return detail::channel_in_pairs(at, lanes);
    }
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept { return lane * 4 + tap; }
#if defined(MOTE_AVX512)
    // The instruction multiplies unsigned by signed bytes: activations are shifted by 128 as they are spread (which the units
    // that multiply leave to others), and the bias undoes it.
    using Activation = std::int8_t;
    static constexpr bool converts = false;
    static constexpr std::int32_t offset = 128;
    static MOTE_ALWAYS_INLINE __m512i weights(const std::int8_t* p) noexcept {
        __m512i loaded = _mm512_loadu_si512(p);
        MOTE_OPAQUE_VECTOR(loaded);  // else GCC loads it again for every row
        return loaded;
    }
    static MOTE_ALWAYS_INLINE __m512i activations(const std::int8_t* p) noexcept {
        return _mm512_xor_si512(_mm512_set1_epi32(detail::read<std::int32_t>(p)), _mm512_set1_epi8(-128));
    }
    static MOTE_ALWAYS_INLINE I32 dot(I32 sum, __m512i activation, __m512i weight) noexcept {
#if defined(__clang__)
        return _mm512_dpbusd_epi32(sum, activation, weight);
#else
        // GCC 12 copies accumulators around the intrinsic.
        auto added = reinterpret_cast<__m512i>(
            __builtin_ia32_vpdpbusd_v16si(reinterpret_cast<__v16si>(static_cast<__m512i>(sum)),
                                          reinterpret_cast<__v16si>(activation), reinterpret_cast<__v16si>(weight)));
        MOTE_OPAQUE_VECTOR(added);  // else it copies them in a loop of nothing else, which measures the peak
        return added;
#endif
    }
    static MOTE_ALWAYS_INLINE std::int8_t convert(std::int8_t value) noexcept {
        return value;
    }
    static MOTE_ALWAYS_INLINE void convert(std::int8_t* to, const std::int8_t* from, std::ptrdiff_t n) noexcept {
        for (std::ptrdiff_t i = 0; i < n; i += 64) {
            const __mmask64 some = n - i >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (n - i)) - 1;
            _mm512_storeu_si512(to + i, _mm512_maskz_loadu_epi8(some, from + i));
        }
    }
#else
    using Activation = std::int8_t;
    static constexpr bool converts = false;
    static constexpr std::int32_t offset = 0;
    static MOTE_ALWAYS_INLINE int8x16_t weights(const std::int8_t* p) noexcept {
        return vld1q_s8(p);
    }
    static MOTE_ALWAYS_INLINE int8x8_t activations(const std::int8_t* p) noexcept {
        return vreinterpret_s8_s32(vdup_n_s32(detail::read<std::int32_t>(p)));
    }
    static MOTE_ALWAYS_INLINE I32 dot(I32 sum, int8x8_t activation, int8x16_t weight) noexcept {
        return vdotq_lane_s32(sum, weight, activation, 0);
    }
    static MOTE_ALWAYS_INLINE std::int8_t convert(std::int8_t value) noexcept {
        return value;
    }
    static MOTE_ALWAYS_INLINE void convert(std::int8_t* to, const std::int8_t* from, std::ptrdiff_t n) noexcept {
        std::ptrdiff_t i = 0;
        for (; i + 16 <= n; i += 16) vst1q_s8(to + i, vld1q_s8(from + i));
        for (; i < n; i += 8) detail::write(to + i, detail::read_bytes(from + i, n - i));
    }
#endif
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
    static constexpr std::ptrdiff_t group = 2;
    static constexpr std::ptrdiff_t channel(std::ptrdiff_t at, std::ptrdiff_t lanes) noexcept {
        return detail::channel_in_pairs(at, lanes);
    }
    static constexpr std::int32_t offset = 0;

    static MOTE_ALWAYS_INLINE I16 weights(const std::int16_t* p) noexcept {
        I16::register_type loaded = simd::load(p);
        MOTE_OPAQUE_VECTOR(loaded);
        return loaded;
    }
#if defined(MOTE_NEON)
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept {
        return tap * 4 + lane;
    }
    static MOTE_ALWAYS_INLINE int16x4_t activations(const std::int16_t* p) noexcept {
        return vreinterpret_s16_s32(vdup_n_s32(detail::read<std::int32_t>(p)));
    }
    static MOTE_ALWAYS_INLINE I32 dot(I32 sum, int16x4_t activation, I16 weight) noexcept {
        return vmlal_high_lane_s16(vmlal_lane_s16(sum, vget_low_s16(weight), activation, 0), weight, activation, 1);
    }
#else
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept {
        return lane * 2 + tap;
    }
    static MOTE_ALWAYS_INLINE I32 activations(const std::int16_t* p) noexcept {
        return I32(detail::read<std::int32_t>(p));
    }
    static MOTE_ALWAYS_INLINE I32 dot(I32 sum, I32 activation, I16 weight) noexcept {
        return detail::add_in_order(sum, detail::pair_dot(static_cast<I32::register_type>(activation), weight));
    }
#endif
    static MOTE_ALWAYS_INLINE std::int16_t convert(std::int8_t value) noexcept {
        return value;
    }
    static MOTE_ALWAYS_INLINE void convert(std::int16_t* to, const std::int8_t* from, std::ptrdiff_t n) noexcept {
        std::ptrdiff_t i = 0;
        for (; i + lanes16 <= n; i += lanes16) load_bytes(from + i).store_unaligned(to + i);
        if (i < n) load_bytes(from + i, n - i).store_unaligned(to + i);
    }
};
#endif

}  // namespace simd

MOTE_END_KERNELS
