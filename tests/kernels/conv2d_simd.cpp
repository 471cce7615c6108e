// SPDX-License-Identifier: MIT
// Convolution: the vector kernels against the definition, on generated odd shapes and on shapes that take several blocks.

#include <mote/kernels/conv2d.hpp>
#include <mote/kernels/multipliers.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/conv2d_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

namespace conv2d_test {

using namespace support;

/// Of f32 outputs that are clamped to 1.5 after sums of up to 2700 products whose size is tens.
constexpr double clamped_tolerance = 1e-4;

std::size_t weights(const mote::ConvGeometry& g) {
    return static_cast<std::size_t>(g.out_channels * mote::kernels::weight_row(g));
}

/// Any window; one in four is a window of one pixel on each pixel.
mote::ConvGeometry geometry(mote::Random& random) {
    mote::ConvGeometry g = window(random);
    if (from_to(random, 0, 3) == 0) {
        g.kernel_height = g.kernel_width = g.stride_height = g.stride_width = 1;
        g.pad_top = g.pad_left = 0;
        g.out_height = g.in_height;
        g.out_width = g.in_width;
    }
    if (from_to(random, 0, 2) == 0) g.dilation_width = 1;
    g.groups = from_to(random, 0, 3) == 0 ? from_to(random, 2, 3) : 1;
    g.in_channels = channels(random) * g.groups;
    g.out_channels = channels(random) * g.groups;
    return g;
}

/// A dense layer: `rows` rows of `in` values.
mote::ConvGeometry dense(std::int32_t rows, std::int32_t in, std::int32_t out) {
    mote::ConvGeometry g;
    g.batch = rows;
    g.in_channels = in;
    g.out_channels = out;
    return g;
}

/// Shapes beyond the odd ones: many steps (several blocks of a panel), many pixels (several blocks of rows), few rows.
std::vector<mote::ConvGeometry> large() {
    mote::ConvGeometry image;
    image.in_height = image.out_height = 23;
    image.in_width = image.out_width = 19;
    image.kernel_height = image.kernel_width = 3;
    image.pad_top = image.pad_left = 1;
    image.in_channels = 33;
    image.out_channels = 20;
    mote::ConvGeometry deep = image;
    deep.in_height = deep.out_height = deep.in_width = deep.out_width = 3;
    deep.in_channels = 300;
    mote::ConvGeometry even = image;  // what matrix tiles take: runs of taps that divide evenly
    even.in_channels = 24;
    even.out_channels = 75;
    mote::ConvGeometry strided = even;
    strided.stride_height = strided.stride_width = 2;
    strided.out_height = 12;
    strided.out_width = 10;
    strided.in_channels = 128;  // and more of them than two tiles of pixels pass one by one
    mote::ConvGeometry groups = even;
    groups.groups = 2;
    groups.in_channels = groups.out_channels = 80;
    return {image,
            deep,
            even,
            strided,
            groups,
            dense(33, 44, 129),
            dense(50, 1152, 50),
            dense(1, 1025, 70),
            dense(2, 1024, 70),
            dense(3, 2000, 33),
            dense(1, 100, 200),
            dense(1, 203, 299),
            dense(301, 256, 17)};
}

struct Case {
    mote::ConvGeometry g;
    std::uint64_t seed;
};
std::vector<Case> cases(std::uint64_t count) {
    std::vector<Case> all;
    for (std::uint64_t seed = 0; seed < count; ++seed) {
        mote::Random random(seed, 20);
        all.push_back({geometry(random), seed});
    }
    for (const mote::ConvGeometry& g : large()) all.push_back({g, all.size()});
    return all;
}

}  // namespace conv2d_test

TEST_CASE("conv2d definition: one pixel by hand, padding holds the zero point, sums are requantized and added to") {
    using namespace conv2d_test;
    mote::ConvGeometry g;  // 1x1 image of 2 channels under a 1x2 window whose first tap lies in the padding
    g.kernel_width = 2;
    g.pad_left = 1;
    g.in_channels = 2;
    g.out_channels = 1;
    const std::int8_t input[] = {11, 5}, weight[] = {100, 90, 3, -4}, residual[] = {9};
    const std::int32_t bias[] = {3};
    const float multiplier[] = {0.5f};
    Block packed(mote::kernels::reference::conv2d_i8_packed_bytes(g));
    mote::kernels::reference::conv2d_i8_pack(g, {weight, bias, multiplier, 7}, packed.data());
    std::int8_t output[1] = {};
    mote::ConvI8 run;
    run.input = input;
    run.packed = packed.data();
    run.output = output;
    run.input_zero_point = 7;
    run.requantize.zero_point = -2;
    mote::kernels::reference::conv2d_i8_run(g, run);
    CHECK(output[0] == 12 - 2);  // (11 - 7) * 3 + (5 - 7) * -4 + 3 = 23 -> 11.5 -> 12
    run.residual = residual;
    run.add = {-2, 1, 3, 1 << 20, 1 << 19, 20, -128, 127, false};
    mote::kernels::reference::conv2d_i8_run(g, run);
    CHECK(output[0] == 3 + 12 + 4);  // 12 + 8 / 2
    run.residual = nullptr;
    run.requantize.hi = 5;
    mote::kernels::reference::conv2d_i8_run(g, run);
    CHECK(output[0] == 5);
}

TEST_CASE("conv2d definition: groups read their own channels") {
    using namespace conv2d_test;
    mote::ConvGeometry g;
    g.groups = 2;
    g.in_channels = 4;
    g.out_channels = 2;
    const float input[] = {1, 2, 4, 8}, weight[] = {1, 10, 100, 1000}, bias[] = {0.5f, 0.25f};
    Block packed(mote::kernels::reference::conv2d_f32_packed_bytes(g));
    mote::kernels::reference::conv2d_f32_pack(g, {weight, bias}, packed.data());
    float output[2] = {};
    mote::ConvF32 run;
    run.input = input;
    run.packed = packed.data();
    run.output = output;
    mote::kernels::reference::conv2d_f32_run(g, run);
    CHECK(output[0] == 21.5f);
    CHECK(output[1] == 8400.25f);
}

#if defined(MOTE_VECTORS)

namespace conv2d_test {

/// The kernel of float, half or bfloat (D's) against its definition.
template <class D>
void check_floats(std::uint64_t count, double tolerance) {
    namespace kernels = mote::kernels;
    using T = typename D::Input;
    for (const auto& [g, seed] : cases(count)) {
        CAPTURE(seed);
        mote::Random random(seed, 21);
        const auto input = rounded<T>(floats(input_elements(g), random)), weight = rounded<T>(floats(weights(g), random));
        const auto bias = floats(static_cast<std::size_t>(g.out_channels), random);
        const auto residual = rounded<T>(floats(output_elements(g), random));
        const mote::ConvConstantsFloat<T> constants{weight.data(), seed % 3 == 0 ? nullptr : bias.data()};
        Block definition(kernels::reference::conv2d_f32_packed_bytes<T>(g));
        kernels::reference::conv2d_f32_pack(g, constants, definition.data());
        Block packed(kernels::conv2d_f32_packed_bytes<D>(g));
        kernels::conv2d_f32_pack<D>(g, constants, packed.data());
        Block scratch(kernels::conv2d_f32_scratch_bytes<D>(g));
        std::vector<T> expected(output_elements(g)), got = residual;
        mote::ConvFloat<T> run;
        run.input = input.data();
        if (seed % 2 == 0) run.lo = -0.5f, run.hi = 1.5f;
        if (seed % 4 == 1) run.residual_lo = 0.0f;
        run.packed = definition.data();
        run.residual = seed % 2 == 0 ? nullptr : residual.data();
        run.output = expected.data();
        kernels::reference::conv2d_f32_run(g, run);
        run.packed = packed.data();
        run.residual = seed % 2 == 0 ? nullptr : got.data();  // in place
        run.output = got.data();
        run.scratch = scratch.data();
        kernels::conv2d_f32_run<D>(g, run);
        CHECK(relative_difference(widened(expected), widened(got)) <= tolerance);
    }
}

}  // namespace conv2d_test

TEST_CASE("conv2d f32: the vector kernel equals the definition for odd shapes") {
    conv2d_test::check_floats<mote::kernels::simd::DotF32>(400, conv2d_test::clamped_tolerance);
}

TEST_CASE("conv2d bf16, f16: the vector kernels' results are the definition's or their neighbours") {
    using namespace conv2d_test;
    check_floats<mote::kernels::simd::DotBf16>(300, neighbours<mote::bfloat> + clamped_tolerance);
    check_floats<mote::kernels::simd::DotF16>(200, neighbours<mote::half> + clamped_tolerance);
}

TEST_CASE("conv2d f32: a row's bits do not depend on how many rows are computed") {
    using namespace conv2d_test;
    mote::Random random(1, 22);
    const mote::ConvGeometry many = dense(20, 500, 77);
    const auto input = floats(input_elements(many), random), weight = floats(weights(many), random);
    Block packed(mote::kernels::conv2d_f32_packed_bytes(many));
    mote::kernels::conv2d_f32_pack(many, {weight.data(), nullptr}, packed.data());
    std::vector<float> all(output_elements(many));
    mote::ConvF32 run;
    run.input = input.data();
    run.packed = packed.data();
    run.output = all.data();
    Block scratch(mote::kernels::conv2d_f32_scratch_bytes(many));
    run.scratch = scratch.data();
    mote::kernels::conv2d_f32_run(many, run);
    for (std::int32_t rows = 1; rows <= 7; ++rows) {
        const mote::ConvGeometry few = dense(rows, 500, 77);
        std::vector<float> some(output_elements(few));
        mote::kernels::conv2d_f32_pack(few, {weight.data(), nullptr}, packed.data());
        run.input = input.data() + 3 * 500;
        run.output = some.data();
        mote::kernels::conv2d_f32_run(few, run);
        CHECK(std::memcmp(some.data(), all.data() + 3 * 77, some.size() * sizeof(float)) == 0);
    }
}

TEST_CASE("conv2d: the parts of a run give the bits of the whole, whatever their number") {
    using namespace conv2d_test;
    for (const auto& [g, seed] : cases(100)) {
        CAPTURE(seed);
        mote::Random random(seed, 24);
        const auto input = floats(input_elements(g), random), weight = floats(weights(g), random);
        Block packed(mote::kernels::conv2d_f32_packed_bytes(g)), scratch(mote::kernels::conv2d_f32_scratch_bytes(g));
        mote::kernels::conv2d_f32_pack(g, {weight.data(), nullptr}, packed.data());
        const auto quantized = bytes(input_elements(g), random), integers = bytes(weights(g), random, -127);
        const std::vector<float> multiplier(static_cast<std::size_t>(g.out_channels), 0.001f);
        Block packed_i8(mote::kernels::conv2d_i8_packed_bytes(g)), scratch_i8(mote::kernels::conv2d_i8_scratch_bytes(g));
        mote::kernels::conv2d_i8_pack(g, {integers.data(), nullptr, multiplier.data(), 3}, packed_i8.data());
        using mote::kernels::simd::DotBf16;
        const auto halves = rounded<mote::bfloat>(input), half_weight = rounded<mote::bfloat>(weight);
        Block packed_bf16(mote::kernels::conv2d_f32_packed_bytes<DotBf16>(g));
        Block scratch_bf16(mote::kernels::conv2d_f32_scratch_bytes<DotBf16>(g));
        mote::kernels::conv2d_f32_pack<DotBf16>(g, {half_weight.data(), nullptr}, packed_bf16.data());
        std::vector<float> whole(output_elements(g));
        std::vector<std::int8_t> whole_i8(output_elements(g));
        std::vector<mote::bfloat> whole_bf16(output_elements(g));
        for (std::int32_t parts = 1; parts <= 5; ++parts) {
            std::vector<float> got(whole.size(), -7.0f);
            std::vector<std::int8_t> got_i8(whole.size(), 99);
            std::vector<mote::bfloat> got_bf16(whole.size());
            mote::ConvF32 run;
            run.input = input.data(), run.packed = packed.data(), run.output = got.data(), run.scratch = scratch.data();
            mote::ConvI8 run_i8;
            run_i8.input = quantized.data(), run_i8.packed = packed_i8.data(), run_i8.output = got_i8.data();
            run_i8.scratch = scratch_i8.data();
            run_i8.input_zero_point = 3;
            mote::ConvFloat<mote::bfloat> run_bf16;
            run_bf16.input = halves.data(), run_bf16.packed = packed_bf16.data(), run_bf16.output = got_bf16.data();
            run_bf16.scratch = scratch_bf16.data();
            for (std::int32_t i = parts; i-- > 0;) {
                mote::kernels::conv2d_f32_run(g, run, {i, parts});
                mote::kernels::conv2d_i8_run(g, run_i8, {i, parts});
                mote::kernels::conv2d_f32_run<DotBf16>(g, run_bf16, {i, parts});
            }
            if (parts == 1) whole = got, whole_i8 = got_i8, whole_bf16 = got_bf16;
            CHECK(std::memcmp(got.data(), whole.data(), whole.size() * sizeof(float)) == 0);
            CHECK(got_i8 == whole_i8);
            CHECK(got_bf16 == whole_bf16);
        }
    }
}

TEST_CASE("conv2d int8: the vector kernel equals the definition to the bit for odd shapes") {
    using namespace conv2d_test;
    for (const auto& [g, seed] : cases(600)) {
        CAPTURE(seed);
        mote::Random random(seed, 23);
        const auto out = static_cast<std::size_t>(g.out_channels);
        const auto input = bytes(input_elements(g), random);
        const auto weight = bytes(weights(g), random, -127);
        const auto residual = bytes(output_elements(g), random);
        std::vector<std::int32_t> bias(out);
        std::vector<float> multiplier(out);
        for (std::int32_t& b : bias) b = from_to(random, -200000, 200000);
        for (float& m : multiplier) m = (seed % 7 == 0 ? 2.0f : 0.002f) * random.uniform() + 0.00001f;
        const std::int32_t zero_point = from_to(random, -128, 127);
        const mote::ConvConstantsI8 constants{weight.data(), seed % 3 == 0 ? nullptr : bias.data(), multiplier.data(),
                                              zero_point};
        Block definition(mote::kernels::reference::conv2d_i8_packed_bytes(g));
        mote::kernels::reference::conv2d_i8_pack(g, constants, definition.data());
        Block packed(mote::kernels::conv2d_i8_packed_bytes(g));
        mote::kernels::conv2d_i8_pack(g, constants, packed.data());
        Block scratch(mote::kernels::conv2d_i8_scratch_bytes(g));
        std::vector<std::int8_t> expected(output_elements(g)), got = residual;
        mote::ConvI8 run;
        run.input = input.data();
        run.input_zero_point = zero_point;
        run.requantize.zero_point = from_to(random, -128, 127);
        if (seed % 5 == 0) run.requantize.lo = from_to(random, -128, 0), run.requantize.hi = from_to(random, 1, 127);
        const bool add = seed % 2 == 1;
        if (add) {
            const mote::QuantizationParams a{0.05f + random.uniform(), from_to(random, -128, 127)};
            const mote::QuantizationParams b{0.05f + random.uniform(), from_to(random, -128, 127)};
            const float scale = seed % 16 == 1 ? 0.01f : 1.0f;  // a finer output is a wide addition
            REQUIRE(mote::make_add_i8(a, b, {scale, from_to(random, -128, 127)}, -128, from_to(random, 100, 127), run.add));
        }
        run.packed = definition.data();
        run.residual = add ? residual.data() : nullptr;
        run.output = expected.data();
        mote::kernels::reference::conv2d_i8_run(g, run);
        run.packed = packed.data();
        run.residual = add ? got.data() : nullptr;  // in place
        run.output = got.data();
        run.scratch = scratch.data();
        mote::kernels::conv2d_i8_run(g, run);
        CHECK(got == expected);
    }
}

TEST_CASE("conv2d int8: the largest sums neither saturate nor overflow on the way") {
    using namespace conv2d_test;
    const mote::ConvGeometry g = dense(7, 66000, 3);  // 255 * 127 * 66000 < 2^31
    const std::vector<std::int8_t> input(input_elements(g), 127);
    std::vector<std::int8_t> weight(weights(g), 127);
    for (std::size_t i = 0; i < 66000; ++i) weight[66000 + i] = -127;
    const std::vector<float> multiplier(3, 0x1p-25f);
    Block packed(mote::kernels::conv2d_i8_packed_bytes(g)), scratch(mote::kernels::conv2d_i8_scratch_bytes(g));
    mote::kernels::conv2d_i8_pack(g, {weight.data(), nullptr, multiplier.data(), -128}, packed.data());
    std::vector<std::int8_t> output(output_elements(g));
    mote::ConvI8 run;
    run.input = input.data();
    run.packed = packed.data();
    run.output = output.data();
    run.input_zero_point = -128;
    run.scratch = scratch.data();
    mote::kernels::conv2d_i8_run(g, run);
    for (std::size_t i = 0; i < output.size(); ++i) CHECK(output[i] == (i % 3 == 1 ? -64 : 64));  // 2137410000 / 2^25 = 63.7
}

#endif
