// SPDX-License-Identifier: MIT
// Table lookup: every byte at every place of a vector.

#include <mote/kernels/lookup.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/lookup_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

TEST_CASE("lookup_i8 definition: the entry for q stands at q + 128") {
    std::vector<std::int8_t> table(256);
    for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(127 - i);
    const std::int8_t q[] = {-128, -1, 0, 127};
    std::int8_t out[4];
    mote::kernels::reference::lookup_i8(4, table.data(), q, out);
    CHECK((out[0] == 127 && out[1] == 0 && out[2] == -1 && out[3] == -128));
}

#if defined(MOTE_VECTORS)
TEST_CASE(
    "lookup_i8: the vector kernel equals the definition for every byte at every place and at every length, in place too") {
    mote::Random random(50);
    const auto table = support::bytes(256, random);
    for (std::size_t count = 0; count <= 300; ++count) {
        CAPTURE(count);
        std::vector<std::int8_t> q(count);
        for (std::size_t i = 0; i < count; ++i) q[i] = static_cast<std::int8_t>(static_cast<int>((i * 7 + count) & 255) - 128);
        std::vector<std::int8_t> expected(count);
        mote::kernels::reference::lookup_i8(count, table.data(), q.data(), expected.data());
        mote::kernels::lookup_i8(count, table.data(), q.data(), q.data());
        CHECK(q == expected);
    }
}
#endif
