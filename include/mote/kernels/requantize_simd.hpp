// SPDX-License-Identifier: MIT
#pragma once
// Requantization and int8 addition of 2 N lanes at once: the bits of requantize_value() and add_value().

#include <mote/kernels/requantize.hpp>
#include <mote/simd/vector.hpp>

MOTE_BEGIN_KERNELS

/// RequantizeI8 for 2 N sums. The clamp is where it is cheapest, behind the rounding: what is too small saturates on its way to
/// 16 bits, and meets its bound there; so does what is too large, where the conversion of a float beyond int32 saturates (x86
/// gives the least integer, so there it stops before) or there is none (multipliers below 1 are `Small`).
template <bool Small>
class BasicRequantizeLanes {
  public:
    MOTE_ALWAYS_INLINE explicit BasicRequantizeLanes(const RequantizeI8& r) noexcept
        : most_(static_cast<float>(r.hi - r.zero_point)),
          zero_point_(static_cast<std::int16_t>(r.zero_point)),
          lo_(static_cast<std::int16_t>(r.lo)),
          hi_(static_cast<std::int16_t>(r.hi)),
          lo_bytes_(static_cast<std::int8_t>(r.lo)),
          hi_bytes_(static_cast<std::int8_t>(r.hi)) {}

    /// Of sums in split order, and multipliers too: the bytes in natural order.
    MOTE_ALWAYS_INLINE simd::I16 operator()(simd::I32x2 sum, simd::F32 multiplier_lo, simd::F32 multiplier_hi) const noexcept {
        return shifted(simd::join({rounded(sum.lo, multiplier_lo), rounded(sum.hi, multiplier_hi)}));
    }
    /// Of N sums in natural order: N bytes, and N more of no meaning.
    MOTE_ALWAYS_INLINE simd::I16 in_order(simd::I32 sum, simd::F32 multiplier) const noexcept {
        const simd::I32 q = rounded(sum, multiplier);
        return shifted(simd::narrow_halves({q, q}));
    }

    /// Of twice as many, as simd::join_bytes() leaves them: a clamp of bytes does for all.
    MOTE_ALWAYS_INLINE simd::I8 operator()(simd::I32x2 a, simd::I32x2 b, simd::F32 a_lo, simd::F32 a_hi, simd::F32 b_lo,
                                           simd::F32 b_hi) const noexcept {
        return bytes<true>(a, b, a_lo, a_hi, b_lo, b_hi);
    }
    /// Or none, where it is that of bytes and a conversion saturates.
    template <bool Clamps>
    MOTE_ALWAYS_INLINE simd::I8 bytes(simd::I32x2 a, simd::I32x2 b, simd::F32 a_lo, simd::F32 a_hi, simd::F32 b_lo,
                                      simd::F32 b_hi) const noexcept {
        const simd::I16 p = simd::join({rounded(a.lo, a_lo), rounded(a.hi, a_hi)});
        const simd::I16 q = simd::join({rounded(b.lo, b_lo), rounded(b.hi, b_hi)});
        const simd::I8 x = simd::join_bytes(simd::add_saturated(p, zero_point_), simd::add_saturated(q, zero_point_));
        return Clamps ? clamped(x, lo_bytes_, hi_bytes_) : x;
    }

  private:
    static constexpr bool saturates = simd::to_int_saturates || Small;
    MOTE_ALWAYS_INLINE simd::I32 rounded(simd::I32 sum, simd::F32 multiplier) const noexcept {
        const simd::F32 x = simd::to_float(sum) * multiplier;
        return simd::to_int(saturates ? x : simd::least(x, most_));
    }
    MOTE_ALWAYS_INLINE simd::I16 shifted(simd::I16 q) const noexcept {
        return clamped(simd::add_saturated(q, zero_point_), lo_, hi_);
    }
    template <class V>
    static MOTE_ALWAYS_INLINE V clamped(V x, V lo, V hi) noexcept {
        x = simd::greatest(x, lo);
        return saturates ? simd::least(x, hi) : x;
    }
    simd::F32 most_;
    simd::I16 zero_point_, lo_, hi_;
    simd::I8 lo_bytes_, hi_bytes_;
};
using RequantizeLanes = BasicRequantizeLanes<false>;

/// AddI8 that is not wide, for 2 N bytes in natural order. The zero points and what rounding adds are one constant.
class AddLanes {
  public:
    MOTE_ALWAYS_INLINE explicit AddLanes(const AddI8& p) noexcept
        : sum_(p.a_multiplier, p.b_multiplier, constant(p)),
          zero_point_(static_cast<std::int16_t>(p.zero_point)),
          lo_(static_cast<std::int16_t>(p.lo)),
          hi_(static_cast<std::int16_t>(p.hi)),
          one_(1),
          shift_(p.shift) {}

    MOTE_ALWAYS_INLINE simd::I16 operator()(simd::I16 a, simd::I16 b) const noexcept {
        const simd::I32x2 sum = sum_(a, b);
        return simd::clamp(simd::add_saturated(simd::join({shifted(sum.lo), shifted(sum.hi)}), zero_point_), lo_, hi_);
    }

  private:
    /// Less than half a step, less what the zero points weigh, modulo 2^32.
    static MOTE_ALWAYS_INLINE std::int32_t constant(const AddI8& p) noexcept {
        const std::uint32_t below_half = (std::uint32_t{1} << (p.shift - 1)) - 1;
        return static_cast<std::int32_t>(
            below_half - static_cast<std::uint32_t>(p.a_zero_point) * static_cast<std::uint32_t>(p.a_multiplier) -
            static_cast<std::uint32_t>(p.b_zero_point) * static_cast<std::uint32_t>(p.b_multiplier));
    }
    /// The rest of sum / 2^shift, half to even: where the quotient is odd, a half was added. (Where the rest matters, at a tie,
    /// the quotient's last bit is that before less than half was added.)
    MOTE_ALWAYS_INLINE simd::I32 shifted(simd::I32 sum) const noexcept {
        return simd::shift_right(sum + (simd::shift_right(sum, shift_) & one_), shift_);
    }
    simd::WeightedSum sum_;
    simd::I16 zero_point_, lo_, hi_;
    simd::I32 one_;
    std::int32_t shift_;
};

/// Any AddI8: of an output far finer than what it adds.
class AddWideLanes {
  public:
    MOTE_ALWAYS_INLINE explicit AddWideLanes(const AddI8& p) noexcept
        : a_factor_(p.a_multiplier / static_cast<double>(std::int64_t{1} << p.shift)),
          b_factor_(p.b_multiplier / static_cast<double>(std::int64_t{1} << p.shift)),
          a_zero_point_(static_cast<std::int16_t>(p.a_zero_point)),
          b_zero_point_(static_cast<std::int16_t>(p.b_zero_point)),
          zero_point_(static_cast<std::int16_t>(p.zero_point)),
          lo_(static_cast<std::int16_t>(p.lo)),
          hi_(static_cast<std::int16_t>(p.hi)) {}

    MOTE_ALWAYS_INLINE simd::I16 operator()(simd::I16 a, simd::I16 b) const noexcept {
        const simd::I32x2 x = simd::halves(a - a_zero_point_), y = simd::halves(b - b_zero_point_);
        const simd::I16 q = simd::narrow_halves(
            {simd::round_sum(x.lo, a_factor_, y.lo, b_factor_), simd::round_sum(x.hi, a_factor_, y.hi, b_factor_)});
        return simd::clamp(simd::add_saturated(q, zero_point_), lo_, hi_);
    }

  private:
    double a_factor_, b_factor_;
    simd::I16 a_zero_point_, b_zero_point_, zero_point_, lo_, hi_;
};

/// Calls use(lanes) with the form of AddI8 that p needs.
template <class Use>
MOTE_ALWAYS_INLINE void with_add_lanes(const AddI8& p, const Use& use) noexcept {
    if (p.wide) {
        use(AddWideLanes(p));
    } else {
        use(AddLanes(p));
    }
}

MOTE_END_KERNELS
