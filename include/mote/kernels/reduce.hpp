// SPDX-License-Identifier: MIT
#pragma once
// Reductions over the middle of [outer, spatial, channels]: the scalar definitions.

#include <mote/core/geometry.hpp>
#include <mote/core/reduction.hpp>
#include <mote/simd/instruction_set.hpp>

#include <cstddef>

MOTE_BEGIN_KERNELS

namespace reference {

/// Partial results side by side, so that neighbours are added in one instruction and long sums stay exact for longer.
inline constexpr std::ptrdiff_t reduce_lanes = 16;

MOTE_ALWAYS_INLINE float reduce_start(Reduction function) noexcept {
    return function == Reduction::prod  ? 1.0f
           : function == Reduction::max ? -__builtin_huge_valf()
           : function == Reduction::min ? __builtin_huge_valf()
                                        : 0.0f;
}

/// lane[i] takes in x[i]; `largest` is what log_sum_exp subtracts from it.
inline void reduce_row(Reduction function, std::ptrdiff_t count, const float* x, const float* largest, float* lane) noexcept {
    switch (function) {
        case Reduction::sum:
        case Reduction::mean:
        case Reduction::log_sum:
            for (std::ptrdiff_t i = 0; i < count; ++i) lane[i] += x[i];
            return;
        case Reduction::max:
            for (std::ptrdiff_t i = 0; i < count; ++i) lane[i] = x[i] > lane[i] ? x[i] : lane[i];
            return;
        case Reduction::min:
            for (std::ptrdiff_t i = 0; i < count; ++i) lane[i] = x[i] < lane[i] ? x[i] : lane[i];
            return;
        case Reduction::prod:
            for (std::ptrdiff_t i = 0; i < count; ++i) lane[i] *= x[i];
            return;
        case Reduction::l1:
            for (std::ptrdiff_t i = 0; i < count; ++i) lane[i] += x[i] < 0.0f ? -x[i] : x[i];
            return;
        case Reduction::l2:
        case Reduction::sum_square:
            for (std::ptrdiff_t i = 0; i < count; ++i) lane[i] += x[i] * x[i];
            return;
        case Reduction::log_sum_exp:
            for (std::ptrdiff_t i = 0; i < count; ++i) lane[i] += __builtin_expf(x[i] - largest[i]);
            return;
    }
}

/// What is subtracted before exp: the largest number, so that nothing overflows, or 0 where that is infinite.
MOTE_ALWAYS_INLINE float reduce_shift(float largest) noexcept {
    return largest - largest == 0.0f ? largest : 0.0f;
}

MOTE_ALWAYS_INLINE float reduce_end(Reduction function, float value, float largest, std::ptrdiff_t count) noexcept {
    switch (function) {
        case Reduction::mean:
            return value / static_cast<float>(count);
        case Reduction::l2:
            return __builtin_sqrtf(value);
        case Reduction::log_sum:
            return __builtin_logf(value);
        case Reduction::log_sum_exp:
            return largest + __builtin_logf(value);
        default:
            return value;
    }
}

/// How lanes that were filled by `function` join: by the sum, or as max, min and prod do.
MOTE_ALWAYS_INLINE Reduction reduce_join(Reduction function) noexcept {
    const bool own = function == Reduction::max || function == Reduction::min || function == Reduction::prod;
    return own ? function : Reduction::sum;
}

/// `count` rows, `step` apart, of up to reduce_lanes numbers into as many lanes.
__attribute__((noinline)) inline void reduce_rows(Reduction function, std::ptrdiff_t count, std::ptrdiff_t step,
                                                  std::ptrdiff_t width, const float* x, const float* largest,
                                                  float* lane) noexcept {
    for (std::ptrdiff_t i = 0; i < width; ++i) lane[i] = reduce_start(function);
    for (std::ptrdiff_t r = 0; r < count; ++r) reduce_row(function, width, x + r * step, largest, lane);
}

/// All of `count` neighbours into one number.
__attribute__((noinline)) inline float reduce_run(Reduction function, std::ptrdiff_t count, const float* x,
                                                  float largest) noexcept {
    float lane[reduce_lanes], shift[reduce_lanes];
    for (std::ptrdiff_t i = 0; i < reduce_lanes; ++i) shift[i] = largest;
    const std::ptrdiff_t whole = count / reduce_lanes;
    reduce_rows(function, whole, reduce_lanes, reduce_lanes, x, shift, lane);
    reduce_row(function, count - whole * reduce_lanes, x + whole * reduce_lanes, shift, lane);
    float result = lane[0];
    for (std::ptrdiff_t i = 1; i < reduce_lanes; ++i) reduce_row(reduce_join(function), 1, lane + i, shift, &result);
    return result;
}

/// [outer, spatial, channels] -> [outer, channels], spatial > 0.
template <class G>
void reduce_f32(const G& g, Reduction function, const float* input, float* output) noexcept {
    const std::ptrdiff_t channels = g.channels, count = g.spatial;
    float lane[reduce_lanes], shift[reduce_lanes] = {};
    for (std::int32_t o = 0; o < g.outer; ++o, input += count * channels, output += channels) {
        if (channels == 1) {
            if (function == Reduction::log_sum_exp) shift[0] = reduce_shift(reduce_run(Reduction::max, count, input, 0.0f));
            output[0] = reduce_end(function, reduce_run(function, count, input, shift[0]), shift[0], count);
            continue;
        }
        for (std::ptrdiff_t c = 0; c < channels; c += reduce_lanes) {
            const std::ptrdiff_t width = channels - c < reduce_lanes ? channels - c : reduce_lanes;
            if (function == Reduction::log_sum_exp) {
                reduce_rows(Reduction::max, count, channels, width, input + c, shift, lane);
                for (std::ptrdiff_t i = 0; i < width; ++i) shift[i] = reduce_shift(lane[i]);
            }
            reduce_rows(function, count, channels, width, input + c, shift, lane);
            for (std::ptrdiff_t i = 0; i < width; ++i) output[c + i] = reduce_end(function, lane[i], shift[i], count);
        }
    }
}

/// [outer, spatial, channels] -> [outer, channels]: where the largest (or the smallest) number stands along the middle; of
/// equal ones the first, or the last.
template <class G>
void arg_max_f32(const G& g, bool largest, bool last, const float* input, std::int64_t* output) noexcept {
    const std::ptrdiff_t channels = g.channels;
    for (std::int32_t o = 0; o < g.outer; ++o, input += g.spatial * channels, output += channels) {
        for (std::ptrdiff_t c = 0; c < channels; ++c) {
            std::int32_t best = 0;
            for (std::int32_t r = 1; r < g.spatial; ++r) {
                const float a = input[best * channels + c], b = input[r * channels + c];
                if ((largest ? b > a : b < a) || (last && b == a)) best = r;
            }
            output[c] = best;
        }
    }
}

}  // namespace reference

MOTE_END_KERNELS
