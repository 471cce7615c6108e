// SPDX-License-Identifier: MIT
#pragma once
// The verb cost: what one run of a layer takes. Parameters and bytes follow from the fields; a layer states its MACs.

#include <mote/layers/layers.hpp>
#include <mote/model/value.hpp>

MOTE_BEGIN_NAMESPACE

/// Multiply-accumulates of one run, parameters (elements of weights, biases and statistics) and their bytes.
struct Cost {
    std::uint64_t macs = 0;
    std::uint64_t parameters = 0;
    std::uint64_t weight_bytes = 0;

    friend bool operator==(const Cost&, const Cost&) = default;
    Cost& operator+=(const Cost& other) {
        macs += other.macs;
        parameters += other.parameters;
        weight_bytes += other.weight_bytes;
        return *this;
    }
};

/// The values around a node, as the verb cost sees them.
struct CostContext {
    std::span<const Value* const> inputs;
    std::span<const Value* const> outputs;
    std::uint64_t output_elements() const noexcept { return outputs[0]->shape.elements(); }
};

/// MACs of each output element: one weight row.
template <class P>
std::uint64_t cost(const Conv2d<P>& layer, const CostContext& node) {
    return node.output_elements() * (layer.weight.elements() / layer.weight.shape()[0]);
}
template <class P>
std::uint64_t cost(const DepthwiseConv2d<P>& layer, const CostContext& node) {
    return node.output_elements() * (layer.weight.elements() / layer.weight.shape()[0]);
}
inline std::uint64_t cost(const ConvInteger2d& layer, const CostContext& node) {
    return node.output_elements() * (layer.weight.elements() / layer.weight.shape()[0]);
}
/// MACs of each input pixel: all weights.
template <class P>
std::uint64_t cost(const TransposeConv2d<P>& layer, const CostContext& node) {
    const Shape& in = node.inputs[0]->shape;
    return in.elements() / in.back() * layer.weight.elements();
}
template <class P>
std::uint64_t cost(const Dense<P>& layer, const CostContext& node) {
    return node.output_elements() * layer.weight.shape()[1];
}
inline std::uint64_t cost(const MatMul& layer, const CostContext& node) {
    const Shape& a = node.inputs[0]->shape;
    return node.output_elements() * a[a.rank() - (layer.transpose_a ? 2 : 1)];
}
inline std::uint64_t cost(const BatchNorm&, const CostContext& node) {
    return node.output_elements();
}

namespace detail {

/// MACs of each step of each sample: both matrices.
template <class L>
std::uint64_t recurrent_cost(const L& layer, const CostContext& node) {
    const std::uint64_t steps = node.inputs[0]->shape.elements() / layer.weight.shape()[1];
    return steps * (layer.weight.elements() + layer.recurrent.elements());
}

}  // namespace detail

template <class P>
std::uint64_t cost(const Lstm<P>& layer, const CostContext& node) {
    return detail::recurrent_cost(layer, node);
}
template <class P>
std::uint64_t cost(const Gru<P>& layer, const CostContext& node) {
    return detail::recurrent_cost(layer, node);
}
template <class P>
std::uint64_t cost(const Rnn<P>& layer, const CostContext& node) {
    return detail::recurrent_cost(layer, node);
}
template <class P>
std::uint64_t cost(const Svdf<P>& layer, const CostContext& node) {
    return node.inputs[0]->shape[0] * (layer.feature.elements() + layer.time.elements());
}

namespace detail {

template <class L>
concept StatesMacs = requires(const L& layer, const CostContext& node) {
    { cost(layer, node) } -> std::convertible_to<std::uint64_t>;
};

/// The whole cost of a layer. One without the verb (movement, pooling, activations) has no MACs.
template <class L>
Cost total_cost(const L& layer, const CostContext& node) {
    Cost result;
    if constexpr (StatesMacs<L>) result.macs = cost(layer, node);
    for_each_parameter(layer, [&](const auto&, const auto& tensor) {
        result.parameters += tensor.elements();
        result.weight_bytes += tensor.bytes();
    });
    return result;
}

}  // namespace detail

MOTE_END_NAMESPACE
