// SPDX-License-Identifier: MIT
// Node: a layer whose type is known by its place in a list.

#include <mote/model/node.hpp>

#include <support/catch.hpp>

#include <string>

namespace node_test {

using namespace mote;
using List = standard_layers<f32>;

}  // namespace node_test

TEST_CASE("node: the layer comes back as its own type and as no other") {
    using namespace node_test;
    const Node node = make_node<List>("slope", LeakyRelu{.slope = 0.5f}, {0}, {1});
    CHECK(std::string(kind_name<List>(node)) == "LeakyRelu");
    const LeakyRelu* layer = get_if<LeakyRelu, List>(node);
    REQUIRE(layer != nullptr);
    CHECK(layer->slope == 0.5f);
    CHECK(get_if<Relu, List>(node) == nullptr);
    CHECK(get_if<Conv2d<f32>, List>(node) == nullptr);
    CHECK(get_if<Conv2d<i8>, List>(node) == nullptr);  // not in the list at all
    const Graph<List> graph;
    CHECK(get_if<LeakyRelu>(graph, node) == layer);
}

TEST_CASE("node: visit calls with the concrete layer, of every kind in the list, and returns what the call does") {
    using namespace node_test;
    const auto name = [](const auto& layer) { return std::string(std::remove_cvref_t<decltype(layer)>::kind); };
    CHECK(visit<List>(make_node<List>("a", Relu{}, {}, {}), name) == "Relu");
    CHECK(visit<List>(make_node<List>("b", BatchNorm{}, {}, {}), name) == "BatchNorm");
    CHECK(visit<List>(make_node<List>("c", Convert{}, {}, {}), name) == "Convert");
    CHECK(visit(Graph<List>{}, make_node<List>("d", Dense<f32>{}, {}, {}), name) == "Dense");
    int calls = 0;
    visit<List>(make_node<List>("e", Add{}, {}, {}), [&](const auto&) { ++calls; });
    CHECK(calls == 1);
}

TEST_CASE("node: copies share the layer, another layer is put in without touching them") {
    using namespace node_test;
    const Node node = make_node<List>("x", LeakyRelu{.slope = 0.5f}, {3}, {4, 5});
    const Node copy = node;
    CHECK(copy.layer == node.layer);
    const Node other = with_layer<List>(node, Relu{});
    CHECK(other.name == "x");
    CHECK(other.inputs == node.inputs);
    CHECK(other.outputs == node.outputs);
    CHECK(get_if<Relu, List>(other) != nullptr);
    CHECK(get_if<LeakyRelu, List>(node)->slope == 0.5f);
}
