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

/// The model of one layer, named "node", on inputs "x0", "x1" ... of these shapes.
template <class List = standard_layers<f32, i8>, class L>
BasicModel<List> one(L layer, const std::vector<Shape>& inputs, Element element = Element::f32, Quantization input = {},
                     Quantization output = {}) {
    BasicBuilder<List> b;
    std::vector<typename BasicBuilder<List>::Handle> handles;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        handles.push_back(b.input(concat("x", i), inputs[i], element, input));
    }
    b.output(b.add(std::move(layer), handles, {.name = "node", .quantization = std::move(output)}));
    return b.build();
}

/// The shape that one layer makes of these.
template <class L>
Shape shape_of(L layer, const std::vector<Shape>& inputs) {
    const auto model = one(std::move(layer), inputs);
    return model.value(model.outputs()[0]).shape;
}

}  // namespace model_make
