// SPDX-License-Identifier: MIT
// couple: which parameter slices of contractions go with which channel.

#include <mote/transform/channel_groups.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace couple_contraction_test {

using namespace mote;

/// The channels of group `name` as "made by ... / read by ..." indices of one field.
std::vector<std::vector<std::size_t>> slices(const Model<f32, wide>& model, std::size_t node, std::string_view field,
                                             std::size_t axis) {
    std::vector<std::vector<std::size_t>> result;
    for (const ChannelGroup& group : channel_groups(model)) {
        for (const auto& channel : group.channels) {
            std::vector<std::size_t> indices;
            for (const ParameterSlice& slice : channel) {
                if (slice.node == node && field == slice.field && slice.axis == axis) indices.push_back(slice.index);
            }
            if (!indices.empty()) result.push_back(indices);
        }
    }
    return result;
}
using Lists = std::vector<std::vector<std::size_t>>;

Model<f32, wide> chain(Conv2d<f32> second, std::size_t channels) {
    Random random(1);
    ModelBuilder<f32, wide> b;
    const auto x = b.add(networks::conv(random, 2, channels), b.input("x", {1, 4, 4, 2}));
    const auto y = b.add(std::move(second), x);
    b.output("y", b.add(networks::conv(random, b.channels(y), 2), y));
    return b.build();
}

TEST_CASE("couple: a convolution's filters and biases go with its outputs, its inputs with what made them") {
    Random random(2);
    const Model<f32, wide> model = chain(networks::conv(random, 3, 4), 3);
    CHECK(slices(model, 0, "weight", 0) == Lists{{0}, {1}, {2}});
    CHECK(slices(model, 0, "bias", 0) == Lists{{0}, {1}, {2}});
    CHECK(slices(model, 1, "weight", 3) == Lists{{0}, {1}, {2}});
    CHECK(slices(model, 1, "weight", 0) == Lists{{0}, {1}, {2}, {3}});
    CHECK(slices(model, 2, "weight", 3) == Lists{{0}, {1}, {2}, {3}});
}

TEST_CASE("couple: with groups, channel k of every group goes together on either side") {
    Random random(3);
    const Model<f32, wide> model = chain(networks::conv(random, 6, 4, 3, 2), 6);
    CHECK(slices(model, 0, "weight", 0) == Lists{{0, 3}, {1, 4}, {2, 5}});
    CHECK(slices(model, 1, "weight", 3) == Lists{{0}, {1}, {2}});
    CHECK(slices(model, 1, "weight", 0) == Lists{{0, 2}, {1, 3}});
    CHECK(slices(model, 2, "weight", 3) == Lists{{0, 2}, {1, 3}});
}

TEST_CASE("couple: a transposed convolution's channels hang together as a convolution's") {
    Random random(3);
    ModelBuilder<f32, wide> b;
    const auto x = b.add(networks::conv(random, 2, 6), b.input("x", {1, 4, 4, 2}));
    TransposeConv2d<f32> layer{.weight = Tensor<f32>({4, 2, 2, 3}), .bias = Tensor<f32>(Shape{4}), .stride = {2, 2}};
    layer.groups = 2;
    const auto y = b.add(std::move(layer), x);
    b.output("y", b.add(networks::conv(random, 4, 2), y));
    const Model<f32, wide> model = b.build();
    CHECK(slices(model, 0, "weight", 0) == Lists{{0, 3}, {1, 4}, {2, 5}});
    CHECK(slices(model, 1, "weight", 3) == Lists{{0}, {1}, {2}});
    CHECK(slices(model, 1, "weight", 0) == Lists{{0, 2}, {1, 3}});
    CHECK(slices(model, 1, "bias", 0) == Lists{{0, 2}, {1, 3}});
    CHECK(slices(model, 2, "weight", 3) == Lists{{0, 2}, {1, 3}});
}

TEST_CASE("couple: a depthwise convolution's filters go with the channel that they read") {
    Random random(4);
    ModelBuilder<f32, wide> b;
    const auto x = b.add(networks::conv(random, 2, 3), b.input("x", {1, 4, 4, 2}));
    const auto y = b.add(networks::depthwise(random, 3, 2), x);
    b.output("y", b.add(networks::conv(random, 6, 2), y));
    const Model<f32, wide> model = b.build();
    CHECK(slices(model, 1, "weight", 0) == Lists{{0, 1}, {2, 3}, {4, 5}});
    CHECK(slices(model, 1, "bias", 0) == Lists{{0, 1}, {2, 3}, {4, 5}});
    CHECK(slices(model, 2, "weight", 3) == Lists{{0, 1}, {2, 3}, {4, 5}});
}

TEST_CASE("couple: a dense layer over positions joins what labels a column anywhere") {
    Random random(5);
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 2, 3, 2});
    const auto rows =
        b.add(Concat{.axis = 1}, {b.add(networks::conv(random, 2, 4), x), b.add(networks::conv(random, 2, 4), x)});
    b.output("y", b.add(networks::dense(random, 4, 3), rows));
    const Model<f32, wide> model = b.build();
    CHECK(slices(model, 0, "weight", 0) == Lists{{0}, {1}, {2}, {3}});
    CHECK(slices(model, 3, "weight", 1) == Lists{{0}, {1}, {2}, {3}});
    CHECK(channel_groups(model)[0].members.size() == 3);  // both convolutions and the reader are one group
}

}  // namespace couple_contraction_test
