// SPDX-License-Identifier: MIT
// compare: the figures are what their definitions say.

#include <mote/core/random.hpp>
#include <mote/model/builder.hpp>
#include <mote/quantization/compare.hpp>

#include <support/catch.hpp>

#include <algorithm>

namespace compare_test {

using namespace mote;

Model<f32> scaling(float factor) {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 2});
    b.output("y", b.add(Dense<f32>{Tensor<f32>({2, 2}, {factor, 0, 0, factor}), {}}, x));
    return b.build();
}

Model<i8> bytes(QuantizationParams params) {
    ModelBuilder<i8> b;
    const auto x = b.input("x", {1, 2}, Element::i8, params);
    b.output("y", b.add(Relu{}, x, {.name = "y"}));
    return b.build();
}

TEST_CASE("compare: equal models have infinite SQNR, cosine 1 and no clipping") {
    const Tensor<f32> samples({2, 2}, {1, -2, 3, 4});
    const auto result = compare(scaling(2), scaling(2), samples);
    REQUIRE(result.size() == 2);
    for (const ValueComparison& value : result) {
        CHECK(value.sqnr == HUGE_VAL);
        CHECK(value.cosine == Approx(1.0));
        CHECK(value.clipped == 0.0);
    }
}

TEST_CASE("compare: a tenth of error is 20 dB, a changed sign is a cosine of -1") {
    const Tensor<f32> samples({2, 2}, {1, -2, 3, 4});
    const auto near = compare(scaling(1.0f), scaling(1.1f), samples);
    CHECK(near[1].name == "y");
    CHECK(near[1].sqnr == Approx(20.0).epsilon(1e-5));
    CHECK(near[1].cosine == Approx(1.0));
    const auto opposite = compare(scaling(1.0f), scaling(-1.0f), samples);
    CHECK(opposite[1].cosine == Approx(-1.0));
    CHECK(opposite[1].sqnr == Approx(-6.0206).epsilon(1e-4));
}

TEST_CASE("compare: numbers outside what int8 can represent are counted as clipped") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 2});
    b.output("y", b.add(Relu{}, x, {.name = "y"}));
    // Scale 1/128: representable up to 127/128, half a step more is not clipped.
    const Tensor<f32> samples({2, 2}, {0.5f, 0.995f, 1.5f, -3.0f});
    const auto result = compare(b.build(), bytes({1.0f / 128.0f, 0}), samples);
    REQUIRE(result.size() == 1);  // the input is seen by a Relu alone and saturates for it
    CHECK(result[0].name == "y");
    CHECK(result[0].element == Element::i8);
    CHECK(result[0].clipped == 0.25);
}

TEST_CASE("compare: the table names every value with its figures") {
    const std::string text = to_string(compare(scaling(1.0f), scaling(1.1f), Tensor<f32>({1, 2}, {1, 2})));
    CHECK_THAT(text, Catch::Contains("value") && Catch::Contains("SQNR dB") && Catch::Contains("20.0"));
}

/// Seven layers d0 ... d6, each with its weights off by about `off`, but for d3, by about `bad`.
Model<f32> chain(float off, float bad) {
    Random weights(1), errors(2);
    ModelBuilder<f32> b;
    auto x = b.input("x", {1, 16});
    for (int i = 0; i < 7; ++i) {
        Tensor<f32> weight({16, 16});
        for (float& w : weight.values()) w = 0.4f * weights.normal() * (1.0f + (i == 3 ? bad : off) * errors.normal());
        const std::string name = concat("d", i);
        x = b.add(Relu{}, b.add(Dense<f32>{std::move(weight), {}}, x, {.name = name}), {.name = concat(name, "_relu")});
    }
    b.output("y", x);
    return b.build();
}

TEST_CASE("compare: a planted bad layer has the most noise of its own; those after it hand on what they get") {
    Tensor<f32> samples({8, 16});
    Random random(3);
    for (float& x : samples.values()) x = random.normal();
    const auto result = compare(chain(0.0f, 0.0f), chain(0.003f, 0.3f), samples);
    const auto worst = std::min_element(result.begin(), result.end(), [](auto& a, auto& b) { return a.own < b.own; });
    CHECK(worst->name == "d3");
    CHECK(worst->own < 15.0);
    bool later_are_worse = false;
    for (auto value = worst + 1; value != result.end(); ++value) {
        CHECK(value->sqnr < 20.0);
        CHECK(value->own > worst->own);
        later_are_worse = later_are_worse || value->sqnr < worst->sqnr;
    }
    CHECK(later_are_worse);  // SQNR alone would not have told
    for (auto value = result.begin(); value != worst; ++value) CHECK(value->own > 30.0);
}

TEST_CASE("compare: different inputs and empty sets are errors") {
    ModelBuilder<f32> b;
    b.output("z", b.add(Relu{}, b.input("other", {1, 3})));
    CHECK_THROWS_WITH(compare(scaling(1), b.build(), Tensor<f32>({1, 2})), Catch::Contains("inputs differ"));
    CHECK_THROWS_WITH(compare(scaling(1), scaling(1), Tensor<f32>({0, 2})), Catch::Contains("set of samples is empty"));
}

}  // namespace compare_test
