// SPDX-License-Identifier: MIT
// Softmax: against double, and the vector kernel against the definition.

#include <mote/kernels/softmax.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/softmax_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

namespace softmax_test {

using namespace support;

std::vector<float> exact(const mote::RowGeometry& g, const std::vector<float>& x) {
    std::vector<float> y(x.size());
    for (std::int32_t r = 0; r < g.outer; ++r) {
        const float* row = x.data() + std::ptrdiff_t{r} * g.channels;
        double largest = static_cast<double>(row[0]), sum = 0;
        for (std::int32_t c = 0; c < g.channels; ++c) largest = std::fmax(largest, static_cast<double>(row[c]));
        for (std::int32_t c = 0; c < g.channels; ++c) sum += std::exp(static_cast<double>(row[c]) - largest);
        for (std::int32_t c = 0; c < g.channels; ++c) {
            y[static_cast<std::size_t>(r * g.channels + c)] =
                static_cast<float>(std::exp(static_cast<double>(row[c]) - largest) / sum);
        }
    }
    return y;
}

std::vector<std::int32_t> table(double scale) {
    std::vector<std::int32_t> t(256);
    for (int d = 0; d < 256; ++d) {
        t[static_cast<std::size_t>(d)] = static_cast<std::int32_t>(std::nearbyint(std::exp(-scale * d) * 4194304.0));
    }
    return t;
}

}  // namespace softmax_test

TEST_CASE("softmax_i8 definition: within a step of softmax in double, ties to even, one certain class is 127") {
    using namespace softmax_test;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 60);
        const mote::RowGeometry g{from_to(random, 1, 4), from_to(random, 1, 40), 1};
        const auto q = bytes(static_cast<std::size_t>(g.outer * g.channels), random);
        const double scale = 0.01 + 0.2 * static_cast<double>(random.uniform());
        std::vector<std::int8_t> out = q;
        mote::kernels::reference::softmax_i8(g, table(scale).data(), out.data(), out.data());
        std::vector<float> x(q.size());
        for (std::size_t i = 0; i < q.size(); ++i) x[i] = static_cast<float>(scale * q[i]);
        const auto y = exact(g, x);
        double worst = 0;
        for (std::size_t i = 0; i < q.size(); ++i) {
            const double steps = std::fmin(256.0 * static_cast<double>(y[i]) - 128.0, 127.0);
            worst = std::fmax(worst, std::fabs(steps - out[i]));
        }
        CHECK(worst <= 0.51);  // half a step, and the table's rounding
    }
    const auto t = table(0.1);
    const std::int8_t equal[] = {5, 5, 5, 5}, certain[] = {127, -128};
    std::int8_t out[4];
    mote::kernels::reference::softmax_i8(mote::RowGeometry{1, 4, 1}, t.data(), equal, out);
    CHECK((out[0] == -64 && out[1] == -64 && out[2] == -64 && out[3] == -64));
    mote::kernels::reference::softmax_i8(mote::RowGeometry{1, 2, 1}, t.data(), certain, out);
    CHECK((out[0] == 127 && out[1] == -128));
    // 256 * 1 / 512 = 0.5 -> 0 and 256 * 3 / 512 = 1.5 -> 2
    CHECK(mote::kernels::softmax_byte(1, 512) == -128);
    CHECK(mote::kernels::softmax_byte(3, 512) == -126);
    const std::vector<std::int32_t> zeros(256);
    mote::kernels::reference::softmax_i8(mote::RowGeometry{1, 2, 1}, zeros.data(), certain, out);
    CHECK((out[0] == -128 && out[1] == -128));
}

TEST_CASE("softmax_f32: the definition and the vector kernel are within 1e-6 of double, far from zero too") {
    using namespace softmax_test;
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 61);
        const mote::RowGeometry g{from_to(random, 1, 4), seed % 10 == 0 ? 1001 : channels(random), 1};
        auto x = floats(static_cast<std::size_t>(g.outer * g.channels), random, seed % 3 == 0 ? 60.0f : 3.0f);
        if (seed % 4 == 0) {
            for (float& v : x) v += 1000.0f;
        }
        const auto expected = exact(g, x);
        std::vector<float> got(x.size());
        mote::kernels::reference::softmax_f32(g, x.data(), got.data());
        CHECK(relative_difference(expected, got) <= 1e-6);
#if defined(MOTE_VECTORS)
        mote::kernels::softmax_f32(g, x.data(), x.data());  // in place
        CHECK(relative_difference(expected, x) <= 1e-6);
#endif
    }
}

#if defined(MOTE_VECTORS)
TEST_CASE("softmax_i8: the kernel of the instruction set equals the definition to the bit") {
    using namespace softmax_test;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 62);
        const mote::RowGeometry g{from_to(random, 1, 4), seed % 10 == 0 ? 1001 : channels(random), 1};
        const auto q = bytes(static_cast<std::size_t>(g.outer * g.channels), random);
        const auto t = table(0.01 + 0.2 * static_cast<double>(random.uniform()));
        std::vector<std::int8_t> expected(q.size()), got = q;
        mote::kernels::reference::softmax_i8(g, t.data(), q.data(), expected.data());
        mote::kernels::softmax_i8(g, t.data(), got.data(), got.data());
        CHECK(got == expected);
    }
}
#endif
