// SPDX-License-Identifier: MIT
#pragma once
// Requantization and int8 addition of 2 N lanes at once: the bits of requantize_value() and add_value().

#include <mote/kernels/requantize.hpp>
#include <mote/simd/vector.hpp>

MOTE_BEGIN_KERNELS

/// RequantizeI8 for 2 N sums in split order.
class RequantizeLanes {
  public:
    MOTE_ALWAYS_INLINE explicit RequantizeLanes(const RequantizeI8& r) noexcept
        : lo_(static_cast<float>(r.lo - r.zero_point)),
          hi_(static_cast<float>(r.hi - r.zero_point)),
          zero_point_(static_cast<std::int16_t>(r.zero_point)) {}

    /// The bytes, in natural order; the multipliers in split order.
    MOTE_ALWAYS_INLINE simd::I16 operator()(simd::I32x2 sum, simd::F32 multiplier_lo, simd::F32 multiplier_hi) const noexcept {
        return simd::join({rounded(sum.lo, multiplier_lo), rounded(sum.hi, multiplier_hi)}) + zero_point_;
    }

  private:
    MOTE_ALWAYS_INLINE simd::I32 rounded(simd::I32 sum, simd::F32 multiplier) const noexcept {
        return simd::to_int(simd::clamp(simd::to_float(sum) * multiplier, lo_, hi_));
    }
    simd::F32 lo_, hi_;
    simd::I16 zero_point_;
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
