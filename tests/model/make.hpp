// SPDX-License-Identifier: MIT
#pragma once
// Small layers and one-node models for the tests of models.

#include <mote/model/builder.hpp>

#include <string>
#include <utility>

namespace model_make {

using namespace mote;

inline Conv2d<f32> conv(std::size_t out, std::size_t kernel, std::size_t in) {
    return {.weight = Tensor<f32>(Shape{out, kernel, kernel, in}), .bias = Tensor<f32>(Shape{out})};
}

inline Dense<f32> dense(std::size_t out, std::size_t in) {
    return {.weight = Tensor<f32>(Shape{out, in}), .bias = Tensor<f32>(Shape{out})};
}

/// Weights of value 1 at one scale.
inline Dense<i8> dense_i8(std::size_t out, std::size_t in, float scale = 0.01f) {
    Dense<i8> layer{.weight = Tensor<i8>(Shape{out, in}), .bias = Tensor<i32>(Shape{out})};
    for (std::int8_t& w : layer.weight.values()) w = 1;
    layer.weight.set_quantization(QuantizationParams{scale, 0});
    return layer;
}

inline const Quantization tenth = QuantizationParams{0.1f, 3};

using List = AnyModel::layers;

/// The model of one node on inputs "x0", "x1" ... of these shapes. (Not a template on the layer: it is used for many.)
inline BasicModel<List> one_node(Node node, const std::vector<Shape>& inputs, Element element, const Quantization& input,
                                 const Quantization& output) {
    Graph<List> graph;
    for (const Shape& shape : inputs) {
        const auto id = narrow<ValueId>(graph.values.size());
        graph.values.push_back({concat("x", id), shape, element, input});
        graph.inputs.push_back(id);
        node.inputs.push_back(id);
    }
    node.outputs = graph.outputs = {narrow<ValueId>(graph.values.size())};
    graph.values.push_back({"node", {}, Element::f32, output});
    std::vector<Value> values = graph.values;
    mote::detail::infer_node<List>(node, values);  // the layer's own refusal comes before the model's
    graph.nodes.push_back(std::move(node));
    return BasicModel<List>(std::move(graph));
}

/// The model of one layer, named "node".
template <class L>
BasicModel<List> one(L layer, const std::vector<Shape>& inputs, Element element = Element::f32, const Quantization& input = {},
                     const Quantization& output = {}) {
    return one_node(make_node<List>("node", std::move(layer), {}, {}), inputs, element, input, output);
}

/// The shape that one layer makes of these.
template <class L>
Shape shape_of(L layer, const std::vector<Shape>& inputs) {
    const auto model = one(std::move(layer), inputs);
    return model.value(model.outputs()[0]).shape;
}

}  // namespace model_make
