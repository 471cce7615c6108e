// SPDX-License-Identifier: MIT
// Every standard layer has the verb lower.

#include <mote/engine/lower/lower.hpp>
#include <support/catch.hpp>

namespace lower_test {

using namespace mote;

struct Without {
    static constexpr const char* kind = "Without";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};

template <class List>
struct All;
template <class... L>
struct All<LayerList<L...>> {
    static constexpr bool lowerable = (detail::Lowerable<L> && ...);
};

static_assert(All<standard_layers<f32, i8>>::lowerable);
static_assert(!detail::Lowerable<Without>);

}  // namespace lower_test

TEST_CASE("lower: BatchNorms of a group are folded into its lead one after the other") {
    using namespace mote;
    using List = standard_layers<f32>;
    auto one = [](float value) { return Tensor<f32>(Shape{1}, {value}); };
    const BatchNorm norm{.scale = one(2), .shift = one(1), .mean = one(0), .variance = one(1), .epsilon = 0};
    Graph<List> graph;
    graph.nodes = {make_node<List>("dense", Dense<f32>{Tensor<f32>({1, 1}, {3}), {}}, {0}, {1}),
                   make_node<List>("a", norm, {1}, {2}), make_node<List>("b", norm, {2}, {3})};
    Group group;
    group.norms = {1, 2};
    const std::shared_ptr<const void> layer = detail::lead_layer(graph, group);
    const auto* dense = static_cast<const Dense<f32>*>(layer.get());
    CHECK(dense->weight[0] == 12.0f);
    CHECK(dense->bias[0] == 3.0f);
    group.norms = {};
    CHECK(detail::lead_layer(graph, group) == graph.nodes[0].layer);
}
