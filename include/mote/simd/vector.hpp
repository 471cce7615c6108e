// SPDX-License-Identifier: MIT
#pragma once
// Vectors of this unit's instruction set, on xsimd: floats and 32-bit integers of N lanes, 16-bit integers of 2 N lanes.
// Bytes are computed with as 16-bit integers. Where 2 N of those become 2 N 32-bit integers, "split" order is what interleaving
// within 128 bits gives: cheap, undone by join(), and stated by split_channel(). All else keeps the natural order.

#include <mote/simd/detail/types.hpp>

#if defined(MOTE_NEON)
#include <mote/simd/detail/neon.hpp>
#else
#include <mote/simd/detail/x86.hpp>
#endif

MOTE_BEGIN_KERNELS

namespace simd {

/// max(min(x, hi), lo) lane by lane; a NaN becomes lo.
MOTE_ALWAYS_INLINE F32 clamp(F32 x, F32 lo, F32 hi) noexcept {
    return least(greatest(x, lo), hi);
}
/// The same of what arithmetic gave: no signalling NaN, and either zero may stand for the other.
MOTE_ALWAYS_INLINE F32 clamp_sum(F32 x, F32 lo, F32 hi) noexcept {
#if defined(MOTE_NEON)
    return vminnmq_f32(vmaxnmq_f32(x, lo), hi);
#else
    return clamp(x, lo, hi);
#endif
}

MOTE_ALWAYS_INLINE I16 greatest(I16 x, I16 other) noexcept {
    return xsimd::max(x, other);
}
MOTE_ALWAYS_INLINE I16 least(I16 x, I16 other) noexcept {
    return xsimd::min(x, other);
}
MOTE_ALWAYS_INLINE I8 greatest(I8 x, I8 other) noexcept {
    return xsimd::max(x, other);
}
MOTE_ALWAYS_INLINE I8 least(I8 x, I8 other) noexcept {
    return xsimd::min(x, other);
}
MOTE_ALWAYS_INLINE I16 clamp(I16 x, I16 lo, I16 hi) noexcept {
    return least(greatest(x, lo), hi);
}

/// a * factor, rounded once, half to even.
MOTE_ALWAYS_INLINE I32 round_product(I32 a, double factor) noexcept {
    const F64 f(factor);
    return detail::rounded(detail::doubles_lo(a) * f, detail::doubles_hi(a) * f);
}
/// a * factor_a + b * factor_b, whose products and sum are exact in double; rounded once, half to even.
MOTE_ALWAYS_INLINE I32 round_sum(I32 a, double factor_a, I32 b, double factor_b) noexcept {
    using namespace detail;
    const F64 f(factor_a), g(factor_b);
    return rounded(doubles_lo(a) * f + doubles_lo(b) * g, doubles_hi(a) * f + doubles_hi(b) * g);
}

/// Stands for "all lanes" where a number of lanes may be given.
struct Whole {};
MOTE_ALWAYS_INLINE F32 load(const float* p, Whole) noexcept {
    return load(p);
}
MOTE_ALWAYS_INLINE void store(float* p, F32 v, Whole) noexcept {
    store(p, v);
}
MOTE_ALWAYS_INLINE I16 load_bytes(const std::int8_t* p, Whole) noexcept {
    return load_bytes(p);
}
MOTE_ALWAYS_INLINE void store_bytes(std::int8_t* p, I16 v, Whole) noexcept {
    store_bytes(p, v);
}
/// Calls visit(at, lanes) for whole vectors of `lanes` elements, with Whole, and for the rest of `count`, with their number.
template <std::ptrdiff_t lanes, class Visit>
MOTE_ALWAYS_INLINE void for_each_vector(std::ptrdiff_t count, const Visit& visit) noexcept {
    std::ptrdiff_t at = 0;
    for (; at + lanes <= count; at += lanes) visit(at, Whole{});
    if (at < count) visit(at, count - at);
}

/// Where adjacent channels' weights of a pair of taps stand: the place of (channel < 2 N, tap < 2) in a WeightPair.
constexpr std::ptrdiff_t pair_place(std::ptrdiff_t channel, std::ptrdiff_t tap) noexcept {
    return taps_interleaved ? channel % 8 / 4 * lanes16 + (channel / 8 * 4 + channel % 4) * 2 + tap : tap * lanes16 + channel;
}
MOTE_ALWAYS_INLINE WeightPair load_pair(const std::int16_t* p) noexcept {
    return {load(p), load(p + lanes16)};
}

}  // namespace simd

MOTE_END_KERNELS
