// SPDX-License-Identifier: MIT
// Requantization against its definition in exact arithmetic: one float product, rounded to nearest even.

#include <mote/kernels/requantize.hpp>

#include <support/catch.hpp>

#include <cmath>

TEST_CASE("requantize: q is the clamped float product rounded to nearest even, plus the zero point") {
    using namespace mote;
    std::uint32_t state = 3;
    auto next = [&] { return state = state * 1664525u + 1013904223u; };
    for (int round = 0; round < 200000; ++round) {
        const auto sum = static_cast<std::int32_t>(next()) >> (next() >> 27);
        const float multiplier =
            std::ldexp(1.0f + static_cast<float>(next() >> 9) / 8388608.0f, -1 - static_cast<int>(next() >> 27));
        RequantizeI8 r;
        r.zero_point = static_cast<std::int32_t>(next() >> 24) - 128;
        r.lo = static_cast<std::int32_t>(next() >> 25) - 128;
        r.hi = r.lo + static_cast<std::int32_t>(next() >> 25);
        const float product = static_cast<float>(sum) * multiplier;
        double expected = std::nearbyint(static_cast<double>(product)) + r.zero_point;
        expected = expected < r.lo ? r.lo : expected > r.hi ? r.hi : expected;
        REQUIRE(kernels::requantize_value(sum, multiplier, r) == static_cast<std::int8_t>(expected));
    }
}

TEST_CASE("requantize: ties go to the even step") {
    using namespace mote;
    for (std::int32_t k = -200; k <= 200; ++k) {
        const double expected = std::nearbyint(k / 2.0);
        if (expected < -128 || expected > 127) continue;
        CHECK(kernels::requantize_value(k, 0.5f, {0, -128, 127}) == static_cast<std::int8_t>(expected));
        CHECK(kernels::round_shift(k, 1) == static_cast<std::int64_t>(expected));
    }
}

TEST_CASE("requantize: a folded bias is the bias less zero point times the channel's weights") {
    using namespace mote;
    const std::int8_t weight[] = {1, -2, 3, 127, -127, 5};
    const std::int32_t bias[] = {1000, -5};
    ConvConstantsI8 constants{weight, bias, nullptr, -7};
    CHECK(kernels::folded_bias(constants, 0, 3) == 1000 + 7 * 2);
    CHECK(kernels::folded_bias(constants, 1, 3) == -5 + 7 * 5);
    constants.bias = nullptr;
    CHECK(kernels::folded_bias(constants, 1, 3) == 7 * 5);
}
