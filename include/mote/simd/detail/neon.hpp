// SPDX-License-Identifier: MIT
#pragma once
// What xsimd lacks, for NEON of aarch64 (see simd/vector.hpp for the words).

#include <mote/simd/detail/types.hpp>

#if defined(MOTE_NEON)

#include <arm_neon.h>

MOTE_BEGIN_KERNELS

namespace simd {

/// Whether to_int() of what int32 does not hold is the integer next to it.
constexpr bool to_int_saturates = true;
/// The weights of two taps stand one after the other.
constexpr bool taps_interleaved = false;

MOTE_ALWAYS_INLINE F32 load(const float* p, std::ptrdiff_t n) noexcept {
    if (n >= 4) return load(p);
    float32x4_t v = vdupq_n_f32(0.0f);
    if (n >= 1) v = vsetq_lane_f32(p[0], v, 0);
    if (n >= 2) v = vsetq_lane_f32(p[1], v, 1);
    if (n >= 3) v = vsetq_lane_f32(p[2], v, 2);
    return v;
}
/// Loads, and moves the pointer so many bytes on, by one instruction.
MOTE_ALWAYS_INLINE F32 load_next(const char*& p, std::ptrdiff_t bytes) noexcept {
    float32x4_t v;
    __asm__ volatile("ld1 {%0.4s}, [%1], %2" : "=w"(v), "+r"(p) : "r"(bytes) : "memory");
    return v;
}
MOTE_ALWAYS_INLINE void store(float* p, F32 v, std::ptrdiff_t n) noexcept {
    if (n >= 4) return store(p, v);
    if (n >= 1) p[0] = vgetq_lane_f32(v, 0);
    if (n >= 2) p[1] = vgetq_lane_f32(v, 1);
    if (n >= 3) p[2] = vgetq_lane_f32(v, 2);
}
// Compare and select, so that a NaN becomes the other.
MOTE_ALWAYS_INLINE F32 greatest(F32 x, F32 other) noexcept {
    return vbslq_f32(vcgtq_f32(x, other), x, other);
}
MOTE_ALWAYS_INLINE F32 least(F32 x, F32 other) noexcept {
    return vbslq_f32(vcltq_f32(x, other), x, other);
}
MOTE_ALWAYS_INLINE F32 to_float(I32 a) noexcept {
    return vcvtq_f32_s32(a);
}
MOTE_ALWAYS_INLINE I32 to_int(F32 a) noexcept {
    return vcvtnq_s32_f32(a);
}
MOTE_ALWAYS_INLINE F32 as_float(I32 a) noexcept {
    return vreinterpretq_f32_s32(a);
}
MOTE_ALWAYS_INLINE I16 load_bytes(const std::int8_t* p) noexcept {
    return vmovl_s8(vld1_s8(p));
}
MOTE_ALWAYS_INLINE I16 load_bytes(const std::int8_t* p, std::ptrdiff_t n) noexcept {
    return vmovl_s8(vcreate_s8(detail::read_bytes(p, n)));
}
MOTE_ALWAYS_INLINE void store_bytes(std::int8_t* p, I16 v) noexcept {
    vst1_s8(p, vqmovn_s16(v));
}
MOTE_ALWAYS_INLINE void store_bytes(std::int8_t* p, I16 v, std::ptrdiff_t n) noexcept {
    detail::write_bytes(p, vget_lane_u64(vreinterpret_u64_s8(vqmovn_s16(v)), 0), n);
}
namespace detail {
/// Both as 16-bit integers, saturated, in words: GCC moves what is narrowed first.
MOTE_ALWAYS_INLINE int16x8_t narrow(int32x4_t lo, int32x4_t hi) noexcept {
    int16x8_t both;
    __asm__("sqxtn %0.4h, %1.4s\n\tsqxtn2 %0.8h, %2.4s" : "=&w"(both) : "w"(lo), "w"(hi));
    return both;
}
MOTE_ALWAYS_INLINE int8x16_t narrow(int16x8_t lo, int16x8_t hi) noexcept {
    int8x16_t both;
    __asm__("sqxtn %0.8b, %1.8h\n\tsqxtn2 %0.16b, %2.8h" : "=&w"(both) : "w"(lo), "w"(hi));
    return both;
}
}  // namespace detail
MOTE_ALWAYS_INLINE I16 join(I32x2 a) noexcept {
    return detail::narrow(a.lo, a.hi);
}
MOTE_ALWAYS_INLINE I8 join_bytes(I16 first, I16 second) noexcept {
    return detail::narrow(first, second);
}
MOTE_ALWAYS_INLINE I16 narrow_halves(I32x2 a) noexcept {
    return join(a);
}
MOTE_ALWAYS_INLINE I32x2 halves(I16 a) noexcept {
    return {vmovl_s16(vget_low_s16(a)), vmovl_high_s16(a)};
}
MOTE_ALWAYS_INLINE I16 add_saturated(I16 a, I16 b) noexcept {
    return vqaddq_s16(a, b);
}
MOTE_ALWAYS_INLINE I32 shift_left(I32 a, int n) noexcept {
    return vshlq_s32(a, vdupq_n_s32(n));
}
MOTE_ALWAYS_INLINE I32 shift_right(I32 a, int n) noexcept {
    return vshlq_s32(a, vdupq_n_s32(-n));
}
namespace detail {
MOTE_ALWAYS_INLINE F64 doubles_lo(I32 a) noexcept {
    return vcvtq_f64_s64(vmovl_s32(vget_low_s32(a)));
}
MOTE_ALWAYS_INLINE F64 doubles_hi(I32 a) noexcept {
    return vcvtq_f64_s64(vmovl_high_s32(a));
}
MOTE_ALWAYS_INLINE I32 rounded(F64 lo, F64 hi) noexcept {
    return vcombine_s32(vmovn_s64(vcvtnq_s64_f64(lo)), vmovn_s64(vcvtnq_s64_f64(hi)));
}
}  // namespace detail
/// to[j][i] = from[i][j] for i, j < 4.
MOTE_ALWAYS_INLINE void transpose_4x4(const float* from, std::ptrdiff_t from_stride, float* to,
                                      std::ptrdiff_t to_stride) noexcept {
    const float32x4_t a = vld1q_f32(from), b = vld1q_f32(from + from_stride), c = vld1q_f32(from + 2 * from_stride),
                      d = vld1q_f32(from + 3 * from_stride);
    const float32x4x2_t even = vzipq_f32(a, c), odd = vzipq_f32(b, d);
    const float32x4x2_t low = vzipq_f32(even.val[0], odd.val[0]), high = vzipq_f32(even.val[1], odd.val[1]);
    vst1q_f32(to, low.val[0]);
    vst1q_f32(to + to_stride, low.val[1]);
    vst1q_f32(to + 2 * to_stride, high.val[0]);
    vst1q_f32(to + 3 * to_stride, high.val[1]);
}

/// a * b exactly, in split order.
MOTE_ALWAYS_INLINE I32x2 products(I16 a, I16 b) noexcept {
    return {vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)};
}

/// constant + a * factor_a + b * factor_b modulo 2^32 in split order, for bytes a, b and 0 <= factor < 2^23.
class WeightedSum {
  public:
    MOTE_ALWAYS_INLINE WeightedSum(std::int32_t factor_a, std::int32_t factor_b, std::int32_t constant) noexcept
        : constant_(constant), factor_a_(factor_a), factor_b_(factor_b) {}
    MOTE_ALWAYS_INLINE I32x2 operator()(I16 a, I16 b) const noexcept {
        const I32x2 x = halves(a), y = halves(b);
        return {sum(x.lo, y.lo), sum(x.hi, y.hi)};
    }

  private:
    MOTE_ALWAYS_INLINE I32 sum(I32 a, I32 b) const noexcept {
        return vmlaq_s32(vmlaq_s32(constant_, a, factor_a_), b, factor_b_);
    }
    I32 constant_, factor_a_, factor_b_;
};

}  // namespace simd

MOTE_END_KERNELS

#endif
