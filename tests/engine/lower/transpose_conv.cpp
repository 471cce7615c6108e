// SPDX-License-Identifier: MIT
// TransposeConv2d's steps: four convolutions at most, that multiply each weight once and no zeros, and what they make.
// (Random windows, groups and precisions stand in random models, engine/plan.)

#include <mote/mote.hpp>

#include <engine/random_model.hpp>
#include <engine/reference.hpp>
#include <support/catch.hpp>

namespace transpose_conv_test {

using namespace mote;

TransposeConv2d<f32> layer(Size2d kernel, Size2d stride, std::size_t out = 3, std::size_t in = 4) {
    random_model::Dice dice{7};
    TransposeConv2d<f32> result{.weight = random_model::weights<f32>(dice, {out, kernel.height, kernel.width, in})};
    result.bias = Tensor<f32>(Shape{out}, {1, -2, 3});
    result.stride = stride;
    return result;
}
Model<f32, wide> model(TransposeConv2d<f32> conv, const Shape& in) {
    ModelBuilder<f32, wide> b;
    b.output("y", b.add(std::move(conv), b.input("x", in)));
    return b.build();
}

struct Work {
    std::size_t convolutions = 0, movements = 0, macs = 0;
};
Work work(const Model<f32, wide>& m) {
    Work result;
    const Plan p = plan(m);
    for (const Step& step : p.steps()) {
        if (get_if<MoveStep>(step) != nullptr) ++result.movements;
        const ConvStep<f32>* conv = get_if<Conv2dStep<f32>>(step);
        if (conv == nullptr) conv = get_if<DepthwiseStep<f32>>(step);
        if (conv == nullptr) continue;
        ++result.convolutions;
        const ConvGeometry& g = conv->geometry;
        result.macs += static_cast<std::size_t>(g.batch * g.out_height * g.out_width) * conv->weight->elements();
    }
    return result;
}
std::string wrong(const Model<f32, wide>& m) {
    Engine engine(m, {.plan = {.keep_values = true}});
    random_model::fill_inputs(engine, 3);
    engine.run();
    return reference::first_wrong_node(m, engine);
}

}  // namespace transpose_conv_test

TEST_CASE("transposed convolution: a known one by hand") {
    using namespace transpose_conv_test;
    TransposeConv2d<f32> conv{.weight = Tensor<f32>({1, 1, 3, 1}, {1, 10, 100}), .bias = Tensor<f32>(Shape{1}, {0.5f})};
    conv.stride = {1, 2};
    conv.padding = {0, 0, 1, 0};
    conv.output_padding = {0, 1};
    Engine engine(model(conv, {1, 1, 2, 1}));
    const auto y = evaluate(engine, Tensor<f32>({1, 1, 2, 1}, {1, 2}));  // 1, 10, 100 + 2, 20, 200, and none
    CHECK(y == Tensor<f32>({1, 1, 5, 1}, {10.5f, 102.5f, 20.5f, 200.5f, 0.5f}));
}

TEST_CASE("transposed convolution: where the stride divides the kernel one convolution makes all phases") {
    using namespace transpose_conv_test;
    const auto whole = model(layer({2, 2}, {2, 2}), {1, 5, 6, 4});
    CHECK(work(whole).convolutions == 1);
    CHECK(work(whole).macs == whole.cost().macs);  // 5 * 6 pixels times all weights
    CHECK(wrong(whole) == "");
    auto conv = layer({4, 4}, {2, 2});
    conv.padding = uniform_padding(1);
    const auto cut = model(conv, {2, 8, 8, 4});
    CHECK(work(cut).convolutions == 1);
    CHECK(wrong(cut) == "");
    CHECK(work(model(layer({3, 3}, {1, 1}), {1, 5, 6, 4})).movements == 0);
}

TEST_CASE("transposed convolution: two numbers of taps a side are four convolutions, each tap once") {
    using namespace transpose_conv_test;
    auto conv = layer({3, 3}, {2, 2});
    conv.padding = uniform_padding(1);
    conv.output_padding = {1, 1};
    const auto m = model(conv, {1, 16, 16, 4});  // 32 x 32 outputs, of 9 taps for four of them
    CHECK(work(m).convolutions == 4);
    CHECK(work(m).macs <= m.cost().macs * 17 * 17 / (16 * 16));
    CHECK(wrong(m) == "");
}

TEST_CASE("transposed convolution: rows that no tap reaches hold the bias; a cut may take all that others have") {
    using namespace transpose_conv_test;
    const auto sparse = model(layer({1, 2}, {3, 4}), {2, 4, 3, 4});
    CHECK(work(sparse).convolutions == 2);  // the bias, and the one phase with taps
    CHECK(wrong(sparse) == "");
    auto gcd = layer({3, 2}, {4, 2});
    gcd.dilation = {2, 4};
    CHECK(wrong(model(gcd, {1, 3, 4, 4})) == "");
    auto pixels = layer({2, 2}, {2, 3});
    pixels.padding = {5, 3, 4, 6};  // whole input pixels on each side
    CHECK(wrong(model(pixels, {1, 8, 8, 4})) == "");
    auto added = layer({2, 2}, {2, 2});
    added.padding = {9, 0, 3, 0};
    added.output_padding = {40, 2};  // more than any window reaches
    CHECK(wrong(model(added, {1, 5, 2, 4})) == "");
}

TEST_CASE("transposed convolution: one input channel a group is depthwise") {
    using namespace transpose_conv_test;
    auto conv = layer({4, 3}, {2, 2}, 3, 1);
    conv.groups = 3;
    const auto m = model(conv, {1, 4, 5, 3});
    std::size_t depthwise = 0;
    const Plan p = plan(m);
    for (const Step& step : p.steps()) depthwise += get_if<DepthwiseStep<f32>>(step) != nullptr ? 1u : 0u;
    CHECK(depthwise == 2);
    CHECK(wrong(m) == "");
}

TEST_CASE("transposed convolution: BatchNorm and an activation behind it are its own") {
    using namespace transpose_conv_test;
    random_model::Dice dice{5};
    ModelBuilder<f32, wide> b;
    auto x = b.add(layer({3, 3}, {2, 2}), b.input("x", {1, 4, 4, 4}));
    b.output("y", b.add(Relu{}, b.add(random_model::batch_norm(dice, 3), x)));
    const auto m = b.build();
    const Plan fused = plan(m);
    for (const Step& step : fused.steps()) CHECK(step.nodes.size() == 3);
    Engine one(fused), each(plan(m, {.fuse = false}));
    for (Engine* engine : {&one, &each}) {
        random_model::fill_inputs(*engine, 1);
        engine->run();
    }
    for (std::size_t i = 0; i < one.output<float>().size(); ++i) {
        CHECK(one.output<float>()[i] == Approx(each.output<float>()[i]).margin(1e-5));
    }
}
