// SPDX-License-Identifier: MIT
// Multipliers of int8 Add and Mul: their results against the real ones in long double, over random scales.

#include <mote/kernels/multipliers.hpp>
#include <mote/kernels/requantize.hpp>

#include <support/catch.hpp>
#include <support/generate.hpp>

namespace multipliers_test {

using support::from_to;

/// What DESIGN allows a result to be away from the real one, in steps.
constexpr long double bound = 0.5L + 1.0L / 1024.0L;

float scale(mote::Random& random, float octaves) {
    return std::exp2((random.uniform() - 0.5f) * octaves) * 0.05f;
}

long double real(const mote::QuantizationParams& p, std::int32_t q) {
    return static_cast<long double>(p.scale) * (q - p.zero_point);
}

/// How far q lies from the real result, which is clamped as q is.
long double distance(long double real_result, const mote::QuantizationParams& out, std::int32_t q) {
    long double exact = real_result / static_cast<long double>(out.scale) + out.zero_point;
    exact = exact < -128 ? -128 : exact > 127 ? 127 : exact;
    return std::fabs(exact - q);
}

mote::QuantizationParams params(mote::Random& random, float octaves) {
    return {scale(random, octaves), from_to(random, -128, 127)};
}

}  // namespace multipliers_test

TEST_CASE("make_add_i8: results are within 0.5 + 2^-10 steps of the real ones") {
    using namespace multipliers_test;
    std::size_t made = 0, wide = 0;
    long double worst = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        mote::Random random(seed, 40);
        const float octaves = seed % 2 == 0 ? 6.0f : 20.0f;
        const auto a = params(random, octaves), b = params(random, octaves), out = params(random, octaves);
        mote::AddI8 add;
        if (!mote::make_add_i8(a, b, out, -128, 127, add)) continue;
        ++made;
        wide += add.wide ? 1 : 0;
        CHECK(add.shift >= 20);
        for (int i = 0; i < 100; ++i) {
            const std::int32_t qa = from_to(random, -128, 127), qb = from_to(random, -128, 127);
            const long double d = distance(real(a, qa) + real(b, qb), out, mote::kernels::add_value(add, qa, qb));
            worst = d > worst ? d : worst;
        }
    }
    CHECK(worst <= bound);
    CHECK((made > 500 && wide > 50 && wide < made - 50));
}

TEST_CASE("make_mul_i8: results are within 0.5 + 2^-10 steps of the real ones") {
    using namespace multipliers_test;
    std::size_t made = 0;
    long double worst = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        mote::Random random(seed, 41);
        const auto a = params(random, 14.0f), b = params(random, 14.0f), out = params(random, 14.0f);
        mote::MulI8 mul;
        if (!mote::make_mul_i8(a, b, out, -128, 127, mul)) continue;
        ++made;
        CHECK(mul.shift >= 20);
        for (int i = 0; i < 100; ++i) {
            const std::int32_t qa = from_to(random, -128, 127), qb = from_to(random, -128, 127);
            const long double d = distance(real(a, qa) * real(b, qb), out, mote::kernels::mul_value(mul, qa, qb));
            worst = d > worst ? d : worst;
        }
    }
    CHECK(worst <= bound);
    CHECK(made > 500);
}

TEST_CASE("make_add_i8 and make_mul_i8: ratios that cannot be represented are refused, the greatest that can be are exact") {
    mote::AddI8 add;
    CHECK_FALSE(mote::make_add_i8({1025.0f, 0}, {1.0f, 0}, {1.0f, 0}, -128, 127, add));
    CHECK_FALSE(mote::make_add_i8({1.0f, 0}, {1.0f, 0}, {1e-30f, 0}, -128, 127, add));
    CHECK_FALSE(mote::make_add_i8({std::nanf(""), 0}, {1.0f, 0}, {1.0f, 0}, -128, 127, add));
    REQUIRE(mote::make_add_i8({1024.0f, 0}, {1024.0f, 0}, {1.0f, 0}, -128, 127, add));
    CHECK(add.wide);
    CHECK(mote::kernels::add_value(add, 100, -100) == 0);
    CHECK(mote::kernels::add_value(add, 127, 127) == 127);
    mote::MulI8 mul;
    CHECK_FALSE(mote::make_mul_i8({1024.0f, 0}, {1.0f, 0}, {1.0f, 0}, -128, 127, mul));
    CHECK_FALSE(mote::make_mul_i8({1e30f, 0}, {1e30f, 0}, {1.0f, 0}, -128, 127, mul));
    CHECK_FALSE(mote::make_mul_i8({1.0f, 0}, {std::nanf(""), 0}, {1.0f, 0}, -128, 127, mul));
    REQUIRE(mote::make_mul_i8({1e-20f, 0}, {1e-20f, 0}, {1.0f, 4}, -128, 127, mul));  // too small to move anything
    CHECK(mote::kernels::mul_value(mul, 127, 127) == 4);
}
