// SPDX-License-Identifier: MIT
#pragma once
// fold: BatchNorm into the convolution or dense layer before it.

#include <mote/passes/graph.hpp>

#include <cmath>

MOTE_BEGIN_NAMESPACE

namespace detail {

template <class L>
inline constexpr bool folds_batch_norm = false;
template <>
inline constexpr bool folds_batch_norm<Conv2d<f32>> = true;
template <>
inline constexpr bool folds_batch_norm<DepthwiseConv2d<f32>> = true;
template <>
inline constexpr bool folds_batch_norm<TransposeConv2d<f32>> = true;
template <>
inline constexpr bool folds_batch_norm<Dense<f32>> = true;

}  // namespace detail

/// What BatchNorm does to channel c when it does not train: y = scale * x + shift, computed in double.
struct Affine {
    double scale;
    double shift;
};
template <class Lazy = void>
Affine affine_of(const BatchNorm& norm, std::size_t channel) {
    const double deviation = std::sqrt(static_cast<double>(norm.variance[channel]) + static_cast<double>(norm.epsilon));
    const double scale = static_cast<double>(norm.scale[channel]) / deviation;
    return {scale, static_cast<double>(norm.shift[channel]) - static_cast<double>(norm.mean[channel]) * scale};
}

namespace detail {

/// weight[c, ...] and bias[c] with what `norm` does to channel c.
template <class Lazy = void>
void fold_parameters(Tensor<f32>& weight, Tensor<f32>& bias, const BatchNorm& norm) {
    const std::size_t channels = weight.shape()[0];
    const std::size_t inner = weight.elements() / channels;
    Tensor<f32> folded_weight(weight.shape());
    Tensor<f32> folded_bias(Shape{channels});
    for (std::size_t c = 0; c < channels; ++c) {
        const Affine affine = affine_of(norm, c);
        for (std::size_t i = c * inner; i < (c + 1) * inner; ++i) {
            folded_weight[i] = static_cast<float>(static_cast<double>(std::as_const(weight)[i]) * affine.scale);
        }
        const double old = bias.empty() ? 0.0 : static_cast<double>(std::as_const(bias)[c]);
        folded_bias[c] = static_cast<float>(old * affine.scale + affine.shift);
    }
    weight.swap(folded_weight);
    bias.swap(folded_bias);
}

}  // namespace detail

/// The layer (a convolution or Dense) that computes norm(layer(x)).
template <class L>
L folded(L layer, const BatchNorm& norm) {
    static_assert(detail::folds_batch_norm<L>, "mote: BatchNorm folds into convolutions and Dense in f32");
    detail::fold_parameters(layer.weight, layer.bias, norm);
    return layer;
}

namespace detail {

/// The node's layer with `norm` folded in; null where it is none that takes BatchNorm in.
template <class List>
std::shared_ptr<const void> folded_layer(const Node& node, const BatchNorm& norm) {
    if (const auto* conv = mote::get_if<Conv2d<f32>, List>(node)) return make_erased(folded(*conv, norm));
    if (const auto* conv = mote::get_if<DepthwiseConv2d<f32>, List>(node)) return make_erased(folded(*conv, norm));
    if (const auto* conv = mote::get_if<TransposeConv2d<f32>, List>(node)) return make_erased(folded(*conv, norm));
    if (const auto* dense = mote::get_if<Dense<f32>, List>(node)) return make_erased(folded(*dense, norm));
    return nullptr;
}

}  // namespace detail

/// The model with each BatchNorm folded into the convolution or Dense before it, where that layer's result goes
/// nowhere else. Equal to 1e-5 of the output's range; the folded node keeps its name, its output the BatchNorm's value name.
/// Of a model that nobody else holds each layer is let go as soon as its successor is made.
template <class List>
BasicModel<List> fold(BasicModel<List> model) {
    Graph<List> graph = std::move(model).graph();
    Edges edge = edges(graph);
    std::vector<char> gone(graph.nodes.size(), 0);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const BatchNorm* norm = get_if<BatchNorm>(graph, graph.nodes[i]);
        if (norm == nullptr) continue;
        const ValueId between = graph.nodes[i].inputs[0];
        const std::size_t before = edge.producer[between];
        if (before == no_node || edge.only_consumer(between) == no_node) continue;
        Node& target = graph.nodes[before];
        std::shared_ptr<const void> layer = detail::folded_layer<List>(target, *norm);
        if (layer == nullptr) continue;
        target.layer = std::move(layer);
        target.outputs = graph.nodes[i].outputs;
        edge.producer[target.outputs[0]] = before;
        gone[i] = 1;
    }
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (gone[i] == 0) nodes.push_back(std::move(graph.nodes[i]));
    }
    graph.nodes = std::move(nodes);
    return BasicModel<List>(compacted(std::move(graph)));
}

MOTE_END_NAMESPACE
