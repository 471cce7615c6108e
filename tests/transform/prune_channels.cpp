// SPDX-License-Identifier: MIT
// prune, structured: a pruned model computes what the model computes with those channels masked to zero.

#include <mote/transform/prune_channels.hpp>

#include <engine/random_model.hpp>
#include <support/catch.hpp>
#include <transform/networks.hpp>

#include <limits>

namespace prune_channels_test {

using namespace mote;
using List = standard_layers<f32, wide>;

// f32 sums in another order; the issue asks for 1e-5 of the output's range.
constexpr double tolerance = 1e-5;

/// The channels that prune(keep, L1, per layer) removes: by group the positions.
std::vector<std::vector<std::size_t>> least_channels(const Model<f32, wide>& model, const std::vector<ChannelGroup>& groups,
                                                     double keep) {
    std::vector<std::vector<std::size_t>> result;
    for (const ChannelGroup& group : groups) {
        std::vector<double> norm(group.channels.size(), 0.0);
        for (std::size_t c = 0; c < norm.size(); ++c) {
            for (const ParameterSlice& slice : group.channels[c]) {
                if (!slice.output || std::string_view(slice.field) != "weight") continue;
                visit(model, model.nodes()[slice.node], [&](const auto& layer) {
                    for_each_field(layer, [&](const auto& field, const auto& member) {
                        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, Tensor<f32>>) {
                            if (std::string_view(field.name) != "weight") return;
                            const std::size_t inner = member.elements() / member.shape()[0];
                            for (std::size_t k = 0; k < inner; ++k) {
                                norm[c] += std::fabs(static_cast<double>(member[slice.index * inner + k]));
                            }
                        }
                    });
                });
            }
        }
        std::vector<std::size_t> order;
        for (std::size_t c = 0; c < norm.size(); ++c) order.push_back(c);
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return norm[a] != norm[b] ? norm[a] > norm[b] : a < b; });
        const auto stay = static_cast<std::size_t>(round_half_even(keep * static_cast<double>(norm.size())));
        order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(stay));
        result.push_back(group.locked.empty() ? order : std::vector<std::size_t>{});
    }
    return result;
}

enum class Mask { filters, readers };

/// The model with the channels masked: what makes them set to zero (filters, biases, BatchNorm), or what reads them.
Model<f32, wide> masked(const Model<f32, wide>& model, double keep, Mask mask) {
    const std::vector<ChannelGroup> groups = channel_groups(model);
    const auto gone = least_channels(model, groups, keep);
    Graph<List> graph = model.graph();
    for (std::size_t g = 0; g < groups.size(); ++g) {
        for (const std::size_t c : gone[g]) {
            for (const ParameterSlice& slice : groups[g].channels[c]) {
                if (slice.output != (mask == Mask::filters)) continue;
                if (std::string_view(slice.field) == "mean" || std::string_view(slice.field) == "variance") continue;
                networks::set_slice(graph, slice.node, slice.field, slice.axis, slice.index, 0.0f);
            }
        }
    }
    return Model<f32, wide>(std::move(graph));
}

TEST_CASE("prune channels: a network of every coupling equals itself with the filters masked to zero") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        for (const double keep : {0.25, 0.5, 0.75}) {
            const Model<f32, wide> model = networks::mixed(seed);
            const Model<f32, wide> slim = prune(model, ChannelPruning{.keep = keep});
            CAPTURE(seed, keep);
            CHECK(networks::difference(masked(model, keep, Mask::filters), slim) <= tolerance);
            CHECK(networks::difference(model, slim) > 1e-3);  // something was cut
            CHECK(slim.cost().macs < model.cost().macs);
            CHECK(slim.cost().parameters < model.cost().parameters);
        }
    }
}

TEST_CASE("prune channels: slices, gatherings and tiles follow the channels that are left") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        for (const double keep : {0.3, 0.5, 0.7}) {
            const Model<f32, wide> model = networks::parted(seed);
            const Model<f32, wide> slim = prune(model, ChannelPruning{.keep = keep});
            CAPTURE(seed, keep);
            CHECK(networks::difference(masked(model, keep, Mask::readers), slim) <= tolerance);
            CHECK(networks::difference(model, slim) > 1e-3);
            CHECK(networks::layer<Conv2d<f32>>(slim, "stem").weight.shape()[0] < 12);
            CHECK(networks::layer<Conv2d<f32>>(slim, "fixed").weight.shape()[0] == 3);  // a constant is added to it
        }
    }
    ModelBuilder<f32, wide> b;
    Random random(3);
    auto x = b.add(networks::conv(random, 2, 8), b.input("image", {1, 4, 4, 2}));
    x = b.add(Slice{{0, 0, 0, 0}, {-1, -1, -1, -1}, {1, 1, 1, 2}}, x, {.name = "every_other"});
    b.output("y", b.add(networks::conv(random, 4, 3), x));
    CHECK_THROWS_WITH(prune(b.build(), ChannelPruning{.keep = 0.5}), Catch::Contains("'every_other' (Slice)"));
}

TEST_CASE("prune channels: a grid of indices whose rows are alike loses columns") {
    ModelBuilder<f32, wide> b;
    Random random(5);
    auto x = b.add(networks::dense(random, 3, 8), b.input("x", {1, 3}), {.name = "wide"});
    x = b.add(Gather{1, Tensor<i32>(Shape{2, 4}, {1, 7, 4, 2, 1, 7, 4, 2})}, x, {.name = "grid"});
    b.output("y", b.add(networks::dense(random, 4, 3), b.add(Tanh{}, x), {.name = "head"}));
    const Model<f32, wide> model = b.build();
    const Model<f32, wide> slim = prune(model, ChannelPruning{.keep = 0.5});
    CHECK(networks::layer<Gather>(slim, "grid").indices.shape() == Shape{2, 2});
    CHECK(networks::layer<Dense<f32>>(slim, "head").weight.shape() == Shape{3, 2});
    CHECK(networks::difference(masked(model, 0.5, Mask::readers), slim) <= tolerance);
}

TEST_CASE("prune channels: random networks equal themselves with the channels masked wherever they are read") {
    std::size_t cut = 0;
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        const Model<f32, wide> model = random_model::make<f32>(seed, 14);
        bool possible = false, empties = false;
        const auto groups = channel_groups(model);
        const auto gone = least_channels(model, groups, 0.5);
        for (std::size_t g = 0; g < groups.size(); ++g) {
            possible = possible || !gone[g].empty();
            empties = empties || gone[g].size() == groups[g].channels.size();
        }
        if (!possible || empties) {
            CHECK_THROWS_AS(prune(model, ChannelPruning{.keep = 0.5}), Error);
            continue;
        }
        const Model<f32, wide> slim = prune(model, ChannelPruning{.keep = 0.5});
        CAPTURE(seed);
        CHECK(networks::difference(masked(model, 0.5, Mask::readers), slim) <= tolerance);
        ++cut;
    }
    CHECK(cut > 30);
}

TEST_CASE("prune channels: shapes shrink on both sides of every coupling") {
    const Model<f32, wide> slim = prune(networks::mixed(1), ChannelPruning{.keep = 0.5});
    CHECK(networks::layer<Conv2d<f32>>(slim, "stem").weight.shape() == Shape{4, 3, 3, 3});
    CHECK(networks::layer<BatchNorm>(slim, "stem_norm").variance.shape() == Shape{4});
    CHECK(networks::layer<Conv2d<f32>>(slim, "narrow").weight.shape() == Shape{3, 3, 3, 4});
    CHECK(networks::layer<Conv2d<f32>>(slim, "wide").weight.shape() == Shape{4, 3, 3, 3});  // both sides of the Add
    CHECK(networks::layer<DepthwiseConv2d<f32>>(slim, "depth").weight.shape() == Shape{10, 3, 3, 1});
    CHECK(networks::layer<DepthwiseConv2d<f32>>(slim, "depth").multiplier == 2);
    CHECK(networks::layer<Conv2d<f32>>(slim, "excite").weight.shape() == Shape{10, 1, 1, 2});  // squeeze-excite
    CHECK(networks::layer<Conv2d<f32>>(slim, "side").weight.shape() == Shape{4, 3, 3, 2});     // two groups
    CHECK(networks::layer<Conv2d<f32>>(slim, "mix").weight.shape() == Shape{3, 1, 1, 18});     // Concat: 10 + 4 + 4
    CHECK(networks::layer<Reshape>(slim, "shaped").shape == std::vector<std::int64_t>{0, 3, 9});
    CHECK(networks::layer<Dense<f32>>(slim, "hidden").weight.shape() == Shape{6, 27});  // Flatten of 3 channels of 9
    CHECK(networks::layer<Dense<f32>>(slim, "head").weight.shape() == Shape{5, 6});     // the output stays
}

TEST_CASE("prune channels: the filters with the smallest L1 norm go, in their order") {
    ModelBuilder<f32, wide> b;
    auto x = b.input("x", {1, 1});
    x = b.add(Dense<f32>{Tensor<f32>({4, 1}, {3, -1, 2, -4}), {}}, x, {.name = "a"});
    b.output("y", b.add(Dense<f32>{Tensor<f32>({1, 4}, {10, 20, 30, 40}), {}}, x, {.name = "b"}));
    const Model<f32, wide> slim = prune(b.build(), ChannelPruning{.keep = 0.5});
    CHECK(networks::layer<Dense<f32>>(slim, "a").weight == Tensor<f32>({2, 1}, {3, -4}));
    CHECK(networks::layer<Dense<f32>>(slim, "b").weight == Tensor<f32>({1, 2}, {10, 40}));
}

TEST_CASE("prune channels: Taylor removes what the loss does not feel, where L1 removes what is small") {
    // The large filter's channel is not read by anything that matters.
    ModelBuilder<f32, wide> b;
    auto x = b.input("x", {1, 2});
    x = b.add(Dense<f32>{Tensor<f32>({2, 2}, {9, 9, 0.5f, -0.5f}), {}}, x, {.name = "a"});
    b.output("y", b.add(Dense<f32>{Tensor<f32>({2, 2}, {0, 1, 0, -1}), {}}, x, {.name = "b"}));
    const Model<f32, wide> model = b.build();
    const TensorDataset set(networks::samples(3, {20, 2}), std::vector<std::int64_t>(20, 1));
    const auto by_taylor = prune(model, ChannelPruning{.keep = 0.5, .criterion = Taylor(set)});
    CHECK(networks::layer<Dense<f32>>(by_taylor, "a").weight == Tensor<f32>({1, 2}, {0.5f, -0.5f}));
    const auto by_norm = prune(model, ChannelPruning{.keep = 0.5, .criterion = L1{}});
    CHECK(networks::layer<Dense<f32>>(by_norm, "a").weight == Tensor<f32>({1, 2}, {9, 9}));
}

TEST_CASE("prune channels: round_to leaves multiples, ignored nodes stay, global scope keeps the share of the whole") {
    const Model<f32, wide> model = networks::plain(1);
    const auto rounded = prune(model, ChannelPruning{.keep = 0.4, .round_to = 4});
    CHECK(networks::layer<Conv2d<f32>>(rounded, "first").weight.shape() == Shape{4, 3, 3, 2});
    CHECK(networks::layer<Conv2d<f32>>(rounded, "second").weight.shape() == Shape{4, 3, 3, 4});
    const auto first_stays = prune(model, ChannelPruning{.keep = 0.5, .ignored = {"first"}});
    CHECK(networks::layer<Conv2d<f32>>(first_stays, "first").weight.shape()[0] == 8);
    CHECK(networks::layer<Conv2d<f32>>(first_stays, "second").weight.shape()[0] == 3);
    PruneReport report;
    const auto global =
        prune(model, ChannelPruning{.keep = 0.5, .scope = Scope::global, .report = [&](const PruneReport& r) { report = r; }});
    CHECK(networks::layer<Conv2d<f32>>(global, "first").weight.shape()[0] +
              networks::layer<Conv2d<f32>>(global, "second").weight.shape()[0] ==
          7);
    CHECK(report.removed == 7);
    CHECK(report.total == 14);
    CHECK(report.before.macs == model.cost().macs);
    CHECK(report.after.macs == global.cost().macs);
    CHECK_THAT(report.text, Catch::Contains("first") && Catch::Contains("second"));
}

TEST_CASE("prune channels: the coupled groups are told before anything is cut, and what hears them may stop it") {
    const Model<f32, wide> model = networks::mixed(1);
    std::vector<PruneReport> heard;
    ChannelPruning options{.keep = 0.5};
    options.before_cut = [&](const PruneReport& r) { heard.push_back(r); };
    options.report = [&](const PruneReport& r) { heard.push_back(r); };
    prune(model, options);
    REQUIRE(heard.size() == 2);
    CHECK_THAT(heard[0].text, Catch::Contains("stem") && Catch::Contains("wide outputs") && Catch::Contains("depth outputs"));
    CHECK(heard[0].text == heard[1].text);
    CHECK(heard[0].removed == heard[1].removed);
    CHECK(heard[0].before.macs == model.cost().macs);
    CHECK(heard[0].after.macs == 0);
    CHECK(heard[1].after.macs > 0);

    options.before_cut = [](const PruneReport& r) { mote::fail("stopped before the cut of " + concat(r.removed)); };
    heard.clear();
    CHECK_THROWS_WITH(prune(model, options), Catch::Contains("stopped before the cut"));
    CHECK(heard.empty());
}

TEST_CASE("prune channels: global scope never empties a group in silence") {
    ModelBuilder<f32, wide> b;
    auto x = b.input("x", {1, 1});
    x = b.add(Dense<f32>{Tensor<f32>({4, 1}, {1, 1, 1, 1}), {}}, x, {.name = "even"});  // each channel is the mean
    x = b.add(Dense<f32>{Tensor<f32>({8, 4}), {}}, x, {.name = "silent"});              // all zero: the least of all
    b.output("y", b.add(Dense<f32>{Tensor<f32>({1, 8}), {}}, x, {.name = "head"}));
    const Model<f32, wide> model = b.build();
    CHECK_THROWS_WITH(prune(model, ChannelPruning{.keep = 0.34, .scope = Scope::global}),
                      Catch::Contains("keep 0.34 leaves node 'silent' none of its 8 channels") &&
                          Catch::Contains("a larger keep, Scope::per_layer, or ignoring the node is expected"));
    const Model<f32, wide> slim = prune(model, ChannelPruning{.keep = 0.5, .scope = Scope::global});
    CHECK(networks::layer<Dense<f32>>(slim, "even").weight.shape() == Shape{4, 1});
    CHECK(networks::layer<Dense<f32>>(slim, "silent").weight.shape() == Shape{2, 4});
}

TEST_CASE("prune channels: a share outside (0, 1), an empty layer, no effect, bad weights and names are errors that say why") {
    const Model<f32, wide> model = networks::plain(2);
    for (const double keep : {0.0, 1.0, -0.5, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_WITH(prune(model, ChannelPruning{.keep = keep}), Catch::Contains("between 0 and 1"));
    }
    CHECK_THROWS_WITH(prune(model, ChannelPruning{.keep = 0.05}), Catch::Contains("node 'first' none of its 8 channels"));
    CHECK_THROWS_WITH(prune(model, ChannelPruning{.keep = 0.99}), Catch::Contains("removes no channel"));
    CHECK_THROWS_WITH(prune(model, ChannelPruning{.keep = 0.5, .round_to = 8}), Catch::Contains("rounding up to 8"));
    CHECK_THROWS_WITH(prune(model, ChannelPruning{.keep = 0.5, .ignored = {"first", "second"}}),
                      Catch::Contains("'first' is ignored") && Catch::Contains("'softmax' (Softmax)"));
    CHECK_THROWS_WITH(prune(model, ChannelPruning{.keep = 0.5, .ignored = {"thrid"}}), Catch::Contains("'thrid'"));
    CHECK_THROWS_WITH(prune(model, ChannelPruning{.keep = 0.5, .round_to = 0}), Catch::Contains("round_to"));
    Graph<List> graph = model.graph();
    networks::set_slice(graph, 2, "bias", 0, 1, std::numeric_limits<float>::quiet_NaN());
    CHECK_THROWS_WITH((prune(Model<f32, wide>(graph), ChannelPruning{.keep = 0.5})),
                      Catch::Contains("node 'second' (Conv2d)") && Catch::Contains("bias"));
}

}  // namespace prune_channels_test
