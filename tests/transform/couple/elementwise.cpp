// SPDX-License-Identifier: MIT
// couple: elementwise layers hand channels on, and join those of their inputs.

#include <mote/transform/prune_channels.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace couple_elementwise_test {

using namespace mote;

std::size_t groups_of_two_branches(bool multiply, bool broadcast) {
    Random random(1);
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 4, 4, 2});
    const auto left = b.add(networks::conv(random, 2, 5), x, {.name = "left"});
    auto right = b.add(networks::conv(random, 2, 5), x, {.name = "right"});
    if (broadcast) right = b.add(GlobalAveragePool{}, right);
    const auto both = multiply ? b.add(Mul{}, {left, right}) : b.add(Add{}, {left, right});
    b.output("y", b.add(networks::conv(random, 5, 2), both));
    const auto groups = channel_groups(b.build());
    CHECK(groups[0].members.size() == 3);
    CHECK(groups[0].channels.size() == 5);
    return groups.size();
}

TEST_CASE("couple: Add and Mul join the channels of both sides, Mul by a number a channel too") {
    CHECK(groups_of_two_branches(false, false) == 2);
    CHECK(groups_of_two_branches(true, false) == 2);
    CHECK(groups_of_two_branches(true, true) == 2);
}

TEST_CASE("couple: Mul by a gate of two axes joins its channels with the image's, and they are cut together") {
    Random random(4);
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 4, 4, 2});
    const auto image = b.add(networks::conv(random, 2, 6), x, {.name = "image"});
    const auto gate = b.add(networks::dense(random, 2, 6), b.add(Flatten{}, b.add(GlobalAveragePool{}, x)), {.name = "gate"});
    const auto both = b.add(Mul{}, {image, b.add(Sigmoid{}, gate)});
    b.output("y", b.add(networks::conv(random, 6, 3), both, {.name = "head"}));
    const Model<f32, wide> model = b.build();
    const auto groups = channel_groups(model);
    REQUIRE(groups.size() == 2);
    CHECK(groups[0].channels.size() == 6);
    CHECK(groups[0].members.size() == 3);
    CHECK(groups[0].locked.empty());
    const Model<f32, wide> slim = prune(model, ChannelPruning{.keep = 0.5});
    CHECK(networks::layer<Conv2d<f32>>(slim, "image").weight.shape() == Shape{3, 3, 3, 2});
    CHECK(networks::layer<Dense<f32>>(slim, "gate").weight.shape() == Shape{3, 2});
    CHECK(networks::layer<Conv2d<f32>>(slim, "head").weight.shape() == Shape{3, 3, 3, 3});
}

TEST_CASE("couple: a function of two values joins the channels that meet, and one that repeats along them has none") {
    Random random(6);
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 4, 4, 2});
    const auto image = b.add(networks::conv(random, 2, 6), x, {.name = "image"});
    const auto mean = b.add(GlobalAveragePool{}, b.add(networks::conv(random, 2, 6), x, {.name = "other"}));
    const auto both = b.add(Binary{BinaryFunction::sub}, {mean, b.add(Unary{UnaryFunction::gelu}, image)});
    const auto map = b.add(networks::conv(random, 2, 1), x, {.name = "map"});
    b.output("y", b.add(networks::conv(random, 6, 3), b.add(Binary{BinaryFunction::mul}, {map, both}), {.name = "head"}));
    const Model<f32, wide> model = b.build();
    const auto groups = channel_groups(model);
    REQUIRE(groups.size() == 3);
    CHECK(groups[0].channels.size() == 6);
    CHECK(groups[0].members.size() == 3);
    CHECK(groups[0].locked.empty());
    CHECK(groups[1].members.size() == 1);  // the map, of one channel
    CHECK_FALSE(groups[1].locked.empty());
    const Model<f32, wide> slim = prune(model, ChannelPruning{.keep = 0.5});
    CHECK(networks::layer<Conv2d<f32>>(slim, "image").weight.shape() == Shape{3, 3, 3, 2});
    CHECK(networks::layer<Conv2d<f32>>(slim, "other").weight.shape() == Shape{3, 3, 3, 2});
    CHECK(networks::layer<Conv2d<f32>>(slim, "map").weight.shape() == Shape{1, 3, 3, 2});
    CHECK(networks::layer<Conv2d<f32>>(slim, "head").weight.shape() == Shape{3, 3, 3, 3});
}

TEST_CASE("couple: channels that repeat along the last axis of a function of two values stay") {
    Random random(3);
    for (const bool swapped : {false, true}) {
        ModelBuilder<f32, wide> b;
        const auto x = b.input("x", {1, 4});
        const auto column = b.add(Reshape{{0, 8, 1}}, b.add(networks::dense(random, 4, 8), x, {.name = "column"}));
        const auto table = b.input("table", {1, 8, 5});
        const auto hidden = b.add(networks::dense(random, 4, 6), x, {.name = "hidden"});
        b.output("y", swapped ? b.add(Binary{BinaryFunction::sub}, {column, table})
                              : b.add(Binary{BinaryFunction::sub}, {table, column}));
        b.output("z", b.add(networks::dense(random, 6, 2), b.add(Relu{}, hidden)));
        const Model<f32, wide> slim = prune(b.build(), ChannelPruning{.keep = 0.5});
        CHECK(networks::layer<Dense<f32>>(slim, "column").weight.shape() == Shape{8, 4});
        CHECK(networks::layer<Dense<f32>>(slim, "hidden").weight.shape() == Shape{3, 4});
    }
}

TEST_CASE("couple: activations and BatchNorm hand their channels on, and BatchNorm shrinks with them") {
    Random random(2);
    ModelBuilder<f32, wide> b;
    auto x = b.add(networks::conv(random, 2, 5), b.input("x", {1, 4, 4, 2}));
    x = b.add(LeakyRelu{}, b.add(Relu6{}, b.add(Relu{}, x)));
    x = b.add(Sigmoid{}, b.add(networks::norm(random, 5), b.add(Tanh{}, x), {.name = "norm"}));
    x = b.add(HardSwish{}, b.add(HardSigmoid{}, x));
    b.output("y", b.add(networks::conv(random, 5, 2), x));
    const auto groups = channel_groups(b.build());
    REQUIRE(groups.size() == 2);
    CHECK(groups[0].locked.empty());
    std::size_t of_norm = 0;
    for (const ParameterSlice& slice : groups[0].channels[3])
        of_norm += slice.output && slice.axis == 0 && slice.index == 3 ? 1u : 0u;
    CHECK(of_norm == 6);  // weight, bias; scale, shift, mean, variance
}

TEST_CASE("couple: a residual around the whole network locks its channels with the input's") {
    Random random(3);
    ModelBuilder<f32, wide> b;
    const auto x = b.input("image", {1, 4, 4, 2});
    const auto y = b.add(Add{}, {x, b.add(networks::conv(random, 2, 2), x, {.name = "conv"})});
    b.output("y", b.add(networks::conv(random, 2, 3), y));
    CHECK_THAT(channel_groups(b.build())[0].locked, Catch::Contains("input 'image'"));
}

}  // namespace couple_elementwise_test
