// SPDX-License-Identifier: MIT
// half and bfloat: every pattern, and rounding against a search among all neighbours in double.

#include <mote/core/half.hpp>
#include <mote/core/random.hpp>

#include <support/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace half_test {

std::uint32_t bits_of(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
float float_of(std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// What a pattern of `exponent_bits` and `fraction_bits` stands for, straight from IEEE 754-2008, 3.4.
double meaning(std::uint32_t pattern, int exponent_bits, int fraction_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = static_cast<int>(pattern >> fraction_bits) & ((1 << exponent_bits) - 1);
    const double fraction = std::ldexp(static_cast<double>(pattern & ((1u << fraction_bits) - 1)), -fraction_bits);
    const double sign = (pattern >> (exponent_bits + fraction_bits)) != 0 ? -1.0 : 1.0;
    if (exponent == (1 << exponent_bits) - 1) {
        return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    }
    return sign * (exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1.0 + fraction, exponent - bias));
}

struct HalfFormat {
    using Type = mote::half;
    static constexpr int exponent_bits = 5, fraction_bits = 10;
    static Type round(float value) { return mote::to_half(value); }
};
struct BfloatFormat {
    using Type = mote::bfloat;
    static constexpr int exponent_bits = 8, fraction_bits = 7;
    static Type round(float value) { return mote::to_bfloat(value); }
};

template <class Format>
std::uint16_t infinity_pattern() {
    return static_cast<std::uint16_t>(((1u << Format::exponent_bits) - 1u) << Format::fraction_bits);
}

/// The finite magnitudes in ascending order, with what infinity would be if the format went on.
template <class Format>
std::vector<double> magnitudes() {
    std::vector<double> values;
    for (std::uint32_t pattern = 0; pattern < infinity_pattern<Format>(); ++pattern) {
        values.push_back(meaning(pattern, Format::exponent_bits, Format::fraction_bits));
    }
    values.push_back(2.0 * values.back() - values[values.size() - 2]);
    return values;
}

/// The pattern of the nearest magnitude, the even one of two, by binary search.
std::uint16_t nearest(const std::vector<double>& values, double magnitude) {
    if (magnitude >= values.back()) return static_cast<std::uint16_t>(values.size() - 1);
    std::size_t low = 0;
    std::size_t high = values.size() - 1;
    while (high - low > 1) {
        const std::size_t middle = (low + high) / 2;
        (values[middle] <= magnitude ? low : high) = middle;
    }
    const double below = magnitude - values[low];
    const double above = values[high] - magnitude;
    return static_cast<std::uint16_t>(below < above || (below == above && low % 2 == 0) ? low : high);
}

template <class Format>
void check_patterns() {
    std::size_t wrong = 0;
    for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) {
        const typename Format::Type value{static_cast<std::uint16_t>(pattern)};
        const double expected = meaning(pattern, Format::exponent_bits, Format::fraction_bits);
        const float got = mote::to_float(value);
        if (std::isnan(expected)) {
            const auto back = Format::round(got).bits;
            wrong += !std::isnan(got) || (back & 0x7fff) <= infinity_pattern<Format>() || (back ^ pattern) >> 15 != 0;
        } else {
            wrong += static_cast<double>(got) != expected || std::signbit(got) != std::signbit(expected) ||
                     Format::round(got) != value;
        }
    }
    CHECK(wrong == 0);
}

template <class Format>
std::size_t wrong_roundings(const std::vector<double>& values, float value) {
    const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    const auto expected = static_cast<std::uint16_t>(nearest(values, std::fabs(static_cast<double>(value))) | sign);
    return Format::round(value).bits != expected;
}

template <class Format>
void check_rounding() {
    const std::vector<double> values = magnitudes<Format>();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {  // ties between all neighbours, and the floats beside each tie
        const auto tie = static_cast<float>((values[i] + values[i + 1]) / 2);
        for (const float value :
             {tie, std::nextafter(tie, 0.0f), std::nextafter(tie, std::numeric_limits<float>::infinity())}) {
            if (std::isinf(value)) continue;
            wrong += wrong_roundings<Format>(values, value) + wrong_roundings<Format>(values, -value);
        }
    }
    mote::Random random(3);
    for (int i = 0; i < 200000; ++i) {
        const float value = float_of(static_cast<std::uint32_t>(random.bits()));
        if (std::isfinite(value)) wrong += wrong_roundings<Format>(values, value);
    }
    CHECK(wrong == 0);
}

}  // namespace half_test

TEST_CASE("half: each of the 65,536 patterns becomes the float that IEEE 754 says, and comes back") {
    half_test::check_patterns<half_test::HalfFormat>();
}

TEST_CASE("bfloat: each of the 65,536 patterns becomes the float that it is the upper half of, and comes back") {
    half_test::check_patterns<half_test::BfloatFormat>();
}

TEST_CASE("half: rounds to the nearest, ties to even, at every boundary and for random floats") {
    half_test::check_rounding<half_test::HalfFormat>();
}

TEST_CASE("bfloat: rounds to the nearest, ties to even, at every boundary and for random floats") {
    half_test::check_rounding<half_test::BfloatFormat>();
}

TEST_CASE("half and bfloat: the largest numbers, infinity and NaN") {
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(mote::to_half(65504.0f).bits == 0x7bff);
    CHECK(mote::to_half(65519.996f).bits == 0x7bff);
    CHECK(mote::to_half(65520.0f).bits == 0x7c00);
    CHECK(mote::to_half(infinity).bits == 0x7c00);
    CHECK(mote::to_half(-infinity).bits == 0xfc00);
    CHECK(mote::to_bfloat(std::numeric_limits<float>::max()).bits == 0x7f80);
    CHECK(mote::to_bfloat(-infinity).bits == 0xff80);
    for (const std::uint32_t nan : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u}) {
        const float value = half_test::float_of(nan);
        CHECK(std::isnan(mote::to_float(mote::to_half(value))));
        CHECK(std::isnan(mote::to_float(mote::to_bfloat(value))));
    }
    CHECK(half_test::bits_of(mote::to_float(mote::half{0x8000})) == 0x80000000u);
}
