// SPDX-License-Identifier: MIT
#pragma once
// Floats of 16 bits: half and bfloat become vectors of f32 when they are loaded, exactly, and are rounded to nearest even when
// they are stored. And their dot products, whose sums are f32.

#include <mote/core/half.hpp>
#include <mote/simd/dot.hpp>

#if defined(MOTE_AVX512) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push  // as in simd/detail/x86.hpp
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

MOTE_BEGIN_KERNELS

namespace simd {

namespace detail {

// Halves: N elements of 16 bits, loaded and stored whole or the first n of them; low_halves() drops the high bits of integers
// that 16 bits hold.
#if defined(MOTE_AVX512)
using Halves = __m256i;
MOTE_ALWAYS_INLINE Halves load_halves(const void* p, Whole) noexcept {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
MOTE_ALWAYS_INLINE Halves load_halves(const void* p, std::ptrdiff_t n) noexcept {
    return _mm256_maskz_loadu_epi16(static_cast<__mmask16>(first_lanes(n)), p);
}
MOTE_ALWAYS_INLINE void store_halves(void* p, Halves v, Whole) noexcept {
    _mm256_storeu_si256(static_cast<__m256i*>(p), v);
}
MOTE_ALWAYS_INLINE void store_halves(void* p, Halves v, std::ptrdiff_t n) noexcept {
    auto* bytes = static_cast<std::int8_t*>(p);
    __m128i some = _mm256_castsi256_si128(v);
    if (n >= 8) {  // in whole pieces, as floats are
        _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), some);
        some = _mm256_extracti128_si256(v, 1);
        bytes += 16;
        n -= 8;
    }
    if (n >= 4) {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(bytes), some);
        some = _mm_unpackhi_epi64(some, some);
        bytes += 8;
        n -= 4;
    }
    write_bytes(bytes, static_cast<std::uint64_t>(_mm_cvtsi128_si64(some)), 2 * n);
}
MOTE_ALWAYS_INLINE I32 widen_halves(Halves v) noexcept {
    return _mm512_cvtepu16_epi32(v);
}
MOTE_ALWAYS_INLINE Halves low_halves(I32 v) noexcept {
    return _mm512_cvtepi32_epi16(v);
}
MOTE_ALWAYS_INLINE I32 as_int(F32 v) noexcept {
    return _mm512_castps_si512(v);
}
#elif defined(MOTE_AVX2)
using Halves = __m128i;
MOTE_ALWAYS_INLINE Halves load_halves(const void* p, Whole) noexcept {
    return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
MOTE_ALWAYS_INLINE Halves load_halves(const void* p, std::ptrdiff_t n) noexcept {
    return some_bytes(static_cast<const std::int8_t*>(p), 2 * n);
}
MOTE_ALWAYS_INLINE void store_halves(void* p, Halves v, Whole) noexcept {
    _mm_storeu_si128(static_cast<__m128i*>(p), v);
}
MOTE_ALWAYS_INLINE void store_halves(void* p, Halves v, std::ptrdiff_t n) noexcept {
    write_some(static_cast<std::int8_t*>(p), v, 2 * n);
}
MOTE_ALWAYS_INLINE I32 widen_halves(Halves v) noexcept {
    return _mm256_cvtepu16_epi32(v);
}
MOTE_ALWAYS_INLINE Halves low_halves(I32 v) noexcept {
    return _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}
MOTE_ALWAYS_INLINE I32 as_int(F32 v) noexcept {
    return _mm256_castps_si256(v);
}
#elif defined(MOTE_SSE2)
using Halves = __m128i;  // the low four
MOTE_ALWAYS_INLINE Halves load_halves(const void* p, Whole) noexcept {
    return _mm_loadl_epi64(static_cast<const __m128i*>(p));
}
MOTE_ALWAYS_INLINE Halves load_halves(const void* p, std::ptrdiff_t n) noexcept {
    return _mm_set_epi64x(0, static_cast<long long>(read_bytes(static_cast<const std::int8_t*>(p), 2 * n)));
}
MOTE_ALWAYS_INLINE void store_halves(void* p, Halves v, Whole) noexcept {
    _mm_storel_epi64(static_cast<__m128i*>(p), v);
}
MOTE_ALWAYS_INLINE void store_halves(void* p, Halves v, std::ptrdiff_t n) noexcept {
    write_bytes(static_cast<std::int8_t*>(p), static_cast<std::uint64_t>(_mm_cvtsi128_si64(v)), 2 * n);
}
MOTE_ALWAYS_INLINE I32 widen_halves(Halves v) noexcept {
    return _mm_unpacklo_epi16(v, _mm_setzero_si128());
}
MOTE_ALWAYS_INLINE Halves low_halves(I32 v) noexcept {
    return _mm_packs_epi32(v, v);
}
MOTE_ALWAYS_INLINE I32 as_int(F32 v) noexcept {
    return _mm_castps_si128(v);
}
#else
using Halves = uint16x4_t;
MOTE_ALWAYS_INLINE Halves load_halves(const void* p, Whole) noexcept {
    return vcreate_u16(read<std::uint64_t>(p));
}
MOTE_ALWAYS_INLINE Halves load_halves(const void* p, std::ptrdiff_t n) noexcept {
    return vcreate_u16(read_bytes(static_cast<const std::int8_t*>(p), 2 * n));
}
MOTE_ALWAYS_INLINE void store_halves(void* p, Halves v, Whole) noexcept {
    write(p, vget_lane_u64(vreinterpret_u64_u16(v), 0));
}
MOTE_ALWAYS_INLINE void store_halves(void* p, Halves v, std::ptrdiff_t n) noexcept {
    write_bytes(static_cast<std::int8_t*>(p), vget_lane_u64(vreinterpret_u64_u16(v), 0), 2 * n);
}
MOTE_ALWAYS_INLINE I32 widen_halves(Halves v) noexcept {
    return vreinterpretq_s32_u32(vmovl_u16(v));
}
MOTE_ALWAYS_INLINE Halves low_halves(I32 v) noexcept {
    return vmovn_u32(vreinterpretq_u32_s32(v));
}
MOTE_ALWAYS_INLINE I32 as_int(F32 v) noexcept {
    return vreinterpretq_s32_f32(v);
}
#endif

MOTE_ALWAYS_INLINE F32 widened(bfloat, Halves v) noexcept {
    return as_float(widen_halves(v) << 16);
}
MOTE_ALWAYS_INLINE Halves rounded(bfloat, F32 v) noexcept {
#if defined(MOTE_AVX512BF16)
    Halves result;  // in words, as compilers differ in the intrinsic's type; denormals become 0
    __asm__("vcvtneps2bf16 %1, %0" : "=v"(result) : "v"(static_cast<F32::register_type>(v)));
    return result;
#else
    const I32 bits = as_int(v), inf(0x7f800000);
    const I32 nearest = bits + I32(0x7fff) + (shift_right(bits, 16) & I32(1));
    const I32 is_nan = shift_right(inf - (bits & I32(0x7fffffff)), 31);
    const I32 quiet = bits | I32(0x00400000);
    return low_halves(shift_right(nearest ^ ((nearest ^ quiet) & is_nan), 16));
#endif
}

#if defined(MOTE_AVX512)
MOTE_ALWAYS_INLINE F32 widened(half, Halves v) noexcept {
    return _mm512_cvtph_ps(v);
}
MOTE_ALWAYS_INLINE Halves rounded(half, F32 v) noexcept {
    return _mm512_cvtps_ph(v, 0);
}
#elif defined(MOTE_AVX2) && defined(__F16C__)
MOTE_ALWAYS_INLINE F32 widened(half, Halves v) noexcept {
    return _mm256_cvtph_ps(v);
}
MOTE_ALWAYS_INLINE Halves rounded(half, F32 v) noexcept {
    return _mm256_cvtps_ph(v, 0);
}
#elif defined(MOTE_NEON)
MOTE_ALWAYS_INLINE F32 widened(half, Halves v) noexcept {
    return vcvt_f32_f16(vreinterpret_f16_u16(v));
}
MOTE_ALWAYS_INLINE Halves rounded(half, F32 v) noexcept {
    return vreinterpret_u16_f16(vcvt_f16_f32(v));
}
#else
// One by one: these processors have no instruction for it.
MOTE_ALWAYS_INLINE F32 widened(half, Halves v) noexcept {
    half from[lanes32];
    float to[lanes32];
    store_halves(from, v, Whole{});
    for (std::ptrdiff_t i = 0; i < lanes32; ++i) to[i] = mote::to_float(from[i]);
    return simd::load(to);
}
MOTE_ALWAYS_INLINE Halves rounded(half, F32 v) noexcept {
    float from[lanes32];
    half to[lanes32];
    simd::store(from, v);
    for (std::ptrdiff_t i = 0; i < lanes32; ++i) to[i] = to_half(from[i]);
    return load_halves(to, Whole{});
}
#endif

template <class T, class Result>
using IfHalf = std::enable_if_t<std::is_same_v<T, half> || std::is_same_v<T, bfloat>, Result>;

}  // namespace detail

/// N elements, or `some` (Whole, or a number of) as floats.
template <class T, class Some = Whole>
MOTE_ALWAYS_INLINE detail::IfHalf<T, F32> load(const T* p, Some some = {}) noexcept {
    return detail::widened(T{}, detail::load_halves(p, some));
}
template <class T, class Some = Whole>
MOTE_ALWAYS_INLINE detail::IfHalf<T, void> store(T* p, F32 v, Some some = {}) noexcept {
    detail::store_halves(p, detail::rounded(T{}, v), some);
}

/// DotF32 of other inputs and weights: weights become floats when they are read, inputs when rows of the image are copied.
template <class T>
struct DotHalf : DotF32 {
    using Input = T;
    using Weight = T;
    static constexpr bool converts = true;
    static MOTE_ALWAYS_INLINE F32 weights(const T* p) noexcept {
        F32::register_type loaded = simd::load(p);
        MOTE_OPAQUE_VECTOR(loaded);  // else GCC converts it again for every row
        return loaded;
    }
#if defined(MOTE_NEON)
    template <int Vectors>
    static MOTE_ALWAYS_INLINE void weights(const T* p, F32* to) noexcept {
        MOTE_UNROLL for (int v = 0; v < Vectors; ++v) to[v] = simd::load(p + 4 * v);
    }
#endif
    static MOTE_ALWAYS_INLINE void convert(float* to, const T* from, std::ptrdiff_t n) noexcept {
        for_each_vector<lanes32>(
            n, [&](std::ptrdiff_t i, auto some) __attribute__((always_inline)) { store(to + i, simd::load(from + i, some)); });
    }
    static MOTE_ALWAYS_INLINE float convert(T value) noexcept {
        return to_float(value);
    }
};
using DotF16 = DotHalf<half>;

#if defined(MOTE_AVX512BF16)
/// Two taps a step; denormals count as 0.
struct DotBf16 {
    using Input = bfloat;
    using Activation = bfloat;
    using Weight = bfloat;
    using Lane = float;
    using Sum = F32;
    using Pairs = __m512i;
    static constexpr std::ptrdiff_t group = 2, steps_together = 1, head_bytes = 4;
    static constexpr bool in_strips = false, converts = false;
    static constexpr int panel_vectors = tile_vectors, half_vectors = tile_half_vectors;

    static constexpr std::ptrdiff_t channel(std::ptrdiff_t at, std::ptrdiff_t) noexcept { return at; }
    static constexpr std::ptrdiff_t place(std::ptrdiff_t lane, std::ptrdiff_t tap) noexcept { return lane * 2 + tap; }
    static MOTE_ALWAYS_INLINE Pairs weights(const bfloat* p) noexcept {
        Pairs loaded = _mm512_loadu_si512(p);
        MOTE_OPAQUE_VECTOR(loaded);  // else GCC loads it again for every row
        return loaded;
    }
    static MOTE_ALWAYS_INLINE Pairs activations(const bfloat* p) noexcept {
        return _mm512_set1_epi32(detail::read<std::int32_t>(p));
    }
    static MOTE_ALWAYS_INLINE F32 dot(F32 sum, Pairs activation, Pairs weight) noexcept {
        F32::register_type added = sum;
        __asm__("vdpbf16ps %1, %2, %0" : "+v"(added) : "v"(weight), "v"(activation));
        return added;
    }
    static MOTE_ALWAYS_INLINE void convert(bfloat* to, const bfloat* from, std::ptrdiff_t n) noexcept {
        std::ptrdiff_t i = 0;
        for (; i + lanes16 <= n; i += lanes16) _mm512_storeu_si512(to + i, _mm512_loadu_si512(from + i));
        if (i < n) _mm512_storeu_si512(to + i, _mm512_maskz_loadu_epi16(detail::first_lanes(n - i), from + i));
    }
    static MOTE_ALWAYS_INLINE bfloat convert(bfloat value) noexcept { return value; }
};
#else
using DotBf16 = DotHalf<bfloat>;
#endif

}  // namespace simd

MOTE_END_KERNELS

#if defined(MOTE_AVX512) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
