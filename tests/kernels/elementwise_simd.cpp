// SPDX-License-Identifier: MIT
// Elementwise kernels: the definitions against double, the vector kernels against the definitions for every odd length.

#include <mote/kernels/elementwise.hpp>
#include <mote/kernels/multipliers.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/elementwise_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

namespace elementwise_test {

using namespace support;

constexpr mote::UnaryKernel functions[] = {mote::UnaryKernel::clamp,        mote::UnaryKernel::leaky_relu,
                                           mote::UnaryKernel::sigmoid,      mote::UnaryKernel::tanh,
                                           mote::UnaryKernel::hard_sigmoid, mote::UnaryKernel::hard_swish};

double exact(const mote::UnaryF32& u, double x) {
    const double six = x + 3 < 0 ? 0 : x + 3 > 6 ? 6 : x + 3;
    switch (u.function) {
        case mote::UnaryKernel::clamp:
            return x < static_cast<double>(u.lo)   ? static_cast<double>(u.lo)
                   : x > static_cast<double>(u.hi) ? static_cast<double>(u.hi)
                                                   : x;
        case mote::UnaryKernel::leaky_relu:
            return x > 0 ? x : static_cast<double>(u.slope) * x;
        case mote::UnaryKernel::sigmoid:
            return 1 / (1 + std::exp(-x));
        case mote::UnaryKernel::tanh:
            return std::tanh(x);
        case mote::UnaryKernel::hard_sigmoid:
            return six / 6;
        case mote::UnaryKernel::hard_swish:
            return x * six / 6;
    }
    return 0;
}

/// Values of every size that matters to exp, and the far ends.
std::vector<float> sweep(std::size_t count, mote::Random& random) {
    std::vector<float> x = floats(count, random, 4.0f);
    for (std::size_t i = 0; i < count; i += 7) x[i] *= 40.0f;
    for (std::size_t i = 3; i < count; i += 11) x[i] *= 1e-4f;
    return x;
}

/// The largest |f(x) - exact f(x)| / max(1, |exact|).
template <class Kernel>
double error_of(Kernel kernel, const mote::UnaryF32& u, const std::vector<float>& x) {
    std::vector<float> y(x.size());
    kernel(x.size(), u, x.data(), y.data());
    double error = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double e = exact(u, static_cast<double>(x[i]));
        const double d = std::fabs(e - static_cast<double>(y[i])) / (std::fabs(e) > 1.0 ? std::fabs(e) : 1.0);
        error = d > error || d != d ? d : error;
    }
    return error;
}

mote::MulI8 random_mul(mote::Random& random) {
    mote::MulI8 mul;
    const auto scale = [&] { return std::exp2(random.uniform() * 20.0f - 14.0f); };
    float out = scale();
    const mote::QuantizationParams a{scale(), from_to(random, -128, 127)}, b{scale(), from_to(random, -128, 127)};
    while (
        !mote::make_mul_i8(a, b, {out, from_to(random, -128, 127)}, from_to(random, -128, 0), from_to(random, 1, 127), mul)) {
        out *= 2.0f;
    }
    return mul;
}

mote::AddI8 random_add(mote::Random& random) {
    mote::AddI8 add;
    const auto scale = [&] { return std::exp2(random.uniform() * 8.0f - 6.0f); };
    float out = scale();
    const mote::QuantizationParams a{scale(), from_to(random, -128, 127)}, b{scale(), from_to(random, -128, 127)};
    while (
        !mote::make_add_i8(a, b, {out, from_to(random, -128, 127)}, from_to(random, -128, 0), from_to(random, 1, 127), add)) {
        out *= 2.0f;
    }
    return add;
}

}  // namespace elementwise_test

TEST_CASE("unary_f32 definition: within 1e-6 of double") {
    using namespace elementwise_test;
    mote::Random random(1);
    const auto x = sweep(3000, random);
    for (const mote::UnaryKernel function : functions) {
        CAPTURE(static_cast<int>(function));
        CHECK(error_of(mote::kernels::reference::unary_f32, {function, -1.5f, 2.0f, 0.1f}, x) <= 1e-6);
    }
}

TEST_CASE("add_i8 and mul_i8 definitions: by hand, half to even") {
    mote::AddI8 add;
    REQUIRE(mote::make_add_i8({1.0f, 3}, {1.0f, 0}, {2.0f, 10}, -128, 127, add));
    const std::int8_t a[] = {4, 6, 103, 127, -128}, b[] = {0, 0, 1, 127, -128};
    std::int8_t out[5];
    mote::kernels::reference::add_i8(5, add, a, b, out);
    // 1/2 -> 0, 3/2 -> 2, 101/2 -> 50, 251/2 -> clamped, -259/2 -> -130 + 10
    CHECK((out[0] == 10 && out[1] == 12 && out[2] == 60 && out[3] == 127 && out[4] == -120));
    mote::MulI8 mul;
    REQUIRE(mote::make_mul_i8({0.5f, 0}, {0.5f, 0}, {1.0f, -1}, -100, 100, mul));
    const std::int8_t c[] = {2, 6, 5, 100, -100}, d[] = {1, 1, 2, 100, 100};
    mote::kernels::reference::mul_i8(mote::RowGeometry{1, 5, 1}, mul, c, d, out);
    // 2/4 -> 0, 6/4 -> 2, 10/4 -> 2, then the clamps
    CHECK((out[0] == -1 && out[1] == 1 && out[2] == 1 && out[3] == 100 && out[4] == -100));
}

TEST_CASE("mul definitions: the second operand is repeated over the positions of its image") {
    const float a[] = {1, 2, 3, 4, 5, 6, 7, 8}, b[] = {10, 100, -1, -2};
    float out[8];
    mote::kernels::reference::mul_f32(mote::RowGeometry{4, 2, 2}, a, b, out);
    const float expected[] = {10, 200, 30, 400, -5, -12, -7, -16};
    CHECK(std::memcmp(out, expected, sizeof out) == 0);
}

#if defined(MOTE_VECTORS)

TEST_CASE("unary_f32: the vector kernel is within 1e-6 of double, at every length") {
    using namespace elementwise_test;
    mote::Random random(2);
    for (const mote::UnaryKernel function : functions) {
        CAPTURE(static_cast<int>(function));
        const mote::UnaryF32 u{function, -1.5f, 2.0f, 0.1f};
        CHECK(error_of(mote::kernels::unary_f32<>, u, sweep(30000, random)) <= 1e-6);
        for (std::size_t count = 0; count <= 67; ++count) {
            CAPTURE(count);
            auto x = sweep(count, random);
            x.push_back(42.0f);  // stands behind the last element
            auto expected = x;
            mote::kernels::reference::unary_f32(count, u, x.data(), expected.data());
            mote::kernels::unary_f32(count, u, x.data(), x.data());
            CHECK(relative_difference(expected, x) <= f32_tolerance);
            CHECK(x.back() == 42.0f);
        }
    }
}

TEST_CASE("add_f32, mul_f32, affine_f32, clamp_i8: the vector kernels equal the definitions at every length, in place too") {
    using namespace elementwise_test;
    mote::Random random(3);
    for (std::size_t count = 0; count <= 140; ++count) {
        CAPTURE(count);
        const auto a = floats(count, random), b = floats(count, random);
        std::vector<float> expected(count), got = a;
        mote::kernels::reference::add_f32(count, a.data(), b.data(), -0.5f, 1.5f, expected.data());
        mote::kernels::add_f32(count, a.data(), b.data(), -0.5f, 1.5f, got.data());
        CHECK(got == expected);
        got = a;
        mote::kernels::add_f32(count, got.data(), b.data(), -0.5f, 1.5f, got.data());
        CHECK(got == expected);
        const auto q = bytes(count, random);
        std::vector<std::int8_t> expected_i8(count), got_i8 = q;
        mote::kernels::reference::clamp_i8(count, -100, 30, q.data(), expected_i8.data());
        mote::kernels::clamp_i8(count, -100, 30, got_i8.data(), got_i8.data());
        CHECK(got_i8 == expected_i8);
    }
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        CAPTURE(seed);
        const std::int32_t images = from_to(random, 1, 3), spatial = from_to(random, 1, 5);
        const mote::RowGeometry g{images * spatial, channels(random), spatial};
        const auto count = static_cast<std::size_t>(g.outer * g.channels);
        const auto a = floats(count, random), b = floats(count, random), c = floats(count, random);
        std::vector<float> expected(count), got(count);
        mote::kernels::reference::mul_f32(g, a.data(), b.data(), expected.data());
        mote::kernels::mul_f32(g, a.data(), b.data(), got.data());
        CHECK(got == expected);
        mote::kernels::reference::affine_f32(g, b.data(), c.data(), a.data(), expected.data());
        mote::kernels::affine_f32(g, b.data(), c.data(), a.data(), got.data());
        CHECK(relative_difference(expected, got) <= f32_tolerance);
    }
}

TEST_CASE("add_i8: the vector kernel equals the definition to the bit for all pairs of bytes and random scales") {
    using namespace elementwise_test;
    std::vector<std::int8_t> a(65536), b(65536), expected(65536), got(65536);
    for (std::size_t i = 0; i < 65536; ++i) {
        a[i] = static_cast<std::int8_t>(static_cast<int>(i & 255) - 128);
        b[i] = static_cast<std::int8_t>(static_cast<int>(i >> 8) - 128);
    }
    std::size_t wide = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 30);
        mote::AddI8 add = random_add(random);
        if (seed == 0) {  // many ties
            REQUIRE(mote::make_add_i8({1.0f, 5}, {0.5f, -3}, {2.0f, 1}, -128, 127, add));
        } else if (seed == 1) {  // and of an output far finer
            REQUIRE(mote::make_add_i8({5.5f, 5}, {1.5f, -3}, {1.0f, 1}, -128, 127, add));
            REQUIRE(add.wide);
        }
        wide += add.wide ? 1 : 0;
        mote::kernels::reference::add_i8(65536, add, a.data(), b.data(), expected.data());
        mote::kernels::add_i8(65536, add, a.data(), b.data(), got.data());
        CHECK(got == expected);
    }
    CHECK((wide > 5 && wide < 55));  // both forms have been seen
}

TEST_CASE("mul_i8: the vector kernel equals the definition to the bit for all pairs of bytes and random scales") {
    using namespace elementwise_test;
    std::vector<std::int8_t> a(65536), b(65536), expected(65536), got(65536);
    for (std::size_t i = 0; i < 65536; ++i) {
        a[i] = static_cast<std::int8_t>(static_cast<int>(i & 255) - 128);
        b[i] = static_cast<std::int8_t>(static_cast<int>(i >> 8) - 128);
    }
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 31);
        mote::MulI8 mul = random_mul(random);
        if (seed == 0) {  // many ties
            REQUIRE(mote::make_mul_i8({0.5f, 5}, {0.25f, -3}, {1.0f, 1}, -128, 127, mul));
        }
        const mote::RowGeometry g{256, 256, 1};
        mote::kernels::reference::mul_i8(g, mul, a.data(), b.data(), expected.data());
        mote::kernels::mul_i8(g, mul, a.data(), b.data(), got.data());
        CHECK(got == expected);
    }
}

TEST_CASE("add_i8 and mul_i8: the vector kernels equal the definitions at every length and repetition, in place too") {
    using namespace elementwise_test;
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 32);
        const std::int32_t images = from_to(random, 1, 3), spatial = from_to(random, 1, 5);
        const mote::RowGeometry g{images * spatial, channels(random), spatial};
        const auto count = static_cast<std::size_t>(g.outer * g.channels);
        const auto a = bytes(count, random), b = bytes(count, random);
        std::vector<std::int8_t> expected(count), got = a;
        const mote::MulI8 mul = random_mul(random);
        mote::kernels::reference::mul_i8(g, mul, a.data(), b.data(), expected.data());
        mote::kernels::mul_i8(g, mul, got.data(), b.data(), got.data());
        CHECK(got == expected);
        const mote::AddI8 add = random_add(random);
        got = b;
        mote::kernels::reference::add_i8(count, add, a.data(), b.data(), expected.data());
        mote::kernels::add_i8(count, add, a.data(), got.data(), got.data());
        CHECK(got == expected);
    }
}

#endif
