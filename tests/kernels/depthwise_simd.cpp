// SPDX-License-Identifier: MIT
// Depthwise convolution: the vector kernels against the definition, on generated odd shapes.

#include <mote/kernels/depthwise.hpp>
#include <mote/kernels/multipliers.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/depthwise_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

#include <cmath>

namespace depthwise_test {

using namespace support;

/// The windows that have tiles of their own; images narrower and lower than they are, padding beyond them.
void square(mote::Random& random, mote::ConvGeometry& g) {
    g.kernel_height = g.kernel_width = from_to(random, 1, 3) * 2 + 1;
    g.stride_height = g.stride_width = from_to(random, 1, 2);
    g.dilation_height = g.dilation_width = 1;
    g.pad_top = from_to(random, 0, g.kernel_height);
    g.pad_left = from_to(random, 0, g.kernel_width);
    g.in_height = from_to(random, 1, 16);
    const std::int32_t room = g.in_height + g.pad_top - g.kernel_height, room_x = g.in_width + g.pad_left - g.kernel_width;
    g.out_height = ((room > 0 ? room : 0) + from_to(random, 0, 4)) / g.stride_height + 1;
    g.out_width = ((room_x > 0 ? room_x : 0) + from_to(random, 0, 4)) / g.stride_width + 1;
}

mote::ConvGeometry geometry(mote::Random& random) {
    mote::ConvGeometry g = window(random);
    if (from_to(random, 0, 1) == 0) square(random, g);
    g.in_channels = g.groups = channels(random);
    g.out_channels = g.in_channels * (from_to(random, 0, 3) == 0 ? from_to(random, 2, 5) : 1);
    return g;
}

template <class G>
std::size_t weights(const G& g) {
    return static_cast<std::size_t>(g.out_channels * g.kernel_height * g.kernel_width);
}

mote::RequantizeI8 requantization(mote::Random& random) {
    mote::RequantizeI8 r;
    r.zero_point = from_to(random, -128, 127);
    if (from_to(random, 0, 1) == 0) {
        r.lo = from_to(random, -128, 0);
        r.hi = from_to(random, 1, 127);
    }
    return r;
}

mote::AddI8 addition(mote::Random& random, bool wide) {
    mote::AddI8 add;
    const float out = wide ? 0.01f : 1.0f;
    const mote::QuantizationParams a{0.05f + random.uniform(), from_to(random, -128, 127)};
    const mote::QuantizationParams b{0.05f + random.uniform(), from_to(random, -128, 127)};
    REQUIRE(mote::make_add_i8(a, b, {out, from_to(random, -128, 127)}, -128, from_to(random, 100, 127), add));
    return add;
}

// What an emitted header gives a kernel.
struct FixedGeometry {
    static constexpr std::int32_t batch = 1, in_height = 5, in_width = 4, in_channels = 3, out_height = 3, out_width = 2,
                                  out_channels = 6, kernel_height = 3, kernel_width = 3, stride_height = 2, stride_width = 2,
                                  dilation_height = 1, dilation_width = 1, pad_top = 1, pad_left = 1, groups = 3;
};

}  // namespace depthwise_test

TEST_CASE("depthwise definition: one pixel by hand, padding holds the zero point, sums are requantized and added to") {
    using namespace depthwise_test;
    mote::ConvGeometry g;  // 1x1 image under a 1x2 window whose first tap lies in the padding
    g.kernel_width = 2;
    g.pad_left = 1;
    g.in_channels = g.groups = 1;
    g.out_channels = 2;
    const std::int8_t input[] = {11}, weight[] = {100, 3, 50, -4};
    const std::int32_t bias[] = {5, 6};
    const float multiplier[] = {0.5f, 0.25f};
    support::Block packed(mote::kernels::reference::depthwise_i8_packed_bytes(g));
    mote::kernels::reference::depthwise_i8_pack(g, {weight, bias, multiplier, 7}, packed.data());
    std::int8_t output[2] = {};
    mote::ConvI8 run;
    run.input = input;
    run.packed = packed.data();
    run.output = output;
    run.input_zero_point = 7;
    run.requantize.zero_point = -2;
    mote::kernels::reference::depthwise_i8_run(g, run);
    // (11 - 7) * 3 + 5 = 17 -> 8.5 -> 8; (11 - 7) * -4 + 6 = -10 -> -2.5 -> -2
    CHECK(output[0] == 8 - 2);
    CHECK(output[1] == -2 - 2);
}

TEST_CASE("depthwise definition: the same bits for a geometry known to the compiler") {
    using namespace depthwise_test;
    mote::Random random(3);
    const FixedGeometry fixed;
    mote::ConvGeometry g;
    g.in_height = 5, g.in_width = 4, g.in_channels = g.groups = 3, g.out_height = 3, g.out_width = 2, g.out_channels = 6;
    g.kernel_height = g.kernel_width = 3, g.stride_height = g.stride_width = 2, g.pad_top = g.pad_left = 1;
    const auto input = bytes(60, random), weight = bytes(weights(g), random, -127);
    const std::vector<std::int32_t> bias{1, -2, 3, -400, 500, 600};
    const std::vector<float> multiplier(6, 0.003f);
    std::vector<std::int8_t> expected(36), got(36);
    mote::ConvI8 run;
    run.input = input.data();
    run.input_zero_point = -9;
    run.output = expected.data();
    mote::kernels::reference::depthwise_i8(g, weight.data(), bias.data(), multiplier.data(), run);
    run.output = got.data();
    mote::kernels::reference::depthwise_i8(fixed, weight.data(), bias.data(), multiplier.data(), run);
    CHECK(got == expected);
    const auto x = floats(60, random), w = floats(weights(g), random);
    std::vector<float> y(36), z(36);
    mote::ConvF32 run_f32;
    run_f32.input = x.data();
    run_f32.output = y.data();
    mote::kernels::reference::depthwise_f32(g, w.data(), nullptr, run_f32);
    run_f32.output = z.data();
    mote::kernels::reference::depthwise_f32(fixed, w.data(), nullptr, run_f32);
    CHECK(relative_difference(y, z) <= f32_tolerance);
}

#if defined(MOTE_VECTORS)

namespace depthwise_test {

/// The kernel of float, half or bfloat against its definition, and in parts.
template <class T>
void check_floats(std::uint64_t count) {
    namespace kernels = mote::kernels;
    for (std::uint64_t seed = 0; seed < count; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 10);
        const mote::ConvGeometry g = geometry(random);
        const auto input = rounded<T>(floats(input_elements(g), random)), weight = rounded<T>(floats(weights(g), random));
        const auto bias = floats(static_cast<std::size_t>(g.out_channels), random);
        const auto residual = rounded<T>(floats(output_elements(g), random));
        const mote::ConvConstantsFloat<T> constants{weight.data(), seed % 3 == 0 ? nullptr : bias.data()};
        Block definition(kernels::reference::depthwise_f32_packed_bytes<T>(g));
        kernels::reference::depthwise_f32_pack(g, constants, definition.data());
        Block packed(kernels::depthwise_f32_packed_bytes<T>(g));
        kernels::depthwise_f32_pack(g, constants, packed.data());
        Block scratch(kernels::depthwise_f32_scratch_bytes<T>(g));
        std::vector<T> expected(output_elements(g)), got = residual;
        mote::ConvFloat<T> run;
        run.input = input.data();
        if (seed % 2 == 0) run.lo = -0.5f, run.hi = 1.5f;
        if (seed % 4 == 1) run.residual_lo = 0.0f;
        run.packed = definition.data();
        run.residual = seed % 2 == 0 ? nullptr : residual.data();
        run.output = expected.data();
        kernels::reference::depthwise_f32_run(g, run);
        run.packed = packed.data();
        run.residual = seed % 2 == 0 ? nullptr : got.data();  // in place
        run.output = got.data();
        run.scratch = scratch.data();
        kernels::depthwise_f32_run(g, run);
        CHECK(relative_difference(widened(expected), widened(got)) <= neighbours<T>);
        if (run.residual != nullptr) continue;
        const std::vector<T> whole = got;
        const std::int32_t parts = from_to(random, 2, 5);
        for (std::int32_t i = 0; i < parts; ++i) kernels::depthwise_f32_run(g, run, {i, parts});
        CHECK(got == whole);  // the same bits
    }
}

}  // namespace depthwise_test

TEST_CASE("depthwise f32: the vector kernel equals the definition for odd shapes") {
    depthwise_test::check_floats<float>(400);
}

TEST_CASE("depthwise bf16, f16: the vector kernels' results are the definition's or their neighbours") {
    depthwise_test::check_floats<mote::bfloat>(200);
    depthwise_test::check_floats<mote::half>(200);
}

TEST_CASE("depthwise int8: the vector kernel equals the definition to the bit for odd shapes") {
    using namespace depthwise_test;
    for (std::uint64_t seed = 0; seed < 600; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 11);
        const mote::ConvGeometry g = geometry(random);
        const auto out = static_cast<std::size_t>(g.out_channels);
        const auto input = bytes(input_elements(g), random), weight = bytes(weights(g), random, -127);
        const auto residual = bytes(output_elements(g), random);
        std::vector<std::int32_t> bias(out);
        std::vector<float> multiplier(out);
        for (std::int32_t& b : bias) b = from_to(random, -200000, 200000);
        for (float& m : multiplier) m = 0.0001f + 0.004f * random.uniform();
        const std::int32_t zero_point = from_to(random, -128, 127);
        const mote::ConvConstantsI8 constants{weight.data(), seed % 3 == 0 ? nullptr : bias.data(), multiplier.data(),
                                              zero_point};
        Block definition(mote::kernels::reference::depthwise_i8_packed_bytes(g));
        mote::kernels::reference::depthwise_i8_pack(g, constants, definition.data());
        Block packed(mote::kernels::depthwise_i8_packed_bytes(g));
        mote::kernels::depthwise_i8_pack(g, constants, packed.data());
        Block scratch(mote::kernels::depthwise_i8_scratch_bytes(g));
        std::vector<std::int8_t> expected(output_elements(g)), got = residual;
        mote::ConvI8 run;
        run.input = input.data();
        run.input_zero_point = zero_point;
        run.requantize = requantization(random);
        const bool add = seed % 2 == 1;
        if (add) run.add = addition(random, seed % 16 == 1);
        run.packed = definition.data();
        run.residual = add ? residual.data() : nullptr;
        run.output = expected.data();
        mote::kernels::reference::depthwise_i8_run(g, run);
        run.packed = packed.data();
        run.residual = add ? got.data() : nullptr;  // in place
        run.output = got.data();
        run.scratch = scratch.data();
        mote::kernels::depthwise_i8_run(g, run);
        CHECK(got == expected);
    }
}

namespace depthwise_test {

/// A square window over an image whose outputs are height x width; pad on all sides.
mote::ConvGeometry sized(std::int32_t height, std::int32_t width, std::int32_t channels, std::int32_t kernel,
                         std::int32_t stride, std::int32_t pad) {
    mote::ConvGeometry g;
    g.in_channels = g.out_channels = g.groups = channels;
    g.kernel_height = g.kernel_width = kernel;
    g.stride_height = g.stride_width = stride;
    g.pad_top = g.pad_left = pad;
    g.out_height = height, g.out_width = width;
    g.in_height = (height - 1) * stride + kernel - 2 * pad, g.in_width = (width - 1) * stride + kernel - 2 * pad;
    if (g.in_height < 1) g.in_height = 1;
    if (g.in_width < 1) g.in_width = 1;
    return g;
}

struct Int8Layer {
    std::vector<std::int8_t> input, weight;
    std::vector<std::int32_t> bias;
    std::vector<float> multiplier;
    std::int32_t zero_point = 0;
    mote::RequantizeI8 requantize;
};

/// Whether the vector kernel gives the definition's bits.
bool same_bits(const mote::ConvGeometry& g, const Int8Layer& layer) {
    const mote::ConvConstantsI8 constants{layer.weight.data(), layer.bias.data(), layer.multiplier.data(), layer.zero_point};
    Block definition(mote::kernels::reference::depthwise_i8_packed_bytes(g)),
        packed(mote::kernels::depthwise_i8_packed_bytes(g));
    Block scratch(mote::kernels::depthwise_i8_scratch_bytes(g));
    mote::kernels::reference::depthwise_i8_pack(g, constants, definition.data());
    mote::kernels::depthwise_i8_pack(g, constants, packed.data());
    std::vector<std::int8_t> expected(output_elements(g)), got(expected.size(), 77);
    mote::ConvI8 run;
    run.input = layer.input.data();
    run.input_zero_point = layer.zero_point;
    run.requantize = layer.requantize;
    run.packed = definition.data();
    run.output = expected.data();
    mote::kernels::reference::depthwise_i8_run(g, run);
    run.packed = packed.data();
    run.output = got.data();
    run.scratch = scratch.data();
    mote::kernels::depthwise_i8_run(g, run);
    return got == expected;
}

template <class Visit>
void for_each_size(const Visit& visit) {
    static constexpr std::int32_t channels[] = {4, 8, 12, 16, 20, 24, 31, 48};
    mote::Random random(7, 13);
    for (std::int32_t kernel = 3; kernel <= 7; kernel += 2) {
        for (std::int32_t stride = 1; stride <= 2; ++stride) {
            for (std::int32_t height = 1; height <= 9; ++height) {
                for (std::int32_t width = 1; width <= 14; ++width) {
                    const std::int32_t some = channels[random.below(sizeof channels / sizeof channels[0])];
                    visit(sized(height, width, some, kernel, stride, from_to(random, 0, kernel / 2)), random);
                }
            }
        }
    }
}

}  // namespace depthwise_test

TEST_CASE("depthwise f32: bands of every height, rows of every width") {
    using namespace depthwise_test;
    for_each_size([](const mote::ConvGeometry& g, mote::Random& random) {
        CAPTURE(g.kernel_height, g.stride_height, g.out_height, g.out_width, g.out_channels, g.pad_top);
        const auto input = floats(input_elements(g), random), weight = floats(weights(g), random);
        const auto bias = floats(static_cast<std::size_t>(g.out_channels), random);
        Block packed(mote::kernels::depthwise_f32_packed_bytes(g)), scratch(mote::kernels::depthwise_f32_scratch_bytes(g));
        mote::kernels::depthwise_f32_pack(g, {weight.data(), bias.data()}, packed.data());
        std::vector<float> expected(output_elements(g)), got(expected.size());
        mote::ConvF32 run;
        run.input = input.data();
        run.lo = -1.0f;
        run.output = expected.data();
        mote::kernels::reference::depthwise_f32(g, weight.data(), bias.data(), run);
        run.packed = packed.data();
        run.scratch = scratch.data();
        run.output = got.data();
        mote::kernels::depthwise_f32_run(g, run);
        CHECK(relative_difference(expected, got) <= f32_tolerance);
    });
}

TEST_CASE("depthwise f32: a NaN becomes the lower bound, the infinite are bounded") {
    using namespace depthwise_test;
    const mote::ConvGeometry g = sized(6, 9, 8, 3, 1, 1);
    auto input = std::vector<float>(input_elements(g), 1.0f);
    input[8 * (9 * 2 + 3) + 1] = std::nanf("");
    input[8 * (9 * 4 + 6) + 5] = HUGE_VALF;
    const std::vector<float> weight(weights(g), 0.25f);
    Block packed(mote::kernels::depthwise_f32_packed_bytes(g)), scratch(mote::kernels::depthwise_f32_scratch_bytes(g));
    mote::kernels::depthwise_f32_pack(g, {weight.data(), nullptr}, packed.data());
    std::vector<float> expected(output_elements(g)), got(expected.size());
    mote::ConvF32 run;
    run.input = input.data();
    run.lo = -2.0f, run.hi = 6.0f;
    run.output = expected.data();
    mote::kernels::reference::depthwise_f32(g, weight.data(), nullptr, run);
    run.packed = packed.data();
    run.scratch = scratch.data();
    run.output = got.data();
    mote::kernels::depthwise_f32_run(g, run);
    CHECK(got == expected);
}

TEST_CASE("depthwise int8: rows of every number, width and number of channels") {
    using namespace depthwise_test;
    for_each_size([](const mote::ConvGeometry& g, mote::Random& random) {
        CAPTURE(g.kernel_height, g.stride_height, g.out_height, g.out_width, g.out_channels, g.pad_top);
        const auto out = static_cast<std::size_t>(g.out_channels);
        Int8Layer layer{bytes(input_elements(g), random), bytes(weights(g), random, -127), {}, {}, 0, {}};
        for (std::size_t c = 0; c < out; ++c) {
            layer.bias.push_back(from_to(random, -20000, 20000));
            layer.multiplier.push_back(0.0002f + 0.004f * random.uniform());
        }
        layer.zero_point = from_to(random, -128, 127);
        layer.requantize = requantization(random);
        CHECK(same_bits(g, layer));
    });
}

TEST_CASE("depthwise int8: the least and greatest inputs, weights, zero points and multipliers") {
    using namespace depthwise_test;
    mote::Random random(5, 14);
    for (std::int32_t kernel = 3; kernel <= 7; kernel += 2) {
        for (const std::int32_t value : {-128, 127}) {
            for (const std::int32_t least : {-127, 127}) {  // weights of both signs, and positive ones alone
                for (const float multiplier : {1.2e-38f, 0.0005f, 0.5f, 1.0f, 1000.0f, 3.0e38f}) {
                    for (const std::int32_t zero_point : {-128, 0, 127}) {
                        CAPTURE(kernel, value, least, multiplier, zero_point);
                        const mote::ConvGeometry g = sized(3, 4, 24, kernel, 1, kernel / 2);
                        Int8Layer layer;
                        layer.input.assign(input_elements(g), static_cast<std::int8_t>(value));
                        for (std::size_t i = 0; i < weights(g); ++i)
                            layer.weight.push_back(static_cast<std::int8_t>(random.below(2) == 0 ? least : 127));
                        layer.bias.assign(24, value * 1000);
                        layer.multiplier.assign(24, multiplier);
                        layer.zero_point = -1 - value;
                        layer.requantize.zero_point = zero_point;
                        CHECK(same_bits(g, layer));
                        layer.requantize.lo = -100, layer.requantize.hi = 90;
                        CHECK(same_bits(g, layer));
                    }
                }
            }
        }
    }
}

#endif
