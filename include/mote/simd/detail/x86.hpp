// SPDX-License-Identifier: MIT
#pragma once
// What xsimd lacks, for SSE2, AVX2 and AVX-512 (see simd/vector.hpp for the words).

#include <mote/simd/detail/types.hpp>

#if defined(__AVX__)
#include <immintrin.h>
#else
#include <emmintrin.h>  // a twentieth of <immintrin.h> to a compiler
#endif

#if defined(MOTE_AVX512) && defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined operands of its own 512-bit intrinsics for forgotten ones (its bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

MOTE_BEGIN_KERNELS

namespace simd {

/// Whether to_int() of what int32 does not hold is the integer next to it.
constexpr bool to_int_saturates = false;
/// The weights of two taps stand side by side, channel by channel.
constexpr bool taps_interleaved = true;

#if defined(MOTE_AVX512)
namespace detail {
MOTE_ALWAYS_INLINE __mmask32 first_lanes(std::ptrdiff_t n) noexcept {
    return static_cast<__mmask32>((std::uint64_t{1} << n) - 1);
}
MOTE_ALWAYS_INLINE I16 unpack_lo(I16 a, I16 b) noexcept {
    return _mm512_unpacklo_epi16(a, b);
}
MOTE_ALWAYS_INLINE I16 unpack_hi(I16 a, I16 b) noexcept {
    return _mm512_unpackhi_epi16(a, b);
}
MOTE_ALWAYS_INLINE I16 unpack_lo(I8 a, I8 b) noexcept {
    return _mm512_unpacklo_epi8(a, b);
}
MOTE_ALWAYS_INLINE I16 unpack_hi(I8 a, I8 b) noexcept {
    return _mm512_unpackhi_epi8(a, b);
}
MOTE_ALWAYS_INLINE I32 pair_dot(I16 a, I16 b) noexcept {
    return _mm512_madd_epi16(a, b);
}
}  // namespace detail

MOTE_ALWAYS_INLINE F32 load(const float* p, std::ptrdiff_t n) noexcept {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>(detail::first_lanes(n)), p);
}
/// In whole pieces: a load of what lies behind a masked store waits for it.
MOTE_ALWAYS_INLINE void store(float* p, F32 v, std::ptrdiff_t n) noexcept {
    if (n >= 16) return store(p, v);
    __m256 eight = _mm512_castps512_ps256(v);
    if (n >= 8) {
        _mm256_storeu_ps(p, eight);
        eight = _mm512_extractf32x8_ps(v, 1);
        p += 8;
    }
    __m128 four = _mm256_castps256_ps128(eight);
    if ((n & 4) != 0) {
        _mm_storeu_ps(p, four);
        four = _mm256_extractf128_ps(eight, 1);
        p += 4;
    }
    if ((n & 2) != 0) {
        _mm_storel_pi(reinterpret_cast<__m64*>(p), four);
        four = _mm_movehl_ps(four, four);
        p += 2;
    }
    if ((n & 1) != 0) _mm_store_ss(p, four);
}
MOTE_ALWAYS_INLINE F32 greatest(F32 x, F32 other) noexcept {
    return _mm512_max_ps(x, other);
}
MOTE_ALWAYS_INLINE F32 least(F32 x, F32 other) noexcept {
    return _mm512_min_ps(x, other);
}
MOTE_ALWAYS_INLINE F32 to_float(I32 a) noexcept {
    return _mm512_cvtepi32_ps(a);
}
MOTE_ALWAYS_INLINE I32 to_int(F32 a) noexcept {
    return _mm512_cvtps_epi32(a);
}
MOTE_ALWAYS_INLINE F32 as_float(I32 a) noexcept {
    return _mm512_castsi512_ps(a);
}
/// The first n <= 4 N bytes, then zeros.
MOTE_ALWAYS_INLINE I8 load(const std::int8_t* p, std::ptrdiff_t n) noexcept {
    return _mm512_maskz_loadu_epi8(n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1, p);
}
MOTE_ALWAYS_INLINE I16 load_bytes(const std::int8_t* p) noexcept {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
MOTE_ALWAYS_INLINE I16 load_bytes(const std::int8_t* p, std::ptrdiff_t n) noexcept {
    return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(detail::first_lanes(n), p));
}
MOTE_ALWAYS_INLINE void store_bytes(std::int8_t* p, I16 v) noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi16_epi8(v));
}
MOTE_ALWAYS_INLINE void store_bytes(std::int8_t* p, I16 v, std::ptrdiff_t n) noexcept {
    const __m256i bytes = _mm512_cvtepi16_epi8(v);
    __m128i some = _mm256_castsi256_si128(bytes);
    if (n >= 16) {  // in whole pieces, as floats are
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), some);
        some = _mm256_extracti128_si256(bytes, 1);
        p += 16;
        n -= 16;
    }
    if (n >= 8) {
        detail::write(p, static_cast<std::int64_t>(_mm_cvtsi128_si64(some)));
        some = _mm_unpackhi_epi64(some, some);
        p += 8;
        n -= 8;
    }
    detail::write_bytes(p, static_cast<std::uint64_t>(_mm_cvtsi128_si64(some)), n);
}
/// The first n < 4 N bytes.
MOTE_ALWAYS_INLINE void store(std::int8_t* p, I8 v, std::ptrdiff_t n) noexcept {
    __m256i half = _mm512_castsi512_si256(v);
    if ((n & 32) != 0) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), half);
        half = _mm512_extracti64x4_epi64(v, 1);
        p += 32;
    }
    store_bytes(p, _mm512_cvtepi8_epi16(half), n & 31);
}
MOTE_ALWAYS_INLINE I16 join(I32x2 a) noexcept {
    return _mm512_packs_epi32(a.lo, a.hi);
}
/// As bytes, that saturate: eight of `first`, eight of `second`, and so on.
MOTE_ALWAYS_INLINE I8 join_bytes(I16 first, I16 second) noexcept {
    return _mm512_packs_epi16(first, second);
}
/// The two rows that join_bytes() joined.
MOTE_ALWAYS_INLINE void store_two_rows(std::int8_t* p, std::ptrdiff_t stride, I8 rows) noexcept {
    const __m512i apart = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), rows);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_castsi512_si256(apart));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + stride), _mm512_extracti64x4_epi64(apart, 1));
}
/// Four rows of N bytes: of join_bytes() of the joined sums of the first two and of the others.
MOTE_ALWAYS_INLINE void store_four_rows(std::int8_t* p, std::ptrdiff_t stride, I8 rows) noexcept {
    const __m512i apart =
        _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), rows);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_castsi512_si128(apart));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + stride), _mm512_extracti32x4_epi32(apart, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 2 * stride), _mm512_extracti32x4_epi32(apart, 2));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 3 * stride), _mm512_extracti32x4_epi32(apart, 3));
}
MOTE_ALWAYS_INLINE I16 narrow_halves(I32x2 a) noexcept {
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), _mm512_packs_epi32(a.lo, a.hi));
}
MOTE_ALWAYS_INLINE I32x2 halves(I16 a) noexcept {
    return {_mm512_cvtepi16_epi32(_mm512_castsi512_si256(a)), _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(a, 1))};
}
MOTE_ALWAYS_INLINE I16 add_saturated(I16 a, I16 b) noexcept {
    return _mm512_adds_epi16(a, b);
}
MOTE_ALWAYS_INLINE I32 shift_left(I32 a, int n) noexcept {
    return _mm512_sll_epi32(a, _mm_cvtsi32_si128(n));
}
MOTE_ALWAYS_INLINE I32 shift_right(I32 a, int n) noexcept {
    return _mm512_sra_epi32(a, _mm_cvtsi32_si128(n));
}
namespace detail {
MOTE_ALWAYS_INLINE F64 doubles_lo(I32 a) noexcept {
    return _mm512_cvtepi32_pd(_mm512_castsi512_si256(a));
}
MOTE_ALWAYS_INLINE F64 doubles_hi(I32 a) noexcept {
    return _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(a, 1));
}
MOTE_ALWAYS_INLINE I32 rounded(F64 lo, F64 hi) noexcept {
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtpd_epi32(lo)), _mm512_cvtpd_epi32(hi), 1);
}
}  // namespace detail

#elif defined(MOTE_AVX2)
namespace detail {
MOTE_ALWAYS_INLINE __m256i first_lanes(std::ptrdiff_t n) noexcept {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
MOTE_ALWAYS_INLINE I16 unpack_lo(I16 a, I16 b) noexcept {
    return _mm256_unpacklo_epi16(a, b);
}
MOTE_ALWAYS_INLINE I16 unpack_hi(I16 a, I16 b) noexcept {
    return _mm256_unpackhi_epi16(a, b);
}
MOTE_ALWAYS_INLINE I16 unpack_lo(I8 a, I8 b) noexcept {
    return _mm256_unpacklo_epi8(a, b);
}
MOTE_ALWAYS_INLINE I16 unpack_hi(I8 a, I8 b) noexcept {
    return _mm256_unpackhi_epi8(a, b);
}
MOTE_ALWAYS_INLINE I32 pair_dot(I16 a, I16 b) noexcept {
    return _mm256_madd_epi16(a, b);
}
}  // namespace detail

MOTE_ALWAYS_INLINE F32 load(const float* p, std::ptrdiff_t n) noexcept {
    return _mm256_maskload_ps(p, detail::first_lanes(n));
}
MOTE_ALWAYS_INLINE void store(float* p, F32 v, std::ptrdiff_t n) noexcept {
    _mm256_maskstore_ps(p, detail::first_lanes(n), v);
}
MOTE_ALWAYS_INLINE F32 greatest(F32 x, F32 other) noexcept {
    return _mm256_max_ps(x, other);
}
MOTE_ALWAYS_INLINE F32 least(F32 x, F32 other) noexcept {
    return _mm256_min_ps(x, other);
}
MOTE_ALWAYS_INLINE F32 to_float(I32 a) noexcept {
    return _mm256_cvtepi32_ps(a);
}
MOTE_ALWAYS_INLINE I32 to_int(F32 a) noexcept {
    return _mm256_cvtps_epi32(a);
}
MOTE_ALWAYS_INLINE F32 as_float(I32 a) noexcept {
    return _mm256_castsi256_ps(a);
}
MOTE_ALWAYS_INLINE I16 load_bytes(const std::int8_t* p) noexcept {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
namespace detail {
/// The first n <= 16 bytes, then zeros.
MOTE_ALWAYS_INLINE __m128i some_bytes(const std::int8_t* p, std::ptrdiff_t n) noexcept {
    const std::uint64_t lo = read_bytes(p, n);
    const std::uint64_t hi = n > 8 ? read<std::uint64_t>(p + n - 8) >> (8 * (16 - n)) : 0;
    return _mm_set_epi64x(static_cast<long long>(hi), static_cast<long long>(lo));
}
}  // namespace detail
MOTE_ALWAYS_INLINE I16 load_bytes(const std::int8_t* p, std::ptrdiff_t n) noexcept {
    return _mm256_cvtepi8_epi16(detail::some_bytes(p, n));
}
/// The first n <= 4 N bytes, then zeros.
MOTE_ALWAYS_INLINE I8 load(const std::int8_t* p, std::ptrdiff_t n) noexcept {
    if (n <= 16) return _mm256_zextsi128_si256(detail::some_bytes(p, n));
    return _mm256_set_m128i(detail::some_bytes(p + 16, n - 16), _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
namespace detail {
MOTE_ALWAYS_INLINE __m128i to_bytes(I16 v) noexcept {
    return _mm_packs_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}
/// The first n <= 16 bytes.
MOTE_ALWAYS_INLINE void write_some(std::int8_t* p, __m128i bytes, std::ptrdiff_t n) noexcept {
    write_bytes(p, static_cast<std::uint64_t>(_mm_cvtsi128_si64(bytes)), n < 8 ? n : 8);
    write_bytes(p + 8, static_cast<std::uint64_t>(_mm_extract_epi64(bytes, 1)), n - 8);
}
}  // namespace detail
MOTE_ALWAYS_INLINE void store_bytes(std::int8_t* p, I16 v) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), detail::to_bytes(v));
}
MOTE_ALWAYS_INLINE void store_bytes(std::int8_t* p, I16 v, std::ptrdiff_t n) noexcept {
    detail::write_some(p, detail::to_bytes(v), n);
}
/// The first n < 4 N bytes.
MOTE_ALWAYS_INLINE void store(std::int8_t* p, I8 v, std::ptrdiff_t n) noexcept {
    __m128i half = _mm256_castsi256_si128(v);
    if ((n & 16) != 0) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), half);
        half = _mm256_extracti128_si256(v, 1);
        p += 16;
    }
    detail::write_some(p, half, n & 15);
}
MOTE_ALWAYS_INLINE I16 join(I32x2 a) noexcept {
    return _mm256_packs_epi32(a.lo, a.hi);
}
MOTE_ALWAYS_INLINE I8 join_bytes(I16 first, I16 second) noexcept {
    return _mm256_packs_epi16(first, second);
}
MOTE_ALWAYS_INLINE I16 narrow_halves(I32x2 a) noexcept {
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(a.lo, a.hi), 0xD8);
}
MOTE_ALWAYS_INLINE I32x2 halves(I16 a) noexcept {
    return {_mm256_cvtepi16_epi32(_mm256_castsi256_si128(a)), _mm256_cvtepi16_epi32(_mm256_extracti128_si256(a, 1))};
}
MOTE_ALWAYS_INLINE I16 add_saturated(I16 a, I16 b) noexcept {
    return _mm256_adds_epi16(a, b);
}
MOTE_ALWAYS_INLINE I32 shift_left(I32 a, int n) noexcept {
    return _mm256_sll_epi32(a, _mm_cvtsi32_si128(n));
}
MOTE_ALWAYS_INLINE I32 shift_right(I32 a, int n) noexcept {
    return _mm256_sra_epi32(a, _mm_cvtsi32_si128(n));
}
namespace detail {
MOTE_ALWAYS_INLINE F64 doubles_lo(I32 a) noexcept {
    return _mm256_cvtepi32_pd(_mm256_castsi256_si128(a));
}
MOTE_ALWAYS_INLINE F64 doubles_hi(I32 a) noexcept {
    return _mm256_cvtepi32_pd(_mm256_extracti128_si256(a, 1));
}
MOTE_ALWAYS_INLINE I32 rounded(F64 lo, F64 hi) noexcept {
    return _mm256_set_m128i(_mm256_cvtpd_epi32(hi), _mm256_cvtpd_epi32(lo));
}
}  // namespace detail

#else  // SSE2
namespace detail {
MOTE_ALWAYS_INLINE I16 unpack_lo(I16 a, I16 b) noexcept {
    return _mm_unpacklo_epi16(a, b);
}
MOTE_ALWAYS_INLINE I16 unpack_hi(I16 a, I16 b) noexcept {
    return _mm_unpackhi_epi16(a, b);
}
MOTE_ALWAYS_INLINE I32 pair_dot(I16 a, I16 b) noexcept {
    return _mm_madd_epi16(a, b);
}
MOTE_ALWAYS_INLINE I16 widen(__m128i bytes) noexcept {
    return _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
}
}  // namespace detail

MOTE_ALWAYS_INLINE F32 load(const float* p, std::ptrdiff_t n) noexcept {
    if (n >= 4) return load(p);
    if (n <= 0) return F32(0.0f);
    const __m128 last = _mm_load_ss(p + n - 1);
    if (n == 1) return last;
    const __m128 two = _mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    return n == 2 ? two : _mm_movelh_ps(two, last);
}
MOTE_ALWAYS_INLINE void store(float* p, F32 v, std::ptrdiff_t n) noexcept {
    if (n >= 4) return store(p, v);
    if (n >= 2) _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_castps_si128(v));
    if (n == 1) _mm_store_ss(p, v);
    if (n == 3) _mm_store_ss(p + 2, _mm_movehl_ps(v, v));
}
MOTE_ALWAYS_INLINE F32 greatest(F32 x, F32 other) noexcept {
    return _mm_max_ps(x, other);
}
MOTE_ALWAYS_INLINE F32 least(F32 x, F32 other) noexcept {
    return _mm_min_ps(x, other);
}
MOTE_ALWAYS_INLINE F32 to_float(I32 a) noexcept {
    return _mm_cvtepi32_ps(a);
}
MOTE_ALWAYS_INLINE I32 to_int(F32 a) noexcept {
    return _mm_cvtps_epi32(a);
}
MOTE_ALWAYS_INLINE F32 as_float(I32 a) noexcept {
    return _mm_castsi128_ps(a);
}
MOTE_ALWAYS_INLINE I16 load_bytes(const std::int8_t* p) noexcept {
    return detail::widen(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
MOTE_ALWAYS_INLINE I16 load_bytes(const std::int8_t* p, std::ptrdiff_t n) noexcept {
    return detail::widen(_mm_set_epi64x(0, static_cast<long long>(detail::read_bytes(p, n))));
}
MOTE_ALWAYS_INLINE void store_bytes(std::int8_t* p, I16 v) noexcept {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(v, v));
}
MOTE_ALWAYS_INLINE void store_bytes(std::int8_t* p, I16 v, std::ptrdiff_t n) noexcept {
    detail::write_bytes(p, static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_packs_epi16(v, v))), n);
}
MOTE_ALWAYS_INLINE I16 join(I32x2 a) noexcept {
    return _mm_packs_epi32(a.lo, a.hi);
}
MOTE_ALWAYS_INLINE I8 join_bytes(I16 first, I16 second) noexcept {
    return _mm_packs_epi16(first, second);
}
MOTE_ALWAYS_INLINE I16 narrow_halves(I32x2 a) noexcept {
    return _mm_packs_epi32(a.lo, a.hi);
}
MOTE_ALWAYS_INLINE I32x2 halves(I16 a) noexcept {
    return {_mm_srai_epi32(_mm_unpacklo_epi16(a, a), 16), _mm_srai_epi32(_mm_unpackhi_epi16(a, a), 16)};
}
MOTE_ALWAYS_INLINE I16 add_saturated(I16 a, I16 b) noexcept {
    return _mm_adds_epi16(a, b);
}
MOTE_ALWAYS_INLINE I32 shift_left(I32 a, int n) noexcept {
    return _mm_sll_epi32(a, _mm_cvtsi32_si128(n));
}
MOTE_ALWAYS_INLINE I32 shift_right(I32 a, int n) noexcept {
    return _mm_sra_epi32(a, _mm_cvtsi32_si128(n));
}
namespace detail {
MOTE_ALWAYS_INLINE F64 doubles_lo(I32 a) noexcept {
    return _mm_cvtepi32_pd(a);
}
MOTE_ALWAYS_INLINE F64 doubles_hi(I32 a) noexcept {
    return _mm_cvtepi32_pd(_mm_unpackhi_epi64(a, a));
}
MOTE_ALWAYS_INLINE I32 rounded(F64 lo, F64 hi) noexcept {
    return _mm_unpacklo_epi64(_mm_cvtpd_epi32(lo), _mm_cvtpd_epi32(hi));
}
}  // namespace detail
#endif

/// to[j][i] = from[i][j] for i, j < 4.
MOTE_ALWAYS_INLINE void transpose_4x4(const float* from, std::ptrdiff_t from_stride, float* to,
                                      std::ptrdiff_t to_stride) noexcept {
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + from_stride), c = _mm_loadu_ps(from + 2 * from_stride),
           d = _mm_loadu_ps(from + 3 * from_stride);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a);
    _mm_storeu_ps(to + to_stride, b);
    _mm_storeu_ps(to + 2 * to_stride, c);
    _mm_storeu_ps(to + 3 * to_stride, d);
}

/// a * b exactly, in split order.
MOTE_ALWAYS_INLINE I32x2 products(I16 a, I16 b) noexcept {
    const I16 zero(static_cast<std::int16_t>(0));
    const I16 lo = detail::unpack_lo(a, zero), hi = detail::unpack_hi(a, zero);
    return {detail::pair_dot(lo, detail::unpack_lo(b, zero)), detail::pair_dot(hi, detail::unpack_hi(b, zero))};
}

namespace detail {
/// sum + product at once: else GCC adds the products of several steps first, and runs out of registers.
MOTE_ALWAYS_INLINE I32 add_in_order(I32 sum, I32 product) noexcept {
    const I32::register_type p = product;
    I32::register_type added = sum + product;
    MOTE_OPAQUE_VECTOR_BESIDE(added, p);
    return added;
}
/// sum + a0 * b0 + a1 * b1 of the pairs in each lane.
MOTE_ALWAYS_INLINE I32 add_pair_dot(I32 sum, I16 a, I16 b) noexcept {
#if defined(MOTE_VNNI) && defined(MOTE_AVX512)
    return _mm512_dpwssd_epi32(sum, a, b);
#elif defined(MOTE_VNNI)
    return _mm256_dpwssd_avx_epi32(sum, a, b);
#else
    return add_in_order(sum, pair_dot(a, b));
#endif
}
#if defined(MOTE_VNNI)
/// sum + a0 * b0 + ... + a3 * b3 of the unsigned bytes a and the signed b in each lane.
MOTE_ALWAYS_INLINE I32 byte_dot(I32 sum, I8::register_type a, I8::register_type b) noexcept {
#if defined(__clang__) && defined(MOTE_AVX512)
    return _mm512_dpbusd_epi32(sum, a, b);
#elif defined(__clang__)
    return _mm256_dpbusd_avx_epi32(sum, a, b);
#else
    // GCC 12 copies accumulators around the intrinsic.
#if defined(MOTE_AVX512)
    using Words = __v16si;
#define MOTE_DETAIL_DPBUSD __builtin_ia32_vpdpbusd_v16si
#else
    using Words = __v8si;
#define MOTE_DETAIL_DPBUSD __builtin_ia32_vpdpbusd_v8si
#endif
    auto added = reinterpret_cast<I32::register_type>(MOTE_DETAIL_DPBUSD(
        reinterpret_cast<Words>(static_cast<I32::register_type>(sum)), reinterpret_cast<Words>(a), reinterpret_cast<Words>(b)));
#undef MOTE_DETAIL_DPBUSD
    MOTE_OPAQUE_VECTOR(added);  // else it copies them in a loop of nothing else, which measures the peak
    return added;
#endif
}
#endif
}  // namespace detail
MOTE_ALWAYS_INLINE TapPair pair_taps(I16 x0, I16 x1) noexcept {
    return {detail::unpack_lo(x0, x1), detail::unpack_hi(x0, x1)};
}
/// sum += x0 * w0 + x1 * w1 exactly, in split order.
MOTE_ALWAYS_INLINE void add_products(I32x2& sum, const TapPair& x, const WeightPair& w) noexcept {
    sum.lo = detail::add_pair_dot(sum.lo, x.first, w.first);
    sum.hi = detail::add_pair_dot(sum.hi, x.second, w.second);
}

/// constant + a * factor_a + b * factor_b modulo 2^32 in split order, for bytes a, b and 0 <= factor < 2^23. The factors are
/// taken apart into multiples of 2^8 and the rest, so that 16-bit multiplications do.
class WeightedSum {
  public:
    MOTE_ALWAYS_INLINE WeightedSum(std::int32_t factor_a, std::int32_t factor_b, std::int32_t constant) noexcept
        : constant_(constant), high_(pair(factor_a >> 8, factor_b >> 8)), low_(pair(factor_a & 255, factor_b & 255)) {}
    MOTE_ALWAYS_INLINE I32x2 operator()(I16 a, I16 b) const noexcept {
        return {sum(detail::unpack_lo(a, b)), sum(detail::unpack_hi(a, b))};
    }

  private:
    static MOTE_ALWAYS_INLINE I16 pair(std::int32_t a, std::int32_t b) noexcept {
        return detail::unpack_lo(I16(static_cast<std::int16_t>(a)), I16(static_cast<std::int16_t>(b)));
    }
    MOTE_ALWAYS_INLINE I32 sum(I16 x) const noexcept {
        return detail::add_pair_dot(detail::add_pair_dot(constant_, x << 8, high_), x, low_);
    }
    I32 constant_;
    I16 high_, low_;
};

}  // namespace simd

MOTE_END_KERNELS

#if defined(MOTE_AVX512) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
