// SPDX-License-Identifier: MIT
#pragma once
// Requantization and int8 addition of 2 N lanes at once: the bits of requantize_value() and add_value().

#include <mote/kernels/requantize.hpp>
#include <mote/simd/vector.hpp>

MOTE_BEGIN_KERNELS

/// RequantizeI8 for 2 N sums. The clamp is where it is cheapest, behind the rounding: what is too small saturates on its way to
/// 16 bits, and meets its bound there; so does what is too large, where the conversion of a float beyond int32 saturates (x86
/// gives the least integer, so there it stops before).
class RequantizeLanes {
  public:
    MOTE_ALWAYS_INLINE explicit RequantizeLanes(const RequantizeI8& r) noexcept
        : hi_(static_cast<float>(r.hi - r.zero_point)),
          zero_point_(static_cast<std::int16_t>(r.zero_point)),
          lo_(static_cast<std::int16_t>(r.lo)),
          hi_bytes_(static_cast<std::int16_t>(r.hi)) {}

    /// Of sums in split order, and multipliers too: the bytes in natural order.
    MOTE_ALWAYS_INLINE simd::I16 operator()(simd::I32x2 sum, simd::F32 multiplier_lo, simd::F32 multiplier_hi) const noexcept {
        return shifted(simd::join({rounded(sum.lo, multiplier_lo), rounded(sum.hi, multiplier_hi)}));
    }
    /// Of N sums in natural order: N bytes, and N more of no meaning.
    MOTE_ALWAYS_INLINE simd::I16 in_order(simd::I32 sum, simd::F32 multiplier) const noexcept {
        const simd::I32 q = rounded(sum, multiplier);
        return shifted(simd::narrow_halves({q, q}));
    }

  private:
    MOTE_ALWAYS_INLINE simd::I32 rounded(simd::I32 sum, simd::F32 multiplier) const noexcept {
        const simd::F32 x = simd::to_float(sum) * multiplier;
        return simd::to_int(simd::to_int_saturates ? x : simd::least(x, hi_));
    }
    MOTE_ALWAYS_INLINE simd::I16 shifted(simd::I16 q) const noexcept {
        const simd::I16 x = simd::greatest(simd::add_saturated(q, zero_point_), lo_);
        return simd::to_int_saturates ? simd::least(x, hi_bytes_) : x;
    }
    simd::F32 hi_;
    simd::I16 zero_point_, lo_, hi_bytes_;
};

/// AddI8 that is not wide, for 2 N bytes in natural order.
class AddLanes {
  public:
    MOTE_ALWAYS_INLINE explicit AddLanes(const AddI8& p) noexcept
        : sum_(p.a_multiplier, p.b_multiplier),
          a_zero_point_(static_cast<std::int16_t>(p.a_zero_point)),
          b_zero_point_(static_cast<std::int16_t>(p.b_zero_point)),
          zero_point_(static_cast<std::int16_t>(p.zero_point)),
          lo_(static_cast<std::int16_t>(p.lo)),
          hi_(static_cast<std::int16_t>(p.hi)),
          below_half_((std::int32_t{1} << (p.shift - 1)) - 1),
          one_(1),
          shift_(p.shift) {}

    MOTE_ALWAYS_INLINE simd::I16 operator()(simd::I16 a, simd::I16 b) const noexcept {
        const simd::I32x2 sum = sum_(a - a_zero_point_, b - b_zero_point_);
        return simd::clamp(simd::add_saturated(simd::join({shifted(sum.lo), shifted(sum.hi)}), zero_point_), lo_, hi_);
    }

  private:
    /// sum / 2^shift, half to even: less than half is added where the quotient is even, half where it is odd.
    MOTE_ALWAYS_INLINE simd::I32 shifted(simd::I32 sum) const noexcept {
        return simd::shift_right(sum + below_half_ + (simd::shift_right(sum, shift_) & one_), shift_);
    }
    simd::WeightedSum sum_;
    simd::I16 a_zero_point_, b_zero_point_, zero_point_, lo_, hi_;
    simd::I32 below_half_, one_;
    std::int32_t shift_;
};

MOTE_END_KERNELS
