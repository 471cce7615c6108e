// SPDX-License-Identifier: MIT
#pragma once
// Any function of one byte by table: the scalar definition.

#include <mote/simd/instruction_set.hpp>

#include <cstddef>
#include <cstdint>

MOTE_BEGIN_KERNELS

namespace reference {

/// `table` [256] holds the result for q at q + 128. The output may be the input.
inline void lookup_i8(std::size_t count, const std::int8_t* table, const std::int8_t* input, std::int8_t* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) output[i] = table[input[i] + 128];
}

}  // namespace reference

MOTE_END_KERNELS
