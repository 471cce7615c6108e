// SPDX-License-Identifier: MIT
// Edges and compaction of graphs.

#include <mote/model/builder.hpp>
#include <mote/passes/graph.hpp>
#include <support/catch.hpp>

using namespace mote;

TEST_CASE("graph: edges know who makes a value, who uses it, and whether one node alone sees it") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 4});
    const auto y = b.add(Relu{}, x);
    const auto z = b.add(Tanh{}, y);
    const auto sum = b.add(Add{}, {z, z});
    b.output("y", y);
    b.output("sum", sum);
    const Model<f32> model = b.build();
    const Edges edge = edges(model.graph());
    CHECK(edge.producer[x.id] == no_node);
    CHECK(edge.producer[sum.id] == 2);
    CHECK(edge.uses[z.id] == 2);
    CHECK(edge.only_consumer(x.id) == 0);
    CHECK(edge.only_consumer(y.id) == no_node);    // an output too
    CHECK(edge.only_consumer(z.id) == no_node);    // used twice
    CHECK(edge.only_consumer(sum.id) == no_node);  // used by nobody
}

TEST_CASE("graph: compaction drops the values that nobody makes and keeps the others in order") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 4});
    const auto y = b.add(Relu{}, x, {.name = "y"});
    b.output("z", b.add(Tanh{}, y));
    const Model<f32> model = b.build();
    Graph<Model<f32>::layers> graph = model.graph();
    graph.nodes[1].inputs = graph.nodes[0].inputs;
    graph.nodes.erase(graph.nodes.begin());
    const Model<f32> small(compacted(graph));
    REQUIRE(small.values().size() == 2);
    CHECK(small.values()[0].name == "x");
    CHECK(small.values()[1].name == "z");
    CHECK(compacted(model.graph()).values == model.values());
}
