// SPDX-License-Identifier: MIT
// Random: known numbers on every platform, even distributions, independent streams.

#include <mote/core/random.hpp>

#include <support/catch.hpp>

#include <cmath>
#include <cstddef>

TEST_CASE("random: the mix is SplitMix64's, whose first outputs for seed 1234567 are published") {
    // From the reference implementation's test vector (Vigna, splitmix64.c; also Rosetta Code).
    const std::uint64_t expected[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u};
    std::uint64_t state = 1234567;
    for (const std::uint64_t number : expected) {
        state += 0x9e3779b97f4a7c15u;
        CHECK(mote::mix_bits(state) == number);
    }
}

TEST_CASE("random: the same seed and stream give the same numbers, other seeds and streams others") {
    mote::Random a(1, 2), b(1, 2), other_seed(2, 2), other_stream(1, 3), swapped(2, 1);
    int equal = 0;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t x = a.bits();
        CHECK(x == b.bits());
        equal += x == other_seed.bits() || x == other_stream.bits() || x == swapped.bits() ? 1 : 0;
    }
    CHECK(equal == 0);
}

TEST_CASE("random: uniform, below and normal have the moments that their names promise") {
    constexpr int count = 40000;
    mote::Random random(5);
    double sum = 0.0, square = 0.0, normal_sum = 0.0, normal_square = 0.0;
    int counts[7] = {};
    for (int i = 0; i < count; ++i) {
        const float u = random.uniform();
        REQUIRE((u >= 0.0f && u < 1.0f));
        sum += static_cast<double>(u);
        square += static_cast<double>(u) * static_cast<double>(u);
        ++counts[random.below(7)];
        const double n = static_cast<double>(random.normal());
        normal_sum += n;
        normal_square += n * n;
    }
    // Four standard errors of each mean.
    CHECK(std::fabs(sum / count - 0.5) < 4 * std::sqrt(1.0 / 12 / count));
    CHECK(std::fabs(square / count - 1.0 / 3) < 4 * std::sqrt(4.0 / 45 / count));
    CHECK(std::fabs(normal_sum / count) < 4 * std::sqrt(1.0 / count));
    CHECK(std::fabs(normal_square / count - 1.0) < 4 * std::sqrt(2.0 / count));
    for (const int c : counts) CHECK(std::fabs(c - count / 7.0) < 4 * std::sqrt(count * 6.0 / 49));
    CHECK(random.below(0) == 0);
    CHECK(random.below(1) == 0);
}
