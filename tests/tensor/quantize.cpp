// SPDX-License-Identifier: MIT
// One number between real and int8: the nearest step, ties to even, clamped.

#include <mote/core/random.hpp>
#include <mote/tensor/quantize.hpp>

#include <support/catch.hpp>

#include <limits>

namespace quantize_number_test {

using namespace mote;

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST_CASE("quantize: is_finite tells NaN and infinity from numbers, denormals and zero") {
    CHECK(is_finite(0.0f));
    CHECK(is_finite(-1e-44f));
    CHECK(is_finite(std::numeric_limits<float>::max()));
    CHECK_FALSE(is_finite(infinity));
    CHECK_FALSE(is_finite(-infinity));
    CHECK_FALSE(is_finite(std::numeric_limits<float>::quiet_NaN()));
    const float values[] = {1.0f, infinity, 2.0f};
    CHECK(first_not_finite(values) == 1);
}

TEST_CASE("quantize: round_half_even rounds ties to the even neighbour on either side of zero") {
    CHECK(round_half_even(0.5) == 0.0);
    CHECK(round_half_even(1.5) == 2.0);
    CHECK(round_half_even(2.5) == 2.0);
    CHECK(round_half_even(-0.5) == 0.0);
    CHECK(round_half_even(-1.5) == -2.0);
    CHECK(round_half_even(-2.5) == -2.0);
    CHECK(round_half_even(2.4999) == 2.0);
    CHECK(round_half_even(-2.5001) == -3.0);
}

TEST_CASE("quantize: a quantized real is the nearest step, and clamps") {
    Random random(2);
    for (int i = 0; i < 2000; ++i) {
        const QuantizationParams q{0.01f + random.uniform(), static_cast<std::int32_t>(random.below(256)) - 128};
        const auto byte = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
        const double real = dequantize_value(byte, q);
        REQUIRE(quantize_real(real, q) == byte);
        REQUIRE(quantize_value(static_cast<float>(real), q) == byte);
        const double nearby = real + 0.49 * (static_cast<double>(random.uniform()) - 0.5) * static_cast<double>(q.scale);
        REQUIRE(quantize_real(nearby, q) == byte);
    }
    CHECK(quantize_real(1e300, {1e-30f, 3}) == 127);
    CHECK(quantize_real(-1e300, {1e-30f, 3}) == -128);
    CHECK(quantize_value(infinity, {0.5f, 0}) == 127);
    CHECK(quantize_value(-infinity, {0.5f, 0}) == -128);
}

}  // namespace quantize_number_test
