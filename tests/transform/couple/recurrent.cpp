// SPDX-License-Identifier: MIT
// Recurrent layers in transforms: their channels stay, their numbers stay f32, and each transform that cannot says so by name.

#include <mote/transform/channel_groups.hpp>
#include <mote/transform/prune_channels.hpp>
#include <mote/transform/quantize.hpp>
#include <mote/zoo/recurrent.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>
#include <transform/networks.hpp>

namespace couple_recurrent_test {

using namespace mote;

/// A dense layer, a recurrent one, and two dense layers on its last state.
template <class L>
Model<f32, wide> network(L layer) {
    Random random(1);
    const auto dense = [&](std::size_t out, std::size_t in) {
        Dense<f32> d{.weight = Tensor<f32>({out, in})};
        for (float& w : d.weight.values()) w = random.normal();
        return d;
    };
    const std::size_t hidden = layer.recurrent.shape()[1];
    for (auto* tensor : {&layer.weight, &layer.recurrent}) {
        for (float& w : tensor->values()) w = 0.3f * random.normal();
    }
    ModelBuilder<f32, wide> b;
    const auto x = b.add(dense(6, 3), b.input("x", {1, 4, 3}), {.name = "before"});
    const auto y = b.add_outputs(std::move(layer), 2, {x}, {.name = "memory"});
    const auto z = b.add(Relu{}, b.add(dense(8, hidden), y[1], {.name = "behind"}));
    b.output("y", b.add(dense(2, 8), z, {.name = "last"}));
    return b.build();
}

template <class L>
void check(std::size_t gates) {
    const Model<f32, wide> model = network(L{.weight = Tensor<f32>({gates * 5, 6}), .recurrent = Tensor<f32>({gates * 5, 5})});
    std::size_t free = 0;
    for (const auto& group : channel_groups(model)) free += group.locked.empty() ? group.members.size() : 0;
    CHECK(free == 2);  // the channels between the dense layers behind it, one slice in each
    const Model<f32, wide> pruned = prune(model, ChannelPruning{.keep = 0.5});
    CHECK(pruned.cost().parameters < model.cost().parameters);
    const L* before = nullptr;
    const L* after = nullptr;
    for (const Node& node : model.nodes()) before = get_if<L>(model, node) != nullptr ? get_if<L>(model, node) : before;
    for (const Node& node : pruned.nodes()) after = get_if<L>(pruned, node) != nullptr ? get_if<L>(pruned, node) : after;
    REQUIRE(after != nullptr);
    CHECK(equal(*before, *after));

    Random random(4);
    Tensor<f32> inputs({16, 4, 3});
    for (float& v : inputs.values()) v = random.normal();
    const TensorDataset data(inputs, std::vector<std::int64_t>(16, 0));
    CHECK_ERROR((quantize<i8, wide>(model, data)), "'memory'", L::kind);
    const Model<f32, i8, wide> light = quantize<f32, i8, wide>(model, data, {.keep_f32 = {"memory"}});
    Engine whole(model), small(light);
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        const Tensor<f32> x({1, 4, 3}, inputs.values().subspan(i * 12, 12));
        const Tensor<f32> wanted = evaluate(whole, x), got = evaluate(small, x);
        for (std::size_t k = 0; k < 2; ++k) {
            worst = std::max(worst, std::fabs(static_cast<double>(got[k]) - static_cast<double>(wanted[k])));
            largest = std::max(largest, std::fabs(static_cast<double>(wanted[k])));
        }
    }
    CHECK(worst < 0.1 * largest);
}

TEST_CASE("couple: recurrent layers keep their channels, and stay in f32 between Converts") {
    check<Lstm<f32>>(4);
    check<Gru<f32>>(3);
    check<Rnn<f32>>(1);
}

TEST_CASE("couple: svdf keeps its channels") {
    ModelBuilder<f32, wide> b;
    const auto x = b.add(Dense<f32>{.weight = Tensor<f32>({4, 3})}, b.input("x", {1, 3}));
    b.output("y", b.add(Svdf<f32>{.feature = Tensor<f32>({2, 4}), .time = Tensor<f32>({2, 3})}, x, {.name = "filter"}));
    for (const auto& group : channel_groups(b.build())) CHECK_THAT(group.locked, Catch::Contains("'filter' (Svdf)"));
}

}  // namespace couple_recurrent_test
