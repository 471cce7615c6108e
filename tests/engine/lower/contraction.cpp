// SPDX-License-Identifier: MIT
// Convolution steps hold what their group says: padding, clamps, multipliers, residual; odd models compute right.

#include <mote/mote.hpp>

#include <engine/random_model.hpp>
#include <engine/reference.hpp>
#include <support/catch.hpp>

namespace contraction_test {

using namespace mote;

Tensor<i8> bytes(const Shape& shape, std::int8_t value, std::vector<float> scales) {
    Tensor<i8> tensor(shape);
    for (std::int8_t& x : tensor.values()) x = value;
    tensor.set_quantization(Quantization(std::move(scales), 0));
    return tensor;
}
Quantization quantized(float scale, std::int32_t zero_point) {
    return QuantizationParams{scale, zero_point};
}

}  // namespace contraction_test

using namespace contraction_test;

TEST_CASE("contraction: an int8 step has m = s_in * s_w[c] / s_out in float, and its clamps in bytes") {
    ModelBuilder<i8, wide> b;
    const auto x = b.input("x", {1, 5, 5, 2}, Element::i8, quantized(0.3f, 4));
    const auto other = b.input("other", {1, 3, 3, 2}, Element::i8, quantized(0.2f, -9));
    auto y = b.add(Pad{{0, 1, 1, 0}, {0, 1, 1, 0}, 0.0f}, x);
    y = b.add(Conv2d<i8>{.weight = bytes({2, 3, 3, 2}, 3, {0.01f, 0.07f}), .stride = {2, 2}}, y,
              {.quantization = quantized(0.11f, 8)});
    y = b.add(Relu6{}, y);
    y = b.add(Add{}, {y, other}, {.quantization = quantized(0.13f, -3)});
    b.output("y", b.add(Relu{}, y));
    const Plan p = plan(b.build());
    REQUIRE(p.steps().size() == 1);
    const auto* step = get_if<Conv2dStep<i8>>(p.steps()[0]);
    REQUIRE(step != nullptr);
    CHECK(get_if<DepthwiseStep<i8>>(p.steps()[0]) == nullptr);
    CHECK(step->geometry.pad_top == 1);
    CHECK(step->geometry.pad_left == 1);
    CHECK(step->geometry.in_height == 5);
    CHECK(step->geometry.out_height == 3);
    REQUIRE(step->multiplier.size() == 2);
    CHECK(step->multiplier[1] ==
          static_cast<float>(static_cast<double>(0.3f) * static_cast<double>(0.07f) / static_cast<double>(0.11f)));
    CHECK(step->input_zero_point == 4);
    CHECK(step->requantize.zero_point == 8);
    CHECK(step->requantize.lo == 8);
    CHECK(step->requantize.hi == 8 + 55);  // 6 / 0.11 = 54.5 steps, to even: 55 because the float 0.11 is larger
    CHECK(step->has_residual);
    CHECK(step->add.lo == -3);
    CHECK(step->add.hi == 127);
    CHECK(step->add.b_zero_point == -9);
    CHECK(step->bias->empty());
    CHECK(step->weight->shape() == Shape{2, 3, 3, 2});
    CHECK(p.steps()[0].nodes.size() == 5);
    CHECK(p.steps()[0].constant_bytes == step->packed.bytes);
}

TEST_CASE("contraction: BatchNorm is folded into the step's own weights, the model keeps its layers") {
    auto constant = [](float value) { return Tensor<f32>(Shape{1}, {value}); };
    ModelBuilder<f32, wide> b;
    auto y = b.add(Dense<f32>{Tensor<f32>({1, 2}, {1, 2}), {}}, b.input("x", {1, 2}));
    y = b.add(BatchNorm{.scale = constant(4), .shift = constant(1), .mean = constant(3), .variance = constant(4), .epsilon = 0},
              y);
    b.output("y", b.add(Relu6{}, y));
    const Model<f32, wide> model = b.build();
    Engine engine(model);
    REQUIRE(engine.plan().steps().size() == 1);
    const auto* step = get_if<Conv2dStep<f32>>(engine.plan().steps()[0]);
    REQUIRE(step != nullptr);
    CHECK((*step->weight)[1] == 4.0f);
    CHECK((*step->bias)[0] == -5.0f);
    CHECK(step->clamp == Clamp{0.0f, 6.0f});
    CHECK(evaluate(engine, Tensor<f32>({1, 2}, {1, 2}))[0] == 5.0f);
    CHECK(get_if<Dense<f32>>(model, model.nodes()[0])->weight[1] == 2.0f);
}

TEST_CASE("contraction: a dense layer works on the last axis of any rank") {
    ModelBuilder<f32, wide> b;
    b.output("y", b.add(Dense<f32>{Tensor<f32>({1, 2}, {1, 10}), Tensor<f32>({1}, {0.5f})}, b.input("x", {2, 3, 1, 2})));
    Engine engine(b.build());
    for (std::size_t i = 0; i < 12; ++i) engine.input<float>()[i] = static_cast<float>(i);
    engine.run();
    for (std::size_t i = 0; i < 6; ++i)
        CHECK(engine.output<float>()[i] == static_cast<float>(2 * i) + 10 * static_cast<float>(2 * i + 1) + 0.5f);
}

TEST_CASE("contraction: a sum whose scales fixed point cannot hold is refused, fused or not") {
    for (const bool fuse : {true, false}) {
        ModelBuilder<i8, wide> b;
        const auto x = b.input("x", {1, 1, 1, 2}, Element::i8, quantized(0.1f, 0));
        const auto y = b.add(Conv2d<i8>{.weight = bytes({2, 1, 1, 2}, 1, {0.1f})}, x, {.quantization = quantized(1.0f, 0)});
        b.output("y", b.add(Add{}, {x, y}, {.name = "sum", .quantization = quantized(1e-8f, 0)}));
        CHECK_THROWS_WITH(plan(b.build(), {.fuse = fuse}), Catch::Contains("too far apart"));
    }
}
