// SPDX-License-Identifier: MIT
// The loops that measure what a core can do compute as much as they are credited with, and read every word.

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_VECTORS)
#include <mote/simd/peak.hpp>

#include <support/catch.hpp>

#include <cstddef>

namespace peak_test {

using namespace mote::kernels::simd;

template <class Dot>
bool counts_all() {
    return 2.0 * peak::run<Dot>() == peak::operations<Dot>();
}

}  // namespace peak_test

TEST_CASE("peak: the sum of products of ones is half of the operations that are counted") {
    CHECK(peak_test::counts_all<mote::kernels::simd::DotF32>());
    CHECK(peak_test::counts_all<mote::kernels::simd::DotI8>());
}

TEST_CASE("peak: read loads each word of the given bytes and none beyond") {
    using namespace peak_test;
    constexpr std::size_t words = 3 * peak::read_bytes / 4;
    alignas(64) std::int32_t memory[words + 64];
    std::int32_t expected = 0, state = 7;
    for (std::size_t i = 0; i < words + 64; ++i) {
        state = static_cast<std::int32_t>(static_cast<std::uint32_t>(state) * 1664525u + 1013904223u);
        memory[i] = state;
        if (i < words) expected ^= state;
    }
    CHECK(peak::read(memory, words * 4) == expected);
    bool every = true;
    for (std::size_t i = 0; i < words; ++i) {
        memory[i] ^= 0x1234567;
        every = every && peak::read(memory, words * 4) == (expected ^ 0x1234567);
        memory[i] ^= 0x1234567;
    }
    CHECK(every);
    CHECK(peak::read(memory, 0) == 0);
}
#endif
