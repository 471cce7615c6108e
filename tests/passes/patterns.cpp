// SPDX-License-Identifier: MIT
// Which nodes are taken together, and which must not be.

#include <mote/model/builder.hpp>
#include <mote/passes/patterns.hpp>
#include <support/catch.hpp>

namespace patterns_test {

using namespace mote;
using Nodes = std::vector<std::size_t>;

Conv2d<f32> conv(std::size_t out, std::size_t in) {
    return {.weight = Tensor<f32>({out, 1, 1, in})};
}
BatchNorm norm(std::size_t channels) {
    Tensor<f32> ones(Shape{channels});
    for (float& x : ones.values()) x = 1;
    return {.scale = ones, .shift = ones, .mean = ones, .variance = ones};
}
std::vector<Nodes> nodes_of(const Model<f32>& model, bool fuse = true) {
    std::vector<Nodes> result;
    for (const Group& group : find_groups(model, fuse)) result.push_back(group.nodes);
    return result;
}

}  // namespace patterns_test

using namespace patterns_test;

TEST_CASE("patterns: pad, convolution, norm, activation, residual and activation are one group") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 4, 4, 3});
    auto y = b.add(Pad{{0, 1, 2, 0}, {0, 0, 1, 0}, 0.0f}, x);
    y = b.add(conv(3, 3), y);
    y = b.add(norm(3), y);
    y = b.add(Relu6{}, y);
    const auto other = b.input("other", b.shape(y));
    y = b.add(Add{}, {other, y});
    b.output("y", b.add(Relu{}, y));
    const std::vector<Group> groups = find_groups(b.build());
    REQUIRE(groups.size() == 1);
    const Group& group = groups[0];
    CHECK(group.nodes == Nodes{0, 1, 2, 3, 4, 5});
    CHECK(group.lead == 1);
    CHECK(group.norms == Nodes{2});
    CHECK(group.padding == Padding2d{1, 0, 2, 1});
    CHECK(group.clamp == Clamp{0.0f, 6.0f});
    CHECK(group.has_residual);
    CHECK(group.residual == other.id);
    CHECK(group.residual_clamp == Clamp{.lo = 0.0f});
    CHECK(group.inputs == std::vector<ValueId>{x.id});
}

TEST_CASE("patterns: without fusing each node is a group, in order") {
    ModelBuilder<f32> b;
    b.output("y", b.add(Relu{}, b.add(conv(2, 3), b.input("x", {1, 4, 4, 3}))));
    CHECK(nodes_of(b.build(), false) == std::vector<Nodes>{{0}, {1}});
    CHECK(nodes_of(b.build()) == std::vector<Nodes>{{0, 1}});
}

TEST_CASE("patterns: a value that is an output, or that two nodes use, is not fused away") {
    ModelBuilder<f32> b;
    const auto y = b.add(conv(2, 3), b.input("x", {1, 4, 4, 3}));
    b.output("y", y);
    const auto z = b.add(conv(2, 2), b.add(Relu{}, y));
    b.add(Tanh{}, z);
    b.output("r", b.add(Relu{}, z));
    CHECK(nodes_of(b.build()) == std::vector<Nodes>{{0}, {1}, {2}, {3}, {4}});
}

TEST_CASE("patterns: a pad of another value, of channels, or before a pool stays a node") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 4, 4, 3});
    const auto p = b.add(Pad{{0, 1, 1, 0}, {0, 1, 1, 0}, 1.0f}, x);
    b.output("a", b.add(conv(2, 3), p));
    b.output("b", b.add(conv(2, 4), b.add(Pad{{0, 0, 0, 0}, {0, 0, 0, 1}, 0.0f}, x)));
    b.output("c", b.add(MaxPool2d{.kernel = {2, 2}, .stride = {1, 1}}, b.add(Pad{{0, 1, 1, 0}, {0, 1, 1, 0}, 0.0f}, x)));
    CHECK(nodes_of(b.build()).size() == 6);
}

TEST_CASE("patterns: BatchNorm after an activation is not folded through it") {
    ModelBuilder<f32> b;
    b.output("y", b.add(norm(2), b.add(Relu{}, b.add(conv(2, 3), b.input("x", {1, 4, 4, 3})))));
    CHECK(nodes_of(b.build()) == std::vector<Nodes>{{0, 1}, {2}});
}

TEST_CASE("patterns: of two convolutions that meet in an Add the later one takes it") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 4, 4, 3});
    const auto left = b.add(conv(5, 3), x);
    const auto right = b.add(conv(5, 3), x);
    b.output("y", b.add(Add{}, {right, left}));
    const std::vector<Group> groups = find_groups(b.build());
    REQUIRE(groups.size() == 2);
    CHECK(groups[1].nodes == Nodes{1, 2});
    CHECK(groups[1].residual == left.id);
}

TEST_CASE("patterns: an early convolution waits for its residual") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 4, 4, 3});
    const auto early = b.add(conv(3, 3), x);
    const auto late = b.add(Tanh{}, b.add(Tanh{}, x));
    b.output("y", b.add(Add{}, {early, late}));
    CHECK(nodes_of(b.build()) == std::vector<Nodes>{{1}, {2}, {0, 3}});
}

TEST_CASE("patterns: an Add of a value with itself is no residual, but takes its activation") {
    ModelBuilder<f32> b;
    const auto y = b.add(conv(3, 3), b.input("x", {1, 4, 4, 3}));
    b.output("y", b.add(Relu{}, b.add(Add{}, {y, y})));
    const std::vector<Group> groups = find_groups(b.build());
    REQUIRE(groups.size() == 2);
    CHECK(groups[1].nodes == Nodes{1, 2});
    CHECK_FALSE(groups[1].has_residual);
    CHECK(groups[1].clamp == Clamp{.lo = 0.0f});
}

TEST_CASE("patterns: convolutions that a Concat of channels alone reads are placed in its output") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 4, 4, 3});
    const auto seen = b.add(conv(3, 3), x);
    const auto left = b.add(Relu{}, b.add(conv(5, 3), x));
    const auto right = b.add(conv(2, 3), x);
    b.output("y", b.add(Concat{}, {left, seen, right}));
    b.output("seen", seen);
    b.output("rows", b.add(Concat{1}, {b.add(conv(3, 3), x), b.add(conv(3, 3), x)}));
    const Model<f32> model = b.build();
    const std::vector<Group> groups = find_groups(model, true, true);
    std::vector<std::size_t> channels;
    for (const Group& group : groups) {
        if (group.placed) channels.push_back(group.channel);
        if (!group.written.empty()) CHECK(group.written == std::vector<char>{1, 0, 1});
    }
    CHECK(channels == std::vector<std::size_t>{0, 8});
    for (const Group& group : find_groups(model)) CHECK_FALSE(group.placed);
}

TEST_CASE(
    "patterns: attention is one group, which reads queries, keys, values and bias; without tables that divide it is none") {
    ModelBuilder<f32, wide> b;
    const auto q = b.input("q", {2, 4, 8}), k = b.input("k", {2, 6, 8}), v = b.input("v", {2, 6, 3}),
               bias = b.input("bias", {4, 6});
    auto scores = b.add(Unary{UnaryFunction::linear, 0.5f, 0.0f}, b.add(MatMul{false, true}, {q, k}));
    scores = b.add(Binary{}, {bias, scores});
    b.output("y", b.add(MatMul{}, {b.add(Softmax{}, scores), v}));
    const auto model = b.build();
    const std::vector<Group> groups = find_groups(model, true, true);
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].lead == 0);
    CHECK(groups[0].nodes == Nodes{0, 1, 2, 3, 4});
    CHECK(groups[0].inputs == std::vector<ValueId>{0, 1, 2, 3});
    CHECK(groups[0].attention.biased);
    CHECK(groups[0].attention.scale == 0.5f);
    CHECK(find_groups(model).size() == 5);
    CHECK(find_groups(model, false, true).size() == 5);
}
