// SPDX-License-Identifier: MIT
// The byte dot product of this instruction set against its definition, at the ends of the range too: nothing saturates.

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_VECTORS)
#include <mote/simd/dot.hpp>

#include <support/catch.hpp>

#include <vector>

namespace dot_test {

namespace simd = mote::kernels::simd;
using Dot = simd::DotI8;
constexpr std::ptrdiff_t lanes = simd::lanes32;

/// One step on given bytes, against sum + activation * weight for each lane.
bool step_is_right(const std::int8_t* activation, const std::int8_t* weight, std::int32_t start) {
    alignas(64) Dot::Weight packed[lanes * Dot::group];
    for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) {
        for (std::ptrdiff_t tap = 0; tap < Dot::group; ++tap) packed[Dot::place(lane, tap)] = weight[lane * Dot::group + tap];
    }
    alignas(64) Dot::Activation row[64 / sizeof(Dot::Activation)] = {};
    for (std::ptrdiff_t tap = 0; tap < Dot::group; ++tap) row[tap] = Dot::convert(activation[tap]);
    std::int32_t got[lanes];
    bool right = true;
#if defined(MOTE_NEON)
    constexpr int sums_rows = Dot::group == 8 ? 2 : 1;  // of a vector of sums
    std::int8_t strip[16];                              // as kernels/detail/neon/strips.hpp packs rows
    for (std::ptrdiff_t i = 0; i < 16; ++i) {
        strip[i] = sums_rows == 2 ? row[i % 8] : Dot::strip_copies == 1 ? row[i % 4] : row[i / 8 * 2 + i % 2];
    }
    for (std::ptrdiff_t channel = 0; channel < lanes; channel += lanes / sums_rows) {
        std::int32_t sums[lanes];  // with two rows, which are alike, those of two channels, then again
        vst1q_s32(sums, Dot::dot(vdupq_n_s32(start), Dot::activations(strip), Dot::weights(packed + channel * Dot::group)));
        for (std::ptrdiff_t i = 0; i < lanes; ++i) {
            if (i >= lanes / sums_rows) right = right && sums[i] == sums[i - lanes / sums_rows];
            if (i < lanes / sums_rows) got[channel + i] = sums[i];
        }
    }
#else
    Dot::dot(simd::I32(start), Dot::activations(row), Dot::weights(packed)).store_unaligned(got);
#endif
    for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) {
        std::int32_t expected = start;
        for (std::ptrdiff_t tap = 0; tap < Dot::group; ++tap) {
            expected += (activation[tap] + Dot::offset) * weight[lane * Dot::group + tap];
        }
        right = right && got[lane] == expected;
    }
    return right;
}

}  // namespace dot_test

TEST_CASE("dot: a step of bytes equals its definition for the largest and for random values") {
    using namespace dot_test;
    std::vector<std::int8_t> activation(static_cast<std::size_t>(Dot::group));
    std::vector<std::int8_t> weight(static_cast<std::size_t>(Dot::group * lanes));
    for (const int a : {-128, 127}) {
        for (const int w : {-127, 127}) {
            for (std::int8_t& x : activation) x = static_cast<std::int8_t>(a);
            for (std::int8_t& x : weight) x = static_cast<std::int8_t>(w);
            CHECK(step_is_right(activation.data(), weight.data(), 1000));
        }
    }
    std::uint32_t state = 7;
    auto byte = [&] {
        state = state * 1664525u + 1013904223u;
        return static_cast<std::int8_t>(static_cast<int>(state >> 24) - 128);
    };
    bool all = true;
    for (int round = 0; round < 2000; ++round) {
        for (std::int8_t& x : activation) x = byte();
        for (std::int8_t& x : weight) {
            x = byte();
            if (x == -128) x = -127;
        }
        all = all && step_is_right(activation.data(), weight.data(), round * 100003 - 100000000);
    }
    CHECK(all);
}

TEST_CASE("dot: the places of a step are each taken once, and channels are a permutation") {
    using namespace dot_test;
    std::vector<int> taken(static_cast<std::size_t>(lanes * Dot::group), 0);
    for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) {
        for (std::ptrdiff_t tap = 0; tap < Dot::group; ++tap) ++taken.at(static_cast<std::size_t>(Dot::place(lane, tap)));
    }
    for (const int times : taken) CHECK(times == 1);
    std::vector<int> channel(static_cast<std::size_t>(2 * lanes), 0);
    for (std::ptrdiff_t at = 0; at < 2 * lanes; ++at) ++channel.at(static_cast<std::size_t>(Dot::channel(at, 2 * lanes)));
    for (const int times : channel) CHECK(times == 1);
    for (std::ptrdiff_t at = 0; at < lanes; ++at) CHECK(Dot::channel(at, lanes) == at);
}
#endif
