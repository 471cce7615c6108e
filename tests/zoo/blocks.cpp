// SPDX-License-Identifier: MIT
// Blocks of the zoo: what each call adds to a model, and how channels round.

#include <mote/zoo/blocks.hpp>

#include <zoo/figures.hpp>

namespace blocks_test {

using namespace mote;
using zoo::Activation;
using zoo::Padding;

/// The kinds of the model's nodes, "Conv2d BatchNorm Relu".
std::string kinds(const Model<f32>& model) {
    std::string text;
    for (const Node& node : model.nodes()) text += (text.empty() ? "" : " ") + std::string(kind_name<Model<f32>::layers>(node));
    return text;
}

/// The model of one block on an image [1, 9, 8, 6].
template <class Block>
Model<f32> of(Block&& block) {
    zoo::Builder b;
    b.output("y", block(b, b.input("x", {1, 9, 8, 6})));
    return b.build();
}
Model<f32> of_conv(const zoo::ConvBlock& block) {
    return of([&](zoo::Builder& b, zoo::Handle x) { return zoo::conv(b, x, block); });
}
Model<f32> of_residual(const zoo::InvertedResidual& block) {
    return of([&](zoo::Builder& b, zoo::Handle x) { return zoo::inverted_residual(b, x, block); });
}

}  // namespace blocks_test

TEST_CASE("zoo blocks: make_divisible rounds to the next multiple and loses at most a tenth") {
    using mote::zoo::make_divisible;
    CHECK(make_divisible(16 * 0.35) == 8);   // 5.6: at least the divisor
    CHECK(make_divisible(24 * 0.75) == 24);  // 18: 16 would lose more than a tenth
    CHECK(make_divisible(32 * 1.4) == 48);   // 44.8: half rounds up
    CHECK(make_divisible(1280 * 1.4) == 1792);
    CHECK(make_divisible(240 / 4.0) == 64);
    CHECK(make_divisible(1e-9) == 8);
    CHECK(make_divisible(7.0, 1) == 7);
    for (std::size_t n = 1; n < 600; ++n) {
        const std::size_t rounded = make_divisible(static_cast<double>(n));
        CAPTURE(n, rounded);
        REQUIRE(rounded % 8 == 0);
        REQUIRE(10 * rounded >= 9 * n);
        REQUIRE(rounded < n + 8);
        if (n % 8 == 0) REQUIRE(rounded == n);
    }
}

TEST_CASE("zoo blocks: a convolution has BatchNorm and no bias, or a bias and no BatchNorm") {
    using namespace blocks_test;
    CHECK(kinds(of_conv({.out = 4})) == "Conv2d BatchNorm Relu");
    CHECK(kinds(of_conv({.out = 4, .activation = Activation::none})) == "Conv2d BatchNorm");
    CHECK(kinds(of_conv({.activation = Activation::relu6, .depthwise = true})) == "DepthwiseConv2d BatchNorm Relu6");
    CHECK(kinds(of_conv({.out = 4, .activation = Activation::hard_swish, .norm = {}})) == "Conv2d HardSwish");
    CHECK(zoo_test::figures(of_conv({.out = 4})).parameters == 4 * 9 * 6 + 2 * 4);
    CHECK(zoo_test::figures(of_conv({.out = 4, .norm = std::nullopt})).parameters == 4 * 9 * 6 + 4);
    CHECK(zoo_test::figures(of_conv({.depthwise = true})).parameters == 6 * 9 + 2 * 6);
}

TEST_CASE("zoo blocks: paddings") {
    using namespace blocks_test;
    auto shape = [](const zoo::ConvBlock& block) { return zoo_test::output_shape(of_conv(block)); };
    CHECK(shape({.out = 4, .kernel = {5, 3}}) == Shape{1, 9, 8, 4});
    CHECK(shape({.out = 4, .stride = {2, 2}}) == Shape{1, 5, 4, 4});
    CHECK(shape({.out = 4, .kernel = {10, 4}, .stride = {2, 1}, .padding = Padding::same}) == Shape{1, 5, 8, 4});
    CHECK(shape({.out = 4, .kernel = {5, 3}, .padding = Padding::valid}) == Shape{1, 5, 6, 4});
    CHECK(shape({.kernel = {5, 3}, .padding = Padding::valid, .depthwise = true}) == Shape{1, 5, 6, 6});
    // half pads the top, SAME at stride 2 on 8 columns the right alone.
    const Model<f32> half = of_conv({.out = 4, .stride = {2, 2}});
    CHECK(get_if<Conv2d<f32>>(half, half.nodes()[0])->padding == uniform_padding(1));
    const Model<f32> same = of_conv({.out = 4, .stride = {2, 2}, .padding = Padding::same});
    CHECK(get_if<Conv2d<f32>>(same, same.nodes()[0])->padding == Padding2d{1, 1, 0, 1});
}

TEST_CASE("zoo blocks: BatchNorm's constants reach the layer, which is the identity") {
    using namespace blocks_test;
    const Model<f32> model = of_conv({.out = 4, .norm = zoo::keras_norm});
    const BatchNorm& norm = *get_if<BatchNorm>(model, model.nodes()[1]);
    CHECK(norm.epsilon == 1e-3f);
    CHECK(norm.momentum == 0.01f);
    for (const float scale : norm.scale.values()) CHECK(scale == 1.0f);
}

TEST_CASE("zoo blocks: squeeze-excite") {
    using namespace blocks_test;
    const Model<f32> model = of([](zoo::Builder& b, zoo::Handle x) { return zoo::squeeze_excite(b, x, 3); });
    CHECK(kinds(model) == "GlobalAveragePool Conv2d Relu Conv2d HardSigmoid Mul");
    CHECK(zoo_test::output_shape(model) == Shape{1, 9, 8, 6});
    CHECK(zoo_test::figures(model).parameters == 6 * 3 + 3 + 3 * 6 + 6);
}

TEST_CASE("zoo blocks: an inverted residual sums where the shapes agree, and expands where there is something to expand") {
    using namespace blocks_test;
    const std::string filter = "DepthwiseConv2d BatchNorm Relu6 Conv2d BatchNorm";
    CHECK(kinds(of_residual({.expanded = 6, .out = 6})) == filter + " Add");
    CHECK(kinds(of_residual({.expanded = 6, .out = 4})) == filter);
    CHECK(kinds(of_residual({.expanded = 6, .out = 6, .stride = 2})) == filter);
    CHECK(kinds(of_residual({.expanded = 12, .out = 6})) == "Conv2d BatchNorm Relu6 " + filter + " Add");
    CHECK(zoo_test::output_shape(of_residual({.expanded = 12, .out = 10, .kernel = 5, .stride = 2})) == Shape{1, 5, 4, 10});
}

TEST_CASE("zoo blocks: options are checked by name and limit") {
    using mote::zoo::check_options;
    mote::zoo::check_option("net", "layers", 9, 9);
    CHECK_ERROR(mote::zoo::check_option("net", "layers", 10, 9), "net: layers is 10; 1 to 9 is accepted");
    check_options("net", 1, {1, 1}, 1, 1e-3);
    check_options("net", 1 << 20, {1 << 14, 1 << 14}, 1 << 20, 8.0);
    CHECK_ERROR(check_options("net", 0, {1, 1}, 1), "net: classes is 0; 1 to 1048576 is accepted");
    CHECK_ERROR(check_options("net", 1, {0, 1}, 1), "net: image.height is 0; 1 to 16384 is accepted");
    CHECK_ERROR(check_options("net", 1, {1, 16385}, 1), "net: image.width is 16385");
    CHECK_ERROR(check_options("net", 1, {1, 1}, 0), "net: channels is 0");
    CHECK_ERROR(check_options("net", 1, {1, 1}, 1, 0.0), "net: width is 0; more than 0 and up to 8 is accepted");
}
