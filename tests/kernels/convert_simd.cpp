// SPDX-License-Identifier: MIT
// Conversion: ties, ends and NaN by hand, the vector kernels against the definitions to the bit.

#include <mote/kernels/convert.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/convert_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

#include <limits>

namespace convert_test {

using namespace support;

/// Multiples of a quarter step: every fourth is a tie.
std::vector<float> quarters(std::size_t count, mote::Random& random) {
    std::vector<float> x(count);
    for (float& v : x) v = static_cast<float>(from_to(random, -1200, 1200)) * 0.25f;
    return x;
}

}  // namespace convert_test

TEST_CASE("quantize_i8 definition: half to even, clamped to the bytes") {
    const float x[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 1e30f, -1e30f, 126.5f};
    std::int8_t q[8];
    mote::kernels::reference::quantize_i8(8, 1.0f, 0, x, q);
    CHECK((q[0] == 0 && q[1] == 2 && q[2] == 2 && q[3] == 0 && q[4] == -2 && q[5] == 127 && q[6] == -128 && q[7] == 126));
    // The zero point is added as an integer: rounding does not see it.
    mote::kernels::reference::quantize_i8(3, 1.0f, 1, x, q);
    CHECK((q[0] == 1 && q[1] == 3 && q[2] == 3));
    mote::kernels::reference::quantize_i8(8, 2.0f, -100, x, q);
    CHECK((q[0] == -99 && q[1] == -97 && q[5] == 127 && q[6] == -128));
}

#if !defined(__FINITE_MATH_ONLY__) || !__FINITE_MATH_ONLY__
TEST_CASE("quantize_i8: a NaN becomes the lowest byte, infinities the ends") {
    const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    std::vector<float> x(64, 1.0f);
    x[0] = x[20] = nan;
    x[1] = x[21] = infinity;
    x[2] = x[22] = -infinity;
    std::vector<std::int8_t> q(64);
    mote::kernels::reference::quantize_i8(64, 1.0f, 3, x.data(), q.data());
    CHECK((q[0] == -128 && q[1] == 127 && q[2] == -128 && q[3] == 4));
    CHECK((q[20] == -128 && q[21] == 127 && q[22] == -128));
#if defined(MOTE_VECTORS)
    std::vector<std::int8_t> got(64);
    mote::kernels::quantize_i8(64, 1.0f, 3, x.data(), got.data());
    CHECK(got == q);
#endif
}
#endif

TEST_CASE("quantize_i8 undoes dequantize_i8 for every byte, and requantize_i8 with multiplier 1 keeps it") {
    std::vector<std::int8_t> q(256), back(256);
    std::vector<float> x(256);
    for (int i = 0; i < 256; ++i) q[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i - 128);
    for (const std::int32_t zero_point : {-128, -5, 0, 127}) {
        mote::kernels::reference::dequantize_i8(256, 0.125f, zero_point, q.data(), x.data());
        CHECK(x[128] == 0.125f * static_cast<float>(-zero_point));
        mote::kernels::reference::quantize_i8(256, 8.0f, zero_point, x.data(), back.data());
        CHECK(back == q);
        mote::kernels::reference::requantize_i8(256, 1.0f, zero_point, zero_point, q.data(), back.data());
        CHECK(back == q);
    }
}

#if defined(MOTE_VECTORS)
TEST_CASE("conversion: the vector kernels equal the definitions to the bit at every length") {
    using namespace convert_test;
    for (std::size_t count = 0; count <= 200; ++count) {
        CAPTURE(count);
        mote::Random random(count, 70);
        const std::int32_t zero_point = from_to(random, -128, 127), other = from_to(random, -128, 127);
        const auto x = count % 2 == 0 ? quarters(count, random) : floats(count, random, 100.0f);
        const float factor = count % 2 == 0 ? 1.0f : 0.3f + random.uniform();
        std::vector<std::int8_t> expected(count), got(count);
        mote::kernels::reference::quantize_i8(count, factor, zero_point, x.data(), expected.data());
        mote::kernels::quantize_i8(count, factor, zero_point, x.data(), got.data());
        CHECK(got == expected);
        const auto q = bytes(count, random);
        std::vector<float> expected_f32(count), got_f32(count);
        mote::kernels::reference::dequantize_i8(count, factor, zero_point, q.data(), expected_f32.data());
        mote::kernels::dequantize_i8(count, factor, zero_point, q.data(), got_f32.data());
        CHECK(got_f32 == expected_f32);
        got = q;
        const float multiplier = count % 2 == 0 ? 0.5f : factor * 2.0f;
        mote::kernels::reference::requantize_i8(count, multiplier, zero_point, other, q.data(), expected.data());
        mote::kernels::requantize_i8(count, multiplier, zero_point, other, got.data(), got.data());
        CHECK(got == expected);
    }
}

TEST_CASE("conversion of f32 to bf16 and f16 and back: the vector kernels equal the definitions to the bit at every length") {
    using namespace convert_test;
    const auto check = [](auto zero, std::size_t count) {
        using T = decltype(zero);
        mote::Random random(count, 71);
        const auto x = floats(count, random, 3.0f);
        std::vector<T> expected(count), got(count);
        mote::kernels::reference::from_f32(count, x.data(), expected.data());
        mote::kernels::from_f32(count, x.data(), got.data());
        CHECK(got == expected);
        std::vector<float> wide(count), definition(count);
        mote::kernels::reference::to_f32(count, got.data(), definition.data());
        mote::kernels::to_f32(count, got.data(), wide.data());
        CHECK(wide == definition);
    };
    for (std::size_t count = 0; count <= 70; ++count) {
        CAPTURE(count);
        check(mote::bfloat{}, count);
        check(mote::half{}, count);
    }
}
#endif
