// SPDX-License-Identifier: MIT
#pragma once
// exp and its relatives on vectors of floats.

#include <mote/simd/vector.hpp>

MOTE_BEGIN_KERNELS

namespace simd {

/// e^x, 2^-126 <= result <= 2^127, to about two units in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, and the series of
/// e^r up to r^6, whose next term is below 2^-22 of the result.
MOTE_ALWAYS_INLINE F32 exp(F32 x) noexcept {
    x = clamp(x, F32(-87.33f), F32(88.02f));
    const I32 n = to_int(x * F32(1.44269504f));
    const F32 turns = to_float(n);
    F32 r = fma(turns, F32(-0.693359375f), x);  // ln 2 in two parts: 9 bits, exact in the product, and the rest
    r = fma(turns, F32(2.12194440e-4f), r);
    F32 sum = fma(r, F32(1.0f / 720.0f), F32(1.0f / 120.0f));
    sum = fma(sum, r, F32(1.0f / 24.0f));
    sum = fma(sum, r, F32(1.0f / 6.0f));
    sum = fma(sum, r, F32(0.5f));
    sum = fma(sum, r, F32(1.0f));
    sum = fma(sum, r, F32(1.0f));
    return sum * as_float(shift_left(n + I32(127), 23));
}

/// 1 / (1 + e^-x)
MOTE_ALWAYS_INLINE F32 sigmoid(F32 x) noexcept {
    return F32(1.0f) / (F32(1.0f) + exp(F32(0.0f) - x));
}

/// tanh x = 1 - 2 / (e^2x + 1), to 2^-23 absolutely.
MOTE_ALWAYS_INLINE F32 tanh(F32 x) noexcept {
    return F32(1.0f) - F32(2.0f) / (exp(x + x) + F32(1.0f));
}

MOTE_ALWAYS_INLINE float sum(F32 v) noexcept {
    float lane[lanes32];
    store(lane, v);
    float total = 0.0f;
    for (std::ptrdiff_t i = 0; i < lanes32; ++i) total += lane[i];
    return total;
}
MOTE_ALWAYS_INLINE float largest(F32 v) noexcept {
    float lane[lanes32];
    store(lane, v);
    float most = lane[0];
    for (std::ptrdiff_t i = 1; i < lanes32; ++i) most = lane[i] > most ? lane[i] : most;
    return most;
}

}  // namespace simd

MOTE_END_KERNELS
