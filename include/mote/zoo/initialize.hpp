// SPDX-License-Identifier: MIT
#pragma once
// initialize: a model's parameters as training begins with them.

#include <mote/core/random.hpp>
#include <mote/model/builder.hpp>

#include <cmath>

MOTE_BEGIN_NAMESPACE

struct InitializeOptions {
    std::uint64_t seed = 0;
};

/// The identity over `channels`: scale and variance 1, shift and mean 0.
inline BatchNorm batch_norm(std::size_t channels, float momentum = 0.1f) {
    BatchNorm layer{.scale = Tensor<f32>(Shape{channels}),
                    .shift = Tensor<f32>(Shape{channels}),
                    .mean = Tensor<f32>(Shape{channels}),
                    .variance = Tensor<f32>(Shape{channels}),
                    .momentum = momentum};
    for (std::size_t c = 0; c < channels; ++c) layer.scale[c] = layer.variance[c] = 1.0f;
    return layer;
}

namespace detail {

/// Weights [out, ..., in] of rank 2 and above: He-normal; biases 0; a weight of rank 1 (a scale per channel) 1.
template <class L>
void initialize_layer(L& layer, Random& random) {
    for_each_field(layer, [&](const auto& field, auto& member) {
        using T = std::remove_cvref_t<decltype(member)>;
        if constexpr (std::is_same_v<T, Tensor<f32>>) {
            if (field.role == Role::attribute || member.empty()) return;
            Tensor<f32> fresh(member.shape());
            const bool scale = field.role == Role::weight && member.shape().rank() < 2;
            if (scale) {
                for (float& x : fresh.values()) x = 1.0f;
            } else if (field.role == Role::weight) {
                const auto axis = static_cast<std::size_t>(field.output_axis == no_axis ? 0 : field.output_axis);
                const std::size_t fan_in = fresh.elements() / fresh.shape()[axis];
                const float deviation = std::sqrt(2.0f / static_cast<float>(fan_in));
                for (float& x : fresh.values()) x = deviation * random.normal();
            }
            member = std::move(fresh);
        }
    });
    if constexpr (std::is_same_v<L, BatchNorm>) {
        for (float& x : layer.variance.values()) x = 1.0f;
    }
}

}  // namespace detail

/// The model with fresh f32 parameters: weights drawn from a normal distribution of variance 2 / fan-in (He et al. 2015,
/// section 2.2), biases 0, BatchNorm the identity. A node's numbers depend on the seed and its place alone.
template <class List>
BasicModel<List> initialize(const BasicModel<List>& model, InitializeOptions options = {}) {
    Graph<List> graph = model.graph();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        Random random(options.seed, i);
        mote::visit<List>(graph.nodes[i], [&](const auto& layer) {
            auto fresh = layer;
            detail::initialize_layer(fresh, random);
            graph.nodes[i] = with_layer<List>(graph.nodes[i], std::move(fresh));
        });
    }
    return BasicModel<List>(std::move(graph));
}

MOTE_END_NAMESPACE
