// SPDX-License-Identifier: MIT
// QuantizationParams and which scales can be computed with.

#include <mote/core/quantization.hpp>

#include <support/catch.hpp>

#include <cfloat>
#include <cmath>
#include <limits>

TEST_CASE("usable_scale: exactly the positive normal floats") {
    using mote::usable_scale;
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(usable_scale(1.0f));
    CHECK(usable_scale(FLT_MIN));
    CHECK(usable_scale(FLT_MAX));
    CHECK_FALSE(usable_scale(0.0f));
    CHECK_FALSE(usable_scale(-1.0f));
    CHECK_FALSE(usable_scale(-FLT_MIN));
    CHECK_FALSE(usable_scale(std::nextafter(FLT_MIN, 0.0f)));
    CHECK_FALSE(usable_scale(FLT_TRUE_MIN));
    CHECK_FALSE(usable_scale(infinity));
    CHECK_FALSE(usable_scale(-infinity));
    CHECK_FALSE(usable_scale(std::numeric_limits<float>::quiet_NaN()));
}

TEST_CASE("quantization parameters: the default changes nothing; equality compares both members") {
    using mote::QuantizationParams;
    STATIC_REQUIRE(QuantizationParams{} == QuantizationParams{1.0f, 0});
    STATIC_REQUIRE(QuantizationParams{} != QuantizationParams{1.0f, 1});
    STATIC_REQUIRE(QuantizationParams{} != QuantizationParams{0.5f, 0});
}
