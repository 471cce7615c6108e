// SPDX-License-Identifier: MIT
// Model: what is refused when it is made, equality, sharing, batches, and lists of layers.

#include <mote/model/model.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <functional>
#include <limits>

namespace model_test {

using namespace mote;
using namespace model_make;

/// x -> first -> middle -> second -> y, a graph to be spoiled.
Graph<List> chain() {
    Graph<List> graph;
    graph.values = {{"x", {1, 4}}, {"middle", {}}, {"y", {}}};
    graph.nodes.push_back(make_node<List>("first", Relu{}, {0}, {1}));
    graph.nodes.push_back(make_node<List>("second", dense(3, 4), {1}, {2}));
    graph.inputs = {0};
    graph.outputs = {2};
    return graph;
}

/// The model of the chain after `spoil` changed it.
template <class Spoil>
BasicModel<List> spoiled(Spoil spoil) {
    Graph<List> graph = chain();
    spoil(graph);
    return BasicModel<List>(std::move(graph));
}

/// An application's layer with a state, two outputs, and no more.
struct Split {
    std::size_t first = 1;
    static constexpr const char* kind = "Split";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields(Field{"first", &Split::first});
};
inline void infer(const Split& layer, InferContext& node) {
    node.expect_inputs(1);
    const Value& in = node.input(0);
    node.output({in.shape[0], layer.first}, in.element);
    node.output({in.shape[0], in.shape[1] - layer.first}, in.element);
    node.state("last", {1, layer.first}, in.element);
}
using Extended = append<standard_layers<f32, wide>, Split>;

Model<f32, wide> small(float weight = 1.0f) {
    ModelBuilder<f32, wide> b;
    Dense<f32> layer = dense(3, 4);
    layer.weight[5] = weight;
    b.output("y", b.add(layer, b.add(Relu{}, b.input("x", {1, 4}))));
    return b.build();
}

}  // namespace model_test

TEST_CASE("model: a sound graph is accepted, and its shapes are inferred whatever the graph said") {
    using namespace model_test;
    const auto model = spoiled([](auto& g) { g.values[2].shape = {9, 9, 9}; });
    CHECK(model.value(1) == Value{"middle", {1, 4}});
    CHECK(model.value(2) == Value{"y", {1, 3}});
    CHECK(model.states(0).empty());
}

TEST_CASE("model: inputs, outputs and values that do not hang together are refused by name") {
    using namespace model_test;
    CHECK_ERROR(BasicModel<List>(Graph<List>{}), "at least one output");
    CHECK_ERROR(spoiled([](auto& g) { g.inputs.clear(); }), "node 'first' (Relu)", "'x'", "before it is made");
    CHECK_ERROR(spoiled([](auto& g) { g.outputs.clear(); }), "at least one output");
    CHECK_ERROR(spoiled([](auto& g) { g.inputs = {7}; }), "the input list", "value 7", "3 values");
    CHECK_ERROR(spoiled([](auto& g) { g.outputs = {7}; }), "the output list", "value 7", "3 values");
    CHECK_ERROR(spoiled([](auto& g) { g.inputs = {0, 0}; }), "the input list", "'x'", "made before");
    CHECK_ERROR(spoiled([](auto& g) { g.outputs = {2, 2}; }), "output 'y'", "listed twice");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[1].inputs = {9}; }), "node 'second' (Dense)", "value 9", "3 values");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[1].outputs = {9}; }), "node 'second' (Dense)", "value 9");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[1].outputs.clear(); }), "node 'second' (Dense)", "no output");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[1].inputs.clear(); }), "node 'second' (Dense)", "1 inputs expected", "0 given");
    CHECK_ERROR(spoiled([](auto& g) { std::swap(g.nodes[0], g.nodes[1]); }), "node 'second' (Dense)", "'middle'",
                "before it is made");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[1].inputs = {2}; }), "node 'second' (Dense)", "'y'", "before it is made");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[1].outputs = {1}; }), "node 'second' (Dense)", "makes value 'middle'",
                "made before");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[0].outputs = {0}; }), "node 'first' (Relu)", "makes value 'x'");
    CHECK_ERROR(spoiled([](auto& g) { g.values.push_back({"loose"}); }), "'loose'", "made by no node");
    CHECK_ERROR(spoiled([](auto& g) {
                    g.values.push_back({"loose"});
                    g.outputs = {3};
                }),
                "output 'loose'", "made by no node");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[0].outputs = {1, 2}; }), "node 'first' (Relu)", "1 outputs", "2 values");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[0].layer = nullptr; }), "node 'first'", "no layer");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[0].kind = List::size; }), "node 'first'", "no layer");
}

TEST_CASE("model: names are there and unique") {
    using namespace model_test;
    CHECK_ERROR(spoiled([](auto& g) { g.values[1].name = "x"; }), "two values", "'x'");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[1].name = "first"; }), "two nodes", "'first'");
    CHECK_ERROR(spoiled([](auto& g) { g.values[1].name.clear(); }), "a value has no name");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[1].name.clear(); }), "a node has no name");
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 4});
    b.output("x", b.add(Relu{}, x));
    CHECK_ERROR(b.build(), "two values", "'x'");
}

TEST_CASE("model: empty, absurd and unusable inputs are refused by name") {
    using namespace model_test;
    CHECK_ERROR(spoiled([](auto& g) { g.values[0].shape = {1, 0}; }), "input 'middle' [1x0] f32", "empty axis");
    const std::size_t huge = std::size_t{1} << 40;
    CHECK_ERROR(spoiled([&](auto& g) { g.values[0].shape = {huge, huge}; }), "input 'x'", "memory");
    for (const float scale :
         {0.0f, -1.0f, 1e-40f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        CHECK_ERROR(spoiled([&](auto& g) {
                        g.values[0].element = Element::i8;
                        g.values[0].quantization = QuantizationParams{scale, 0};
                    }),
                    "input 'x' [1x4] i8", "scale", "finite, positive, normal");
    }
    CHECK_ERROR(spoiled([](auto& g) {
                    g.values[0].quantization = QuantizationParams{0.5f, 0};
                    g.values[0].quantization.zero_point.clear();
                }),
                "input 'x'", "1 scales but 0 zero points");
}

TEST_CASE("model: shapes that do not fit are refused by node") {
    using namespace model_test;
    CHECK_ERROR(spoiled([](auto& g) { g.values[0].shape = {1, 5}; }), "node 'second' (Dense)", "takes 4 inputs", "has 5");
    CHECK_ERROR(spoiled([](auto& g) { g.nodes[1] = with_layer<List>(g.nodes[1], dense_i8(3, 4)); }), "node 'second' (Dense)",
                "i8 expected");
}

TEST_CASE("model: equality sees names, structure, layers, shapes and values") {
    using namespace model_test;
    CHECK(small() == small());
    CHECK(small() != small(2.0f));
    CHECK(spoiled([](auto&) {}) == BasicModel<List>(chain()));
    const std::vector<std::function<void(Graph<List>&)>> changes = {
        [](auto& g) { g.values[1].name = "z"; },
        [](auto& g) { g.nodes[0].name = "z"; },
        [](auto& g) { g.nodes[0] = with_layer<List>(g.nodes[0], Relu6{}); },
        [](auto& g) {
            g.values[0].shape = {2, 4};
        },
        [](auto& g) {
            g.outputs = {1, 2};
        },
        [](auto& g) { g.outputs = {1}; },
        [](auto& g) { g.nodes[1].inputs = {0}; },
        [](auto& g) {
            g.nodes[1] = with_layer<List>(g.nodes[1], Dense<f32>{Tensor<f32>(Shape{3, 4})});
        },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        CAPTURE(i);
        CHECK(spoiled(changes[i]) != BasicModel<List>(chain()));
    }
}

TEST_CASE("model: a copy shares the layers and is equal; a change makes another graph and leaves the model alone") {
    using namespace model_test;
    const Model<f32, wide> model = small();
    const Model<f32, wide> copy = model;
    CHECK(copy == model);
    CHECK(copy.nodes()[1].layer == model.nodes()[1].layer);
    Graph<standard_layers<f32, wide>> graph = model.graph();
    graph.nodes[0] = with_layer<standard_layers<f32, wide>>(graph.nodes[0], Relu6{});
    const Model<f32, wide> other(graph);
    CHECK(other != model);
    CHECK(model == copy);
    CHECK(other.nodes()[1].layer == model.nodes()[1].layer);
}

TEST_CASE("model: a batch is the first axis of every input; what fixes it is named") {
    using namespace model_test;
    const Model<f32, wide> model = small();
    const Model<f32, wide> many = with_batch(model, 7);
    CHECK(many.value(many.inputs()[0]).shape == Shape{7, 4});
    CHECK(many.value(many.outputs()[0]).shape == Shape{7, 3});
    CHECK(many.nodes()[1].layer == model.nodes()[1].layer);
    CHECK(many.cost().macs == 7 * model.cost().macs);
    CHECK(with_batch(many, 1) == model);
    CHECK_ERROR(with_batch(model, 0), "at least one sample");
    CHECK_ERROR(with_batch(model, std::size_t{1} << 61), "input 'x'", "memory");
    for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{1, -1}, {1, 12}}) {
        ModelBuilder<f32, wide> b;
        b.output(b.add(Reshape{shape}, b.input("x", {1, 3, 4}), {.name = "fixed"}));
        const Model<f32, wide> fixed = b.build();
        CHECK(with_batch(fixed, 1) == fixed);
        CHECK_ERROR(with_batch(fixed, 2), "node 'fixed' (Reshape)", "batch at 1", "0 or -1");
    }
    ModelBuilder<f32, wide> b;
    b.output(b.add(Reshape{{0, -1}}, b.input("x", {1, 3, 4})));
    CHECK(with_batch(b.build(), 5).values()[1].shape == Shape{5, 12});
    ModelBuilder<f32, wide> scalar;
    scalar.output(scalar.add(Relu{}, scalar.input("x", Shape{})));
    CHECK_ERROR(with_batch(scalar.build(), 2), "input 'x'", "no batch axis");
}

TEST_CASE("model: widening is implicit and narrowing is not; as<> narrows or names the first node that does not fit") {
    using namespace model_test;
    const Model<f32, wide> real = small();
    const AnyModel any = real;
    CHECK(any.nodes()[1].layer == real.nodes()[1].layer);
    CHECK(any.values() == real.values());
    CHECK(as<f32, wide>(any) == real);
    CHECK(as<f32, f16, bf16, i8, wide>(real) == any);
    STATIC_REQUIRE(std::is_convertible_v<Model<f32, wide>, AnyModel>);
    CHECK_ERROR(as<i8>(any), "node 'dense_1' (Dense)", "not in the list");
    ModelBuilder<f32, i8, wide> b;
    auto x = b.add(Convert{Element::i8}, b.input("x", {1, 4}), {.quantization = tenth});
    x = b.add(Relu{}, x);
    b.output(b.add(dense_i8(3, 4), x, {.name = "bytes", .quantization = tenth}));
    CHECK_ERROR((as<f32, wide>(b.build())), "node 'bytes' (Dense)");
    CHECK(as<i8>(b.build()).nodes().size() == 3);
}

TEST_CASE("model: an application's own layer has a place in its list, with outputs and states of its own") {
    using namespace model_test;
    Graph<Extended> graph;
    graph.values = {{"x", {2, 5}}, {"left", {}}, {"right", {}}};
    graph.nodes.push_back(make_node<Extended>("split", Split{2}, {0}, {1, 2}));
    graph.inputs = {0};
    graph.outputs = {2, 1};
    const BasicModel<Extended> model(graph);
    CHECK(model.value(1).shape == Shape{2, 2});
    CHECK(model.value(2).shape == Shape{2, 3});
    REQUIRE(model.states(0).size() == 1);
    CHECK(model.states(0)[0] == Value{"last", {1, 2}});
    CHECK(get_if<Split>(model, model.nodes()[0])->first == 2);
    CHECK(BasicModel<Extended>(graph) == model);
    graph.nodes[0] = with_layer<Extended>(graph.nodes[0], Split{3});
    CHECK(BasicModel<Extended>(graph) != model);
    CHECK_ERROR((as<f32, wide>(model)), "node 'split' (Split)");
    const BasicModel<Extended> widened = small();
    CHECK(widened.nodes().size() == 2);
}
