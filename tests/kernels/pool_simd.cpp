// SPDX-License-Identifier: MIT
// Pooling: the definition against plain arithmetic, the vector kernels against the definition, on generated odd shapes.

#include <mote/kernels/pool.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/pool_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

namespace pool_test {

using namespace support;

mote::ConvGeometry geometry(mote::Random& random) {
    mote::ConvGeometry g = window(random);
    g.in_channels = g.out_channels = g.groups = channels(random);
    return g;
}

/// The whole image under one window.
mote::ConvGeometry global(mote::Random& random) {
    mote::ConvGeometry g;
    g.batch = from_to(random, 1, 3);
    g.in_height = g.kernel_height = from_to(random, 1, 30);
    g.in_width = g.kernel_width = from_to(random, 1, 30);
    g.in_channels = g.out_channels = g.groups = channels(random);
    return g;
}

}  // namespace pool_test

TEST_CASE("rounded_mean: half to even, for all sums of small windows") {
    for (std::int32_t count = 1; count <= 25; ++count) {
        std::size_t wrong = 0;
        for (std::int32_t sum = -128 * count; sum <= 127 * count; ++sum) {
            // nearbyint rounds half to even in the default mode, and the quotient of such small integers has exact ties.
            const auto expected =
                static_cast<std::int32_t>(std::nearbyint(static_cast<double>(sum) / static_cast<double>(count)));
            wrong += mote::kernels::rounded_mean(sum, count) == expected ? 0u : 1u;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("pooling definition: padding never wins, and counts as zero or the zero point only where asked") {
    mote::ConvGeometry g;
    g.in_width = 2;
    g.kernel_width = 3;
    g.pad_left = 2;
    g.out_width = 3;  // windows over {-, -, 0}, {-, 0, 1}, {0, 1, -}
    const std::int8_t q[] = {-100, -105};
    std::int8_t out[3] = {};
    mote::kernels::reference::max_pool_i8(g, q, out);
    CHECK((out[0] == -100 && out[1] == -100 && out[2] == -100));
    mote::kernels::reference::average_pool_i8(g, false, 7, q, out);
    CHECK((out[0] == -100 && out[1] == -102 && out[2] == -102));
    mote::kernels::reference::average_pool_i8(g, true, 7, q, out);  // (7 + 7 - 100) / 3 = -28.7, (7 - 205) / 3 = -66
    CHECK((out[0] == -29 && out[1] == -66 && out[2] == -66));
    const float x[] = {-3.0f, -6.0f};
    float y[3] = {};
    mote::kernels::reference::max_pool_f32(g, x, y);
    CHECK((y[0] == -3.0f && y[1] == -3.0f && y[2] == -3.0f));
    mote::kernels::reference::average_pool_f32(g, false, x, y);
    CHECK((y[0] == -3.0f && y[1] == -4.5f && y[2] == -4.5f));
    mote::kernels::reference::average_pool_f32(g, true, x, y);
    CHECK((y[0] == -1.0f && y[1] == -3.0f && y[2] == -3.0f));
}

TEST_CASE("arg_max_pool_f32: places of the largest under windows of one axis, with padding, of equal ones the first") {
    mote::WindowGeometry g;
    g.channels = 2;
    g.extent[0] = 4, g.out[0] = 3, g.kernel[0] = 2, g.stride[0] = 2, g.dilation[0] = 1, g.before[0] = 1;
    g.steps[0] = 1000, g.steps[1] = 10, g.steps[2] = 100;
    const float x[] = {1, -5, 7, -5, 7, -6, 2, -4};  // channel 0: 1 7 7 2; channel 1: -5 -5 -6 -4
    std::int64_t place[6];
    mote::kernels::reference::arg_max_pool_f32(g, x, place);
    CHECK(std::vector<std::int64_t>(place, place + 6) == std::vector<std::int64_t>{0, 100, 10, 110, 30, 130});
    g.dilation[0] = 5;
    g.extent[0] = 1, g.out[0] = 1, g.before[0] = 2;  // taps at -2 and 3
    mote::kernels::reference::arg_max_pool_f32(g, x, place);
    CHECK(place[0] == -1);
}

#if defined(MOTE_VECTORS)

TEST_CASE("pooling: the vector kernels equal the definition for odd shapes, int8 to the bit") {
    using namespace pool_test;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 20);
        const mote::ConvGeometry g = seed % 5 == 0 ? global(random) : geometry(random);
        const std::int32_t zero_point = from_to(random, -128, 127);
        const bool count_padding = seed % 2 == 0;
        // Images of one extreme, too: there 16-bit sums would overflow first.
        const auto q = seed % 7 == 0 ? bytes(input_elements(g), random, -128, -128) : bytes(input_elements(g), random);
        std::vector<std::int8_t> expected(output_elements(g)), got(output_elements(g));
        mote::kernels::reference::max_pool_i8(g, q.data(), expected.data());
        mote::kernels::max_pool_i8(g, q.data(), got.data());
        CHECK(got == expected);
        mote::kernels::reference::average_pool_i8(g, count_padding, zero_point, q.data(), expected.data());
        mote::kernels::average_pool_i8(g, count_padding, zero_point, q.data(), got.data());
        CHECK(got == expected);
        const auto x = floats(input_elements(g), random);
        std::vector<float> expected_f32(output_elements(g)), got_f32(output_elements(g));
        mote::kernels::reference::average_pool_f32(g, count_padding, x.data(), expected_f32.data());
        mote::kernels::average_pool_f32(g, count_padding, x.data(), got_f32.data());
        CHECK(relative_difference(expected_f32, got_f32) <= f32_tolerance);
        // The largest of nothing is -infinity, which no tolerance compares: bits are compared.
        mote::kernels::reference::max_pool_f32(g, x.data(), expected_f32.data());
        mote::kernels::max_pool_f32(g, x.data(), got_f32.data());
        CHECK(std::memcmp(expected_f32.data(), got_f32.data(), 4 * expected_f32.size()) == 0);
    }
}

TEST_CASE("rounded_mean: the vector form equals the definition at every tie and beside it") {
    using mote::kernels::simd::I32;
    using mote::kernels::simd::lanes32;
    for (std::int32_t count : {1, 2, 3, 4, 6, 7, 9, 16, 49, 64, 100, 255, 256, 1024, 3136, 12544, 65536, 1000000}) {
        CAPTURE(count);
        std::size_t wrong = 0;
        const float inverse = 1.0f / static_cast<float>(count);
        for (std::int32_t half = -256; half <= 254; ++half) {
            for (std::int32_t beside = -1; beside <= 1; ++beside) {
                const auto sum = static_cast<std::int32_t>(std::int64_t{half} * count / 2 + beside);
                std::int32_t got[lanes32];
                mote::kernels::simd::store(got, mote::kernels::pool::rounded_mean(I32(sum), count, inverse));
                wrong += got[0] == mote::kernels::rounded_mean(sum, count) ? 0u : 1u;
            }
        }
        CHECK(wrong == 0);
    }
}

#endif
