// SPDX-License-Identifier: MIT
// The tables: every instruction set that is compiled into this program (CMakeLists.txt beside this) and that the machine runs,
// against the scalar definitions through the pointers of its table.

#include <mote/kernels/multipliers.hpp>
#include <mote/kernels/native.hpp>
#if defined(MOTE_TEST_TABLES)
#include <mote/kernels/dispatch.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

#include <string>

namespace native_test {

using namespace support;

/// Calls visit(table) for the unit's own table and those of the program that the machine runs.
template <class Visit>
void for_each_table(const Visit& visit) {
    visit(mote::native_kernels());
#if defined(MOTE_TEST_TABLES)
    for (const mote::CompiledKernels& set : mote::compiled_kernels()) {
        if (mote::machine_runs(set.instruction_set)) visit(set.table());
    }
#endif
}

struct Packed {
    template <class Constants, class Run>
    Packed(const mote::ConvKernels<Constants, Run>& kernels, const mote::ConvGeometry& g, const Constants& constants, Run& run)
        : constants_(kernels.packed_bytes(g)), scratch_(kernels.scratch_bytes(g)) {
        kernels.pack(g, constants, constants_.data());
        run.packed = constants_.data();
        run.scratch = scratch_.data();
        kernels.run(g, run, {});
    }

  private:
    Block constants_, scratch_;
};

mote::ConvGeometry conv_geometry(mote::Random& random, bool depthwise) {
    mote::ConvGeometry g = window(random);
    g.groups = depthwise ? channels(random) : from_to(random, 1, 2);
    g.in_channels = depthwise ? g.groups : g.groups * channels(random);
    g.out_channels = depthwise ? g.groups * from_to(random, 1, 2) : g.groups * channels(random);
    return g;
}

std::vector<std::int8_t> conv_i8(const mote::KernelTable& table, std::uint64_t seed, bool depthwise) {
    mote::Random random(seed, 40);
    const mote::ConvGeometry g = conv_geometry(random, depthwise);
    const auto out = static_cast<std::size_t>(g.out_channels);
    const auto row = static_cast<std::size_t>(mote::kernels::weight_row(g));
    const auto input = bytes(input_elements(g), random), weight = bytes(out * row, random, -127);
    const auto residual = bytes(output_elements(g), random);
    std::vector<std::int32_t> bias(out);
    for (std::int32_t& b : bias) b = from_to(random, -100000, 100000);
    const std::vector<float> multiplier(out, 0.0002f + 0.002f * random.uniform());
    std::vector<std::int8_t> output(output_elements(g));
    mote::ConvI8 run;
    run.input = input.data();
    run.output = output.data();
    run.input_zero_point = from_to(random, -128, 127);
    run.requantize = {from_to(random, -128, 127), from_to(random, -128, -1), from_to(random, 0, 127)};
    if (seed % 2 == 0) {
        run.residual = residual.data();
        REQUIRE(mote::make_add_i8({0.5f, 3}, {0.5f + random.uniform(), -4}, {1.0f, 9}, -128, 127, run.add));
    }
    const mote::ConvConstantsI8 constants{weight.data(), bias.data(), multiplier.data(), run.input_zero_point};
    const Packed packed(depthwise ? table.depthwise_i8 : table.conv2d_i8, g, constants, run);
    return output;
}

/// What a table's convolution of float, half or bfloat makes of generated arguments.
template <class T>
std::vector<float> conv(const mote::ConvKernels<mote::ConvConstantsFloat<T>, mote::ConvFloat<T>>& kernels, std::uint64_t seed,
                        bool depthwise) {
    mote::Random random(seed, 41);
    const mote::ConvGeometry g = conv_geometry(random, depthwise);
    const auto out = static_cast<std::size_t>(g.out_channels);
    const auto input = rounded<T>(floats(input_elements(g), random));
    const auto weight = rounded<T>(floats(out * static_cast<std::size_t>(mote::kernels::weight_row(g)), random));
    const auto bias = floats(out, random);
    std::vector<T> output(output_elements(g));
    mote::ConvFloat<T> run;
    run.input = input.data();
    run.output = output.data();
    const Packed packed(kernels, g, {weight.data(), bias.data()}, run);
    return widened(output);
}

template <class T>
void check_halves(const mote::HalfKernels<T>& kernels, const mote::HalfKernels<T>& definition, std::uint64_t seed) {
    const auto expected = conv(definition.conv2d, seed, false), depthwise = conv(definition.depthwise, seed, true);
    CHECK(relative_difference(expected, conv(kernels.conv2d, seed, false)) <= neighbours<T>);
    CHECK(relative_difference(depthwise, conv(kernels.depthwise, seed, true)) <= neighbours<T>);
    std::vector<float> x = depthwise, y(x.size());
    std::vector<T> halves(x.size());
    for (float& v : x) v *= 1.1f;
    kernels.from_f32(x.size(), x.data(), halves.data());
    kernels.to_f32(x.size(), halves.data(), y.data());
    CHECK(y == widened(rounded<T>(x)));
}

/// What the other int8 kernels make of generated arguments, one after the other.
std::vector<std::int8_t> others_i8(const mote::KernelTable& table, std::uint64_t seed) {
    mote::Random random(seed, 42);
    mote::ConvGeometry g = window(random);
    g.in_channels = g.out_channels = channels(random);
    const std::size_t count = output_elements(g);
    const auto image = bytes(input_elements(g), random), a = bytes(count, random), b = bytes(count, random);
    const auto entries = bytes(256, random);
    const auto reals = floats(count, random, 3.0f);
    mote::AddI8 add;
    mote::MulI8 mul;
    const mote::QuantizationParams p{0.1f, from_to(random, -128, 127)}, q{0.07f, 5}, r{0.2f, -3};
    REQUIRE(mote::make_add_i8(p, q, r, -120, 100, add));
    REQUIRE(mote::make_mul_i8(p, q, r, -128, 127, mul));
    std::vector<std::int32_t> exponentials(256);
    for (std::int32_t i = 0; i < 256; ++i) exponentials[static_cast<std::size_t>(i)] = (1 << 22) / (1 + i * i);
    const mote::RowGeometry rows{static_cast<std::int32_t>(count) / g.in_channels, g.in_channels, 1};
    std::vector<std::int8_t> all, one(count);
    const auto keep = [&] { all.insert(all.end(), one.begin(), one.end()); };
    table.max_pool_i8(g, image.data(), one.data()), keep();
    table.average_pool_i8(g, seed % 2 == 0, p.zero_point, image.data(), one.data()), keep();
    table.add_i8(count, add, a.data(), b.data(), one.data()), keep();
    table.mul_i8(rows, mul, a.data(), b.data(), one.data()), keep();
    table.clamp_i8(count, -50, 99, a.data(), one.data()), keep();
    table.lookup_i8(count, entries.data(), a.data(), one.data()), keep();
    table.softmax_i8(rows, exponentials.data(), a.data(), one.data()), keep();
    table.quantize_i8(count, 11.0f, p.zero_point, reals.data(), one.data()), keep();
    table.requantize_i8(count, 0.7f, p.zero_point, 3, a.data(), one.data()), keep();
    return all;
}

}  // namespace native_test

TEST_CASE("native: this unit's table is that of its instruction set, and tells so") {
    CHECK(std::string(mote::native_kernels().instruction_set) == MOTE_INSTRUCTION_SET_NAME);
    CHECK(std::string(mote::instruction_set()) == MOTE_INSTRUCTION_SET_NAME);
    CHECK(std::string(mote::scalar_kernels().instruction_set) == "scalar");
    const std::string name = mote::native_kernels().conv2d_i8.name;
    CHECK(name.find(MOTE_INSTRUCTION_SET_NAME) != std::string::npos);
}

TEST_CASE("native: every table's int8 kernels give the bytes of the definitions") {
    using namespace native_test;
    for_each_table([](const mote::KernelTable& table) {
        INFO(table.instruction_set);
        for (std::uint64_t seed = 0; seed < 120; ++seed) {
            CAPTURE(seed);
            CHECK(conv_i8(table, seed, false) == conv_i8(mote::scalar_kernels(), seed, false));
            CHECK(conv_i8(table, seed, true) == conv_i8(mote::scalar_kernels(), seed, true));
            CHECK(others_i8(table, seed) == others_i8(mote::scalar_kernels(), seed));
        }
    });
}

TEST_CASE("native: every table's f32 convolutions are close to the definitions") {
    using namespace native_test;
    for_each_table([](const mote::KernelTable& table) {
        INFO(table.instruction_set);
        for (std::uint64_t seed = 0; seed < 60; ++seed) {
            CAPTURE(seed);
            const auto expected = conv(mote::scalar_kernels().conv2d_f32, seed, false);
            CHECK(relative_difference(expected, conv(table.conv2d_f32, seed, false)) <= f32_tolerance);
            const auto depthwise = conv(mote::scalar_kernels().depthwise_f32, seed, true);
            CHECK(relative_difference(depthwise, conv(table.depthwise_f32, seed, true)) <= f32_tolerance);
        }
    });
}

TEST_CASE("native: every table's kernels of bf16 and f16 give the definitions' results or their neighbours") {
    using namespace native_test;
    for_each_table([](const mote::KernelTable& table) {
        INFO(table.instruction_set);
        for (std::uint64_t seed = 0; seed < 60; ++seed) {
            CAPTURE(seed);
            check_halves(table.bf16, mote::scalar_kernels().bf16, seed);
            check_halves(table.f16, mote::scalar_kernels().f16, seed);
        }
    });
}
