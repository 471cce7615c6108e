// SPDX-License-Identifier: MIT
#pragma once
// Softmax over the channels of each of `outer` rows: the scalar definitions. The output may be the input.

#include <mote/core/geometry.hpp>
#include <mote/simd/instruction_set.hpp>

#include <cstddef>

MOTE_BEGIN_KERNELS

/// -128 + round(256 * part / sum), at most 127, half to even; 0 < sum.
MOTE_ALWAYS_INLINE std::int8_t softmax_byte(std::uint32_t part, std::uint64_t sum) noexcept {
    const std::uint64_t scaled = std::uint64_t{256} * part;
    std::uint64_t q = scaled / sum;
    const std::uint64_t twice = 2 * (scaled - q * sum);
    if (twice > sum || (twice == sum && (q & 1) != 0)) ++q;
    return static_cast<std::int8_t>((q > 255 ? 255 : static_cast<std::int32_t>(q)) - 128);
}

namespace reference {

/// exp(x - largest) / sum(exp(x - largest)): nothing overflows.
template <class G>
void softmax_f32(const G& g, const float* input, float* output) noexcept {
    for (std::int32_t r = 0; r < g.outer; ++r, input += g.channels, output += g.channels) {
        float largest = input[0];
        for (std::int32_t c = 1; c < g.channels; ++c) largest = input[c] > largest ? input[c] : largest;
        float sum = 0.0f;
        for (std::int32_t c = 0; c < g.channels; ++c) sum += output[c] = __builtin_expf(input[c] - largest);
        for (std::int32_t c = 0; c < g.channels; ++c) output[c] /= sum;
    }
}

/// t[c] = table[largest - q[c]], where table [256] holds round(exp(-scale * difference) * 2^22);
/// q[c] = min(127, -128 + round(256 * t[c] / sum(t))), half to even: scale 1/256, zero point -128. In integers alone.
template <class G>
void softmax_i8(const G& g, const std::int32_t* table, const std::int8_t* input, std::int8_t* output) noexcept {
    for (std::int32_t r = 0; r < g.outer; ++r, input += g.channels, output += g.channels) {
        std::int32_t largest = -128;
        for (std::int32_t c = 0; c < g.channels; ++c) largest = input[c] > largest ? input[c] : largest;
        std::uint64_t sum = 0;
        for (std::int32_t c = 0; c < g.channels; ++c) sum += static_cast<std::uint32_t>(table[largest - input[c]]);
        if (sum == 0) sum = 1;  // a table of zeros gives zeros
        for (std::int32_t c = 0; c < g.channels; ++c) {
            output[c] = softmax_byte(static_cast<std::uint32_t>(table[largest - input[c]]), sum);
        }
    }
}

}  // namespace reference

MOTE_END_KERNELS
