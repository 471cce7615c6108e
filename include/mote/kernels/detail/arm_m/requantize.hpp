// SPDX-License-Identifier: MIT
#pragma once
// Requantization and the sum of two bytes for firmware: the formulas of kernels/requantize.hpp, the same bits, in the shortest
// form of the core. With an FPU the conversion to an integer rounds to nearest even by itself; without one an exact product of
// integers answers, and only near a tie the formula itself.

#include <mote/kernels/requantize.hpp>

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#include <arm_mve.h>
#define MOTE_TILE_MVE 1
#elif defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#define MOTE_TILE_DSP 1
#endif
#if defined(__ARM_FP) && (__ARM_FP & 4)
#define MOTE_TILE_FPU 1
#endif
#endif

MOTE_BEGIN_KERNELS

namespace tile {

struct Product {
    std::int32_t high;
    std::uint32_t low;
};
/// The 64-bit product; 0 <= b < 2^31.
MOTE_ALWAYS_INLINE Product multiply(std::int32_t a, std::int32_t b) noexcept {
#if defined(__ARM_ARCH_6M__) || (defined(__ARM_ARCH_8M_BASE__) && __ARM_ARCH_8M_BASE__)
    // No long multiply: four products of halves.
    const std::uint32_t a_low = static_cast<std::uint32_t>(a) & 0xffffu, b_low = static_cast<std::uint32_t>(b) & 0xffffu;
    const std::int32_t a_high = a >> 16, b_high = b >> 16;
    const std::uint32_t low = a_low * b_low;
    const std::int32_t middle = a_high * static_cast<std::int32_t>(b_low) + static_cast<std::int32_t>(low >> 16);
    const std::uint32_t rest = (static_cast<std::uint32_t>(middle) & 0xffffu) + a_low * static_cast<std::uint32_t>(b_high);
    return {a_high * b_high + (middle >> 16) + static_cast<std::int32_t>(rest >> 16), (rest << 16) | (low & 0xffffu)};
#else
    const std::int64_t product = std::int64_t{a} * b;
    return {static_cast<std::int32_t>(product >> 32), static_cast<std::uint32_t>(product)};
#endif
}

MOTE_NEVER_INLINE std::int8_t requantize_near_tie(std::int32_t sum, float multiplier, const RequantizeI8& r) noexcept {
    return requantize_value(sum, multiplier, r);
}

/// requantize_value() in integers. The exact product x = sum * multiplier stands in 2^-16 steps, rounded down. The formula
/// rounds the sum and the product to 24 bits: by less than 2^-15 in all where |x| <= 256, and beyond that both are clamped. So
/// where x is 2^-14 away from a tie, both round to the same integer.
MOTE_ALWAYS_INLINE std::int8_t requantize_integer(std::int32_t sum, float multiplier, const RequantizeI8& r) noexcept {
    std::int32_t bits;
    __builtin_memcpy(&bits, &multiplier, sizeof bits);
    const std::int32_t shift = 141 - (bits >> 23);  // multiplier * 2^16 = mantissa * 2^-shift
    const std::int32_t mantissa = ((bits & 0x007fffff) | 0x00800000) << 7;
    if (shift < 1 || shift > 31) return requantize_near_tie(sum, multiplier, r);
    const Product product = multiply(sum, mantissa);
    const std::int32_t x =
        static_cast<std::int32_t>((static_cast<std::uint32_t>(product.high) << (32 - shift)) | (product.low >> shift));
    if ((product.high >> shift) != (x >> 30)) return static_cast<std::int8_t>(product.high < 0 ? r.lo : r.hi);  // |x| >= 2^14
    const std::int32_t shifted = x + 0x8000;
    if (((shifted + 4) & 0xffff) < 8) return requantize_near_tie(sum, multiplier, r);
    std::int32_t q = (shifted >> 16) + r.zero_point;
    q = q > r.lo ? q : r.lo;
    q = q < r.hi ? q : r.hi;
    return static_cast<std::int8_t>(q);
}

MOTE_ALWAYS_INLINE std::int8_t requantize(std::int32_t sum, float multiplier, const RequantizeI8& r) noexcept {
#if defined(MOTE_TILE_FPU) && defined(__ARM_FEATURE_DSP)
    const float x = static_cast<float>(sum) * multiplier;
    float rounded;
#if __ARM_ARCH >= 8
    __asm__("vcvtn.s32.f32 %0, %1" : "=t"(rounded) : "t"(x));
#else
    __asm__("vcvtr.s32.f32 %0, %1" : "=t"(rounded) : "t"(x));
#endif
    std::int32_t q;
    __builtin_memcpy(&q, &rounded, sizeof q);
    __asm__("qadd %0, %1, %2" : "=r"(q) : "r"(q), "r"(r.zero_point));
    if (r.lo == -128 && r.hi == 127) {
        __asm__("ssat %0, #8, %1" : "=r"(q) : "r"(q));
    } else {
        q = q > r.lo ? q : r.lo;
        q = q < r.hi ? q : r.hi;
    }
    return static_cast<std::int8_t>(q);
#elif defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && !defined(MOTE_TILE_FPU)
    return requantize_integer(sum, multiplier, r);
#else
    return requantize_value(sum, multiplier, r);
#endif
}

/// add_value() in 32 bits where they hold the sum.
MOTE_ALWAYS_INLINE std::int8_t add(const AddI8& p, std::int32_t a, std::int32_t b) noexcept {
    if (p.wide) return add_value(p, a, b);
    const std::int32_t sum = (a - p.a_zero_point) * p.a_multiplier + (b - p.b_zero_point) * p.b_multiplier;
    const std::int32_t floor = sum >> p.shift;
    const std::uint32_t rest = static_cast<std::uint32_t>(sum) & ((1u << p.shift) - 1u);
    const std::uint32_t half = 1u << (p.shift - 1);
    std::int32_t q = p.zero_point + floor + (rest + (static_cast<std::uint32_t>(floor) & 1u) > half ? 1 : 0);
    q = q > p.lo ? q : p.lo;
    q = q < p.hi ? q : p.hi;
    return static_cast<std::int8_t>(q);
}

/// One byte of the output.
MOTE_ALWAYS_INLINE void finish(std::int32_t sum, float multiplier, const ConvI8& run, std::int32_t at) noexcept {
    std::int8_t q = requantize(sum, multiplier, run.requantize);
    if (run.residual != nullptr) q = add(run.add, q, run.residual[at]);
    run.output[at] = q;
}

#if defined(MOTE_TILE_MVE) && (__ARM_FEATURE_MVE & 2)
MOTE_ALWAYS_INLINE int32x4_t requantized(int32x4_t sums, float32x4_t multipliers, const RequantizeI8& r) noexcept {
    int32x4_t q = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(sums), multipliers));
    q = vmaxq_s32(q, vdupq_n_s32(r.lo - r.zero_point));
    q = vminq_s32(q, vdupq_n_s32(r.hi - r.zero_point));
    return vaddq_n_s32(q, r.zero_point);
}
/// add() of bytes in 32 bits.
MOTE_ALWAYS_INLINE int32x4_t added(const AddI8& p, int32x4_t a, int32x4_t b) noexcept {
    const int32x4_t x = vmulq_n_s32(vsubq_n_s32(a, p.a_zero_point), p.a_multiplier);
    const int32x4_t sum = vmlaq_n_s32(x, vsubq_n_s32(b, p.b_zero_point), p.b_multiplier);
    // Half to even: half of a step less one, and one more where the step below is odd.
    const int32x4_t odd = vandq_s32(vshlq_r_s32(sum, -p.shift), vdupq_n_s32(1));
    const int32x4_t shifted = vshlq_r_s32(vaddq_s32(vaddq_n_s32(sum, (1 << (p.shift - 1)) - 1), odd), -p.shift);
    const int32x4_t q = vmaxq_s32(vaddq_n_s32(shifted, p.zero_point), vdupq_n_s32(p.lo));
    return vminq_s32(q, vdupq_n_s32(p.hi));
}

/// Up to four words.
MOTE_ALWAYS_INLINE int32x4_t load(std::int32_t count, const std::int32_t* p) noexcept {
    return count == 4 ? vldrwq_s32(p) : vldrwq_z_s32(p, vctp32q(static_cast<std::uint32_t>(count)));
}
MOTE_ALWAYS_INLINE float32x4_t load(std::int32_t count, const float* p) noexcept {
    return count == 4 ? vldrwq_f32(p) : vldrwq_z_f32(p, vctp32q(static_cast<std::uint32_t>(count)));
}

/// Up to four bytes of the output.
MOTE_ALWAYS_INLINE void finish(std::int32_t channels, int32x4_t sums, float32x4_t multipliers, const ConvI8& run,
                               std::int32_t at) noexcept {
    int32x4_t q = requantized(sums, multipliers, run.requantize);
    if (run.residual != nullptr) {
        if (run.add.wide) {
            std::int32_t bytes[4];
            vst1q_s32(bytes, q);
            for (std::int32_t i = 0; i < channels; ++i) {
                run.output[at + i] = add_value(run.add, bytes[i], run.residual[at + i]);
            }
            return;
        }
        const std::int8_t* other = run.residual + at;
        q = added(run.add, q,
                  channels == 4 ? vldrbq_s32(other) : vldrbq_z_s32(other, vctp32q(static_cast<std::uint32_t>(channels))));
    }
    if (channels == 4) {
        vstrbq_s32(run.output + at, q);
    } else {
        vstrbq_p_s32(run.output + at, q, vctp32q(static_cast<std::uint32_t>(channels)));
    }
}
#endif

}  // namespace tile

MOTE_END_KERNELS
