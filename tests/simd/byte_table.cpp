// SPDX-License-Identifier: MIT
// ByteTable gives every byte its entry.

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_VECTORS)
#include <mote/simd/byte_table.hpp>

#include <support/catch.hpp>

#if defined(MOTE_BYTE_TABLE)
TEST_CASE("byte table: all 256 bytes find their entry") {
    using mote::kernels::simd::ByteTable;
    std::int8_t table[256], in[256], out[256];
    for (int i = 0; i < 256; ++i) {
        table[i] = static_cast<std::int8_t>((i * 37 + 11) % 256 - 128);
        in[i] = static_cast<std::int8_t>((i * 101) % 256 - 128);
    }
    const ByteTable lookup(table);
    for (std::ptrdiff_t i = 0; i < 256; i += ByteTable::bytes) lookup(in + i, out + i);
    for (int i = 0; i < 256; ++i) CHECK(out[i] == table[in[i] + 128]);
}
#endif
#endif
