// SPDX-License-Identifier: MIT
#pragma once
// Table lookup of bytes in vector registers (contract and definition: kernels/lookup.hpp).

#include <mote/kernels/lookup.hpp>
#include <mote/simd/byte_table.hpp>

MOTE_BEGIN_KERNELS

template <class Lazy = void>
void lookup_i8(std::size_t count, const std::int8_t* table, const std::int8_t* input, std::int8_t* output) noexcept {
    std::size_t i = 0;
#if defined(MOTE_BYTE_TABLE)  // SSE2 has no byte shuffle
    if (count >= 4 * simd::ByteTable::bytes) {
        const simd::ByteTable lookup(table);
        for (; i + simd::ByteTable::bytes <= count; i += simd::ByteTable::bytes) lookup(input + i, output + i);
    }
#endif
    reference::lookup_i8(count - i, table, input + i, output + i);
}

MOTE_END_KERNELS
