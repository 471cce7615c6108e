// SPDX-License-Identifier: MIT
// Winograd's convolutions: the definition's answers to rounding, the same bits in parts, and an estimate that says what they
// do.

#include <mote/kernels/conv2d.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/winograd_simd.hpp>

#include <support/catch.hpp>
#include <support/generate.hpp>

#include <limits>

namespace winograd_test {

using namespace support;

/// Of outputs of some hundred products of size 1: what the transforms' constants lose (Lavin and Gray 2015 report the same).
constexpr double tolerance = 1e-4;

/// A 3x3 window of stride 1, with whole vectors of channels: any size and padding.
mote::ConvGeometry geometry(mote::Random& random) {
    mote::ConvGeometry g = window(random);
    g.kernel_height = g.kernel_width = 3;
    g.stride_height = g.stride_width = g.dilation_height = g.dilation_width = 1;
    g.in_height = from_to(random, 3, 17);
    g.in_width = from_to(random, 3, 17);
    g.out_height = g.in_height + g.pad_top + from_to(random, 0, 2) - 2;
    g.out_width = g.in_width + g.pad_left + from_to(random, 0, 2) - 2;
    const auto lanes = static_cast<std::int32_t>(mote::kernels::simd::lanes32);
    g.in_channels = lanes * from_to(random, 1, 5);
    g.out_channels = lanes * from_to(random, 1, 5);
    return g;
}

template <int m>
void check() {
    constexpr double never = std::numeric_limits<double>::max();
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(m, seed);
        mote::Random random(seed, 50);
        const mote::ConvGeometry g = geometry(random);
        REQUIRE(mote::kernels::winograd_f32_cycles<m>(g) < never);
        const auto input = floats(input_elements(g), random);
        const auto weight = floats(static_cast<std::size_t>(g.out_channels * mote::kernels::weight_row(g)), random, 0.1f);
        const auto bias = floats(static_cast<std::size_t>(g.out_channels), random);
        const auto residual = floats(output_elements(g), random);
        const mote::ConvConstantsF32 constants{weight.data(), seed % 3 == 0 ? nullptr : bias.data()};
        Block definition(mote::kernels::reference::conv2d_f32_packed_bytes(g));
        mote::kernels::reference::conv2d_f32_pack(g, constants, definition.data());
        Block packed(mote::kernels::winograd_f32_packed_bytes<m>(g)), scratch(mote::kernels::winograd_f32_scratch_bytes<m>(g));
        mote::kernels::winograd_f32_pack<m>(g, constants, packed.data());
        std::vector<float> expected(output_elements(g)), whole;
        mote::ConvF32 run;
        run.input = input.data();
        if (seed % 2 == 0) run.lo = -0.5f, run.hi = 1.5f;
        if (seed % 4 == 1) run.residual_lo = 0.0f;
        run.packed = definition.data();
        run.residual = seed % 2 == 0 ? nullptr : residual.data();
        run.output = expected.data();
        mote::kernels::reference::conv2d_f32_run(g, run);
        run.packed = packed.data();
        run.scratch = scratch.data();
        for (std::int32_t parts = 1; parts <= 3; ++parts) {
            std::vector<float> got = residual;
            run.residual = seed % 2 == 0 ? nullptr : got.data();  // in place
            run.output = got.data();
            for (std::int32_t i = parts; i-- > 0;) mote::kernels::winograd_f32_run<m>(g, run, {i, parts});
            if (parts == 1) whole = got;
            CHECK(relative_difference(expected, got) <= tolerance);
            CHECK(std::memcmp(got.data(), whole.data(), whole.size() * sizeof(float)) == 0);
        }
    }
}

}  // namespace winograd_test

TEST_CASE("winograd F(2x2, 3x3): the definition's answers, whatever the edges; the parts of a run give the bits of the whole") {
    winograd_test::check<2>();
}
TEST_CASE("winograd F(4x4, 3x3): the definition's answers, whatever the edges; the parts of a run give the bits of the whole") {
    winograd_test::check<4>();
}

TEST_CASE("winograd: other windows are not its own") {
    mote::Random random(1);
    const mote::ConvGeometry g = winograd_test::geometry(random);
    constexpr double never = std::numeric_limits<double>::max();
    const auto refuses = [](const mote::ConvGeometry& other) {
        return mote::kernels::winograd_f32_cycles<2>(other) == never && mote::kernels::winograd_f32_cycles<4>(other) == never;
    };
    CHECK_FALSE(refuses(g));
    for (const auto member :
         {&mote::ConvGeometry::kernel_height, &mote::ConvGeometry::kernel_width, &mote::ConvGeometry::stride_height,
          &mote::ConvGeometry::stride_width, &mote::ConvGeometry::dilation_height, &mote::ConvGeometry::dilation_width,
          &mote::ConvGeometry::groups, &mote::ConvGeometry::in_channels, &mote::ConvGeometry::out_channels}) {
        mote::ConvGeometry other = g;
        ++(other.*member);
        CHECK(refuses(other));
    }
}
#endif
