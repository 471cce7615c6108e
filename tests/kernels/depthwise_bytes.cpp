// SPDX-License-Identifier: MIT
// Depthwise convolution of bytes by fours: what it alone must get right (the odd shapes are in depthwise_simd.cpp).

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_BYTE_TAPS)
#include <mote/kernels/depthwise_bytes.hpp>

#include <support/catch.hpp>
#include <support/generate.hpp>

TEST_CASE("depthwise bytes: every number of channels, rows of outputs by twos and a last one, parts in any number") {
    using namespace support;
    for (std::int32_t channels = 1; channels <= 130; ++channels) {
        CAPTURE(channels);
        mote::Random random(static_cast<std::uint64_t>(channels), 31);
        mote::ConvGeometry g;
        g.batch = 1 + channels % 2;
        g.in_height = 7 + channels % 3, g.in_width = 5 + channels % 4;
        g.in_channels = g.out_channels = g.groups = channels;
        g.kernel_height = channels % 5 == 0 ? 5 : 3, g.kernel_width = channels % 7 == 0 ? 5 : 3;
        g.stride_height = 1 + channels % 11 / 10, g.stride_width = 1 + channels % 13 / 12;
        g.pad_top = g.pad_left = 1;
        g.out_height = (g.in_height + 2 - g.kernel_height) / g.stride_height + 1;
        g.out_width = (g.in_width + 2 - g.kernel_width) / g.stride_width + 1;
        const auto count = static_cast<std::size_t>(channels);
        const auto input = bytes(input_elements(g), random);
        const auto weight = bytes(count * static_cast<std::size_t>(g.kernel_height * g.kernel_width), random, -127);
        std::vector<std::int32_t> bias(count);
        std::vector<float> multiplier(count);
        for (std::int32_t& b : bias) b = from_to(random, -20000, 20000);
        for (float& m : multiplier) m = 0.001f + 0.004f * random.uniform();
        const mote::ConvConstantsI8 constants{weight.data(), bias.data(), multiplier.data(), -3};
        std::vector<std::int8_t> expected(output_elements(g));
        mote::ConvI8 run;
        run.input = input.data();
        run.input_zero_point = -3;
        run.requantize.zero_point = 5;
        run.output = expected.data();
        Block definition(mote::kernels::reference::depthwise_i8_packed_bytes(g));
        mote::kernels::reference::depthwise_i8_pack(g, constants, definition.data());
        run.packed = definition.data();
        mote::kernels::reference::depthwise_i8_run(g, run);
        Block packed(mote::kernels::depthwise_i8_packed_bytes(g)), scratch(mote::kernels::depthwise_i8_scratch_bytes(g));
        mote::kernels::depthwise_i8_pack(g, constants, packed.data());
        run.packed = packed.data();
        run.scratch = scratch.data();
        for (std::int32_t parts = 1; parts <= 4; ++parts) {
            CAPTURE(parts);
            std::vector<std::int8_t> got(expected.size(), 77);
            run.output = got.data();
            for (std::int32_t part = 0; part < parts; ++part) mote::kernels::depthwise_i8_run(g, run, {part, parts});
            CHECK(got == expected);
        }
    }
}
#endif
